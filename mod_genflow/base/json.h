/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in and out. Reading is json-c behind base/json_walk.c (grammar, depth and number of values);
 * a document lives as long as its context's pool. Writing appends to one growing buffer: an answer
 * is written front to back, and values that Postgres already gives as JSON are spliced in
 * untouched. The only user of json-c. Any thread, one document or buffer by one thread at a time.
 */
#ifndef GF_JSON_H
#define GF_JSON_H

#include "base/err.h"

#define GF_JSON_DEPTH        32    /* nesting of a body or reply */
#define GF_JSON_VALUES       10000 /* objects, arrays and scalars of a body */
#define GF_JSON_REPLY_VALUES 50000 /* the same for a reply: a page of a list has some thousand */

typedef struct json_object gf_json_t; /* opaque here */

/* ---- reading ---- */

/* Parses text as one JSON object, with nothing after it. Anything else is BAD_JSON with a field
 * error that names the place. Strict, for texts of clients: refuses a control character in a text,
 * half of a surrogate pair, a name twice in one object and a name with a NUL, because a proxy may
 * read them differently. Builds nothing of more than GF_JSON_VALUES values. */
gf_err_t *gf_json_parse(gf_json_t **out, gf_ctx_t *ctx, const char *text, apr_size_t length);

/* The same for texts of a provider or store. It accepts these four, and reads bytes that are no
 * UTF-8 as U+FFFD: the reply may be the only reference to a paid picture, and no proxy reads it. If
 * a name occurs twice, the last value counts. */
gf_err_t *gf_json_parse_reply(gf_json_t **out, gf_ctx_t *ctx, const char *text, apr_size_t length);

/* Member of an object; NULL if it is absent or null. */
gf_json_t *gf_json_get(const gf_json_t *object, const char *name);

/* Each reads one type and never converts; false leaves *out unchanged. A text with a NUL inside is
 * refused (Postgres and C could not hold it). An integer has no fraction and no exponent; beyond 64
 * bits it is clamped: check its bounds. */
bool gf_json_string(const gf_json_t *value, const char **out);
bool gf_json_int(const gf_json_t *value, apr_int64_t *out);
bool gf_json_number(const gf_json_t *value, double *out);
bool gf_json_bool(const gf_json_t *value, bool *out);
bool gf_json_is_object(const gf_json_t *value);
bool gf_json_is_array(const gf_json_t *value);

/* The text of a value without spaces, for storing; valid as long as the document. */
const char *gf_json_text(gf_json_t *value);

/* Gives `object` the member, unless it has one of that name that is not null. The value may belong
 * to another document, and lives as long as either; a NULL value gives nothing. */
void gf_json_add(gf_json_t *object, const char *name, gf_json_t *value);

/* gf_json_add() with every member of `from`. */
void gf_json_add_all(gf_json_t *object, const gf_json_t *from);

/* The names of an object's members, null ones included; none for other values. They live as long as
 * the document. */
apr_array_header_t *gf_json_names(const gf_json_t *object, apr_pool_t *pool);

/* Can value be stored and written out at a moderate size? All numbers in it, however deep, are 0 or
 * of a magnitude from 1e-15 to 1e15 (others grow to hundreds of digits), no text holds a NUL. */
bool gf_json_is_moderate(const gf_json_t *value);

/* Element of an array; NULL beyond its end or if it is no array. */
gf_json_t *gf_json_at(const gf_json_t *array, apr_size_t index);

/* Elements of an array; 0 if it is none. */
apr_size_t gf_json_length(const gf_json_t *array);

/* ---- writing ---- */

/* A growing text of JSON. The caller is responsible for the order of calls: open, then values (in
 * an object each behind its key), then close. Commas are written where they belong. */
typedef struct gf_out_t {
    apr_pool_t *pool; /* the text lives here */
    char *text;       /* what is written so far; NUL-ended */
    apr_size_t length;
    apr_size_t size; /* bytes of room at `text`; doubles when it is full */
    bool comma;      /* the next value needs a comma before it */

    /* A member that gf_out_put_...() writes under a name like imageUrl is written as image_url,
     * too. Callers may switch it between two members. */
    bool twins;
} gf_out_t;

/* Begins an empty text with room for `size` bytes. */
void gf_out_init(gf_out_t *out, apr_pool_t *pool, apr_size_t size);

/* Begins the response of a success: {"success":true,"ok":true, ... */
void gf_out_begin(gf_out_t *out, apr_pool_t *pool);

/* Opens and closes an object '{' '}' or an array '[' ']'. */
void gf_out_open(gf_out_t *out, char bracket);
void gf_out_close(gf_out_t *out, char bracket);

/* The name of the next value; it is written as it is, so it must need no escaping. */
void gf_out_key(gf_out_t *out, const char *name);

/* A text, escaped as JSON requires; NULL writes null. */
void gf_out_string(gf_out_t *out, const char *value);

/* One value that is JSON already, as it is; NULL writes null. */
void gf_out_raw(gf_out_t *out, const char *json);

/* A number as JSON, with up to 15 digits, in `pool`. APR's %g writes .5, which is none. */
const char *gf_json_of_number(double number, apr_pool_t *pool);

/* "name": value, in one call; with out->twins also "its_name": value. */
void gf_out_put_string(gf_out_t *out, const char *name, const char *value);
void gf_out_put_raw(gf_out_t *out, const char *name, const char *json);
void gf_out_put_int(gf_out_t *out, const char *name, apr_int64_t value);
void gf_out_put_bool(gf_out_t *out, const char *name, bool value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of what requests bring: bodies, queries, administration.
 *
 * A table of rows says which members there may be. A row has the member's name, its older
 * spellings, its kind, its bounds, whether it is required, and where its value goes. The reader
 * goes through the table once, writes the good values into the caller's record, and gathers all bad
 * ones. gf_input_end() turns them into one error that names every bad field.
 *
 * No I/O. One thread at a time. All memory is of the context's pool; values that point into the
 * body live as long as its document. */
#ifndef GF_INPUT_H
#define GF_INPUT_H

#include "base/json.h"
#include "model/conf.h"
#include "model/prompt.h"

/* The kind of a row, and the type of the record's member for it. Arguments of a query are texts; an
 * INT may be one. */
typedef enum {
    GF_INPUT_TEXT,   /* const char *: min to max characters, none of them NUL; max 0: any number */
    GF_INPUT_TOKEN,  /* const char *: 1 to max of A-Z a-z 0-9 . _ : - */
    GF_INPUT_UUID,   /* const char *: 36 characters, any case */
    GF_INPUT_WORD,   /* const gf_prompt_word_t *: one of the row's words */
    GF_INPUT_INT,    /* apr_int64_t: min to max */
    GF_INPUT_NUMBER, /* writes nothing: a number from min to max, for callers that store JSON */
    GF_INPUT_BOOL,   /* bool */
    GF_INPUT_OBJECT, /* gf_json_t *: an object of at most max bytes */
    GF_INPUT_TYPE,   /* const gf_type_t *: the name of a configured type */
    GF_INPUT_JSON,   /* gf_json_t *: any value; the row's rule checks it */
    GF_INPUT_KNOWN   /* writes nothing: another function reads it, or none */
} gf_input_kind_t;

#define GF_INPUT_NAMES 4 /* a name and its older spellings */

struct gf_input_t;

/* A row. Tables are constant and end with GF_INPUT_END. */
typedef struct gf_input_field_t {
    const char *names[GF_INPUT_NAMES + 1]; /* NULL-ended; errors name the first */
    gf_input_kind_t kind;
    apr_int64_t min, max; /* by kind, see above */
    bool required;
    bool as_sent;  /* errors name the spelling that the client used instead of the first */
    size_t offset; /* of its member in the caller's record; an absent value writes none */
    const gf_prompt_word_t *words; /* of WORD; a NULL word ends them */

    /* A check beyond the table, or NULL: called in the row's place, also when the value is absent,
     * but not when it is bad. */
    void (*rule)(struct gf_input_t *input, void *record);
} gf_input_field_t;

/* Ends a table of rows. */
#define GF_INPUT_END   \
    {                  \
        .names = { 0 } \
    }

/* A reading. The caller sets the first members; all others start as 0. A row's value is the first
 * of its names that the query has with a value, then the first that the body has, then the first
 * that the fallback has. */
typedef struct gf_input_t {
    gf_ctx_t *ctx;
    const apr_table_t *query;  /* decoded arguments; `name=` is absent. NULL: none */
    const gf_json_t *body;     /* NULL: none */
    const gf_json_t *fallback; /* a template. NULL: none */
    bool lenient;              /* members of the body that no row knows are ignored */
    bool loose;                /* the body is read like a query: texts, "" is absent */
    bool partial;              /* nothing is required: an edit */

    /* What the addresses of our uploaded pictures begin with (gf_reply_own()), NULL-ended. NULL:
     * none is recognized. */
    const char *const *own;

    /* The one code for all bad fields; 0: see gf_input_end(). */
    gf_err_code_t all;

    /* The result so far. `code` and `extra` (gf_err_t.extra) belong to the last bad field; they
     * count if it is the only one. */
    apr_array_header_t *errors; /* of gf_field_error_t; NULL: none yet */
    gf_err_code_t code;
    const char *extra;
    bool unknown; /* there was a member that no row knows */
} gf_input_t;

/* Reads all rows of a table into `record`, whose members have their defaults before; NULL: they are
 * only checked, without rules. Rows are read in order, so a rule sees the members of rows above. */
void gf_input_read(gf_input_t *input, const gf_input_field_t *fields, void *record);

/* Refuses the body's members that no row of `tables` (NULL-ended) knows, unless the reading is
 * lenient. At most GF_INPUT_UNKNOWN are named, each with the nearest known name. */
#define GF_INPUT_UNKNOWN 10
void gf_input_unknown(gf_input_t *input, const gf_input_field_t *const *tables);

/* The same for `object`, a part of the body; `prefix` goes before its names in errors. */
void gf_input_unknown_in(gf_input_t *input, const gf_json_t *object, const char *prefix,
                         const gf_input_field_t *const *tables);

/* Refuses arguments of the query that are none of `known` ("limit|cursor", in any case); with
 * `once`, also repeated ones. */
void gf_input_unknown_query(gf_input_t *input, const char *known, bool once);

/* NULL, or the error with all bad fields. A single bad field keeps its own code; several are
 * VALIDATION_FAILED (422). With `all` every bad field has that code, unless there are unknown
 * members. */
gf_err_t *gf_input_end(gf_input_t *input);

/* All steps for one body: reads the rows, refuses unknown members, ends. */
gf_err_t *gf_input_all(gf_input_t *input, const gf_input_field_t *fields, void *record);

/* ---- for rules, and for checks beyond tables ---- */

/* Records a bad field: the reason, for the client. `code` is the response's if it is the only one.
 */
void gf_input_refuse(gf_input_t *input, gf_err_code_t code, const char *field, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

/* Records that a field is missing; `format` may name alternatives. */
void gf_input_missing(gf_input_t *input, const char *field, const char *message);

/* Was this field refused before? */
bool gf_input_refused(const gf_input_t *input, const char *field);

/* Reads a whole number from `min` to `max` into *out; an absent (NULL) or bad one leaves it alone.
 */
void gf_input_int(gf_input_t *input, const gf_json_t *value, const char *field, apr_int64_t min,
                  apr_int64_t max, apr_int64_t *out);

/* The member of the first of these names (NULL-ended) that the body has, or else the fallback. */
gf_json_t *gf_input_member(const gf_input_t *input, const char *const *names);

/* The last argument of the query of that name, in any case; NULL: absent. */
const char *gf_input_query(const apr_table_t *query, const char *name);

#endif

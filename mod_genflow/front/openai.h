/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI's images API as its clients write and read it: pure translation, both ways. No I/O; any
 * thread. */
#ifndef FRONT_OPENAI_H
#define FRONT_OPENAI_H

#include "front/wire.h"

/* A picture that a request brings: as text (a data: URI, an address, the id of one of ours), or its
 * bytes. */
typedef struct front_picture_t {
    const char *text; /* NULL: bytes */
    gf_bytes_t bytes;
} front_picture_t;

/* A request for pictures, checked as far as that is possible without its type. */
typedef struct front_openai_t {
    const char *model; /* NULL: the client names none */
    const char *prompt;
    const char *size;          /* "1024x1024", "auto"; NULL: not given */
    apr_int64_t width, height; /* of `size`; 0: any */
    const char *quality;       /* as given; NULL: not given */
    const char *output_format; /* as given; NULL: not given */
    apr_int64_t count;         /* n */
    bool is_edit, is_url, is_stream;
    bool lenient;                 /* set by the caller: unknown members are ignored */
    apr_array_header_t *pictures; /* of front_picture_t; never NULL */
} front_openai_t;

/* Reads the JSON body of images/generations or (ask->is_edit) images/edits into a zeroed *ask. An
 * error names the first bad member. */
gf_err_t *front_openai_read(front_openai_t *ask, gf_ctx_t *ctx, const gf_json_t *body);

/* The same of the parts (gf_part_t) of a form. */
gf_err_t *front_openai_read_form(front_openai_t *ask, gf_ctx_t *ctx,
                                 const apr_array_header_t *parts);

/* What the type makes of it: of a quality that it does not allow the nearest one that it does. */
typedef struct front_openai_shown_t {
    const char *quality; /* as responses state it */
} front_openai_shown_t;

/* The body of our POST {type}/generate for it. `sources` is what it says of source pictures:
 * members of JSON; NULL: none. Errors: UNSUPPORTED: a parameter that the type cannot honour. */
gf_err_t *front_openai_body(const char **body, front_openai_shown_t *shown, gf_ctx_t *ctx,
                            const front_openai_t *ask, const gf_type_t *type, const char *sources);

/* Writes an error (front_t.error). */
void front_openai_error(front_reply_t *reply, const front_fault_t *fault, apr_pool_t *pool);

/* The member `error` of it, as an object. */
const char *front_openai_error_object(const front_fault_t *fault, apr_pool_t *pool);

/* The facts of a completed generation: its size "1024x1024", and its format "png"; NULL: not known.
 */
typedef struct front_openai_facts_t {
    const char *size, *format;
} front_openai_facts_t;

void front_openai_facts(front_openai_facts_t *facts, gf_ctx_t *ctx, const gf_view_t *view);

/* The members that stand in a response or an event beside the pictures, without brackets:
 * "created":...,"size":...; `name` is that of the time. */
const char *front_openai_members(const char *name, apr_int64_t seconds,
                                 const front_openai_facts_t *facts, const char *quality,
                                 apr_pool_t *pool);

/* The object of a model. */
void front_openai_model(gf_out_t *out, const gf_model_t *model);

#endif

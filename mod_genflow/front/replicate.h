/* SPDX-License-Identifier: Apache-2.0 */
/* Replicate's wire, as its clients speak it: their requests become the body of POST
 * {type}/generate, our errors and assets become theirs. Predictions are written by
 * model/prediction.h. Pure: no I/O, any thread. Results live in the pool that a call gets. */
#ifndef FRONT_REPLICATE_H
#define FRONT_REPLICATE_H

#include <apr_time.h>

#include "db/asset.h"
#include "front/wire.h"
#include "model/prediction.h"

#define REPLICATE_WAIT (60 * APR_USEC_PER_SEC) /* of `Prefer: wait` without a number */

/* A text of `input` that names a picture. */
typedef struct replicate_source_t {
    const char *field; /* "input.image" */
    const char *text;  /* an address, or a data: URI, which announces a picture */
} replicate_source_t;

/* A request for a prediction. Members of `input` that are not known are not in it: they may hold
 * the caller's key, so nothing stores or logs them. */
typedef struct replicate_request_t {
    const char *version; /* NULL: the body names none */
    const char *webhook; /* NULL: none */
    bool on_start, on_end;
    int count;                   /* of pictures; checked with our body */
    apr_array_header_t *sources; /* of replicate_source_t, in their order; never NULL */
    const char *members;         /* of our body, JSON without braces; without the pictures */
    const char *parameters;      /* of its `parameters`, JSON without braces; "" for none */
} replicate_request_t;

/* Reads the body of a request. Errors: INVALID or SOURCE_URL, which name every bad field by its
 * name there ("input.prompt"). Values are checked with our body. */
gf_err_t *replicate_request_read(replicate_request_t *request, gf_ctx_t *ctx,
                                 const gf_json_t *body);

/* Our body: the request's members, `prediction` among the parameters, and `sources`: members that
 * name the pictures, JSON without braces; NULL: there are none. */
const char *replicate_body(const replicate_request_t *request, const gf_prediction_t *prediction,
                           const char *sources, apr_pool_t *pool);

/* The id of the uploaded picture that an address below `mount` of this front names
 * ("/v1/files/<id>" behind any of `hosts`, which ends with NULL); NULL: it is no such address. */
const char *replicate_file_id(const char *text, const char *mount, const char *const *hosts,
                              apr_pool_t *pool);

/* How long a create waits by its header Prefer (may be NULL): 0 without `wait`. */
apr_interval_time_t replicate_wait(const char *prefer, apr_pool_t *pool);

/* The version that a listed name ends with ("owner/name:version"); NULL: none. *model is the name
 * without it. */
const char *replicate_version(const char **model, const char *name, apr_pool_t *pool);

/* Is `name`, as a client sends it ("owner/name", "owner/name:version" or a version alone), a name
 * of the listed one? */
bool replicate_is_named(const char *listed, const char *name);

/* Writes a file. `at`: created_at, as the wire shows it. */
void replicate_file_write(gf_out_t *out, const gf_asset_t *asset, const char *mount);

/* Writes an error as application/problem+json into a reply that has its status. */
void replicate_error(front_reply_t *reply, const front_fault_t *fault, apr_pool_t *pool);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A generation as the output of a model on another API's wire (fal's): for that front's responses
 * (front/fal.h), and for the webhooks of generations that were requested there (work/deliver.c). No
 * I/O; any thread. Results live in the pool of the context. */
#ifndef GF_OUTPUT_H
#define GF_OUTPUT_H

#include "model/job.h"

/* What the row of a generation records about such a request: the member `front` of its parameters,
 * which no provider gets. */
typedef struct gf_output_t {
    const char *model; /* the name that the client called: "fal-ai/flux/dev" */
    bool is_one;       /* a single picture where the wire has a list */
} gf_output_t;

/* The value of the member `front`, as JSON. */
const char *gf_output_member(const gf_output_t *output, apr_pool_t *pool);

/* Reads the member `front` of the view's parameters. False: the generation was not requested so. */
bool gf_output_read(gf_output_t *output, gf_ctx_t *ctx, const gf_view_t *view);

/* Is it completed, with a picture? */
bool gf_output_has_picture(const gf_view_t *view);

/* The output of `count` generations, one of which has a picture at least: {"images":[...],...}, or
 * with is_one {"image":{...},...}. `site`: scheme, host and prefix, put before addresses that begin
 * with a slash. */
const char *gf_output_text(gf_ctx_t *ctx, const gf_view_t *views, int count, bool is_one,
                           const char *site);

/* The longest time of work of them, in seconds, as JSON; NULL: not known. */
const char *gf_output_seconds(const gf_view_t *views, int count, apr_pool_t *pool);

/* The body of the webhook of an ended generation. */
const char *gf_output_webhook(gf_ctx_t *ctx, const gf_view_t *view, bool is_one, const char *site);

/* ---- without a picture ---- */

/* What a generation without a picture is to the clients. */
typedef struct gf_output_failure_t {
    int status;       /* of HTTP */
    const char *type; /* error_type */
    const char *text;
    const char *field; /* the member of the input that it is about, of a 422; NULL: none */
} gf_output_failure_t;

/* Of an ended one. */
gf_output_failure_t gf_output_failure(const gf_view_t *view);

/* Writes "detail" into an open object, and beside a text "error_type" and "message". */
void gf_output_put_failure(gf_out_t *out, const gf_output_failure_t *failure);

/* Writes one element of the list "detail": `place` is "body", "query" or "header"; name: "" for all
 * of it. */
void gf_output_put_detail(gf_out_t *out, const char *place, const char *name, const char *message,
                          const char *type);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A generation as the prediction of another API's wire (Replicate's): for that front's responses
 * (front/replicate.h), and for the webhooks of generations that were requested there
 * (work/deliver.c). No I/O; any thread. Results live in the pool of the context. */
#ifndef GF_PREDICTION_H
#define GF_PREDICTION_H

#include "model/job.h"

/* What the row of a generation records about the request for a prediction: the member `front` of
 * its parameters, which no provider gets. Written by gf_prediction_member(). */
typedef struct gf_prediction_t {
    const char *model;   /* "owner/name"; never NULL */
    const char *version; /* NULL: the model was named without one */
    const char *mount;   /* absolute address of the front: "https://example.test/v1" */
    int count;           /* generations, which are its pictures: 0 or 1 for one */
    bool is_one;         /* the output is one address in place of a list */
    bool on_start;       /* the webhook wants the begin ... */
    bool on_end;         /* ... and the end */
} gf_prediction_t;

/* The value of the member `front`, as JSON. */
const char *gf_prediction_member(const gf_prediction_t *prediction, apr_pool_t *pool);

/* Reads the member `front` of the view's parameters. False: the generation was not requested as a
 * prediction. *prediction then has `model`, which is the name of the type, and what it had before.
 */
bool gf_prediction_read(gf_prediction_t *prediction, gf_ctx_t *ctx, const gf_view_t *view);

/* The client's run id of generation `i` (from 0) of the prediction that `view` is a generation of;
 * NULL: it is the only one. The id of a prediction is that of its first generation. */
const char *gf_prediction_nth(const gf_prediction_t *prediction, const gf_view_t *view, int i,
                              apr_pool_t *pool);

/* Writes the whole object. views: its `count` generations, as far as they are there, the first one
 * first. `site`: scheme, host and prefix, put before addresses that begin with a slash. stream:
 * address of its events; NULL: none. `created`: the response to a create, where a live prediction
 * is `starting` whatever its state: clients take any other state for the end. */
void gf_prediction_write(gf_out_t *out, gf_ctx_t *ctx, const gf_prediction_t *prediction,
                         const gf_view_t *views, int count, const char *site, const char *stream,
                         bool created);

/* Have all of them ended? */
bool gf_prediction_ended(const gf_view_t *views, int count);

/* "starting", "processing", "succeeded", "failed" or "canceled". Pictures that were made are a
 * success, unless some of the others were cancelled. */
const char *gf_prediction_status(const gf_view_t *views, int count, bool created);

/* The text of `error`; NULL: it has not failed. One that a content filter refused begins with NSFW.
 */
const char *gf_prediction_error(const gf_view_t *views, int count, apr_pool_t *pool);

/* What the provider reports while it runs, a line each, and the progress as a bar; "" for nothing.
 */
const char *gf_prediction_logs(const gf_view_t *view, gf_ctx_t *ctx);

/* The absolute address of the picture; NULL: there is none. */
const char *gf_prediction_picture(const gf_view_t *view, const char *site, apr_pool_t *pool);

#endif

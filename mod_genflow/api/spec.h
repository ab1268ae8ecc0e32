/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls share that make and start generations: an order is read (api/spec.c), made
 * (api/generate.c), started, waited for and answered (api/start.c). Request threads only. */
#ifndef API_ORDER_H
#define API_ORDER_H

#include "api/api.h"
#include "base/hash.h"

/* A body that asks for generations. */
typedef struct api_order_t {
    gf_json_t *body;
    const char *text; /* as it was sent */
    apr_size_t length;
    bool pending; /* they are started by another call */
} api_order_t;

/* Checks an order; without req->type, sets it as the body says. Errors: every bad field. */
gf_err_t *api_order_read(gf_ask_t *ask, gf_req_t *req, const api_order_t *order);

/* What a good order still needs: the caller's key, and its picture among the uploaded ones. `hash`
 * is the room for the caller's. */
gf_err_t *api_order_finish(gf_caller_t *caller, char hash[GF_SHA256_HEX], gf_req_t *req,
                           gf_ask_t *ask, const api_order_t *order);

/* SOURCE_URL, naming `field`, when these bytes, which gf_image_probe() looked at, cannot be
 * decoded. */
gf_err_t *api_asset_check(gf_req_t *req, const char *field, const gf_image_t *image,
                          const void *bytes);

/* Sets the caller's hash: that of the order and of where it is sent. `hash` is the room for it. */
void api_order_hash(gf_caller_t *caller, char hash[GF_SHA256_HEX], const gf_req_t *req,
                    const api_order_t *order);

/* Sets whom the caller is and its key: the client's Idempotency-Key, or else `own`. */
gf_err_t *api_order_key(gf_caller_t *caller, gf_req_t *req, const char *own);

/* The template that `body` names: what it fills in, and its type; both NULL without one. */
gf_err_t *api_template_read(const gf_json_t **config, const char **type, gf_req_t *req,
                            const gf_json_t *body);

/* Makes what is ordered, and starts it unless it is to stay pending; replies. */
gf_err_t *api_generate_order(gf_req_t *req, const api_order_t *order);

/* Makes what is asked for, or finds that the key made it before (created->outcome). *here: there
 * are places for it in this process. Refusals are errors. */
gf_err_t *api_generate_make(gf_created_t *created, bool *here, gf_req_t *req,
                            const gf_caller_t *caller, const gf_ask_t *ask);

/* What was just made, as it is told and, if there are places here, as it is worked on. Those that
 * the key made before have no view and no job. */
void api_generate_views(gf_view_t *views, gf_job_t **jobs, gf_req_t *req, const gf_ask_t *ask,
                        const gf_created_t *created, bool here);

/* ?dryRun=1: the price of `count`, who would begin, and nothing happens. */
gf_err_t *api_generate_dry(gf_req_t *req, int count, const char *prompt, const char *parameters,
                           const char *source_url);

/* The generations of one request: `views` as they are now; with `jobs`, for which there are places,
 * they begin in this process (NULL: not this one). Starts them, waits as the client prefers and
 * replies. */
gf_err_t *api_start(gf_req_t *req, gf_view_t *views, gf_job_t **jobs, int count);

/* The same without the reply, waiting as `prefer` says. */
gf_err_t *api_start_wait(gf_req_t *req, gf_view_t *views, gf_job_t **jobs, int count,
                         const api_prefer_t *prefer);

/* Replies with generations as they are: 200 when all have ended, else 202. */
gf_err_t *api_start_answer(gf_req_t *req, const gf_view_t *views, int count);

/* NO_PROVIDER when no provider of req->type has a key; closed: nobody can make what is asked for.
 */
gf_err_t *api_start_open(gf_req_t *req);
gf_err_t *api_start_closed(gf_req_t *req);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls share that make and start generations: an order is read (api_order.c), made
 * (api_generate.c), started, waited for and answered (api_start.c). Request threads only. */
#ifndef API_ORDER_H
#define API_ORDER_H

#include "api/gf_api.h"
#include "base/gf_hash.h"

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

/* The template that `body` names: what it fills in, and its type; both NULL without one. */
gf_err_t *api_template_read(const gf_json_t **config, const char **type, gf_req_t *req,
                            const gf_json_t *body);

/* Makes what is ordered, and starts it unless it is to stay pending; replies. */
gf_err_t *api_generate_order(gf_req_t *req, const api_order_t *order);

/* ?dryRun=1: the price of `count`, and nothing happens. */
gf_err_t *api_generate_dry(gf_req_t *req, int count, const char *prompt);

/* The generations of one request: `views` as they are now; with `jobs`, for which there are places,
 * they begin in this process. Starts them, waits as the client prefers and replies. */
gf_err_t *api_start(gf_req_t *req, gf_view_t *views, gf_job_t **jobs, int count);

/* Replies with generations as they are: 200 when all have ended, else 202. */
gf_err_t *api_start_answer(gf_req_t *req, const gf_view_t *views, int count);

/* NO_PROVIDER when no provider of req->type has a key. */
gf_err_t *api_start_open(gf_req_t *req);

#endif

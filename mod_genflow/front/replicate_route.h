/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of Replicate's front: files of this name, each with the rows of
 * front/replicate_route.c that it serves. Request threads only. */
#ifndef FRONT_REPLICATE_ROUTE_H
#define FRONT_REPLICATE_ROUTE_H

#include "front/front.h"
#include "front/replicate.h"

/* ---- replicate_prediction.c ---- */

gf_err_t *replicate_prediction_create(gf_req_t *req);          /* predictions, by version */
gf_err_t *replicate_prediction_create_by_model(gf_req_t *req); /* models/, deployments/ */
gf_err_t *replicate_prediction_get(gf_req_t *req);
gf_err_t *replicate_prediction_cancel(gf_req_t *req);
gf_err_t *replicate_prediction_list(gf_req_t *req);

/* The prediction of that id, or of one of its generations: all *count of them, into the room for
 * GF_BATCH_MAX. Sets req->type. Error: NO_GENERATION. */
gf_err_t *replicate_prediction_find(gf_view_t *views, int *count, gf_req_t *req, const char *id);

/* ---- replicate_file.c ---- */

gf_err_t *replicate_file_create(gf_req_t *req);
gf_err_t *replicate_file_get(gf_req_t *req);
gf_err_t *replicate_file_delete(gf_req_t *req);

/* ---- replicate_stream.c ---- */

/* The events of a prediction, for whoever has their signed address: clients send no key there. */
gf_err_t *replicate_stream(gf_req_t *req);

/* ---- replicate_link.c ---- */

/* The signed address of the events of generation `id` of the caller; NULL: the site has no
 * GenflowWebhookSecret to sign it with. */
const char *replicate_link_url(gf_req_t *req, const char *id);

/* The user whom the address of this request for events names, if the site has signed it; NULL: it
 * has not, or it has expired. */
const char *replicate_link_user(gf_req_t *req);

/* ---- replicate_route.c ---- */

/* The row of GenflowModel that a client means by `name`: the row of that very name, else the first
 * that has another version, or that version. Sets req->type. Error: NO_MODEL. */
gf_err_t *replicate_model(const gf_model_t **model, gf_req_t *req, const char *name);

/* The absolute address of the front, without a slash at its end. */
const char *replicate_mount(const gf_req_t *req);

/* Sends JSON. */
gf_err_t *replicate_send(gf_req_t *req, int status, const char *text);

#endif

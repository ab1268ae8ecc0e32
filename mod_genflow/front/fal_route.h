/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of fal's front: files of this name, each with the rows of front/fal_route.c that it
 * serves. Request threads only. */
#ifndef FRONT_FAL_ROUTE_H
#define FRONT_FAL_ROUTE_H

#include "front/fal.h"
#include "front/front.h"

/* ---- fal_submit.c ---- */

gf_err_t *front_fal_submit(gf_req_t *req); /* into the queue */
gf_err_t *front_fal_run(gf_req_t *req);    /* waits for the pictures; .../stream: as one event */

/* ---- fal_stream.c ---- */

/* The states of a request of the queue, until it has ended. */
gf_err_t *front_fal_stream(gf_req_t *req);

/* ---- fal_upload.c ---- */

gf_err_t *front_fal_upload_begin(gf_req_t *req);
gf_err_t *front_fal_upload_refuse(gf_req_t *req); /* in parts */

/* The bytes of an announced upload, for everyone who has its address: clients send no key there. */
gf_err_t *front_fal_upload_put(gf_req_t *req);

/* ---- fal_route.c ---- */

/* The request of the queue that owner, app and id of the address name. Error: NO_GENERATION, also
 * for one of another user or of a model with another owner or app. */
gf_err_t *front_fal_request_read(front_fal_request_t *request, gf_req_t *req);

#endif

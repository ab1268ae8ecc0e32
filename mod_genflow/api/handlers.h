/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers: what each address of api/route.c is served by (those of administration:
 * api/admin.h). The file of one is what stands
 * before the second underscore of its name. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include <httpd.h>

#include "base/err.h"
#include "model/conf.h"

struct gf_req_t;

gf_err_t *api_generate(struct gf_req_t *req);          /* POST {type}/generate, generation/create */
gf_err_t *api_generation_status(struct gf_req_t *req); /* GET, POST {type}/status */
gf_err_t *api_generation_get(struct gf_req_t *req);    /* GET generation/{id} */
gf_err_t *api_generation_cancel(struct gf_req_t *req); /* POST generation/{id}/cancel */
gf_err_t *api_generation_delete(struct gf_req_t *req); /* DELETE generation/{id} */
gf_err_t *api_generation_delete_media(struct gf_req_t *req); /* POST delete-media: the same */
gf_err_t *api_retry(struct gf_req_t *req);                   /* POST generation/{id}/retry */
gf_err_t *api_retry_fallback(struct gf_req_t *req);          /* POST generation/{id}/fallback */
gf_err_t *api_events(struct gf_req_t *req);                  /* GET generation/{id}/events */
gf_err_t *api_history(struct gf_req_t *req);          /* GET generations; GET, POST getUserMedia */
gf_err_t *api_twostep(struct gf_req_t *req);          /* POST generate */
gf_err_t *api_credit_quota(struct gf_req_t *req);     /* GET, POST getQuota */
gf_err_t *api_credit_list(struct gf_req_t *req);      /* GET credits */
gf_err_t *api_credit_reserve(struct gf_req_t *req);   /* POST credits-reserve */
gf_err_t *api_credit_finalize(struct gf_req_t *req);  /* POST credits-finalize */
gf_err_t *api_template_list(struct gf_req_t *req);    /* GET templates */
gf_err_t *api_template_put(struct gf_req_t *req);     /* POST templates */
gf_err_t *api_template_delete(struct gf_req_t *req);  /* DELETE templates/{id} */
gf_err_t *api_preset_list(struct gf_req_t *req);      /* GET presets */
gf_err_t *api_webhook_secret(struct gf_req_t *req);   /* GET webhook-secret */
gf_err_t *api_health(struct gf_req_t *req);           /* GET health */
gf_err_t *api_provider_webhook(struct gf_req_t *req); /* POST hook/{provider}/{id}/{token} */
gf_err_t *api_asset_put(struct gf_req_t *req);        /* POST assets */
gf_err_t *api_asset_get(struct gf_req_t *req);        /* GET assets/{id} */
gf_err_t *api_asset_delete(struct gf_req_t *req);     /* DELETE assets/{id} */
int api_result(request_rec *r, const gf_conf_t *conf,
               const char *name); /* GET of the stored picture `name`; its own handler */

#endif

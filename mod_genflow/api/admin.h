/* SPDX-License-Identifier: Apache-2.0 */
/* Administration (SetHandler genflow-admin): its door, what its handlers share, and the handlers.
 * A handler may take for granted that req->user is an administrator. Request threads only. */
#ifndef API_ADMIN_H
#define API_ADMIN_H

#include "api/api.h"

#define API_CREDITS_MAX 1000000000000 /* that one call may name */

/* Sets req->user, or says why nobody gets in. Errors: ADMIN_CLOSED, ADMIN_ORIGIN. */
gf_err_t *api_admin_enter(gf_req_t *req);

/* ---- the handlers; shapes of answers in docs/openapi.yaml ---- */

gf_err_t *api_admin_jobs(gf_req_t *req);           /* GET jobs */
gf_err_t *api_admin_jobs_clear(gf_req_t *req);     /* DELETE jobs */
gf_err_t *api_admin_job_cancel(gf_req_t *req);     /* DELETE jobs/{id} */
gf_err_t *api_admin_users(gf_req_t *req);          /* GET users */
gf_err_t *api_admin_user(gf_req_t *req);           /* GET users/{user} */
gf_err_t *api_admin_user_set(gf_req_t *req);       /* PUT users/{user} */
gf_err_t *api_admin_credit(gf_req_t *req);         /* POST credits */
gf_err_t *api_admin_refund(gf_req_t *req);         /* POST refunds */
gf_err_t *api_admin_stats(gf_req_t *req);          /* GET stats */
gf_err_t *api_admin_check(gf_req_t *req);          /* GET ledger/check */
gf_err_t *api_admin_providers(gf_req_t *req);      /* GET providers */
gf_err_t *api_admin_provider_reset(gf_req_t *req); /* POST providers/{provider}/reset */
gf_err_t *api_admin_presets(gf_req_t *req);        /* GET presets */
gf_err_t *api_admin_preset(gf_req_t *req);         /* GET presets/{key} */
gf_err_t *api_admin_preset_add(gf_req_t *req);     /* POST presets */
gf_err_t *api_admin_preset_edit(gf_req_t *req);    /* PUT presets/{key} */
gf_err_t *api_admin_preset_delete(gf_req_t *req);  /* DELETE presets/{key} */

/* ---- what handlers share ---- */

/* "jobs":[...], at most `limit` of `jobs` (of gf_admin_job_t), each read whole. */
gf_err_t *api_admin_put_jobs(gf_out_t *out, gf_req_t *req, const apr_array_header_t *jobs,
                             int limit);

#endif

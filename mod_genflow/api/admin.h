/* SPDX-License-Identifier: Apache-2.0 */
/* Administration (SetHandler genflow-admin): its entrance, and helpers that its handlers share.
 * Request threads only. */
#ifndef API_ADMIN_H
#define API_ADMIN_H

#include "api/api.h"

#define API_CREDITS_MAX 1000000000000 /* of one call */

/* Sets req->user, or returns the error that refuses everyone. Errors: ADMIN_CLOSED, ADMIN_ORIGIN.
 */
gf_err_t *api_admin_enter(gf_req_t *req);

/* ---- shared by handlers ---- */

/* "jobs":[...], at most `limit` of `jobs` (of gf_admin_job_t), each read whole. */
gf_err_t *api_admin_put_jobs(gf_out_t *out, gf_req_t *req, const apr_array_header_t *jobs,
                             int limit);

#endif

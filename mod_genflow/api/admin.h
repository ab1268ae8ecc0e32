/* SPDX-License-Identifier: Apache-2.0 */
/* Administration (SetHandler genflow-admin): its entrance, and helpers that its handlers share.
 * Request threads only. */
#ifndef API_ADMIN_H
#define API_ADMIN_H

#include "api/api.h"

#define API_CREDITS_MAX 1000000000000 /* of one call */
#define API_REASON_MAX  500           /* bytes */

/* The identity of the user `name` here; NULL: the scope of lists (gf_realm_scope()). */
const char *api_admin_whom(const gf_req_t *req, const char *name);

/* Refuses `name`, which may be NULL, where it could stand for a user of another realm. */
void api_admin_rule_name(gf_input_t *input, const char *field, const char *name);

/* Sets req->user, or returns the error that refuses everyone. Errors: ADMIN_CLOSED, ADMIN_ORIGIN.
 */
gf_err_t *api_admin_enter(gf_req_t *req);

/* ---- shared by handlers ---- */

/* Notes why the administrator acts, for the record of what administrators do: the statements of
 * this request that change something write it there. NULL, "": no reason. */
void api_admin_reason(gf_req_t *req, const char *reason);

/* The same of a body that has been read, with the row API_ADMIN_MAY_REASON; of a body {reason},
 * which may be absent; and of one that is required. */
void api_admin_reason_of(gf_req_t *req, const gf_json_t *body);
gf_err_t *api_admin_read_reason(gf_req_t *req);
gf_err_t *api_admin_need_reason(gf_req_t *req);

/* The row of a required member `reason`. */
#define API_ADMIN_REASON(struct_type, member)                                          \
    {                                                                                  \
        .names = { "reason" }, .kind = GF_INPUT_TEXT, .min = 1, .max = API_REASON_MAX, \
        .required = true, .offset = offsetof(struct_type, member)                      \
    }

/* The row of one that may be absent, in a table that is read without a record. */
#define API_ADMIN_MAY_REASON                                                \
    {                                                                       \
        .names = { "reason" }, .kind = GF_INPUT_TEXT, .max = API_REASON_MAX \
    }

/* Refuses a type of the main server in a realm, which administers its own types alone. */
void api_admin_rule_type(gf_input_t *input, const gf_req_t *req, const gf_type_t *type);

/* "jobs":[...], at most `limit` of `jobs` (of gf_admin_job_t), each read whole. */
gf_err_t *api_admin_put_jobs(gf_out_t *out, gf_req_t *req, const apr_array_header_t *jobs,
                             int limit);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of generations on their way to the clients' webhooks. All block; any thread with its own
 * context. */
#ifndef GF_DELIVERY_H
#define GF_DELIVERY_H

#include "db/db.h"
#include "model/job.h"

/* Takes up to `limit` that are due: *jobs is a list linked by `next`, each with delivery_attempts
 * and webhook_timestamp set and no lease; NULL if there are none. Nobody else gets them for
 * `lease`. */
gf_err_t *gf_delivery_claim(gf_job_t **jobs, gf_ctx_t *ctx, int limit, apr_interval_time_t lease);

/* How a try went: the next one is after `delay`; 0: there is none. */
gf_err_t *gf_delivery_note(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay);

#endif

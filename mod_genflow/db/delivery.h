/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries of webhooks to clients. All block; any thread with its own context. */
#ifndef GF_DELIVERY_H
#define GF_DELIVERY_H

#include "db/due.h"

/* Claims due deliveries: *jobs is a list linked by `next`, each with delivery_attempts and
 * webhook_timestamp set and no lease; NULL if there are none. */
gf_err_t *gf_delivery_claim(gf_job_t **jobs, gf_ctx_t *ctx, const gf_due_in_t *what);

/* Records the result of an attempt: the next one is due after `delay`; 0: there is none, because
 * the receiver has the webhook or it is given up. Repeating the call is harmless. */
gf_err_t *gf_delivery_note(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Completed pictures that the store would not take, on their second way there. All block; any
 * thread with its own context. */
#ifndef GF_RESTORE_H
#define GF_RESTORE_H

#include "db/gf_db.h"
#include "model/gf_job.h"

/* Takes up to `limit` that are due: *jobs is a list linked by `next`, each with restore_url and
 * restore_tries set and no lease; NULL if there are none. Nobody else gets them for `lease`. */
gf_err_t *gf_restore_claim(gf_job_t **jobs, gf_ctx_t *ctx, int limit, apr_interval_time_t lease);

/* It is stored now: at image_url, with these facts. *gone: its generation was deleted meanwhile. */
gf_err_t *gf_restore_done(bool *gone, gf_ctx_t *ctx, const gf_job_t *job, const char *image_url,
                          const char *result);

/* It is not: the next try is after `delay`; 0: its source is gone, there is none. */
gf_err_t *gf_restore_later(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay);

#endif

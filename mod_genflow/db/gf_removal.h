/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of deleted generations on their way out of the store. All block; any thread with its own
 * context. */
#ifndef GF_REMOVAL_H
#define GF_REMOVAL_H

#include "db/gf_db.h"
#include "model/gf_job.h"

/* Takes up to `limit` that are due: *jobs is a list linked by `next`, each with remove_url and
 * media_type set and no lease; NULL if there are none. Nobody else gets them for `lease`. */
gf_err_t *gf_removal_claim(gf_job_t **jobs, gf_ctx_t *ctx, int limit, apr_interval_time_t lease);

/* The picture is gone. */
gf_err_t *gf_removal_done(gf_ctx_t *ctx, const gf_job_t *job);

#endif

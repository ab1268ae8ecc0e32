/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of generations that have ended, and what the background still does for them: those that
 * the store would not take are stored again, those of deleted generations removed. All block; any
 * thread with its own context. */
#ifndef GF_PICTURE_H
#define GF_PICTURE_H

#include "db/db.h"
#include "model/job.h"

/* Each takes up to `limit` that are due: *jobs is a list linked by `next`, each without a lease;
 * NULL if there are none. Nobody else gets them for `lease`. */

/* With restore_url and restore_tries set. */
gf_err_t *gf_picture_restores(gf_job_t **jobs, gf_ctx_t *ctx, int limit, apr_interval_time_t lease);

/* With remove_url and media_type set. */
gf_err_t *gf_picture_removals(gf_job_t **jobs, gf_ctx_t *ctx, int limit, apr_interval_time_t lease);

/* It is stored now: at image_url, with these facts. *gone: its generation was deleted meanwhile. */
gf_err_t *gf_picture_restored(bool *gone, gf_ctx_t *ctx, const gf_job_t *job, const char *image_url,
                              const char *result);

/* It is not: the next try is after `delay`; 0: its source is gone, there is none. */
gf_err_t *gf_picture_later(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay);

/* It is gone. */
gf_err_t *gf_picture_removed(gf_ctx_t *ctx, const gf_job_t *job);

#endif

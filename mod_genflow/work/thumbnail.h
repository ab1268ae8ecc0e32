/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of a child that makes the thumbnails of pictures which its writers have just stored
 * and settled. It is one of its own, of low priority, so that no job waits for a thumbnail. What it
 * does not get to is made at the first request (api/result.c). */
#ifndef WORK_THUMBNAIL_H
#define WORK_THUMBNAIL_H

#include "model/job.h"

typedef struct gf_thumbnailer_t gf_thumbnailer_t;

/* Starts the thread. ctx is copied; its pool is not used. *made is NULL, and there is no thread, if
 * the configuration has no thumbnails. */
apr_status_t gf_thumbnailer_start(gf_thumbnailer_t **made, apr_pool_t *pool, const gf_ctx_t *ctx);

/* Wants that of the picture `name` of `job`, which is in the folder. Any thread; does not block,
 * and copies what it needs. Nothing happens without a thread (NULL), or if too many wait. */
void gf_thumbnailer_want(gf_thumbnailer_t *thumbnailer, const gf_job_t *job, const char *name);

/* Finishes the one that is being made, ends the thread and waits for it. NULL: nothing. */
void gf_thumbnailer_stop(gf_thumbnailer_t *thumbnailer);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of a child that makes thumbnails, one after the other: of the pictures which its
 * writers have just stored and settled, and of older pictures in S3 that requests have shown. It is
 * one of its own, of low priority, so that no job waits for a thumbnail. In the folder, what it
 * does not get to is made at the first request (api/result.c). */
#ifndef WORK_THUMBNAIL_H
#define WORK_THUMBNAIL_H

#include "hub/hub.h"

typedef struct gf_thumbnailer_t gf_thumbnailer_t;

/* Starts the thread, which takes the wants of `hub`. ctx is copied; its pool is not used. *made is
 * NULL, and there is no thread, if the configuration has no thumbnails. */
apr_status_t gf_thumbnailer_start(gf_thumbnailer_t **made, apr_pool_t *pool, const gf_ctx_t *ctx,
                                  gf_hub_t *hub);

/* Wants that of the picture `name` of `job`. file: NULL with the folder store, where the picture is
 * by that name; else the picture's file, which a rename into the spool takes away: true, it is not
 * the caller's any more. Any thread; copies what it needs. Nothing happens without a thread (NULL),
 * or if too many wait. */
bool gf_thumbnailer_want(gf_thumbnailer_t *thumbnailer, const gf_job_t *job, const char *name,
                         const char *file, apr_pool_t *pool);

/* Finishes the one that is being made, ends the thread and waits for it. NULL: nothing. */
void gf_thumbnailer_stop(gf_thumbnailer_t *thumbnailer);

#endif

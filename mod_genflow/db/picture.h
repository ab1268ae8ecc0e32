/* SPDX-License-Identifier: Apache-2.0 */
/* Restores, removals and moves of pictures of generations that have ended: a picture that the store
 * refused is stored once more, one of a deleted generation is removed, one in an old store is
 * moved. All block; any thread with its own context. */
#ifndef GF_PICTURE_H
#define GF_PICTURE_H

#include "db/due.h"

/* Each claims due jobs: *jobs is a list linked by `next`, each without a lease; NULL if there are
 * none. */

/* With restore_url and restore_tries set. */
gf_err_t *gf_picture_restores(gf_job_t **jobs, gf_ctx_t *ctx, const gf_due_in_t *what);

/* With remove_url, media_type, remove_copy and remove_beside set. */
gf_err_t *gf_picture_removals(gf_job_t **jobs, gf_ctx_t *ctx, const gf_due_in_t *what);

/* With move_url, move_sha256 and move_tries set. */
gf_err_t *gf_picture_moves(gf_job_t **jobs, gf_ctx_t *ctx, const gf_due_in_t *what);

typedef enum {
    GF_MOVED_DONE,
    GF_MOVED_GONE, /* its generation was deleted meanwhile: what was stored is to be removed */
    GF_MOVED_BUSY  /* a removal of a copy waits: nothing was changed */
} gf_moved_t;

/* Records that it is stored now: at image_url, with these facts; and the removal of its temporary
 * copy. */
gf_err_t *gf_picture_restored(gf_moved_t *restored, gf_ctx_t *ctx, const gf_job_t *job,
                              const char *image_url, const char *result);

/* Records that it is not stored: the next attempt is due after `delay`; 0: its source is gone,
 * there is none. */
gf_err_t *gf_picture_later(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay);

/* Records that it was moved to image_url. */
gf_err_t *gf_picture_moved(gf_moved_t *moved, gf_ctx_t *ctx, const gf_job_t *job,
                           const char *image_url);

/* Records that it was not moved, and why: the next attempt is due after `delay`. copy, media_type:
 * as below; it stays until the move is given up. */
gf_err_t *gf_picture_move_later(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay,
                                const char *why, const char *copy, const char *media_type);

/* Records that it stays where it is, and why. `copy`: the address of a copy that is to be removed,
 * of that media type; NULL: there is none. */
gf_err_t *gf_picture_move_failed(gf_ctx_t *ctx, const gf_job_t *job, const char *why,
                                 const char *copy, const char *media_type);

/* An upload of the picture of `job` was not confirmed, and the generation ended otherwise or was
 * deleted: records its removal from wherever it may be. Nothing happens if the generation is live
 * or completed. */
gf_err_t *gf_picture_stray(gf_ctx_t *ctx, const gf_job_t *job);

/* Is the thumbnail of a stored picture the caller's to make, for so long, in a store over HTTP? */
gf_err_t *gf_picture_thumbnail_claim(bool *claimed, gf_ctx_t *ctx, const gf_type_t *type,
                                     const char *id, apr_interval_time_t lease);

/* Records that the stored picture of a generation has a thumbnail, and its mean colour, "#rrggbb";
 * NULL: it can have none. *gone: nothing happened, the generation was deleted or its picture is not
 * stored. */
gf_err_t *gf_picture_thumbnail(bool *gone, gf_ctx_t *ctx, const gf_type_t *type, const char *id,
                               const char *color);

/* Records that the picture is removed. */
gf_err_t *gf_picture_removed(gf_ctx_t *ctx, const gf_job_t *job);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The shortcuts of a generation that begins and ends in one child: whether create may record the
 * intent to submit it, and its object for the requests that wait for the end. Without them a run
 * records the intent, and a request reads the row. One mutex, no I/O while it is held. Any thread.
 */
#ifndef HUB_SHORTCUT_H
#define HUB_SHORTCUT_H

#include <stdbool.h>

#include "model/final.h"

typedef struct gf_shortcut_t gf_shortcut_t;

apr_status_t gf_shortcut_make(gf_shortcut_t **shortcut, apr_pool_t *pool);

/* ---- the beginning ---- */

/* Does this child reach all providers, as far as the dispatcher knows? Yes at first. */
void gf_shortcut_note_reach(gf_shortcut_t *shortcut, bool all);
bool gf_shortcut_reaches_all(gf_shortcut_t *shortcut);

/* ---- the end ---- */

/* A request that waits for the end of a generation. It lives in memory of the request. */
typedef struct gf_await_t {
    const char *id; /* of the generation; lives as long */

    /* The shortcut's own: */
    gf_shortcut_t *shortcut;
    gf_final_t *final; /* held; NULL: none came, or it was taken */
    struct gf_await_t *next;
    struct gf_await_t *previous;
} gf_await_t;

/* Begins to wait for the generation await->id. gf_shortcut_leave(): ends that, as a cleanup of a
 * pool. */
void gf_shortcut_await(gf_shortcut_t *shortcut, gf_await_t *await);
apr_status_t gf_shortcut_leave(void *await);

/* Does a request wait for the end of `id`? */
bool gf_shortcut_is_awaited(gf_shortcut_t *shortcut, const char *id);

/* Gives the ended generation to those that wait for `id`, before the news of its end. The caller
 * stays one of its holders. */
void gf_shortcut_give(gf_shortcut_t *shortcut, const char *id, gf_final_t *final);

/* The ended generation: the caller is one of its holders from now on (gf_final_release()). NULL:
 * none came, or it was taken. Its owner is not checked. */
gf_final_t *gf_shortcut_take(gf_await_t *await);

#endif

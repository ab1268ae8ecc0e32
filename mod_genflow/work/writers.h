/* SPDX-License-Identifier: Apache-2.0 */
/* The few threads of a child that do what blocks: statements, drawing, disk. The dispatcher gives
 * tasks and drains what is done; a task and all it points to belong to a writer from give until
 * next_done returns it. */
#ifndef WORK_WRITERS_H
#define WORK_WRITERS_H

#include "base/err.h"
#include "hub/hub.h"

typedef struct gf_writers_t gf_writers_t;

/* Embedded at the start of what a writer is to work on. */
typedef struct gf_task_t {
    /* Runs on a writer thread; ctx->pool is cleared afterwards. */
    void (*run)(struct gf_task_t *task, gf_ctx_t *ctx);
    bool slow; /* it takes seconds: at most half of the writers run such at a time */
    struct gf_task_t *next;
} gf_task_t;

/* Starts `count` threads. ctx is copied; its pool is not used. The hub's bell rings when a task is
 * done. */
apr_status_t gf_writers_start(gf_writers_t **writers, apr_pool_t *pool, const gf_ctx_t *ctx,
                              gf_hub_t *hub, int count);

/* Dispatcher thread; does not block. Tasks begin in the order in which they were given, but others
 * overtake a slow one that must wait for its turn. */
void gf_writers_give(gf_writers_t *writers, gf_task_t *task);

/* A task that was run, or NULL. */
gf_task_t *gf_writers_next_done(gf_writers_t *writers);

/* Finishes what was given, ends the threads and waits for them. */
void gf_writers_stop(gf_writers_t *writers);

#endif

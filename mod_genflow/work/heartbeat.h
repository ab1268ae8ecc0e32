/* SPDX-License-Identifier: Apache-2.0 */
/* Renewing the lease of this child, which is that of all its runs: one task for a writer at a time.
 * A heartbeat names a run's lease once. From then on the row of the child in the database counts
 * for it, and a heartbeat costs the same however many runs there are. Dispatcher thread, but for
 * the task itself. */
#ifndef WORK_HEARTBEAT_H
#define WORK_HEARTBEAT_H

#include <apr_hash.h>

#include "work/run.h"

/* A lease of a run that is over, while its job has not ended. */
typedef struct gf_dropped_t {
    apr_pool_t *pool; /* its own */
    gf_lease_t lease;
    struct gf_dropped_t *next;
} gf_dropped_t;

typedef struct gf_heartbeat_t {
    gf_task_t task;     /* first: a done task is its heartbeat */
    apr_pool_t *parent; /* of the pools of dropped leases */
    apr_pool_t *pool;   /* of leases, dropped, words; cleared by the next one */
    const char *owner;  /* this process */

    /* True: a writer has the task, and owns all below but `at` and `drops`. */
    bool open;
    apr_time_t at; /* when the next one begins, by gf_clock_now(): three in a lease's time */

    /* Leases to give up by the next one, and by the open one: kept until it has succeeded. */
    gf_dropped_t *drops, *dropping;

    /* Did the statements succeed? If not, no run gets an event, and the next heartbeat decides. */
    bool succeeded;
    bool leads; /* this one is of a child with runs; without, the last such one left a row */
    apr_array_header_t *leases;  /* of gf_lease_t: those that it names */
    apr_array_header_t *dropped; /* of gf_lease_t: those of `dropping` */
    apr_hash_t *words;           /* gf_beat_row_t by "id epoch" */
} gf_heartbeat_t;

/* The first one is due after a third of a lease. `pool` lives as long as the heartbeat; `owner` is
 * copied. */
void gf_heartbeat_init(gf_heartbeat_t *heartbeat, apr_pool_t *pool, const gf_ctx_t *ctx,
                       const char *owner);

/* Gives the task to a writer. Without a run that has a lease the child sends one more, which says
 * so, then only the time of the next one is set. The last task is done (open is false). */
void gf_heartbeat_begin(gf_heartbeat_t *heartbeat, const gf_ctx_t *ctx, gf_writers_t *writers,
                        gf_run_t *runs);

/* On a writer: sends heartbeat->leases, 500 in a statement, and sets words. After an error they are
 * incomplete; the leases of the statements before it are renewed. */
gf_err_t *gf_heartbeat_renew(gf_heartbeat_t *heartbeat, gf_ctx_t *ctx);

/* The task is done: what it means for a run. LEASE_LOST, JOB_ENDED, or NONE: the lease is renewed,
 * or it said nothing about the run. */
gf_event_t gf_heartbeat_event(const gf_heartbeat_t *heartbeat, gf_run_t *run);

/* ... and after all runs: the task is closed. */
void gf_heartbeat_end(gf_heartbeat_t *heartbeat);

/* The run is over, and its job has not ended or gone back to the queue: its lease shall expire,
 * although this child goes on. */
void gf_heartbeat_drop(gf_heartbeat_t *heartbeat, const gf_run_t *run);

/* The leases of `runs` (array of gf_lease_t). */
apr_array_header_t *gf_heartbeat_leases(gf_run_t *runs, apr_pool_t *pool);

#endif

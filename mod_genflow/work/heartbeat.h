/* SPDX-License-Identifier: Apache-2.0 */
/* Renewing the leases of all runs of this child: one task for a writer at a time. Dispatcher
 * thread, but for the task itself. */
#ifndef WORK_HEARTBEAT_H
#define WORK_HEARTBEAT_H

#include <apr_hash.h>

#include "work/run.h"

typedef struct gf_heartbeat_t {
    gf_task_t task;   /* first: a done task is its heartbeat */
    apr_pool_t *pool; /* of leases, held, ended; cleared by the next one */

    /* True: a writer has the task, and owns all below but `at`. */
    bool open;
    apr_time_t at; /* when the next one begins, by gf_clock_now(): three in a lease's time */

    /* Did the statements succeed? If not, no run gets an event, and the next heartbeat decides. */
    bool succeeded;
    int number;                 /* marks the runs that were part of it (gf_run_t.heartbeat) */
    apr_array_header_t *leases; /* of gf_lease_t: those to renew */
    apr_hash_t *held;           /* ids still ours; gf_heartbeat_event() takes them out */
    apr_hash_t *ended;          /* of the others those that have ended */
} gf_heartbeat_t;

/* The first one is due after a third of a lease. `pool` lives as long as the heartbeat. */
void gf_heartbeat_init(gf_heartbeat_t *heartbeat, apr_pool_t *pool, const gf_ctx_t *ctx);

/* Gives the task to a writer; without a run only the time of the next one is set. The last task is
 * done (open is false). */
void gf_heartbeat_begin(gf_heartbeat_t *heartbeat, const gf_ctx_t *ctx, gf_writers_t *writers,
                        gf_run_t *runs);

/* On a writer: renews heartbeat->leases, in statements of 500, and sets held and ended. After an
 * error both are incomplete; the leases of the statements before it are renewed. */
gf_err_t *gf_heartbeat_renew(gf_heartbeat_t *heartbeat, gf_ctx_t *ctx);

/* The task is done: what it means for a run. LEASE_LOST, JOB_ENDED, or NONE: the lease is renewed,
 * or the run was not part of it. Call it for all runs, the newest first: of two runs of one job the
 * newer one holds the lease. */
gf_event_t gf_heartbeat_event(gf_heartbeat_t *heartbeat, const gf_run_t *run);

/* The leases of `runs` (array of gf_lease_t), which are marked with the number. */
apr_array_header_t *gf_heartbeat_leases(gf_run_t *runs, int number, apr_pool_t *pool);

#endif

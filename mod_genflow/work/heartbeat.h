/* SPDX-License-Identifier: Apache-2.0 */
/* Renewing the leases of all runs of this child: one task for a writer at a time. Dispatcher
 * thread, but for the task itself. */
#ifndef WORK_HEARTBEAT_H
#define WORK_HEARTBEAT_H

#include <apr_hash.h>

#include "work/run.h"

typedef struct gf_heartbeat_t {
    gf_task_t task; /* first: a done task is its heartbeat */
    apr_pool_t *pool;
    bool open;     /* a writer has it, and all below but `at` */
    apr_time_t at; /* when the next one begins */
    bool succeeded;
    int number;
    apr_array_header_t *leases;
    apr_hash_t *held;  /* ids still ours */
    apr_hash_t *ended; /* of the others those that have ended */
} gf_heartbeat_t;

/* The first one is due in a while. */
void gf_heartbeat_init(gf_heartbeat_t *heartbeat, apr_pool_t *pool, const gf_ctx_t *ctx);

/* Gives the task to a writer; without a run only the time of the next one is set. */
void gf_heartbeat_begin(gf_heartbeat_t *heartbeat, const gf_ctx_t *ctx, gf_writers_t *writers,
                        gf_run_t *runs);

/* The task is done: what it means for a run. LEASE_LOST, JOB_ENDED, or NONE: the lease is renewed,
 * or the run was not part of it. Call it for all runs, the newest first: of two runs of one job the
 * newer one holds the lease. */
gf_event_t gf_heartbeat_event(gf_heartbeat_t *heartbeat, const gf_run_t *run);

/* The leases of `runs` (array of gf_lease_t), which are marked with the number. */
apr_array_header_t *gf_heartbeat_leases(gf_run_t *runs, int number, apr_pool_t *pool);

#endif

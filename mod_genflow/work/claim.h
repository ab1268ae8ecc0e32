/* SPDX-License-Identifier: Apache-2.0 */
/* Claiming due jobs: generations type by type, restores, removals and deliveries; each job gets its
 * kind here. One task for a writer at a time, begun and taken in by the dispatcher. */
#ifndef WORK_CLAIM_H
#define WORK_CLAIM_H

#include "db/queue.h"
#include "db/site.h"
#include "hub/hub.h"
#include "work/reach.h"
#include "work/writers.h"

struct gf_trouble_t;

typedef struct gf_claim_t {
    gf_task_t task; /* first: a done task is its claim */

    /* True: a writer has the task, and owns all below but `at`. */
    bool open;
    apr_time_t at; /* when the next one begins, by gf_clock_now() */

    const char *owner; /* this process, as owner of leases */

    /* Places among the jobs in flight, reserved in the hub before; then the jobs that were found,
     * linked by `next`, and their number, which is at most `places`. */
    int places;
    gf_job_t *found;
    int count;

    /* How many claims were made: each begins with another type, each 8th looks at all of a type's
     * queue, each 4th takes restores and removals, too. */
    int number;
    int delivering;           /* webhooks that are being delivered here */
    apr_interval_time_t wait; /* before the next one; 0: the usual time */
    gf_site_t site;           /* is it the site's database? */

    /* The database was away at the last claim. Nothing is claimed until it is back for half a
     * lease, so that hosts can renew what expired meanwhile. */
    bool blind;
    bool *left_out;           /* per type: this host does not reach its first provider */
    gf_claim_cursor_t *types; /* per type: where its claim begins */

    /* The last error, per type, and for restores, removals, deliveries: after one they are skipped
     * for 5 s, and the same error is logged once a minute. */
    struct gf_trouble_t *trouble;
} gf_claim_t;

/* Once, before the first claim. `owner` is copied. The arrays live in `pool`. */
void gf_claim_init(gf_claim_t *claim, apr_pool_t *pool, const gf_conf_t *conf, const char *owner);

/* Begins a claim, and sets the time of the next one. Types that begin at a provider which this host
 * does not reach are left out. Reserves places and gives the task to a writer; without a free place
 * only the time is set. `delivering`: deliveries that are under way here. */
void gf_claim_begin(gf_claim_t *claim, const gf_ctx_t *ctx, gf_hub_t *hub, gf_writers_t *writers,
                    const gf_reach_t *reach, int delivering);

/* The task is done: gives spare places back and returns what was found (linked by `next`), each
 * with its place. */
gf_job_t *gf_claim_done(gf_claim_t *claim, const gf_ctx_t *ctx, gf_hub_t *hub);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Claiming due jobs: generations type by type, restores, removals and deliveries; each job gets its
 * kind here. One task for a writer at a time, begun and taken in by the dispatcher. A claim first
 * queries what is due (gf_queue_due), so that without work it is one statement; and of the children
 * of one httpd one at a time claims (work/turn.h). */
#ifndef WORK_CLAIM_H
#define WORK_CLAIM_H

#include "db/queue.h"
#include "db/site.h"
#include "hub/hub.h"
#include "work/reach.h"
#include "work/turn.h"
#include "work/writers.h"

struct gf_trouble_t;

typedef struct gf_claim_t {
    gf_task_t task; /* first: a done task is its claim */

    /* True: a writer has the task, and owns all below but `full_until`. */
    bool open;
    apr_time_t full_until; /* this child has no free place, and tries again then; 0: it may have */

    gf_turn_t *turn;     /* shared by the children of this httpd */
    apr_time_t next_due; /* when the look says that a further job is due; 0: it does not say */

    const char *owner; /* this process, as owner of leases */

    /* Places among the jobs in flight, reserved in the hub before; then the jobs that were found,
     * linked by `next`, and their number, which is at most `places`. */
    int places;
    gf_job_t *found;
    int count;

    int number;        /* of this look: each begins with another type, some go further back */
    int delivering;    /* webhooks that are being delivered here */
    gf_site_t site;    /* is it the site's database? */
    bool *left_out;    /* per type: this host does not reach its first provider */
    gf_look_at_t look; /* what is due, and where claims begin */

    /* The last error, as look.due, and of the look itself: after one they are skipped for 5 s, and
     * the same error is logged once a minute. */
    struct gf_trouble_t *trouble;
} gf_claim_t;

/* Once, before the first claim. `owner` is copied. The arrays live in `pool`. */
void gf_claim_init(gf_claim_t *claim, apr_pool_t *pool, const gf_conf_t *conf, const char *owner,
                   gf_turn_t *turn);

/* When this child may begin the next claim, by gf_clock_now(). */
apr_time_t gf_claim_next(const gf_claim_t *claim, const gf_ctx_t *ctx);

/* A job that any child may claim is due at `due`: the child whose turn it is looks then. */
void gf_claim_want(const gf_claim_t *claim, const gf_ctx_t *ctx, apr_time_t due);

/* A job of this child has ended: there is a free place. */
void gf_claim_has_place(gf_claim_t *claim);

/* Begins a claim if it is this child's turn. Types that begin at a provider which this host does
 * not reach are left out. Reserves places and gives the task to a writer; without a free place it
 * passes the turn on. `delivering`: deliveries that are under way here. */
void gf_claim_begin(gf_claim_t *claim, const gf_ctx_t *ctx, gf_hub_t *hub, gf_writers_t *writers,
                    const gf_reach_t *reach, int delivering);

/* The task is done: gives spare places back and returns what was found (linked by `next`), each
 * with its place. If it found as many as it had places for, any child may claim at once. */
gf_job_t *gf_claim_done(gf_claim_t *claim, const gf_ctx_t *ctx, gf_hub_t *hub);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is to look for due jobs, and when. The children of one httpd share this memory, so
 * that one of them queries the database, however many children there are: at the time of the next
 * look, which is GenflowDispatchPoll after the last one or sooner, when a child knows of a job that
 * is due sooner. The child that had the last turn keeps it. If it is late, because it died, hangs
 * or is stopped, another one takes the turn half an interval later: there is no lock that could
 * stay locked. A child without a free place, or with more work than it has places for, passes the
 * turn on.
 *
 * All functions are safe in any thread of any child and do not block. Times are gf_clock_now()'s,
 * which is the same in all processes of a host. */
#ifndef WORK_TURN_H
#define WORK_TURN_H

#include <stdbool.h>

#include <apr_pools.h>
#include <apr_time.h>

typedef struct gf_turn_t gf_turn_t;

/* Bytes of memory that it needs, and the turn made in it, before the children start; NULL: it has
 * no bell. It ends with `pool`. A restart of httpd makes a new one: children of before claim
 * nothing any more. */
apr_size_t gf_turn_bytes(void);
gf_turn_t *gf_turn_init(void *memory, apr_pool_t *pool);

/* The bell of all children: a descriptor that becomes readable, anew each time, when the next look
 * is sooner than before. Nobody silences it, so it is to be watched by its edges
 * (gf_net_add_bell()). */
int gf_turn_bell(const gf_turn_t *turn);

/* When this child may take the turn, unless another one takes it before. */
apr_time_t gf_turn_next(gf_turn_t *turn, apr_interval_time_t interval);

/* May this child look at `now`? If it may, the next look is after `interval`. */
bool gf_turn_take(gf_turn_t *turn, apr_time_t now, apr_interval_time_t interval);

/* A job is due at `time`: the next look is no later. Rings the bell if that is sooner than before.
 */
void gf_turn_want(gf_turn_t *turn, apr_time_t time);

/* Any child may look at `now`: the child that calls this cannot, or not alone. Rings the bell. */
void gf_turn_pass(gf_turn_t *turn, apr_time_t now);

/* Had this child the last turn? */
bool gf_turn_is_mine(gf_turn_t *turn);

/* The database did not answer a claim (true), or answers again. A child that finds it answering
 * after an outage calls gf_turn_hold(): no child looks until then. */
void gf_turn_set_blind(gf_turn_t *turn, bool blind);
bool gf_turn_is_blind(gf_turn_t *turn);
void gf_turn_hold(gf_turn_t *turn, apr_time_t until);

/* Is it before the time of gf_turn_hold()? */
bool gf_turn_is_held(gf_turn_t *turn, apr_time_t now);

#endif

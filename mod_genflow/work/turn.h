/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is to claim. The children of one httpd share this memory, so that one of them
 * queries the database for due jobs, once per GenflowDispatchPoll, however many children there are.
 * The child that had the last turn keeps it. If it is late, because it died, hangs or is stopped,
 * another one takes the turn half an interval later: there is no lock that could stay locked.
 *
 * All functions are safe in any thread of any child and do not block. Times are gf_clock_now()'s,
 * which is the same in all processes of a host. */
#ifndef WORK_TURN_H
#define WORK_TURN_H

#include <stdbool.h>

#include <apr_time.h>

typedef struct gf_turn_t gf_turn_t;

/* Bytes of memory that it needs, and the turn made in it, before the children start. A restart of
 * httpd makes a new one: children of before claim nothing any more. */
apr_size_t gf_turn_bytes(void);
gf_turn_t *gf_turn_init(void *memory);

/* May this child claim at `now`? True when its turn has come: the next one comes after `interval`.
 * True, too, when gf_turn_call() was called since `*calls`, which this function keeps for the
 * child; zero at first. False until the time of gf_turn_hold(). */
bool gf_turn_take(gf_turn_t *turn, apr_uint32_t *calls, apr_time_t now,
                  apr_interval_time_t interval);

/* There is more work than this child has places for: each child claims at its next look. */
void gf_turn_call(gf_turn_t *turn);

/* The database did not answer a claim (true), or answers again. A child that finds it answering
 * after an outage calls gf_turn_hold(): no child claims until then. */
void gf_turn_set_blind(gf_turn_t *turn, bool blind);
bool gf_turn_is_blind(gf_turn_t *turn);
void gf_turn_hold(gf_turn_t *turn, apr_time_t until);

/* Is it before the time of gf_turn_hold()? */
bool gf_turn_is_held(gf_turn_t *turn, apr_time_t now);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* An attempt of a generation at a provider: its messages with their deadlines, and the readers of
 * their answers, which also note whether the provider is reached and how its model does. What an
 * answer means for the run is the matter of outcome.c. Dispatcher thread only. */
#ifndef WORK_ATTEMPT_H
#define WORK_ATTEMPT_H

#include "work/run.h"

/* Until when the provider is waited for if it begins now: for its own time, and not longer than the
 * generation lives. */
apr_time_t gf_attempt_deadline(const gf_flow_t *flow, const gf_run_t *run);

/* Sets the source images of the job: their addresses; uploaded ones have none yet. */
void gf_attempt_sources(gf_run_t *run);

/* Position of the first chain entry from `position` on that the run may go to (gf_job_next()). */
int gf_attempt_next(const gf_flow_t *flow, const gf_run_t *run, int position);

/* Makes the chain entry at `position` the run's; none after the end. */
void gf_attempt_choose(gf_run_t *run, int position);

/* The provider and model on the row of a job that another process led: the chain may have been
 * configured otherwise since. None: there is no such section any more. */
void gf_attempt_choose_recorded(const gf_flow_t *flow, gf_run_t *run);

/* Counts a new attempt, limits its intent by the lease, and makes the token of its webhook address
 * where the provider's webhooks can be verified. */
void gf_attempt_count(gf_flow_t *flow, gf_run_t *run);

/* The same for attempt 1 whose intent create recorded: takes it from the job. */
void gf_attempt_take(gf_run_t *run);

/* The attempt as input of the translators; the call lives in `pool`. Also for writer threads. */
gf_prov_call_t gf_attempt_call(const gf_ctx_t *ctx, const gf_run_t *run, apr_pool_t *pool);

/* Messages, for duties: each in a pool of gf_run_pool() or the job's, with its limits. */
gf_msg_t *gf_attempt_submit(gf_flow_t *flow, gf_run_t *run); /* costs money; sent once */
gf_msg_t *gf_attempt_poll(gf_flow_t *flow, gf_run_t *run);   /* or the next part of an answer */
gf_msg_t *gf_attempt_list(gf_flow_t *flow, gf_run_t *run);   /* the same */
gf_msg_t *gf_attempt_fetch(gf_flow_t *flow, gf_run_t *run);  /* the picture */
gf_msg_t *gf_attempt_source(gf_flow_t *flow, gf_run_t *run); /* the source image */

/* Their readers: each sets run->outcome, whose texts live in `pool`. */
void gf_attempt_read_submit(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool);
void gf_attempt_read_poll(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool);
void gf_attempt_read_list(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool);
void gf_attempt_read_fetch(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool);

/* Cancels the run at the provider and ignores its answer. Does nothing where it cannot cancel. */
void gf_attempt_cancel(gf_flow_t *flow, gf_run_t *run);

/* An upload may take as long as the attempt may, and a minute at least. Returns msg. */
gf_msg_t *gf_attempt_extend(const gf_flow_t *flow, const gf_run_t *run, gf_msg_t *msg);

#endif

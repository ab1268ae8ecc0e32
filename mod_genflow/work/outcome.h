/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer means for its run (requirements.md 27, 28). Dispatcher thread only; nothing here
 * blocks. */
#ifndef GF_FOLLOW_H
#define GF_FOLLOW_H

#include "work/generate.h"

/* The provider, the source picture or the picture has answered. */
gf_step_t gf_follow(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome);

/* The current provider failed for good with `code`: the next link of the chain that fits, else the
 * end. retried: its retries are used up. */
gf_step_t gf_follow_next(gf_steps_t *steps, gf_run_t *run, gf_err_code_t code, bool retried);

/* This host does not reach the current provider: other hosts may begin the attempt, which costs the
 * job no retry. */
gf_step_t gf_follow_elsewhere(gf_steps_t *steps, gf_run_t *run);

/* The answer was lost: how long to wait before the provider is asked for its runs again. It begins
 * with its poll time, in case the run shows at once, and doubles up to GenflowProviderListWait. */
apr_interval_time_t gf_follow_arrival(gf_run_t *run);

/* The run goes on by itself in a while, at its deadline at the latest. */
gf_step_t gf_follow_wait(gf_run_t *run, apr_interval_time_t wait);

#endif

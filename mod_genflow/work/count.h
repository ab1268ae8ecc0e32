/* SPDX-License-Identifier: Apache-2.0 */
/* What runs add to the metrics. That of a generation is read off the rules that it follows, so that
 * the rules and their actions need not count. Dispatcher thread only. */
#ifndef WORK_COUNT_H
#define WORK_COUNT_H

#include "work/run.h"

/* The run leaves its state for `next` because of `event`. */
void gf_count_generate(const gf_flow_t *flow, gf_run_t *run, gf_event_t event, gf_state_t next);

/* One more restore, removal, move or delivery: `result` is done, retried or given_up. */
void gf_count_work(const gf_flow_t *flow, gf_metric_t metric, const char *result);

/* The current provider of a generation's run: one more of `metric`. */
void gf_count_provider(const gf_flow_t *flow, const gf_run_t *run, gf_metric_t metric);

#endif

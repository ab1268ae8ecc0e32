/* SPDX-License-Identifier: Apache-2.0 */
/* How an attempt of a generation begins: the guards and actions of the rules from START to INTENT.
 * Dispatcher thread only; nothing here blocks.
 *
 * Money: gf_intent_may_send() is the one way to a submission; gf_intent_may_send_at_once() is it
 * for an intent that came with the job. */
#ifndef WORK_INTENT_H
#define WORK_INTENT_H

#include "work/run.h"

/* Before the first rule: chooses the chain entry, or the one on the row of a job that another
 * process led. */
void gf_intent_prepare(gf_flow_t *flow, gf_run_t *run);

/* ---- guards ---- */

/* Another process led the job, so a provider may have it already. Drawing records no intent: a
 * drawn job counts as taken over only past its deadline (job->last_look). */
bool gf_intent_is_taken_over(const gf_flow_t *flow, const gf_run_t *run);

/* There is no chain entry for the job; this host cannot connect to the entry's provider
 * (work/reach.h); one of the source images was uploaded, so a writer must load it. */
bool gf_intent_lacks_provider(const gf_flow_t *flow, const gf_run_t *run);
bool gf_intent_is_out_of_reach(const gf_flow_t *flow, const gf_run_t *run);
bool gf_intent_has_asset(const gf_flow_t *flow, const gf_run_t *run);
bool gf_intent_draws(const gf_flow_t *flow, const gf_run_t *run); /* here, without an intent */

/* A source image is fetched by us, because the provider's kind needs a file; else the provider
 * fetches it. And after one, another one. A fetch that failed is repeated, up to 3 fetches of one
 * image. */
bool gf_intent_needs_source(const gf_flow_t *flow, const gf_run_t *run);
bool gf_intent_needs_next_source(const gf_flow_t *flow, const gf_run_t *run);
bool gf_intent_may_fetch_source_again(const gf_flow_t *flow, const gf_run_t *run);

/* The intent is recorded, and its lease is not over: a process that slept over its lease may have
 * been taken for dead, with the bytes on their way. */
bool gf_intent_may_send(const gf_flow_t *flow, const gf_run_t *run);
bool gf_intent_is_recorded(const gf_flow_t *flow, const gf_run_t *run);

/* create recorded the intent of attempt 1; and its lease is not over. */
bool gf_intent_came_along(const gf_flow_t *flow, const gf_run_t *run);
bool gf_intent_may_send_at_once(const gf_flow_t *flow, const gf_run_t *run);

/* The breaker is open or the budget spent, so no intent was recorded; and another entry fits. */
bool gf_intent_is_skipped(const gf_flow_t *flow, const gf_run_t *run);
bool gf_intent_may_skip(const gf_flow_t *flow, const gf_run_t *run);

/* No picture can be stored now, so nothing was recorded or drawn. */
bool gf_intent_is_store_closed(const gf_flow_t *flow, const gf_run_t *run);

/* ---- actions ---- */

/* Requeues the job at once, or after up to 1 s: other hosts may begin the attempt, which costs the
 * job no retry. */
void gf_intent_leave_to_others(gf_flow_t *flow, gf_run_t *run);

/* The source image that is fetched: takes the address of a redirect; goes on to the next image;
 * counts a failed fetch; gives up, with SOURCE. */
void gf_intent_follow_source(gf_flow_t *flow, gf_run_t *run);
void gf_intent_next_source(gf_flow_t *flow, gf_run_t *run);
void gf_intent_count_source_fetch(gf_flow_t *flow, gf_run_t *run);
void gf_intent_fail_source(gf_flow_t *flow, gf_run_t *run);

/* Notes whether the breaker needs the result of the attempt, good or bad. */
void gf_intent_note_watched(gf_flow_t *flow, gf_run_t *run);

/* The lease on the intent is over: sets what requeues the job at once. */
void gf_intent_send_nothing(gf_flow_t *flow, gf_run_t *run);

/* The entry was skipped, which counts as no attempt: on to the next chain entry; or, if there is
 * none, the code that fails the job. */
void gf_intent_skip(gf_flow_t *flow, gf_run_t *run);
void gf_intent_skip_last(gf_flow_t *flow, gf_run_t *run);

/* Requeues the job for 5 s; it loses no attempt and no retry. */
void gf_intent_wait_for_store(gf_flow_t *flow, gf_run_t *run);

/* ---- an alarm ---- */

/* Before a source image is fetched again: 2 s for each fetch that failed. */
apr_interval_time_t gf_intent_source_wait(const gf_flow_t *flow, const gf_run_t *run);

#endif

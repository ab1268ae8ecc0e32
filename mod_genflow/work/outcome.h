/* SPDX-License-Identifier: Apache-2.0 */
/* The meaning of an answer for a generation (docs/requirements.md 27, 28): the guards and actions
 * of the rules for ANSWERED in SENT, POLL, LIST and FETCH. A guard reads run->outcome and changes
 * nothing; an action sets the data of the next state. Dispatcher thread only; nothing here blocks.
 *
 * Money: a request that was sent and not answered is not sent to that provider again, unless its
 * own list shows twice that it never took the run (gf_outcome_is_absent_so_far). With
 * GenflowTypeUnknown next it may be sent to another provider, once reconciling found nothing
 * (gf_outcome_leave). */
#ifndef WORK_OUTCOME_H
#define WORK_OUTCOME_H

#include "work/run.h"

/* ---- guards ---- */

/* SUCCEEDED: the picture is in the answer's text; in the spool; at an http(s) address. */
bool gf_outcome_has_text(const gf_flow_t *flow, const gf_run_t *run);
bool gf_outcome_has_file(const gf_flow_t *flow, const gf_run_t *run);
bool gf_outcome_has_address(const gf_flow_t *flow, const gf_run_t *run);

/* WORKING: with a run id that we do not have; with news; at all. */
bool gf_outcome_brings_run_id(const gf_flow_t *flow, const gf_run_t *run);
bool gf_outcome_brings_news(const gf_flow_t *flow, const gf_run_t *run);
bool gf_outcome_is_working(const gf_flow_t *flow, const gf_run_t *run);

/* NEXT: one more exchange is needed. */
bool gf_outcome_has_more(const gf_flow_t *flow, const gf_run_t *run);

/* After the provider's deadline, NEXT or UNKNOWN: a list that has not said what became of the run,
 * because it has no end, or nothing about the run, or was not answered. */
bool gf_outcome_is_listed_too_late(const gf_flow_t *flow, const gf_run_t *run);

/* UNKNOWN, and there is time: the provider's webhook may bring its id; its list may. */
bool gf_outcome_may_be_reported(const gf_flow_t *flow, const gf_run_t *run);
bool gf_outcome_may_be_listed(const gf_flow_t *flow, const gf_run_t *run);

/* A list does not hold the run, and lists lag behind: one requested GenflowProviderListWait after
 * the loss must agree with another one requested as much later. */
bool gf_outcome_is_absent_so_far(const gf_flow_t *flow, const gf_run_t *run);

/* TRANSIENT, or absent for good: with a retry left. */
bool gf_outcome_may_retry(const gf_flow_t *flow, const gf_run_t *run);

/* The provider failed for good, and another chain entry fits. */
bool gf_outcome_may_fall_back(const gf_flow_t *flow, const gf_run_t *run);

/* The outcome of an attempt is UNKNOWN and stays so. May the job go on at another provider
 * (GenflowTypeUnknown next)? Never at one that may have taken it: attempt_begin() refuses those of
 * earlier attempts. _answered: and the answer just read says so. _listed: a list has no end in
 * time. */
bool gf_outcome_may_leave(const gf_flow_t *flow, const gf_run_t *run);
bool gf_outcome_may_leave_answered(const gf_flow_t *flow, const gf_run_t *run);
bool gf_outcome_may_leave_listed(const gf_flow_t *flow, const gf_run_t *run);

/* Does another chain entry after the current one fit? */
bool gf_outcome_has_next_entry(const gf_flow_t *flow, const gf_run_t *run);

/* ---- actions ---- */

/* Copy the picture of a SUCCEEDED answer to run->result, in the job's pool: its base64; its
 * address, which is also the row's original_url; the address that a fetch is redirected to. */
void gf_outcome_take_text(gf_flow_t *flow, gf_run_t *run);
void gf_outcome_take_address(gf_flow_t *flow, gf_run_t *run);
void gf_outcome_follow_redirect(gf_flow_t *flow, gf_run_t *run);

/* Copies the provider's id of the run to job->provider_ref. The next state records it. */
void gf_outcome_take_run_id(gf_flow_t *flow, gf_run_t *run);

/* Copies the reported progress, and sets the wait. */
void gf_outcome_take_news(gf_flow_t *flow, gf_run_t *run);

/* Sets run->delay until the next poll or fetch: GenflowProviderPoll, or longer if the provider
 * wants it. */
void gf_outcome_set_wait(gf_flow_t *flow, gf_run_t *run);

/* Sets the wait before the next poll. A run that was just accepted is polled after 250 ms, and the
 * waits double up to GenflowProviderPoll. They are as long as that from the start where the
 * provider reports the end by webhook, and after a takeover. */
void gf_outcome_set_poll_wait(gf_flow_t *flow, gf_run_t *run);

/* The answer is lost: the wait before reconciling begins with the provider's poll time, in
 * case the run shows at once, and doubles up to GenflowProviderListWait. */
void gf_outcome_note_loss(gf_flow_t *flow, gf_run_t *run);

/* A list does not hold the run: as a loss, but the next list is requested at the latest when it
 * counts. */
void gf_outcome_note_absence(gf_flow_t *flow, gf_run_t *run);

/* Back to the queue: for a retry after the backoff; for the next chain entry at once. */
void gf_outcome_retry(gf_flow_t *flow, gf_run_t *run);
void gf_outcome_fall_back(gf_flow_t *flow, gf_run_t *run);

/* To the next chain entry of another provider: the attempt ends as UNKNOWN, and the run that its
 * provider may have is cancelled there, where it has a name. */
void gf_outcome_leave(gf_flow_t *flow, gf_run_t *run);

/* The same because of `code`, which is not from an answer. */
void gf_outcome_next_entry(gf_flow_t *flow, gf_run_t *run, gf_err_code_t code);

/* Logs it where the chain has entries left that the job's price does not pay for. */
void gf_outcome_note_dearer(gf_flow_t *flow, const gf_run_t *run);

/* The end: why. */
void gf_outcome_fail(gf_flow_t *flow, gf_run_t *run);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The meaning of an answer: when to poll again, when to retry or fall back to the next provider,
 * when to take the picture, when to give up. Dispatcher thread. */
#include "work/outcome.h"

#include <string.h>

#include <apr_strings.h>

#include "model/type.h"
#include "work/attempt.h"
#include "work/count.h"

#define JITTER_PERCENT 20
#define POLL_FIRST     (APR_USEC_PER_SEC / 4) /* after a run was accepted */

static bool outcome_is(const gf_run_t *run, gf_prov_state_t state)
{
    return run->outcome.state == state;
}

/* ---- a picture ---- */

/* The base64 of a picture in the answer; NULL: none. */
static const char *text_of(const gf_outcome_t *outcome)
{
    const char *url = outcome->picture_url;
    const char *comma = url && strncmp(url, "data:", 5) == 0 ? strstr(url, ";base64,") : NULL;

    return comma ? comma + 8 : outcome->picture_b64;
}

bool gf_outcome_has_text(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return outcome_is(run, GF_PROV_SUCCEEDED) && text_of(&run->outcome);
}

bool gf_outcome_has_file(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return outcome_is(run, GF_PROV_SUCCEEDED) && !run->outcome.picture_url
           && !run->outcome.picture_b64;
}

bool gf_outcome_has_address(const gf_flow_t *flow, const gf_run_t *run)
{
    const char *url = run->outcome.picture_url;

    (void)flow;
    return outcome_is(run, GF_PROV_SUCCEEDED) && url
           && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
}

void gf_outcome_take_text(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->result.text = apr_pstrdup(run->job->pool, text_of(&run->outcome));
}

void gf_outcome_follow_redirect(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->result.url = apr_pstrdup(run->job->pool, run->outcome.picture_url);
}

void gf_outcome_take_address(gf_flow_t *flow, gf_run_t *run)
{
    gf_outcome_follow_redirect(flow, run);
    run->result.original_url = run->result.url;
    run->result.redirects = 0; /* the source image may have moved, too */
}

/* ---- the provider needs time ---- */

/* Does it differ from the last report? */
static bool is_news(const gf_progress_t *progress, const gf_progress_t *before)
{
    bool same_logs = progress->logs && before->logs ? strcmp(progress->logs, before->logs) == 0
                                                    : progress->logs == before->logs;
    bool silent = progress->fraction < 0 && progress->queue_position < 0 && !progress->logs;

    return !silent
           && (!same_logs || progress->queue_position != before->queue_position
               || progress->fraction > before->fraction || progress->fraction < before->fraction);
}

bool gf_outcome_is_working(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return outcome_is(run, GF_PROV_WORKING);
}

bool gf_outcome_brings_run_id(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return outcome_is(run, GF_PROV_WORKING) && run->outcome.ref && !run->job->provider_ref;
}

bool gf_outcome_brings_news(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return outcome_is(run, GF_PROV_WORKING)
           && is_news(&run->outcome.progress, &run->of.generate.progress);
}

bool gf_outcome_has_more(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return outcome_is(run, GF_PROV_NEXT);
}

static bool is_in_time(const gf_flow_t *flow, const gf_run_t *run)
{
    return gf_ctx_now(&flow->ctx) < run->of.generate.provider_deadline;
}

bool gf_outcome_is_listed_too_late(const gf_flow_t *flow, const gf_run_t *run)
{
    bool is_open = outcome_is(run, GF_PROV_NEXT)
                   || (outcome_is(run, GF_PROV_UNKNOWN) && !run->outcome.settled);

    return is_open && !is_in_time(flow, run);
}

void gf_outcome_take_run_id(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->job->provider_ref = apr_pstrdup(run->job->pool, run->outcome.ref);
    run->of.generate.poll_wait = run->of.generate.webhook_token ? 0 : POLL_FIRST;
}

void gf_outcome_set_poll_wait(gf_flow_t *flow, gf_run_t *run)
{
    gf_generate_t *generate = &run->of.generate;
    apr_interval_time_t longest = generate->choice->provider->poll;
    apr_interval_time_t wait = generate->poll_wait;

    (void)flow;
    run->delay = wait > 0 && wait < longest ? wait : longest;
    generate->poll_wait = wait < longest ? 2 * wait : 0;
}

/* A poll that was refused or not answered, or a picture that could not be fetched: the provider may
 * be overrun, and is not polled faster than the operator says. */
static bool was_turned_away(const gf_run_t *run)
{
    return run->state == GF_STATE_FETCH || run->msg->end != GF_MSG_ANSWERED
           || run->msg->status >= 400;
}

void gf_outcome_set_wait(gf_flow_t *flow, gf_run_t *run)
{
    apr_interval_time_t wished = run->outcome.retry_after;

    if (was_turned_away(run)) {
        run->of.generate.poll_wait = 0;
    }
    gf_outcome_set_poll_wait(flow, run);
    run->delay = wished > run->delay ? wished : run->delay;
}

void gf_outcome_take_news(gf_flow_t *flow, gf_run_t *run)
{
    run->of.generate.progress = run->outcome.progress;
    run->of.generate.progress.logs = apr_pstrdup(run->job->pool, run->outcome.progress.logs);
    gf_outcome_set_wait(flow, run);
}

/* ---- the answer is lost ---- */

bool gf_outcome_may_be_reported(const gf_flow_t *flow, const gf_run_t *run)
{
    return outcome_is(run, GF_PROV_UNKNOWN) && run->of.generate.webhook_token
           && is_in_time(flow, run);
}

bool gf_outcome_may_be_listed(const gf_flow_t *flow, const gf_run_t *run)
{
    return outcome_is(run, GF_PROV_UNKNOWN) && !run->outcome.settled
           && run->of.generate.choice->provider->kind->reconcile && is_in_time(flow, run);
}

void gf_outcome_note_loss(gf_flow_t *flow, gf_run_t *run)
{
    gf_generate_t *generate = &run->of.generate;
    apr_interval_time_t floor = generate->choice->provider->list_wait;
    apr_interval_time_t wait = generate->choice->provider->poll;
    int i;

    for (i = 0; i < generate->lists && wait < floor; i++) {
        wait *= 2;
    }
    generate->lists++;
    generate->lost_at = generate->lost_at ? generate->lost_at : gf_ctx_now(&flow->ctx);
    run->delay = wait < floor ? wait : floor;
}

bool gf_outcome_is_absent_so_far(const gf_flow_t *flow, const gf_run_t *run)
{
    const gf_generate_t *generate = &run->of.generate;
    bool agreed =
        generate->absent_at
        && generate->listed_at >= generate->absent_at + generate->choice->provider->list_wait;

    (void)flow;
    return outcome_is(run, GF_PROV_TRANSIENT) && run->outcome.absent && !agreed;
}

void gf_outcome_note_absence(gf_flow_t *flow, gf_run_t *run)
{
    gf_generate_t *generate = &run->of.generate;
    apr_interval_time_t floor = generate->choice->provider->list_wait;
    apr_time_t now = gf_ctx_now(&flow->ctx);
    apr_interval_time_t rest;

    gf_outcome_note_loss(flow, run);
    if (!generate->absent_at && generate->listed_at >= generate->lost_at + floor) {
        generate->absent_at = now;
    }
    if (generate->absent_at) {
        run->delay = generate->absent_at + floor - now;
        return;
    }
    rest = generate->lost_at + floor - now;
    run->delay = run->delay < rest ? run->delay : rest;
}

/* ---- it failed ---- */

bool gf_outcome_has_next_entry(const gf_flow_t *flow, const gf_run_t *run)
{
    return gf_type_choice(run->job->type, gf_attempt_next(flow, run, run->job->chain_pos + 1));
}

/* The next chain entry that fits and is of another provider than the current one; past the end:
 * none is. */
static int entry_elsewhere(const gf_flow_t *flow, const gf_run_t *run)
{
    const gf_job_t *job = run->job;
    const gf_choice_t *current = run->of.generate.choice;
    int position = gf_attempt_next(flow, run, job->chain_pos + 1);
    const gf_choice_t *next;

    while ((next = gf_type_choice(job->type, position)) && current
           && strcmp(next->provider->name, current->provider->name) == 0) {
        position = gf_attempt_next(flow, run, position + 1);
    }
    return position;
}

bool gf_outcome_may_leave(const gf_flow_t *flow, const gf_run_t *run)
{
    return run->job->type->unknown_next && run->of.generate.choice
           && gf_type_choice(run->job->type, entry_elsewhere(flow, run));
}

bool gf_outcome_may_leave_answered(const gf_flow_t *flow, const gf_run_t *run)
{
    return outcome_is(run, GF_PROV_UNKNOWN) && gf_outcome_may_leave(flow, run);
}

bool gf_outcome_may_leave_listed(const gf_flow_t *flow, const gf_run_t *run)
{
    return gf_outcome_is_listed_too_late(flow, run) && gf_outcome_may_leave(flow, run);
}

void gf_outcome_note_dearer(gf_flow_t *flow, const gf_run_t *run)
{
    const gf_job_t *job = run->job;
    int position = gf_type_next(job->type, job->chain_pos + 1, job->source_url);

    if (!gf_type_choice(job->type, position) || gf_outcome_has_next_entry(flow, run)) {
        return;
    }
    gf_log(gf_run_about(flow, run), GF_LOG_NOTICE, APR_SUCCESS, "GF0429",
           "no other provider is tried: it was created at %" APR_INT64_T_FMT
           " credit%s, and the rest of GenflowTypeProviders costs more (GenflowTypePrice)",
           job->cost, job->cost == 1 ? "" : "s");
}

/* Only TRANSIENT is retried. A submission whose outcome is UNKNOWN may have been paid for, and is
 * never sent to that provider again. */
bool gf_outcome_may_retry(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return outcome_is(run, GF_PROV_TRANSIENT) && run->job->retries < run->job->max_retries;
}

static bool has_failed_for_good(const gf_run_t *run)
{
    return outcome_is(run, GF_PROV_TRANSIENT) || outcome_is(run, GF_PROV_PERMANENT)
           || (outcome_is(run, GF_PROV_EMPTY) && run->job->type->empty_fails);
}

bool gf_outcome_may_fall_back(const gf_flow_t *flow, const gf_run_t *run)
{
    return has_failed_for_good(run) && gf_outcome_has_next_entry(flow, run);
}

/* 2 s, 4 s, 8 s ..., scattered so that many do not return at once, up to the cap; never less than
 * its Retry-After. */
static apr_interval_time_t retry_backoff(const gf_run_t *run)
{
    const gf_provider_t *provider = run->of.generate.choice->provider;
    const gf_outcome_t *outcome = &run->outcome;
    apr_interval_time_t wait = provider->backoff;
    apr_interval_time_t least =
        outcome->locked_out ? 2 * provider->backoff_max : outcome->retry_after;
    apr_uint32_t random;
    int i;

    for (i = 1; i < run->job->retries && wait < provider->backoff_max; i++) {
        wait *= 2;
    }
    apr_generate_random_bytes((unsigned char *)&random, sizeof(random));
    wait += wait * (apr_interval_time_t)(random % JITTER_PERCENT) / 100;
    wait = wait < provider->backoff_max ? wait : provider->backoff_max;
    return wait > least ? wait : least;
}

static void requeue_run(gf_flow_t *flow, gf_run_t *run, gf_err_code_t code,
                        apr_interval_time_t delay)
{
    const gf_choice_t *next = gf_type_choice(run->job->type, run->job->chain_pos);

    run->of.generate.code = code;
    run->delay = delay;
    gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0415",
           "retry queued in %" APR_TIME_T_FMT " ms after %s, next provider: %s",
           apr_time_as_msec(delay), gf_err_row(code)->code,
           next ? next->provider->name : "none"); /* the chain got shorter */
}

void gf_outcome_retry(gf_flow_t *flow, gf_run_t *run)
{
    gf_count_provider(flow, run, GF_METRIC_RETRIES);
    run->job->retries++;
    requeue_run(flow, run, run->outcome.code, retry_backoff(run));
}

void gf_outcome_next_entry(gf_flow_t *flow, gf_run_t *run, gf_err_code_t code)
{
    gf_job_t *job = run->job;

    gf_count_provider(flow, run, GF_METRIC_FALLBACKS);
    job->chain_pos = gf_attempt_next(flow, run, job->chain_pos + 1);
    job->retries = 0;
    requeue_run(flow, run, code, 0);
}

void gf_outcome_fall_back(gf_flow_t *flow, gf_run_t *run)
{
    gf_outcome_next_entry(flow, run, run->outcome.code);
}

void gf_outcome_leave(gf_flow_t *flow, gf_run_t *run)
{
    gf_job_t *job = run->job;
    int position = entry_elsewhere(flow, run);

    gf_log(gf_run_about(flow, run), GF_LOG_WARNING, APR_SUCCESS, "GF0425",
           "the outcome of this attempt is unknown and may have to be paid to %s: another provider "
           "is tried, and the user pays once (GenflowTypeUnknown next)",
           run->of.generate.choice->provider->name);
    gf_attempt_cancel(flow, run);
    gf_count_provider(flow, run, GF_METRIC_FALLBACKS);
    run->of.generate.unsure = true;
    job->chain_pos = position;
    job->retries = 0;
    requeue_run(flow, run, GF_E_NETWORK, 0);
}

void gf_outcome_fail(gf_flow_t *flow, gf_run_t *run)
{
    gf_generate_t *generate = &run->of.generate;

    if (has_failed_for_good(run)) {
        gf_outcome_note_dearer(flow, run);
    }
    generate->code = run->outcome.code;
    if (outcome_is(run, GF_PROV_TRANSIENT)) { /* its retries are used up */
        generate->cause = gf_err_row(run->outcome.code)->code;
        generate->code = GF_E_RETRIES;
    }
    else if (outcome_is(run, GF_PROV_SUCCEEDED)) { /* at an address of another scheme */
        generate->code = GF_E_RESULT;
    }
    else if (outcome_is(run, GF_PROV_WORKING)
             || outcome_is(run, GF_PROV_NEXT)) { /* no rule leads here */
        generate->code = GF_E_INTERNAL;
    }
}

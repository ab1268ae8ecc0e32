/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer means: when to ask again, when to try once more or the next provider, when to take
 * the picture, when to give up. Runs on the dispatcher thread.
 *
 * Money: what was sent and not answered is not sent again, to nobody. */
#include "work/outcome.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "model/type.h"
#include "work/exchange.h"
#include "work/result.h"

#define JITTER_PERCENT 20
#define ELSEWHERE_WAIT APR_USEC_PER_SEC
#define SOURCE_TRIES   3
#define SOURCE_WAIT    (2 * APR_USEC_PER_SEC)

/* 2 s, 4 s, 8 s ..., scattered so that many do not return at once, up to the cap; never less than
 * the provider asked for. */
static apr_interval_time_t backoff(const gf_run_t *run, const gf_outcome_t *outcome)
{
    const gf_provider_t *provider = run->choice->provider;
    apr_interval_time_t wait = provider->backoff;
    apr_interval_time_t asked =
        outcome->locked_out ? 2 * provider->backoff_max : outcome->retry_after;
    apr_uint32_t random;
    int i;

    for (i = 1; i < run->job->retries && wait < provider->backoff_max; i++) {
        wait *= 2;
    }
    apr_generate_random_bytes((unsigned char *)&random, sizeof(random));
    wait += wait * (apr_interval_time_t)(random % JITTER_PERCENT) / 100;
    wait = wait < provider->backoff_max ? wait : provider->backoff_max;
    return wait > asked ? wait : asked;
}

static gf_step_t requeue(gf_steps_t *steps, gf_run_t *run, gf_err_code_t code,
                         apr_interval_time_t delay)
{
    const gf_choice_t *next = gf_type_choice(run->job->type, run->job->chain_pos);

    run->code = code;
    run->delay = delay;
    gf_log(gf_steps_about(steps, run), GF_LOG_INFO, APR_SUCCESS, "GF0415",
           "queued again for %" APR_TIME_T_FMT " ms after %s, next is %s", apr_time_as_msec(delay),
           gf_err_row(code)->code,
           next ? next->provider->name : "nobody"); /* the chain got shorter */
    return gf_steps_act(steps, run, GF_ACT_REQUEUE);
}

/* The provider failed for good: the next link of the chain that fits, if there is one. */
gf_step_t gf_follow_next(gf_steps_t *steps, gf_run_t *run, gf_err_code_t code, bool retried)
{
    gf_job_t *job = run->job;
    int next = gf_type_next(job->type, job->chain_pos + 1, job->source_url);

    if (gf_type_choice(job->type, next)) {
        job->chain_pos = next;
        job->retries = 0;
        return requeue(steps, run, code, 0);
    }
    return retried ? gf_steps_fail(steps, run, GF_E_RETRIES, gf_err_row(code)->code)
                   : gf_steps_fail(steps, run, code, NULL);
}

gf_step_t gf_follow_elsewhere(gf_steps_t *steps, gf_run_t *run)
{
    const gf_provider_t *provider = run->choice->provider;
    const gf_choice_t *first = gf_type_choice(run->job->type, 0);
    apr_interval_time_t wait = gf_reach_wait(&steps->reach, provider);
    bool left_out = first && first->provider == provider; /* no search here finds it meanwhile */

    run->code = GF_E_NETWORK;
    run->delay = left_out ? 0 : wait < ELSEWHERE_WAIT ? wait : ELSEWHERE_WAIT;
    gf_log(gf_steps_about(steps, run), GF_LOG_INFO, APR_SUCCESS, "GF0622",
           "left to other hosts: this one does not reach %s", provider->name);
    return gf_steps_act(steps, run, GF_ACT_REQUEUE);
}

static gf_step_t try_again(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    if (run->job->retries >= run->job->max_retries) {
        return gf_follow_next(steps, run, outcome->code, true);
    }
    run->job->retries++;
    return requeue(steps, run, outcome->code, backoff(run, outcome));
}

apr_interval_time_t gf_follow_arrival(gf_run_t *run)
{
    apr_interval_time_t floor = run->choice->provider->list_wait;
    apr_interval_time_t wait = run->choice->provider->poll;
    int i;

    for (i = 0; i < run->lists && wait < floor; i++) {
        wait *= 2;
    }
    run->lists++;
    run->lost_at = run->lost_at ? run->lost_at : gf_clock_now();
    return wait < floor ? wait : floor;
}

gf_step_t gf_follow_wait(gf_run_t *run, apr_interval_time_t wait)
{
    apr_time_t now = gf_clock_now();

    run->wake = now + wait;
    if (run->provider_deadline && run->wake > run->provider_deadline) {
        run->wake = run->provider_deadline > now ? run->provider_deadline : now;
    }
    return GF_STEP_GOES_ON;
}

/* Does it say something else than the last time? */
static bool is_news(const gf_run_t *run, const gf_said_t *said)
{
    bool same_logs = said->logs && run->said.logs ? strcmp(said->logs, run->said.logs) == 0
                                                  : said->logs == run->said.logs;
    bool silent = said->progress < 0 && said->queue_position < 0 && !said->logs;

    return !silent
           && (!same_logs || said->queue_position != run->said.queue_position
               || said->progress > run->said.progress || said->progress < run->said.progress);
}

/* The provider needs time: keep its id before anything else, then ask now and then. */
static gf_step_t wait_for_provider(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    apr_interval_time_t poll = run->choice->provider->poll;

    if (!run->job->provider_ref && outcome->ref) {
        run->job->provider_ref = apr_pstrdup(run->job->pool, outcome->ref);
        return gf_steps_act(steps, run, GF_ACT_ACCEPTED);
    }
    if (is_news(run, &outcome->said)) {
        run->said = outcome->said;
        run->said.logs = apr_pstrdup(run->job->pool, outcome->said.logs);
        run->delay = outcome->retry_after;
        return gf_steps_act(steps, run, GF_ACT_PROGRESS);
    }
    return gf_follow_wait(run, outcome->retry_after > poll ? outcome->retry_after : poll);
}

/* There is a picture: in the spool file, in the answer's text, or at an address. */
static gf_step_t take_picture(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    const char *url = outcome->picture_url;
    const char *comma = url && strncmp(url, "data:", 5) == 0 ? strstr(url, ";base64,") : NULL;

    if (outcome->picture_b64 || comma) {
        run->picture_text = apr_pstrdup(run->job->pool, comma ? comma + 8 : outcome->picture_b64);
        return gf_steps_act(steps, run, GF_ACT_DECODE);
    }
    if (!url) {
        return gf_steps_act(steps, run, GF_ACT_KEEP);
    }
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) {
        return gf_steps_fail(steps, run, GF_E_RESULT, NULL);
    }
    run->picture_url = apr_pstrdup(run->job->pool, url);
    if (run->asking != GF_ASKING_FETCH) { /* else it is a redirect */
        run->redirects = 0;               /* the source picture may have moved, too */
        run->original_url = run->picture_url;
    }
    gf_exchange_fetch(steps, run);
    return GF_STEP_GOES_ON;
}

/* Sent, and no answer came. A provider that lists its runs is asked for them, or its webhook waited
 * for; of any other it stays unknown. */
static gf_step_t lost_answer(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    const gf_provider_t *provider = run->choice->provider;

    bool askable = provider->kind->recover && !outcome->settled;

    if ((!askable && !run->hook_token) || run->provider_deadline <= gf_clock_now()) {
        return gf_steps_fail(steps, run, outcome->code, NULL);
    }
    run->delay = gf_follow_arrival(run);
    return run->hook_token ? gf_steps_act(steps, run, GF_ACT_HOOK_REF)
                           : gf_follow_wait(run, run->delay);
}

/* Its list does not hold the run. Lists lag behind: what was never taken, and may be sent again, is
 * missing in a list asked for GenflowProviderListWait after the loss, and in another one asked for
 * as much later. */
static gf_step_t absent(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    apr_interval_time_t floor = run->choice->provider->list_wait;
    apr_interval_time_t wait = gf_follow_arrival(run);
    apr_time_t now = gf_clock_now();

    if (run->absent_at && run->listed_at >= run->absent_at + floor) {
        return try_again(steps, run, outcome);
    }
    if (!run->absent_at && run->listed_at >= run->lost_at + floor) {
        run->absent_at = now;
    }
    if (run->absent_at) {
        return gf_follow_wait(run, run->absent_at + floor - now);
    }
    return gf_follow_wait(run,
                          wait < run->lost_at + floor - now ? wait : run->lost_at + floor - now);
}

static gf_step_t follow(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    switch (outcome->state) {
    case GF_PROV_SUCCEEDED:
        return take_picture(steps, run, outcome);
    case GF_PROV_WORKING:
        return wait_for_provider(steps, run, outcome);
    case GF_PROV_ASK:
        if (run->provider_deadline <= gf_clock_now() && run->asking == GF_ASKING_RECOVER) {
            return gf_steps_fail(steps, run, GF_E_TIMEOUT, NULL); /* a list without end */
        }
        gf_exchange_next(steps, run, outcome->next);
        return GF_STEP_GOES_ON;
    case GF_PROV_TRANSIENT:
        return outcome->absent ? absent(steps, run, outcome) : try_again(steps, run, outcome);
    case GF_PROV_PERMANENT:
        return gf_follow_next(steps, run, outcome->code, false);
    case GF_PROV_UNKNOWN:
        return lost_answer(steps, run, outcome);
    case GF_PROV_EMPTY:
        if (run->job->type->empty_fails) {
            return gf_follow_next(steps, run, outcome->code, false);
        }
        return gf_steps_fail(steps, run, outcome->code, NULL);
    case GF_PROV_FILTERED:
        return gf_steps_fail(steps, run, outcome->code, NULL);
    }
    return gf_steps_fail(steps, run, GF_E_INTERNAL, NULL);
}

/* What the outcome tells of the model's health, told to its breaker with the next act. */
static void note_health(gf_run_t *run, const gf_outcome_t *outcome)
{
    bool rate = outcome->code == GF_E_RATE_LIMIT; /* it works, and has a limit */
    bool about_the_model = run->asking == GF_ASKING_SUBMIT || run->asking == GF_ASKING_POLL;

    run->unknown_model = outcome->unknown_model;
    if (!about_the_model || run->choice->provider->breaker_open == 0 || run->known_missed) {
        return;
    }
    if (outcome->alarm || outcome->unknown_model) {
        run->went = GF_WENT_REFUSED;
    }
    else if (outcome->state == GF_PROV_UNKNOWN || (outcome->state == GF_PROV_TRANSIENT && !rate)) {
        run->went = GF_WENT_WRONG;
    }
    else if (run->watched && outcome->state != GF_PROV_ASK) {
        run->went = GF_WENT_WELL;
        run->watched = false;
    }
    if (run->went == GF_WENT_REFUSED || run->went == GF_WENT_WRONG) {
        run->went_why = apr_pstrdup(
            run->job->pool, outcome->detail ? outcome->detail : gf_err_row(outcome->code)->code);
    }
}

static void log_outcome(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    static const char *const words[] = {
        [GF_PROV_SUCCEEDED] = "succeeded",  [GF_PROV_WORKING] = "working",
        [GF_PROV_ASK] = "has more to tell", [GF_PROV_TRANSIENT] = "failed for now",
        [GF_PROV_PERMANENT] = "failed",     [GF_PROV_FILTERED] = "filtered",
        [GF_PROV_EMPTY] = "empty",          [GF_PROV_UNKNOWN] = "unknown"
    };
    const char *detail = outcome->detail ? outcome->detail : "";
    bool news = outcome->state != GF_PROV_ASK
                && (outcome->state != GF_PROV_WORKING || run->asking == GF_ASKING_SUBMIT);

    if (detail[0] && outcome->state != GF_PROV_SUCCEEDED) { /* for the line of its end */
        run->words = apr_pstrdup(run->job->pool, detail);
    }
    if (news) {
        gf_log(gf_steps_about(steps, run), GF_LOG_INFO, APR_SUCCESS, "GF0402", "%s%s%s",
               words[outcome->state], detail[0] ? ": " : "", detail);
    }
    if (outcome->alarm) {
        gf_log(gf_steps_about(steps, run), GF_LOG_ERR, APR_SUCCESS, "GF0403",
               "our key or account is refused: %s; look at GenflowProviderKey and at the account's "
               "credit there",
               detail);
    }
}

/* The source picture came, or not. */
static gf_step_t follow_source(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    if (outcome->state == GF_PROV_SUCCEEDED && outcome->picture_url) { /* a redirect */
        run->source = apr_pstrdup(run->job->pool, outcome->picture_url);
        gf_exchange_source(steps, run);
        return GF_STEP_GOES_ON;
    }
    if (outcome->state == GF_PROV_SUCCEEDED) {
        return gf_steps_act(steps, run, GF_ACT_SOURCE);
    }
    if (outcome->state == GF_PROV_WORKING && ++run->source_tries < SOURCE_TRIES) {
        return gf_follow_wait(run, SOURCE_WAIT * run->source_tries);
    }
    gf_log(gf_steps_about(steps, run), GF_LOG_INFO, APR_SUCCESS, "GF0412",
           "the source picture did not come: %s", outcome->detail ? outcome->detail : "");
    run->words = apr_pstrdup(run->job->pool, outcome->detail);
    return gf_steps_fail(steps, run, GF_E_SOURCE, NULL);
}

/* A picture that is to be stored again came, or not. */
static gf_step_t follow_again(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    if (outcome->state != GF_PROV_SUCCEEDED) {
        return gf_keep_later(steps, run, outcome->state == GF_PROV_WORKING);
    }
    return take_picture(steps, run, outcome);
}

gf_step_t gf_follow(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    if (run->asking == GF_ASKING_SOURCE) {
        return follow_source(steps, run, outcome);
    }
    if (run->job->restore_url) {
        return follow_again(steps, run, outcome);
    }
    note_health(run, outcome);
    log_outcome(steps, run, outcome);
    return follow(steps, run, outcome);
}

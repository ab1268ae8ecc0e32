/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a job: when to send, when to ask again, when to try once more or the next provider,
 * when to give up. Performs nothing itself: acts go to writers, exchanges to the net. Runs on the
 * dispatcher thread.
 *
 * Money: nothing is sent without a written intent; what was sent and not answered is not sent
 * again, to nobody; only GF_ACT_KEEP and GF_ACT_DRAW lead to a charge, inside the settle statement.
 */
#include "work/gf_steps.h"

#include <string.h>

#include <apr_strings.h>

#include "model/gf_type.h"
#include "store/gf_store.h"
#include "work/gf_exchange.h"

#define RECOVER_AFTER_POLLS 15
#define TRY_AGAIN           (APR_USEC_PER_SEC / 2) /* an act that found no database */
#define JITTER_PERCENT      20

/* ---- small parts ---- */

static const gf_ctx_t *about(gf_steps_t *steps, const gf_run_t *run)
{
    steps->ctx.subject = gf_job_subject(run->job, steps->ctx.pool);
    return &steps->ctx;
}

static gf_step_t write_act(gf_steps_t *steps, gf_run_t *run, gf_act_t act)
{
    run->act = act;
    run->wake = 0;
    run->writing = true;
    run->task.run = gf_acts_run;
    gf_writers_give(steps->writers, &run->task);
    return GF_STEP_GOES_ON;
}

static gf_step_t fail(gf_steps_t *steps, gf_run_t *run, gf_err_code_t code, const char *cause)
{
    run->code = code;
    run->cause = cause;
    return write_act(steps, run, GF_ACT_FAIL);
}

/* ---- beginning ---- */

/* A new attempt with the current link of the chain. */
static gf_step_t attempt(gf_steps_t *steps, gf_run_t *run)
{
    run->choice = gf_type_choice(run->job->type, run->job->chain_pos);
    if (!run->choice) {
        return fail(steps, run, GF_E_NO_PROVIDER, NULL);
    }
    if (run->choice->provider->kind->draw) {
        return write_act(steps, run, GF_ACT_DRAW);
    }
    run->job->attempts++;
    return write_act(steps, run, GF_ACT_ATTEMPT);
}

/* The intent is written: now the bytes may leave, once. */
static gf_step_t submit(gf_steps_t *steps, gf_run_t *run)
{
    gf_exchange_submit(steps, run);
    return GF_STEP_GOES_ON;
}

/* Goes on where the run stopped to wait: the picture, the list of runs, or the run itself. */
static gf_step_t ask(gf_steps_t *steps, gf_run_t *run)
{
    if (run->provider_deadline <= apr_time_now()) {
        gf_exchange_cancel(steps, run);
        return fail(steps, run, GF_E_TIMEOUT, NULL);
    }
    if (run->picture_url) {
        gf_exchange_fetch(steps, run);
    }
    else if (run->job->provider_ref) {
        gf_exchange_poll(steps, run);
    }
    else {
        gf_exchange_recover(steps, run);
    }
    return GF_STEP_GOES_ON;
}

gf_step_t gf_steps_begin(gf_steps_t *steps, gf_run_t *run)
{
    gf_job_t *job = run->job;

    run->spool = gf_store_spool(steps->ctx.conf, job, job->pool);
    if (job->phase == GF_PHASE_QUEUED) {
        return attempt(steps, run);
    }
    run->choice = gf_type_choice(job->type, job->chain_pos);
    if (!run->choice) { /* the chain was configured shorter meanwhile */
        return fail(steps, run, GF_E_NO_PROVIDER, NULL);
    }
    gf_log(about(steps, run), GF_LOG_INFO, APR_SUCCESS, "GF0401",
           "taken over, provider=%s, it was %s", run->choice->provider->name,
           job->phase == GF_PHASE_SENDING ? "being sent" : "with the provider");
    run->provider_deadline = apr_time_now() + run->choice->provider->deadline;
    if (job->phase == GF_PHASE_WORKING && run->choice->provider->kind->poll) {
        return ask(steps, run);
    }
    return write_act(steps, run, GF_ACT_ADOPT);
}

/* ---- what an answer means ---- */

/* 2 s, 4 s, 8 s ... to the cap, never less than the provider asked for, and scattered so that many
 * do not return at once. */
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
    wait = wait < provider->backoff_max ? wait : provider->backoff_max;
    apr_generate_random_bytes((unsigned char *)&random, sizeof(random));
    wait += wait * (apr_interval_time_t)(random % JITTER_PERCENT) / 100;
    return wait > asked ? wait : asked;
}

static gf_step_t requeue(gf_steps_t *steps, gf_run_t *run, gf_err_code_t code,
                         apr_interval_time_t delay)
{
    run->code = code;
    run->delay = delay;
    return write_act(steps, run, GF_ACT_REQUEUE);
}

/* The provider failed for good: the next link of the chain, if there is one. */
static gf_step_t next_provider(gf_steps_t *steps, gf_run_t *run, gf_err_code_t code, bool retried)
{
    if (gf_type_choice(run->job->type, run->job->chain_pos + 1)) {
        run->job->chain_pos++;
        run->job->retries = 0;
        return requeue(steps, run, code, 0);
    }
    return retried ? fail(steps, run, GF_E_RETRIES, gf_err_row(code)->code)
                   : fail(steps, run, code, NULL);
}

static gf_step_t try_again(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    if (run->job->retries >= run->job->max_retries) {
        return next_provider(steps, run, outcome->code, true);
    }
    run->job->retries++;
    return requeue(steps, run, outcome->code, backoff(run, outcome));
}

static gf_step_t wake_later(gf_run_t *run, apr_interval_time_t wait)
{
    run->wake = apr_time_now() + wait;
    return GF_STEP_GOES_ON;
}

/* The provider needs time: keep its id before anything else, then ask now and then. */
static gf_step_t wait_for_provider(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    apr_interval_time_t poll = run->choice->provider->poll;

    if (!run->job->provider_ref && outcome->ref) {
        run->job->provider_ref = apr_pstrdup(run->job->pool, outcome->ref);
        return write_act(steps, run, GF_ACT_ACCEPTED);
    }
    return wake_later(run, outcome->retry_after > poll ? outcome->retry_after : poll);
}

/* There is a picture: in the spool file, in the answer's text, or at an address. */
static gf_step_t take_picture(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    const char *url = outcome->picture_url;
    const char *comma = url && strncmp(url, "data:", 5) == 0 ? strstr(url, ";base64,") : NULL;

    if (outcome->picture_b64 || comma) {
        run->picture_text = apr_pstrdup(run->job->pool, comma ? comma + 8 : outcome->picture_b64);
        return write_act(steps, run, GF_ACT_DECODE);
    }
    if (!url) {
        return write_act(steps, run, GF_ACT_KEEP);
    }
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) {
        return fail(steps, run, GF_E_RESULT, NULL);
    }
    run->picture_url = apr_pstrdup(run->job->pool, url);
    gf_exchange_fetch(steps, run);
    return GF_STEP_GOES_ON;
}

/* Sent, and no answer came. A provider that lists its runs is asked, after the time in which its
 * answer or its webhook may still arrive; of any other it stays unknown. */
static gf_step_t lost_answer(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    const gf_provider_t *provider = run->choice->provider;

    if (!provider->kind->recover || run->provider_deadline <= apr_time_now()) {
        return fail(steps, run, outcome->code, NULL);
    }
    return wake_later(run, RECOVER_AFTER_POLLS * provider->poll);
}

static gf_step_t follow(gf_steps_t *steps, gf_run_t *run, const gf_outcome_t *outcome)
{
    switch (outcome->state) {
    case GF_PROV_SUCCEEDED:
        return take_picture(steps, run, outcome);
    case GF_PROV_WORKING:
        return wait_for_provider(steps, run, outcome);
    case GF_PROV_ASK:
        gf_exchange_next(steps, run, outcome->next);
        return GF_STEP_GOES_ON;
    case GF_PROV_TRANSIENT:
        return try_again(steps, run, outcome);
    case GF_PROV_PERMANENT:
        return next_provider(steps, run, outcome->code, false);
    case GF_PROV_UNKNOWN:
        return lost_answer(steps, run, outcome);
    case GF_PROV_FILTERED:
    case GF_PROV_EMPTY:
        return fail(steps, run, outcome->code, NULL);
    }
    return fail(steps, run, GF_E_INTERNAL, NULL);
}

static void log_outcome(gf_steps_t *steps, const gf_run_t *run, const gf_outcome_t *outcome)
{
    static const char *const words[] = {
        [GF_PROV_SUCCEEDED] = "succeeded",  [GF_PROV_WORKING] = "working",
        [GF_PROV_ASK] = "has more to tell", [GF_PROV_TRANSIENT] = "failed for now",
        [GF_PROV_PERMANENT] = "failed",     [GF_PROV_FILTERED] = "filtered",
        [GF_PROV_EMPTY] = "empty",          [GF_PROV_UNKNOWN] = "unknown"
    };
    const gf_choice_t *choice = run->choice;
    bool news = outcome->state != GF_PROV_ASK
                && (outcome->state != GF_PROV_WORKING || run->asking == GF_ASKING_SUBMIT);

    if (news) {
        gf_log(about(steps, run), GF_LOG_INFO, APR_SUCCESS, "GF0402", "provider=%s model=%s %s%s%s",
               choice->provider->name, choice->model, words[outcome->state],
               outcome->detail ? ": " : "", outcome->detail ? outcome->detail : "");
    }
    if (outcome->alarm) {
        gf_log(about(steps, run), GF_LOG_ERR, APR_SUCCESS, "GF0403",
               "provider=%s refuses our key or account: %s; look at "
               "GenflowProviderKey and at the account's credit there",
               choice->provider->name, outcome->detail);
    }
    if (outcome->unknown_model) {
        gf_log(about(steps, run), GF_LOG_WARNING, APR_SUCCESS, "GF0407",
               "provider=%s does not know the model %s: change it in GenflowTypeProviders",
               choice->provider->name, choice->model);
    }
}

gf_step_t gf_steps_answered(gf_steps_t *steps, gf_run_t *run)
{
    apr_pool_t *pool = gf_exchange_pool(steps); /* what is told may become the next exchange */
    gf_msg_t *msg = run->msg;
    gf_outcome_t outcome;
    gf_step_t step;

    gf_exchange_read(&outcome, steps, run, pool);
    run->msg = NULL;
    log_outcome(steps, run, &outcome);
    step = follow(steps, run, &outcome);
    if (outcome.state != GF_PROV_ASK) {
        apr_pool_destroy(pool);
    }
    apr_pool_destroy(msg->pool);
    return step;
}

/* ---- what a done act means ---- */

static gf_step_t over(gf_steps_t *steps, const gf_run_t *run)
{
    gf_hub_bg_publish(steps->hub, run->job->id, GF_NEWS_ENDED);
    return GF_STEP_OVER;
}

/* Whoever sent it is dead, and it may have been paid for: it is not sent again. A provider that
 * lists its runs is asked; of any other the job fails. */
static gf_step_t sender_lost(gf_steps_t *steps, gf_run_t *run)
{
    return run->choice->provider->kind->recover ? ask(steps, run)
                                                : fail(steps, run, GF_E_NETWORK, NULL);
}

static gf_step_t settled(gf_steps_t *steps, const gf_run_t *run)
{
    const gf_ctx_t *ctx = about(steps, run);
    const char *provider = run->choice ? run->choice->provider->name : "none";

    if (strcmp(run->settled, "done") != 0) {
        gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0404", "provider=%s came second: %s", provider,
               run->settled);
    }
    else if (run->act != GF_ACT_FAIL) {
        gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0405", "provider=%s completed and charged: %s",
               provider, run->image_url);
    }
    else {
        const gf_err_row_t *row = gf_err_row(run->code);

        gf_log(ctx, row->level, APR_SUCCESS, row->tag, "provider=%s failed and released: %s%s%s",
               provider, row->code, run->cause ? " after " : "", run->cause ? run->cause : "");
    }
    return over(steps, run);
}

/* An act could not be done. Without a database it waits for one; a picture that cannot be kept
 * fails the job. */
static gf_step_t act_failed(gf_steps_t *steps, gf_run_t *run)
{
    bool pictureless = gf_err_is(run->err, GF_E_EMPTY) || gf_err_is(run->err, GF_E_RESULT)
                       || gf_err_is(run->err, GF_E_STORE);

    if (gf_err_is(run->err, GF_E_DB_DOWN)) {
        if (!run->patient) {
            gf_err_log(about(steps, run), run->err); /* once, not at every try */
        }
        run->patient = true;
        run->wake = apr_time_now() + TRY_AGAIN;
        return GF_STEP_GOES_ON;
    }
    gf_err_log(about(steps, run), run->err);
    if (pictureless) {
        return fail(steps, run, (gf_err_code_t)(run->err->row - gf_err_row(0)), NULL);
    }
    return over(steps, run); /* a bug or a broken type: its lease runs out, its deadline ends it */
}

gf_step_t gf_steps_written(gf_steps_t *steps, gf_run_t *run)
{
    run->writing = false;
    if (run->err) {
        return act_failed(steps, run);
    }
    run->patient = false;
    switch (run->act) {
    case GF_ACT_ATTEMPT:
        return run->hold == GF_HOLD_ON ? submit(steps, run) : over(steps, run);
    case GF_ACT_ACCEPTED:
        if (run->hold != GF_HOLD_ON) {
            return over(steps, run);
        }
        gf_hub_bg_publish(steps->hub, run->job->id, GF_NEWS_WORKING);
        run->wake = apr_time_now() + run->choice->provider->poll;
        return GF_STEP_GOES_ON;
    case GF_ACT_REQUEUE:
        return GF_STEP_OVER;
    case GF_ACT_ADOPT:
        return run->settled ? settled(steps, run) : sender_lost(steps, run);
    case GF_ACT_DECODE:
    case GF_ACT_DRAW:
    case GF_ACT_KEEP:
    case GF_ACT_FAIL:
        return settled(steps, run);
    }
    return GF_STEP_OVER;
}

gf_step_t gf_steps_awake(gf_steps_t *steps, gf_run_t *run)
{
    if (run->err) { /* an act that found no database: once more */
        run->err = NULL;
        return write_act(steps, run, run->act);
    }
    return ask(steps, run);
}

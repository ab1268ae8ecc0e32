/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a job: beginning, sending, asking, and what follows from an act that was done. What an
 * answer means is gf_follow.c's matter, keeping the picture gf_keep.c's. Performs nothing itself:
 * acts go to writers, exchanges to the net. Runs on the dispatcher thread.
 *
 * Money: nothing is sent without a written intent; what was sent and not answered is not sent
 * again, to nobody; only GF_ACT_KEEP and GF_ACT_DRAW lead to a charge, inside the settle statement.
 */
#include "work/generate.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/hash.h"
#include "model/source.h"
#include "model/type.h"
#include "store/gate.h"
#include "work/exchange.h"
#include "work/outcome.h"
#include "work/result.h"
#include "work/deliver.h"

#define TRY_AGAIN   (APR_USEC_PER_SEC / 2) /* an act that found no database */
#define TOKEN_BYTES 16
#define CALL_BYTES  16
#define GATE_WAIT   (5 * APR_USEC_PER_SEC) /* of a queued job while pictures cannot be stored */

/* ---- small parts ---- */

const gf_ctx_t *gf_steps_about(gf_steps_t *steps, const gf_run_t *run)
{
    steps->ctx.subject = gf_job_subject(run->job, steps->ctx.pool);
    return &steps->ctx;
}

static gf_step_t give_act(gf_steps_t *steps, gf_run_t *run)
{
    run->wake = 0;
    run->writing = true;
    run->task.run = gf_acts_run;
    run->task.slow = run->act == GF_ACT_DRAW;
    gf_writers_give(steps->writers, &run->task);
    return GF_STEP_GOES_ON;
}

gf_step_t gf_steps_act(gf_steps_t *steps, gf_run_t *run, gf_act_t act)
{
    run->act = act;
    apr_cpystrn(run->call, gf_hash_random(steps->ctx.pool, CALL_BYTES), sizeof(run->call));
    return give_act(steps, run);
}

gf_step_t gf_steps_fail(gf_steps_t *steps, gf_run_t *run, gf_err_code_t code, const char *cause)
{
    run->code = code;
    run->cause = cause;
    return gf_steps_act(steps, run, GF_ACT_FAIL);
}

/* ---- beginning ---- */

static void choose(gf_run_t *run, int position)
{
    run->choice = gf_type_choice(run->job->type, position);
    run->job->provider = run->choice ? run->choice->provider->name : NULL;
    run->job->model = run->choice ? run->choice->model : NULL;
}

/* Who was asked stands on the row: the chain may have been configured otherwise since. */
static void choose_asked(const gf_steps_t *steps, gf_run_t *run)
{
    gf_job_t *job = run->job;
    gf_choice_t *asked = apr_pcalloc(job->pool, sizeof(*asked));

    asked->provider = apr_hash_get(steps->ctx.conf->providers, job->provider, APR_HASH_KEY_STRING);
    asked->model = job->model;
    run->choice = asked->provider ? asked : NULL;
    run->source = gf_source_asset_id(job->source_url) ? NULL : job->source_url;
}

/* A part of the address for reports that nobody can guess; none where a report could not be
 * verified or would not find us. */
static const char *hook_token(const gf_steps_t *steps, const gf_run_t *run)
{
    const gf_provider_t *provider = run->choice->provider;
    bool verifiable = provider->kind->hook_keys || provider->hook_secret;

    return steps->ctx.conf->public_url && provider->kind->read_hook && verifiable
               ? gf_hash_random(run->job->pool, TOKEN_BYTES)
               : NULL;
}

/* The source picture is there, or none is wanted: the attempt itself. */
static gf_step_t begin_attempt(gf_steps_t *steps, gf_run_t *run)
{
    if (run->choice->provider->kind->draw) {
        return gf_steps_act(steps, run, GF_ACT_DRAW);
    }
    run->job->attempts++;
    run->intent_until = gf_clock_now() + steps->ctx.conf->lease;
    run->hook_token = hook_token(steps, run);
    return gf_steps_act(steps, run, GF_ACT_ATTEMPT);
}

/* A new attempt with the current link of the chain, or the next that fits the job. */
static gf_step_t attempt(gf_steps_t *steps, gf_run_t *run)
{
    gf_job_t *job = run->job;

    job->chain_pos = gf_type_next(job->type, job->chain_pos, job->source_url);
    choose(run, job->chain_pos);
    if (!run->choice) {
        return gf_steps_fail(steps, run, GF_E_NO_PROVIDER, NULL);
    }
    if (gf_reach_wait(&steps->reach, run->choice->provider) > 0) {
        return gf_follow_elsewhere(steps, run);
    }
    if (!job->source_url) {
        return begin_attempt(steps, run);
    }
    run->source = job->source_url;
    if (run->choice->provider->kind->source_as_file) {
        run->source_file = apr_pstrcat(job->pool, run->spool, ".source", NULL);
    }
    if (gf_source_asset_id(job->source_url)) {
        return gf_steps_act(steps, run, GF_ACT_SOURCE);
    }
    if (!run->source_file) { /* the provider fetches it */
        return begin_attempt(steps, run);
    }
    gf_exchange_source(steps, run);
    return GF_STEP_GOES_ON;
}

/* The intent is written: now the bytes may leave, once. Whoever slept over its lease in between may
 * have been taken for dead, with the bytes on their way: it says that nothing was sent. */
static gf_step_t submit(gf_steps_t *steps, gf_run_t *run)
{
    if (run->intent_until < gf_clock_now()) {
        gf_log(gf_steps_about(steps, run), GF_LOG_INFO, APR_SUCCESS, "GF0420",
               "its lease ran out before it was sent: nothing is sent");
        run->code = GF_E_NETWORK;
        run->delay = 0;
        return gf_steps_act(steps, run, GF_ACT_REQUEUE);
    }
    gf_exchange_submit(steps, run);
    return GF_STEP_GOES_ON;
}

/* May the provider still be asked? Whoever was away past the deadline asks once more: the picture
 * may be there. */
static bool may_ask(gf_run_t *run)
{
    if (run->provider_deadline > gf_clock_now()) {
        return true;
    }
    if (run->last_question || (!run->job->provider_ref && !run->picture_url)) {
        return false;
    }
    run->last_question = true;
    return true;
}

/* Goes on where the run stopped to wait: the picture, the run itself, or, while we do not know its
 * id, our own row, where a report or who sent it before us may have brought it. */
static gf_step_t ask(gf_steps_t *steps, gf_run_t *run)
{
    if (!may_ask(run)) {
        return gf_steps_fail(steps, run, GF_E_TIMEOUT, NULL);
    }
    if (run->picture_url) {
        gf_exchange_fetch(steps, run);
    }
    else if (run->job->provider_ref) {
        gf_exchange_poll(steps, run);
    }
    else {
        run->delay = 0;
        return gf_steps_act(steps, run, GF_ACT_HOOK_REF);
    }
    return GF_STEP_GOES_ON;
}

/* Somebody was at work on it. First of all the picture is looked for that may be stored already. */
static gf_step_t take_over(gf_steps_t *steps, gf_run_t *run)
{
    if (run->job->phase == GF_PHASE_QUEUED) { /* drawing writes no intent */
        choose(run, run->job->chain_pos);
    }
    else {
        choose_asked(steps, run);
    }
    gf_log(gf_steps_about(steps, run), GF_LOG_INFO, APR_SUCCESS, "GF0401",
           "taken over%s, it was %s", run->job->last_look ? " after its deadline" : "",
           run->job->phase == GF_PHASE_QUEUED    ? "being drawn"
           : run->job->phase == GF_PHASE_SENDING ? "being sent"
                                                 : "with the provider");
    run->provider_deadline = run->choice ? gf_exchange_deadline(run) : 0;
    return gf_steps_act(steps, run, GF_ACT_ADOPT);
}

gf_step_t gf_steps_begin(gf_steps_t *steps, gf_run_t *run)
{
    gf_job_t *job = run->job;

    if (job->restore_url) {
        return gf_keep_again(steps, run);
    }
    if (job->remove_url) {
        return gf_keep_remove(steps, run);
    }
    if (job->tell_tries) {
        return gf_steps_act(steps, run, GF_ACT_TELL);
    }
    run->spool = gf_store_spool(steps->ctx.conf, job, job->pool);
    if (job->phase == GF_PHASE_QUEUED && !job->last_look) {
        return attempt(steps, run);
    }
    return take_over(steps, run);
}

/* Did the provider answer its question, or is it out of reach? */
static void note_reach(gf_steps_t *steps, gf_run_t *run)
{
    const gf_provider_t *provider = run->choice ? run->choice->provider : NULL;
    bool asked = run->asking == GF_ASKING_SUBMIT || run->asking == GF_ASKING_POLL
                 || run->asking == GF_ASKING_RECOVER;

    run->known_missed = false;
    if (asked && provider && run->msg->unreached) {
        run->known_missed =
            !gf_reach_missed(&steps->reach, gf_steps_about(steps, run), provider, run->msg->detail);
    }
    else if (asked && provider && run->msg->end == GF_MSG_ANSWERED) {
        gf_reach_answered(&steps->reach, gf_steps_about(steps, run), provider);
    }
}

gf_step_t gf_steps_answered(gf_steps_t *steps, gf_run_t *run)
{
    apr_pool_t *pool; /* what is told may become the next exchange */
    gf_msg_t *msg = run->msg;
    gf_outcome_t outcome;
    gf_step_t step;

    if (run->asking == GF_ASKING_STORE) {
        return gf_keep_answered(steps, run);
    }
    if (run->asking == GF_ASKING_REMOVE) {
        return gf_keep_removed(steps, run);
    }
    if (run->asking == GF_ASKING_TELL) {
        return gf_tell_answered(steps, run);
    }
    if (msg->spool_rv) {
        gf_gate_failed(gf_steps_about(steps, run), msg->spool_rv, msg->spool);
    }
    pool = gf_exchange_pool(steps);
    gf_exchange_read(&outcome, run, pool);
    note_reach(steps, run);
    run->msg = NULL;
    step = gf_follow(steps, run, &outcome);
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

/* Whoever sent it is gone, and it may have been paid for: it is not sent again. A provider that
 * lists its runs is asked for them; of any other the job fails. */
static gf_step_t sender_lost(gf_steps_t *steps, gf_run_t *run)
{
    if (!run->choice->provider->kind->recover) {
        return gf_steps_fail(steps, run, GF_E_NETWORK, NULL);
    }
    run->asking = GF_ASKING_RECOVER;
    return gf_follow_wait(run, gf_follow_arrival(run));
}

/* No picture is stored. */
static gf_step_t not_adopted(gf_steps_t *steps, gf_run_t *run)
{
    if (run->job->last_look) {
        return gf_steps_fail(steps, run, GF_E_TIMEOUT, NULL);
    }
    if (!run->choice) { /* there is no such section any more */
        return gf_steps_fail(steps, run, GF_E_NO_PROVIDER, NULL);
    }
    if (run->job->phase == GF_PHASE_WORKING && run->choice->provider->kind->poll) {
        return ask(steps, run);
    }
    return sender_lost(steps, run);
}

/* Nobody waits for it any more. Who was only away may not say so: another host may lead. */
static void cancel_run(gf_steps_t *steps, const gf_run_t *run)
{
    bool failed = strcmp(run->settled, "done") == 0 || strcmp(run->settled, "same") == 0;

    if (run->act == GF_ACT_FAIL && run->code == GF_E_TIMEOUT && failed && run->choice) {
        gf_exchange_cancel(steps, run);
    }
}

static gf_step_t settled(gf_steps_t *steps, const gf_run_t *run)
{
    const gf_ctx_t *ctx = gf_steps_about(steps, run);
    apr_int64_t took = apr_time_as_msec(gf_clock_now() - run->job->created);

    cancel_run(steps, run);
    if (run->job->restore_url && !gf_run_came_late(run)) {
        gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0413", "stored at last: %s", run->image_url);
        return GF_STEP_OVER;
    }
    if (strcmp(run->settled, "done") != 0) {
        gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0404", "came second: %s", run->settled);
    }
    else if (run->act != GF_ACT_FAIL) {
        gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0405",
               "completed and charged after %" APR_INT64_T_FMT " ms%s: %s", took,
               run->unstored ? ", not stored yet" : "", run->image_url);
    }
    else {
        const gf_err_row_t *row = gf_err_row(run->code);

        gf_log(ctx, row->level < GF_LOG_NOTICE ? row->level : GF_LOG_NOTICE, APR_SUCCESS, row->tag,
               "failed and released after %" APR_INT64_T_FMT " ms: %s%s%s%s%s", took, row->code,
               run->cause ? " after " : "", run->cause ? run->cause : "", run->words ? ": " : "",
               run->words ? run->words : "");
    }
    return over(steps, run);
}

/* Nothing was sent: it waits in the queue, and loses no try. Another host may have room. */
static gf_step_t wait_for_store(gf_steps_t *steps, gf_run_t *run)
{
    run->err = NULL;
    run->job->attempts -= run->act == GF_ACT_ATTEMPT;
    run->code = GF_E_STORE_CLOSED;
    run->delay = GATE_WAIT;
    return gf_steps_act(steps, run, GF_ACT_REQUEUE);
}

/* An act could not be done. Without a database it waits for one; a picture that cannot be stored
 * may stay where it is; one that is none fails the job. */
static gf_step_t act_failed(gf_steps_t *steps, gf_run_t *run)
{
    bool store = gf_err_is(run->err, GF_E_STORE);
    bool fatal = store || gf_err_is(run->err, GF_E_EMPTY) || gf_err_is(run->err, GF_E_RESULT)
                 || gf_err_is(run->err, GF_E_SOURCE);
    gf_err_code_t code = (gf_err_code_t)(run->err->row - gf_err_row(0));

    if (gf_err_is(run->err, GF_E_DB_DOWN)) {
        if (!run->patient) {
            gf_err_log(gf_steps_about(steps, run), run->err); /* once, not at every try */
        }
        run->patient = true;
        run->wake = gf_clock_now() + TRY_AGAIN;
        return GF_STEP_GOES_ON;
    }
    if (gf_err_is(run->err, GF_E_STORE_CLOSED)) {
        return wait_for_store(steps, run);
    }
    gf_err_log(gf_steps_about(steps, run), run->err);
    run->err = NULL;
    if (run->job->restore_url) {
        return run->act == GF_ACT_LATER ? GF_STEP_OVER : gf_keep_later(steps, run, store);
    }
    if (run->job->remove_url) {
        return GF_STEP_OVER; /* it is tried again in a while */
    }
    if (run->job->tell_tries) {
        return gf_tell_failed(steps, run);
    }
    if (store && run->stored && run->original_url && run->act != GF_ACT_FAIL) {
        return gf_keep_unstored(steps, run);
    }
    if (fatal && run->act != GF_ACT_FAIL) {
        return gf_steps_fail(steps, run, code, NULL);
    }
    return over(steps, run); /* a bug or a broken type: its lease runs out, its deadline ends it */
}

/* The intent is written, or may not be. */
static gf_step_t attempt_written(gf_steps_t *steps, gf_run_t *run)
{
    switch (run->hold) {
    case GF_HOLD_WATCHED:
        run->watched = true;
        return submit(steps, run);
    case GF_HOLD_ON:
        return submit(steps, run);
    case GF_HOLD_SPENT:
        gf_log(gf_steps_about(steps, run), GF_LOG_ERR, APR_SUCCESS, "GF0720",
               "the budget of provider %s is spent until midnight UTC: it is skipped; raise "
               "GenflowProviderBudget if that is too early",
               run->choice->provider->name);
        run->job->attempts--;
        return gf_follow_next(steps, run, GF_E_NO_PROVIDER, false);
    case GF_HOLD_OPEN: /* nothing was written, nothing is sent */
        run->job->attempts--;
        gf_reach_forget(&steps->reach, run->choice->provider);
        return gf_follow_next(steps, run, GF_E_NO_PROVIDER, false);
    case GF_HOLD_ENDED:
        return gf_steps_ended(steps, run);
    case GF_HOLD_REPORTED:
    case GF_HOLD_LOST:
        break;
    }
    return over(steps, run);
}

/* The provider's id is on our row, or not yet: then the list of runs is asked, if there is one. */
static gf_step_t run_looked_up(gf_steps_t *steps, gf_run_t *run)
{
    if (run->job->provider_ref) {
        return ask(steps, run);
    }
    if (run->delay) {
        return gf_follow_wait(run, run->delay);
    }
    if (!run->choice->provider->kind->recover) {
        return gf_follow_wait(run, run->choice->provider->poll);
    }
    run->listed_at = gf_clock_now();
    gf_exchange_recover(steps, run);
    return GF_STEP_GOES_ON;
}

/* What the provider says is on the row; it is asked again in a while. */
static gf_step_t told(gf_steps_t *steps, gf_run_t *run)
{
    apr_interval_time_t poll = run->choice->provider->poll;

    if (run->hold == GF_HOLD_ENDED) {
        return gf_steps_ended(steps, run);
    }
    if (run->hold == GF_HOLD_LOST) {
        return GF_STEP_OVER; /* another host leads it */
    }
    gf_hub_bg_publish(steps->hub, run->job->id, GF_NEWS_WORKING);
    if (run->hold == GF_HOLD_REPORTED) {
        return ask(steps, run);
    }
    return gf_follow_wait(run,
                          run->act == GF_ACT_PROGRESS && run->delay > poll ? run->delay : poll);
}

gf_step_t gf_steps_written(gf_steps_t *steps, gf_run_t *run)
{
    run->writing = false;
    if (run->err) {
        return act_failed(steps, run);
    }
    run->patient = false;
    switch (run->act) {
    case GF_ACT_SOURCE:
        return begin_attempt(steps, run);
    case GF_ACT_ATTEMPT:
        return attempt_written(steps, run);
    case GF_ACT_ACCEPTED:
    case GF_ACT_PROGRESS:
        return told(steps, run);
    case GF_ACT_HOOK_REF:
        return run_looked_up(steps, run);
    case GF_ACT_REQUEUE:
    case GF_ACT_LATER:
    case GF_ACT_REMOVED:
    case GF_ACT_TOLD:
        return GF_STEP_OVER;
    case GF_ACT_TELL:
        return gf_tell_read(steps, run);
    case GF_ACT_ADOPT:
        if (!run->settled && !run->stored) {
            return not_adopted(steps, run);
        }
        break;
    case GF_ACT_DECODE:
    case GF_ACT_DRAW:
    case GF_ACT_KEEP:
    case GF_ACT_FAIL:
        break;
    }
    return run->settled ? settled(steps, run) : gf_keep_looked(steps, run);
}

gf_step_t gf_steps_ended(gf_steps_t *steps, gf_run_t *run)
{
    run->wake = 0;
    gf_exchange_cancel(steps, run);
    return gf_steps_fail(steps, run, GF_E_TIMEOUT, NULL); /* which clears up, and comes second */
}

gf_step_t gf_steps_awake(gf_steps_t *steps, gf_run_t *run)
{
    if (run->err) { /* an act that found no database: once more */
        run->err = NULL;
        return give_act(steps, run);
    }
    if (run->stored) { /* the store was not ready */
        return gf_keep_looked(steps, run);
    }
    if (run->asking == GF_ASKING_SOURCE) {
        gf_exchange_source(steps, run);
        return GF_STEP_GOES_ON;
    }
    return ask(steps, run);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From START to INTENT: the chain entry, the source image, and whether the bytes may leave.
 * Dispatcher thread. */
#include "work/intent.h"

#include <apr_strings.h>

#include "model/source_url.h"
#include "model/type.h"
#include "work/attempt.h"
#include "work/outcome.h"

#define ELSEWHERE_WAIT APR_USEC_PER_SEC
#define SOURCE_FETCHES 3
#define SOURCE_WAIT    (2 * APR_USEC_PER_SEC)
#define GATE_WAIT      (5 * APR_USEC_PER_SEC) /* of a queued job while pictures cannot be stored */

static const gf_provider_t *provider_of(const gf_run_t *run)
{
    return run->of.generate.choice->provider;
}

/* ---- the beginning ---- */

/* Another process led it. Drawing records no intent, so its phase is `queued` even then. */
bool gf_intent_is_taken_over(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->job->phase != GF_PHASE_QUEUED || run->job->last_look;
}

static void prepare_taken_over(gf_flow_t *flow, gf_run_t *run)
{
    static const char *const words[] = { [GF_PHASE_QUEUED] = "queued: the picture was drawn here",
                                         [GF_PHASE_SENDING] =
                                             "sending: the request may have reached the provider",
                                         [GF_PHASE_WORKING] = "working: the provider has it" };

    if (run->job->phase == GF_PHASE_QUEUED) {
        gf_attempt_choose(run, run->job->chain_pos);
    }
    else {
        gf_attempt_choose_recorded(flow, run);
    }
    if (run->of.generate.choice) {
        run->of.generate.provider_deadline = gf_attempt_deadline(flow, run);
    }
    gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0401",
           "resuming after a lost lease%s, phase=%s",
           run->job->last_look ? " and past the deadline" : "", words[run->job->phase]);
}

/* The first source image from `from` on that this process fetches; their number: none. */
static int next_source(const gf_generate_t *generate, int from)
{
    while (from < generate->source_count
           && !(generate->sources[from].file && generate->sources[from].url)) {
        from++;
    }
    return from;
}

/* The files that the source images are fetched or written to, for a kind that needs files. */
static void name_source_files(gf_run_t *run)
{
    gf_generate_t *generate = &run->of.generate;
    int i;

    for (i = 0; i < generate->source_count; i++) {
        generate->sources[i].file =
            i == 0 ? apr_pstrcat(run->job->pool, run->result.spool, ".source", NULL)
                   : apr_psprintf(run->job->pool, "%s.source%d", run->result.spool, i);
    }
    generate->source_at = next_source(generate, 0);
}

/* A new attempt with the current chain entry, or the next that fits the job. */
void gf_intent_prepare(gf_flow_t *flow, gf_run_t *run)
{
    gf_generate_t *generate = &run->of.generate;
    gf_job_t *job = run->job;

    run->result.spool = gf_store_spool(flow->ctx.conf, job, job->pool);
    if (gf_intent_is_taken_over(flow, run)) {
        prepare_taken_over(flow, run);
        return;
    }
    job->chain_pos = gf_attempt_next(flow, run, job->chain_pos);
    gf_attempt_choose(run, job->chain_pos);
    gf_attempt_sources(run);
    if (generate->choice && provider_of(run)->kind->source_as_file) {
        name_source_files(run);
    }
    if (job->intent_until) {
        gf_attempt_take(run);
    }
}

bool gf_intent_lacks_provider(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return !run->of.generate.choice;
}

bool gf_intent_is_out_of_reach(const gf_flow_t *flow, const gf_run_t *run)
{
    return !gf_intent_lacks_provider(flow, run)
           && gf_reach_wait(&flow->reach, &flow->ctx, provider_of(run)) > 0;
}

bool gf_intent_has_asset(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return gf_source_has_asset(run->job->source_url);
}

/* Else the provider fetches it by itself. */
bool gf_intent_needs_source(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->of.generate.source_at < run->of.generate.source_count;
}

bool gf_intent_needs_next_source(const gf_flow_t *flow, const gf_run_t *run)
{
    const gf_generate_t *generate = &run->of.generate;

    return gf_outcome_has_file(flow, run)
           && next_source(generate, generate->source_at + 1) < generate->source_count;
}

bool gf_intent_draws(const gf_flow_t *flow, const gf_run_t *run)
{
    return !gf_intent_lacks_provider(flow, run) && provider_of(run)->kind->draw;
}

/* Other hosts may begin the attempt, which costs the job no retry. */
void gf_intent_leave_to_others(gf_flow_t *flow, gf_run_t *run)
{
    const gf_provider_t *provider = provider_of(run);
    const gf_choice_t *first = gf_type_choice(run->job->type, 0);
    apr_interval_time_t wait = gf_reach_wait(&flow->reach, &flow->ctx, provider);
    bool left_out = first && first->provider == provider; /* this host claims none meanwhile */

    run->of.generate.code = GF_E_NETWORK;
    run->delay = left_out ? 0 : wait < ELSEWHERE_WAIT ? wait : ELSEWHERE_WAIT;
    gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0622",
           "left to other hosts: this one does not reach %s", provider->name);
}

/* ---- the source image ---- */

bool gf_intent_may_fetch_source_again(const gf_flow_t *flow, const gf_run_t *run)
{
    return gf_outcome_is_working(flow, run) && run->of.generate.source_fetches + 1 < SOURCE_FETCHES;
}

void gf_intent_count_source_fetch(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.generate.source_fetches++;
}

apr_interval_time_t gf_intent_source_wait(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return SOURCE_WAIT * run->of.generate.source_fetches;
}

void gf_intent_follow_source(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.generate.sources[run->of.generate.source_at].url =
        apr_pstrdup(run->job->pool, run->outcome.picture_url);
}

void gf_intent_next_source(gf_flow_t *flow, gf_run_t *run)
{
    gf_generate_t *generate = &run->of.generate;

    (void)flow;
    generate->source_at = next_source(generate, generate->source_at + 1);
    generate->source_fetches = 0;
    run->result.redirects = 0;
}

void gf_intent_fail_source(gf_flow_t *flow, gf_run_t *run)
{
    const char *detail = run->outcome.detail;

    gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0412",
           "the source image could not be fetched: %s", detail ? detail : "");
    run->of.generate.words = apr_pstrdup(run->job->pool, detail);
    run->of.generate.code = GF_E_SOURCE;
}

/* ---- the intent ---- */

bool gf_intent_is_recorded(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->lease == GF_LEASE_OURS || run->lease == GF_LEASE_WATCHED;
}

bool gf_intent_came_along(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->job->intent_until != 0;
}

bool gf_intent_may_send_at_once(const gf_flow_t *flow, const gf_run_t *run)
{
    return gf_intent_came_along(flow, run) && gf_intent_may_send(flow, run);
}

/* A process that slept over its lease may have been taken for dead, with the bytes on their way. */
bool gf_intent_may_send(const gf_flow_t *flow, const gf_run_t *run)
{
    return gf_intent_is_recorded(flow, run)
           && gf_ctx_now(&flow->ctx) <= run->of.generate.intent_until;
}

void gf_intent_note_watched(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.generate.health.watched = run->lease == GF_LEASE_WATCHED;
}

void gf_intent_send_nothing(gf_flow_t *flow, gf_run_t *run)
{
    gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0420",
           "the lease expired before the request was sent: nothing was sent");
    run->of.generate.code = GF_E_NETWORK;
    run->delay = 0;
}

/* The breaker is open, the budget spent, or the provider may have made the picture already: no
 * intent was recorded. */
bool gf_intent_is_skipped(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->lease == GF_LEASE_BREAKER_OPEN || run->lease == GF_LEASE_BUDGET_SPENT
           || run->lease == GF_LEASE_UNSURE;
}

bool gf_intent_may_skip(const gf_flow_t *flow, const gf_run_t *run)
{
    return gf_intent_is_skipped(flow, run) && gf_outcome_has_next_entry(flow, run);
}

static void note_skipped(gf_flow_t *flow, gf_run_t *run)
{
    run->job->attempts--;
    if (run->lease == GF_LEASE_UNSURE) {
        gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0426",
               "%s is skipped: it may have made this picture in an earlier attempt",
               provider_of(run)->name);
        return;
    }
    if (run->lease == GF_LEASE_BREAKER_OPEN) {
        gf_reach_forget(&flow->reach, provider_of(run));
        return;
    }
    gf_log(gf_run_about(flow, run), GF_LOG_ERR, APR_SUCCESS, "GF0720",
           "the budget of provider %s is spent until midnight UTC: it is skipped; raise "
           "GenflowProviderBudget if that is too early",
           provider_of(run)->name);
}

void gf_intent_skip(gf_flow_t *flow, gf_run_t *run)
{
    note_skipped(flow, run);
    gf_outcome_next_entry(flow, run, GF_E_NO_PROVIDER);
}

void gf_intent_skip_last(gf_flow_t *flow, gf_run_t *run)
{
    note_skipped(flow, run);
    gf_outcome_note_dearer(flow, run);
    run->of.generate.code = run->lease == GF_LEASE_UNSURE ? GF_E_NETWORK : GF_E_NO_PROVIDER;
}

bool gf_intent_is_store_closed(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return gf_err_is(run->err, GF_E_STORE_CLOSED);
}

/* Nothing was sent: it waits in the queue, and loses no retry. Another host may have room. */
void gf_intent_wait_for_store(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->job->attempts -= run->state == GF_STATE_INTENT;
    run->of.generate.code = GF_E_STORE_CLOSED;
    run->delay = GATE_WAIT;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the messages of an attempt by its provider's translators, within its deadlines, and reads
 * the answers. Dispatcher thread. */
#include "work/attempt.h"

#include <apr_strings.h>

#include "model/servers.h"
#include "model/type.h"
#include "provider/intent.h"
#include "store/gate.h"
#include "work/exchange.h"

#define SUBMIT_SHARE 2 /* of the deadline, where a lost answer can be reconciled in the rest */
#define SUBMIT_LEAST 4 /* ... and at least this share, however long its list takes */
#define LAST_WORDS   APR_USEC_PER_SEC /* before the generation's end: to cancel, and to say so */

/* ---- the chain entry ---- */

int gf_attempt_next(const gf_flow_t *flow, const gf_run_t *run, int position)
{
    gf_ctx_t ctx = flow->ctx; /* its pool is scratch */

    return gf_job_next(run->job, &ctx, position);
}

void gf_attempt_choose(gf_run_t *run, int position)
{
    const gf_choice_t *choice = gf_type_choice(run->job->type, position);

    run->of.generate.choice = choice;
    run->job->provider = choice ? choice->provider->name : NULL;
    run->job->model = choice ? choice->model : NULL;
}

void gf_attempt_sources(gf_run_t *run)
{
    gf_generate_t *generate = &run->of.generate;

    generate->sources = prov_intent_sources(&generate->source_count, run->job, run->job->pool);
    generate->source_at = generate->source_count;
}

void gf_attempt_choose_recorded(const gf_flow_t *flow, gf_run_t *run)
{
    gf_job_t *job = run->job;
    gf_choice_t *recorded = apr_pcalloc(job->pool, sizeof(*recorded));

    recorded->provider = gf_servers_provider(flow->ctx.conf, job->provider);
    recorded->model = job->model;
    run->of.generate.choice = recorded->provider ? recorded : NULL;
    gf_attempt_sources(run);
}

void gf_attempt_count(gf_flow_t *flow, gf_run_t *run)
{
    gf_generate_t *generate = &run->of.generate;

    run->job->attempts++;
    generate->intent_until = gf_ctx_now(&flow->ctx) + flow->ctx.conf->lease;
    generate->webhook_token =
        prov_intent_token(flow->ctx.conf, generate->choice->provider, run->job->pool);
}

void gf_attempt_take(gf_run_t *run)
{
    gf_job_t *job = run->job;

    job->attempts = 1;
    run->of.generate.intent_until = job->intent_until;
    run->of.generate.webhook_token = job->webhook_token;
    run->lease = job->intent_watched ? GF_LEASE_WATCHED : GF_LEASE_OURS;
}

/* ---- messages ---- */

apr_time_t gf_attempt_deadline(const gf_flow_t *flow, const gf_run_t *run)
{
    apr_time_t own = gf_ctx_now(&flow->ctx) + run->of.generate.choice->provider->deadline;
    apr_time_t last = run->job->deadline - LAST_WORDS;

    return own < last ? own : last;
}

/* Where the provider may report the end of this attempt. */
static const char *provider_webhook_url(const gf_flow_t *flow, const gf_run_t *run,
                                        apr_pool_t *pool)
{
    const gf_generate_t *generate = &run->of.generate;

    return generate->webhook_token ? apr_pstrcat(pool, flow->ctx.conf->public_url, "/hook/",
                                                 generate->choice->provider->name, "/",
                                                 run->job->id, "/", generate->webhook_token, NULL)
                                   : NULL;
}

gf_prov_call_t gf_attempt_call(const gf_ctx_t *ctx, const gf_run_t *run, apr_pool_t *pool)
{
    static const gf_prov_source_t none = { NULL, NULL, NULL };
    const gf_generate_t *generate = &run->of.generate;
    const gf_prov_source_t *first = generate->source_count > 0 ? generate->sources : &none;
    gf_prov_call_t call = { .provider = generate->choice->provider,
                            .model = generate->choice->model,
                            .job = run->job,
                            .age = gf_ctx_now(ctx) - run->job->created,
                            .source = first->url,
                            .source_file = first->file,
                            .source_type = first->type,
                            .sources = generate->sources,
                            .source_count = generate->source_count,
                            .pixels_max = ctx->conf->asset_pixels_max,
                            .pool = pool };

    return call;
}

static gf_msg_t *limit_exchange(const gf_flow_t *flow, const gf_run_t *run, gf_msg_t *msg,
                                apr_interval_time_t left)
{
    gf_exchange_limit(flow, msg);
    msg->connect_timeout = run->of.generate.choice->provider->connect_timeout;
    msg->timeout = left > 0 ? left : GF_EXCHANGE_TIMEOUT;
    msg->spool = msg->spool ? msg->spool : run->result.spool; /* an answer may be the picture */
    return msg;
}

static apr_interval_time_t time_left(const gf_flow_t *flow, const gf_run_t *run)
{
    return run->of.generate.provider_deadline - gf_ctx_now(&flow->ctx);
}

gf_msg_t *gf_attempt_extend(const gf_flow_t *flow, const gf_run_t *run, gf_msg_t *msg)
{
    const gf_choice_t *choice = run->of.generate.choice;
    apr_interval_time_t left = time_left(flow, run);

    if (choice) {
        msg->connect_timeout = choice->provider->connect_timeout;
    }
    msg->timeout = left > msg->timeout ? left : msg->timeout;
    return msg;
}

/* How long the answer to a submission is waited for, of `total`. A run counts as never taken after
 * two waits for the provider's list. */
static apr_interval_time_t submit_time(const gf_provider_t *provider, apr_interval_time_t total)
{
    apr_interval_time_t half = total / SUBMIT_SHARE;
    apr_interval_time_t rest = total - 2 * (provider->list_wait + provider->poll) - LAST_WORDS;
    apr_interval_time_t least = total / SUBMIT_LEAST;

    if (!provider->kind->reconcile) {
        return total;
    }
    if (!provider->kind->poll || rest > half) { /* its list never says that a run is absent */
        return half;
    }
    return rest > least ? rest : least;
}

/* A request without pictures is small, and goes to the job's pool: many wait for their answer at
 * once, and each pool takes 8 kB. */
gf_msg_t *gf_attempt_submit(gf_flow_t *flow, gf_run_t *run)
{
    gf_generate_t *generate = &run->of.generate;
    const gf_provider_t *provider = generate->choice->provider;
    apr_pool_t *pool = generate->source_count > 0 ? gf_run_pool(flow) : run->job->pool;
    gf_prov_call_t call = gf_attempt_call(&flow->ctx, run, pool);
    gf_msg_t *msg;

    generate->provider_deadline = gf_attempt_deadline(flow, run);
    call.provider_webhook_url = provider_webhook_url(flow, run, call.pool);
    msg = provider->kind->submit(&call);
    msg->once = true;
    return limit_exchange(flow, run, msg, submit_time(provider, time_left(flow, run)));
}

/* One more exchange that the answer before needs; NULL: none. */
static gf_msg_t *take_next(gf_run_t *run)
{
    gf_msg_t *next = run->outcome.next;

    run->outcome.next = NULL;
    return next;
}

gf_msg_t *gf_attempt_poll(gf_flow_t *flow, gf_run_t *run)
{
    gf_msg_t *msg = take_next(run);

    if (!msg) {
        gf_prov_call_t call = gf_attempt_call(&flow->ctx, run, gf_run_pool(flow));

        msg = call.provider->kind->poll(&call);
    }
    return limit_exchange(flow, run, msg, time_left(flow, run));
}

gf_msg_t *gf_attempt_list(gf_flow_t *flow, gf_run_t *run)
{
    gf_msg_t *msg = take_next(run);

    if (!msg) {
        gf_prov_call_t call = gf_attempt_call(&flow->ctx, run, gf_run_pool(flow));

        run->of.generate.listed_at = gf_ctx_now(&flow->ctx);
        msg = call.provider->kind->reconcile(&call);
    }
    return limit_exchange(flow, run, msg, time_left(flow, run));
}

gf_msg_t *gf_attempt_fetch(gf_flow_t *flow, gf_run_t *run)
{
    return gf_attempt_extend(flow, run, gf_exchange_fetch(flow, run));
}

gf_msg_t *gf_attempt_source(gf_flow_t *flow, gf_run_t *run)
{
    const gf_generate_t *generate = &run->of.generate;
    const gf_prov_source_t *source = &generate->sources[generate->source_at];
    const gf_conf_t *conf = flow->ctx.conf;
    gf_msg_t *msg = gf_exchange_guarded(flow, source->url, source->file, conf->source_allowed);

    msg->connect_timeout = generate->choice->provider->connect_timeout;
    msg->file_max = conf->asset_max;
    return msg;
}

void gf_attempt_cancel(gf_flow_t *flow, gf_run_t *run)
{
    const gf_provider_t *provider = run->of.generate.choice->provider;
    gf_prov_call_t call;
    gf_msg_t *msg;

    if (!provider->kind->cancel || !run->job->provider_ref) {
        return;
    }
    call = gf_attempt_call(&flow->ctx, run, gf_run_pool(flow));
    msg = gf_exchange_limit(flow, provider->kind->cancel(&call));
    msg->connect_timeout = provider->connect_timeout;
    APR_ARRAY_PUSH(flow->asides, gf_msg_t *) = msg;
}

/* ---- answers ---- */

/* Did the provider answer, or is it out of reach? True: it is out of reach, as was known. */
static bool note_reach(gf_flow_t *flow, const gf_run_t *run)
{
    const gf_provider_t *provider = run->of.generate.choice->provider;
    bool known = false;

    if (run->msg->unreached) {
        known = !gf_reach_missed(&flow->reach, gf_run_about(flow, run), provider, run->msg->detail);
    }
    else if (run->msg->end == GF_MSG_ANSWERED) {
        gf_reach_answered(&flow->reach, gf_run_about(flow, run), provider);
    }
    gf_shortcut_note_reach(gf_hub_shortcut(flow->hub), flow->reach.count == 0);
    return known;
}

/* What the answer says about its provider and model. Too many requests are no fault of theirs. */
static void note_health(gf_run_t *run)
{
    const gf_outcome_t *outcome = &run->outcome;
    gf_health_t *health = &run->of.generate.health;
    bool rate = outcome->code == GF_E_RATE_LIMIT;

    if (outcome->alarm || outcome->unknown_model) {
        health->went = GF_WENT_REFUSED;
    }
    else if (outcome->state == GF_PROV_UNKNOWN || (outcome->state == GF_PROV_TRANSIENT && !rate)) {
        health->went = GF_WENT_WRONG;
    }
    else if (health->watched && outcome->state != GF_PROV_NEXT) {
        health->went = GF_WENT_WELL;
        health->watched = false;
    }
    if (health->went == GF_WENT_REFUSED || health->went == GF_WENT_WRONG) {
        health->why = apr_pstrdup(
            run->job->pool, outcome->detail ? outcome->detail : gf_err_row(outcome->code)->code);
    }
}

static void log_outcome(gf_flow_t *flow, gf_run_t *run)
{
    static const char *const words[] = {
        [GF_PROV_SUCCEEDED] = "succeeded",   [GF_PROV_WORKING] = "working",
        [GF_PROV_NEXT] = "has more to read", [GF_PROV_TRANSIENT] = "failed for now",
        [GF_PROV_PERMANENT] = "failed",      [GF_PROV_FILTERED] = "filtered",
        [GF_PROV_EMPTY] = "empty",           [GF_PROV_UNKNOWN] = "unknown"
    };
    const gf_outcome_t *outcome = &run->outcome;
    const char *detail = outcome->detail ? outcome->detail : "";
    bool news = outcome->state != GF_PROV_NEXT
                && (outcome->state != GF_PROV_WORKING || run->state == GF_STATE_SENT);

    if (detail[0] && outcome->state != GF_PROV_SUCCEEDED) { /* for the line of its end */
        run->of.generate.words = apr_pstrdup(run->job->pool, detail);
    }
    if (news) {
        gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0402", "%s%s%s",
               words[outcome->state], detail[0] ? ": " : "", detail);
    }
    if (outcome->alarm) {
        gf_log(gf_run_about(flow, run), GF_LOG_ERR, APR_SUCCESS, "GF0403",
               "the provider refuses our key or account: %s; check GenflowProviderKey and the "
               "account's credit there",
               detail);
    }
}

static void read_answer(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool, gf_msg_reader_t *usual,
                        bool about_the_model)
{
    gf_health_t *health = &run->of.generate.health;
    gf_prov_call_t call = gf_attempt_call(&flow->ctx, run, pool);
    bool known_missed;

    if (run->msg->spool_rv) {
        gf_gate_failed(gf_run_about(flow, run), run->msg->spool_rv, run->msg->spool);
    }
    gf_provider_read(&run->outcome, &call, run->msg, usual);
    known_missed = note_reach(flow, run);
    health->unknown = run->outcome.unknown_model;
    if (about_the_model && call.provider->breaker_open > 0 && !known_missed) {
        note_health(run);
    }
    log_outcome(flow, run);
}

void gf_attempt_read_submit(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool)
{
    read_answer(flow, run, pool, run->of.generate.choice->provider->kind->read_submit, true);
}

void gf_attempt_read_poll(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool)
{
    read_answer(flow, run, pool, run->of.generate.choice->provider->kind->read_poll, true);
}

void gf_attempt_read_list(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool)
{
    read_answer(flow, run, pool, run->of.generate.choice->provider->kind->read_reconcile, false);
}

void gf_attempt_read_fetch(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool)
{
    gf_exchange_read_fetch(flow, run, pool);
    log_outcome(flow, run);
}

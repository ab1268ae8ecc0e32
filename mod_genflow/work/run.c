/* SPDX-License-Identifier: Apache-2.0 */
/* The engine of runs: finds the rule for an event and enters the next state. Knows no kind of job
 * and no state but START and OVER. Dispatcher thread, but for perform_act(), which runs on a
 * writer. */
#include "work/run.h"

#include <apr_strings.h>

#include "base/hash.h"
#include "base/inject.h"
#include "model/realm.h"
#include "model/servers.h"
#include "net/net.h"

#define DATABASE_PAUSE (APR_USEC_PER_SEC / 2)
#define CALL_BYTES     16

gf_run_t *gf_run_make(gf_job_t *job, const gf_kind_t *kind)
{
    gf_run_t *run = apr_pcalloc(job->pool, sizeof(*run));

    run->job = job;
    run->kind = kind;
    return run;
}

const gf_ctx_t *gf_run_about(gf_flow_t *flow, const gf_run_t *run)
{
    flow->ctx.subject = gf_job_subject(run->job, flow->ctx.pool);
    return &flow->ctx;
}

apr_pool_t *gf_run_pool(const gf_flow_t *flow)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, flow->pool);
    return pool;
}

void gf_run_publish_end(gf_flow_t *flow, gf_run_t *run)
{
    (void)GF_INJECT(gf_run_about(flow, run), "news", "before");
    if (run->final) {
        gf_shortcut_give(gf_hub_shortcut(flow->hub), run->job->id, run->final);
    }
    gf_hub_bg_publish(flow->hub, run->job->id, run->job->user, GF_NEWS_ENDED);
    (void)GF_INJECT(gf_run_about(flow, run), "news", "after");
}

void gf_run_note_outage(gf_flow_t *flow, gf_run_t *run)
{
    if (run->pauses == 0) {
        gf_err_log(gf_run_about(flow, run), run->err);
    }
}

/* ---- acts ---- */

/* An error outlives the writer's pool: it goes along with the run. */
static gf_err_t *take_along(gf_run_t *run, const gf_err_t *err)
{
    gf_err_t *copy = apr_pmemdup(run->job->pool, err, sizeof(*err));

    copy->detail = apr_pstrdup(run->job->pool, err->detail);
    return copy;
}

/* The configuration that a call for this run gets. */
static const gf_conf_t *conf_of(const gf_conf_t *conf, const gf_run_t *run)
{
    const gf_conf_t *of_type = gf_servers_of_type(conf, run->job->type);

    return run->kind->of_user ? gf_realm_conf(of_type, run->job->user) : of_type;
}

static void perform_act(gf_task_t *task, gf_ctx_t *ctx)
{
    gf_run_t *run = (gf_run_t *)task;
    const gf_kind_t *kind = run->kind;
    const gf_duty_t *duty = &kind->duties[run->state];
    const gf_conf_t *before = ctx->conf;
    gf_err_t *err;

    ctx->conf = conf_of(before, run);
    ctx->subject = gf_job_subject(run->job, ctx->pool);
    ctx->call = run->call;
    err = GF_INJECT_STATE(ctx, kind->name, gf_state_name(run->state), "before");
    if (!err) {
        err = kind->perform ? kind->perform(run, ctx, duty->act) : duty->act(run, ctx);
    }
    if (!err) {
        err = GF_INJECT_STATE(ctx, kind->name, gf_state_name(run->state), "after");
    }
    run->err = err ? take_along(run, err) : NULL;
    ctx->call = NULL;
    ctx->subject = "";
    ctx->conf = before;
}

gf_event_t gf_run_written(const gf_run_t *run)
{
    return !run->err                           ? GF_EVENT_WRITTEN
           : gf_err_is(run->err, GF_E_DB_DOWN) ? GF_EVENT_NO_DATABASE
                                               : GF_EVENT_REFUSED;
}

/* ---- states ---- */

static gf_step_t give_act(const gf_flow_t *flow, gf_run_t *run)
{
    run->is_awaited = gf_shortcut_is_awaited(gf_hub_shortcut(flow->hub), run->job->id);
    run->pending = GF_PENDING_WRITER;
    run->task.run = perform_act;
    run->task.slow = run->kind->duties[run->state].slow;
    return GF_STEP_BEGINS;
}

static gf_step_t set_alarm(gf_flow_t *flow, gf_run_t *run, apr_interval_time_t wait)
{
    run->pending = GF_PENDING_ALARM;
    run->wake = gf_ctx_now(&flow->ctx) + wait;
    return GF_STEP_BEGINS;
}

/* Handles the events that came while the run was busy. */
static gf_step_t wait_for_alarm(gf_flow_t *flow, gf_run_t *run)
{
    gf_event_t postponed = run->postponed;
    gf_step_t step;

    set_alarm(flow, run, run->kind->duties[run->state].wait(flow, run));
    if (postponed == GF_EVENT_NONE) {
        return GF_STEP_BEGINS;
    }
    run->postponed = GF_EVENT_NONE;
    step = gf_run_take(flow, run, postponed);
    return step == GF_STEP_STAYS ? GF_STEP_BEGINS : step;
}

static gf_step_t enter_state(gf_flow_t *flow, gf_run_t *run, gf_state_t state)
{
    const gf_duty_t *duty = &run->kind->duties[state];

    run->state = state;
    run->pending = GF_PENDING_NOTHING;
    run->pauses = 0;
    switch (duty->by) {
    case GF_BY_WRITER:
        apr_cpystrn(run->call, gf_hash_random(flow->ctx.pool, CALL_BYTES), sizeof(run->call));
        return give_act(flow, run);
    case GF_BY_NET:
        (void)GF_INJECT_STATE(gf_run_about(flow, run), run->kind->name, gf_state_name(state),
                              "before");
        run->msg = duty->message(flow, run);
        run->msg->owner = run;
        run->pending = GF_PENDING_EXCHANGE;
        return GF_STEP_BEGINS;
    case GF_BY_ALARM:
        return wait_for_alarm(flow, run);
    case GF_BY_ITSELF:
    case GF_BY_NOBODY:
        break;
    }
    return GF_STEP_OVER;
}

/* ---- rules ---- */

const gf_rule_t *gf_run_rule(const gf_flow_t *flow, const gf_run_t *run, gf_event_t event)
{
    int i;

    for (i = 0; i < run->kind->rule_count; i++) {
        const gf_rule_t *rule = &run->kind->rules[i];

        if (rule->states & 1u << run->state && rule->events & 1u << event
            && (!rule->when || rule->when(flow, run))) {
            return rule;
        }
    }
    return NULL;
}

const gf_conf_t *gf_run_enter(gf_flow_t *flow, const gf_run_t *run)
{
    const gf_conf_t *before = flow->ctx.conf;

    flow->ctx.conf = conf_of(before, run);
    return before;
}

bool gf_run_ends(gf_flow_t *flow, const gf_run_t *run, gf_event_t event)
{
    const gf_conf_t *before = gf_run_enter(flow, run);
    const gf_rule_t *rule = gf_run_rule(flow, run, event);

    flow->ctx.conf = before;
    return rule && rule->next == GF_STATE_OVER;
}

/* The safe way: what is under way ends by itself and is believed then; a run that has nothing under
 * way is dropped. */
static gf_step_t meet_bug(gf_flow_t *flow, gf_run_t *run, gf_event_t event)
{
    bool stays = event == GF_EVENT_WEBHOOK_RECEIVED || event == GF_EVENT_JOB_ENDED
                 || event == GF_EVENT_LEASE_LOST;

    gf_log(
        gf_run_about(flow, run), GF_LOG_CRIT, APR_SUCCESS, "GF0440",
        "no rule of %s for %s in state %s: this is a bug; please report it. Nothing is sent; the "
        "lease expires and another host resumes the job",
        run->kind->name, gf_event_name(event), gf_state_name(run->state));
    return stays ? GF_STEP_STAYS : GF_STEP_OVER;
}

static gf_step_t follow_rule(gf_flow_t *flow, gf_run_t *run, const gf_rule_t *rule,
                             gf_event_t event)
{
    if (rule->then) {
        rule->then(flow, run);
    }
    switch (rule->next) {
    case GF_NEXT_STAY:
        return GF_STEP_STAYS;
    case GF_NEXT_POSTPONE: /* the end of the job counts more than a webhook */
        run->postponed = event > run->postponed ? event : run->postponed;
        return GF_STEP_STAYS;
    case GF_NEXT_PAUSE:
        run->pauses++;
        return set_alarm(flow, run, DATABASE_PAUSE);
    case GF_NEXT_AGAIN:
        return give_act(flow, run);
    default:
        if (run->kind->count) {
            run->kind->count(flow, run, event, rule->next);
        }
        return enter_state(flow, run, rule->next);
    }
}

/* Texts of the answer live in a pool of their own, which may become the next exchange's. */
static gf_step_t take_answer(gf_flow_t *flow, gf_run_t *run)
{
    const gf_duty_t *duty = &run->kind->duties[run->state];
    apr_pool_t *pool = gf_run_pool(flow);
    gf_msg_t *msg = run->msg;
    const gf_rule_t *rule;
    gf_step_t step;

    (void)GF_INJECT_STATE(gf_run_about(flow, run), run->kind->name, gf_state_name(run->state),
                          "after");
    if (duty->read) {
        duty->read(flow, run, pool);
    }
    rule = gf_run_rule(flow, run, GF_EVENT_ANSWERED);
    step = rule ? follow_rule(flow, run, rule, GF_EVENT_ANSWERED)
                : meet_bug(flow, run, GF_EVENT_ANSWERED);
    if (run->msg == msg) {
        run->msg = NULL;
    }
    if (!run->msg || run->msg->pool != pool) {
        apr_pool_destroy(pool);
    }
    gf_net_free_answer(msg);
    if (msg->pool != run->job->pool) {
        apr_pool_destroy(msg->pool);
    }
    return step;
}

static gf_step_t take_event(gf_flow_t *flow, gf_run_t *run, gf_event_t event)
{
    const gf_rule_t *rule;

    if (event == GF_EVENT_ANSWERED) {
        return take_answer(flow, run);
    }
    if (event == GF_EVENT_REFUSED && !gf_err_is(run->err, GF_E_STORE_CLOSED)) {
        gf_err_log(gf_run_about(flow, run), run->err);
    }
    rule = gf_run_rule(flow, run, event);
    return rule ? follow_rule(flow, run, rule, event) : meet_bug(flow, run, event);
}

gf_step_t gf_run_take(gf_flow_t *flow, gf_run_t *run, gf_event_t event)
{
    const gf_conf_t *before = gf_run_enter(flow, run);
    gf_step_t step = take_event(flow, run, event);

    flow->ctx.conf = before;
    return step;
}

gf_step_t gf_run_begin(gf_flow_t *flow, gf_run_t *run)
{
    const gf_conf_t *before = gf_run_enter(flow, run);

    if (run->kind->prepare) {
        run->kind->prepare(flow, run);
    }
    flow->ctx.conf = before;
    return gf_run_take(flow, run, GF_EVENT_BEGUN);
}

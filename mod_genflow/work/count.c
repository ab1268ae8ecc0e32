/* SPDX-License-Identifier: Apache-2.0 */
/* Submissions, attempts and ends of generations. */
#include "work/count.h"

static const char *provider_of(const gf_run_t *run)
{
    const gf_choice_t *choice = run->of.generate.choice;

    return choice ? choice->provider->name : NULL;
}

void gf_count_provider(const gf_flow_t *flow, const gf_run_t *run, gf_metric_t metric)
{
    gf_metric_add(flow->ctx.metrics, metric, 1, provider_of(run), NULL, NULL);
}

void gf_count_work(const gf_flow_t *flow, gf_metric_t metric, const char *result)
{
    gf_metric_add(flow->ctx.metrics, metric, 1, result, NULL, NULL);
}

static void count_submission(const gf_flow_t *flow, gf_run_t *run)
{
    run->of.generate.sent_at = gf_ctx_now(&flow->ctx);
    gf_count_provider(flow, run, GF_METRIC_SUBMISSIONS);
    gf_metric_add(flow->ctx.metrics, GF_METRIC_COST, run->of.generate.choice->provider->price,
                  provider_of(run), NULL, NULL);
}

/* Once in an attempt: its answer is lost, here or in a process before this one. */
static void count_loss(const gf_flow_t *flow, gf_run_t *run, gf_event_t event, gf_state_t next)
{
    bool is_lost = event == GF_EVENT_ANSWERED && run->outcome.state == GF_PROV_UNKNOWN;

    if (!run->of.generate.was_lost
        && (is_lost || (run->state == GF_STATE_ADOPT && next == GF_STATE_LOST))) {
        run->of.generate.was_lost = true;
        gf_count_provider(flow, run, GF_METRIC_UNKNOWN);
    }
}

/* How the attempt ended that this process has sent; NULL: it has not ended, or another process goes
 * on with it. */
static const char *result_of(const gf_run_t *run, gf_event_t event, gf_state_t next)
{
    bool is_lost = event == GF_EVENT_ANSWERED && run->outcome.state == GF_PROV_UNKNOWN;

    switch (next) {
    case GF_STATE_CHECK:
        return "succeeded";
    case GF_STATE_REQUEUE:
        return run->of.generate.unsure ? "unknown" : "failed";
    case GF_STATE_FAIL:
        return event == GF_EVENT_JOB_ENDED ? "cancelled" : is_lost ? "unknown" : "failed";
    default:
        return NULL;
    }
}

void gf_count_generate(const gf_flow_t *flow, gf_run_t *run, gf_event_t event, gf_state_t next)
{
    gf_metrics_t *metrics = flow->ctx.metrics;
    apr_time_t now = gf_ctx_now(&flow->ctx);
    const char *result = result_of(run, event, next);

    if (next == GF_STATE_SENT) {
        count_submission(flow, run);
    }
    count_loss(flow, run, event, next);
    if (result && run->of.generate.sent_at) {
        gf_metric_observe(metrics, GF_METRIC_ATTEMPTS, now - run->of.generate.sent_at,
                          provider_of(run), result);
        run->of.generate.sent_at = 0;
    }
    if (next == GF_STATE_OVER && event == GF_EVENT_WRITTEN && run->settled == GF_SETTLED_DONE) {
        gf_metric_observe(metrics, GF_METRIC_DURATION, now - run->job->created,
                          run->job->type->name,
                          run->state == GF_STATE_FAIL ? "failed" : "completed");
    }
}

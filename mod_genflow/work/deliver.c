/* SPDX-License-Identifier: Apache-2.0 */
/* Webhook delivery. 2xx: delivered. 410: unsubscribed. Anything else is retried with growing delays
 * for about four days. Delivery is at least once, under a stable webhook-id. Writer threads for
 * acts, dispatcher thread for all else. */
#include "work/deliver.h"

#include <string.h>

#include <apr_strings.h>

#include "base/sign.h"
#include "db/delivery.h"
#include "db/prediction.h"
#include "model/output.h"
#include "model/url.h"
#include "model/webhook.h"
#include "work/count.h"
#include "work/exchange.h"

#define MINUTE          60
#define HOUR            (60 * MINUTE)
#define ATTEMPTS        ((int)(sizeof(delays) / sizeof(delays[0])) + 1)
#define SPREAD          10 /* up to a tenth more: what failed at once does not come back at once */
#define RETRY_AFTER_MAX HOUR /* of a receiver's Retry-After */
#define GONE            410
#define ANSWER_MAX      4096 /* bytes of the receiver's answer, which is not read */

/* Seconds before the second attempt, and before each later one. */
static const int delays[] = { 5,         5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR,
                              10 * HOUR, 14 * HOUR,  20 * HOUR,   24 * HOUR };

/* ---- acts ---- */

/* A prediction as it began, whatever has become of it: its end is delivered on its own. */
static void show_begin(gf_view_t *views, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        views[i].status = strcmp(views[i].status, "pending") == 0 ? "pending" : "processing";
        views[i].finished_at = NULL;
    }
}

/* The body of a generation that was requested as a prediction: what a GET of the prediction
 * answers. NULL: the client does not want this event, or the prediction has not ended. */
static gf_err_t *read_prediction(gf_run_t *run, gf_ctx_t *ctx, const gf_prediction_t *prediction,
                                 const gf_view_t *view, const char *site)
{
    bool is_start = strcmp(run->job->delivery_event, "start") == 0;
    gf_view_t views[GF_BATCH_MAX];
    gf_out_t out;
    int count;

    GF_TRY(gf_prediction_views(views, &count, ctx, prediction, view));
    if (is_start) {
        show_begin(views, count);
    }
    if (is_start ? prediction->on_start : prediction->on_end && gf_prediction_ended(views, count)) {
        gf_out_init(&out, run->job->pool, 2048);
        gf_prediction_write(&out, ctx, prediction, views, count, site, NULL, false);
        run->of.deliver.body = out.text;
        run->of.deliver.about =
            apr_pstrcat(run->job->pool, views->id, is_start ? "-start" : NULL, NULL);
    }
    return NULL;
}

/* The body is what a GET of the generation at GenflowPublicUrl answers. */
static gf_err_t *act_read(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *host = strstr(ctx->conf->public_url, "://") + 3;
    const char *base = host + strcspn(host, "/");
    const char *site = apr_pstrmemdup(ctx->pool, ctx->conf->public_url,
                                      (apr_size_t)(base - ctx->conf->public_url));
    gf_find_t find = { .id = run->job->id };
    gf_view_t view = { .webhook_url = NULL };
    gf_err_t *err = gf_queue_get(&view, ctx, run->job->type, run->job->user, &find);
    gf_prediction_t prediction = { .model = NULL };
    gf_output_t output;
    gf_out_t out;

    if (err && !gf_err_is(err, GF_E_NO_GENERATION)) {
        return err;
    }
    if (!view.webhook_url) {
        return NULL;
    }
    run->of.deliver.url = apr_pstrdup(run->job->pool, view.webhook_url);
    run->of.deliver.about = run->job->id;
    if (gf_prediction_read(&prediction, ctx, &view)) {
        return read_prediction(run, ctx, &prediction, &view, site);
    }
    if (strcmp(run->job->delivery_event, "end") != 0) {
        return NULL;
    }
    if (gf_output_read(&output, ctx, &view)) {
        run->of.deliver.body =
            apr_pstrdup(run->job->pool, gf_output_webhook(ctx, &view, output.is_one, site));
        return NULL;
    }
    gf_out_begin(&out, run->job->pool);
    gf_view_write(&out, &view, base, site);
    gf_out_close(&out, '}');
    run->of.deliver.body = out.text;
    return NULL;
}

static gf_err_t *act_settle(gf_run_t *run, gf_ctx_t *ctx)
{
    return gf_delivery_note(ctx, run->job, run->delay);
}

/* ---- the exchange ---- */

/* One signature, or while the site changes its secret two: a receiver accepts either. */
static const char *webhook_signatures(gf_ctx_t *ctx, const gf_job_t *job, const char *about,
                                      const char *body)
{
    size_t length = strlen(body);
    const char *now;
    const char *old;
    const char *text;

    gf_webhook_secrets(&now, &old, ctx, job->user);
    text = apr_pstrcat(ctx->pool, GF_SIGN_VERSION,
                       gf_sign(ctx->pool, now, about, job->webhook_timestamp, body, length), NULL);
    return old ? apr_pstrcat(ctx->pool, text, " ", GF_SIGN_VERSION,
                             gf_sign(ctx->pool, old, about, job->webhook_timestamp, body, length),
                             NULL)
               : text;
}

/* By Standard Webhooks: the id is the same at every attempt. The address is the client's word. */
static gf_msg_t *make_message(gf_flow_t *flow, gf_run_t *run)
{
    const gf_conf_t *conf = flow->ctx.conf;
    const gf_job_t *job = run->job;
    gf_msg_t *msg = gf_msg_make(gf_run_pool(flow), "POST", run->of.deliver.url);
    gf_ctx_t ctx = flow->ctx;

    gf_exchange_limit(flow, msg);
    msg->timeout = conf->webhook_timeout;
    msg->guarded = true;
    msg->allowed = conf->source_allowed;
    msg->text_max = ANSWER_MAX;
    msg->body = run->of.deliver.body;
    apr_table_setn(msg->headers, "Content-Type", "application/json");
    apr_table_setn(msg->headers, "webhook-id", run->of.deliver.about);
    apr_table_setn(msg->headers, "webhook-timestamp", job->webhook_timestamp);
    ctx.pool = msg->pool;
    apr_table_setn(msg->headers, "webhook-signature",
                   webhook_signatures(&ctx, job, run->of.deliver.about, msg->body));
    return msg;
}

/* ---- guards and actions ---- */

static bool is_deleted(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return !run->of.deliver.body;
}

/* Why nothing may be sent to the address; NULL: it may. The configuration may have changed, or be
 * another host's. */
static const char *why_forbidden(const gf_flow_t *flow, const gf_run_t *run)
{
    gf_ctx_t ctx = flow->ctx;

    return gf_webhook_wrong(&ctx, run->of.deliver.url);
}

static bool is_forbidden(const gf_flow_t *flow, const gf_run_t *run)
{
    return why_forbidden(flow, run) != NULL;
}

/* The status decides, even if the rest of the answer was lost. */
static bool is_delivered(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->msg->status / 100 == 2;
}

static bool is_unsubscribed(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->msg->status == GONE;
}

/* Its whole address may hold a secret of the client's. */
static const char *host_of(const gf_flow_t *flow, const gf_run_t *run)
{
    const char *address = run->of.deliver.url;
    gf_url_t url;

    return address && !gf_url_read(&url, address, flow->ctx.pool) ? url.host : "?";
}

static apr_interval_time_t retry_delay(int next_attempt)
{
    apr_interval_time_t delay = apr_time_from_sec(delays[next_attempt - 2]);
    unsigned char drawn;

    apr_generate_random_bytes(&drawn, sizeof(drawn));
    return delay + delay / SPREAD * drawn / 255;
}

/* least: the receiver's Retry-After; 0: none. */
static void retry_later(gf_flow_t *flow, gf_run_t *run, const char *why, apr_interval_time_t least)
{
    const gf_ctx_t *ctx = gf_run_about(flow, run);
    int attempts = run->job->delivery_attempts;
    apr_interval_time_t delay;

    gf_count_work(flow, GF_METRIC_DELIVERIES, attempts >= ATTEMPTS ? "given_up" : "retried");
    if (attempts >= ATTEMPTS) {
        run->delay = 0;
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0432",
               "webhook delivery to %s failed after %d attempts, giving up; the last failure: %s. "
               "The receiver must answer 2xx; the client can still poll",
               host_of(flow, run), attempts, why);
        return;
    }
    delay = retry_delay(attempts + 1);
    run->delay = delay > least ? delay : least;
    gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0431",
           "webhook delivery to %s failed: %s; retry in %d s", host_of(flow, run), why,
           (int)apr_time_sec(run->delay));
}

static void end_delivery(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->delay = 0;
}

static void retry_unread(gf_flow_t *flow, gf_run_t *run)
{
    retry_later(flow, run, "the generation cannot be read", 0);
}

static void retry_forbidden(gf_flow_t *flow, gf_run_t *run)
{
    retry_later(flow, run,
                apr_pstrcat(flow->ctx.pool, "the address ", why_forbidden(flow, run), NULL), 0);
}

static void retry_failed(gf_flow_t *flow, gf_run_t *run)
{
    const gf_msg_t *msg = run->msg;
    bool redirect = msg->status / 100 == 3;
    const char *why = msg->status ? apr_psprintf(flow->ctx.pool, "HTTP %d%s", msg->status,
                                                 redirect ? ", which is not followed" : "")
                                  : msg->detail;

    retry_later(flow, run, why, gf_msg_retry_after(msg, RETRY_AFTER_MAX));
}

static void report_delivered(gf_flow_t *flow, gf_run_t *run)
{
    gf_count_work(flow, GF_METRIC_DELIVERIES, "done");
    end_delivery(flow, run);
    gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0430",
           "webhook delivered to %s, attempt %d", host_of(flow, run), run->job->delivery_attempts);
}

static void report_unsubscribed(gf_flow_t *flow, gf_run_t *run)
{
    gf_count_work(flow, GF_METRIC_DELIVERIES, "given_up");
    end_delivery(flow, run);
    gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0433",
           "webhook unsubscribed: %s answers HTTP 410, nothing more is delivered there for this "
           "generation",
           host_of(flow, run));
}

/* ---- the table ---- */

#define IN(state) GF_IN(state)
#define ON(event) GF_ON(event)
#define WRITES    (IN(READ) | IN(SETTLE))

static const gf_duty_t duties[GF_STATES] = {
    [GF_STATE_START] = { .by = GF_BY_ITSELF },
    [GF_STATE_READ] = { .by = GF_BY_WRITER, .act = act_read },
    [GF_STATE_DELIVER] = { .by = GF_BY_NET, .message = make_message },
    [GF_STATE_SETTLE] = { .by = GF_BY_WRITER, .act = act_settle },
    [GF_STATE_OVER] = { .by = GF_BY_ITSELF },
};

#define R(states, events, when, then, next) GF_RULE(states, events, when, then, GF_STATE_##next)
#define N(states, events, when, then, next) GF_RULE(states, events, when, then, GF_NEXT_##next)

/* clang-format off */
static const gf_rule_t rules[] = {
    R(IN(START), ON(BEGUN), NULL, NULL, READ),
    R(IN(READ), ON(WRITTEN), is_deleted, end_delivery, SETTLE),
    R(IN(READ), ON(WRITTEN), is_forbidden, retry_forbidden, SETTLE),
    R(IN(READ), ON(WRITTEN), NULL, NULL, DELIVER),
    R(IN(READ), ON(REFUSED), NULL, retry_unread, SETTLE),
    R(IN(DELIVER), ON(ANSWERED), is_delivered, report_delivered, SETTLE),
    R(IN(DELIVER), ON(ANSWERED), is_unsubscribed, report_unsubscribed, SETTLE),
    R(IN(DELIVER), ON(ANSWERED), NULL, retry_failed, SETTLE),
    R(IN(SETTLE), ON(WRITTEN) | ON(REFUSED), NULL, NULL, OVER),
    N(WRITES, ON(NO_DATABASE), NULL, gf_run_note_outage, PAUSE),
    N(WRITES, ON(ALARM), NULL, NULL, AGAIN),
};
/* clang-format on */

const gf_kind_t gf_kind_deliver = { .name = "deliver",
                                    .of_user = true,
                                    .duties = duties,
                                    .rules = rules,
                                    .rule_count = sizeof(rules) / sizeof(rules[0]) };

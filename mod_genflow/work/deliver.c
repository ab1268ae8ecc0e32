/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of telling: whoever answers 2xx has it, who answers 410 wants none, all others are told
 * again, later each time, and after some days no more. Told twice is possible, by one id. Runs on
 * the dispatcher thread. */
#include "work/deliver.h"

#include <string.h>

#include <apr_strings.h>

#include "model/url.h"
#include "model/webhook.h"
#include "work/exchange.h"

#define MINUTE        60
#define HOUR          (60 * MINUTE)
#define TRIES         ((int)(sizeof(waits) / sizeof(waits[0])) + 1)
#define SPREAD        10   /* up to a tenth more: what failed at once does not come back at once */
#define ASKED_FOR_MAX HOUR /* a wait by Retry-After */
#define GONE          410

/* Seconds before the second try, and before each one behind it. */
static const int waits[] = { 5,         5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR,
                             10 * HOUR, 14 * HOUR,  20 * HOUR,   24 * HOUR };

static gf_step_t note(gf_steps_t *steps, gf_run_t *run, apr_interval_time_t delay)
{
    run->delay = delay;
    return gf_steps_act(steps, run, GF_ACT_TOLD);
}

/* Its whole address may hold a secret of the client's. */
static const char *host_of(const gf_steps_t *steps, const gf_run_t *run)
{
    gf_url_t url;

    return run->webhook_url && !gf_url_read(&url, run->webhook_url, steps->ctx.pool) ? url.host
                                                                                     : "?";
}

static apr_interval_time_t wait_before(int next_try)
{
    apr_interval_time_t wait = apr_time_from_sec(waits[next_try - 2]);
    unsigned char drawn;

    apr_generate_random_bytes(&drawn, sizeof(drawn));
    return wait + wait / SPREAD * drawn / 255;
}

/* least: what the receiver asked to wait for; 0: nothing. */
static gf_step_t again(gf_steps_t *steps, gf_run_t *run, const char *why, apr_interval_time_t least)
{
    const gf_ctx_t *ctx = gf_steps_about(steps, run);
    int tries = run->job->tell_tries;
    apr_interval_time_t wait;

    if (tries >= TRIES) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0432",
               "its webhook at %s could not be told in %d tries, the last time: %s; it is told no "
               "more. Its receiver must answer 2xx; what it missed, the generation's status tells",
               host_of(steps, run), tries, why);
        return note(steps, run, 0);
    }
    wait = wait_before(tries + 1);
    wait = wait > least ? wait : least;
    gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0431",
           "its webhook at %s could not be told: %s; again in %d s", host_of(steps, run), why,
           (int)apr_time_sec(wait));
    return note(steps, run, wait);
}

gf_step_t gf_tell_read(gf_steps_t *steps, gf_run_t *run)
{
    const char *wrong = run->told ? gf_webhook_wrong(&steps->ctx, run->webhook_url) : NULL;

    if (!run->told) { /* it was deleted meanwhile */
        return note(steps, run, 0);
    }
    if (wrong) { /* the configuration has changed, or is another host's */
        return again(steps, run, apr_pstrcat(steps->ctx.pool, "the address ", wrong, NULL), 0);
    }
    gf_exchange_tell(steps, run);
    return GF_STEP_GOES_ON;
}

static const char *why_not(const gf_msg_t *msg, apr_pool_t *pool)
{
    return !msg->status ? msg->detail
                        : apr_psprintf(pool, "HTTP %d%s", msg->status,
                                       msg->status / 100 == 3 ? ", which is not followed" : "");
}

gf_step_t gf_tell_answered(gf_steps_t *steps, gf_run_t *run)
{
    gf_msg_t *msg = run->msg;
    gf_step_t step;

    run->msg = NULL;
    if (msg->status / 100 == 2) { /* whatever became of the answer's rest */
        gf_log(gf_steps_about(steps, run), GF_LOG_INFO, APR_SUCCESS, "GF0430",
               "its webhook was told, at try %d", run->job->tell_tries);
        step = note(steps, run, 0);
    }
    else if (msg->status == GONE) {
        gf_log(gf_steps_about(steps, run), GF_LOG_INFO, APR_SUCCESS, "GF0433",
               "its webhook at %s is gone (HTTP 410): it is told no more", host_of(steps, run));
        step = note(steps, run, 0);
    }
    else {
        step = again(steps, run, why_not(msg, steps->ctx.pool),
                     gf_msg_retry_after(msg, ASKED_FOR_MAX));
    }
    apr_pool_destroy(msg->pool);
    return step;
}

gf_step_t gf_tell_failed(gf_steps_t *steps, gf_run_t *run)
{
    return run->act == GF_ACT_TELL ? again(steps, run, "the generation cannot be read", 0)
                                   : GF_STEP_OVER; /* it is tried again when its claim is over */
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Starts exchanges within the limits of provider and store, and reads their answers. Leaves what
 * follows to gf_steps.c and the wire to provider/. Runs on the dispatcher thread. */
#include "work/exchange.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_uri.h>

#include "base/clock.h"
#include "base/sign.h"
#include "model/webhook.h"

#define REDIRECTS_MAX 3
#define FETCH_TIMEOUT (60 * APR_USEC_PER_SEC)
#define SUBMIT_SHARE  2 /* of the deadline, where a lost answer can be looked for in the rest */
#define SUBMIT_LEAST  4 /* ... and at least this share, however long its list is to be waited for \
                         */
#define CONNECT_TIMEOUT (5 * APR_USEC_PER_SEC)
#define TOLD_ANSWER_MAX 4096             /* bytes of a webhook's answer, which nobody reads */
#define LAST_WORDS      APR_USEC_PER_SEC /* before the generation's end: to cancel, and to say so */

apr_pool_t *gf_exchange_pool(const gf_steps_t *steps)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, steps->pool);
    return pool;
}

/* Where the provider may report the end of this attempt. */
static const char *hook_url(const gf_steps_t *steps, const gf_run_t *run, apr_pool_t *pool)
{
    return run->hook_token ? apr_pstrcat(pool, steps->ctx.conf->public_url, "/hook/",
                                         run->choice->provider->name, "/", run->job->id, "/",
                                         run->hook_token, NULL)
                           : NULL;
}

static gf_prov_call_t call_of(const gf_run_t *run, apr_pool_t *pool)
{
    gf_prov_call_t call = { .provider = run->choice->provider,
                            .model = run->choice->model,
                            .job = run->job,
                            .age = gf_clock_now() - run->job->created,
                            .source = run->source,
                            .source_file = run->source_file,
                            .source_type = run->source_type,
                            .pool = pool };

    return call;
}

static gf_store_call_t store_call_of(const gf_steps_t *steps, const gf_run_t *run, apr_pool_t *pool)
{
    gf_store_call_t call = { .conf = steps->ctx.conf,
                             .name = gf_store_name(run->stored, run->job, pool),
                             .file = run->spool,
                             .stored = run->stored,
                             .pool = pool };

    return call;
}

static void start(gf_steps_t *steps, gf_run_t *run, gf_msg_t *msg, gf_asking_t asking)
{
    bool free_of_deadline =
        asking == GF_ASKING_FETCH || asking == GF_ASKING_SOURCE || asking == GF_ASKING_STORE;
    apr_interval_time_t left = run->provider_deadline - gf_clock_now();

    run->asking = asking;
    run->wake = 0;
    msg->connect_timeout = run->choice ? run->choice->provider->connect_timeout : CONNECT_TIMEOUT;
    msg->timeout = asking == GF_ASKING_TELL ? steps->ctx.conf->webhook_timeout
                   : left < FETCH_TIMEOUT && (free_of_deadline || left <= 0) ? FETCH_TIMEOUT
                                                                             : left;
    msg->file_max =
        asking == GF_ASKING_SOURCE ? steps->ctx.conf->asset_max : steps->ctx.conf->result_max;
    msg->spool = msg->spool ? msg->spool : run->spool;
    msg->owner = run;
    run->msg = msg;
    gf_net_start(steps->net, msg);
}

apr_time_t gf_exchange_deadline(const gf_run_t *run)
{
    apr_time_t own = gf_clock_now() + run->choice->provider->deadline;
    apr_time_t last = run->job->deadline - LAST_WORDS;

    return own < last ? own : last;
}

/* How long an answer to a submission is waited for, of `total`. A run is taken for never taken
 * after two waits for its list. */
static apr_interval_time_t submit_time(const gf_provider_t *provider, apr_interval_time_t total)
{
    apr_interval_time_t half = total / SUBMIT_SHARE;
    apr_interval_time_t rest = total - 2 * (provider->list_wait + provider->poll) - LAST_WORDS;
    apr_interval_time_t least = total / SUBMIT_LEAST;

    if (!provider->kind->recover) {
        return total;
    }
    if (!provider->kind->poll || rest > half) { /* its list never tells that a run is absent */
        return half;
    }
    return rest > least ? rest : least;
}

void gf_exchange_submit(gf_steps_t *steps, gf_run_t *run)
{
    const gf_provider_t *provider = run->choice->provider;
    gf_prov_call_t call = call_of(run, gf_exchange_pool(steps));
    apr_time_t now = gf_clock_now();
    apr_time_t end = gf_exchange_deadline(run);
    gf_msg_t *msg;

    call.hook_url = hook_url(steps, run, call.pool);
    msg = provider->kind->submit(&call);
    msg->once = true;
    run->provider_deadline = now + submit_time(provider, end - now);
    start(steps, run, msg, GF_ASKING_SUBMIT);
    run->provider_deadline = end;
}

void gf_exchange_poll(gf_steps_t *steps, gf_run_t *run)
{
    gf_prov_call_t call = call_of(run, gf_exchange_pool(steps));

    start(steps, run, run->choice->provider->kind->poll(&call), GF_ASKING_POLL);
}

void gf_exchange_recover(gf_steps_t *steps, gf_run_t *run)
{
    gf_prov_call_t call = call_of(run, gf_exchange_pool(steps));

    start(steps, run, run->choice->provider->kind->recover(&call), GF_ASKING_RECOVER);
}

/* An address that is somebody else's word: no key goes there, and only to public hosts. */
static void fetch(gf_steps_t *steps, gf_run_t *run, const char *url, const char *file,
                  gf_asking_t asking)
{
    gf_msg_t *msg = gf_msg_make(gf_exchange_pool(steps), "GET", url);

    msg->guarded = true;
    msg->allowed = asking == GF_ASKING_SOURCE ? steps->ctx.conf->source_allowed
                                              : steps->ctx.conf->fetch_allowed;
    msg->spool_any = true;
    msg->spool = file;
    start(steps, run, msg, asking);
}

void gf_exchange_fetch(gf_steps_t *steps, gf_run_t *run)
{
    fetch(steps, run, run->picture_url, run->spool, GF_ASKING_FETCH);
}

void gf_exchange_source(gf_steps_t *steps, gf_run_t *run)
{
    fetch(steps, run, run->source, run->source_file, GF_ASKING_SOURCE);
}

void gf_exchange_store(gf_steps_t *steps, gf_run_t *run)
{
    gf_store_call_t call = store_call_of(steps, run, gf_exchange_pool(steps));

    start(steps, run, steps->ctx.conf->store->upload(&call), GF_ASKING_STORE);
}

void gf_exchange_delete(gf_steps_t *steps, gf_run_t *run)
{
    gf_store_call_t call = store_call_of(steps, run, gf_exchange_pool(steps));

    start(steps, run, steps->ctx.conf->store->remove(&call), GF_ASKING_REMOVE);
}

/* By Standard Webhooks: the id is the same at every try. The address is the client's word. */
/* One signature, or while the site changes its secret two: a receiver accepts either. */
static const char *signatures(gf_ctx_t *ctx, const gf_job_t *job, const char *told)
{
    size_t length = strlen(told);
    const char *now;
    const char *old;
    const char *text;

    gf_webhook_secrets(&now, &old, ctx, job->user);
    text = apr_pstrcat(ctx->pool, GF_SIGN_VERSION,
                       gf_sign(ctx->pool, now, job->id, job->tell_time, told, length), NULL);
    return old ? apr_pstrcat(ctx->pool, text, " ", GF_SIGN_VERSION,
                             gf_sign(ctx->pool, old, job->id, job->tell_time, told, length), NULL)
               : text;
}

void gf_exchange_tell(gf_steps_t *steps, gf_run_t *run)
{
    const gf_conf_t *conf = steps->ctx.conf;
    const gf_job_t *job = run->job;
    gf_msg_t *msg = gf_msg_make(gf_exchange_pool(steps), "POST", run->webhook_url);
    gf_ctx_t ctx = steps->ctx;

    msg->guarded = true;
    msg->allowed = conf->source_allowed;
    msg->text_max = TOLD_ANSWER_MAX;
    msg->body = run->told;
    apr_table_setn(msg->headers, "Content-Type", "application/json");
    apr_table_setn(msg->headers, "webhook-id", job->id);
    apr_table_setn(msg->headers, "webhook-timestamp", job->tell_time);
    ctx.pool = msg->pool;
    apr_table_setn(msg->headers, "webhook-signature", signatures(&ctx, job, run->told));
    start(steps, run, msg, GF_ASKING_TELL);
}

void gf_exchange_next(gf_steps_t *steps, gf_run_t *run, gf_msg_t *msg)
{
    start(steps, run, msg, run->asking == GF_ASKING_SUBMIT ? GF_ASKING_POLL : run->asking);
}

void gf_exchange_cancel(gf_steps_t *steps, const gf_run_t *run)
{
    const gf_provider_t *provider = run->choice->provider;
    gf_prov_call_t call = call_of(run, gf_exchange_pool(steps));
    gf_msg_t *msg;

    if (!provider->kind->cancel || !run->job->provider_ref) {
        apr_pool_destroy(call.pool);
        return;
    }
    msg = provider->kind->cancel(&call);
    msg->connect_timeout = provider->connect_timeout;
    msg->timeout = FETCH_TIMEOUT;
    gf_net_start(steps->net, msg); /* without an owner: its end is nobody's business */
}

/* ---- pictures ---- */

/* Where a redirect leads, as a whole address; NULL: nowhere. */
static const char *redirect(const gf_msg_t *msg, apr_pool_t *pool)
{
    const char *location = apr_table_get(msg->answer, "Location");
    apr_uri_t here;
    apr_uri_t there;

    if (!location || apr_uri_parse(pool, location, &there) != APR_SUCCESS) {
        return NULL;
    }
    if (there.scheme && there.hostname) {
        return location;
    }
    if (location[0] != '/' || apr_uri_parse(pool, msg->url, &here) != APR_SUCCESS) {
        return NULL;
    }
    return apr_pstrcat(pool, here.scheme, "://", here.hostinfo, location, NULL);
}

/* Fetching costs nothing: what may pass is tried again by the same rules as a question. */
static void read_fetch(gf_outcome_t *outcome, gf_run_t *run, apr_pool_t *pool)
{
    const gf_msg_t *msg = run->msg;

    if (gf_provider_unanswered(outcome, msg)) {
        bool passing = msg->end != GF_MSG_TOO_LARGE && !msg->refused; /* a full disk passes, too */

        outcome->state = passing ? GF_PROV_WORKING : GF_PROV_EMPTY;
        outcome->code = msg->refused ? GF_E_RESULT : outcome->code;
    }
    else if (msg->status / 100 == 2) {
        outcome->state = msg->spooled > 0 ? GF_PROV_SUCCEEDED : GF_PROV_EMPTY;
        outcome->code = GF_E_EMPTY;
    }
    else if (msg->status / 100 == 3 && run->redirects < REDIRECTS_MAX && redirect(msg, pool)) {
        run->redirects++;
        outcome->state = GF_PROV_SUCCEEDED;
        outcome->picture_url = redirect(msg, pool);
    }
    else if (msg->status == 429 || msg->status >= 500) {
        outcome->state = GF_PROV_WORKING;
        outcome->retry_after = gf_provider_retry_after(msg);
    }
    else {
        outcome->state = GF_PROV_EMPTY;
        outcome->code = GF_E_RESULT;
        outcome->detail = apr_psprintf(pool, "HTTP %d for the picture", msg->status);
    }
}

void gf_exchange_read(gf_outcome_t *outcome, gf_run_t *run, apr_pool_t *pool)
{
    const gf_prov_kind_t *kind;
    gf_prov_call_t call;

    if (run->asking == GF_ASKING_FETCH || run->asking == GF_ASKING_SOURCE) {
        read_fetch(outcome, run, pool);
        return;
    }
    call = call_of(run, pool);
    kind = call.provider->kind;
    gf_provider_read(outcome, &call, run->msg,
                     run->asking == GF_ASKING_SUBMIT ? kind->read_submit
                     : run->asking == GF_ASKING_POLL ? kind->read_poll
                                                     : kind->read_recover);
}

void gf_exchange_read_store(gf_store_outcome_t *outcome, gf_steps_t *steps, gf_run_t *run,
                            apr_pool_t *pool)
{
    gf_store_call_t call = store_call_of(steps, run, pool);

    memset(outcome, 0, sizeof(*outcome));
    if (run->msg->end == GF_MSG_ANSWERED) {
        steps->ctx.conf->store->read_upload(outcome, &call, run->msg);
        return;
    }
    outcome->state = GF_STORE_LATER; /* to send it twice is harmless */
    outcome->detail = run->msg->detail;
}

bool gf_exchange_read_delete(gf_steps_t *steps, gf_run_t *run)
{
    gf_store_call_t call = store_call_of(steps, run, run->msg->pool);

    return steps->ctx.conf->store->read_remove(&call, run->msg);
}

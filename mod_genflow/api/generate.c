/* SPDX-License-Identifier: Apache-2.0 */
/* POST {type}/generate, and what every call does that makes generations: price, one statement, then
 * start. Leaves checking to api/spec.c, starting and waiting to api/start.c. Never talks to a
 * provider. */
#include "api/spec.h"

#include <apr_strings.h>

#include "base/clock.h"
#include "db/ledger.h"
#include "db/site.h"
#include "db/steer.h"
#include "httpd/conf.h"
#include "model/type.h"
#include "model/url.h"

#define READY        "Ready to be started"
#define MANY_SECONDS 5  /* after it one of the user's generations may have ended */
#define FULL_SECONDS 10 /* after it the queue may be shorter */

gf_err_t *api_generate_dry(gf_req_t *req, int count, const char *prompt, const char *parameters,
                           const char *source_url)
{
    int begin = gf_type_begin(req->type, req->ctx, parameters, source_url);
    const gf_choice_t *choice = gf_type_choice(req->type, begin);
    gf_quota_t quota;
    gf_out_t out;

    GF_TRY(gf_ledger_quota(&quota, req->ctx, req->user));
    gf_reply_begin(&out, req);
    gf_out_put_int(&out, "estimatedCost", req->type->cost * count);
    gf_out_put_int(&out, "currentBalance", quota.balance - quota.held);
    gf_out_put_string(&out, "prompt", prompt);
    gf_out_put_string(&out, "provider", choice ? choice->provider->name : NULL);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- refusals ---- */

static gf_err_t *over_limit(gf_req_t *req, gf_err_code_t code, int seconds)
{
    gf_err_t *err =
        gf_err_make(req->ctx, code, APR_SUCCESS, "%s asks for %s", req->user, req->type->name);

    err->retry_after = seconds;
    return err;
}

static gf_err_t *refused(gf_req_t *req, const gf_created_t *created, int count)
{
    switch (created->outcome) {
    case GF_NO_CREDIT:
        return gf_ledger_no_credit(req->ctx, req->user, created->balance - created->held,
                                   req->type->cost * count);
    case GF_QUOTA_SPENT:
        return gf_ledger_quota_spent(req->ctx, req->user);
    case GF_MISMATCH:
        return gf_err_make(req->ctx, GF_E_KEY_MISMATCH, APR_SUCCESS, "%s", req->user);
    case GF_TOO_MANY:
        return over_limit(req, GF_E_TOO_MANY, MANY_SECONDS);
    case GF_QUEUE_FULL:
        return over_limit(req, GF_E_QUEUE_FULL, FULL_SECONDS);
    case GF_SITE_RESTORED:
        return gf_site_closed(req->ctx);
    default:
        return gf_err_make(req->ctx, GF_E_BLOCKED, APR_SUCCESS, "%s", req->user);
    }
}

/* ---- answers ---- */

/* Reads those that the key made before. */
static gf_err_t *view_replayed(gf_view_t *views, gf_req_t *req, const gf_ask_t *ask,
                               const gf_created_t *created)
{
    int i;

    for (i = 0; i < ask->count; i++) {
        gf_find_t find = { .id = created[i].id };

        if (created[i].outcome == GF_REPLAY) {
            GF_TRY(gf_queue_get(&views[i], req->ctx, req->type, req->user, &find));
        }
    }
    return NULL;
}

/* The key made them before: their answer again, or "still running". What waits for its start does
 * not run. */
static gf_err_t *replay(gf_req_t *req, const gf_ask_t *ask, const gf_created_t *created)
{
    gf_view_t views[GF_BATCH_MAX];
    bool ended = true;
    gf_err_t *err;
    int i;

    GF_TRY(view_replayed(views, req, ask, created));
    for (i = 0; i < ask->count; i++) {
        ended = ended && gf_view_ended(&views[i]);
    }
    if (ended || ask->pending) {
        apr_table_setn(req->r->headers_out, "Idempotency-Replayed", "true");
        return ask->pending ? gf_reply_view(req, views, HTTP_CREATED, READY)
                            : api_start_answer(req, views, ask->count);
    }
    err = gf_err_make(req->ctx, GF_E_KEY_RUNNING, APR_SUCCESS, "%s", created->id);
    err->extra = apr_psprintf(
        req->r->pool, "\"generationId\":\"%s\",\"pollUrl\":\"%s%s/%s/status?id=%s\"", created->id,
        gf_url_path(gf_reply_site(req->r)), req->base, req->type->name, created->id);
    err->retry_after = 2;
    return err;
}

/* What a new generation looks like before anything happened: the row need not be read for it. */
static void view_of_new(gf_view_t *view, const gf_req_t *req, const gf_ask_t *ask,
                        const gf_created_t *created)
{
    memset(view, 0, sizeof(*view));
    view->type = ask->type;
    view->id = created->id;
    view->run_id = ask->run_id ? ask->run_id : created->id;
    view->status = created->status;
    view->preset = ask->preset;
    view->prompt = ask->prompt;
    view->source_url = ask->source_url;
    view->parameters_json = ask->parameters;
    view->seed_json = apr_psprintf(req->r->pool, "%" APR_INT64_T_FMT, ask->seed);
    view->cost_json = apr_psprintf(req->r->pool, "%" APR_INT64_T_FMT, ask->type->cost);
    view->retry_count_json = "0";
    view->max_retries_json = apr_itoa(req->r->pool, ask->max_retries);
    view->created_at = created->created_at;
    view->started_at = ask->pending ? NULL : created->created_at;
    view->user = req->user;
    view->fallback_used = ask->chain_pos > 0;
}

/* ---- making ---- */

/* The job as the background gets it: everything copied into a pool of its own. */
static gf_job_t *job_of(const gf_req_t *req, const gf_ask_t *ask, const gf_created_t *created)
{
    gf_job_t *job = gf_job_make(ask->type);
    apr_pool_t *pool = job->pool;

    job->id = apr_pstrdup(pool, created->id);
    job->epoch = created->epoch;
    job->picture_secret = apr_pstrdup(job->pool, created->picture_secret);
    job->max_retries = ask->max_retries;
    job->deadline = gf_clock_now() + ask->type->lifetime;
    job->user = apr_pstrdup(pool, req->user);
    job->preset = apr_pstrdup(pool, ask->preset);
    job->prompt = apr_pstrdup(pool, ask->prompt);
    job->source_url = apr_pstrdup(pool, ask->source_url);
    job->parameters = apr_pstrdup(pool, ask->parameters);
    job->seed = ask->seed;
    job->chain_pos = ask->chain_pos;
    gf_job_begin(job, req->ctx);
    return job;
}

/* Places for so many jobs here: all of them or none. */
static bool reserve(gf_hub_t *hub, int count)
{
    int taken;

    for (taken = 0; taken < count && gf_hub_reserve(hub); taken++) {
    }
    if (taken == count) {
        return true;
    }
    while (taken-- > 0) {
        gf_hub_leave(hub);
    }
    return false;
}

static void leave(gf_hub_t *hub, int count)
{
    while (count-- > 0) {
        gf_hub_leave(hub);
    }
}

/* How many of them are new. */
static int count_new(const gf_created_t *created, int count)
{
    int made = 0;

    while (count-- > 0) {
        made += created[count].outcome == GF_CREATED;
    }
    return made;
}

void api_generate_views(gf_view_t *views, gf_job_t **jobs, gf_req_t *req, const gf_ask_t *ask,
                        const gf_created_t *created, bool here)
{
    int i;

    for (i = 0; i < ask->count; i++) {
        gf_ask_t one = gf_param_nth(ask, i, req->r->pool);

        jobs[i] = NULL;
        if (created[i].outcome != GF_CREATED) {
            continue;
        }
        gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0502",
               "job=%s type=%s user=%s: created, %" APR_INT64_T_FMT " credit%s held", created[i].id,
               req->type->name, req->user, req->type->cost, req->type->cost == 1 ? "" : "s");
        view_of_new(&views[i], req, &one, &created[i]);
        jobs[i] = here ? job_of(req, &one, &created[i]) : NULL;
    }
}

gf_err_t *api_generate_make(gf_created_t *created, bool *here, gf_req_t *req,
                            const gf_caller_t *caller, const gf_ask_t *ask)
{
    gf_err_t *err;

    *here = !ask->pending && reserve(req->api->hub, ask->count);
    err = gf_queue_create(created, req->ctx, caller, ask, *here ? req->api->owner : NULL);
    if (*here) {
        leave(req->api->hub, ask->count - (err ? 0 : count_new(created, ask->count)));
    }
    if (err) {
        return err;
    }
    return created->outcome == GF_CREATED || created->outcome == GF_REPLAY
               ? NULL
               : refused(req, created, ask->count);
}

/* Makes it, answers, and starts it here if there is a place. Where the key made only some of a
 * batch before, they are told beside the new ones. */
static gf_err_t *make(gf_req_t *req, const gf_ask_t *ask, const gf_caller_t *caller)
{
    gf_created_t created[GF_BATCH_MAX];
    gf_view_t views[GF_BATCH_MAX];
    gf_job_t *jobs[GF_BATCH_MAX];
    gf_err_t *err;
    bool here;
    int i;

    GF_TRY(api_generate_make(created, &here, req, caller, ask));
    if (count_new(created, ask->count) == 0) {
        return replay(req, ask, created);
    }
    api_generate_views(views, jobs, req, ask, created, here);
    err = view_replayed(views, req, ask, created);
    for (i = 0; err && i < ask->count; i++) { /* they begin, whatever their client hears */
        if (jobs[i]) {
            gf_hub_req_submit(req->api->hub, jobs[i]);
        }
    }
    if (err) {
        return err;
    }
    return ask->pending ? gf_reply_view(req, views, HTTP_CREATED, READY)
                        : api_start(req, views, here ? jobs : NULL, ask->count);
}

/* Nothing can be made now: no provider has a key, or no picture can be stored. What the client's
 * Idempotency-Key made before is told all the same; else `err`. */
static gf_err_t *replay_closed(gf_req_t *req, const api_order_t *order, gf_err_t *err)
{
    gf_ask_t ask = { .type = req->type, .pending = order->pending };
    gf_created_t created[GF_BATCH_MAX];
    char hash[GF_SHA256_HEX];
    gf_caller_t caller;

    GF_TRY(api_order_key(&caller, req, NULL));
    if (!caller.key || api_body_switch(req, "dryRun")) {
        return err;
    }
    api_order_hash(&caller, hash, req, order);
    GF_TRY(gf_steer_made_before(created, &ask.count, req->ctx, &caller));
    if (ask.count == 0) {
        return err;
    }
    return created->outcome == GF_REPLAY ? replay(req, &ask, created)
                                         : refused(req, created, ask.count);
}

gf_err_t *api_generate_order(gf_req_t *req, const api_order_t *order)
{
    char hash[GF_SHA256_HEX];
    gf_caller_t caller;
    gf_err_t *err;
    gf_ask_t ask;

    err = api_order_read(&ask, req, order);
    if (gf_err_is(err, GF_E_NO_PROVIDER) || gf_err_is(err, GF_E_STORE_CLOSED)) {
        return replay_closed(req, order, err);
    }
    if (err) {
        return err;
    }
    if (api_body_switch(req, "dryRun")) {
        return api_generate_dry(req, ask.count, ask.prompt, ask.parameters, ask.source_url);
    }
    GF_TRY(api_order_finish(&caller, hash, req, &ask, order));
    return make(req, &ask, &caller);
}

/* Under old names a body with nothing but a job's id asks how it is. That is no new request for the
 * rates, so the body is looked at first. */
static gf_err_t *generate_or_tell(gf_req_t *req, const api_order_t *order)
{
    if (api_generation_is_asked(req, order->body)) {
        return api_generation_tell(req, order->body);
    }
    GF_TRY(api_limit(req));
    return api_generate_order(req, order);
}

gf_err_t *api_generate(gf_req_t *req)
{
    api_order_t order = { .pending = false };
    bool legacy = httpd_conf_legacy(req->r);

    if (!legacy) {
        GF_TRY(api_limit(req));
    }
    GF_TRY(api_body_json(req, &order.body, &order.text, &order.length));
    return legacy ? generate_or_tell(req, &order) : api_generate_order(req, &order);
}

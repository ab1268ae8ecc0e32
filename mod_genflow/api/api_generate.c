/* SPDX-License-Identifier: Apache-2.0 */
/* POST {type}/generate: check, price, one statement, then start and wait as the client prefers.
 * Never talks to a provider. */
#include "api/gf_api.h"

#include <apr_strings.h>

#include "base/gf_hash.h"
#include "base/gf_text.h"
#include "db/gf_asset.h"
#include "db/gf_ledger.h"
#include "db/gf_queue.h"
#include "model/gf_type.h"

#define KEY_MAX        255
#define OWN_KEY        "own:"
#define CLOSED_SECONDS 60

gf_err_t *api_generate_key(gf_caller_t *caller, gf_req_t *req, const char *own)
{
    const char *key = apr_table_get(req->r->headers_in, "Idempotency-Key");

    if (key && !gf_text_is_printable(key, KEY_MAX)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "Idempotency-Key",
                            "must be 1 to 255 printable characters without spaces");
    }
    caller->key = key ? apr_pstrcat(req->r->pool, "key:", key, NULL) : own;
    return NULL;
}

/* The key that makes the call harmless to repeat: the client's, else its run id, else one of ours
 * (which still guards a statement that is sent twice). */
static gf_err_t *choose_key(gf_caller_t *caller, gf_req_t *req, const gf_ask_t *ask)
{
    apr_pool_t *pool = req->r->pool;

    return api_generate_key(caller, req,
                            ask->run_id
                                ? apr_pstrcat(pool, "run:", ask->run_id, NULL)
                                : apr_pstrcat(pool, OWN_KEY, gf_hash_random(pool, 16), NULL));
}

/* ---- the source picture, where it is one of ours ---- */

/* An uploaded one: is it there, and the user's? */
static gf_err_t *find_asset(gf_req_t *req, gf_ask_t *ask)
{
    gf_asset_t asset;
    gf_err_t *err;

    if (!ask->source.asset_id) {
        return NULL;
    }
    err = gf_asset_get(&asset, req->ctx, req->user, ask->source.asset_id);
    if (gf_err_is(err, GF_E_NO_ASSET)) {
        return gf_err_field(req->ctx, GF_E_SOURCE_URL, "sourceAssetId",
                            "names no picture that is there; it may have expired");
    }
    if (!err) {
        ask->source_url = gf_source_of_asset(req->r->pool, asset.id);
    }
    return err;
}

/* One in the body becomes an uploaded one, so that nothing large is in the row. */
static gf_err_t *keep_image(gf_req_t *req, gf_ask_t *ask)
{
    gf_asset_t asset;

    if (ask->source.base64) {
        GF_TRY(gf_asset_put(&asset, req->ctx, req->user, &ask->source.image, ask->source.base64));
        ask->source_url = gf_source_of_asset(req->r->pool, asset.id);
    }
    return NULL;
}

/* ?dryRun=1: the price, and nothing happens. */
static gf_err_t *dry_run(gf_req_t *req, const gf_ask_t *ask)
{
    gf_quota_t quota;
    gf_out_t out;

    GF_TRY(gf_ledger_quota(&quota, req->ctx, req->user));
    gf_reply_begin(&out, req);
    gf_out_put_int(&out, "estimatedCost", ask->type->cost);
    gf_out_put_int(&out, "currentBalance", quota.balance - quota.held);
    gf_out_put_string(&out, "prompt", ask->prompt);
    gf_out_put_string(&out, "provider", gf_type_choice(ask->type, 0)->provider->name);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- refusals ---- */

static gf_err_t *no_credit(gf_req_t *req, const gf_created_t *created)
{
    apr_int64_t available = created->balance - created->held;
    apr_int64_t cost = req->type->cost;
    gf_err_t *err =
        gf_err_make(req->ctx, GF_E_NO_CREDIT, APR_SUCCESS,
                    "%s has %" APR_INT64_T_FMT " of %" APR_INT64_T_FMT, req->user, available, cost);

    err->extra =
        apr_psprintf(req->r->pool,
                     "\"currentBalance\":%" APR_INT64_T_FMT ",\"requiredCredits\":%" APR_INT64_T_FMT
                     ",\"shortfall\":%" APR_INT64_T_FMT,
                     available, cost, cost - available);
    return err;
}

static gf_err_t *quota_spent(gf_req_t *req)
{
    gf_err_t *err = gf_err_make(req->ctx, GF_E_QUOTA, APR_SUCCESS, "%s", req->user);
    apr_time_t now = apr_time_sec(apr_time_now());

    err->retry_after = (int)(86400 - now % 86400); /* midnight UTC */
    return err;
}

static gf_err_t *refused(gf_req_t *req, const gf_created_t *created)
{
    switch (created->outcome) {
    case GF_NO_CREDIT:
        return no_credit(req, created);
    case GF_QUOTA_SPENT:
        return quota_spent(req);
    case GF_MISMATCH:
        return gf_err_make(req->ctx, GF_E_KEY_MISMATCH, APR_SUCCESS, "%s", req->user);
    default:
        return gf_err_make(req->ctx, GF_E_BLOCKED, APR_SUCCESS, "%s", req->user);
    }
}

/* ---- answers ---- */

/* A one-step call whose generation failed is an error answer; the generation stands beside it. */
static gf_err_t *failed(gf_req_t *req, const gf_view_t *view)
{
    gf_err_t *err =
        gf_err_make(req->ctx, GF_E_FAILED, APR_SUCCESS, "%s: %s", view->id, view->error_code);
    gf_out_t out;

    gf_out_init(&out, req->r->pool, 512);
    gf_out_put_string(&out, "id", view->id);
    gf_out_put_string(&out, "generationId", view->id);
    gf_out_put_string(&out, "status", view->status);
    gf_out_put_string(&out, "errorCode", view->error_code);
    gf_out_put_string(&out, "errorMessage", view->error_message);
    gf_out_put_string(&out, "causeCode", view->cause_code);
    gf_out_put_bool(&out, "refunded", true);
    err->extra = out.text;
    return err;
}

static gf_err_t *answer(gf_req_t *req, const gf_view_t *view)
{
    if (!gf_view_ended(view)) {
        return gf_reply_view(req, view, HTTP_ACCEPTED, "Added to queue");
    }
    if (view->error_code) {
        return failed(req, view);
    }
    return gf_reply_view(req, view, HTTP_OK, view->image_url ? "Your media is ready" : NULL);
}

/* The key made a generation before: its answer again, or "still running". A key that is not the
 * client's meets itself when the statement had to be sent twice: that generation is this call's. */
static gf_err_t *replay(gf_req_t *req, const gf_created_t *created, bool by_client)
{
    gf_find_t find = { created->id, NULL, NULL };
    gf_view_t view;
    gf_err_t *err;

    GF_TRY(gf_queue_get(&view, req->ctx, req->type, req->user, &find));
    if (gf_view_ended(&view) || !by_client) {
        apr_table_setn(req->r->headers_out, "Idempotency-Replayed", "true");
        return answer(req, &view);
    }
    err = gf_err_make(req->ctx, GF_E_KEY_RUNNING, APR_SUCCESS, "%s", created->id);
    err->extra =
        apr_psprintf(req->r->pool, "\"generationId\":\"%s\",\"pollUrl\":\"%s/%s/status?id=%s\"",
                     created->id, req->base, req->type->name, created->id);
    err->retry_after = 2;
    return err;
}

/* What a new generation looks like before anything happened: the row need not be read for it. */
static void view_of_new(gf_view_t *view, gf_req_t *req, const gf_ask_t *ask,
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
    view->started_at = created->created_at;
    view->user = req->user;
    view->fallback_used = ask->chain_pos > 0;
}

/* ---- starting ---- */

/* The job as the background gets it: everything copied into a pool of its own. */
static gf_job_t *job_of(const gf_req_t *req, const gf_ask_t *ask, const gf_created_t *created)
{
    gf_job_t *job = gf_job_make(ask->type);
    apr_pool_t *pool = job->pool;

    job->id = apr_pstrdup(pool, created->id);
    job->epoch = created->epoch;
    job->max_retries = ask->max_retries;
    job->deadline = apr_time_now() + ask->type->lifetime;
    job->user = apr_pstrdup(pool, req->user);
    job->preset = apr_pstrdup(pool, ask->preset);
    job->prompt = apr_pstrdup(pool, ask->prompt);
    job->source_url = apr_pstrdup(pool, ask->source_url);
    job->parameters = apr_pstrdup(pool, ask->parameters);
    job->seed = ask->seed;
    job->chain_pos = ask->chain_pos;
    return job;
}

gf_err_t *api_generate_start(gf_view_t *view, gf_req_t *req, const gf_ask_t *ask,
                             const gf_created_t *created, bool here, gf_news_t enough,
                             apr_interval_time_t wait)
{
    gf_hub_t *hub = req->api->hub;
    gf_find_t find = { created->id, NULL, NULL };
    gf_watch_t watch;
    gf_err_t *err = NULL;
    bool watching = wait > 0 && gf_hub_req_watch(hub, &watch, created->id, req->r->pool);

    if (here) {
        gf_hub_req_submit(hub, job_of(req, ask, created));
    }
    if (watching) {
        err = api_watch_view(view, req, &find, &watch, enough, wait);
        gf_hub_req_unwatch(hub, &watch);
    }
    else {
        view_of_new(view, req, ask, created);
    }
    return err;
}

gf_err_t *api_generate_closed(gf_req_t *req)
{
    const gf_type_t *type = req->type;
    gf_err_t *err = gf_err_make(req->ctx, GF_E_NO_PROVIDER, APR_SUCCESS, "%s is closed: %s",
                                type->name, type->keyless ? type->keyless : "nobody draws here");

    err->retry_after = CLOSED_SECONDS;
    return err;
}

gf_err_t *api_generate_make(gf_created_t *created, bool *here, gf_req_t *req,
                            const gf_caller_t *caller, const gf_ask_t *ask)
{
    gf_err_t *err;

    *here = gf_hub_reserve(req->api->hub);
    err = gf_queue_create(created, req->ctx, caller, ask, *here ? req->api->owner : NULL);
    if (*here && (err || created->outcome != GF_CREATED)) {
        gf_hub_leave(req->api->hub);
    }
    if (err) {
        return err;
    }
    if (created->outcome == GF_CREATED) {
        gf_log(req->ctx, GF_LOG_INFO, APR_SUCCESS, "GF0502",
               "job=%s type=%s user=%s: created, %" APR_INT64_T_FMT " credits held", created->id,
               req->type->name, req->user, req->type->cost);
    }
    return created->outcome == GF_CREATED || created->outcome == GF_REPLAY ? NULL
                                                                           : refused(req, created);
}

/* Waits for the end, or, if the client did not say, for news that it takes time. */
static gf_err_t *start_and_wait(gf_req_t *req, const gf_ask_t *ask, const gf_created_t *created,
                                bool here)
{
    api_prefer_t prefer;
    gf_view_t view;

    api_watch_prefer(&prefer, req->r);
    GF_TRY(api_generate_start(&view, req, ask, created, here,
                              prefer.given ? GF_NEWS_ENDED : GF_NEWS_WORKING,
                              prefer.given ? prefer.wait : req->api->conf->wait));
    return answer(req, &view);
}

gf_err_t *api_generate(gf_req_t *req)
{
    gf_caller_t caller = { .user = req->user };
    char hash[GF_SHA256_HEX];
    gf_created_t created;
    gf_presets_t presets;
    const char *dry = api_body_query(req, "dryRun");
    const char *text;
    apr_size_t length;
    gf_json_t *body;
    gf_ask_t ask;
    bool here;

    if (!gf_type_choice(req->type, 0)) {
        return api_generate_closed(req);
    }
    GF_TRY(api_body_json(req, &body, &text, &length));
    GF_TRY(gf_preset_read(&presets, req->ctx, req->api->presets, req->type));
    GF_TRY(gf_param_check(&ask, req->ctx, req->type, &presets, body));
    GF_TRY(find_asset(req, &ask));
    if (dry && strcmp(dry, "0") != 0) {
        return dry_run(req, &ask);
    }
    GF_TRY(choose_key(&caller, req, &ask));
    GF_TRY(keep_image(req, &ask));
    gf_hash_texts(hash, req->type->name, text, length);
    caller.hash = hash;
    GF_TRY(api_generate_make(&created, &here, req, &caller, &ask));
    if (created.outcome == GF_REPLAY) {
        return replay(req, &created, strncmp(caller.key, OWN_KEY, sizeof(OWN_KEY) - 1) != 0);
    }
    return start_and_wait(req, &ask, &created, here);
}

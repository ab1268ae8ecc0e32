/* SPDX-License-Identifier: Apache-2.0 */
/* Creates generations of a checked request: price, one statement, their views while new, and their
 * jobs if this process has places for them. Responses are in api/generate.c and api/retry.c,
 * starting and waiting in api/start.c. */
#include "api/spec.h"

#include <apr_strings.h>

#include "api/authn.h"
#include "base/clock.h"
#include "db/ledger.h"
#include "db/site.h"
#include "hub/shortcut.h"
#include "model/servers.h"
#include "model/type.h"
#include "provider/intent.h"
#include "provider/run.h"
#include "store/gate.h"

#define MANY_SECONDS 5  /* after it one of the user's generations may have ended */
#define FULL_SECONDS 10 /* after it the queue may be shorter */

gf_err_t *api_create_dry(gf_req_t *req, apr_int64_t cost, const char *prompt,
                         const char *parameters, const char *source_url)
{
    int begin = gf_type_begin(req->type, req->ctx, parameters, source_url);
    const gf_choice_t *choice = gf_type_choice(req->type, begin);
    gf_quota_t quota;
    gf_out_t out;

    GF_TRY(gf_ledger_quota(&quota, req->ctx, req->user));
    gf_reply_begin(&out, req);
    gf_out_put_int(&out, "estimatedCost", cost);
    gf_out_put_int(&out, "currentBalance", quota.balance - quota.held);
    gf_out_put_string(&out, "prompt", prompt);
    gf_out_put_string(&out, "provider", choice ? gf_provider_wire(choice->provider) : NULL);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- refusals ---- */

static gf_err_t *over_limit(gf_req_t *req, gf_err_code_t code, int seconds)
{
    gf_err_t *err =
        gf_err_make(req->ctx, code, APR_SUCCESS, "%s requested %s", req->user, req->type->name);

    err->retry_after = seconds;
    return err;
}

gf_err_t *api_create_refused(gf_req_t *req, const gf_created_t *created, apr_int64_t cost)
{
    switch (created->outcome) {
    case GF_NO_CREDIT:
        return gf_ledger_no_credit(req->ctx, req->user, created->balance - created->held, cost);
    case GF_KEY_SPENT:
        return gf_ledger_key_spent(req->ctx, req->key->id, cost);
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

/* ---- making ---- */

/* The view of a new generation, so that its row need not be read. */
static void view_of_new(gf_view_t *view, const gf_req_t *req, const gf_spec_t *spec,
                        const gf_created_t *created)
{
    memset(view, 0, sizeof(*view));
    view->type = spec->type;
    view->ref_names = req->ctx->conf->ref_names;
    view->thumbnails = &gf_servers_of_type(req->conf, spec->type)->thumbnails;
    view->id = created->id;
    view->run_id = spec->run_id ? spec->run_id : created->id;
    view->status = created->status;
    view->preset = spec->preset;
    view->prompt = spec->prompt;
    view->source_url = spec->source_url;
    view->parameters_json = spec->parameters;
    view->seed_json = apr_psprintf(req->r->pool, "%" APR_INT64_T_FMT, spec->seed);
    view->cost_json = apr_psprintf(req->r->pool, "%" APR_INT64_T_FMT, spec->cost);
    view->retry_count_json = "0";
    view->max_retries_json = apr_itoa(req->r->pool, spec->max_retries);
    view->created_at = created->created_at;
    view->started_at = strcmp(created->status, "pending") == 0 ? NULL : created->created_at;
    view->started = !spec->pending;
    view->user = req->user;
    view->fallback_used = spec->chain_pos > 0;
}

/* The job as the background gets it: everything copied into a pool of its own. */
static gf_job_t *job_of(const gf_req_t *req, const gf_spec_t *spec, const gf_created_t *created,
                        const gf_begin_t *begin)
{
    gf_job_t *job = gf_job_make(spec->type);
    apr_pool_t *pool = job->pool;

    job->id = apr_pstrdup(pool, created->id);
    job->run_id = apr_pstrdup(pool, spec->run_id);
    job->epoch = created->epoch;
    job->picture_secret = apr_pstrdup(job->pool, created->picture_secret);
    job->max_retries = spec->max_retries;
    job->deadline = gf_clock_now() + spec->type->lifetime;
    job->user = apr_pstrdup(pool, req->user);
    job->preset = apr_pstrdup(pool, spec->preset);
    job->prompt = apr_pstrdup(pool, spec->prompt);
    job->source_url = apr_pstrdup(pool, spec->source_url);
    job->parameters = apr_pstrdup(pool, spec->parameters);
    job->seed = spec->seed;
    job->cost = spec->cost;
    job->chain_pos = spec->chain_pos;
    gf_job_begin(job, req->ctx);
    if (created->intent != GF_INTENT_NONE) {
        job->intent_until = begin->until;
        job->intent_watched = created->intent == GF_INTENT_WATCHED;
        job->webhook_token = apr_pstrdup(pool, begin->webhook_token);
        job->request_hash = apr_pstrdup(pool, begin->request_hash);
    }
    return job;
}

/* Places for so many jobs here: all of them or none. */
static bool reserve_places(gf_hub_t *hub, int count)
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

static void leave_places(gf_hub_t *hub, int count)
{
    while (count-- > 0) {
        gf_hub_leave(hub);
    }
}

int api_create_count(const gf_created_t *created, int count)
{
    int made = 0;

    while (count-- > 0) {
        made += created[count].outcome == GF_CREATED;
    }
    return made;
}

void api_create_views(gf_view_t *views, gf_job_t **jobs, gf_req_t *req, const gf_spec_t *spec,
                      const gf_created_t *created, const gf_begin_t *begin)
{
    int i;

    for (i = 0; i < spec->count; i++) {
        gf_spec_t one = gf_param_nth(spec, i, req->r->pool);

        jobs[i] = NULL;
        if (created[i].outcome != GF_CREATED) {
            continue;
        }
        gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0502",
               "job=%s type=%s user=%s: created, %" APR_INT64_T_FMT " credit%s held", created[i].id,
               req->type->name, req->user, spec->cost, spec->cost == 1 ? "" : "s");
        view_of_new(&views[i], req, &one, &created[i]);
        jobs[i] = begin->owner ? job_of(req, &one, &created[i], begin) : NULL;
    }
}

/* The intent of attempt 1, if it can be recorded with the generation: nothing is to be done before
 * it is sent, this child reaches the providers, and the store takes the picture. Else a run records
 * it when it is ready. */
static void plan_intent(gf_begin_t *begin, gf_req_t *req, const gf_spec_t *spec)
{
    gf_ctx_t *ctx = req->ctx;
    const gf_conf_t *conf = gf_servers_of_type(req->conf, spec->type);
    gf_job_t job = { .type = spec->type,
                     .id = "", /* not known yet */
                     .attempts = 1,
                     .user = req->user,
                     .preset = spec->preset,
                     .prompt = spec->prompt,
                     .source_url = spec->source_url,
                     .parameters = spec->parameters,
                     .seed = spec->seed,
                     .chain_pos = spec->chain_pos };
    gf_prov_call_t call = { .job = &job, .pool = ctx->pool };
    const gf_choice_t *choice;

    if (spec->count > 1) {
        return;
    }
    gf_job_begin(&job, ctx);
    choice = gf_type_choice(job.type, gf_type_next(job.type, job.chain_pos, job.source_url));
    if (!choice || !prov_intent_is_ready(choice, &job)
        || !gf_shortcut_reaches_all(gf_hub_shortcut(req->api->hub))
        || !gf_gate_is_open(ctx, spec->type)) {
        return;
    }
    call.provider = choice->provider;
    call.model = choice->model;
    call.sources = prov_intent_sources(&call.source_count, &job, ctx->pool);
    call.source = call.sources->url;
    call.pixels_max = conf->asset_pixels_max;
    begin->choice = choice;
    begin->webhook_token = prov_intent_token(conf, choice->provider, ctx->pool);
    begin->request_hash = prov_run_hash(&call);
    begin->until = gf_ctx_now(ctx) + ctx->conf->lease;
}

gf_err_t *api_create(gf_created_t *created, gf_begin_t *begin, gf_req_t *req,
                     const gf_caller_t *caller, const gf_spec_t *spec)
{
    gf_err_t *err = api_authn_need_type(req, spec->type);
    bool here;

    if (err) {
        return err;
    }
    here = !spec->pending && reserve_places(req->api->hub, spec->count);
    memset(begin, 0, sizeof(*begin));
    if (here) {
        begin->owner = req->api->owner;
        plan_intent(begin, req, spec);
    }
    err = gf_queue_create(created, req->ctx, caller, spec, begin);
    if (here) {
        leave_places(req->api->hub,
                     spec->count - (err ? 0 : api_create_count(created, spec->count)));
    }
    if (err) {
        return err;
    }
    if (created->outcome == GF_CREATED) {
        gf_hub_req_publish(req->api->hub, req->user);
        if (!here && !spec->pending) {
            gf_hub_req_queued(req->api->hub);
        }
    }
    return created->outcome == GF_CREATED || created->outcome == GF_REPLAY
               ? NULL
               : api_create_refused(req, created, spec->cost * spec->count);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* POST generation/{id}/retry and /fallback: what failed or was cancelled is made again, as a new
 * generation with the same input; by its type's chain, or drawn here. Repeating the call makes no
 * second one. */
#include "api/spec.h"
#include "api/wait.h"

#include <string.h>

#include <apr_strings.h>

#include "db/asset.h"
#include "db/steer.h"
#include "model/param.h"
#include "model/source_url.h"
#include "model/type.h"
#include "store/gate.h"

static gf_err_t *check_source(gf_req_t *req, const char *line)
{
    const char *asset_id = gf_source_asset_id(line);
    gf_asset_t asset;
    gf_err_t *err = asset_id ? gf_asset_get(&asset, req->ctx, req->user, asset_id) : NULL;

    return gf_err_is(err, GF_E_NO_ASSET)
               ? gf_err_field(req->ctx, GF_E_SOURCE_URL, "sourceUrl",
                              "the source picture is gone; bring it again with a new request")
               : err;
}

/* Uploaded source pictures must still be there: nothing is held for what cannot be made. */
static gf_err_t *check_sources(gf_req_t *req, const char *source_url)
{
    int count = gf_source_count(source_url);
    int i;

    for (i = 0; i < count; i++) {
        GF_TRY(check_source(req, gf_source_nth(req->r->pool, source_url, i)));
    }
    return NULL;
}

/* The same input once more. A seed of the client is among the parameters, and the row has its value
 * for this one of a batch. A drawn seed is drawn again. */
static gf_err_t *spec_of(gf_spec_t *spec, gf_req_t *req, const gf_view_t *view)
{
    const char *text = view->parameters_json;
    gf_json_t *parameters;

    memset(spec, 0, sizeof(*spec));
    spec->type = req->type;
    spec->count = 1;
    spec->priority = (apr_int64_t)view->priority < req->type->priority_max
                         ? view->priority
                         : (gf_priority_t)req->type->priority_max;
    spec->preset = view->preset;
    spec->prompt = view->prompt;
    spec->source_url = view->source_url;
    spec->parameters = text;
    spec->webhook_url = view->webhook_url;
    spec->max_retries = (int)apr_atoi64(view->max_retries_json);
    GF_TRY(gf_json_parse(&parameters, req->ctx, text, strlen(text)));
    spec->seed =
        gf_json_get(parameters, "seed") ? apr_atoi64(view->seed_json) : gf_param_draw_seed();
    return check_sources(req, view->source_url);
}

static gf_err_t *answer_created(gf_req_t *req, const gf_view_t *views, int count)
{
    (void)count;
    return gf_reply_view(req, views, HTTP_CREATED, NULL);
}

static gf_err_t *start_spec(gf_req_t *req, const gf_spec_t *spec, const char *act)
{
    const char *wish = apr_pstrcat(req->r->pool, act, ":", req->args[0], NULL);
    char hash[GF_SHA256_HEX];
    gf_caller_t caller;
    const gf_prefer_t *prefer;
    gf_created_t created;
    gf_view_t *view = apr_pcalloc(req->r->pool, sizeof(*view));
    gf_job_t *job;
    gf_begin_t begin;

    GF_TRY(api_spec_key(&caller, req, wish));
    gf_hash_texts(hash, req->type->name, wish, strlen(wish));
    caller.hash = hash;
    GF_TRY(api_create(&created, &begin, req, &caller, spec));
    if (created.outcome == GF_REPLAY) {
        gf_find_t find = { .id = created.id };

        GF_TRY(gf_queue_get(view, req->ctx, req->type, req->user, &find));
        apr_table_setn(req->r->headers_out, "Idempotency-Replayed", "true");
        return gf_reply_view(req, view, HTTP_OK, NULL);
    }
    prefer = api_wait_prefer(req);
    api_create_views(view, &job, req, spec, &created, &begin);
    return api_wait_views(req, view, begin.owner ? &job : NULL, 1,
                          prefer->given ? GF_NEWS_ENDED : GF_NEWS_WORKING, prefer->wait,
                          answer_created);
}

static gf_err_t *retry_at(gf_req_t *req, const char *act, int chain_pos)
{
    gf_find_t find;
    gf_view_t view;
    gf_spec_t spec;

    GF_TRY(api_generation_find(&find, req));
    GF_TRY(gf_queue_get(&view, req->ctx, req->type, req->user, &find));
    if (strcmp(view.status, "failed") != 0 && strcmp(view.status, "cancelled") != 0) {
        return gf_steer_status(req->ctx, view.id, view.status);
    }
    if (!gf_type_choice(req->type, chain_pos)) {
        return api_start_closed(req);
    }
    GF_TRY(gf_gate_check(req->ctx, req->type, false));
    req->args[0] = view.id; /* in one spelling */
    GF_TRY(spec_of(&spec, req, &view));
    spec.chain_pos = chain_pos;
    if (chain_pos == GF_TYPE_LOCAL && strcmp(view.status, "failed") == 0) {
        spec.fallback_of = view.id; /* of a cancelled one it costs as any other */
    }
    GF_TRY(gf_param_price(&spec, req->ctx));
    return start_spec(req, &spec, act);
}

gf_err_t *api_retry(gf_req_t *req)
{
    return retry_at(req, "retry", 0);
}

gf_err_t *api_retry_fallback(gf_req_t *req)
{
    return retry_at(req, "fallback", GF_TYPE_LOCAL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* POST {type}/generate and generation/create: reads the request, creates its generations, starts
 * them, replies; for a known key replays. Checking is in api/spec.c, creating in api/create.c,
 * starting and waiting in api/start.c. Never talks to a provider. */
#include "api/spec.h"

#include <apr_strings.h>

#include "api/legacy.h"
#include "db/steer.h"
#include "httpd/dir.h"
#include "model/url.h"

/* What the creation of a generation that waits for its start says. */
static const char *ready_message(const gf_req_t *req)
{
    return httpd_conf_legacy(req->r) ? "Generation record created successfully"
                                     : "Ready to be started";
}

/* ---- what the key made before ---- */

/* Reads those that the key made before. */
static gf_err_t *view_replayed(gf_view_t *views, gf_req_t *req, const gf_spec_t *spec,
                               const gf_created_t *created)
{
    int i;

    for (i = 0; i < spec->count; i++) {
        gf_find_t find = { .id = created[i].id };

        if (created[i].outcome == GF_REPLAY) {
            GF_TRY(gf_queue_get(&views[i], req->ctx, req->type, req->user, &find));
        }
    }
    return NULL;
}

/* The key made them before: their answer again, or "still running", for which older clients wait.
 * What waits for its start does not run. */
static gf_err_t *replay_answer(gf_req_t *req, const gf_spec_t *spec, const gf_created_t *created)
{
    gf_view_t *views = apr_pcalloc(req->r->pool, GF_BATCH_MAX * sizeof(*views));
    bool ended = true;
    gf_err_t *err;
    int i;

    GF_TRY(view_replayed(views, req, spec, created));
    for (i = 0; i < spec->count; i++) {
        ended = ended && gf_view_ended(&views[i]);
    }
    if (ended || spec->pending) {
        apr_table_setn(req->r->headers_out, "Idempotency-Replayed", "true");
        return spec->pending ? gf_reply_view(req, views, HTTP_CREATED, ready_message(req))
                             : api_start_answer(req, views, spec->count);
    }
    if (api_legacy_waits(req)) {
        return api_start(req, views, NULL, spec->count);
    }
    err = gf_err_make(req->ctx, GF_E_KEY_RUNNING, APR_SUCCESS, "%s", created->id);
    err->extra = apr_psprintf(
        req->r->pool, "\"generationId\":\"%s\",\"pollUrl\":\"%s%s/%s/status?id=%s\"", created->id,
        gf_url_path(gf_reply_site(req->r)), req->base, gf_type_wire(req->type), created->id);
    err->retry_after = gf_view_poll_after(&views[0], req->conf);
    return err;
}

/* Creates the generations, replies, and starts them here if there is a place. If the key made only
 * some of a batch before, the response contains these, too. */
static gf_err_t *make_generations(gf_req_t *req, const gf_spec_t *spec, const gf_caller_t *caller)
{
    gf_view_t *views = apr_pcalloc(req->r->pool, GF_BATCH_MAX * sizeof(*views));
    gf_created_t created[GF_BATCH_MAX];
    gf_job_t *jobs[GF_BATCH_MAX];
    gf_err_t *err;
    gf_begin_t begin;
    int i;

    err = api_create(created, &begin, req, caller, spec);
    if (gf_err_is(err, GF_E_NO_CREDIT) && req->two_step && httpd_conf_legacy(req->r)) {
        err->row = gf_err_row(GF_E_NO_TOKENS); /* as the older system with two steps has it */
    }
    if (err) {
        return err;
    }
    if (api_create_count(created, spec->count) == 0) {
        return replay_answer(req, spec, created);
    }
    api_create_views(views, jobs, req, spec, created, &begin);
    err = view_replayed(views, req, spec, created);
    for (i = 0; err && i < spec->count; i++) { /* they begin although the client gets an error */
        if (jobs[i]) {
            gf_hub_req_submit(req->api->hub, jobs[i]);
        }
    }
    if (err) {
        return err;
    }
    if (spec->pending) {
        api_start_visibility(req, views);
        return gf_reply_view(req, views, HTTP_CREATED, ready_message(req));
    }
    return api_start(req, views, begin.owner ? jobs : NULL, spec->count);
}

/* Nothing can be made now: no provider has a key, or no picture can be stored. Replays what the
 * client's Idempotency-Key made before; else returns `err`. */
static gf_err_t *replay_closed(gf_req_t *req, const api_spec_body_t *body, gf_err_t *err)
{
    gf_spec_t spec = { .type = req->type, .pending = body->pending };
    gf_created_t created[GF_BATCH_MAX];
    char hash[GF_SHA256_HEX];
    gf_caller_t caller;

    GF_TRY(api_spec_key(&caller, req, NULL));
    if (!caller.key || api_body_switch(req, "dryRun")) {
        return err;
    }
    api_spec_hash(&caller, hash, req, body);
    GF_TRY(gf_steer_made_before(created, &spec.count, req->ctx, &caller));
    if (spec.count == 0) {
        return err;
    }
    return created->outcome == GF_REPLAY ? replay_answer(req, &spec, created)
                                         : api_create_refused(req, created, 0);
}

gf_err_t *api_generate_body(gf_req_t *req, const api_spec_body_t *body)
{
    char hash[GF_SHA256_HEX];
    gf_caller_t caller;
    gf_err_t *err;
    gf_spec_t spec;

    err = api_spec_read(&spec, req, body);
    if (gf_err_is(err, GF_E_NO_PROVIDER) || gf_err_is(err, GF_E_STORE_CLOSED)) {
        return replay_closed(req, body, err);
    }
    if (err) {
        return err;
    }
    if (api_body_switch(req, "dryRun")) {
        return api_create_dry(req, spec.cost * spec.count, spec.prompt, spec.parameters,
                              spec.source_url);
    }
    GF_TRY(api_spec_finish(&caller, hash, req, &spec, body));
    return make_generations(req, &spec, &caller);
}

gf_err_t *api_generate(gf_req_t *req)
{
    api_spec_body_t body = { .pending = req->pending };

    GF_TRY(api_body_json(req, &body.json, &body.text, &body.length));
    return api_generate_body(req, &body);
}

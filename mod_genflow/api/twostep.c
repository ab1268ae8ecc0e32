/* SPDX-License-Identifier: Apache-2.0 */
/* The two-step calls: POST generation/create makes a generation that waits, POST generate starts
 * it, or makes and starts one. Leaves making to api/generate.c, waiting to api/start.c. */
#include "api/spec.h"

#include <apr_strings.h>

#include "api/authn.h"
#include "base/text.h"
#include "db/queue.h"
#include "db/steer.h"

/* ?dryRun=1: what the start would cost is held already. */
static gf_err_t *dry_start(gf_req_t *req, const gf_find_t *find)
{
    gf_view_t view;

    GF_TRY(gf_queue_get(&view, req->ctx, req->type, req->user, find));
    return strcmp(view.status, "pending") == 0 && !view.started
               ? api_create_dry(req, apr_atoi64(view.cost_json), view.prompt, view.parameters_json,
                                view.source_url)
               : gf_steer_status(req->ctx, view.id, view.status);
}

/* That its key may start generations of req->type. Whose generation this is comes first: a key
 * learns nothing of others'. */
static gf_err_t *check_key(gf_req_t *req, const gf_find_t *find)
{
    gf_err_t *err = api_authn_need_type(req, req->type);
    gf_view_t view;

    if (err) {
        GF_TRY(gf_queue_get(&view, req->ctx, req->type, req->user, find));
    }
    return err;
}

static gf_err_t *start_pending(gf_req_t *req, const char *id)
{
    gf_view_t *view = apr_pcalloc(req->r->pool, sizeof(*view));
    gf_hub_t *hub = req->api->hub;
    gf_find_t find = { .id = NULL };
    gf_job_t *job;
    gf_err_t *err;
    bool here;

    GF_TRY(gf_steer_find(&find.id, &req->type, req->ctx, id));
    id = find.id;
    GF_TRY(check_key(req, &find));
    GF_TRY(api_start_open(req));
    if (api_body_switch(req, "dryRun")) {
        return dry_start(req, &find);
    }
    here = gf_hub_reserve(hub);
    err = gf_queue_start(&job, req->ctx, req->type, req->user, id, here ? req->api->owner : NULL);
    if (err) {
        if (here) {
            gf_hub_leave(hub);
        }
        return err;
    }
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0505", "job=%s type=%s user=%s: started",
           job->id, req->type->name, req->user);
    err = gf_queue_get(view, req->ctx, req->type, req->user, &find);
    if (!here) {
        gf_hub_req_queued(hub);
        gf_job_free(job);
    }
    else if (err) {
        gf_hub_req_submit(hub, job); /* it is started, although the client gets an error */
    }
    return err ? err : api_start(req, view, here ? &job : NULL, 1);
}

/* The fields of the generation were given when it was created. A webhook in the start call would be
 * lost silently, so it is refused even if unknown members are ignored. */
static gf_err_t *check_start(gf_req_t *req, const gf_json_t *body)
{
    static const gf_input_field_t fields[] = { { .names = { "generationId" },
                                                 .kind = GF_INPUT_KNOWN },
                                               { .names = { "userId" }, .kind = GF_INPUT_KNOWN },
                                               GF_INPUT_END };
    gf_input_t input = api_body_input(req, body);

    if (gf_json_get(body, "webhookUrl") || gf_json_get(body, "webhook_url")) {
        return gf_err_field(req->ctx, GF_E_INVALID, "webhookUrl",
                            "belongs to generation/create: the start takes generationId alone");
    }
    return gf_input_all(&input, fields, NULL);
}

gf_err_t *api_twostep(gf_req_t *req)
{
    api_spec_body_t body = { .pending = false };
    const char *id;
    gf_json_t *given;

    GF_TRY(api_body_json(req, &body.json, &body.text, &body.length));
    given = gf_json_get(body.json, "generationId");
    if (!given) {
        return api_generate_body(req, &body);
    }
    if (!gf_json_string(given, &id)) {
        return gf_err_field(req->ctx, GF_E_FIELDS, "generationId",
                            "must be a text without NUL characters");
    }
    GF_TRY(check_start(req, body.json));
    req->starts = true;
    return start_pending(req, id);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Starts generations that are in the database, waits for them as the client prefers, and answers.
 * Leaves making them to api/generate.c and api/twostep.c. */
#include "api/spec.h"
#include "api/wait.h"

#include <apr_strings.h>

#include "api/legacy.h"
#include "httpd/dir.h"
#include "model/type.h"
#include "store/gate.h"

#define CLOSED_SECONDS 60

gf_err_t *api_start_closed(gf_req_t *req)
{
    const gf_type_t *type = req->type;
    gf_err_t *err =
        gf_err_make(req->ctx, GF_E_NO_PROVIDER, APR_SUCCESS, "%s is closed: %s", type->name,
                    type->keyless ? type->keyless : "no provider draws here");

    err->retry_after = CLOSED_SECONDS;
    return err;
}

gf_err_t *api_start_open(gf_req_t *req)
{
    return gf_type_choice(req->type, 0) ? gf_gate_check(req->ctx, req->type, false)
                                        : api_start_closed(req);
}

/* ---- answers ---- */

/* A one-step call whose generation failed is an error answer; the generation stands beside it. */
static gf_err_t *reply_failed(gf_req_t *req, const gf_view_t *view)
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
    gf_out_put_raw(&out, "retryCount", view->retry_count_json);
    gf_out_put_raw(&out, "maxRetries", view->max_retries_json);
    gf_out_put_string(&out, "provider", view->provider);
    gf_out_put_string(&out, "model", view->model);
    gf_out_put_bool(&out, "refunded", true);
    err->extra = out.text;
    if (strcmp(view->status, "failed") == 0) {
        err->text =
            apr_psprintf(req->r->pool, "%s%s%s (%s%s%s); nothing was charged",
                         view->provider ? view->provider : "", view->provider ? ": " : "",
                         view->error_message, view->error_code, view->cause_code ? " after " : "",
                         view->cause_code ? view->cause_code : "");
    }
    return err;
}

/* The start of a generation, and below the older names each answer that comes before its end, has
 * the status `processing`, whether its work has begun or not: older front ends wait for that. */
static gf_view_t shown_view(gf_req_t *req, const gf_view_t *view)
{
    gf_view_t shown = *view;

    if ((req->starts || httpd_conf_legacy(req->r)) && strcmp(view->status, "pending") == 0) {
        shown.status = "processing";
    }
    return shown;
}

void api_start_visibility(gf_req_t *req, gf_view_t *view)
{
    const gf_find_t find = { .id = view->id };
    gf_view_t row;

    if (httpd_conf_legacy(req->r) && !view->visibility
        && !gf_queue_get(&row, req->ctx, req->type, req->user, &find)) {
        view->visibility = row.visibility;
    }
}

static const char *queued_message(gf_req_t *req)
{
    return req->starts && httpd_conf_legacy(req->r) ? "Generation processing started successfully"
                                                    : "Added to queue";
}

static gf_err_t *answer_one(gf_req_t *req, const gf_view_t *view)
{
    if (!gf_view_ended(view)) {
        gf_view_t shown = shown_view(req, view);

        api_start_visibility(req, &shown);
        return gf_reply_view(req, &shown, req->two_step ? HTTP_OK : HTTP_ACCEPTED,
                             queued_message(req));
    }
    if (view->error_code) {
        return reply_failed(req, view);
    }
    return gf_reply_view(req, view, HTTP_OK, view->image_url ? "Your media is ready" : NULL);
}

/* Several, each with an end of its own. */
static gf_err_t *answer_batch(gf_req_t *req, const gf_view_t *views, int count)
{
    const char *site = gf_reply_site(req->r);
    bool ended = true;
    gf_out_t out;
    int i;

    gf_reply_begin(&out, req);
    gf_out_key(&out, "batch");
    gf_out_open(&out, '[');
    for (i = 0; i < count; i++) {
        gf_view_t shown = views[i];

        api_start_visibility(req, &shown);
        gf_out_open(&out, '{');
        gf_view_write(&out, &shown, req->base, site);
        gf_out_close(&out, '}');
        ended = ended && gf_view_ended(&views[i]);
    }
    gf_out_close(&out, ']');
    gf_out_put_string(&out, "message", ended ? "Your media is ready" : "Added to queue");
    if (!ended) {
        apr_table_setn(req->r->headers_out, "Retry-After",
                       apr_itoa(req->r->pool, gf_view_poll_after(&views[0], req->conf)));
    }
    return gf_reply_send(req, &out, ended ? HTTP_OK : HTTP_ACCEPTED);
}

/* A front end that knows a queue: it polls the job, which is never at its end for it here. */
static gf_err_t *answer_composed(gf_req_t *req, const gf_view_t *view)
{
    gf_out_t out;

    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "jobId", view->id);
    gf_out_put_string(&out, "status", "queued");
    gf_out_put_string(&out, "message", "Image generation started");
    return gf_reply_send(req, &out, HTTP_ACCEPTED);
}

gf_err_t *api_start_answer(gf_req_t *req, const gf_view_t *views, int count)
{
    if (req->composed) {
        return answer_composed(req, views);
    }
    return count > 1 ? answer_batch(req, views, count) : answer_one(req, views);
}

/* Does the client poll, without saying so? The older systems with a start of its own, or with jobs.
 */
static bool polls_by_itself(const gf_req_t *req)
{
    return req->composed || (req->starts && httpd_conf_legacy(req->r));
}

/* For a client without a preference the news that a provider works on it suffice. */
gf_err_t *api_start(gf_req_t *req, gf_view_t *views, gf_job_t **jobs, int count)
{
    const gf_prefer_t *prefer = api_wait_prefer(req);
    bool end = prefer->given || api_legacy_waits(req);
    apr_interval_time_t time = prefer->given          ? prefer->wait
                               : polls_by_itself(req) ? 0
                                                      : req->conf->wait;

    return api_wait_views(req, views, jobs, count, end ? GF_NEWS_ENDED : GF_NEWS_WORKING, time,
                          api_start_answer);
}

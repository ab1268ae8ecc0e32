/* SPDX-License-Identifier: Apache-2.0 */
/* Responses to fal's clients: places in the queue, results, errors. A request of theirs is one
 * generation of ours, or several: then its id joins theirs, and it has ended when all of them have.
 * Outputs and failures are written in model/output.c. */
#include "front/fal.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#define STILL_RUNNING "Request is still in progress"

static bool is_status(const gf_view_t *view, const char *status)
{
    return strcmp(view->status, status) == 0;
}

const char *front_fal_request_id(const front_fal_request_t *request, apr_pool_t *pool)
{
    const char *id = request->views[0].id;
    int i;

    for (i = 1; i < request->count; i++) {
        id = apr_pstrcat(pool, id, FRONT_FAL_ID_JOIN, request->views[i].id, NULL);
    }
    return id;
}

bool front_fal_request_ended(const front_fal_request_t *request)
{
    int i;

    for (i = 0; i < request->count && gf_view_ended(&request->views[i]); i++) {
    }
    return i == request->count;
}

/* Waits each of them in our queue? */
static bool is_queued(const front_fal_request_t *request)
{
    int i;

    for (i = 0; i < request->count && is_status(&request->views[i], "pending"); i++) {
    }
    return i == request->count;
}

/* Has none of them a picture? */
static bool is_failure(const front_fal_request_t *request)
{
    int i;

    for (i = 0; i < request->count && !gf_output_has_picture(&request->views[i]); i++) {
    }
    return i == request->count;
}

static front_reply_t *reply_json(apr_pool_t *pool, int status, const char *text, const char *id)
{
    front_reply_t *reply = front_reply_make(pool, status);

    reply->text = text;
    apr_table_setn(reply->headers, FRONT_FAL_REQUEST_ID, id);
    return reply;
}

/* ---- the queue ---- */

static void put_address(gf_out_t *out, const char *name, const front_fal_request_t *request,
                        const char *tail)
{
    const front_site_t *site = request->site;

    gf_out_put_string(out, name,
                      apr_pstrcat(out->pool, site->site, site->mount, "/queue/", request->app,
                                  "/requests/", front_fal_request_id(request, out->pool), tail,
                                  NULL));
}

static void put_addresses(gf_out_t *out, const front_fal_request_t *request)
{
    put_address(out, "response_url", request, "");
    put_address(out, "status_url", request, "/status");
    put_address(out, "cancel_url", request, "/cancel");
}

static void put_place(gf_out_t *out, const front_fal_request_t *request)
{
    const char *place = request->views[0].queue_position_json;

    gf_out_put_raw(out, "queue_position", place ? place : "0");
}

front_reply_t *front_fal_queued(const front_fal_request_t *request, gf_ctx_t *ctx)
{
    const char *id = front_fal_request_id(request, ctx->pool);
    gf_out_t out;

    gf_out_init(&out, ctx->pool, 512);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "status", "IN_QUEUE");
    gf_out_put_string(&out, "request_id", id);
    put_place(&out, request);
    put_addresses(&out, request);
    gf_out_close(&out, '}');
    return reply_json(ctx->pool, 200, out.text, id);
}

/* The lines of a provider, which has no times for them. */
static int put_lines(gf_out_t *out, int from, const gf_view_t *view, gf_ctx_t *ctx)
{
    const char *text = apr_pstrcat(ctx->pool, "{\"logs\":", view->logs_json, "}", NULL);
    const char *line;
    gf_json_t *document;
    gf_json_t *list;
    apr_size_t i;

    if (!view->logs_json || gf_json_parse_reply(&document, ctx, text, strlen(text))) {
        return 0;
    }
    list = gf_json_get(document, "logs");
    for (i = 0; i < gf_json_length(list); i++) {
        if ((int)i >= from && gf_json_string(gf_json_at(list, i), &line)) {
            gf_out_open(out, '{');
            gf_out_put_string(out, "message", line);
            gf_out_put_string(out, "level", "INFO");
            gf_out_put_string(out, "source", "USER");
            gf_out_put_string(out, "timestamp",
                              view->started_at ? view->started_at : view->created_at);
            gf_out_close(out, '}');
        }
    }
    return (int)gf_json_length(list);
}

static int put_logs(gf_out_t *out, const front_fal_request_t *request, gf_ctx_t *ctx)
{
    int before = request->old_logs;
    int lines = 0;
    int i;

    gf_out_key(out, "logs");
    if (!request->logs) {
        gf_out_raw(out, NULL);
        return 0;
    }
    gf_out_open(out, '[');
    for (i = 0; i < request->count; i++) {
        lines += put_lines(out, before - lines, &request->views[i], ctx);
    }
    gf_out_close(out, ']');
    return lines;
}

static void put_end(gf_out_t *out, const front_fal_request_t *request)
{
    gf_out_key(out, "metrics");
    gf_out_open(out, '{');
    gf_out_put_raw(out, "inference_time",
                   gf_output_seconds(request->views, request->count, out->pool));
    gf_out_close(out, '}');
    if (is_failure(request)) {
        gf_output_failure_t failure = gf_output_failure(request->views);

        gf_out_put_string(out, "error", failure.text);
        gf_out_put_string(out, "error_type", failure.type);
    }
}

const char *front_fal_status_text(int *lines, const front_fal_request_t *request, gf_ctx_t *ctx)
{
    bool ended = front_fal_request_ended(request);
    bool queued = !ended && is_queued(request);
    gf_out_t out;
    int written;

    gf_out_init(&out, ctx->pool, 512);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "status", ended ? "COMPLETED" : queued ? "IN_QUEUE" : "IN_PROGRESS");
    gf_out_put_string(&out, "request_id", front_fal_request_id(request, ctx->pool));
    if (queued) {
        put_place(&out, request);
    }
    put_addresses(&out, request);
    written = put_logs(&out, request, ctx);
    if (lines) {
        *lines = written;
    }
    if (ended) {
        put_end(&out, request);
    }
    gf_out_close(&out, '}');
    return out.text;
}

front_reply_t *front_fal_status(const front_fal_request_t *request, gf_ctx_t *ctx)
{
    return reply_json(ctx->pool, front_fal_request_ended(request) ? 200 : 202,
                      front_fal_status_text(NULL, request, ctx),
                      front_fal_request_id(request, ctx->pool));
}

/* ---- results ---- */

static const char *failure_text(const gf_output_failure_t *failure, apr_pool_t *pool)
{
    gf_out_t out;

    gf_out_init(&out, pool, 256);
    gf_out_open(&out, '{');
    gf_output_put_failure(&out, failure);
    gf_out_close(&out, '}');
    return out.text;
}

static front_reply_t *reply_failure(apr_pool_t *pool, const gf_output_failure_t *failure,
                                    const char *id)
{
    front_reply_t *reply = reply_json(pool, failure->status, failure_text(failure, pool), id);

    apr_table_setn(reply->headers, FRONT_FAL_RETRYABLE, "false");
    return reply;
}

front_reply_t *front_fal_result(const front_fal_request_t *request, gf_ctx_t *ctx)
{
    const char *id = front_fal_request_id(request, ctx->pool);
    gf_output_failure_t failure = { 400, "request_in_progress", STILL_RUNNING, NULL };

    if (!front_fal_request_ended(request)) {
        return reply_failure(ctx->pool, &failure, id);
    }
    if (is_failure(request)) {
        failure = gf_output_failure(request->views);
        return reply_failure(ctx->pool, &failure, id);
    }
    return reply_json(
        ctx->pool, 200,
        gf_output_text(ctx, request->views, request->count, request->is_one, request->site->site),
        id);
}

front_reply_t *front_fal_result_event(const front_fal_request_t *request, gf_ctx_t *ctx)
{
    front_reply_t *reply = front_fal_result(request, ctx);

    if (reply->status == 200) {
        reply->type = "text/event-stream";
        reply->text = apr_pstrcat(ctx->pool, "data: ", reply->text, "\n\n", NULL);
    }
    return reply;
}

/* ---- other ends ---- */

static front_reply_t *reply_status(apr_pool_t *pool, int status, const char *word, const char *id)
{
    return reply_json(pool, status, apr_pstrcat(pool, "{\"status\":\"", word, "\"}", NULL), id);
}

front_reply_t *front_fal_cancelled(const char *id, apr_pool_t *pool)
{
    return reply_status(pool, 202, "CANCELLATION_REQUESTED", id);
}

front_reply_t *front_fal_not_cancelled(const char *id, bool known, apr_pool_t *pool)
{
    return known ? reply_status(pool, 400, "ALREADY_COMPLETED", id)
                 : reply_status(pool, 404, "NOT_FOUND", id);
}

front_reply_t *front_fal_timed_out(const char *id, apr_pool_t *pool)
{
    const gf_output_failure_t failure = {
        504, "startup_timeout", "Request did not start within the time of x-fal-request-timeout",
        NULL
    };
    front_reply_t *reply = reply_failure(pool, &failure, id);

    apr_table_setn(reply->headers, FRONT_FAL_TIMEOUT_OF, "user");
    return reply;
}

/* ---- errors ---- */

/* Where fal has it, by our name: below "body" under the same name, unless it is here. */
static const struct {
    const char *ours, *place, *theirs;
} fields[] = { { "body", "body", "" },
               { "n", "body", "num_images" },
               { "numberOfImages", "body", "num_images" },
               { "sourceUrl", "body", "image_url" },
               { "sourceAssetId", "body", "image_url" },
               { "image", "body", "image_url" },
               { "sourceAssetIds", "body", "image_urls" },
               { "webhookUrl", "query", "fal_webhook" },
               { "Idempotency-Key", "header", "Idempotency-Key" },
               { "x-fal-target-url", "header", "x-fal-target-url" },
               { "x-fal-request-timeout", "header", "x-fal-request-timeout" } };

static void put_field(gf_out_t *out, const gf_field_error_t *field)
{
    const char *name = field->field;
    const char *place = "body";
    size_t i;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(fields[i].ours, field->field) == 0) {
            place = fields[i].place;
            name = fields[i].theirs;
        }
    }
    gf_output_put_detail(out, place, name, field->missing ? "Field required" : field->message,
                         field->missing ? "missing" : "value_error");
}

static const struct {
    int http;
    const char *type;
} types[] = {
    { 400, "bad_request" },  { 401, "unauthorized" },       { 402, "insufficient_credits" },
    { 403, "forbidden" },    { 404, "not_found" },          { 405, "method_not_allowed" },
    { 409, "conflict" },     { 413, "payload_too_large" },  { 415, "unsupported_media_type" },
    { 429, "rate_limited" }, { 503, "service_unavailable" }
};

static const char *type_of(int http)
{
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].http == http) {
            return types[i].type;
        }
    }
    return "internal_server_error";
}

/* Does it tell that another user has such an id? */
static bool is_theirs(const gf_err_t *err)
{
    return gf_err_is(err, GF_E_NOT_YOURS) && !err->text;
}

/* A 503 would make the clients repeat the request. */
static int status_of(const front_fault_t *fault)
{
    const gf_err_t *err = fault->err;

    if (is_theirs(err)) {
        return 404;
    }

    if (err->fields || err->row->http == 422) {
        return 422;
    }
    return err->row->http == 503 && !fault->may_retry ? 500 : err->row->http;
}

static void put_fields(gf_out_t *out, const gf_err_t *err)
{
    int i;

    gf_out_key(out, "detail");
    gf_out_open(out, '[');
    for (i = 0; err->fields && i < err->fields->nelts; i++) {
        put_field(out, &APR_ARRAY_IDX(err->fields, i, gf_field_error_t));
    }
    if (!err->fields) {
        gf_output_put_detail(out, "body", "", err->text ? err->text : err->row->text,
                             "value_error");
    }
    gf_out_close(out, ']');
}

void front_fal_error(front_reply_t *reply, const front_fault_t *fault, apr_pool_t *pool)
{
    const gf_err_t *err = fault->err;
    gf_output_failure_t failure = { .text = err->text ? err->text : err->row->text };
    gf_out_t out;

    reply->status = status_of(fault);
    gf_out_init(&out, pool, 256);
    gf_out_open(&out, '{');
    if (reply->status == 422) {
        put_fields(&out, err);
    }
    else {
        failure.type = type_of(reply->status == 404 ? 404 : err->row->http);
        failure.text = is_theirs(err) ? "There is no such request or picture" : failure.text;
        gf_output_put_failure(&out, &failure);
    }
    gf_out_close(&out, '}');
    reply->text = out.text;
    apr_table_setn(reply->headers, FRONT_FAL_REQUEST_ID, fault->request_id);
    apr_table_setn(reply->headers, FRONT_FAL_RETRYABLE, fault->may_retry ? "true" : "false");
}

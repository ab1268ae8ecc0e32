/* SPDX-License-Identifier: Apache-2.0 */
/* Writes outputs and failures as fal's clients read them. They repeat a request that got 429, 502,
 * 503 or 504, so no ended generation has one of these. */
#include "model/output.h"

#include <string.h>

#include <apr_strings.h>

#define FRONT "front" /* the member of the parameters */
#define API   "fal"   /* its member `api` */

/* ---- what the row records ---- */

const char *gf_output_member(const gf_output_t *output, apr_pool_t *pool)
{
    gf_out_t out;

    gf_out_init(&out, pool, 128);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "api", API);
    gf_out_put_string(&out, "model", output->model);
    if (output->is_one) {
        gf_out_put_bool(&out, "one", true);
    }
    gf_out_close(&out, '}');
    return out.text;
}

bool gf_output_read(gf_output_t *output, gf_ctx_t *ctx, const gf_view_t *view)
{
    const char *text = view->parameters_json;
    gf_json_t *parameters;
    const gf_json_t *front;
    const char *api;

    memset(output, 0, sizeof(*output));
    if (!text || gf_json_parse_reply(&parameters, ctx, text, strlen(text))) {
        return false;
    }
    front = gf_json_get(parameters, FRONT);
    gf_json_bool(gf_json_get(front, "one"), &output->is_one);
    return gf_json_string(gf_json_get(front, "api"), &api) && strcmp(api, API) == 0
           && gf_json_string(gf_json_get(front, "model"), &output->model);
}

/* ---- pictures ---- */

bool gf_output_has_picture(const gf_view_t *view)
{
    return strcmp(view->status, "completed") == 0 && view->image_url;
}

static void put_fact(gf_out_t *out, const char *name, const gf_json_t *facts, const char *of)
{
    gf_json_t *value = gf_json_get(facts, of);

    if (value) {
        gf_out_put_raw(out, name, gf_json_text(value));
    }
}

/* {url,width,height,content_type}: what is not known is left out. */
static void put_picture(gf_out_t *out, const gf_view_t *view, const char *site, gf_ctx_t *ctx)
{
    const char *text = view->result_json;
    const char *url = view->image_url;
    gf_json_t *facts = NULL;

    gf_out_open(out, '{');
    gf_out_put_string(out, "url", *url == '/' ? apr_pstrcat(out->pool, site, url, NULL) : url);
    if (text && !gf_json_parse_reply(&facts, ctx, text, strlen(text))) {
        put_fact(out, "width", facts, "width");
        put_fact(out, "height", facts, "height");
        put_fact(out, "content_type", facts, "type");
    }
    gf_out_close(out, '}');
}

/* "images", and for each of them "has_nsfw_concepts": a picture that the provider's filter refused
 * is not among them. */
static void put_pictures(gf_out_t *out, gf_ctx_t *ctx, const gf_view_t *views, int count,
                         const char *site)
{
    int i;

    gf_out_key(out, "images");
    gf_out_open(out, '[');
    for (i = 0; i < count; i++) {
        if (gf_output_has_picture(&views[i])) {
            put_picture(out, &views[i], site, ctx);
        }
    }
    gf_out_close(out, ']');
    gf_out_key(out, "has_nsfw_concepts");
    gf_out_open(out, '[');
    for (i = 0; i < count; i++) {
        if (gf_output_has_picture(&views[i])) {
            gf_out_raw(out, "false");
        }
    }
    gf_out_close(out, ']');
}

const char *gf_output_seconds(const gf_view_t *views, int count, apr_pool_t *pool)
{
    apr_int64_t longest = -1;
    int i;

    for (i = 0; i < count; i++) {
        const char *text = views[i].processing_ms_json;
        apr_int64_t ms = text ? apr_atoi64(text) : -1;

        longest = ms > longest ? ms : longest;
    }
    return longest < 0 ? NULL
                       : apr_psprintf(pool, "%" APR_INT64_T_FMT ".%03d", longest / 1000,
                                      (int)(longest % 1000));
}

const char *gf_output_text(gf_ctx_t *ctx, const gf_view_t *views, int count, bool is_one,
                           const char *site)
{
    const char *seconds = gf_output_seconds(views, count, ctx->pool);
    const gf_view_t *first = views;
    gf_out_t out;

    while (!gf_output_has_picture(first)) {
        first++;
    }
    gf_out_init(&out, ctx->pool, 1024);
    gf_out_open(&out, '{');
    if (is_one) {
        gf_out_key(&out, "image");
        put_picture(&out, first, site, ctx);
    }
    else {
        put_pictures(&out, ctx, views, count, site);
    }
    if (first->seed_json) {
        gf_out_put_raw(&out, "seed", first->seed_json);
    }
    gf_out_put_string(&out, "prompt", first->prompt ? first->prompt : "");
    gf_out_key(&out, "timings");
    gf_out_open(&out, '{');
    if (seconds) {
        gf_out_put_raw(&out, "inference", seconds);
    }
    gf_out_close(&out, '}');
    gf_out_close(&out, '}');
    return out.text;
}

/* ---- failures ---- */

/* By errorCode. The texts are the generation's own. */
static const struct {
    const char *code;
    int status;
    const char *type, *field;
} failures[] = { { "CONTENT_FILTERED", 422, "content_policy_violation", "prompt" },
                 { "INVALID_IMAGE_URL", 422, "image_load_error", "image_url" },
                 { "EMPTY_RESULT", 422, "no_media_generated", "prompt" },
                 { "TIMEOUT", 500, "generation_timeout", NULL },
                 { "NETWORK_ERROR", 500, "downstream_service_unavailable", NULL },
                 { "RATE_LIMIT", 500, "downstream_service_unavailable", NULL },
                 { "PROVIDER_UNAVAILABLE", 500, "downstream_service_unavailable", NULL },
                 { "API_ERROR", 500, "downstream_service_error", NULL },
                 { "MAX_RETRIES_EXCEEDED", 500, "downstream_service_error", NULL } };

gf_output_failure_t gf_output_failure(const gf_view_t *view)
{
    gf_output_failure_t failure = { 500, "internal_server_error", view->error_message, NULL };
    size_t i;

    if (strcmp(view->status, "cancelled") == 0) {
        failure.status = 499;
        failure.type = "client_cancelled";
        failure.text = "Request was cancelled by the client";
        return failure;
    }
    if (!failure.text) {
        failure.text = "The picture could not be made";
    }
    for (i = 0; view->error_code && i < sizeof(failures) / sizeof(failures[0]); i++) {
        if (strcmp(failures[i].code, view->error_code) == 0) {
            failure.status = failures[i].status;
            failure.type = failures[i].type;
            failure.field = failures[i].field;
        }
    }
    return failure;
}

void gf_output_put_detail(gf_out_t *out, const char *place, const char *name, const char *message,
                          const char *type)
{
    gf_out_open(out, '{');
    gf_out_key(out, "loc");
    gf_out_open(out, '[');
    gf_out_string(out, place);
    if (*name) {
        gf_out_string(out, name);
    }
    gf_out_close(out, ']');
    gf_out_put_string(out, "msg", message);
    gf_out_put_string(out, "type", type);
    gf_out_close(out, '}');
}

void gf_output_put_failure(gf_out_t *out, const gf_output_failure_t *failure)
{
    gf_out_key(out, "detail");
    if (failure->field) {
        gf_out_open(out, '[');
        gf_output_put_detail(out, "body", failure->field, failure->text, failure->type);
        gf_out_close(out, ']');
        return;
    }
    gf_out_string(out, failure->text);
    gf_out_put_string(out, "error_type", failure->type);
    gf_out_put_string(out, "message", failure->text);
}

/* ---- webhooks ---- */

const char *gf_output_webhook(gf_ctx_t *ctx, const gf_view_t *view, bool is_one, const char *site)
{
    bool good = gf_output_has_picture(view);
    gf_output_failure_t failure;
    gf_out_t out;

    gf_out_init(&out, ctx->pool, 1024);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "request_id", view->id);
    gf_out_put_string(&out, "gateway_request_id", view->id);
    gf_out_put_string(&out, "status", good ? "OK" : "ERROR");
    if (good) {
        gf_out_put_raw(&out, "payload", gf_output_text(ctx, view, 1, is_one, site));
    }
    else {
        failure = gf_output_failure(view);
        gf_out_put_string(&out, "error", failure.text);
        gf_out_key(&out, "payload");
        gf_out_open(&out, '{');
        gf_output_put_failure(&out, &failure);
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, '}');
    return out.text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Stability.ai v2beta: multipart in, a picture out, at once; some models answer with an id to ask
 * for. It has no list of runs and no idempotency key: what was sent and not answered can never be
 * told from what was paid, so it is not sent again. Pure translation; runs on the dispatcher
 * thread. */
#include "provider/gf_provider.h"

#include <string.h>

#include <apr_strings.h>

#include "base/gf_text.h"

#define DETAIL_MAX 200

static const char *check(const gf_provider_t *provider, apr_pool_t *pool)
{
    if (!provider->url) {
        return "GenflowProviderUrl is missing: https://api.stability.ai";
    }
    if (!provider->key) {
        return apr_pstrdup(pool,
                           "GenflowProviderKey is missing: env:STABILITY_API_KEY or file:/path");
    }
    return NULL;
}

static bool is_sd3(const char *model)
{
    return strncmp(model, "sd3", 3) == 0;
}

/* The model names the endpoint; sd3.5-large and its like are sd3 with a `model` field. */
static const char *endpoint(const char *model)
{
    if (is_sd3(model)) {
        return "generate/sd3";
    }
    return strcmp(model, "ultra") == 0 ? "generate/ultra" : "generate/core";
}

static void authorize(gf_msg_t *msg, const gf_provider_t *provider, const char *accept)
{
    apr_table_setn(msg->headers, "Authorization",
                   apr_pstrcat(msg->pool, "Bearer ", provider->key, NULL));
    apr_table_setn(msg->headers, "Accept", accept);
}

static gf_msg_t *submit(const gf_prov_call_t *call)
{
    const gf_provider_t *provider = call->provider;
    const gf_job_t *job = call->job;
    const char *model = call->model;
    apr_pool_t *pool = call->pool;
    const char *url =
        apr_pstrcat(pool, provider->url, "/v2beta/stable-image/", endpoint(model), NULL);
    gf_msg_t *msg = gf_msg_make(pool, "POST", url);
    const char *format = gf_provider_parameter(job, "output_format", pool);

    authorize(msg, provider, "image/*");
    gf_msg_part(msg, "prompt", job->prompt);
    gf_msg_part(msg, "seed", apr_psprintf(pool, "%" APR_INT64_T_FMT, job->seed));
    gf_msg_part(msg, "output_format", format ? format : "png");
    gf_msg_part(msg, "aspect_ratio", gf_provider_parameter(job, "aspect_ratio", pool));
    gf_msg_part(msg, "negative_prompt", gf_provider_parameter(job, "negative_prompt", pool));
    if (is_sd3(model)) {
        gf_msg_part(msg, "mode", "text-to-image");
        gf_msg_part(msg, "model", strcmp(model, "sd3") == 0 ? NULL : model);
        gf_msg_part(msg, "cfg_scale", gf_provider_parameter(job, "cfg_scale", pool));
    }
    else if (strcmp(model, "core") == 0) {
        gf_msg_part(msg, "style_preset", gf_provider_parameter(job, "style_preset", pool));
    }
    return msg;
}

static gf_msg_t *poll(const gf_prov_call_t *call)
{
    const gf_provider_t *provider = call->provider;
    const gf_job_t *job = call->job;
    apr_pool_t *pool = call->pool;
    gf_msg_t *msg = gf_msg_make(
        pool, "GET", apr_pstrcat(pool, provider->url, "/v2beta/results/", job->provider_ref, NULL));

    authorize(msg, provider, "*/*");
    return msg;
}

/* The members of a JSON answer that matter: {id, name, errors[]} or {message}; absent ones stay
 * NULL. */
typedef struct told_t {
    const char *id;
    const char *name;
    const char *message;
} told_t;

static void read_told(told_t *told, const gf_msg_t *msg)
{
    gf_ctx_t ctx = { .pool = msg->pool };
    gf_json_t *document = NULL;

    memset(told, 0, sizeof(*told));
    if (gf_json_parse(&document, &ctx, msg->text, msg->text_length)) {
        return;
    }
    gf_json_string(gf_json_get(document, "id"), &told->id);
    gf_json_string(gf_json_get(document, "name"), &told->name);
    if (!gf_json_string(gf_json_at(gf_json_get(document, "errors"), 0), &told->message)) {
        gf_json_string(gf_json_get(document, "message"), &told->message);
    }
}

static void set(gf_outcome_t *outcome, gf_prov_state_t state, gf_err_code_t code)
{
    outcome->state = state;
    outcome->code = code;
}

/* 4xx and 5xx, the same for submitting and for asking. */
static void read_refusal(gf_outcome_t *outcome, const gf_msg_t *msg, const told_t *told)
{
    outcome->detail =
        apr_psprintf(msg->pool, "HTTP %d %s: %.*s", msg->status, told->name ? told->name : "",
                     DETAIL_MAX, told->message ? told->message : "");
    if (msg->status == 403 && told->name && strcmp(told->name, "content_moderation") == 0) {
        set(outcome, GF_PROV_FILTERED, GF_E_FILTERED);
    }
    else if (msg->status == 429) {
        set(outcome, GF_PROV_TRANSIENT, GF_E_RATE_LIMIT);
        outcome->retry_after = gf_provider_retry_after(msg);
        outcome->locked_out = outcome->retry_after == 0;
    }
    else if (msg->status >= 500) {
        set(outcome, GF_PROV_TRANSIENT, GF_E_API);
        outcome->retry_after = gf_provider_retry_after(msg);
    }
    else {
        set(outcome, GF_PROV_PERMANENT, GF_E_API);
        outcome->alarm = msg->status == 401 || msg->status == 402 || msg->status == 403;
    }
}

/* A picture came; is it one to keep? */
static void read_picture(gf_outcome_t *outcome, const gf_msg_t *msg)
{
    const char *finish = apr_table_get(msg->answer, "finish-reason");

    if (finish && strcasecmp(finish, "CONTENT_FILTERED") == 0) {
        set(outcome, GF_PROV_FILTERED, GF_E_FILTERED); /* it is blurred */
    }
    else if (msg->spooled <= 0) {
        set(outcome, GF_PROV_EMPTY, GF_E_EMPTY);
    }
    else {
        outcome->state = GF_PROV_SUCCEEDED;
    }
}

static void read_submit(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    told_t told;

    if (gf_provider_unanswered(outcome, msg)) {
        return;
    }
    if (msg->spooled >= 0) {
        read_picture(outcome, msg);
        return;
    }
    read_told(&told, msg);
    if (msg->status >= 400) {
        read_refusal(outcome, msg, &told);
    }
    else if (msg->status / 100 == 2 && told.id && told.id[0] != '.'
             && gf_text_is_token(told.id, 128)) {
        outcome->state = GF_PROV_WORKING;
        outcome->ref = told.id;
    }
    else {
        set(outcome, GF_PROV_EMPTY, GF_E_EMPTY);
        outcome->detail = apr_psprintf(msg->pool, "HTTP %d without a picture", msg->status);
    }
}

static void read_poll(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    told_t told;

    if (gf_provider_unanswered(outcome, msg)) {
        if (outcome->state != GF_PROV_EMPTY) {
            outcome->state = GF_PROV_WORKING; /* a lost question says nothing about the job */
        }
        return;
    }
    if (msg->spooled >= 0) {
        read_picture(outcome, msg);
        return;
    }
    read_told(&told, msg);
    if (msg->status == 202 || msg->status == 429 || msg->status >= 500) {
        outcome->state = GF_PROV_WORKING;
        outcome->retry_after = gf_provider_retry_after(msg);
    }
    else if (msg->status >= 400) {
        read_refusal(outcome, msg, &told);
    }
    else {
        set(outcome, GF_PROV_EMPTY, GF_E_EMPTY);
        outcome->detail = apr_psprintf(msg->pool, "HTTP %d without a picture", msg->status);
    }
}

const gf_prov_kind_t gf_prov_stability = { .name = "stability",
                                           .check = check,
                                           .submit = submit,
                                           .read_submit = read_submit,
                                           .poll = poll,
                                           .read_poll = read_poll };

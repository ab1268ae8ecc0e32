/* SPDX-License-Identifier: Apache-2.0 */
/* Stability.ai v2beta: a form in, with or without a source picture, a picture out, at once; some
 * models answer with an id to poll. It has no list of runs and no idempotency key: an unanswered
 * request may have been paid for, so it is not sent again. Pure translation; runs on the dispatcher
 * thread. */
#include "provider/provider.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

#define STRENGTH "0.6" /* beside a source picture, unless a preset or the client sets it */

static const char *check_section(const gf_provider_t *provider, apr_pool_t *pool)
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

/* Parameters of an endpoint beside prompt, seed, output_format and negative_prompt. */
typedef struct endpoint_t {
    const char *model; /* how its models' names begin */
    const char *path;
    gf_source_use_t source;
    const char *fields[3]; /* parameters that are handed on; NULL-ended */
} endpoint_t;

static const endpoint_t endpoints[] = {
    { "sd3", "generate/sd3", GF_SOURCE_MAY, { "cfg_scale" } },
    { "ultra", "generate/ultra", GF_SOURCE_MAY, { "aspect_ratio" } },
    { "structure", "control/structure", GF_SOURCE_MUST, { "control_strength" } },
    { "style", "control/style", GF_SOURCE_MUST, { "aspect_ratio", "fidelity" } },
    { "", "generate/core", GF_SOURCE_NONE, { "aspect_ratio", "style_preset" } }
};

/* A model may be written as its path is: control/style. */
static const char *name_of(const char *model)
{
    const char *slash = strchr(model, '/');

    return slash ? slash + 1 : model;
}

/* The model names the endpoint; sd3.5-large and its like are sd3 with a `model` field. */
static const endpoint_t *endpoint_of(const char *model)
{
    const endpoint_t *endpoint = endpoints;

    while (strncmp(endpoint->model, name_of(model), strlen(endpoint->model)) != 0) {
        endpoint++;
    }
    return endpoint;
}

static bool is_sd3(const endpoint_t *endpoint)
{
    return strcmp(endpoint->model, "sd3") == 0;
}

static gf_source_use_t source_use(const char *model)
{
    return endpoint_of(model)->source;
}

static bool takes_negative_prompt(const char *model)
{
    return strcmp(name_of(model), "sd3-large-turbo") != 0;
}

/* As make_submit() sends them. */
static bool honours(const char *model, const char *name)
{
    const endpoint_t *endpoint = endpoint_of(model);
    const char *const *field = endpoint->fields;

    while (*field && strcmp(*field, name) != 0) {
        field++;
    }
    return *field || strcmp(name, "output_format") == 0
           || (strcmp(name, "aspect_ratio") == 0 && is_sd3(endpoint))
           || (strcmp(name, "strength") == 0 && endpoint->source == GF_SOURCE_MAY)
           || (strcmp(name, "negative_prompt") == 0 && takes_negative_prompt(model));
}

static void hand_on(gf_msg_t *msg, const gf_prov_call_t *call, const char *name)
{
    gf_msg_part(msg, name, gf_provider_parameter(call->job, name, call->pool));
}

/* sd3 requires a mode, and refuses an aspect ratio beside a picture, which has one. */
static void put_sd3(gf_msg_t *msg, const gf_prov_call_t *call)
{
    const char *name = name_of(call->model);

    gf_msg_part(msg, "mode", call->source_file ? "image-to-image" : "text-to-image");
    if (!call->source_file) {
        hand_on(msg, call, "aspect_ratio");
    }
    gf_msg_part(msg, "model", strcmp(name, "sd3") == 0 ? NULL : name);
}

static void put_source(gf_msg_t *msg, const gf_prov_call_t *call, const endpoint_t *endpoint)
{
    const char *strength = gf_provider_parameter(call->job, "strength", call->pool);

    if (endpoint->source == GF_SOURCE_MAY) {
        gf_msg_part(msg, "strength", strength ? strength : STRENGTH);
    }
    gf_msg_file(msg, "image", call->source_file, call->source_type);
}

/* sd3 makes no WebP. */
static const char *format_of(const gf_prov_call_t *call, const endpoint_t *endpoint)
{
    const char *format = gf_provider_parameter(call->job, "output_format", call->pool);

    return format && !(is_sd3(endpoint) && strcmp(format, "webp") == 0) ? format : "png";
}

static gf_msg_t *make_submit(const gf_prov_call_t *call)
{
    const endpoint_t *endpoint = endpoint_of(call->model);
    const char *url =
        apr_pstrcat(call->pool, call->provider->url, "/v2beta/stable-image/", endpoint->path, NULL);
    gf_msg_t *msg = gf_provider_request(call, "POST", url, "image/*");
    const char *const *field;

    gf_msg_part(msg, "prompt", call->job->prompt);
    gf_msg_part(msg, "seed", apr_psprintf(call->pool, "%" APR_INT64_T_FMT, call->job->seed));
    gf_msg_part(msg, "output_format", format_of(call, endpoint));
    if (takes_negative_prompt(call->model)) {
        hand_on(msg, call, "negative_prompt");
    }
    if (is_sd3(endpoint)) {
        put_sd3(msg, call);
    }
    for (field = endpoint->fields; *field; field++) {
        hand_on(msg, call, *field);
    }
    if (call->source_file) {
        put_source(msg, call, endpoint);
    }
    return msg;
}

static gf_msg_t *make_poll(const gf_prov_call_t *call)
{
    return gf_provider_request(call, "GET",
                               apr_pstrcat(call->pool, call->provider->url, "/v2beta/results/",
                                           call->job->provider_ref, NULL),
                               "*/*");
}

/* The members of a JSON answer that matter: {id, name, errors[]} or {message}; absent ones stay
 * NULL. */
typedef struct refusal_t {
    const char *id;
    const char *name;
    const char *message;
} refusal_t;

static void parse_refusal(refusal_t *refusal, const gf_msg_t *msg)
{
    gf_ctx_t ctx = { .pool = msg->pool };
    gf_json_t *document = NULL;

    memset(refusal, 0, sizeof(*refusal));
    if (gf_json_parse_reply(&document, &ctx, msg->text, msg->text_length)) {
        return;
    }
    gf_json_string(gf_json_get(document, "id"), &refusal->id);
    gf_json_string(gf_json_get(document, "name"), &refusal->name);
    if (!gf_json_string(gf_json_at(gf_json_get(document, "errors"), 0), &refusal->message)) {
        gf_json_string(gf_json_get(document, "message"), &refusal->message);
    }
}

static void set_outcome(gf_outcome_t *outcome, gf_prov_state_t state, gf_err_code_t code)
{
    outcome->state = state;
    outcome->code = code;
}

/* The requested wait of a 429 or 5xx. */
static void read_wait(gf_outcome_t *outcome, const gf_msg_t *msg)
{
    outcome->retry_after = gf_provider_retry_after(msg);
    outcome->locked_out = msg->status == 429 && outcome->retry_after == 0;
}

/* 4xx and 5xx, the same for submissions and polls. */
static void read_refusal(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg,
                         const refusal_t *refusal)
{
    outcome->detail = gf_provider_detail(call->provider, msg->pool,
                                         apr_psprintf(msg->pool, "HTTP %d", msg->status),
                                         refusal->name, refusal->message);
    if (msg->status == 403 && refusal->name && strcmp(refusal->name, "content_moderation") == 0) {
        set_outcome(outcome, GF_PROV_FILTERED, GF_E_FILTERED);
    }
    else if (msg->status == 429) {
        set_outcome(outcome, GF_PROV_TRANSIENT, GF_E_RATE_LIMIT);
        read_wait(outcome, msg);
    }
    else if (msg->status >= 500) {
        set_outcome(outcome, GF_PROV_TRANSIENT, GF_E_API);
        read_wait(outcome, msg);
    }
    else {
        set_outcome(outcome, GF_PROV_PERMANENT, GF_E_API);
        outcome->alarm = msg->status == 401 || msg->status == 402 || msg->status == 403;
    }
}

/* A picture was received: is it to be stored? */
static void read_picture(gf_outcome_t *outcome, const gf_msg_t *msg)
{
    const char *finish = apr_table_get(msg->answer, "finish-reason");

    if (finish && strcasecmp(finish, "CONTENT_FILTERED") == 0) {
        set_outcome(outcome, GF_PROV_FILTERED, GF_E_FILTERED); /* it is blurred */
    }
    else if (msg->spooled <= 0) {
        set_outcome(outcome, GF_PROV_EMPTY, GF_E_EMPTY);
    }
    else {
        outcome->state = GF_PROV_SUCCEEDED;
    }
}

static void read_submit(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    refusal_t refusal;

    if (gf_provider_unanswered(outcome, msg)) {
        return;
    }
    if (msg->spooled >= 0) {
        read_picture(outcome, msg);
        return;
    }
    parse_refusal(&refusal, msg);
    if (msg->status >= 400) {
        read_refusal(outcome, call, msg, &refusal);
    }
    else if (msg->status / 100 == 2 && refusal.id && refusal.id[0] != '.'
             && gf_text_is_token(refusal.id, 128)) {
        outcome->state = GF_PROV_WORKING;
        outcome->ref = refusal.id;
    }
    else {
        set_outcome(outcome, GF_PROV_EMPTY, GF_E_EMPTY);
        outcome->detail = apr_psprintf(msg->pool, "HTTP %d without a picture", msg->status);
    }
}

static void read_poll(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    refusal_t refusal;

    if (gf_provider_unanswered(outcome, msg)) {
        if (outcome->state != GF_PROV_EMPTY) {
            outcome->state = GF_PROV_WORKING; /* a lost poll does not change the run */
        }
        return;
    }
    if (msg->spooled >= 0) {
        read_picture(outcome, msg);
        return;
    }
    parse_refusal(&refusal, msg);
    if (msg->status == 202 || msg->status == 429 || msg->status >= 500) {
        outcome->state = GF_PROV_WORKING;
        read_wait(outcome, msg);
    }
    else if (msg->status >= 400) {
        read_refusal(outcome, call, msg, &refusal);
    }
    else {
        set_outcome(outcome, GF_PROV_EMPTY, GF_E_EMPTY);
        outcome->detail = apr_psprintf(msg->pool, "HTTP %d without a picture", msg->status);
    }
}

/* Its reference has one form of errors. finish-reason comes with pictures, also with empty ones. */
static const gf_prov_mark_t own[] = { { 400, 599, NULL, "id name errors", NULL },
                                      { 200, 299, "finish-reason", NULL, NULL },
                                      { 0 } };

const gf_prov_kind_t gf_prov_stability = { .name = "stability",
                                           .ref_name = "stabilityJobId",
                                           .key_header = "Authorization",
                                           .key_prefix = "Bearer ",
                                           .key_path = "/v1/user/balance",
                                           .check = check_section,
                                           .submit = make_submit,
                                           .read_submit = read_submit,
                                           .own = own,
                                           .poll = make_poll,
                                           .read_poll = read_poll,
                                           .source = source_use,
                                           .honours = honours,
                                           .source_as_file = true };

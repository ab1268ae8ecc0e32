/* SPDX-License-Identifier: Apache-2.0 */
/* Replicate: a prediction is created, polled until it has ended, and then has addresses of its
 * outputs for an hour. Predictions can be listed with their inputs, so a lost one is found by our
 * seed. Pure translation; runs on the dispatcher thread. */
#include "provider/provider.h"

#include <string.h>

#include <apr_strings.h>

#include "base/hash.h"
#include "base/sign.h"
#include "base/text.h"
#include "provider/webhook.h"
#include "provider/json.h"
#include "provider/run.h"

#define CANCEL_AFTER_MIN 5 /* seconds */

static const char *check_section(const gf_provider_t *provider, apr_pool_t *pool)
{
    if (provider->webhook_secret && !gf_sign_is_secret(provider->webhook_secret, pool)) {
        return "GenflowProviderHookSecret names no secret of the form " GF_SIGN_SECRET;
    }
    return prov_json_check(provider, pool, "https://api.replicate.com/v1", "REPLICATE_API_TOKEN");
}

/* ---- requests ---- */

/* Inputs are the models' own; members that a model does not name are refused. */
static const prov_field_t of_flux_dev[] = { { "prompt", "prompt" },
                                            { "source", "image" },
                                            { "strength", "prompt_strength" },
                                            { "aspect_ratio", "aspect_ratio" },
                                            { "guidance_scale", "guidance" },
                                            { "num_inference_steps", "num_inference_steps" },
                                            { "seed", "seed" },
                                            { NULL, NULL } };

static const prov_field_t of_flux_kontext[] = { { "prompt", "prompt" },
                                                { "source", "input_image" },
                                                { "aspect_ratio", "aspect_ratio" },
                                                { "seed", "seed" },
                                                { NULL, NULL } };

static const prov_field_t of_flux_2[] = { { "prompt", "prompt" },
                                          { "sources", "input_images" },
                                          { "aspect_ratio", "aspect_ratio" },
                                          { "seed", "seed" },
                                          { NULL, NULL } };

static const prov_field_t of_flux_2_klein[] = { { "prompt", "prompt" },
                                                { "sources", "images" },
                                                { "aspect_ratio", "aspect_ratio" },
                                                { "seed", "seed" },
                                                { NULL, NULL } };

/* They have no seed; what was lost of them stays lost. */
static const prov_field_t of_lists[] = { { "prompt", "prompt" },
                                         { "sources", "image_input" },
                                         { "aspect_ratio", "aspect_ratio" },
                                         { NULL, NULL } };

static const prov_field_t of_flux[] = {
    { "prompt", "prompt" }, { "aspect_ratio", "aspect_ratio" }, { "seed", "seed" }, { NULL, NULL }
};

static const prov_field_t common[] = { { "prompt", "prompt" },
                                       { "negative_prompt", "negative_prompt" },
                                       { "source", "image" },
                                       { "strength", "prompt_strength" },
                                       { "guidance_scale", "guidance_scale" },
                                       { "num_inference_steps", "num_inference_steps" },
                                       { "seed", "seed" },
                                       { NULL, NULL } };

/* Bounds of lists, by Replicate's page of each model (API, schema): flux-2-klein 5, flux-2-dev 4,
 * flux-2-flex 10, flux-2-pro 8, seedream-4 10 (4.5: 14). That of nano-banana says "multiple images"
 * (nano-banana-pro: 14): 10, as of Google's own model. */
static const prov_model_t models[] = {
    { "black-forest-labs/flux-dev", of_flux_dev, GF_SOURCE_MAY },
    { "black-forest-labs/flux-kontext", of_flux_kontext, GF_SOURCE_MAY },
    { "black-forest-labs/flux-2-klein", of_flux_2_klein, GF_SOURCE_MAY, 5 },
    { "black-forest-labs/flux-2-dev", of_flux_2, GF_SOURCE_MAY, 4 },
    { "black-forest-labs/flux-2-flex", of_flux_2, GF_SOURCE_MAY, 10 },
    { "black-forest-labs/flux-2", of_flux_2, GF_SOURCE_MAY, 8 },
    { "google/nano-banana", of_lists, GF_SOURCE_MAY, 10 },
    { "bytedance/seedream-4", of_lists, GF_SOURCE_MAY, 10 },
    { "black-forest-labs/flux", of_flux, GF_SOURCE_NONE },
    { "", common, GF_SOURCE_MAY }
};

static const prov_field_t *fields_of(const char *model)
{
    return prov_json_fields_of(models, model);
}

static bool honours(const char *model, const char *name)
{
    return prov_json_honours(fields_of(model), name);
}

static const char *ratio_size(const char *model, const char *ratio)
{
    return prov_json_ratio_size(fields_of(model), ratio);
}

static gf_source_use_t source_use(const char *model)
{
    return prov_json_source(models, model);
}

static int source_max(const char *model)
{
    return prov_json_source_max(models, model);
}

/* `owner/name` has a path of its own; `owner/name:version` and a bare version go into the body. */
static bool is_version(const char *model)
{
    return strchr(model, ':') || !strchr(model, '/');
}

static gf_msg_t *make_request(const gf_prov_call_t *call, const char *method, const char *path)
{
    return prov_json_request(call, method,
                             apr_pstrcat(call->pool, call->provider->url, path, NULL));
}

static const char *make_input(const gf_prov_call_t *call)
{
    return prov_json_input(call, fields_of(call->model));
}

/* Cancel-After stops the run at our own deadline, so that no run is billed after it. */
static gf_msg_t *make_submit(const gf_prov_call_t *call)
{
    const char *model = call->model;
    apr_int64_t limit = apr_time_sec(call->provider->deadline);
    gf_msg_t *msg = make_request(
        call, "POST",
        is_version(model) ? "/predictions"
                          : apr_pstrcat(call->pool, "/models/", model, "/predictions", NULL));
    gf_out_t body;

    apr_table_setn(msg->headers, "Cancel-After",
                   apr_psprintf(call->pool, "%" APR_INT64_T_FMT "s",
                                limit > CANCEL_AFTER_MIN ? limit : CANCEL_AFTER_MIN));
    gf_out_init(&body, call->pool, 1024);
    gf_out_open(&body, '{');
    if (is_version(model)) {
        gf_out_put_string(&body, "version", model);
    }
    gf_out_put_raw(&body, "input", make_input(call));
    if (call->provider_webhook_url) {
        gf_out_put_string(&body, "webhook", call->provider_webhook_url);
        gf_out_put_raw(&body, "webhook_events_filter", "[\"completed\"]");
    }
    gf_out_close(&body, '}');
    prov_json_body(msg, body.text);
    return msg;
}

static gf_msg_t *make_poll(const gf_prov_call_t *call)
{
    return make_request(call, "GET",
                        apr_pstrcat(call->pool, "/predictions/", call->job->provider_ref, NULL));
}

static gf_msg_t *make_cancel(const gf_prov_call_t *call)
{
    gf_msg_t *msg = make_request(
        call, "POST",
        apr_pstrcat(call->pool, "/predictions/", call->job->provider_ref, "/cancel", NULL));

    msg->body = "";
    return msg;
}

/* ---- reading a prediction ---- */

/* Models report in prose that they refused an input or an output. */
static bool is_filter(const char *error)
{
    static const char *const signs[] = { "NSFW",   "flagged as sensitive", "E005",
                                         "safety", "content policy",       NULL };
    const char *const *sign;

    for (sign = signs; *sign; sign++) {
        if (strcasestr(error, *sign)) {
            return true;
        }
    }
    return false;
}

/* Something between Replicate and the model broke. */
static bool is_passing(const char *error)
{
    return strstr(error, "E1000") || strstr(error, "502 Bad Gateway");
}

static void read_failed(gf_outcome_t *outcome, const gf_prov_call_t *call,
                        const gf_json_t *document)
{
    const char *error = prov_json_text(document, "error");

    outcome->detail = gf_provider_detail(call->provider, call->pool, "failed", NULL, error);
    if (is_filter(error)) {
        prov_json_set(outcome, GF_PROV_FILTERED, GF_E_FILTERED);
    }
    else if (is_passing(error) && call->job->retries == 0) {
        prov_json_set(outcome, GF_PROV_TRANSIENT, GF_E_API); /* once: failed runs may be billed */
    }
    else {
        prov_json_set(outcome, GF_PROV_PERMANENT, GF_E_API);
    }
}

/* The output is the model's own: one address, or several of which the first counts. */
static void read_succeeded(gf_outcome_t *outcome, const gf_json_t *document)
{
    const gf_json_t *output = gf_json_get(document, "output");
    bool removed = false;

    gf_json_bool(gf_json_get(document, "data_removed"), &removed);
    if (removed
        || (!prov_json_picture_in(outcome, output)
            && !prov_json_picture_in(outcome, gf_json_at(output, 0)))) {
        prov_json_set(outcome, GF_PROV_EMPTY, GF_E_EMPTY);
        outcome->detail = removed ? "its output was removed" : "it ended without an output";
    }
}

static void read_prediction(gf_outcome_t *outcome, const gf_prov_call_t *call,
                            const gf_json_t *document)
{
    const char *status = prov_json_text(document, "status");

    if (strcmp(status, "succeeded") == 0) {
        read_succeeded(outcome, document);
    }
    else if (strcmp(status, "failed") == 0) {
        read_failed(outcome, call, document);
    }
    else if (strcmp(status, "canceled") == 0) {
        prov_json_set(outcome, GF_PROV_PERMANENT, GF_E_API);
        outcome->detail = "canceled";
    }
    else if (strcmp(status, "aborted") == 0) {
        prov_json_set(outcome, GF_PROV_TRANSIENT, GF_E_TIMEOUT); /* never started, not charged */
        outcome->detail = "aborted before it started";
    }
    else { /* starting, processing, and words to come */
        outcome->state = GF_PROV_WORKING;
        prov_run_logs_read(outcome, call, prov_json_text(document, "logs"));
    }
}

static void read_submit(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    const gf_json_t *document;
    const char *id;

    if (gf_provider_unanswered(outcome, msg)) {
        return;
    }
    document = prov_json_document(call, msg);
    id = prov_json_text(document, "id");
    if (msg->status / 100 != 2) {
        prov_json_refused(outcome, call, msg, document);
        if (msg->status == 422 && strstr(outcome->detail, "version does not exist")) {
            outcome->unknown_model = true;
        }
    }
    else if (prov_json_is_ref(id)) { /* whatever has become of it: its id is written first */
        outcome->state = GF_PROV_WORKING;
        outcome->ref = id;
        prov_run_logs_read(outcome, call, prov_json_text(document, "logs"));
    }
    else {
        prov_json_set(outcome, GF_PROV_UNKNOWN, GF_E_NETWORK); /* taken, but as what? */
        outcome->detail = apr_psprintf(call->pool, "HTTP %d without an id", msg->status);
    }
}

/* ---- after a lost answer ---- */

#define LIST  "/predictions?"
#define SINCE "created_after"

static gf_msg_t *request_list(const gf_prov_call_t *call, const char *since)
{
    return make_request(call, "GET", apr_pstrcat(call->pool, LIST SINCE "=", since, NULL));
}

static gf_msg_t *make_reconcile(const gf_prov_call_t *call)
{
    return request_list(call, prov_run_since(call));
}

static prov_run_row_t row_of(const gf_prov_call_t *call, const gf_json_t *row)
{
    const char *model = prov_json_text(row, "model");
    const char *status = prov_json_text(row, "status");
    apr_size_t length = strcspn(call->model, ":");

    if (strchr(call->model, '/') && model[0]
        && (strlen(model) != length || strncmp(model, call->model, length) != 0)) {
        return PROV_RUN_OTHERS;
    }
    return strcmp(status, "aborted") == 0
                   || (strcmp(status, "failed") == 0 && is_passing(prov_json_text(row, "error")))
               ? PROV_RUN_VOID
               : PROV_RUN_COUNTS;
}

/* The page that follows, if its address is one of the list's. */
static const char *next_page(const gf_prov_call_t *call, const gf_json_t *document)
{
    const char *next = prov_json_text(document, "next");
    const char *list = apr_pstrcat(call->pool, call->provider->url, LIST, NULL);

    return strncmp(next, list, strlen(list)) == 0 ? next : NULL;
}

/* This page does not hold it. `more`: there is another one; its address, if it can be asked. */
static void read_absent(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg,
                        const char *next, bool more)
{
    const char *earlier = prov_run_list_start(call, msg, prov_run_query_value(call, msg, SINCE));

    if (earlier && earlier[0]) {
        outcome->state = GF_PROV_NEXT;
        outcome->next = request_list(call, earlier);
    }
    else if (earlier) {
        outcome->detail = "its list has no Date, and may begin too late";
    }
    else if (next) {
        outcome->state = GF_PROV_NEXT;
        outcome->next = prov_json_request(call, "GET", next);
    }
    else if (!more) {
        prov_json_set(outcome, GF_PROV_TRANSIENT, GF_E_NETWORK);
        outcome->absent = true;
        outcome->detail = "its list does not hold the run";
    }
}

static void read_reconcile(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    static const prov_run_list_t list = { "id", "created_at", "input", row_of, fields_of };
    const gf_json_t *document;
    const gf_json_t *rows;
    const char *next;
    prov_run_found_t found;

    if (prov_run_list_failed(outcome, call, msg)) {
        return;
    }
    document = prov_json_document(call, msg);
    rows = gf_json_get(document, "results");
    if (!gf_json_is_array(rows)) {
        return;
    }
    next = next_page(call, document);
    found = prov_run_find(outcome, call, rows, &list);
    if (found == PROV_RUN_ABSENT) {
        read_absent(outcome, call, msg, next, gf_json_get(document, "next") != NULL);
    }
}

/* Only a prediction with a status is an answer about the job. */
static void read_poll(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    const gf_json_t *document;

    if (prov_run_poll_failed(outcome, msg)) {
        return;
    }
    document = prov_json_document(call, msg);
    if (msg->status == 200 && prov_json_text(document, "status")[0]) {
        read_prediction(outcome, call, document);
    }
    else {
        prov_run_still_working(outcome, call, msg);
    }
}

/* ---- its report of the end ---- */

#define EVENT_MAX      128
#define SIGNATURES_MAX 4096 /* there are two while a secret is being changed */

/* Is the wanted signature in the list that came: `v1,... v1,... v2,...`? */
static bool is_listed(const char *list, const char *wanted)
{
    apr_size_t length = strlen(wanted);
    bool found = false;

    while (*list) {
        apr_size_t word = strcspn(list, " ");

        if (word == strlen(GF_SIGN_VERSION) + length
            && strncmp(list, GF_SIGN_VERSION, strlen(GF_SIGN_VERSION)) == 0
            && gf_hash_equal(list + strlen(GF_SIGN_VERSION), wanted, length)) {
            found = true;
        }
        list += word;
        list += strspn(list, " ");
    }
    return found;
}

/* Standard Webhooks: the id names the delivery, and is the same when that is repeated. */
static gf_webhook_verdict_t read_webhook(gf_provider_webhook_t *webhook,
                                         const gf_provider_t *provider)
{
    const char *event = prov_webhook_header(webhook, "webhook-id");
    const char *time = prov_webhook_time(webhook, "webhook-timestamp");
    const char *list = apr_table_getm(webhook->pool, webhook->headers, "webhook-signature");
    const char *wanted;

    if (!event || !gf_text_is_token(event, EVENT_MAX) || !time || !list
        || strlen(list) > SIGNATURES_MAX) {
        return GF_WEBHOOK_FORGED;
    }
    wanted = gf_sign(webhook->pool, provider->webhook_secret, event, time, webhook->body,
                     webhook->length);
    if (!wanted || !is_listed(list, wanted)) {
        return GF_WEBHOOK_FORGED;
    }
    webhook->event = event;
    webhook->ref = prov_json_text(prov_webhook_document(webhook), "id");
    return prov_json_is_ref(webhook->ref) ? GF_WEBHOOK_GENUINE : GF_WEBHOOK_MEANINGLESS;
}

/* Its problem details have neither type nor instance, as those of gateways have, and none of the
 * many members of Cloudflare's. A refusal (4xx) may be a `detail` alone. */
#define PROBLEM "title status detail invalid_fields retry_after"

static const gf_prov_mark_t own[] = { { 400, 499, NULL, "detail", PROBLEM },
                                      { 500, 599, NULL, "status detail", PROBLEM },
                                      { 0 } };

const gf_prov_kind_t gf_prov_replicate = { .name = "replicate",
                                           .ref_name = "replicateId",
                                           .result_life = apr_time_from_sec(3600),
                                           .key_header = "Authorization",
                                           .key_prefix = "Bearer ",
                                           .key_path = "/account",
                                           .check = check_section,
                                           .submit = make_submit,
                                           .read_submit = read_submit,
                                           .own = own,
                                           .poll = make_poll,
                                           .read_poll = read_poll,
                                           .cancel = make_cancel,
                                           .source = source_use,
                                           .honours = honours,
                                           .ratio_size = ratio_size,
                                           .source_max = source_max,
                                           .read_webhook = read_webhook,
                                           .reconcile = make_reconcile,
                                           .read_reconcile = read_reconcile,
                                           .input = make_input };

/* SPDX-License-Identifier: Apache-2.0 */
/* fal.ai's queue: a request is queued, its status polled, and its result fetched by a second
 * question, which answers as the model did: a failed run is COMPLETED, too. Requests that were
 * begun can be listed with their inputs, so a lost one may be found by our seed. Pure translation;
 * runs on the dispatcher thread. */
#include "provider/provider.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#include "base/hash.h"
#include "provider/webhook.h"
#include "provider/json.h"
#include "provider/run.h"

#define QUEUE        "https://queue.fal.run"
#define PLATFORM     "https://api.fal.ai"
#define LIST         "/v1/models/requests/by-endpoint?"
#define SINCE        "start"
#define STATUS_QUERY "/status?logs=1"
#define CURSOR_MAX   512
#define LOGS_MAX     20 /* the last ones */

static const char *check_section(const gf_provider_t *provider, apr_pool_t *pool)
{
    return prov_json_check(provider, pool, QUEUE, "FAL_KEY");
}

/* ---- requests ---- */

static const prov_field_t of_ghiblify[] = { { "source", "image_url" },
                                            { "seed", "seed" },
                                            { NULL, NULL } };

static const prov_field_t of_sdxl[] = { { "prompt", "prompt" },
                                        { "negative_prompt", "negative_prompt" },
                                        { "image_size", "image_size" },
                                        { "num_inference_steps", "num_inference_steps" },
                                        { "guidance_scale", "guidance_scale" },
                                        { "seed", "seed" },
                                        { NULL, NULL } };

static const prov_field_t common[] = { { "prompt", "prompt" },
                                       { "negative_prompt", "negative_prompt" },
                                       { "source", "image_url" },
                                       { "strength", "strength" },
                                       { "image_size", "image_size" },
                                       { "num_inference_steps", "num_inference_steps" },
                                       { "guidance_scale", "guidance_scale" },
                                       { "seed", "seed" },
                                       { NULL, NULL } };

/* gpt-image and nano-banana have no seed; what was lost of them stays lost. */
static const prov_field_t of_gpt_edit[] = {
    { "prompt", "prompt" },         { "sources", "image_urls" },          { "quality", "quality" },
    { "background", "background" }, { "output_format", "output_format" }, { NULL, NULL }
};

static const prov_field_t of_banana_edit[] = { { "prompt", "prompt" },
                                               { "sources", "image_urls" },
                                               { "aspect_ratio", "aspect_ratio" },
                                               { NULL, NULL } };

static const prov_field_t of_seedream_edit[] = { { "prompt", "prompt" },
                                                 { "sources", "image_urls" },
                                                 { "image_size", "image_size" },
                                                 { "seed", "seed" },
                                                 { NULL, NULL } };

/* Bounds of lists. fal's descriptions (API of each model) say 10 for seedream ("if over 10 images
 * are sent, only the last 10 will be used") and none for the others: of gpt-image it is OpenAI's
 * bound of an edit (API reference, images/edits), of nano-banana 10, as of Google's own model. */
static const prov_model_t models[] = {
    { "fal-ai/gpt-image-1/edit-image", of_gpt_edit, GF_SOURCE_MUST, 16 },
    { "fal-ai/gpt-image-1.5/edit", of_gpt_edit, GF_SOURCE_MUST, 16 },
    { "fal-ai/nano-banana/edit", of_banana_edit, GF_SOURCE_MUST, 10 },
    { "fal-ai/nano-banana-pro/edit", of_banana_edit, GF_SOURCE_MUST, 10 },
    { "fal-ai/bytedance/seedream/v4/edit", of_seedream_edit, GF_SOURCE_MUST, 10 },
    { "fal-ai/bytedance/seedream/v4.5/edit", of_seedream_edit, GF_SOURCE_MUST, 10 },
    { "fal-ai/ghiblify", of_ghiblify, GF_SOURCE_MUST },
    { "fal-ai/fast-sdxl/", common, GF_SOURCE_MAY },
    { "fal-ai/fast-sdxl", of_sdxl, GF_SOURCE_NONE },
    { "fal-ai/realistic-vision/", common, GF_SOURCE_MAY },
    { "fal-ai/realistic-vision", of_sdxl, GF_SOURCE_NONE },
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

static gf_msg_t *make_request(const gf_prov_call_t *call, const char *method, const char *url)
{
    return prov_json_request(call, method, url);
}

/* Everything behind the submission knows a model by owner and app only, whatever follows these. */
static const char *run_url(const gf_prov_call_t *call, const char *tail)
{
    const char *model = call->model;
    const char *slash = strchr(model, '/');
    const char *end = slash ? strchr(slash + 1, '/') : NULL;
    const char *app = end ? apr_pstrmemdup(call->pool, model, (apr_size_t)(end - model)) : model;

    return apr_pstrcat(call->pool, call->provider->url, "/", app, "/requests/",
                       call->job->provider_ref, tail, NULL);
}

/* The parameter with the address for the provider webhook; "": none. */
static const char *webhook_query(const gf_prov_call_t *call)
{
    if (!call->provider_webhook_url) {
        return "";
    }
    return apr_pstrcat(call->pool, "?fal_webhook=",
                       apr_pescape_urlencoded(call->pool, call->provider_webhook_url), NULL);
}

static const char *make_input(const gf_prov_call_t *call)
{
    return prov_json_input(call, fields_of(call->model));
}

static gf_msg_t *make_submit(const gf_prov_call_t *call)
{
    gf_msg_t *msg = make_request(
        call, "POST",
        apr_pstrcat(call->pool, call->provider->url, "/", call->model, webhook_query(call), NULL));

    prov_json_body(msg, make_input(call));
    return msg;
}

static gf_msg_t *make_poll(const gf_prov_call_t *call)
{
    return make_request(call, "GET", run_url(call, STATUS_QUERY));
}

static gf_msg_t *make_cancel(const gf_prov_call_t *call)
{
    gf_msg_t *msg = make_request(call, "PUT", run_url(call, "/cancel"));

    msg->body = "";
    return msg;
}

/* ---- what went wrong ---- */

/* Error types and what they mean; one that ends with `_` stands for all that begin so. */
static const struct {
    const char *type;
    gf_prov_state_t state;
    gf_err_code_t code;
} types[] = { { "content_policy_violation", GF_PROV_FILTERED, GF_E_FILTERED },
              { "no_media_generated", GF_PROV_EMPTY, GF_E_EMPTY },
              { "client_disconnected", GF_PROV_PERMANENT, GF_E_API },
              { "client_cancelled", GF_PROV_PERMANENT, GF_E_API },
              { "runner_", GF_PROV_TRANSIENT, GF_E_API },
              { "startup_timeout", GF_PROV_TRANSIENT, GF_E_TIMEOUT },
              { "request_timeout", GF_PROV_TRANSIENT, GF_E_TIMEOUT },
              { "generation_timeout", GF_PROV_TRANSIENT, GF_E_TIMEOUT },
              { "internal_error", GF_PROV_TRANSIENT, GF_E_API },
              { "internal_server_error", GF_PROV_TRANSIENT, GF_E_API },
              { "downstream_service_", GF_PROV_TRANSIENT, GF_E_API } };

static bool read_type(gf_outcome_t *outcome, const char *type)
{
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const char *known = types[i].type;
        apr_size_t length = strlen(known);

        if (known[length - 1] == '_' ? strncmp(known, type, length) == 0
                                     : strcmp(known, type) == 0) {
            prov_json_set(outcome, types[i].state, types[i].code);
            return true;
        }
    }
    return false;
}

/* The error type, from the body or a header; "" if neither. Several things can be wrong
 * at once: a refused content decides. */
static const char *type_of(const gf_msg_t *msg, const gf_json_t *document)
{
    const gf_json_t *details = gf_json_get(document, "detail");
    const char *type = apr_table_get(msg->answer, "X-Fal-Error-Type");
    prov_refusal_t refusal;
    apr_size_t i;

    for (i = 0; i < gf_json_length(details); i++) {
        const char *word = prov_json_text(gf_json_at(details, i), "type");

        if (strcmp(word, "content_policy_violation") == 0) {
            return word;
        }
    }
    prov_json_refusal_read(&refusal, document);
    return refusal.type[0] || !type ? refusal.type : type;
}

static void read_error(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg,
                       const gf_json_t *document)
{
    const char *retryable = apr_table_get(msg->answer, "X-Fal-Retryable");
    const char *type = type_of(msg, document);

    prov_json_refused(outcome, call, msg, document);
    if (read_type(outcome, type)) {
        outcome->alarm = false;
        outcome->unknown_model = false;
    }
    if (outcome->state == GF_PROV_TRANSIENT && msg->status != 429 && retryable
        && strcasecmp(retryable, "false") == 0) {
        outcome->state = GF_PROV_PERMANENT;
    }
}

/* ---- reading ---- */

static void read_queue(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_json_t *document)
{
    const gf_json_t *logs = gf_json_get(document, "logs");
    apr_size_t count = gf_json_length(logs);
    apr_size_t i = count > LOGS_MAX ? count - LOGS_MAX : 0;
    const char *text = "";
    apr_int64_t position;

    outcome->state = GF_PROV_WORKING;
    if (gf_json_int(gf_json_get(document, "queue_position"), &position) && position >= 0
        && position <= APR_INT32_MAX) {
        outcome->progress.queue_position = (int)position;
    }
    for (; i < count; i++) {
        text = apr_pstrcat(call->pool, text, prov_json_text(gf_json_at(logs, i), "message"), "\n",
                           NULL);
    }
    prov_run_logs_read(outcome, call, text);
}

static void read_submit(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    const gf_json_t *document;
    const char *id;

    if (gf_provider_unanswered(outcome, msg)) {
        return;
    }
    document = prov_json_document(call, msg);
    id = prov_json_text(document, "request_id");
    if (msg->status / 100 != 2) {
        read_error(outcome, call, msg, document);
    }
    else if (prov_json_is_ref(id)) {
        read_queue(outcome, call, document);
        outcome->ref = id;
    }
    else {
        prov_json_set(outcome, GF_PROV_UNKNOWN, GF_E_NETWORK); /* taken, but as what? */
        outcome->detail = apr_psprintf(call->pool, "HTTP %d without an id", msg->status);
    }
}

/* Does this error come from the model? The queue's own, about our question, say nothing about the
 * run. They have a plain text at most; a model's 400 or 422 may have that, too. */
static bool is_models(const gf_msg_t *msg, const gf_json_t *document)
{
    const gf_json_t *detail = gf_json_get(document, "detail");
    const char *text;

    if (type_of(msg, document)[0]) {
        return true;
    }
    return (msg->status == 400 || msg->status == 422) && gf_json_string(detail, &text)
           && !strstr(text, "in progress");
}

static void read_result(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    const gf_json_t *document;

    if (prov_run_poll_failed(outcome, msg)) {
        return;
    }
    document = prov_json_document(call, msg);
    if (msg->status == 200) {
        prov_json_picture(outcome, document);
    }
    else if (is_models(msg, document)) {
        read_error(outcome, call, msg, document);
        outcome->alarm = false; /* it is not about our account, nor about the model's name */
        outcome->unknown_model = false;
    }
    else {
        prov_run_still_working(outcome, call, msg);
    }
}

static void read_poll(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    const gf_json_t *document;

    if (prov_run_poll_failed(outcome, msg)) {
        return;
    }
    document = prov_json_document(call, msg);
    if (msg->status / 100 != 2) {
        prov_run_still_working(outcome, call, msg);
    }
    else if (strcmp(prov_json_text(document, "status"), "COMPLETED") == 0) {
        outcome->state = GF_PROV_NEXT;
        outcome->next = make_request(call, "GET", run_url(call, ""));
        outcome->next->read = read_result;
    }
    else {
        read_queue(outcome, call, document); /* also words to come: there is no FAILED */
    }
}

/* ---- after a lost answer ---- */

/* The list is not the queue's, but that of another host; a stand-in is both. */
static gf_msg_t *request_list(const gf_prov_call_t *call, const char *since, const char *cursor)
{
    const char *url = call->provider->url;
    const char *next = cursor ? "&cursor=" : "";

    return make_request(call, "GET",
                        apr_pstrcat(call->pool, strcmp(url, QUEUE) == 0 ? PLATFORM : url, LIST,
                                    "endpoint_id=", apr_pescape_urlencoded(call->pool, call->model),
                                    "&" SINCE "=", since, "&limit=100&expand=payloads", next,
                                    cursor ? apr_pescape_urlencoded(call->pool, cursor) : "",
                                    NULL));
}

static gf_msg_t *make_reconcile(const gf_prov_call_t *call)
{
    return request_list(call, prov_run_since(call), NULL);
}

static prov_run_row_t row_of(const gf_prov_call_t *call, const gf_json_t *row)
{
    const char *endpoint = prov_json_text(row, "endpoint_id");
    apr_int64_t status = 0;

    if (endpoint[0] && strcmp(endpoint, call->model) != 0) {
        return PROV_RUN_OTHERS;
    }
    gf_json_int(gf_json_get(row, "status_code"), &status);
    return status >= 500 ? PROV_RUN_VOID : PROV_RUN_COUNTS; /* those are never billed */
}

/* The list has only requests that a runner has begun: one that is not there may still wait in the
 * queue, so it stays unknown. */
static void read_reconcile(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    static const prov_run_list_t list = { "request_id", "sent_at", "json_input", row_of,
                                          fields_of };
    const char *since = prov_run_query_value(call, msg, SINCE);
    const char *cursor_sent = prov_run_query_value(call, msg, "cursor");
    const gf_json_t *document;
    const char *earlier;
    const char *cursor;
    prov_run_found_t found;

    if (prov_run_list_failed(outcome, call, msg)) {
        return;
    }
    document = prov_json_document(call, msg);
    cursor = prov_json_text(document, "next_cursor");
    found = prov_run_find(outcome, call, gf_json_get(document, "items"), &list);
    if (found == PROV_RUN_FOUND || found == PROV_RUN_FAILED || outcome->settled) {
        return;
    }
    outcome->detail = "its list does not hold the request, which may still be queued";
    earlier = cursor_sent[0] ? NULL : prov_run_list_start(call, msg, since);
    if (earlier && earlier[0]) {
        outcome->state = GF_PROV_NEXT;
        outcome->next = request_list(call, earlier, NULL);
    }
    else if (cursor[0] && strlen(cursor) <= CURSOR_MAX) {
        outcome->state = GF_PROV_NEXT;
        outcome->next = request_list(call, since, cursor);
    }
}

/* ---- its report of the end ---- */

/* Signed are the three headers and the body's hash, a line each, and the reports of all of fal's
 * customers by the same keys: that one is about our run shows only in its address, and in what the
 * queue then says to our key. A request ends once, as `OK` or as `ERROR`: these name the event. */
static gf_webhook_verdict_t read_webhook(gf_provider_webhook_t *webhook,
                                         const gf_provider_t *provider)
{
    const char *id = prov_webhook_header(webhook, "X-Fal-Webhook-Request-Id");
    const char *user = prov_webhook_header(webhook, "X-Fal-Webhook-User-Id");
    const char *time = prov_webhook_time(webhook, "X-Fal-Webhook-Timestamp");
    const char *signature = prov_webhook_header(webhook, "X-Fal-Webhook-Signature");
    char hash[GF_SHA256_HEX];
    gf_webhook_verdict_t verdict;
    const gf_json_t *document;
    const char *status;

    (void)provider;
    if (!id || !user || !time || !signature) {
        return GF_WEBHOOK_FORGED;
    }
    gf_hash_sha256(hash, webhook->body, webhook->length);
    verdict = prov_webhook_signed(
        webhook, signature,
        apr_pstrcat(webhook->pool, id, "\n", user, "\n", time, "\n", hash, NULL));
    if (verdict != GF_WEBHOOK_GENUINE) {
        return verdict;
    }
    document = prov_webhook_document(webhook);
    status = prov_json_text(document, "status");
    webhook->ref = prov_json_text(document, "request_id");
    webhook->event = apr_pstrcat(webhook->pool, webhook->ref, ":", status, NULL);
    return prov_json_is_ref(webhook->ref)
                   && (strcmp(status, "OK") == 0 || strcmp(status, "ERROR") == 0)
               ? GF_WEBHOOK_GENUINE
               : GF_WEBHOOK_MEANINGLESS;
}

/* Errors of the model, of fal's machines, and refusals of the queue, which are a `detail` alone. A
 * 5xx of that last form is no documented one. */
static const gf_prov_mark_t own[] = { { 400, 599, "X-Fal-Error-Type", NULL, NULL },
                                      { 400, 599, NULL, "detail/0/msg detail/0/type", NULL },
                                      { 400, 599, NULL, "detail error_type", NULL },
                                      { 400, 499, NULL, "detail", "detail" },
                                      { 0 } };

const gf_prov_kind_t gf_prov_fal = { .name = "fal",
                                     .ref_name = "falJobId",
                                     .result_life = apr_time_from_sec(7 * 24 * 3600),
                                     .key_header = "Authorization",
                                     .key_prefix = "Key ",
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
                                     .webhook_keys = "https://rest.fal.ai/.well-known/jwks.json",
                                     .reconcile = make_reconcile,
                                     .read_reconcile = read_reconcile,
                                     .input = make_input };

/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the translators of JSON APIs: requests and their inputs, pictures, and refusals in all
 * their forms. Each API's own words are in its own file. Pure; runs on the dispatcher thread. */
#include "provider/json.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "model/bound.h"

#define ANSWER_MAX (32 * 1024 * 1024) /* bytes: a picture in base64, or a page of a list */
#define REF_MAX    128

/* ---- requests ---- */

const char *prov_json_check(const gf_provider_t *provider, apr_pool_t *pool, const char *url,
                            const char *variable)
{
    if (!provider->url) {
        return apr_pstrcat(pool, "GenflowProviderUrl is missing: ", url, NULL);
    }
    if (!provider->key) {
        return apr_pstrcat(pool, "GenflowProviderKey is missing: env:", variable, " or file:/path",
                           NULL);
    }
    return NULL;
}

gf_msg_t *prov_json_request(const gf_prov_call_t *call, const char *method, const char *url)
{
    gf_msg_t *msg = gf_provider_request(call, method, url, "application/json");

    msg->text_max = ANSWER_MAX;
    return msg;
}

void prov_json_body(gf_msg_t *msg, const char *document)
{
    apr_table_setn(msg->headers, "Content-Type", "application/json");
    msg->body = document;
}

static const prov_model_t *row_of(const prov_model_t *models, const char *model)
{
    while (strncmp(models->name, model, strlen(models->name)) != 0) {
        models++;
    }
    return models;
}

const prov_field_t *prov_json_fields_of(const prov_model_t *models, const char *model)
{
    return row_of(models, model)->fields;
}

gf_source_use_t prov_json_source(const prov_model_t *models, const char *model)
{
    return strstr(model, "image-to-image") ? GF_SOURCE_MUST : row_of(models, model)->source;
}

int prov_json_source_max(const prov_model_t *models, const char *model)
{
    return row_of(models, model)->source_max;
}

/* The sizes that fit an aspect ratio; sides are multiples of 32, as all providers require. */
static const struct {
    const char *ratio;
    const char *size; /* JSON */
    const char *sides;
} sizes[] = { { "1:1", "\"square_hd\"", "1024x1024" },
              { "16:9", "\"landscape_16_9\"", "1024x576" },
              { "9:16", "\"portrait_16_9\"", "576x1024" },
              { "4:3", "\"landscape_4_3\"", "1024x768" },
              { "3:4", "\"portrait_4_3\"", "768x1024" },
              { "3:2", "{\"width\":1152,\"height\":768}", "1152x768" },
              { "2:3", "{\"width\":768,\"height\":1152}", "768x1152" } };

/* JSON of the size, or NULL. */
static const char *image_size(const gf_prov_call_t *call, const gf_json_t *parameters)
{
    gf_json_t *size = gf_json_get(parameters, "image_size");
    const char *ratio = prov_json_text(parameters, "aspect_ratio");
    size_t i;

    if (size && gf_bound_passes(call->job->type, "image_size", size, call->pool)) {
        return gf_json_text(size);
    }
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (strcmp(sizes[i].ratio, ratio) == 0
            && gf_bound_allows(call->job->type, sizes[i].sides, call->pool)) {
            return sizes[i].size;
        }
    }
    return NULL;
}

/* JSON of a parameter of the job, or NULL. */
static const char *parameter_json(const gf_prov_call_t *call, const gf_json_t *parameters,
                                  const char *name)
{
    gf_json_t *value;

    if (strcmp(name, "image_size") == 0) {
        return image_size(call, parameters);
    }
    if (strcmp(name, "strength") == 0 && !call->source) {
        return NULL;
    }
    value = gf_json_get(parameters, name);
    return value && gf_bound_passes(call->job->type, name, value, call->pool) ? gf_json_text(value)
                                                                              : NULL;
}

bool prov_json_honours(const prov_field_t *fields, const char *name)
{
    for (; fields->ours; fields++) {
        bool is_size = strcmp(fields->ours, "image_size") == 0;

        if (strcmp(fields->ours, name) == 0 || (is_size && strcmp(name, "aspect_ratio") == 0)) {
            return true;
        }
    }
    return false;
}

const char *prov_json_ratio_size(const prov_field_t *fields, const char *ratio)
{
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (strcmp(sizes[i].ratio, ratio) == 0 && prov_json_honours(fields, "image_size")) {
            return sizes[i].sides;
        }
    }
    return NULL;
}

static void put_sources(gf_out_t *out, const gf_prov_call_t *call, const char *name)
{
    int i;

    gf_out_key(out, name);
    gf_out_open(out, '[');
    for (i = 0; i < call->source_count; i++) {
        gf_out_string(out, call->sources[i].url);
    }
    gf_out_close(out, ']');
}

void prov_json_fields(gf_out_t *out, const gf_prov_call_t *call, const prov_field_t *fields)
{
    const gf_job_t *job = call->job;
    gf_ctx_t ctx = { .pool = call->pool };
    gf_json_t *parameters = NULL;
    const char *value;

    if (gf_json_parse(&parameters, &ctx, job->parameters, strlen(job->parameters))) {
        parameters = NULL; /* checked when it came: this does not happen */
    }
    for (; fields->ours; fields++) {
        if (strcmp(fields->ours, "prompt") == 0) {
            gf_out_put_string(out, fields->theirs, job->prompt);
        }
        else if (strcmp(fields->ours, "seed") == 0) {
            if (job->seed > 0) {
                gf_out_put_int(out, fields->theirs, job->seed);
            }
        }
        else if (strcmp(fields->ours, "source") == 0) {
            if (call->source) {
                gf_out_put_string(out, fields->theirs, call->source);
            }
        }
        else if (strcmp(fields->ours, "sources") == 0) {
            if (call->source) {
                put_sources(out, call, fields->theirs);
            }
        }
        else if ((value = parameter_json(call, parameters, fields->ours))) {
            gf_out_put_raw(out, fields->theirs, value);
        }
    }
}

const char *prov_json_input(const gf_prov_call_t *call, const prov_field_t *fields)
{
    gf_out_t out;

    gf_out_init(&out, call->pool, 1024);
    gf_out_open(&out, '{');
    prov_json_fields(&out, call, fields);
    gf_out_close(&out, '}');
    return out.text;
}

/* ---- reading ---- */

bool prov_json_is_ref(const char *text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789_-";
    apr_size_t length = text ? strlen(text) : 0;

    return length > 0 && length <= REF_MAX && strspn(text, alphabet) == length;
}

const gf_json_t *prov_json_document(const gf_prov_call_t *call, const gf_msg_t *msg)
{
    gf_ctx_t ctx = { .pool = call->pool };
    gf_json_t *document = NULL;

    return gf_json_parse_reply(&document, &ctx, msg->text, msg->text_length) ? NULL : document;
}

const char *prov_json_text(const gf_json_t *object, const char *name)
{
    const char *text = "";

    gf_json_string(gf_json_get(object, name), &text);
    return text;
}

void prov_json_set(gf_outcome_t *outcome, gf_prov_state_t state, gf_err_code_t code)
{
    outcome->state = state;
    outcome->code = code;
}

/* The forms: {"error":{"message","code","type"}} or {"error":"..."} (OpenAI and its like),
 * {"message":"..." or ["..."]} (AIML), {"title","detail"} (Replicate), {"detail":"...",
 * "error_type"} or {"detail":[{"msg","type"}]} (fal). */
void prov_json_refusal_read(prov_refusal_t *refusal, const gf_json_t *document)
{
    gf_json_t *error = gf_json_get(document, "error");
    gf_json_t *detail = gf_json_get(document, "detail");
    const gf_json_t *first = gf_json_at(detail, 0);

    refusal->message = prov_json_text(document, "title");
    gf_json_string(gf_json_get(first, "msg"), &refusal->message);
    gf_json_string(detail, &refusal->message);
    gf_json_string(gf_json_at(gf_json_get(document, "message"), 0), &refusal->message);
    gf_json_string(gf_json_get(document, "message"), &refusal->message);
    gf_json_string(error, &refusal->message);
    gf_json_string(gf_json_get(error, "message"), &refusal->message);

    refusal->code = prov_json_text(error, "code");
    refusal->type = prov_json_text(error, "type");
    gf_json_string(gf_json_get(first, "type"), &refusal->type);
    gf_json_string(gf_json_get(document, "error_type"), &refusal->type);
}

const char *prov_json_detail(const gf_prov_call_t *call, const gf_msg_t *msg,
                             const prov_refusal_t *refusal)
{
    return gf_provider_detail(call->provider, call->pool,
                              apr_psprintf(call->pool, "HTTP %d", msg->status),
                              refusal->code[0] ? refusal->code : refusal->type, refusal->message);
}

/* Code words that mean the same wherever they come from. */
static const struct {
    const char *word;
    gf_prov_state_t state;
    gf_err_code_t code;
    bool alarm, unknown_model;
} words[] = { { "content_policy_violation", GF_PROV_FILTERED, GF_E_FILTERED, false, false },
              { "moderation_blocked", GF_PROV_FILTERED, GF_E_FILTERED, false, false },
              { "insufficient_quota", GF_PROV_PERMANENT, GF_E_API, true, false },
              { "billing_hard_limit_reached", GF_PROV_PERMANENT, GF_E_API, true, false },
              { "model_not_found", GF_PROV_PERMANENT, GF_E_API, false, true } };

static bool read_word(gf_outcome_t *outcome, const prov_refusal_t *refusal)
{
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, refusal->code) == 0
            || strcmp(words[i].word, refusal->type) == 0) {
            prov_json_set(outcome, words[i].state, words[i].code);
            outcome->alarm = words[i].alarm;
            outcome->unknown_model = words[i].unknown_model;
            return true;
        }
    }
    return false;
}

static apr_interval_time_t bounded_wait(double seconds)
{
    if (!(seconds > 0)) {
        return 0;
    }
    return (apr_interval_time_t)((seconds < GF_PROVIDER_WAIT_MAX ? seconds : GF_PROVIDER_WAIT_MAX)
                                 * APR_USEC_PER_SEC);
}

/* "Please try again in 1.5s", "... resets in ~30s", "... in 6m0s", "... in 250ms". */
static double seconds_in(const char *text)
{
    const char *at = strstr(text, "again in ");
    char *unit;
    double number;

    at = at ? at + strlen("again in ") : strstr(text, "resets in ");
    if (!at) {
        return 0;
    }
    at += strcspn(at, "0123456789");
    number = strtod(at, &unit);
    unit += strspn(unit, " ");
    if (strncmp(unit, "ms", 2) == 0) {
        return number / 1000;
    }
    return *unit == 'h' ? number * 3600 : *unit == 'm' ? number * 60 : number;
}

/* The requested wait, from a header, a member or the prose; 0: none. */
static apr_interval_time_t requested_wait(const gf_msg_t *msg, const gf_json_t *document,
                                          const prov_refusal_t *refusal)
{
    const char *milliseconds = apr_table_get(msg->answer, "Retry-After-Ms");
    apr_interval_time_t wait = gf_provider_retry_after(msg);
    double seconds;

    if (milliseconds && (wait = bounded_wait(strtod(milliseconds, NULL) / 1000)) > 0) {
        return wait;
    }
    if (wait == 0 && gf_json_number(gf_json_get(document, "retry_after"), &seconds)) {
        wait = bounded_wait(seconds);
    }
    return wait > 0 ? wait : bounded_wait(seconds_in(refusal->message));
}

void prov_json_refused(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg,
                       const gf_json_t *document)
{
    prov_refusal_t refusal;

    prov_json_refusal_read(&refusal, document);
    outcome->detail = prov_json_detail(call, msg, &refusal);
    if (read_word(outcome, &refusal)) {
        return;
    }
    if (msg->status == 429) {
        prov_json_set(outcome, GF_PROV_TRANSIENT, GF_E_RATE_LIMIT);
        outcome->retry_after = requested_wait(msg, document, &refusal);
        outcome->locked_out = outcome->retry_after == 0;
    }
    else if (msg->status >= 500) {
        prov_json_set(outcome, GF_PROV_TRANSIENT, GF_E_API);
        outcome->retry_after = requested_wait(msg, document, &refusal);
    }
    else {
        prov_json_set(outcome, GF_PROV_PERMANENT, GF_E_API);
        outcome->alarm = msg->status == 401 || msg->status == 402 || msg->status == 403;
        outcome->unknown_model = msg->status == 404;
    }
}

bool prov_json_picture_in(gf_outcome_t *outcome, const gf_json_t *value)
{
    const char *url = prov_json_text(value, "url");
    const char *b64 = prov_json_text(value, "b64_json");

    gf_json_string(value, &url);
    if (!url[0] && !b64[0]) {
        return false;
    }
    outcome->state = GF_PROV_SUCCEEDED;
    if (url[0]) {
        outcome->picture_url = url;
    }
    else {
        outcome->picture_b64 = b64;
    }
    return true;
}

void prov_json_picture(gf_outcome_t *outcome, const gf_json_t *document)
{
    const gf_json_t *marks = gf_json_get(document, "has_nsfw_concepts");
    const gf_json_t *list = gf_json_get(document, "images");
    bool filtered = false;
    apr_size_t count;
    apr_size_t i;

    if (!list) {
        list = gf_json_get(document, "data");
    }
    count = gf_json_length(list);
    for (i = 0; i < count || i < gf_json_length(marks); i++) {
        bool marked = false;

        gf_json_bool(gf_json_at(marks, i), &marked);
        filtered = filtered || marked;
        if (!marked && prov_json_picture_in(outcome, gf_json_at(list, i))) {
            return;
        }
    }
    if (filtered) {
        prov_json_set(outcome, GF_PROV_FILTERED, GF_E_FILTERED); /* it is black or blurred */
        outcome->detail = "its filter marked the picture";
    }
    else if (!prov_json_picture_in(outcome, gf_json_get(document, "image"))) {
        prov_json_set(outcome, GF_PROV_EMPTY, GF_E_EMPTY);
        outcome->detail = "the answer holds no picture";
    }
}

void prov_json_read_answer(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    const gf_json_t *document;

    if (gf_provider_unanswered(outcome, msg)) {
        return;
    }
    if (msg->spooled > 0) {
        outcome->state = GF_PROV_SUCCEEDED; /* it sent the bytes themselves */
        return;
    }
    document = prov_json_document(call, msg);
    if (msg->status / 100 == 2) {
        prov_json_picture(outcome, document);
    }
    else {
        prov_json_refused(outcome, call, msg, document);
    }
}

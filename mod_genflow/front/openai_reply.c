/* SPDX-License-Identifier: Apache-2.0 */
/* Our errors and generations as OpenAI's images API says them. Requests are in front/openai.c. */
#include "front/openai.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

/* ---- errors ---- */

/* Our names of members, and the client's. */
static const char *param_of(const char *field)
{
    static const char *const names[][2] = {
        { "customPrompt", "prompt" }, { "aspectRatio", "size" },    { "aspect_ratio", "size" },
        { "sourceUrl", "image" },     { "sourceAssetId", "image" }, { "sourceAssetIds", "image" },
        { "productImages", "image" }, { "images", "image" },        { "image[]", "image" },
    };
    size_t i;

    for (i = 0; field && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i][0], field) == 0) {
            return names[i][1];
        }
    }
    return field;
}

/* Ours, as a client sees it. */
typedef struct said_t {
    int status;
    const char *type, *code;
} said_t;

static said_t say(const front_fault_t *fault)
{
    static const struct {
        gf_err_code_t code;
        said_t said;
    } special[] = {
        { GF_E_NO_MODEL, { 404, "invalid_request_error", "model_not_found" } },
        { GF_E_NO_ROUTE, { 404, "invalid_request_error", "unknown_url" } },
        { GF_E_UNSUPPORTED, { 400, "invalid_request_error", "unsupported_value" } },
        { GF_E_FILTERED, { 400, "image_generation_user_error", "moderation_blocked" } },
        { GF_E_CANCELLED, { 400, "invalid_request_error", "cancelled" } },
        { GF_E_SOURCE, { 400, "invalid_request_error", "invalid_image" } },
        { GF_E_SOURCE_URL, { 400, "invalid_request_error", "invalid_image" } },
        { GF_E_PICTURE_TYPE, { 400, "invalid_request_error", "invalid_image" } },
        { GF_E_NO_CREDIT, { 402, "insufficient_quota", "insufficient_quota" } },
        { GF_E_QUOTA, { 429, "insufficient_quota", "insufficient_quota" } },
        { GF_E_BAD_JSON, { 400, "invalid_request_error", "invalid_json" } },
        { GF_E_BAD_MULTIPART, { 400, "invalid_request_error", "invalid_form" } },
        { GF_E_KEY_MISMATCH, { 400, "idempotency_error", "idempotency_mismatch" } },
    };
    said_t usual = { fault->err->row->http, "invalid_request_error", NULL };
    const gf_field_error_t *field =
        fault->err->fields ? &APR_ARRAY_IDX(fault->err->fields, 0, gf_field_error_t) : NULL;
    size_t i;

    for (i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (gf_err_is(fault->err, special[i].code)) {
            return special[i].said;
        }
    }
    switch (usual.status) {
    case 401:
        usual.type = "authentication_error";
        usual.code = "invalid_api_key";
        break;
    case 402:
        usual.type = usual.code = "insufficient_quota";
        break;
    case 403:
        usual.type = "permission_error";
        usual.code = "permission_denied";
        break;
    case 429:
        usual.type = "rate_limit_error";
        usual.code = "rate_limit_exceeded";
        break;
    case 415:
    case 422:
        usual.status = 400;
        break;
    default:
        break;
    }
    if (usual.status >= 500) {
        usual.type = "server_error";
    }
    if (field) {
        usual.code = field->missing ? "missing_required_parameter" : "invalid_value";
    }
    return usual;
}

/* "INVALID_PRESET" as a code of theirs. */
static const char *lower(const char *code, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, code);
    char *at;

    for (at = text; *at; at++) {
        *at = (char)apr_tolower(*at);
    }
    return text;
}

const char *front_openai_error_object(const front_fault_t *fault, apr_pool_t *pool)
{
    said_t said = say(fault);
    const char *field = param_of(front_fault_field(fault->err));
    gf_out_t out;

    if (gf_err_is(fault->err, GF_E_NO_MODEL)) {
        field = "model";
    }
    else if (gf_err_is(fault->err, GF_E_SOURCE)) {
        field = "image";
    }
    gf_out_init(&out, pool, 256);
    gf_out_open(&out, '{');
    gf_out_put_string(
        &out, "message",
        fault->err->fields ? apr_pstrcat(
            pool, field, " ", APR_ARRAY_IDX(fault->err->fields, 0, gf_field_error_t).message, NULL)
                           : front_fault_message(fault->err, pool));
    gf_out_put_string(&out, "type", said.type);
    gf_out_put_string(&out, "param", field);
    gf_out_put_string(&out, "code", said.code ? said.code : lower(fault->err->row->code, pool));
    gf_out_close(&out, '}');
    return out.text;
}

void front_openai_error(front_reply_t *reply, const front_fault_t *fault, apr_pool_t *pool)
{
    reply->status = say(fault).status;
    reply->text =
        apr_pstrcat(pool, "{\"error\":", front_openai_error_object(fault, pool), "}", NULL);
    apr_table_setn(reply->headers, "x-should-retry", fault->may_retry ? "true" : "false");
    if (gf_err_is(fault->err, GF_E_FRONT_LATE)) {
        apr_table_setn(reply->headers, "retry-after-ms", "100");
    }
}

/* ---- objects ---- */

void front_openai_facts(front_openai_facts_t *facts, gf_ctx_t *ctx, const gf_view_t *view)
{
    const char *text = view->result_json;
    apr_int64_t width = 0;
    apr_int64_t height = 0;
    const char *type = NULL;
    gf_json_t *result;

    facts->size = facts->format = NULL;
    if (!text || gf_json_parse(&result, ctx, text, strlen(text))) {
        return;
    }
    if (gf_json_int(gf_json_get(result, "width"), &width)
        && gf_json_int(gf_json_get(result, "height"), &height)) {
        facts->size =
            apr_psprintf(ctx->pool, "%" APR_INT64_T_FMT "x%" APR_INT64_T_FMT, width, height);
    }
    if (gf_json_string(gf_json_get(result, "type"), &type) && strncmp(type, "image/", 6) == 0) {
        facts->format = type + 6;
    }
}

const char *front_openai_members(const char *name, apr_int64_t seconds,
                                 const front_openai_facts_t *facts, const char *quality,
                                 apr_pool_t *pool)
{
    gf_out_t out;

    gf_out_init(&out, pool, 256);
    gf_out_put_int(&out, name, seconds);
    gf_out_put_string(&out, "size", facts->size);
    gf_out_put_string(&out, "quality", quality);
    gf_out_put_string(&out, "background", "opaque");
    gf_out_put_string(&out, "output_format", facts->format);
    gf_out_put_raw(&out, "usage",
                   "{\"total_tokens\":0,\"input_tokens\":0,\"output_tokens\":0,"
                   "\"input_tokens_details\":{\"text_tokens\":0,\"image_tokens\":0}}");
    return out.text;
}

void front_openai_model(gf_out_t *out, const gf_model_t *model)
{
    gf_out_open(out, '{');
    gf_out_put_string(out, "id", model->name);
    gf_out_put_string(out, "object", "model");
    gf_out_put_int(out, "created", 0);
    gf_out_put_string(out, "owned_by", gf_type_wire(model->type));
    gf_out_close(out, '}');
}

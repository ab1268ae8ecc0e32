/* SPDX-License-Identifier: Apache-2.0 */
/* front/openai.c and front/openai_reply.c: what the official client and the AI SDK were recorded to
 * send becomes our body, and our errors become theirs. */
#include "front/openai.h"

#include <apr_encode.h>

#include "model/bound.h"
#include "unit.h"

#define RECORDED "t/clients/recorded/openai.json"
#define CAT      "\"prompt\":\"a cat in the rain\""

static gf_type_t type = { .name = "custom-prompt", .source = GF_SOURCE_MAY };

/* A type whose chain has one entry, which takes so many pictures; and these words for a parameter.
 */
static void set_type(int pictures, const char *name, const char *words)
{
    gf_choice_t *choice;

    type.chain = apr_array_make(unit.ctx.pool, 1, sizeof(gf_choice_t));
    choice = apr_array_push(type.chain);
    choice->model = "";
    choice->source = GF_SOURCE_MAY;
    choice->source_max = pictures;
    type.bounds = apr_array_make(unit.ctx.pool, 1, sizeof(gf_bound_t));
    if (name) {
        gf_bound_t *bound = apr_array_push(type.bounds);

        bound->name = name;
        bound->words = words;
    }
}

static gf_json_t *recorded(const char *call)
{
    apr_size_t length;
    const char *text = unit_read(RECORDED, &length);
    gf_json_t *list;
    apr_size_t i;

    ck_assert_msg(text != NULL, "run it by support/check: there is no " RECORDED);
    list = gf_json_get(unit_json(text), "recorded");
    for (i = 0; i < gf_json_length(list); i++) {
        const char *found = "";

        gf_json_string(gf_json_get(gf_json_at(list, i), "call"), &found);
        if (strcmp(found, call) == 0) {
            return gf_json_at(list, i);
        }
    }
    ck_abort_msg("%s was not recorded", call);
    return NULL;
}

/* Reads the recorded request; NULL, or the error. */
static gf_err_t *read_recorded(front_openai_t *ask, const char *call)
{
    const gf_json_t *request = recorded(call);
    const char *text = NULL;
    const char *content_type = "";
    apr_array_header_t *parts;
    gf_bytes_t body;

    memset(ask, 0, sizeof(*ask));
    ask->is_edit = strstr(call, "edit") != NULL;
    if (!gf_json_string(gf_json_get(request, "base64"), &text)) {
        return front_openai_read(ask, &unit.ctx, gf_json_get(request, "body"));
    }
    gf_json_string(gf_json_get(gf_json_get(request, "headers"), "content-type"), &content_type);
    body.at =
        apr_pdecode_base64(unit.ctx.pool, text, APR_ENCODE_STRING, APR_ENCODE_NONE, &body.length);
    parts = gf_multipart_parts(unit.ctx.pool, gf_multipart_boundary(unit.ctx.pool, content_type),
                               &body);
    ck_assert_ptr_nonnull(parts);
    return front_openai_read_form(ask, &unit.ctx, parts);
}

START_TEST(recorded_requests_become_our_body)
{
    static const struct {
        const char *call, *body, *model, *quality;
        int pictures;
        bool is_url, is_stream;
    } rows[] = {
        { "generate", "{" CAT ",\"n\":1}", "gpt-image-1", "auto", 0, false, false },
        { "generate url", "{" CAT ",\"n\":1,\"aspectRatio\":\"16:9\",\"quality\":\"high\"}",
          "dall-e-3", "high", 0, true, false },
        { "generate all", "{" CAT ",\"n\":3,\"aspectRatio\":\"2:3\",\"quality\":\"high\"}",
          "gpt-image-1", "high", 0, false, false },
        { "generate stream", "{" CAT ",\"n\":1}", "gpt-image-1", "auto", 0, false, true },
        { "edit one", "{" CAT ",\"n\":1}", "gpt-image-1", "auto", 1, false, false },
        { "edit several", "{" CAT ",\"n\":2,\"aspectRatio\":\"3:2\"}", "gpt-image-1", "auto", 2,
          false, false },
        { "ai-sdk", "{" CAT ",\"n\":1,\"aspectRatio\":\"1:1\"}", "gpt-image-1", "auto", 0, false,
          false },
        { "ai-sdk dall-e", "{" CAT ",\"n\":1,\"quality\":\"medium\"}", "dall-e-3", "medium", 0,
          false, false },
        { "ai-sdk edit", "{" CAT ",\"n\":1}", "gpt-image-1", "auto", 1, false, false },
    };
    front_openai_shown_t shown;
    front_openai_t ask;
    const char *body;
    size_t i;

    set_type(16, "quality", "auto|low|medium|high");
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unit_no_error(read_recorded(&ask, rows[i].call));
        unit_no_error(front_openai_body(&body, &shown, &unit.ctx, &ask, &type, NULL));
        ck_assert_str_eq(body, rows[i].body);
        ck_assert_str_eq(ask.model, rows[i].model);
        ck_assert_str_eq(shown.quality, rows[i].quality);
        ck_assert_int_eq(ask.pictures->nelts, rows[i].pictures);
        ck_assert_int_eq(ask.is_url, rows[i].is_url);
        ck_assert_int_eq(ask.is_stream, rows[i].is_stream);
    }
}
END_TEST

START_TEST(what_would_change_the_picture_is_refused)
{
    front_openai_shown_t shown;
    front_openai_t ask;
    const char *body;
    gf_err_t *err;

    set_type(1, NULL, NULL);
    err = read_recorded(&ask, "generate transparent");
    ck_assert(gf_err_is(err, GF_E_UNSUPPORTED));
    ck_assert_str_eq(front_fault_field(err), "background");
    err = read_recorded(&ask, "edit mask");
    ck_assert(gf_err_is(err, GF_E_UNSUPPORTED));
    ck_assert_str_eq(front_fault_field(err), "mask");
    unit_no_error(read_recorded(&ask, "edit several"));
    err = front_openai_body(&body, &shown, &unit.ctx, &ask, &type, NULL);
    ck_assert(gf_err_is(err, GF_E_UNSUPPORTED));
    ck_assert_str_eq(front_fault_field(err), "image");
}
END_TEST

START_TEST(a_quality_becomes_the_nearest_allowed_one)
{
    static const struct {
        const char *asked, *allowed, *shown;
    } rows[] = {
        { "high", "auto", "auto" },         { "hd", "auto|low", "low" },
        { "high", "low|medium", "medium" }, { "medium", "low|high", "low" },
        { "low", "high", "high" },          { "ultra", "low|high", "auto" },
        { NULL, "low|high", "auto" },
    };
    front_openai_shown_t shown;
    const char *body;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const front_openai_t ask = { .prompt = "a cat",
                                     .quality = rows[i].asked,
                                     .count = 1,
                                     .pictures = apr_array_make(unit.ctx.pool, 1,
                                                                sizeof(front_picture_t)) };

        set_type(1, "quality", rows[i].allowed);
        unit_no_error(front_openai_body(&body, &shown, &unit.ctx, &ask, &type, NULL));
        ck_assert_str_eq(shown.quality, rows[i].shown);
    }
}
END_TEST

START_TEST(errors_are_theirs)
{
    static const struct {
        gf_err_code_t code;
        bool may_retry;
        int status;
        const char *error, *retry;
    } rows[] = {
        { GF_E_FRONT_LATE, true, 503, "\"type\":\"server_error\"", "true" },
        { GF_E_NO_CREDIT, false, 402, "\"code\":\"insufficient_quota\"", "false" },
        { GF_E_KEY_MISMATCH, false, 400, "\"code\":\"idempotency_mismatch\"", "false" },
        { GF_E_FILTERED, false, 400, "\"code\":\"moderation_blocked\"", "false" },
        { GF_E_CANCELLED, false, 400, "\"code\":\"cancelled\"", "false" },
        { GF_E_SOURCE, false, 400, "\"param\":\"image\"", "false" },
        { GF_E_TOO_OFTEN, true, 429, "\"type\":\"rate_limit_error\"", "true" },
        { GF_E_NOT_SIGNED_IN, false, 401, "\"code\":\"invalid_api_key\"", "false" },
        { GF_E_INVALID, false, 400, "\"type\":\"invalid_request_error\"", "false" },
        { GF_E_TIMEOUT, false, 500, "\"code\":\"timeout\"", "false" },
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const gf_err_t *err = gf_err_make(&unit.ctx, rows[i].code, APR_SUCCESS, "a test");
        const front_fault_t fault = { .err = err, .may_retry = rows[i].may_retry };
        front_reply_t *reply = front_reply_make(unit.ctx.pool, err->row->http);

        front_openai_error(reply, &fault, unit.ctx.pool);
        ck_assert_int_eq(reply->status, rows[i].status);
        ck_assert_msg(strstr(reply->text, rows[i].error) != NULL, "%s", reply->text);
        ck_assert_str_eq(apr_table_get(reply->headers, "x-should-retry"), rows[i].retry);
    }
}
END_TEST

START_TEST(an_error_of_a_field_names_the_clients_parameter)
{
    const gf_err_t *err =
        gf_err_field(&unit.ctx, GF_E_SOURCE_URL, "sourceAssetIds", "must be a picture");
    const front_fault_t fault = { .err = err };
    front_reply_t *reply = front_reply_make(unit.ctx.pool, 422);

    front_openai_error(reply, &fault, unit.ctx.pool);
    ck_assert_int_eq(reply->status, 400);
    ck_assert_str_eq(reply->text,
                     "{\"error\":{\"message\":\"image must be a picture\",\"type\":"
                     "\"invalid_request_error\",\"param\":\"image\",\"code\":\"invalid_image\"}}");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        recorded_requests_become_our_body,
        what_would_change_the_picture_is_refused,
        a_quality_becomes_the_nearest_allowed_one,
        errors_are_theirs,
        an_error_of_a_field_names_the_clients_parameter,
        NULL,
    };

    return unit_run("front_openai", tests);
}

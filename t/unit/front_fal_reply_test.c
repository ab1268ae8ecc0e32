/* SPDX-License-Identifier: Apache-2.0 */
/* front/fal_reply.c and model/output.c: our generations and errors become what fal's clients read.
 * No network. */
#include "front/fal.h"

#include "unit.h"

#define ID    "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
#define OTHER "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c"

static const gf_type_t type = { .name = "neo-glitch" };
static const front_site_t site = { "https://site.test", "/fal", "/api" };

/* ---- responses ---- */

static gf_view_t view_of(const char *status)
{
    gf_view_t view = { .type = &type,
                       .id = ID,
                       .status = status,
                       .prompt = "a \"neon\" cat",
                       .seed_json = "77",
                       .created_at = "2026-11-20T22:00:00.000Z" };

    return view;
}

static gf_view_t picture(const char *id)
{
    gf_view_t view = view_of("completed");

    view.id = id;
    view.image_url = "/generated/neo-glitch/5b/x.png";
    view.result_json = "{\"width\":768,\"height\":512,\"bytes\":9,\"type\":\"image/png\"}";
    view.processing_ms_json = "2500";
    return view;
}

static gf_view_t failed(const char *code)
{
    gf_view_t view = view_of("failed");

    view.error_code = code;
    view.error_message = "it said no";
    return view;
}

static front_fal_request_t request_of(const gf_view_t *views, int count)
{
    front_fal_request_t request = {
        .app = "fal-ai/flux", .views = views, .count = count, .site = &site
    };

    return request;
}

static void is_reply(const front_reply_t *reply, int status, const char *text)
{
    ck_assert_int_eq(reply->status, status);
    ck_assert_str_eq(reply->text, text);
    unit_json(reply->text);
}

#define URL "https://site.test/fal/queue/fal-ai/flux/requests/"
#define ADDRESSES(id)                                                       \
    "\"response_url\":\"" URL id "\",\"status_url\":\"" URL id "/status\"," \
    "\"cancel_url\":\"" URL id "/cancel\""
#define ONE_PICTURE                                                                              \
    "{\"url\":\"https://site.test/generated/neo-glitch/5b/x.png\",\"width\":768,\"height\":512," \
    "\"content_type\":\"image/png\"}"

START_TEST(a_submission_is_in_the_queue)
{
    gf_view_t view = view_of("processing"); /* also one that has begun */
    front_fal_request_t request = request_of(&view, 1);
    front_reply_t *reply = front_fal_queued(&request, &unit.ctx);

    is_reply(reply, 200,
             "{\"status\":\"IN_QUEUE\",\"request_id\":\"" ID
             "\",\"queue_position\":0," ADDRESSES(ID) "}");
    ck_assert_str_eq(apr_table_get(reply->headers, "x-fal-request-id"), ID);
}
END_TEST

START_TEST(a_status_follows_the_generation)
{
    gf_view_t view = view_of("pending");
    front_fal_request_t request = request_of(&view, 1);

    view.queue_position_json = "4";
    is_reply(front_fal_status(&request, &unit.ctx), 202,
             "{\"status\":\"IN_QUEUE\",\"request_id\":\"" ID
             "\",\"queue_position\":4," ADDRESSES(ID) ",\"logs\":null}");
    view = view_of("processing");
    view.logs_json = "[\"one\",\"two \\\"2\\\"\"]";
    request.logs = true;
    is_reply(front_fal_status(&request, &unit.ctx), 202,
             "{\"status\":\"IN_PROGRESS\",\"request_id\":\"" ID "\"," ADDRESSES(
                 ID) ",\"logs\":["
                     "{\"message\":\"one\",\"level\":\"INFO\",\"source\":\"USER\",\"timestamp\":"
                     "\"2026-11-20T22:00:00.000Z\"},"
                     "{\"message\":\"two "
                     "\\\"2\\\"\",\"level\":\"INFO\",\"source\":\"USER\",\"timestamp\":"
                     "\"2026-11-20T22:00:00.000Z\"}]}");
    view = picture(ID);
    is_reply(front_fal_status(&request, &unit.ctx), 200,
             "{\"status\":\"COMPLETED\",\"request_id\":\"" ID
             "\"," ADDRESSES(ID) ",\"logs\":[],\"metrics\":{\"inference_time\":2.500}}");
    view = failed("API_ERROR");
    is_reply(front_fal_status(&request, &unit.ctx), 200,
             "{\"status\":\"COMPLETED\",\"request_id\":\"" ID "\"," ADDRESSES(
                 ID) ",\"logs\":[],\"metrics\":{\"inference_time\":null},\"error\":\"it said no\","
                     "\"error_type\":\"downstream_service_error\"}");
}
END_TEST

START_TEST(a_stream_shows_each_line_once)
{
    gf_view_t view = view_of("processing");
    front_fal_request_t request = request_of(&view, 1);
    int lines = 0;

    view.logs_json = "[\"one\",\"two\"]";
    request.logs = true;
    request.old_logs = 1;
    ck_assert_ptr_null(strstr(front_fal_status_text(&lines, &request, &unit.ctx), "\"one\""));
    ck_assert_int_eq(lines, 2);
    ck_assert_ptr_nonnull(strstr(front_fal_status_text(&lines, &request, &unit.ctx), "\"two\""));
    request.old_logs = 2;
    ck_assert_ptr_nonnull(
        strstr(front_fal_status_text(&lines, &request, &unit.ctx), "\"logs\":[]"));
    view.logs_json = "what is no JSON";
    ck_assert_ptr_nonnull(
        strstr(front_fal_status_text(&lines, &request, &unit.ctx), "\"logs\":[]"));
}
END_TEST

START_TEST(a_picture_is_the_result)
{
    gf_view_t view = picture(ID);
    front_fal_request_t request = request_of(&view, 1);
    front_reply_t *reply = front_fal_result(&request, &unit.ctx);

    is_reply(reply, 200,
             "{\"images\":[" ONE_PICTURE
             "],\"has_nsfw_concepts\":[false],\"seed\":77,\"prompt\":\"a \\\"neon\\\" cat\","
             "\"timings\":{\"inference\":2.500}}");
    request.is_one = true;
    ck_assert_ptr_nonnull(
        strstr(front_fal_result(&request, &unit.ctx)->text, "{\"image\":" ONE_PICTURE ","));
    reply = front_fal_result_event(&request, &unit.ctx);
    ck_assert_str_eq(reply->type, "text/event-stream");
    ck_assert_int_eq(strncmp(reply->text, "data: {\"image\":", 15), 0);
    ck_assert_str_eq(reply->text + strlen(reply->text) - 3, "}\n\n");
    view.image_url = "https://elsewhere.test/x.png";
    view.result_json = NULL;
    ck_assert_ptr_nonnull(strstr(front_fal_result(&request, &unit.ctx)->text,
                                 "{\"url\":\"https://elsewhere.test/x.png\"}"));
    view = view_of("processing");
    reply = front_fal_result(&request, &unit.ctx);
    is_reply(reply, 400,
             "{\"detail\":\"Request is still in progress\",\"error_type\":"
             "\"request_in_progress\",\"message\":\"Request is still in progress\"}");
}
END_TEST

START_TEST(failures_have_the_status_and_the_type_that_clients_know)
{
    static const struct {
        const char *code;
        int status;
        const char *text;
    } rows[] = {
        { "CONTENT_FILTERED", 422,
          "{\"detail\":[{\"loc\":[\"body\",\"prompt\"],\"msg\":\"it said no\",\"type\":"
          "\"content_policy_violation\"}]}" },
        { "INVALID_IMAGE_URL", 422,
          "{\"detail\":[{\"loc\":[\"body\",\"image_url\"],\"msg\":\"it said no\",\"type\":"
          "\"image_load_error\"}]}" },
        { "TIMEOUT", 500,
          "{\"detail\":\"it said no\",\"error_type\":\"generation_timeout\",\"message\":"
          "\"it said no\"}" },
        { "SOMETHING_NEW", 500,
          "{\"detail\":\"it said no\",\"error_type\":\"internal_server_error\",\"message\":"
          "\"it said no\"}" },
    };
    front_fal_request_t request;
    gf_view_t view;
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        front_reply_t *reply;

        view = failed(rows[i].code);
        request = request_of(&view, 1);
        reply = front_fal_result(&request, &unit.ctx);
        is_reply(reply, rows[i].status, rows[i].text);
        ck_assert_str_eq(apr_table_get(reply->headers, "x-fal-retryable"), "false");
    }
    view = view_of("cancelled");
    request = request_of(&view, 1);
    is_reply(front_fal_result(&request, &unit.ctx), 499,
             "{\"detail\":\"Request was cancelled by the client\",\"error_type\":"
             "\"client_cancelled\",\"message\":\"Request was cancelled by the client\"}");
    ck_assert_str_eq(apr_table_get(front_fal_timed_out(ID, unit.ctx.pool)->headers,
                                   "x-fal-request-timeout-type"),
                     "user");
    ck_assert_int_eq(front_fal_timed_out(ID, unit.ctx.pool)->status, 504);
}
END_TEST

/* fal's client repeats a request that is answered with 429, 502, 503 or 504: that would be another
 * picture. */
START_TEST(no_failed_generation_is_repeated)
{
    static const char *const codes[] = {
        "API_ERROR",         "CONTENT_FILTERED",     "EMPTY_RESULT",
        "INVALID_IMAGE_URL", "MAX_RETRIES_EXCEEDED", "NETWORK_ERROR",
        "RATE_LIMIT",        "PROVIDER_UNAVAILABLE", "STORE_FAILED",
        "TIMEOUT",           "SITE_RESTORED",        "SOMETHING_NEW"
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(codes); i++) {
        gf_view_t view = failed(codes[i]);
        front_fal_request_t request = request_of(&view, 1);
        int status = front_fal_result(&request, &unit.ctx)->status;

        ck_assert_msg(status == 422 || status == 500, "%s: %d", codes[i], status);
    }
}
END_TEST

START_TEST(several_pictures_are_one_request)
{
    gf_view_t views[3] = { picture(ID), failed("API_ERROR"), picture(OTHER) };
    front_fal_request_t request = request_of(views, 3);
    const char *text;

    ck_assert_str_eq(front_fal_request_id(&request, unit.ctx.pool), ID "_" ID "_" OTHER);
    text = front_fal_result(&request, &unit.ctx)->text;
    ck_assert_ptr_nonnull(strstr(text, "[" ONE_PICTURE "," ONE_PICTURE "]"));
    ck_assert_ptr_nonnull(strstr(text, "\"has_nsfw_concepts\":[false,false]"));
    ck_assert_ptr_null(strstr(front_fal_status_text(NULL, &request, &unit.ctx), "error"));
    views[2] = view_of("pending");
    ck_assert(!front_fal_request_ended(&request));
    ck_assert_ptr_nonnull(strstr(front_fal_status_text(NULL, &request, &unit.ctx), "IN_PROGRESS"));
    views[0] = views[1] = views[2];
    ck_assert_ptr_nonnull(strstr(front_fal_status_text(NULL, &request, &unit.ctx), "IN_QUEUE"));
    views[0] = views[1] = views[2] = failed("CONTENT_FILTERED");
    ck_assert_int_eq(front_fal_result(&request, &unit.ctx)->status, 422);
}
END_TEST

START_TEST(webhooks_tell_the_end)
{
    gf_view_t view = picture(ID);

    ck_assert_str_eq(gf_output_webhook(&unit.ctx, &view, false, "https://site.test"),
                     "{\"request_id\":\"" ID "\",\"gateway_request_id\":\"" ID
                     "\",\"status\":\"OK\",\"payload\":{\"images\":[" ONE_PICTURE
                     "],\"has_nsfw_concepts\":[false],\"seed\":77,\"prompt\":\"a \\\"neon\\\" cat\""
                     ",\"timings\":{\"inference\":2.500}}}");
    view = failed("CONTENT_FILTERED");
    ck_assert_str_eq(gf_output_webhook(&unit.ctx, &view, false, "https://site.test"),
                     "{\"request_id\":\"" ID "\",\"gateway_request_id\":\"" ID
                     "\",\"status\":\"ERROR\",\"error\":\"it said no\",\"payload\":{\"detail\":["
                     "{\"loc\":[\"body\",\"prompt\"],\"msg\":\"it said no\",\"type\":"
                     "\"content_policy_violation\"}]}}");
}
END_TEST

START_TEST(the_row_remembers_the_request)
{
    static const gf_output_t asked = { "fal-ai/flux/dev", true };
    gf_view_t view = view_of("completed");
    gf_output_t output;

    view.parameters_json = apr_pstrcat(unit.ctx.pool, "{\"strength\":0.5,\"front\":",
                                       gf_output_member(&asked, unit.ctx.pool), "}", NULL);
    ck_assert(gf_output_read(&output, &unit.ctx, &view));
    ck_assert_str_eq(output.model, "fal-ai/flux/dev");
    ck_assert(output.is_one);
    view.parameters_json = "{\"front\":{\"api\":\"replicate\",\"model\":\"a/b\"}}";
    ck_assert(!gf_output_read(&output, &unit.ctx, &view));
    view.parameters_json = "{\"front\":7}";
    ck_assert(!gf_output_read(&output, &unit.ctx, &view));
    view.parameters_json = NULL;
    ck_assert(!gf_output_read(&output, &unit.ctx, &view));
}
END_TEST

/* ---- errors ---- */

static front_reply_t *error_of(const gf_err_t *err)
{
    front_fault_t fault = { err, "r-1", front_fault_passes(err) };
    front_reply_t *reply = front_reply_make(unit.ctx.pool, 0);

    front_fal_error(reply, &fault, unit.ctx.pool);
    unit_json(reply->text);
    ck_assert_str_eq(apr_table_get(reply->headers, "x-fal-request-id"), "r-1");
    return reply;
}

START_TEST(fields_have_fals_names)
{
    gf_err_t *err = gf_err_field(&unit.ctx, GF_E_INVALID, "n", "must be 1 to 10");

    err = gf_err_add_field(err, &unit.ctx, "prompt", true, "is required");
    err = gf_err_add_field(err, &unit.ctx, "webhookUrl", false, "names a host");
    err = gf_err_add_field(err, &unit.ctx, "sourceUrl", true, "is required, or sourceAssetId");
    is_reply(error_of(err), 422,
             "{\"detail\":[{\"loc\":[\"body\",\"num_images\"],\"msg\":\"must be 1 to 10\",\"type\":"
             "\"value_error\"},{\"loc\":[\"body\",\"prompt\"],\"msg\":\"Field required\",\"type\":"
             "\"missing\"},{\"loc\":[\"query\",\"fal_webhook\"],\"msg\":\"names a host\",\"type\":"
             "\"value_error\"},{\"loc\":[\"body\",\"image_url\"],\"msg\":\"Field required\","
             "\"type\":\"missing\"}]}");
}
END_TEST

START_TEST(errors_without_fields_have_a_text)
{
    static const struct {
        gf_err_code_t code;
        int status;
        const char *type, *retryable;
    } rows[] = {
        { GF_E_NOT_SIGNED_IN, 401, "unauthorized", "false" },
        { GF_E_NO_CREDIT, 402, "insufficient_credits", "false" },
        { GF_E_BLOCKED, 403, "forbidden", "false" },
        { GF_E_NO_GENERATION, 404, "not_found", "false" },
        { GF_E_METHOD, 405, "method_not_allowed", "false" },
        { GF_E_BODY_TOO_LARGE, 413, "payload_too_large", "false" },
        { GF_E_TOO_OFTEN, 429, "rate_limited", "true" },
        { GF_E_DB_DOWN, 503, "service_unavailable", "true" },
        { GF_E_INTERNAL, 500, "internal_server_error", "false" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        front_reply_t *reply = error_of(gf_err_make(&unit.ctx, rows[i].code, APR_SUCCESS, "x"));
        const char *text = gf_err_row(rows[i].code)->text;

        is_reply(reply, rows[i].status,
                 apr_psprintf(unit.ctx.pool,
                              "{\"detail\":\"%s\",\"error_type\":\"%s\",\"message\":\"%s\"}", text,
                              rows[i].type, text));
        ck_assert_str_eq(apr_table_get(reply->headers, "x-fal-retryable"), rows[i].retryable);
    }
    is_reply(error_of(gf_err_make(&unit.ctx, GF_E_NOT_YOURS, APR_SUCCESS, "x")), 404,
             "{\"detail\":\"There is no such request or picture\",\"error_type\":\"not_found\","
             "\"message\":\"There is no such request or picture\"}");
    is_reply(error_of(gf_err_make(&unit.ctx, GF_E_KEY_MISMATCH, APR_SUCCESS, "x")), 422,
             apr_psprintf(unit.ctx.pool,
                          "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"%s\",\"type\":"
                          "\"value_error\"}]}",
                          gf_err_row(GF_E_KEY_MISMATCH)->text));
}
END_TEST

START_TEST(an_error_that_must_not_be_repeated_has_no_503)
{
    front_fault_t fault = { gf_err_make(&unit.ctx, GF_E_DB_DOWN, APR_SUCCESS, "x"), "r-1", false };
    front_reply_t *reply = front_reply_make(unit.ctx.pool, 503);

    front_fal_error(reply, &fault, unit.ctx.pool);
    ck_assert_int_eq(reply->status, 500);
    ck_assert_str_eq(apr_table_get(reply->headers, "x-fal-retryable"), "false");
}
END_TEST

START_TEST(a_body_that_is_no_json_is_a_field)
{
    gf_json_t *body;
    gf_err_t *err = gf_json_parse(&body, &unit.ctx, "{\"a\":", 5);
    front_reply_t *reply = error_of(err);

    ck_assert_int_eq(reply->status, 422);
    ck_assert_ptr_nonnull(strstr(reply->text, "{\"detail\":[{\"loc\":[\"body\""));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { a_submission_is_in_the_queue,
                                   a_status_follows_the_generation,
                                   a_stream_shows_each_line_once,
                                   a_picture_is_the_result,
                                   failures_have_the_status_and_the_type_that_clients_know,
                                   no_failed_generation_is_repeated,
                                   several_pictures_are_one_request,
                                   webhooks_tell_the_end,
                                   the_row_remembers_the_request,
                                   fields_have_fals_names,
                                   errors_without_fields_have_a_text,
                                   an_error_that_must_not_be_repeated_has_no_503,
                                   a_body_that_is_no_json_is_a_field,
                                   NULL };

    return unit_run("front_fal_reply", tests);
}

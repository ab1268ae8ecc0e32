/* SPDX-License-Identifier: Apache-2.0 */
/* front/replicate.c and model/prediction.c: what the official client and the AI SDK were recorded to
 * send becomes our body, and our generation and errors become what they read. */
#include "front/replicate.h"

#include "unit.h"

#define ID       "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
#define RECORDED "t/clients/recorded/replicate.json"
#define SITE     "https://example.test"
#define MOUNT    SITE "/v1"
#define FRONT    "\"front\":{\"api\":\"replicate\",\"model\":\"owner/name\",\"mount\":\"" MOUNT "\"}"

static const gf_type_t type = { .name = "neo-glitch" };
static const gf_prediction_t plain = { .model = "owner/name", .mount = MOUNT };

/* ---- recorded requests ---- */

/* The requests that the client sent in the call of that name, which has the given path. */
static gf_json_t *recorded(const char *call, const char *path)
{
    apr_size_t length;
    const char *text = unit_read(RECORDED, &length);
    gf_json_t *document;
    gf_json_t *list;
    apr_size_t i;

    ck_assert_msg(text != NULL, "run it by support/check: there is no " RECORDED);
    document = unit_json(text);
    list = gf_json_get(document, "recorded");
    for (i = 0; i < gf_json_length(list); i++) {
        gf_json_t *one = gf_json_at(list, i);
        const char *found_call = "";
        const char *found_path = "";

        gf_json_string(gf_json_get(one, "call"), &found_call);
        gf_json_string(gf_json_get(one, "path"), &found_path);
        if (strcmp(found_call, call) == 0 && strcmp(found_path, path) == 0) {
            return one;
        }
    }
    ck_abort_msg("%s was not recorded", call);
    return NULL;
}

static const char *our_body(const gf_json_t *body)
{
    replicate_request_t request;

    unit_no_error(replicate_request_read(&request, &unit.ctx, body));
    return replicate_body(&request, &plain,
                          request.sources->nelts > 0
                              ? apr_pstrcat(unit.ctx.pool, "\"source\":\"",
                                            APR_ARRAY_IDX(request.sources, 0, replicate_source_t).text,
                                            "\"", NULL)
                              : NULL,
                          unit.ctx.pool);
}

#define NAMED   "/v1/models/owner/name/predictions"
#define VERSION "/v1/predictions"
#define CAT     "\"prompt\":\"a cat in the rain\""

START_TEST(recorded_requests_become_our_body)
{
    static const struct {
        const char *call, *path, *body;
        int wait;
    } rows[] = {
        { "run block", NAMED, "{" CAT ",\"parameters\":{" FRONT "}}", 60 },
        { "run block 5", NAMED, "{" CAT ",\"parameters\":{" FRONT "}}", 5 },
        { "run poll", NAMED, "{" CAT ",\"parameters\":{" FRONT "}}", 0 },
        { "run version", VERSION, "{" CAT ",\"parameters\":{" FRONT "}}", 60 },
        { "create deployment", "/v1/deployments/owner/name/predictions",
          "{" CAT ",\"parameters\":{" FRONT "}}", 0 },
        { "run webhook", NAMED,
          "{" CAT ",\"n\":2,\"seed\":7,\"webhookUrl\":\"https://hooks.example/r\",\"parameters\":{"
          "\"negative_prompt\":\"blur\",\"aspect_ratio\":\"16:9\",\"guidance_scale\":3.5,"
          "\"output_format\":\"png\"," FRONT "}}",
          60 },
        { "run Blob", NAMED,
          "{" CAT ",\"source\":\"http://site.test/v1/files/f1\",\"parameters\":{" FRONT "}}",
          60 },
        { "ai-sdk", NAMED,
          "{" CAT ",\"n\":1,\"seed\":7,\"parameters\":{\"aspect_ratio\":\"16:9\"," FRONT "}}", 60 },
        { "ai-sdk size", VERSION,
          "{" CAT ",\"n\":1,\"parameters\":{\"negative_prompt\":\"blur\",\"size\":\"1024x768\","
          "\"guidance_scale\":7,\"num_inference_steps\":30,\"strength\":0.5," FRONT "}}",
          30 },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_json_t *one = recorded(rows[i].call, rows[i].path);
        const char *prefer = NULL;

        gf_json_string(gf_json_get(gf_json_get(one, "headers"), "prefer"), &prefer);
        ck_assert_str_eq(our_body(gf_json_get(one, "body")), rows[i].body);
        ck_assert_int_eq(apr_time_sec(replicate_wait(prefer, unit.ctx.pool)), rows[i].wait);
    }
}
END_TEST

START_TEST(a_data_uri_is_the_source_image_whatever_type_it_announces)
{
    const char *body = our_body(gf_json_get(recorded("ai-sdk edit", NAMED), "body"));

    ck_assert_ptr_nonnull(strstr(body, "\"source\":\"data:image/png;base64,iVBOR"));
    body = our_body(unit_json("{\"input\":{\"prompt\":\"a\",\"image\":"
                              "\"data:application/octet-stream;base64,iVBOR\"}}"));
    ck_assert_ptr_nonnull(strstr(body, "\"source\":\"data:image/png;base64,iVBOR\""));
}
END_TEST

START_TEST(what_is_not_known_is_nowhere)
{
    replicate_request_t request;
    gf_json_t *body = gf_json_get(recorded("run data-uri", NAMED), "body");
    gf_err_t *err = replicate_request_read(&request, &unit.ctx, body);

    /* The client sends itself, with the key of its caller, in place of the input. */
    ck_assert_ptr_nonnull(strstr(gf_json_text(body), "gf_key"));
    ck_assert(gf_err_is(err, GF_E_INVALID));
    ck_assert_str_eq(APR_ARRAY_IDX(err->fields, 0, gf_field_error_t).field, "input.prompt");
    ck_assert_str_eq(
        our_body(unit_json("{\"input\":{\"prompt\":\"a\",\"auth\":\"gf_key\",\"go_fast\":true,"
                           "\"front\":{\"api\":\"x\"},\"presetKey\":\"p\",\"n\":9,\"seed\":null,"
                           "\"webhookUrl\":\"u\"},\"runId\":\"r\",\"stream\":true}")),
        "{\"prompt\":\"a\",\"parameters\":{" FRONT "}}");
}
END_TEST

START_TEST(words_of_a_model_are_no_values_of_ours)
{
    static const struct {
        const char *input, *body;
    } rows[] = {
        { "\"seed\":-1", "{\"prompt\":\"a\",\"parameters\":{" FRONT "}}" },
        { "\"aspect_ratio\":\"match_input_image\"", "{\"prompt\":\"a\",\"parameters\":{" FRONT "}}" },
        { "\"size\":\"2K\"", "{\"prompt\":\"a\",\"parameters\":{" FRONT "}}" },
        { "\"output_format\":\"jpg\"",
          "{\"prompt\":\"a\",\"parameters\":{\"output_format\":\"jpeg\"," FRONT "}}" },
        { "\"width\":640,\"height\":480",
          "{\"prompt\":\"a\",\"parameters\":{\"size\":\"640x480\"," FRONT "}}" },
        { "\"guidance\":4,\"width\":640,\"height\":480",
          "{\"prompt\":\"a\",\"parameters\":{\"guidance_scale\":4,\"size\":\"640x480\"," FRONT
          "}}" },
        { "\"steps\":5,\"num_inference_steps\":6",
          "{\"prompt\":\"a\",\"parameters\":{\"num_inference_steps\":6," FRONT "}}" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *text = apr_pstrcat(unit.ctx.pool, "{\"input\":{\"prompt\":\"a\",",
                                       rows[i].input, "}}", NULL);

        ck_assert_str_eq(our_body(unit_json(text)), rows[i].body);
    }
}
END_TEST

START_TEST(bad_requests_name_their_fields)
{
    static const struct {
        const char *body, *fields;
    } rows[] = {
        { "{}", "input" },
        { "{\"input\":[]}", "input" },
        { "{\"input\":{}}", "input.prompt" },
        { "{\"input\":{\"prompt\":\"a\"},\"webhook\":5}", "webhook" },
        { "{\"input\":{\"prompt\":\"a\"},\"version\":\"\"}", "version" },
        { "{\"input\":{\"prompt\":\"a\"},\"webhook_events_filter\":[\"done\"]}",
          "webhook_events_filter" },
        { "{\"input\":{\"prompt\":\"a\"},\"webhook_events_filter\":\"start\"}",
          "webhook_events_filter" },
        { "{\"input\":{\"prompt\":\"a\",\"image\":7}}", "input.image" },
        { "{\"input\":{\"prompt\":\"a\",\"mask\":\"https://a.test/m.png\"}}", "input.mask" },
        { "{\"input\":{\"prompt\":\"a\",\"image_input\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}}",
          "input.image_input" },
        { "{\"webhook\":5,\"input\":{\"image_input\":[7]}}",
          "webhook input.image_input input.prompt" },
    };
    size_t i;
    int j;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        replicate_request_t request;
        gf_err_t *err = replicate_request_read(&request, &unit.ctx, unit_json(rows[i].body));
        const char *fields = "";

        ck_assert_ptr_nonnull(err);
        for (j = 0; j < err->fields->nelts; j++) {
            fields = apr_pstrcat(unit.ctx.pool, fields, j ? " " : "",
                                 APR_ARRAY_IDX(err->fields, j, gf_field_error_t).field, NULL);
        }
        ck_assert_str_eq(fields, rows[i].fields);
    }
}
END_TEST

START_TEST(the_filter_says_which_events_are_delivered)
{
    static const struct {
        const char *more;
        bool start, end;
    } rows[] = { { "", true, true },
                 { ",\"webhook_events_filter\":[]", false, false },
                 { ",\"webhook_events_filter\":[\"completed\"]", false, true },
                 { ",\"webhook_events_filter\":[\"logs\",\"start\"]", true, false } };
    replicate_request_t request;
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *body =
            apr_pstrcat(unit.ctx.pool, "{\"webhook\":\"https://h.test\",\"input\":{\"prompt\":\"a\"}",
                        rows[i].more, "}", NULL);

        unit_no_error(replicate_request_read(&request, &unit.ctx, unit_json(body)));
        ck_assert_int_eq(request.on_start, rows[i].start);
        ck_assert_int_eq(request.on_end, rows[i].end);
    }
    unit_no_error(
        replicate_request_read(&request, &unit.ctx, unit_json("{\"input\":{\"prompt\":\"a\"}}")));
    ck_assert(!request.on_start && !request.on_end);
}
END_TEST

START_TEST(a_bare_wait_is_a_minute)
{
    static const struct {
        const char *prefer;
        int seconds;
    } rows[] = { { NULL, 0 },        { "", 0 },      { "respond-async", 0 },
                 { "wait", 60 },     { "Wait", 60 }, { "respond-async, wait", 60 },
                 { "waiting", 0 },   { "wait=7", 7 }, { "wait=0", 0 },
                 { "wait;q=1", 60 }, { ", ,wait", 60 } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_int_eq(apr_time_sec(replicate_wait(rows[i].prefer, unit.ctx.pool)),
                         rows[i].seconds);
    }
}
END_TEST

START_TEST(names_of_models_have_versions_or_not)
{
    const char *model;

    ck_assert_str_eq(replicate_version(&model, "owner/name:v1", unit.ctx.pool), "v1");
    ck_assert_str_eq(model, "owner/name");
    ck_assert_ptr_null(replicate_version(&model, "owner/name", unit.ctx.pool));
    ck_assert(replicate_is_named("owner/name", "owner/name"));
    ck_assert(replicate_is_named("owner/name:v1", "owner/name:v1"));
    ck_assert(replicate_is_named("owner/name:v1", "owner/name"));
    ck_assert(replicate_is_named("owner/name:v1", "v1"));
    ck_assert(!replicate_is_named("owner/name:v1", "owner/name:v2"));
    ck_assert(!replicate_is_named("owner/name:v1", "other/name:v1"));
    ck_assert(!replicate_is_named("owner/name", "owner/name:v1"));
    ck_assert(!replicate_is_named("owner/name", "owner/nam"));
    ck_assert(!replicate_is_named("owner/name:v1", ""));
}
END_TEST

START_TEST(an_address_of_a_file_of_ours_is_recognised)
{
    static const char *const hosts[] = { "https://example.test", "http://example.test", "", NULL };
    static const struct {
        const char *text, *id;
    } rows[] = { { "https://example.test/v1/files/" ID, ID },
                 { "http://EXAMPLE.test/v1/files/" ID "?a=b", ID },
                 { "/v1/files/" ID, ID },
                 { "https://other.test/v1/files/" ID, NULL },
                 { "https://example.test.evil/v1/files/" ID, NULL },
                 { "https://example.test/v2/files/" ID, NULL },
                 { ID, NULL } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *id = replicate_file_id(rows[i].text, "/v1", hosts, unit.ctx.pool);

        ck_assert(rows[i].id ? id && strcmp(id, rows[i].id) == 0 : !id);
    }
}
END_TEST

START_TEST(several_pictures_are_kept_in_their_order)
{
    replicate_request_t request;

    unit_no_error(replicate_request_read(
        &request, &unit.ctx,
        unit_json("{\"input\":{\"input_images\":[\"https://a.test/1\",\"https://a.test/2\"],"
                  "\"image\":\"https://a.test/0\"}}")));
    ck_assert_int_eq(request.sources->nelts, 3);
    ck_assert_str_eq(APR_ARRAY_IDX(request.sources, 0, replicate_source_t).text,
                     "https://a.test/0");
    ck_assert_str_eq(APR_ARRAY_IDX(request.sources, 2, replicate_source_t).text,
                     "https://a.test/2");
    ck_assert_str_eq(APR_ARRAY_IDX(request.sources, 2, replicate_source_t).field,
                     "input.input_images");
}
END_TEST

/* ---- predictions ---- */

static gf_view_t view_of(const char *status)
{
    gf_view_t view = { .type = &type,
                       .id = ID,
                       .status = status,
                       .prompt = "a \"neon\" cat",
                       .parameters_json = "{\"seed\":7," FRONT "}",
                       .created_at = "2026-11-20T22:00:00.000Z" };

    return view;
}

static const char *written(const gf_view_t *view, const gf_prediction_t *prediction, bool created)
{
    gf_out_t out;

    gf_out_init(&out, unit.ctx.pool, 512);
    gf_prediction_write(&out, &unit.ctx, prediction, view, 1, SITE, NULL, created);
    return out.text;
}

START_TEST(a_prediction_has_every_member)
{
    gf_view_t view = view_of("completed");
    gf_prediction_t prediction = { .model = NULL };
    gf_out_t out;

    view.image_url = "/generated/a.png";
    view.started_at = "2026-11-20T22:00:01.000Z";
    view.finished_at = "2026-11-20T22:00:03.500Z";
    view.processing_ms_json = "2500";
    view.source_url = "asset:" ID;
    ck_assert(gf_prediction_read(&prediction, &unit.ctx, &view));
    gf_out_init(&out, unit.ctx.pool, 512);
    gf_prediction_write(&out, &unit.ctx, &prediction, &view, 1, SITE, MOUNT "/stream/x", false);
    ck_assert_str_eq(
        out.text,
        "{\"id\":\"" ID "\",\"model\":\"owner/name\",\"version\":\"hidden\",\"input\":{\"prompt\":"
        "\"a \\\"neon\\\" cat\",\"image\":\"" MOUNT "/files/" ID "\",\"seed\":7},\"logs\":\"\","
        "\"output\":[\"" SITE "/generated/a.png\"],\"data_removed\":false,\"error\":null,"
        "\"source\":\"api\",\"status\":\"succeeded\",\"created_at\":\"2026-11-20T22:00:00.000Z\","
        "\"started_at\":\"2026-11-20T22:00:01.000Z\",\"completed_at\":\"2026-11-20T22:00:03.500Z\","
        "\"metrics\":{\"predict_time\":2.500},\"urls\":{\"get\":\"" MOUNT "/predictions/" ID
        "\",\"cancel\":\"" MOUNT "/predictions/" ID "/cancel\",\"stream\":\"" MOUNT
        "/stream/x\",\"web\":\"" MOUNT "/predictions/" ID "\"}}");
}
END_TEST

START_TEST(a_create_is_answered_with_starting_or_an_end)
{
    static const struct {
        const char *ours, *created, *later;
    } rows[] = { { "pending", "starting", "starting" },
                 { "processing", "starting", "processing" },
                 { "completed", "succeeded", "succeeded" },
                 { "failed", "failed", "failed" },
                 { "cancelled", "canceled", "canceled" } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_view_t view = view_of(rows[i].ours);

        ck_assert_str_eq(gf_prediction_status(&view, 1, true), rows[i].created);
        ck_assert_str_eq(gf_prediction_status(&view, 1, false), rows[i].later);
        ck_assert_ptr_nonnull(strstr(written(&view, &plain, true), rows[i].created));
    }
}
END_TEST

START_TEST(a_prediction_of_several_is_one_with_their_pictures)
{
    static const struct {
        const char *states[3], *created, *later, *output;
    } rows[] = {
        { { "pending", "pending", "pending" }, "starting", "starting", "null" },
        { { "completed", "pending", "pending" }, "starting", "processing", "null" },
        { { "completed", "failed", "processing" }, "starting", "processing", "null" },
        { { "completed", "completed", "completed" }, "succeeded", "succeeded",
          "[\"/0\",\"/1\",\"/2\"]" },
        { { "failed", "completed", "failed" }, "succeeded", "succeeded", "[\"/1\"]" },
        { { "failed", "failed", "failed" }, "failed", "failed", "null" },
        { { "cancelled", "completed", "cancelled" }, "canceled", "canceled", "[\"/1\"]" },
        { { "cancelled", "failed", "cancelled" }, "canceled", "canceled", "null" },
    };
    gf_prediction_t three = { .model = "owner/name", .mount = MOUNT, .count = 3 };
    size_t i;
    int j;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_view_t views[3];
        gf_out_t out;

        for (j = 0; j < 3; j++) {
            views[j] = view_of(rows[i].states[j]);
            views[j].run_id = apr_psprintf(unit.ctx.pool, "r-%d", j + 1);
            views[j].image_url = apr_psprintf(unit.ctx.pool, "/%d", j);
        }
        ck_assert_str_eq(gf_prediction_status(views, 3, true), rows[i].created);
        ck_assert_str_eq(gf_prediction_status(views, 3, false), rows[i].later);
        gf_out_init(&out, unit.ctx.pool, 512);
        gf_prediction_write(&out, &unit.ctx, &three, views, 3, "", NULL, false);
        ck_assert_ptr_nonnull(strstr(
            out.text, apr_pstrcat(unit.ctx.pool, "\"output\":", rows[i].output, ",", NULL)));
        ck_assert_ptr_nonnull(strstr(out.text, "\"num_outputs\":3"));
        ck_assert_str_eq(gf_prediction_nth(&three, &views[2], 0, unit.ctx.pool), "r-1");
        ck_assert_ptr_null(gf_prediction_nth(&plain, &views[2], 0, unit.ctx.pool));
        views[2].run_id = "r-4";
        ck_assert_ptr_null(gf_prediction_nth(&three, &views[2], 0, unit.ctx.pool));
        views[2].run_id = ID;
        ck_assert_ptr_null(gf_prediction_nth(&three, &views[2], 0, unit.ctx.pool));
    }
}
END_TEST

START_TEST(errors_outputs_and_logs_are_told_as_they_expect)
{
    gf_prediction_t one = { .model = "owner/name", .mount = MOUNT, .is_one = true };
    gf_view_t view = view_of("failed");

    view.error_code = "CONTENT_FILTERED";
    view.error_message = "refused";
    ck_assert_str_eq(gf_prediction_error(&view, 1, unit.ctx.pool), "NSFW content detected: refused");
    view.error_code = "TIMEOUT";
    ck_assert_str_eq(gf_prediction_error(&view, 1, unit.ctx.pool), "refused (TIMEOUT)");
    ck_assert_ptr_nonnull(strstr(written(&view, &plain, false), "\"output\":null"));

    view = view_of("cancelled");
    view.error_message = "cancelled";
    ck_assert_ptr_null(gf_prediction_error(&view, 1, unit.ctx.pool));

    view = view_of("completed");
    view.image_url = "https://store.test/a.png";
    ck_assert_ptr_nonnull(
        strstr(written(&view, &one, false), "\"output\":\"https://store.test/a.png\""));
    view.image_url = NULL;
    ck_assert_ptr_nonnull(strstr(written(&view, &one, false), "\"output\":null"));
    ck_assert_ptr_nonnull(strstr(written(&view, &plain, false), "\"output\":[]"));

    view = view_of("processing");
    view.logs_json = "[\"loading\",\"half\"]";
    view.progress_json = "0.5";
    ck_assert_str_eq(gf_prediction_logs(&view, &unit.ctx),
                     "loading\nhalf\n 50%|#####     | 50/100\n");
}
END_TEST

START_TEST(the_row_records_what_webhooks_need)
{
    gf_prediction_t wanted = { .model = "o/n",
                               .version = "v",
                               .mount = MOUNT,
                               .is_one = true,
                               .on_start = true,
                               .on_end = true };
    gf_prediction_t read = { .model = NULL };
    gf_view_t view = view_of("pending");

    view.parameters_json = apr_pstrcat(
        unit.ctx.pool, "{\"front\":", gf_prediction_member(&wanted, unit.ctx.pool), "}", NULL);
    ck_assert(gf_prediction_read(&read, &unit.ctx, &view));
    ck_assert_str_eq(read.model, "o/n");
    ck_assert_str_eq(read.version, "v");
    ck_assert(read.is_one && read.on_start && read.on_end);

    /* A row of the native API, and one that another wire, or a user's own parameter, made. */
    view.parameters_json = "{\"seed\":1}";
    memset(&read, 0, sizeof(read));
    ck_assert(!gf_prediction_read(&read, &unit.ctx, &view));
    ck_assert_str_eq(read.model, "neo-glitch");
    view.parameters_json = "{\"front\":{\"api\":\"fal\"}}";
    ck_assert(!gf_prediction_read(&read, &unit.ctx, &view));
    view.parameters_json = "{\"front\":7}";
    ck_assert(!gf_prediction_read(&read, &unit.ctx, &view));
    view.parameters_json = NULL;
    ck_assert(!gf_prediction_read(&read, &unit.ctx, &view));
}
END_TEST

/* ---- errors, files ---- */

static front_reply_t error_of(const gf_err_t *err)
{
    front_reply_t reply = { .status = err->row->http };
    front_fault_t fault = { .err = err, .request_id = "r1" };

    replicate_error(&reply, &fault, unit.ctx.pool);
    ck_assert_str_eq(reply.type, "application/problem+json");
    return reply;
}

START_TEST(errors_are_problems_that_name_their_own_fields)
{
    gf_err_t *err = gf_err_field(&unit.ctx, GF_E_INVALID, "webhookUrl", "must be https");
    front_reply_t reply = error_of(gf_err_add_field(err, &unit.ctx, "n", true, "is required"));

    ck_assert_int_eq(reply.status, 422);
    ck_assert_str_eq(reply.text,
                     "{\"type\":\"about:blank\",\"title\":\"Input validation failed\",\"status\":422,"
                     "\"detail\":\"- webhook: must be https\\n- input.num_outputs: is required\\n\","
                     "\"code\":\"VALIDATION_FAILED\",\"invalid_fields\":[{\"type\":\"invalid\","
                     "\"field\":\"webhook\",\"description\":\"must be https\"},{\"type\":"
                     "\"required\",\"field\":\"input.num_outputs\",\"description\":\"is required\"}],"
                     "\"request_id\":\"r1\"}");

    reply = error_of(gf_err_make(&unit.ctx, GF_E_NO_CREDIT, APR_SUCCESS, "x"));
    ck_assert_int_eq(reply.status, 402);
    ck_assert_ptr_nonnull(strstr(reply.text, "\"title\":\"Insufficient credit\""));
    reply = error_of(gf_err_make(&unit.ctx, GF_E_BAD_JSON, APR_SUCCESS, "x"));
    ck_assert_int_eq(reply.status, 400);
    reply = error_of(gf_err_make(&unit.ctx, GF_E_INTERNAL, APR_SUCCESS, "x"));
    ck_assert_ptr_nonnull(strstr(reply.text, "\"title\":\"Internal server error\""));
}
END_TEST

START_TEST(a_file_is_an_asset)
{
    gf_asset_t asset = { .id = ID,
                         .type = "image/png",
                         .size = 70,
                         .sha256 = "ab",
                         .expires_at = "2026-11-21T22:00:00.000Z" };
    gf_out_t out;

    gf_out_init(&out, unit.ctx.pool, 512);
    replicate_file_write(&out, &asset, MOUNT);
    ck_assert_str_eq(out.text,
                     "{\"id\":\"" ID "\",\"name\":\"" ID ".png\",\"content_type\":\"image/png\","
                     "\"size\":70,\"etag\":\"ab\",\"checksums\":{\"sha256\":\"ab\"},\"metadata\":{},"
                     "\"expires_at\":\"2026-11-21T22:00:00.000Z\",\"urls\":{\"get\":\"" MOUNT
                     "/files/" ID "\"}}");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        recorded_requests_become_our_body,
        a_data_uri_is_the_source_image_whatever_type_it_announces,
        what_is_not_known_is_nowhere,
        words_of_a_model_are_no_values_of_ours,
        bad_requests_name_their_fields,
        the_filter_says_which_events_are_delivered,
        a_bare_wait_is_a_minute,
        names_of_models_have_versions_or_not,
        an_address_of_a_file_of_ours_is_recognised,
        several_pictures_are_kept_in_their_order,
        a_prediction_has_every_member,
        a_create_is_answered_with_starting_or_an_end,
        a_prediction_of_several_is_one_with_their_pictures,
        errors_outputs_and_logs_are_told_as_they_expect,
        the_row_records_what_webhooks_need,
        errors_are_problems_that_name_their_own_fields,
        a_file_is_an_asset,
        NULL,
    };

    return unit_run("front_replicate", tests);
}

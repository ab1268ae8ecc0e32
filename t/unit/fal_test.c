/* SPDX-License-Identifier: Apache-2.0 */
/* provider/fal.c: what is sent for each model, what queue and results say, and how a lost
 * request is found. No network. */
#include "provider.h"

#define URL    "https://queue.example.test"
#define ID     "764cabcf-b745-4b3e-ae38-1200304cf45b"
#define RESULT URL "/fal-ai/fast-sdxl/requests/" ID
#define STATUS RESULT "/status?logs=1"
#define LIST                                                             \
    URL "/v1/models/requests/by-endpoint?endpoint_id=fal-ai%2ffast-sdxl" \
        "&start=2025-10-01T21:19:31Z&limit=100&expand=payloads"

static const gf_prov_kind_t *const kind = &gf_prov_fal;

static scene_t *fal(const char *model)
{
    scene_t *self = scene(kind, URL, model);

    self->job.provider_ref = ID;
    return self;
}

static scene_t *sdxl(void)
{
    return fal("fal-ai/fast-sdxl");
}

/* Who reads the result is carried by the question for it. */
static reader_t read_result(void)
{
    return reads(kind->read_poll, sdxl(), "https://stand-in.test/status?logs=1", 200,
                 "{\"status\":\"COMPLETED\"}")
        .next->read;
}

/* ---- what is sent ---- */

#define PROMPT "\"prompt\":\"a \\\"neon\\\" cat\""
#define SOURCE "https://site.test/a.png"

START_TEST(each_model_gets_its_input)
{
    static const char all[] = "{\"guidance_scale\":7.5,\"num_inference_steps\":28,"
                              "\"strength\":0.35,\"aspect_ratio\":\"9:16\","
                              "\"negative_prompt\":\"blur\",\"enable_safety_checker\":false,"
                              "\"sync_mode\":true}";
    static const char sdxl_body[] =
        "{" PROMPT ",\"negative_prompt\":\"blur\",\"image_size\":\"portrait_16_9\","
        "\"num_inference_steps\":28,\"guidance_scale\":7.5,\"seed\":77}";
    static const char image_body[] =
        "{" PROMPT ",\"negative_prompt\":\"blur\",\"image_url\":\"" SOURCE "\",\"strength\":0.35,"
        "\"image_size\":\"portrait_16_9\",\"num_inference_steps\":28,\"guidance_scale\":7.5,"
        "\"seed\":77}";
    static const struct {
        const char *model, *body;
    } rows[] = {
        { "fal-ai/ghiblify", "{\"image_url\":\"" SOURCE "\",\"seed\":77}" },
        { "fal-ai/fast-sdxl", sdxl_body },
        { "fal-ai/realistic-vision", sdxl_body },
        { "fal-ai/realistic-vision-v5", sdxl_body },
        { "fal-ai/fast-sdxl/image-to-image", image_body },
        { "fal-ai/flux/dev/image-to-image", image_body },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *scene = fal(rows[i].model);
        gf_msg_t *msg;

        scene->job.parameters = all;
        scene->call.source = SOURCE;
        msg = kind->submit(&scene->call);
        is_request(msg, "POST", apr_pstrcat(unit.ctx.pool, URL "/", rows[i].model, NULL),
                   "Key " SECRET);
        has_body(msg, rows[i].body);
        ck_assert_int_eq(apr_table_elts(msg->headers)->nelts, 3);
    }
}
END_TEST

START_TEST(models_with_a_list_get_all_source_pictures_in_their_order)
{
    static const gf_prov_source_t pictures[] = { { "https://a.test/1", NULL, NULL },
                                                 { "https://a.test/2", NULL, NULL } };
    static const struct {
        const char *model;
        int most;
    } rows[] = { { "fal-ai/gpt-image-1/edit-image", 16 },
                 { "fal-ai/nano-banana/edit", 10 },
                 { "fal-ai/nano-banana-pro/edit", 10 },
                 { "fal-ai/bytedance/seedream/v4/edit", 10 } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *scene = fal(rows[i].model);

        scene->call.sources = pictures;
        scene->call.source_count = 2;
        scene->call.source = pictures[0].url;
        ck_assert_ptr_nonnull(strstr(kind->submit(&scene->call)->body,
                                     "\"image_urls\":[\"https://a.test/1\",\"https://a.test/2\"]"));
        ck_assert_int_eq(kind->source_max(rows[i].model), rows[i].most);
        ck_assert_int_eq(kind->source(rows[i].model), GF_SOURCE_MUST);
    }
    ck_assert_int_le(kind->source_max("fal-ai/fast-sdxl/image-to-image"), 1);
    ck_assert_int_le(kind->source_max(""), 1);
}
END_TEST

START_TEST(a_size_may_be_given_as_the_provider_names_it)
{
    scene_t *scene = sdxl();

    scene->job.parameters = "{\"image_size\":{\"width\":640,\"height\":512}}";
    has_body(kind->submit(&scene->call),
             "{" PROMPT ",\"image_size\":{\"width\":640,\"height\":512},\"seed\":77}");
}
END_TEST

START_TEST(each_model_uses_a_source_picture_in_its_way)
{
    static const source_t rows[] = {
        { "fal-ai/ghiblify", GF_SOURCE_MUST },
        { "fal-ai/fast-sdxl", GF_SOURCE_NONE },
        { "fal-ai/fast-sdxl/image-to-image", GF_SOURCE_MUST },
        { "fal-ai/fast-sdxl/inpainting", GF_SOURCE_MAY },
        { "fal-ai/realistic-vision", GF_SOURCE_NONE },
        { "fal-ai/realistic-vision-v5", GF_SOURCE_NONE },
        { "fal-ai/realistic-vision/image-to-image", GF_SOURCE_MUST },
        { "fal-ai/flux/dev/image-to-image", GF_SOURCE_MUST },
        { "fal-ai/flux/dev", GF_SOURCE_MAY },
        { "", GF_SOURCE_MAY },
    };

    check_sources(kind, rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(the_provider_webhook_is_requested)
{
    scene_t *scene = sdxl();

    scene->call.provider_webhook_url = "https://site.test/hook?job=1&token=a b/c";
    ck_assert_str_eq(kind->submit(&scene->call)->url,
                     URL "/fal-ai/fast-sdxl?fal_webhook="
                         "https%3a%2f%2fsite.test%2fhook%3fjob%3d1%26token%3da+b%2fc");
}
END_TEST

START_TEST(a_request_is_polled_and_cancelled_below_owner_and_app)
{
    static const struct {
        const char *model, *app;
    } rows[] = {
        { "fal-ai/fast-sdxl", "fal-ai/fast-sdxl" },
        { "fal-ai/flux/dev", "fal-ai/flux" },
        { "fal-ai/flux/dev/image-to-image", "fal-ai/flux" },
        { "odd", "odd" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *scene = fal(rows[i].model);
        const char *run = apr_pstrcat(unit.ctx.pool, URL "/", rows[i].app, "/requests/" ID, NULL);
        gf_msg_t *msg = kind->cancel(&scene->call);

        is_request(kind->poll(&scene->call), "GET",
                   apr_pstrcat(unit.ctx.pool, run, "/status?logs=1", NULL), "Key " SECRET);
        is_request(msg, "PUT", apr_pstrcat(unit.ctx.pool, run, "/cancel", NULL), "Key " SECRET);
        ck_assert_str_eq(msg->body, "");
    }
}
END_TEST

/* ---- what a submission says ---- */

#define QUEUED                                                                         \
    "{\"status\":\"IN_QUEUE\",\"request_id\":\"" ID "\",\"queue_position\":2,"         \
    "\"response_url\":\"https://evil.test/r\",\"status_url\":\"https://evil.test/s\"," \
    "\"cancel_url\":\"https://evil.test/c\"}"
#define MODEL_ERROR(type)                                                               \
    "{\"detail\":[{\"loc\":[\"body\",\"prompt\"],\"msg\":\"no\",\"type\":\"" type "\"," \
    "\"url\":\"https://docs.fal.ai/errors#x\",\"input\":\"a cat\"}]}"
#define FAL_ERROR(type) "{\"detail\":\"no\",\"error_type\":\"" type "\"}"
#define PLAIN(text)     "{\"detail\":\"" text "\"}"

/* What an error of the model or of fal's machines means, submitted or fetched. */
static const answer_t errors[] = {
    { 422, NULL, MODEL_ERROR("content_policy_violation"), GF_PROV_FILTERED, GF_E_FILTERED, 0, false,
      false, false },
    { 422, NULL,
      "{\"detail\":[{\"msg\":\"a\",\"type\":\"missing\"},"
      "{\"msg\":\"b\",\"type\":\"content_policy_violation\"}]}",
      GF_PROV_FILTERED, GF_E_FILTERED, 0, false, false, false },
    { 422, NULL, MODEL_ERROR("no_media_generated"), GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false,
      false },
    { 422, NULL, MODEL_ERROR("image_too_small"), GF_PROV_PERMANENT, GF_E_API, 0, false, false,
      false },
    { 422, NULL, MODEL_ERROR("image_too_large"), GF_PROV_PERMANENT, GF_E_API, 0, false, false,
      false },
    { 422, NULL, MODEL_ERROR("image_load_error"), GF_PROV_PERMANENT, GF_E_API, 0, false, false,
      false },
    { 422, NULL, MODEL_ERROR("file_download_error"), GF_PROV_PERMANENT, GF_E_API, 0, false, false,
      false },
    { 422, NULL, MODEL_ERROR("one_of"), GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
    { 422, NULL, MODEL_ERROR("missing"), GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
    { 422, NULL, PLAIN("the image is bad"), GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
    { 400, NULL, PLAIN("the image is bad"), GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
    { 500, NULL, MODEL_ERROR("internal_server_error"), GF_PROV_TRANSIENT, GF_E_API, 0, false, false,
      false },
    { 500, "X-Fal-Retryable: true", MODEL_ERROR("internal_server_error"), GF_PROV_TRANSIENT,
      GF_E_API, 0, false, false, false },
    { 500, "X-Fal-Retryable: false", MODEL_ERROR("internal_server_error"), GF_PROV_PERMANENT,
      GF_E_API, 0, false, false, false },
    { 504, NULL, MODEL_ERROR("generation_timeout"), GF_PROV_TRANSIENT, GF_E_TIMEOUT, 0, false,
      false, false },
    { 400, NULL, MODEL_ERROR("downstream_service_error"), GF_PROV_TRANSIENT, GF_E_API, 0, false,
      false, false },
    { 504, NULL, MODEL_ERROR("downstream_service_unavailable"), GF_PROV_TRANSIENT, GF_E_API, 0,
      false, false, false },
    { 503, NULL, FAL_ERROR("runner_scheduling_failure"), GF_PROV_TRANSIENT, GF_E_API, 0, false,
      false, false },
    { 502, NULL, FAL_ERROR("runner_disconnected"), GF_PROV_TRANSIENT, GF_E_API, 0, false, false,
      false },
    { 503, "X-Fal-Retryable: false", FAL_ERROR("runner_connection_error"), GF_PROV_PERMANENT,
      GF_E_API, 0, false, false, false },
    { 504, NULL, FAL_ERROR("startup_timeout"), GF_PROV_TRANSIENT, GF_E_TIMEOUT, 0, false, false,
      false },
    { 504, NULL, FAL_ERROR("request_timeout"), GF_PROV_TRANSIENT, GF_E_TIMEOUT, 0, false, false,
      false },
    { 504, "X-Fal-Error-Type: request_timeout", "", GF_PROV_TRANSIENT, GF_E_TIMEOUT, 0, false,
      false, false },
    { 504, "X-Fal-Error-Type: something_new", "", GF_PROV_TRANSIENT, GF_E_API, 0, false, false,
      false },
    { 500, NULL, FAL_ERROR("internal_error"), GF_PROV_TRANSIENT, GF_E_API, 0, false, false, false },
    { 499, NULL, FAL_ERROR("client_disconnected"), GF_PROV_PERMANENT, GF_E_API, 0, false, false,
      false },
    { 499, NULL, FAL_ERROR("client_cancelled"), GF_PROV_PERMANENT, GF_E_API, 0, false, false,
      false },
    { 400, NULL, FAL_ERROR("bad_request"), GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
};

START_TEST(each_answer_to_a_submission_has_its_meaning)
{
    static const answer_t rows[] = {
        { 200, NULL, QUEUED, GF_PROV_WORKING, 0, 0, false, false, false },
        { 200, NULL, "{\"request_id\":\"" ID "\"}", GF_PROV_WORKING, 0, 0, false, false, false },
        { 200, NULL, "{\"status\":\"IN_QUEUE\"}", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false,
          false },
        { 200, NULL, "<html>", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 401, NULL, PLAIN("Authentication is required"), GF_PROV_PERMANENT, GF_E_API, 0, true,
          false, false },
        { 403, NULL, PLAIN("User is locked. Reason: Exhausted balance."), GF_PROV_PERMANENT,
          GF_E_API, 0, true, false, false },
        { 403, NULL, MODEL_ERROR("content_policy_violation"), GF_PROV_FILTERED, GF_E_FILTERED, 0,
          false, false, false },
        { 404, NULL, PLAIN("Application realistic-vision-v5 not found"), GF_PROV_PERMANENT,
          GF_E_API, 0, false, false, true },
        { 429, NULL, PLAIN("too many"), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 0, false, true, false },
        { 429, "Retry-After: 4", PLAIN("too many"), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 4, false,
          false, false },
        { 429, "X-Fal-Retryable: false", PLAIN("too many"), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 0,
          false, true, false },
        { 429, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 500, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 503, NULL, PLAIN("busy"), GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
    };
    gf_outcome_t outcome = reads(kind->read_submit, sdxl(), URL, 200, QUEUED);

    ck_assert_str_eq(outcome.ref, ID);
    ck_assert_int_eq(outcome.progress.queue_position, 2);
    check_answers(kind->read_submit, sdxl(), URL, rows, UNIT_COUNT(rows));
    check_answers(kind->read_submit, sdxl(), URL, errors, UNIT_COUNT(errors));
    check_cut(kind->read_submit, sdxl(), URL, 200, QUEUED, GF_PROV_TRANSIENT, GF_PROV_PERMANENT);
}
END_TEST

START_TEST(an_id_is_taken_only_if_it_can_stand_in_an_address)
{
    check_ids(kind->read_submit, sdxl(), "{\"request_id\":\"*\"}");
}
END_TEST

START_TEST(a_submission_without_answer_is_sent_again_only_if_no_byte_left)
{
    check_lost_submission(kind->read_submit, sdxl());
}
END_TEST

/* ---- what the queue says ---- */

START_TEST(a_request_works_until_it_is_completed)
{
    static const answer_t rows[] = {
        { 202, NULL, QUEUED, GF_PROV_WORKING, 0, 0, false, false, false },
        { 202, NULL, "{\"status\":\"IN_PROGRESS\",\"logs\":[]}", GF_PROV_WORKING, 0, 0, false,
          false, false },
        { 200, NULL, "{\"status\":\"IN_PROGRESS\",\"logs\":null}", GF_PROV_WORKING, 0, 0, false,
          false, false },
        { 200, NULL, "{\"status\":\"FAILED\"}", GF_PROV_WORKING, 0, 0, false, false, false },
        { 200, NULL, "{}", GF_PROV_WORKING, 0, 0, false, false, false },
        { 200, NULL, "<html>", GF_PROV_WORKING, 0, 0, false, false, false },
        { 200, NULL, "{\"status\":\"COMPLETED\",\"metrics\":{\"inference_time\":1.5}}",
          GF_PROV_NEXT, 0, 0, false, false, false },
        { 200, NULL, "{\"status\":\"COMPLETED\",\"error\":\"no\",\"error_type\":\"runner_x\"}",
          GF_PROV_NEXT, 0, 0, false, false, false },
        { 404, NULL, "{\"status\":\"NOT_FOUND\"}", GF_PROV_WORKING, 0, 0, false, false, false },
        { 401, NULL, PLAIN("no"), GF_PROV_WORKING, 0, 0, false, false, false },
        { 422, NULL, MODEL_ERROR("content_policy_violation"), GF_PROV_WORKING, 0, 0, false, false,
          false },
        { 429, "Retry-After: 3", "", GF_PROV_WORKING, 0, 3, false, false, false },
        { 500, NULL, FAL_ERROR("internal_error"), GF_PROV_WORKING, 0, 0, false, false, false },
        { 502, NULL, "<html>", GF_PROV_WORKING, 0, 0, false, false, false },
    };

    check_answers(kind->read_poll, sdxl(), STATUS, rows, UNIT_COUNT(rows));
    check_lost_question(kind->read_poll, sdxl(), STATUS, GF_PROV_WORKING);
    is_request(reads(kind->read_poll, sdxl(), STATUS, 200, rows[6].text).next, "GET", RESULT,
               "Key " SECRET);
}
END_TEST

START_TEST(place_progress_and_logs_are_reported)
{
    gf_outcome_t outcome =
        reads(kind->read_poll, sdxl(), STATUS, 202,
              "{\"status\":\"IN_PROGRESS\",\"queue_position\":0,\"logs\":["
              "{\"message\":\"warm\",\"level\":\"INFO\",\"source\":\"s\",\"timestamp\":\"t\"},"
              "{\"level\":\"INFO\"},{\"message\":\" 40%|####  | 2/5\"}]}");

    ck_assert_int_eq(outcome.progress.queue_position, 0);
    ck_assert_str_eq(outcome.progress.logs, "[\"warm\",\" 40%|####  | 2/5\"]");
    ck_assert(outcome.progress.fraction > 0.399 && outcome.progress.fraction < 0.401);

    outcome = reads(kind->read_poll, sdxl(), STATUS, 202,
                    "{\"status\":\"IN_QUEUE\",\"queue_position\":99999999999}");
    ck_assert_int_eq(outcome.progress.queue_position, -1);
    ck_assert_ptr_null(outcome.progress.logs);
    ck_assert(outcome.progress.fraction < 0);
}
END_TEST

/* ---- what a result says ---- */

START_TEST(each_result_has_its_meaning)
{
    static const answer_t rows[] = {
        { 200, NULL, "{\"images\":[]}", GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false, false },
        { 200, NULL, "{}", GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false, false },
        { 200, NULL, "{\"image\":null}", GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false, false },
        { 200, NULL,
          "{\"images\":[{\"url\":\"https://fal.media/black.jpg\"}],\"seed\":17454220438242315174,"
          "\"has_nsfw_concepts\":[true],\"prompt\":\"a\"}",
          GF_PROV_FILTERED, GF_E_FILTERED, 0, false, false, false },
        { 401, NULL, PLAIN("no"), GF_PROV_WORKING, 0, 0, false, false, false },
        { 403, NULL, PLAIN("no"), GF_PROV_WORKING, 0, 0, false, false, false },
        { 404, NULL, PLAIN("Request not found"), GF_PROV_WORKING, 0, 0, false, false, false },
        { 404, NULL, MODEL_ERROR("image_not_found"), GF_PROV_PERMANENT, GF_E_API, 0, false, false,
          false },
        { 400, NULL, PLAIN("Request is still in progress"), GF_PROV_WORKING, 0, 0, false, false,
          false },
        { 422, NULL, "", GF_PROV_WORKING, 0, 0, false, false, false },
        { 429, "Retry-After: 6", PLAIN("no"), GF_PROV_WORKING, 0, 6, false, false, false },
        { 500, NULL, PLAIN("no"), GF_PROV_WORKING, 0, 0, false, false, false },
        { 202, NULL, "{\"status\":\"IN_PROGRESS\"}", GF_PROV_WORKING, 0, 0, false, false, false },
    };
    size_t i;

    check_answers(read_result(), sdxl(), RESULT, rows, UNIT_COUNT(rows));
    check_answers(read_result(), sdxl(), RESULT, errors, UNIT_COUNT(errors));
    check_gateways(read_result(), sdxl(), RESULT, GF_PROV_WORKING);
    check_lost_question(read_result(), sdxl(), RESULT, GF_PROV_WORKING);
    for (i = 0; i < UNIT_COUNT(errors); i++) {
        if (!errors[i].header) {
            check_cut(read_result(), sdxl(), RESULT, errors[i].status, errors[i].text,
                      GF_PROV_TRANSIENT, GF_PROV_PERMANENT);
        }
    }
}
END_TEST

START_TEST(a_picture_is_single_or_in_a_list)
{
    static const struct {
        const char *text, *url;
    } rows[] = {
        { "{\"image\":{\"url\":\"https://fal.media/g.png\",\"width\":1024}}",
          "https://fal.media/g.png" },
        { "{\"images\":[{\"url\":\"https://fal.media/s.jpeg\",\"content_type\":\"image/jpeg\"}],"
          "\"seed\":17454220438242315174,\"has_nsfw_concepts\":[false]}",
          "https://fal.media/s.jpeg" },
        { "{\"images\":[{\"url\":\"data:image/png;base64,aGk=\"}]}", "data:image/png;base64,aGk=" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_outcome_t outcome = reads(read_result(), sdxl(), RESULT, 200, rows[i].text);

        ck_assert_int_eq(outcome.state, GF_PROV_SUCCEEDED);
        ck_assert_pstr_eq(outcome.picture_url, rows[i].url);
    }
}
END_TEST

/* ---- after a lost answer ---- */

#define ROW(id, sent, status, input)                                                        \
    "{\"request_id\":\"" id "\",\"endpoint_id\":\"fal-ai/fast-sdxl\",\"started_at\":\"t\"," \
    "\"sent_at\":\"2023-11-14T22:" sent "Z\",\"status_code\":" status ",\"json_input\":" input "}"
#define OURS  "{\"prompt\":\"a \\\"neon\\\" cat\",\"seed\":77}"
#define SEED8 "{\"prompt\":\"a \\\"neon\\\" cat\",\"seed\":8}"
#define BIG   "{\"prompt\":\"a \\\"neon\\\" cat\",\"seed\":17454220438242315174}"
#define OTHER                                                                                  \
    "{\"request_id\":\"o\",\"endpoint_id\":\"fal-ai/fast-sdxl/inpainting\",\"sent_at\":\"t\"," \
    "\"json_input\":" OURS "}"
#define PAGE(rows) "{\"items\":[" rows "],\"next_cursor\":null,\"has_more\":false}"

START_TEST(the_list_is_requested_where_it_is)
{
    scene_t *scene = sdxl();

    is_request(kind->reconcile(&scene->call), "GET", LIST, "Key " SECRET);
    scene->provider.url = "https://queue.fal.run";
    is_request(kind->reconcile(&scene->call), "GET",
               "https://api.fal.ai/v1/models/requests/by-endpoint?endpoint_id=fal-ai%2ffast-sdxl"
               "&start=2025-10-01T21:19:31Z&limit=100&expand=payloads",
               "Key " SECRET);
}
END_TEST

START_TEST(a_lost_request_is_found_by_what_we_sent)
{
    static const struct {
        const char *text, *ref; /* NULL: it stays unknown */
    } rows[] = {
        { PAGE(ROW("b", "15:00", "200", SEED8) "," ROW("a", "14:30", "200", OURS)), "a" },
        { PAGE(ROW("a", "14:30", "null", OURS)), "a" },
        { PAGE(ROW("a", "14:30", "422", OURS)), "a" },
        { PAGE(ROW("a", "14:30", "200", "{\"image_url\":\"data:x\",\"seed\":77}")), "a" },
        { PAGE(ROW("a", "14:30", "200", OURS) "," ROW("b", "15:00", "null", OURS)), "a" },
        { PAGE(ROW("b", "15:00", "null", OURS) "," ROW("a", "14:30", "200", OURS)), "a" },
        { PAGE(ROW("b", "15:00", "null", OURS) "," ROW("a", "14:30", "504", OURS)), "b" },
        { PAGE(ROW("b", "15:00", "200", "null") "," ROW("a", "14:30", "200", OURS)), "a" },
        { PAGE(""), NULL },
        { PAGE(OTHER), NULL },
        { PAGE(ROW("a", "14:30", "200", SEED8) "," ROW("b", "15:00", "200", BIG)), NULL },
        { PAGE(ROW("a", "14:30", "200", "null")), NULL },
        { PAGE(ROW("a/b", "14:30", "200", OURS)), NULL },
        { "{\"items\":7}", NULL },
        { "", NULL },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_outcome_t outcome = reads(kind->read_reconcile, sdxl(), LIST, 200, rows[i].text);

        ck_assert_msg(outcome.state == (rows[i].ref ? GF_PROV_WORKING : GF_PROV_UNKNOWN),
                      "row %lu: state %d", (unsigned long)i, (int)outcome.state);
        ck_assert_pstr_eq(outcome.ref, rows[i].ref);
        check_cut(kind->read_reconcile, sdxl(), LIST, 200, rows[i].text, GF_PROV_TRANSIENT,
                  GF_PROV_WORKING);
    }
}
END_TEST

START_TEST(a_run_that_failed_is_known_if_it_is_the_only_attempt)
{
    static const struct {
        const char *text;
        int attempts;
        gf_prov_state_t state;
    } rows[] = {
        { PAGE(ROW("a", "14:30", "500", OURS)), 1, GF_PROV_TRANSIENT },
        { PAGE(ROW("b", "15:00", "200", "null") "," ROW("a", "14:30", "504", OURS)), 1,
          GF_PROV_TRANSIENT },
        { PAGE(ROW("a", "14:30", "500", OURS)), 2, GF_PROV_UNKNOWN },
        { PAGE(ROW("a", "14:30", "500", SEED8)), 1, GF_PROV_UNKNOWN },
        { PAGE(ROW("a", "14:30", "500", "null")), 1, GF_PROV_UNKNOWN },
        { PAGE(ROW("b", "15:00", "500", OURS) "," ROW("a", "14:30", "200", OURS)), 1,
          GF_PROV_WORKING },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *scene = sdxl();
        gf_outcome_t outcome;

        scene->job.attempts = rows[i].attempts;
        outcome = reads(kind->read_reconcile, scene, LIST, 200, rows[i].text);
        ck_assert_msg(outcome.state == rows[i].state, "row %lu: state %d", (unsigned long)i,
                      (int)outcome.state);
        ck_assert(outcome.state != GF_PROV_TRANSIENT || outcome.code == GF_E_API);
    }
}
END_TEST

START_TEST(the_list_is_read_page_by_page)
{
    scene_t *behind = sdxl();
    gf_outcome_t outcome =
        reads(kind->read_reconcile, sdxl(), LIST, 200,
              "{\"items\":[" ROW("a", "14:30", "200",
                                 SEED8) "],\"next_cursor\":\"Mg==&x=1\",\"has_more\":true}");

    is_request(outcome.next, "GET", LIST "&cursor=Mg%3d%3d%26x%3d1", "Key " SECRET);
    behind->call.age = apr_time_from_sec(10);
    outcome =
        outcome_of(kind->read_reconcile, behind,
                   answered(LIST, 200, "Date: Wed, 01 Oct 2025 21:14:41 GMT", "{\"items\":[]}"));
    ck_assert_msg(strstr(outcome.next->url, "&start=2025-10-01T20:59:31Z&"), "%s",
                  outcome.next->url);
    outcome = reads(kind->read_reconcile, sdxl(), LIST "&cursor=Mg%3d%3d", 200,
                    PAGE(ROW("a", "14:30", "200", OURS)));
    ck_assert_int_eq(outcome.state, GF_PROV_WORKING);
    ck_assert_str_eq(outcome.ref, "a");
}
END_TEST

START_TEST(without_a_list_it_stays_unknown)
{
    static const unknown_t rows[] = {
        /* refused now, and so it will be next time */
        { 400, "", true },
        { 404, "", true },
        /* the next answer may have it */
        { 408, "", false },
        { 200, PAGE(""), false },
        { 200, PAGE(ROW("a", "14:30", "200", SEED8)), false },
        { 200, PAGE(ROW("a", "14:30", "200", "null")), false },
    };
    static const unknown_t seedless[] = {
        { 200, PAGE(ROW("a", "14:30", "200", "{\"seed\":0}")), true },
        { 200, "{\"items\":[],\"next_cursor\":\"Mg==\",\"has_more\":true}", true },
    };
    scene_t *scene = sdxl();

    check_unknown(kind->read_reconcile, scene, LIST, rows, UNIT_COUNT(rows));
    check_refused_list(kind->read_reconcile, scene, LIST, PAGE(ROW("a", "14:30", "200", OURS)));
    check_lost_question(kind->read_reconcile, scene, LIST, GF_PROV_UNKNOWN);
    scene->job.seed = 0;
    check_unknown(kind->read_reconcile, scene, LIST, seedless, UNIT_COUNT(seedless));
}
END_TEST

START_TEST(its_section_is_checked)
{
    check_section(kind);
    check_headers(kind, sdxl());
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_model_gets_its_input,
        models_with_a_list_get_all_source_pictures_in_their_order,
        a_size_may_be_given_as_the_provider_names_it,
        each_model_uses_a_source_picture_in_its_way,
        the_provider_webhook_is_requested,
        a_request_is_polled_and_cancelled_below_owner_and_app,
        each_answer_to_a_submission_has_its_meaning,
        an_id_is_taken_only_if_it_can_stand_in_an_address,
        a_submission_without_answer_is_sent_again_only_if_no_byte_left,
        a_request_works_until_it_is_completed,
        place_progress_and_logs_are_reported,
        each_result_has_its_meaning,
        a_picture_is_single_or_in_a_list,
        the_list_is_requested_where_it_is,
        a_lost_request_is_found_by_what_we_sent,
        a_run_that_failed_is_known_if_it_is_the_only_attempt,
        the_list_is_read_page_by_page,
        without_a_list_it_stays_unknown,
        its_section_is_checked,
        NULL,
    };

    return unit_run("fal", tests);
}

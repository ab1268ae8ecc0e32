/* SPDX-License-Identifier: Apache-2.0 */
/* provider/aiml.c: what is sent for each model, what each answer means, and what its log says
 * of a lost request. No network. */
#include "provider.h"

#define URL "https://api.example.test"
#define LOG URL "/v2/logs?period=24h&limit=100&offset="

static const gf_prov_kind_t *const kind = &gf_prov_aiml;

static scene_t *aiml(const char *model)
{
    return scene(kind, URL, model);
}

/* ---- what is sent ---- */

START_TEST(each_model_gets_its_members)
{
    static const char all[] =
        "{\"guidance_scale\":3.5,\"num_inference_steps\":28,\"strength\":0.30,"
        "\"aspect_ratio\":\"16:9\",\"negative_prompt\":\"blur\",\"num_images\":4,"
        "\"enable_safety_checker\":false,\"seed\":5}";
    static const struct {
        const char *model, *source, *parameters, *body;
    } rows[] = {
        { "flux/dev", NULL, "{}",
          "{\"model\":\"flux/dev\",\"prompt\":\"a \\\"neon\\\" cat\",\"seed\":77}" },
        { "flux/dev", NULL, all,
          "{\"model\":\"flux/dev\",\"prompt\":\"a \\\"neon\\\" cat\","
          "\"image_size\":\"landscape_16_9\",\"seed\":77,\"guidance_scale\":3.5,"
          "\"num_inference_steps\":28}" },
        { "flux/dev", NULL, "{\"aspect_ratio\":\"3:2\"}",
          "{\"model\":\"flux/dev\",\"prompt\":\"a \\\"neon\\\" cat\","
          "\"image_size\":{\"width\":1152,\"height\":768},\"seed\":77}" },
        { "flux/dev", NULL, "{\"aspect_ratio\":\"3:2\",\"image_size\":\"square\"}",
          "{\"model\":\"flux/dev\",\"prompt\":\"a \\\"neon\\\" cat\",\"image_size\":\"square\","
          "\"seed\":77}" },
        { "flux/schnell", "https://site.test/a.png", "{\"aspect_ratio\":\"7:5\"}",
          "{\"model\":\"flux/schnell\",\"prompt\":\"a \\\"neon\\\" cat\",\"seed\":77}" },
        { "flux/dev/image-to-image", "https://site.test/a.png", all,
          "{\"model\":\"flux/dev/image-to-image\",\"prompt\":\"a \\\"neon\\\" cat\","
          "\"image_url\":\"https://site.test/a.png\",\"strength\":0.30,\"seed\":77,"
          "\"guidance_scale\":3.5,\"num_inference_steps\":28}" },
        { "other/model", "https://site.test/a.png", all,
          "{\"model\":\"other/model\",\"prompt\":\"a \\\"neon\\\" cat\","
          "\"image_url\":\"https://site.test/a.png\",\"strength\":0.30,"
          "\"aspect_ratio\":\"16:9\",\"negative_prompt\":\"blur\",\"seed\":77}" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *scene = aiml(rows[i].model);
        gf_msg_t *msg;

        scene->call.source = rows[i].source;
        scene->job.parameters = rows[i].parameters;
        msg = kind->submit(&scene->call);
        is_request(msg, "POST", URL "/v1/images/generations", "Bearer " SECRET);
        has_body(msg, rows[i].body);
        ck_assert_str_eq(apr_table_get(msg->headers, "X-Client-Request-Id"),
                         "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-1");
        ck_assert_int_eq(apr_table_elts(msg->headers)->nelts, 4);
    }
}
END_TEST

START_TEST(only_models_that_say_so_take_a_source_picture)
{
    static const source_t rows[] = {
        { "flux/dev/image-to-image", GF_SOURCE_MUST },
        { "flux/kontext-pro/image-to-image", GF_SOURCE_MUST },
        { "flux/dev", GF_SOURCE_NONE },
        { "flux/schnell", GF_SOURCE_NONE },
        { "other/model", GF_SOURCE_NONE },
    };

    check_sources(kind, rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(a_seed_of_zero_means_any_and_is_not_sent)
{
    scene_t *scene = aiml("flux/dev");

    scene->job.seed = 0;
    has_body(kind->submit(&scene->call),
             "{\"model\":\"flux/dev\",\"prompt\":\"a \\\"neon\\\" cat\"}");
}
END_TEST

START_TEST(every_attempt_has_a_name_of_its_own)
{
    scene_t *scene = aiml("flux/dev");

    scene->job.attempts = 3;
    ck_assert_str_eq(apr_table_get(kind->submit(&scene->call)->headers, "X-Client-Request-Id"),
                     "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-3");
}
END_TEST

/* ---- what an answer means ---- */

#define MESSAGE(text)                                                \
    "{\"message\":\"" text "\",\"path\":\"/v1/images/generations\"," \
    "\"requestId\":\"r\",\"statusCode\":\"400\",\"timestamp\":\"t\"}"
#define MESSAGES                                                          \
    "{\"message\":[\"one\",\"two\"],\"path\":\"/v1/images/generations\"," \
    "\"requestId\":\"r\",\"statusCode\":422,\"timestamp\":\"t\"}"
#define ERROR(code) "{\"error\":{\"message\":\"no\",\"code\":\"" code "\",\"type\":\"t\"}}"
#define GATEWAY     "<html>Bad Gateway</html>"

START_TEST(each_answer_has_its_meaning)
{
    static const answer_t rows[] = {
        { 200, NULL, "{\"data\":[{\"url\":null,\"b64_json\":null}],\"meta\":null}", GF_PROV_EMPTY,
          GF_E_EMPTY, 0, false, false, false },
        { 200, NULL, "{\"data\":[]}", GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false, false },
        { 200, NULL, "{\"data\":null,\"meta\":{}}", GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false,
          false },
        { 200, NULL, "{\"images\":[null,7,{}]}", GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false,
          false },
        { 201, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 200, NULL, GATEWAY, GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 200, NULL,
          "{\"images\":[{\"url\":\"https://cdn.test/a.jpg\"}],"
          "\"has_nsfw_concepts\":[true]}",
          GF_PROV_FILTERED, GF_E_FILTERED, 0, false, false, false },
        { 200, NULL, "{\"images\":[],\"has_nsfw_concepts\":[true]}", GF_PROV_FILTERED,
          GF_E_FILTERED, 0, false, false, false },
        { 400, NULL, MESSAGE("Expected number, received string at enable_safety_checker"),
          GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
        { 400, NULL, ERROR("content_policy_violation"), GF_PROV_FILTERED, GF_E_FILTERED, 0, false,
          false, false },
        { 404, NULL, MESSAGE("no such model"), GF_PROV_PERMANENT, GF_E_API, 0, false, false, true },
        { 401, NULL, MESSAGE("bad key"), GF_PROV_PERMANENT, GF_E_API, 0, true, false, false },
        { 402, NULL, MESSAGE("no credit"), GF_PROV_PERMANENT, GF_E_API, 0, true, false, false },
        { 402, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, true, false, false },
        { 403, NULL, MESSAGE("out of credits"), GF_PROV_PERMANENT, GF_E_API, 0, true, false,
          false },
        { 422, NULL, MESSAGES, GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
        { 429, NULL, MESSAGE("slow down"), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 0, false, true,
          false },
        { 429, "Retry-After: 12", MESSAGE("slow down"), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 12,
          false, false, false },
        { 429, "Retry-After: 86400", MESSAGE("slow down"), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 300,
          false, false, false },
        { 500, NULL, MESSAGE("oops"), GF_PROV_TRANSIENT, GF_E_API, 0, false, false, false },
        { 502, NULL, MESSAGE("oops"), GF_PROV_TRANSIENT, GF_E_API, 0, false, false, false },
        { 503, "Retry-After: 7", ERROR("busy"), GF_PROV_TRANSIENT, GF_E_API, 7, false, false,
          false },
        { 504, NULL, MESSAGE("Generation timeout"), GF_PROV_TRANSIENT, GF_E_API, 0, false, false,
          false },
        { 502, NULL, GATEWAY, GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 504, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 524, NULL, GATEWAY, GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 302, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
    };

    check_answers(kind->read_submit, aiml("flux/dev"), URL, rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(a_picture_is_found_in_both_shapes)
{
    static const struct {
        int status;
        const char *text, *url, *b64;
    } rows[] = {
        { 200,
          "{\"data\":[{\"url\":\"https://cdn.test/a.png\",\"b64_json\":null}],"
          "\"meta\":{\"usage\":{\"credits_used\":52500}}}",
          "https://cdn.test/a.png", NULL },
        { 201,
          "{\"images\":[{\"url\":\"https://cdn.test/a.jpg\",\"width\":1024,\"height\":768,"
          "\"content_type\":\"image/jpeg\"}],\"seed\":17454220438242315174,"
          "\"has_nsfw_concepts\":[false],\"timings\":{},\"prompt\":\"a\"}",
          "https://cdn.test/a.jpg", NULL },
        { 200, "{\"data\":[{\"url\":null,\"b64_json\":\"aGk=\"}]}", NULL, "aGk=" },
        { 200, "{\"data\":[{\"url\":\"\",\"b64_json\":\"aGk=\"}]}", NULL, "aGk=" },
        { 200,
          "{\"images\":[{\"url\":\"https://cdn.test/1\"},{\"url\":\"https://cdn.test/2\"}],"
          "\"has_nsfw_concepts\":[true,false]}",
          "https://cdn.test/2", NULL },
    };
    scene_t *scene = aiml("flux/dev");
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_outcome_t outcome = reads(kind->read_submit, scene, URL, rows[i].status, rows[i].text);

        ck_assert_int_eq(outcome.state, GF_PROV_SUCCEEDED);
        ck_assert_pstr_eq(outcome.picture_url, rows[i].url);
        ck_assert_pstr_eq(outcome.picture_b64, rows[i].b64);
        check_cut(kind->read_submit, scene, URL, rows[i].status, rows[i].text, GF_PROV_TRANSIENT,
                  GF_PROV_PERMANENT);
    }
}
END_TEST

START_TEST(the_log_line_has_the_providers_words_but_no_key)
{
    scene_t *scene = aiml("flux/dev");
    char *much = apr_pcalloc(unit.ctx.pool, 5000);

    memset(much, 'x', 4999);
    ck_assert_str_eq(reads(kind->read_submit, scene, URL, 400, MESSAGE("never")).detail,
                     "HTTP 400: never");
    ck_assert_str_eq(reads(kind->read_submit, scene, URL, 422, MESSAGES).detail, "HTTP 422: one");
    ck_assert_str_eq(reads(kind->read_submit, scene, URL, 400, ERROR("bad_size")).detail,
                     "HTTP 400 bad_size: no");
    ck_assert_str_eq(
        reads(kind->read_submit, scene, URL, 401, MESSAGE("your key " SECRET " is bad")).detail,
        "HTTP 401: your key *** is bad");
    ck_assert_uint_le(strlen(reads(kind->read_submit, scene, URL, 400,
                                   apr_psprintf(unit.ctx.pool, MESSAGE("%s"), much))
                                 .detail),
                      215);
}
END_TEST

START_TEST(bytes_instead_of_json_are_a_picture)
{
    gf_msg_t *msg = answered(URL, 200, NULL, "");

    msg->spooled = 1000;
    ck_assert_int_eq(outcome_of(kind->read_submit, aiml("flux/dev"), msg).state, GF_PROV_SUCCEEDED);
    msg->spooled = 0;
    ck_assert_int_eq(outcome_of(kind->read_submit, aiml("flux/dev"), msg).state, GF_PROV_EMPTY);
}
END_TEST

START_TEST(a_submission_without_answer_is_sent_again_only_if_no_byte_left)
{
    check_lost_submission(kind->read_submit, aiml("flux/dev"));
}
END_TEST

/* ---- after a lost answer ---- */

#define ROW(id, status)                                                                           \
    "{\"created\":\"2026-07-02T03:04:05.000Z\",\"status\":\"" status "\",\"model\":\"flux/dev\"," \
    "\"cost\":{\"usd\":0.02,\"credits\":52500},\"request_id\":\"q\",\"inference_id\":\"inf-1\","  \
    "\"client_request_id\":" id "}"
#define OURS   "\"0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-1\""
#define BEFORE "\"0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-0\""
#define PAGE(rows, more, offset)                                                            \
    "{\"data\":[" rows "],\"pagination\":{\"limit\":100,\"offset\":" offset ",\"total\":9," \
    "\"has_more\":" more "}}"

START_TEST(the_log_is_requested_newest_first)
{
    is_request(kind->reconcile(&aiml("flux/dev")->call), "GET", LOG "0", "Bearer " SECRET);
}
END_TEST

START_TEST(the_log_shows_the_end_of_a_lost_request)
{
    static const answer_t rows[] = {
        { 200, NULL, PAGE(ROW("null", "failed") "," ROW(OURS, "succeeded"), "true", "0"),
          GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 200, NULL, PAGE(ROW(BEFORE, "succeeded") "," ROW(OURS, "failed"), "true", "0"),
          GF_PROV_TRANSIENT, GF_E_API, 0, false, false, false },
        { 200, NULL, PAGE(ROW(OURS, "pondering"), "false", "0"), GF_PROV_UNKNOWN, GF_E_NETWORK, 0,
          false, false, false },
        { 200, NULL, PAGE(ROW(BEFORE, "failed"), "false", "0"), GF_PROV_UNKNOWN, GF_E_NETWORK, 0,
          false, false, false },
        { 200, NULL, PAGE("", "false", "0"), GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false,
          false },
        { 200, NULL, PAGE("", "true", "0"), GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 200, NULL, PAGE(ROW("null", "failed"), "true", "2000"), GF_PROV_UNKNOWN, GF_E_NETWORK, 0,
          false, false, false },
        { 200, NULL, PAGE(ROW("null", "failed"), "true", "-1"), GF_PROV_UNKNOWN, GF_E_NETWORK, 0,
          false, false, false },
        { 200, NULL, PAGE(ROW("null", "failed"), "true", "0"), GF_PROV_NEXT, 0, 0, false, false,
          false },
        { 200, NULL, "[]", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 401, NULL, "{}", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 429, NULL, "{}", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 500, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
    };

    check_answers(kind->read_reconcile, aiml("flux/dev"), LOG "0", rows, UNIT_COUNT(rows));
    check_answers(kind->read_reconcile, aiml("flux/dev"), LOG "100", rows, UNIT_COUNT(rows));
    check_cut(kind->read_reconcile, aiml("flux/dev"), LOG "0", 200, rows[1].text, GF_PROV_TRANSIENT,
              GF_PROV_WORKING);
    check_lost_question(kind->read_reconcile, aiml("flux/dev"), LOG "0", GF_PROV_UNKNOWN);
}
END_TEST

START_TEST(a_paid_request_is_lost_for_good)
{
    static const unknown_t rows[] = {
        { 200, PAGE(ROW("null", "failed") "," ROW(OURS, "succeeded"), "true", "0"), true },
        { 401, "{}", true },
        { 403, "{}", true },
        { 404, "", true },
        { 200, PAGE(ROW(OURS, "pondering"), "false", "0"), false },
        { 200, PAGE(ROW(BEFORE, "succeeded"), "false", "0"), false },
        { 200, PAGE("", "false", "0"), false },
        { 200, "[]", false },
        { 429, "{}", false },
        { 500, "", false },
    };

    check_unknown(kind->read_reconcile, aiml("flux/dev"), LOG "0", rows, UNIT_COUNT(rows));
    check_unknown(kind->read_reconcile, aiml("flux/dev"), LOG "100", rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(the_next_page_of_the_log_begins_behind_this_one)
{
    scene_t *scene = aiml("flux/dev");
    gf_msg_t *page = answered(LOG "100", 200, NULL,
                              PAGE(ROW("null", "failed") "," ROW(BEFORE, "failed"), "true", "100"));
    gf_outcome_t outcome = garbage();

    gf_provider_read(&outcome, &scene->call, page, kind->read_reconcile);
    is_request(outcome.next, "GET", LOG "102", "Bearer " SECRET);
    ck_assert_msg(outcome.next->read == kind->read_reconcile, "it is read as this one");
    page->read = outcome.next->read;
    gf_provider_read(&outcome, &scene->call, page, NULL);
    ck_assert_msg(outcome.state == GF_PROV_NEXT, "whatever the exchange is about");
}
END_TEST

START_TEST(its_section_is_checked)
{
    check_section(kind);
    check_headers(kind, aiml("flux/dev"));
    ck_assert_ptr_null(kind->poll);
    ck_assert_ptr_null(kind->cancel);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_model_gets_its_members,
        only_models_that_say_so_take_a_source_picture,
        a_seed_of_zero_means_any_and_is_not_sent,
        every_attempt_has_a_name_of_its_own,
        each_answer_has_its_meaning,
        a_picture_is_found_in_both_shapes,
        the_log_line_has_the_providers_words_but_no_key,
        bytes_instead_of_json_are_a_picture,
        a_submission_without_answer_is_sent_again_only_if_no_byte_left,
        the_log_is_requested_newest_first,
        the_log_shows_the_end_of_a_lost_request,
        a_paid_request_is_lost_for_good,
        the_next_page_of_the_log_begins_behind_this_one,
        its_section_is_checked,
        NULL,
    };

    return unit_run("aiml", tests);
}

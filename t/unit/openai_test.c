/* SPDX-License-Identifier: Apache-2.0 */
/* provider/openai.c: what is sent for each family of models, and what each answer means. No
 * network. */
#include "model/bound.h"

#include "parts.h"
#include "provider.h"

#define URL "https://api.example.test/v1"

static const gf_prov_kind_t *const kind = &gf_prov_openai;

static scene_t *openai(const char *model)
{
    return scene(kind, URL, model);
}

/* A type that pays for them. */
static void takes_any_quality(scene_t *scene)
{
    char *const argv[] = { "quality", "auto|low|medium|high" };

    scene->type.bounds = apr_array_make(unit.ctx.pool, 1, sizeof(gf_bound_t));
    ck_assert_ptr_null(gf_bound_read(apr_array_push(scene->type.bounds), 2, argv, unit.ctx.pool));
}

/* ---- what is sent ---- */

#define PROMPT "\"prompt\":\"a \\\"neon\\\" cat\""

START_TEST(each_family_gets_its_members)
{
    static const char all[] = "{\"aspect_ratio\":\"16:9\",\"quality\":\"high\","
                              "\"output_format\":\"webp\",\"background\":\"opaque\","
                              "\"guidance_scale\":3,\"negative_prompt\":\"blur\",\"n\":9}";
    static const struct {
        const char *model, *parameters, *body;
    } rows[] = {
        { "gpt-image-1", "{}", "{\"model\":\"gpt-image-1\"," PROMPT "}" },
        { "gpt-image-1-mini", all,
          "{\"model\":\"gpt-image-1-mini\"," PROMPT ",\"quality\":\"high\","
          "\"background\":\"opaque\",\"output_format\":\"webp\",\"size\":\"1536x1024\"}" },
        { "chatgpt-image-latest", "{\"aspect_ratio\":\"9:16\"}",
          "{\"model\":\"chatgpt-image-latest\"," PROMPT ",\"size\":\"1024x1536\"}" },
        { "gpt-image-1", "{\"aspect_ratio\":\"1:1\"}",
          "{\"model\":\"gpt-image-1\"," PROMPT ",\"size\":\"1024x1024\"}" },
        { "gpt-image-1", "{\"aspect_ratio\":\"1:1\",\"size\":\"auto\"}",
          "{\"model\":\"gpt-image-1\"," PROMPT ",\"size\":\"auto\"}" },
        { "gpt-image-1", "{\"aspect_ratio\":\"wide\"}", "{\"model\":\"gpt-image-1\"," PROMPT "}" },
        { "dall-e-3", all,
          "{\"model\":\"dall-e-3\"," PROMPT ",\"size\":\"1792x1024\","
          "\"response_format\":\"b64_json\"}" },
        { "dall-e-2", all,
          "{\"model\":\"dall-e-2\"," PROMPT ",\"size\":\"1024x1024\","
          "\"response_format\":\"b64_json\"}" },
        { "stablediffusion", all,
          "{\"model\":\"stablediffusion\"," PROMPT ",\"response_format\":\"b64_json\"}" },
        { "", "{}", "{" PROMPT "}" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *scene = openai(rows[i].model);
        gf_msg_t *msg;

        scene->job.parameters = rows[i].parameters;
        takes_any_quality(scene);
        msg = kind->submit(&scene->call);
        is_request(msg, "POST", URL "/images/generations", "Bearer " SECRET);
        has_body(msg, rows[i].body);
        ck_assert_int_eq(apr_table_elts(msg->headers)->nelts, 3);
    }
}
END_TEST

static const gf_prov_source_t pictures[] = { { NULL, "/a/b", "image/png" },
                                             { NULL, "/a/c", "image/webp" },
                                             { NULL, "/a/d", "image/jpeg" } };

START_TEST(several_source_pictures_are_a_list_in_their_order)
{
    scene_t *scene = openai("gpt-image-1");

    scene->call.sources = pictures;
    scene->call.source_count = 3;
    scene->call.source_file = "/a/b";
    ck_assert_str_eq(parts_of(kind->submit(&scene->call)),
                     "model=gpt-image-1 prompt=a \"neon\" cat image[]=/a/b:image/png "
                     "image[]=/a/c:image/webp image[]=/a/d:image/jpeg");
    ck_assert_int_eq(kind->source_max("gpt-image-1"), 16);
    ck_assert_int_eq(kind->source_max("dall-e-2"), 1);
    ck_assert_int_eq(kind->source_max("some-other"), 1);
}
END_TEST

START_TEST(a_source_picture_makes_it_an_edit)
{
    static const char all[] = "{\"aspect_ratio\":\"16:9\",\"quality\":\"high\",\"strength\":0.3,"
                              "\"output_format\":\"webp\",\"background\":\"opaque\",\"n\":9}";
    static const struct {
        const char *model, *parameters, *parts;
    } rows[] = {
        { "gpt-image-1", "{}", "model=gpt-image-1 prompt=a \"neon\" cat image=/a/b:image/png" },
        { "gpt-image-1-mini", all,
          "model=gpt-image-1-mini prompt=a \"neon\" cat quality=high background=opaque "
          "output_format=webp size=1536x1024 image=/a/b:image/png" },
        { "dall-e-2", all,
          "model=dall-e-2 prompt=a \"neon\" cat size=1024x1024 response_format=b64_json "
          "image=/a/b:image/png" },
        { "stablediffusion", all,
          "model=stablediffusion prompt=a \"neon\" cat response_format=b64_json "
          "image=/a/b:image/png" },
        { "", "{\"size\":\"512x512\"}", "prompt=a \"neon\" cat size=512x512 image=/a/b:image/png" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *scene = openai(rows[i].model);
        gf_msg_t *msg;

        scene->job.parameters = rows[i].parameters;
        takes_any_quality(scene);
        scene->call.sources = pictures;
        scene->call.source_count = 1;
        scene->call.source_file = "/a/b";
        msg = kind->submit(&scene->call);
        ck_assert_str_eq(msg->method, "POST");
        ck_assert_str_eq(msg->url, URL "/images/edits");
        ck_assert_str_eq(parts_of(msg), rows[i].parts);
        ck_assert_ptr_null(msg->body);
        ck_assert_str_eq(apr_table_get(msg->headers, "Authorization"), "Bearer " SECRET);
        ck_assert_str_eq(apr_table_get(msg->headers, "Accept"), "application/json");
        ck_assert_int_eq(apr_table_elts(msg->headers)->nelts, 2);
        ck_assert_uint_ge(msg->text_max, 1024 * 1024);
    }
}
END_TEST

START_TEST(each_model_says_what_it_does_with_a_source_picture)
{
    static const struct {
        const char *model;
        gf_source_use_t use;
    } rows[] = { { "gpt-image-1", GF_SOURCE_MAY }, { "chatgpt-image-latest", GF_SOURCE_MAY },
                 { "dall-e-2", GF_SOURCE_MAY },    { "dall-e-3", GF_SOURCE_NONE },
                 { "some-other", GF_SOURCE_MAY },  { "", GF_SOURCE_MAY } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(kind->source(rows[i].model) == rows[i].use, "`%s`", rows[i].model);
    }
    ck_assert(kind->source_as_file);
}
END_TEST

/* ---- what an answer means ---- */

#define ERROR(type, code) \
    "{\"error\":{\"message\":\"no\",\"type\":\"" type "\",\"param\":null,\"code\":" code "}}"
#define LIMIT(text) "{\"error\":{\"message\":\"" text "\",\"type\":\"requests\"}}"
#define BAD         ERROR("invalid_request_error", "null")

START_TEST(each_answer_has_its_meaning)
{
    static const answer_t rows[] = {
        { 200, NULL, "{\"created\":1,\"data\":[]}", GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false,
          false },
        { 200, NULL, "{\"created\":1,\"data\":[{\"revised_prompt\":\"x\"}]}", GF_PROV_EMPTY,
          GF_E_EMPTY, 0, false, false, false },
        { 200, NULL, "no JSON", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 400, NULL, ERROR("image_generation_user_error", "\"moderation_blocked\""),
          GF_PROV_FILTERED, GF_E_FILTERED, 0, false, false, false },
        { 400, NULL, ERROR("invalid_request_error", "\"content_policy_violation\""),
          GF_PROV_FILTERED, GF_E_FILTERED, 0, false, false, false },
        { 400, NULL, BAD, GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
        { 422, NULL, BAD, GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
        { 404, NULL, BAD, GF_PROV_PERMANENT, GF_E_API, 0, false, false, true },
        { 400, NULL, ERROR("invalid_request_error", "\"model_not_found\""), GF_PROV_PERMANENT,
          GF_E_API, 0, false, false, true },
        { 403, NULL, ERROR("invalid_request_error", "\"model_not_found\""), GF_PROV_PERMANENT,
          GF_E_API, 0, false, false, true },
        { 401, NULL, ERROR("invalid_request_error", "\"invalid_api_key\""), GF_PROV_PERMANENT,
          GF_E_API, 0, true, false, false },
        { 403, NULL, BAD, GF_PROV_PERMANENT, GF_E_API, 0, true, false, false },
        { 429, NULL, ERROR("insufficient_quota", "\"insufficient_quota\""), GF_PROV_PERMANENT,
          GF_E_API, 0, true, false, false },
        { 429, NULL, ERROR("insufficient_quota", "null"), GF_PROV_PERMANENT, GF_E_API, 0, true,
          false, false },
        { 429, NULL, ERROR("t", "\"billing_hard_limit_reached\""), GF_PROV_PERMANENT, GF_E_API, 0,
          true, false, false },
        { 400, NULL, ERROR("t", "\"billing_hard_limit_reached\""), GF_PROV_PERMANENT, GF_E_API, 0,
          true, false, false },
        { 429, NULL, ERROR("requests", "\"rate_limit_exceeded\""), GF_PROV_TRANSIENT,
          GF_E_RATE_LIMIT, 0, false, true, false },
        { 429, "Retry-After: 20", ERROR("requests", "\"rate_limit_exceeded\""), GF_PROV_TRANSIENT,
          GF_E_RATE_LIMIT, 20, false, false, false },
        { 429, "Retry-After-Ms: 3000", ERROR("requests", "\"rate_limit_exceeded\""),
          GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 3, false, false, false },
        { 429, "Retry-After-Ms: soon", ERROR("requests", "\"rate_limit_exceeded\""),
          GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 0, false, true, false },
        { 429, NULL, LIMIT("Please try again in 12s. Visit"), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT,
          12, false, false, false },
        { 429, NULL, LIMIT("Please try again in 4000ms."), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 4,
          false, false, false },
        { 429, NULL, LIMIT("Please try again in 2m0s."), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 120,
          false, false, false },
        { 429, NULL, LIMIT("Please try again in 7h2m."), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 300,
          false, false, false },
        { 429, NULL, LIMIT("Please try again in a moment."), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 0,
          false, true, false },
        { 429, NULL, "{\"error\":\"a text\"}", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false,
          false },
        { 500, NULL, ERROR("server_error", "null"), GF_PROV_TRANSIENT, GF_E_API, 0, false, false,
          false },
        { 503, "Retry-After: 3", ERROR("server_error", "null"), GF_PROV_TRANSIENT, GF_E_API, 3,
          false, false, false },
        { 503, "Retry-After: 3", "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
    };

    check_answers(kind->read_submit, openai("gpt-image-1"), URL, rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(a_picture_comes_in_base64_or_at_an_address)
{
    static const struct {
        const char *text, *url, *b64;
    } rows[] = {
        { "{\"created\":1763600000,\"data\":[{\"b64_json\":\"aGVsbG8=\"}],"
          "\"background\":\"opaque\",\"output_format\":\"png\",\"usage\":{\"input_tokens\":9}}",
          NULL, "aGVsbG8=" },
        { "{\"created\":1,\"data\":[{\"url\":\"https://blob.test/a.png\","
          "\"revised_prompt\":\"a cat\"}]}",
          "https://blob.test/a.png", NULL },
    };
    scene_t *scene = openai("gpt-image-1");
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_outcome_t outcome = reads(kind->read_submit, scene, URL, 200, rows[i].text);

        ck_assert_int_eq(outcome.state, GF_PROV_SUCCEEDED);
        ck_assert_pstr_eq(outcome.picture_url, rows[i].url);
        ck_assert_pstr_eq(outcome.picture_b64, rows[i].b64);
        check_cut(kind->read_submit, scene, URL, 200, rows[i].text, GF_PROV_TRANSIENT,
                  GF_PROV_PERMANENT);
    }
}
END_TEST

START_TEST(a_submission_without_answer_is_sent_again_only_if_no_byte_left)
{
    check_lost_submission(kind->read_submit, openai("gpt-image-1"));
}
END_TEST

START_TEST(its_section_is_checked_and_a_lost_run_cannot_be_found)
{
    scene_t *edit = openai("gpt-image-1");

    check_section(kind);
    check_headers(kind, openai("gpt-image-1"));
    edit->call.sources = pictures;
    edit->call.source_count = 1;
    edit->call.source_file = "/a/b";
    check_headers(kind, edit);
    ck_assert_ptr_null(kind->poll);
    ck_assert_ptr_null(kind->cancel);
    ck_assert_ptr_null(kind->reconcile);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_family_gets_its_members,
        several_source_pictures_are_a_list_in_their_order,
        a_source_picture_makes_it_an_edit,
        each_model_says_what_it_does_with_a_source_picture,
        each_answer_has_its_meaning,
        a_picture_comes_in_base64_or_at_an_address,
        a_submission_without_answer_is_sent_again_only_if_no_byte_left,
        its_section_is_checked_and_a_lost_run_cannot_be_found,
        NULL,
    };

    return unit_run("openai", tests);
}

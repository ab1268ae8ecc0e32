/* SPDX-License-Identifier: Apache-2.0 */
/* provider/replicate.c: what is sent for each model, what each state of a prediction means,
 * and how a lost one is found. No network. */
#include "provider.h"

#define URL      "https://api.example.test/v1"
#define QUESTION URL "/predictions/p9"
#define LIST     URL "/predictions?created_after=2025-10-01T21:19:31Z"
#define MODEL    "black-forest-labs/flux-dev"
#define VERSION  "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"

static const gf_prov_kind_t *const kind = &gf_prov_replicate;

static scene_t *replicate(const char *model)
{
    scene_t *self = scene(kind, URL, model);

    self->job.provider_ref = "p9";
    return self;
}

/* ---- what is sent ---- */

#define PROMPT "\"prompt\":\"a \\\"neon\\\" cat\""
#define SOURCE "https://site.test/a.png"

START_TEST(each_model_gets_its_input)
{
    static const char all[] = "{\"guidance_scale\":3.5,\"num_inference_steps\":28,"
                              "\"strength\":0.3,\"aspect_ratio\":\"16:9\","
                              "\"negative_prompt\":\"blur\",\"go_fast\":true}";
    static const struct {
        const char *model, *source, *path, *body;
    } rows[] = {
        { MODEL, NULL, "/models/" MODEL "/predictions",
          "{\"input\":{" PROMPT ",\"aspect_ratio\":\"16:9\",\"guidance\":3.5,"
          "\"num_inference_steps\":28,\"seed\":77}}" },
        { MODEL, SOURCE, "/models/" MODEL "/predictions",
          "{\"input\":{" PROMPT ",\"image\":\"" SOURCE "\",\"prompt_strength\":0.3,"
          "\"aspect_ratio\":\"16:9\",\"guidance\":3.5,\"num_inference_steps\":28,\"seed\":77}}" },
        { "black-forest-labs/flux-kontext-pro", SOURCE,
          "/models/black-forest-labs/flux-kontext-pro/predictions",
          "{\"input\":{" PROMPT ",\"input_image\":\"" SOURCE "\",\"aspect_ratio\":\"16:9\","
          "\"seed\":77}}" },
        { "black-forest-labs/flux-1.1-pro", SOURCE,
          "/models/black-forest-labs/flux-1.1-pro/predictions",
          "{\"input\":{" PROMPT ",\"aspect_ratio\":\"16:9\",\"seed\":77}}" },
        { "somebody/sdxl:" VERSION, SOURCE, "/predictions",
          "{\"version\":\"somebody/sdxl:" VERSION "\",\"input\":{" PROMPT
          ",\"negative_prompt\":\"blur\",\"image\":\"" SOURCE "\",\"prompt_strength\":0.3,"
          "\"guidance_scale\":3.5,\"num_inference_steps\":28,\"seed\":77}}" },
        { VERSION, NULL, "/predictions",
          "{\"version\":\"" VERSION "\",\"input\":{" PROMPT ",\"negative_prompt\":\"blur\","
          "\"guidance_scale\":3.5,\"num_inference_steps\":28,\"seed\":77}}" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *scene = replicate(rows[i].model);
        gf_msg_t *msg;

        scene->job.parameters = all;
        scene->call.source = rows[i].source;
        msg = kind->submit(&scene->call);
        is_request(msg, "POST", apr_pstrcat(unit.ctx.pool, URL, rows[i].path, NULL),
                   "Bearer " SECRET);
        has_body(msg, rows[i].body);
        ck_assert_str_eq(apr_table_get(msg->headers, "Cancel-After"), "120s");
        ck_assert_int_eq(apr_table_elts(msg->headers)->nelts, 4);
    }
}
END_TEST

START_TEST(each_model_uses_a_source_picture_in_its_way)
{
    static const source_t rows[] = {
        { MODEL, GF_SOURCE_MAY },
        { "black-forest-labs/flux-kontext-pro", GF_SOURCE_MAY },
        { "black-forest-labs/flux-1.1-pro", GF_SOURCE_NONE },
        { "somebody/sdxl:" VERSION, GF_SOURCE_MAY },
        { VERSION, GF_SOURCE_MAY },
        { "somebody/sdxl-image-to-image", GF_SOURCE_MUST },
    };

    check_sources(kind, rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(each_model_of_several_pictures_has_a_list_of_its_own)
{
    static const struct {
        const char *model, *list;
        int most;
    } rows[] = { { "black-forest-labs/flux-2-pro", "input_images", 8 },
                 { "black-forest-labs/flux-2-flex", "input_images", 10 },
                 { "black-forest-labs/flux-2-dev", "input_images", 4 },
                 { "black-forest-labs/flux-2-klein-4b", "images", 5 },
                 { "google/nano-banana", "image_input", 10 },
                 { "bytedance/seedream-4", "image_input", 10 } };
    gf_prov_source_t sources[] = { { .url = SOURCE }, { .url = SOURCE "2" } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *scene = replicate(rows[i].model);

        scene->call.source = SOURCE;
        scene->call.sources = sources;
        scene->call.source_count = 2;
        ck_assert_ptr_nonnull(strstr(kind->submit(&scene->call)->body,
                                     apr_pstrcat(unit.ctx.pool, "\"", rows[i].list,
                                                 "\":[\"" SOURCE "\",\"" SOURCE "2\"]", NULL)));
        ck_assert_int_eq(kind->source_max(rows[i].model), rows[i].most);
    }
    ck_assert_int_le(kind->source_max("black-forest-labs/flux-dev"), 1);
}
END_TEST

START_TEST(the_provider_webhook_is_requested)
{
    scene_t *scene = replicate(MODEL);

    scene->call.provider_webhook_url = "https://site.test/hook/J42/TOKEN";
    scene->provider.deadline = apr_time_from_msec(1500);
    scene->job.seed = 4294967294;
    has_body(kind->submit(&scene->call), "{\"input\":{" PROMPT ",\"seed\":4294967294},"
                                         "\"webhook\":\"https://site.test/hook/J42/TOKEN\","
                                         "\"webhook_events_filter\":[\"completed\"]}");
    ck_assert_str_eq(apr_table_get(kind->submit(&scene->call)->headers, "Cancel-After"), "5s");
}
END_TEST

START_TEST(a_prediction_is_polled_and_cancelled_by_its_id)
{
    scene_t *scene = replicate(MODEL);
    gf_msg_t *msg = kind->poll(&scene->call);

    is_request(msg, "GET", QUESTION, "Bearer " SECRET);
    ck_assert_ptr_null(msg->body);
    msg = kind->cancel(&scene->call);
    is_request(msg, "POST", QUESTION "/cancel", "Bearer " SECRET);
    ck_assert_str_eq(msg->body, "");
}
END_TEST

/* ---- what a prediction says ---- */

#define PREDICTION(status, rest)                                                               \
    "{\"id\":\"p9\",\"model\":\"" MODEL "\",\"version\":\"hidden\",\"status\":\"" status "\"," \
    "\"input\":{},\"created_at\":\"2023-11-14T22:14:21.5Z\","                                  \
    "\"urls\":{\"get\":\"https://evil.test/p9\"}," rest "}"
#define FAILED(error)   PREDICTION("failed", "\"output\":null,\"error\":\"" error "\"")
#define PROBLEM(detail) "{\"title\":\"t\",\"status\":400,\"detail\":\"" detail "\"}"

static const answer_t predictions[] = {
    { 200, NULL, PREDICTION("starting", "\"output\":null,\"error\":null,\"logs\":\"\""),
      GF_PROV_WORKING, 0, 0, false, false, false },
    { 200, NULL, PREDICTION("processing", "\"output\":null,\"logs\":null"), GF_PROV_WORKING, 0, 0,
      false, false, false },
    { 200, NULL, PREDICTION("dreaming", "\"output\":null"), GF_PROV_WORKING, 0, 0, false, false,
      false },
    { 200, NULL, PREDICTION("succeeded", "\"output\":[\"https://r.test/0.webp\"]"),
      GF_PROV_SUCCEEDED, 0, 0, false, false, false },
    { 200, NULL, PREDICTION("succeeded", "\"output\":null"), GF_PROV_EMPTY, GF_E_EMPTY, 0, false,
      false, false },
    { 200, NULL, PREDICTION("succeeded", "\"output\":[]"), GF_PROV_EMPTY, GF_E_EMPTY, 0, false,
      false, false },
    { 200, NULL, PREDICTION("succeeded", "\"output\":[7]"), GF_PROV_EMPTY, GF_E_EMPTY, 0, false,
      false, false },
    { 200, NULL, PREDICTION("succeeded", "\"output\":null,\"data_removed\":true"), GF_PROV_EMPTY,
      GF_E_EMPTY, 0, false, false, false },
    { 200, NULL,
      PREDICTION("succeeded", "\"output\":[\"https://r.test/0.webp\"],\"data_removed\":true"),
      GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false, false },
    { 200, NULL, FAILED("NSFW content detected. Try running it again"), GF_PROV_FILTERED,
      GF_E_FILTERED, 0, false, false, false },
    { 200, NULL, FAILED("The input or output was flagged as sensitive. (E005)"), GF_PROV_FILTERED,
      GF_E_FILTERED, 0, false, false, false },
    { 200, NULL, FAILED("Rejected: E005"), GF_PROV_FILTERED, GF_E_FILTERED, 0, false, false,
      false },
    { 200, NULL, FAILED("Safety filter"), GF_PROV_FILTERED, GF_E_FILTERED, 0, false, false, false },
    { 200, NULL, FAILED("violates our Content Policy"), GF_PROV_FILTERED, GF_E_FILTERED, 0, false,
      false, false },
    { 200, NULL, FAILED("CUDA out of memory"), GF_PROV_PERMANENT, GF_E_API, 0, false, false,
      false },
    { 200, NULL, PREDICTION("failed", "\"error\":null"), GF_PROV_PERMANENT, GF_E_API, 0, false,
      false, false },
    { 200, NULL, FAILED("Director: unexpected error (E1000)"), GF_PROV_TRANSIENT, GF_E_API, 0,
      false, false, false },
    { 200, NULL, FAILED("<html><title>502 Bad Gateway</title>"), GF_PROV_TRANSIENT, GF_E_API, 0,
      false, false, false },
    { 200, NULL, PREDICTION("canceled", "\"output\":null"), GF_PROV_PERMANENT, GF_E_API, 0, false,
      false, false },
    { 200, NULL, PREDICTION("aborted", "\"output\":null"), GF_PROV_TRANSIENT, GF_E_TIMEOUT, 0,
      false, false, false },
};

START_TEST(each_state_of_a_prediction_has_its_meaning)
{
    scene_t *scene = replicate(MODEL);

    check_answers(kind->read_poll, scene, QUESTION, predictions, UNIT_COUNT(predictions));
}
END_TEST

START_TEST(whatever_a_prediction_is_when_it_is_made_its_id_comes_first)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(predictions); i++) {
        gf_outcome_t outcome =
            reads(kind->read_submit, replicate(MODEL), URL, 201, predictions[i].text);

        ck_assert_int_eq(outcome.state, GF_PROV_WORKING);
        ck_assert_str_eq(outcome.ref, "p9");
        ck_assert_ptr_null(outcome.picture_url);
    }
}
END_TEST

START_TEST(a_passing_failure_passes_only_once)
{
    scene_t *scene = replicate(MODEL);

    scene->job.retries = 1;
    ck_assert_int_eq(reads(kind->read_poll, scene, QUESTION, 200, FAILED("(E1000)")).state,
                     GF_PROV_PERMANENT);
}
END_TEST

START_TEST(an_output_is_a_text_or_a_list_of_texts)
{
    static const struct {
        const char *text, *url;
    } rows[] = {
        { PREDICTION("succeeded", "\"output\":\"https://r.test/out.png\""),
          "https://r.test/out.png" },
        { PREDICTION("succeeded", "\"output\":[\"https://r.test/0.png\",\"https://r.test/1.png\"]"),
          "https://r.test/0.png" },
        { PREDICTION("succeeded", "\"output\":[\"data:image/png;base64,aGk=\"]"),
          "data:image/png;base64,aGk=" },
        { PREDICTION("succeeded", "\"output\":{\"url\":\"https://r.test/o.png\"}"),
          "https://r.test/o.png" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_outcome_t outcome =
            reads(kind->read_poll, replicate(MODEL), QUESTION, 200, rows[i].text);

        ck_assert_int_eq(outcome.state, GF_PROV_SUCCEEDED);
        ck_assert_pstr_eq(outcome.picture_url, rows[i].url);
    }
}
END_TEST

START_TEST(what_a_prediction_prints_becomes_lines_and_progress)
{
    static const struct {
        const char *printed, *logs;
        double progress;
    } rows[] = {
        { "", NULL, -1 },
        { "\\n\\r\\n", NULL, -1 },
        { "Using seed: 77", "[\"Using seed: 77\"]", -1 },
        { "a\\nb\\n", "[\"a\",\"b\"]", -1 },
        { " 10%|#  | 1/10\\r 45%|#  | 4/10", "[\" 10%|#  | 1/10\",\" 45%|#  | 4/10\"]", 0.45 },
        { "100%|##|", "[\"100%|##|\"]", 1 },
        { "0%|", "[\"0%|\"]", 0 },
        { "%|", "[\"%|\"]", -1 },
        { "999%|", "[\"999%|\"]", -1 },
        { "\\u751f\\u6210", "[\"\xe7\x94\x9f\xe6\x88\x90\"]", -1 },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *text =
            apr_psprintf(unit.ctx.pool, PREDICTION("processing", "\"output\":null,\"logs\":\"%s\""),
                         rows[i].printed);
        gf_outcome_t outcome = reads(kind->read_poll, replicate(MODEL), QUESTION, 200, text);

        ck_assert_pstr_eq(outcome.progress.logs, rows[i].logs);
        ck_assert_msg(outcome.progress.fraction > rows[i].progress - 0.001
                          && outcome.progress.fraction < rows[i].progress + 0.001,
                      "`%s`: %g", rows[i].printed, outcome.progress.fraction);
        ck_assert_int_eq(outcome.progress.queue_position, -1);
    }
}
END_TEST

START_TEST(only_the_last_lines_are_kept_and_cut_between_characters)
{
    const char *printed = "first";
    gf_outcome_t outcome;
    gf_json_t *logs;
    const char *line;
    char *longest = apr_pcalloc(unit.ctx.pool, 1001);
    int i;

    for (i = 0; i < 500; i++) {
        memcpy(longest + 2 * i, "\xc3\xa9", 2);
    }
    for (i = 0; i < 40; i++) {
        printed = apr_psprintf(unit.ctx.pool, "%s\\nx%s", printed, longest);
    }
    outcome =
        reads(kind->read_poll, replicate(MODEL), QUESTION, 200,
              apr_psprintf(unit.ctx.pool, PREDICTION("processing", "\"logs\":\"%s\""), printed));
    logs = gf_json_get(unit_json(apr_psprintf(unit.ctx.pool, "{\"a\":%s}", outcome.progress.logs)),
                       "a");
    ck_assert_uint_eq(gf_json_length(logs), 20);
    ck_assert(gf_json_string(gf_json_at(logs, 0), &line));
    ck_assert_uint_eq(strlen(line), 299);
}
END_TEST

/* ---- what a submission says ---- */

START_TEST(each_answer_to_a_submission_has_its_meaning)
{
    static const answer_t rows[] = {
        { 201, NULL, PREDICTION("starting", "\"output\":null"), GF_PROV_WORKING, 0, 0, false, false,
          false },
        { 202, NULL, PREDICTION("processing", "\"output\":null"), GF_PROV_WORKING, 0, 0, false,
          false, false },
        { 201, NULL, "{\"status\":\"starting\"}", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false,
          false },
        { 200, NULL, "<html>", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 400, NULL, PROBLEM("no"), GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
        { 404, NULL, PROBLEM("The requested resource could not be found."), GF_PROV_PERMANENT,
          GF_E_API, 0, false, false, true },
        { 422, NULL, "{\"detail\":\"- input.width is required\",\"invalid_fields\":[]}",
          GF_PROV_PERMANENT, GF_E_API, 0, false, false, false },
        { 422, NULL, PROBLEM("The specified version does not exist (or perhaps ...)"),
          GF_PROV_PERMANENT, GF_E_API, 0, false, false, true },
        { 401, NULL, PROBLEM("Unauthenticated"), GF_PROV_PERMANENT, GF_E_API, 0, true, false,
          false },
        { 402, NULL, PROBLEM("insufficient credit"), GF_PROV_PERMANENT, GF_E_API, 0, true, false,
          false },
        { 403, NULL, PROBLEM("no"), GF_PROV_PERMANENT, GF_E_API, 0, true, false, false },
        { 403, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, true, false, false },
        { 429, NULL,
          "{\"detail\":\"Request was throttled. Your rate limit resets in ~30s\","
          "\"retry_after\":5}",
          GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 5, false, false, false },
        { 429, "Retry-After: 9", "{\"detail\":\"t\",\"retry_after\":5}", GF_PROV_TRANSIENT,
          GF_E_RATE_LIMIT, 9, false, false, false },
        { 429, NULL, PROBLEM("Your rate limit resets in ~30s."), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT,
          30, false, false, false },
        { 429, NULL, "{\"detail\":\"t\",\"retry_after\":-5}", GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 0,
          false, true, false },
        { 429, NULL, PROBLEM("slow"), GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 0, false, true, false },
        { 429, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 500, NULL, PROBLEM("oops"), GF_PROV_TRANSIENT, GF_E_API, 0, false, false, false },
        { 502, NULL, PROBLEM("oops"), GF_PROV_TRANSIENT, GF_E_API, 0, false, false, false },
    };
    scene_t *scene = replicate(MODEL);

    check_answers(kind->read_submit, scene, URL, rows, UNIT_COUNT(rows));
    ck_assert_str_eq(reads(kind->read_submit, scene, URL, 201, rows[0].text).ref, "p9");
    check_cut(kind->read_submit, scene, URL, 201, rows[0].text, GF_PROV_TRANSIENT,
              GF_PROV_PERMANENT);
}
END_TEST

START_TEST(an_id_is_taken_only_if_it_can_stand_in_an_address)
{
    check_ids(kind->read_submit, replicate(MODEL), "{\"id\":\"*\",\"status\":\"starting\"}");
}
END_TEST

START_TEST(a_lost_question_says_nothing_about_the_job)
{
    static const answer_t rows[] = {
        { 401, NULL, PROBLEM("no"), GF_PROV_WORKING, 0, 0, false, false, false },
        { 402, NULL, PROBLEM("no"), GF_PROV_WORKING, 0, 0, false, false, false },
        { 403, NULL, "", GF_PROV_WORKING, 0, 0, false, false, false },
        { 404, NULL, PROBLEM("no"), GF_PROV_WORKING, 0, 0, false, false, false },
        { 429, "Retry-After: 11", "{\"detail\":\"t\"}", GF_PROV_WORKING, 0, 11, false, false,
          false },
        { 500, NULL, FAILED("not a prediction of ours"), GF_PROV_WORKING, 0, 0, false, false,
          false },
        { 200, NULL, "<html>", GF_PROV_WORKING, 0, 0, false, false, false },
        { 200, NULL, "{}", GF_PROV_WORKING, 0, 0, false, false, false },
        { 302, NULL, "", GF_PROV_WORKING, 0, 0, false, false, false },
    };
    scene_t *scene = replicate(MODEL);
    size_t i;

    check_answers(kind->read_poll, scene, QUESTION, rows, UNIT_COUNT(rows));
    check_gateways(kind->read_poll, scene, QUESTION, GF_PROV_WORKING);
    check_lost_question(kind->read_poll, scene, QUESTION, GF_PROV_WORKING);
    for (i = 0; i < UNIT_COUNT(predictions); i++) {
        check_cut(kind->read_poll, scene, QUESTION, 200, predictions[i].text, GF_PROV_TRANSIENT,
                  GF_PROV_PERMANENT);
    }
}
END_TEST

START_TEST(an_answer_too_large_is_not_fetched_again)
{
    ck_assert_int_eq(
        lost(kind->read_poll, replicate(MODEL), QUESTION, GF_MSG_TOO_LARGE, false).state,
        GF_PROV_EMPTY);
}
END_TEST

START_TEST(a_submission_without_answer_is_sent_again_only_if_no_byte_left)
{
    check_lost_submission(kind->read_submit, replicate(MODEL));
}
END_TEST

/* ---- after a lost answer ---- */

#define ROW(id, created, status, input)                                                         \
    "{\"id\":\"" id "\",\"created_at\":\"2023-11-14T22:" created "Z\",\"model\":\"" MODEL "\"," \
    "\"version\":\"hidden\",\"status\":\"" status "\",\"error\":null,\"input\":" input "}"
#define OURS                "{\"prompt\":\"a \\\"neon\\\" cat\",\"seed\":77,\"go_fast\":true}"
#define SEED8               "{\"prompt\":\"a \\\"neon\\\" cat\",\"seed\":8}"
#define DOG                 "{\"prompt\":\"a dog\",\"seed\":77}"
#define PAGE(rows)          "{\"next\":null,\"previous\":null,\"results\":[" rows "]}"
#define PAGE_OF(rows, next) "{\"next\":\"" next "\",\"previous\":null,\"results\":[" rows "]}"

START_TEST(the_list_is_requested_from_before_the_job_began_whatever_our_clock_and_configuration)
{
    static const int ends[] = { 0, 1700000000, 1759357800, 1959357800 };
    scene_t *scene = replicate(MODEL);
    size_t i;

    for (i = 0; i < UNIT_COUNT(ends); i++) {
        scene->job.deadline = apr_time_from_sec(ends[i]);
        scene->job.created = scene->job.deadline;
        is_request(kind->reconcile(&scene->call), "GET", LIST, "Bearer " SECRET);
        scene->type.lifetime /= 10;
    }
}
END_TEST

/* A list, as an answer ten seconds after the job was made, by the provider's clock, too. */
static gf_outcome_t listed(scene_t *scene, const char *text)
{
    scene->call.age = apr_time_from_sec(10);
    return outcome_of(kind->read_reconcile, scene,
                      answered(LIST, 200, "Date: Wed, 01 Oct 2025 21:34:41 GMT", text));
}

START_TEST(a_lost_run_is_found_by_what_we_sent)
{
    static const struct {
        const char *model, *text, *ref; /* NULL: never taken */
    } rows[] = {
        { MODEL, PAGE(ROW("b", "15:00", "starting", SEED8) "," ROW("a", "14:30", "starting", OURS)),
          "a" },
        { MODEL, PAGE(ROW("a", "14:30", "succeeded", OURS)), "a" },
        { MODEL, PAGE(ROW("a", "14:30", "canceled", OURS)), "a" },
        { MODEL, PAGE(ROW("a", "14:30", "failed", OURS)), "a" },
        { MODEL,
          PAGE(ROW("c", "16:00", "starting", OURS) "," ROW("b", "15:00", "starting", OURS) "," ROW(
              "a", "14:30", "starting", DOG)),
          "b" },
        { MODEL, PAGE(ROW("b", "15:00", "starting", OURS) "," ROW("a", "14:30", "aborted", OURS)),
          "b" },
        { MODEL ":" VERSION, PAGE(ROW("a", "14:30", "starting", OURS)), "a" },
        { VERSION, PAGE(ROW("a", "14:30", "starting", OURS)), "a" },
        { MODEL, PAGE(ROW("a", "14:30", "starting", "{\"seed\":77}")), "a" },
        { MODEL, PAGE(""), NULL },
        { MODEL, PAGE(ROW("a", "14:30", "starting", SEED8)), NULL },
        { MODEL, PAGE(ROW("a", "14:30", "starting", DOG)), NULL },
        { MODEL, PAGE(ROW("a", "14:30", "aborted", OURS)), NULL },
        { "black-forest-labs/flux", PAGE(ROW("a", "14:30", "starting", OURS)), NULL },
        { MODEL "-lora", PAGE(ROW("a", "14:30", "starting", OURS)), NULL },
        { MODEL, PAGE(ROW("a", "14:30", "starting", "{\"seed\":17454220438242315174}")), NULL },
        { MODEL, PAGE(ROW("a", "14:30", "starting", "{\"seed\":\"77\"}")), NULL },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *scene = replicate(rows[i].model);
        gf_outcome_t outcome = listed(scene, rows[i].text);
        gf_prov_state_t state = rows[i].ref ? GF_PROV_WORKING : GF_PROV_TRANSIENT;

        ck_assert_msg(outcome.state == state, "row %lu: state %d", (unsigned long)i,
                      (int)outcome.state);
        ck_assert_pstr_eq(outcome.ref, rows[i].ref);
        ck_assert(outcome.absent == (!rows[i].ref && outcome.code == GF_E_NETWORK));
        check_cut(kind->read_reconcile, scene, LIST, 200, rows[i].text, GF_PROV_TRANSIENT,
                  GF_PROV_WORKING);
    }
}
END_TEST

START_TEST(a_list_is_compared_with_what_was_sent_not_with_what_would_be_sent_now)
{
    static const char text[] =
        PAGE(ROW("a", "14:30", "starting",
                 "{\"prompt\":\"a \\\"neon\\\" cat\",\"seed\":77,\"guidance\":3,"
                 "\"aspect_ratio\":\"16:9\",\"image\":\"data:image/png;base64,AAAA\"}"));
    static const char other[] =
        PAGE(ROW("a", "14:30", "starting",
                 "{\"prompt\":\"a \\\"neon\\\" cat\",\"seed\":77,\"guidance\":3,"
                 "\"aspect_ratio\":\"1:1\",\"image\":\"data:image/png;base64,AAAA\"}"));
    scene_t *scene = replicate(MODEL);

    scene->job.source_url = "genflow:asset";
    ck_assert_int_eq(listed(scene, text).state, GF_PROV_UNKNOWN);

    scene->job.parameters = "{\"aspect_ratio\":\"16:9\",\"guidance_scale\":3.0}";
    scene->call.source = "data:image/png;base64,AAAA";
    scene->job.request_hash = prov_run_hash(&scene->call);
    scene->job.parameters = "{\"aspect_ratio\":\"1:1\"}";
    scene->call.source = NULL;
    ck_assert_str_eq(listed(scene, text).ref, "a");
    ck_assert_msg(listed(scene, other).state == GF_PROV_UNKNOWN,
                  "prompt and seed are ours, the rest is of another entry of the chain");

    scene->job.request_hash = "{\"seed\":\"0123456789abcdef\"}";
    ck_assert_int_eq(listed(scene, text).state, GF_PROV_UNKNOWN);
    scene->job.request_hash = NULL;
    ck_assert_int_eq(listed(scene, text).state, GF_PROV_UNKNOWN);
}
END_TEST

START_TEST(an_earlier_attempt_that_failed_in_passing_does_not_count)
{
    static const char text[] = "{\"next\":null,\"results\":[{\"id\":\"a\",\"model\":\"" MODEL "\","
                               "\"status\":\"failed\",\"error\":\"(E1000)\",\"input\":" OURS "}]}";
    scene_t *scene = replicate(MODEL);

    scene->job.retries = 1;
    scene->job.attempts = 2;
    ck_assert_int_eq(listed(scene, text).code, GF_E_NETWORK);
    scene->job.attempts = 1;
    ck_assert_msg(listed(scene, text).code == GF_E_API,
                  "in the first attempt it is the run itself");
    ck_assert_msg(!listed(scene, text).absent, "which is there");
}
END_TEST

START_TEST(what_the_list_does_not_show_stays_unknown)
{
    static const answer_t rows[] = {
        { 200, NULL, PAGE(ROW("a", "14:30", "succeeded", "{}")), GF_PROV_UNKNOWN, GF_E_NETWORK, 0,
          false, false, false },
        { 200, NULL, PAGE(ROW("a", "14:30", "succeeded", "null")), GF_PROV_UNKNOWN, GF_E_NETWORK, 0,
          false, false, false },
        { 200, NULL, PAGE(ROW("../a", "14:30", "starting", OURS)), GF_PROV_UNKNOWN, GF_E_NETWORK, 0,
          false, false, false },
        { 200, NULL, PAGE("7"), GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 200, NULL, PAGE_OF("", "https://evil.test/v1/predictions?cursor=x"), GF_PROV_UNKNOWN,
          GF_E_NETWORK, 0, false, false, false },
        { 200, NULL, PAGE_OF("", "https://api.example.test.evil.test/v1/predictions?cursor=x"),
          GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 200, NULL, "{\"next\":null,\"results\":{}}", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false,
          false, false },
        { 200, NULL, "{\"next\":null}", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 200, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 401, NULL, PAGE(""), GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 429, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
        { 500, NULL, "", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false, false },
    };
    static const unknown_t open[] = {
        { 200, PAGE(ROW("a", "14:30", "succeeded", "{}")), false },
    };
    static const unknown_t seedless[] = {
        { 200, PAGE(""), true },
        { 200, PAGE_OF("", URL "/predictions?cursor=x"), true },
    };
    scene_t *scene = replicate(MODEL);

    check_answers(kind->read_reconcile, scene, LIST, rows, UNIT_COUNT(rows));
    check_lost_question(kind->read_reconcile, scene, LIST, GF_PROV_UNKNOWN);
    check_unknown(kind->read_reconcile, scene, LIST, open, UNIT_COUNT(open));
    check_refused_list(kind->read_reconcile, scene, LIST, PAGE(""));
    scene->job.seed = 0;
    check_unknown(kind->read_reconcile, scene, LIST, seedless, UNIT_COUNT(seedless));
}
END_TEST

/* Else its absence would be believed, and the run be paid twice. */
START_TEST(a_list_says_nothing_about_a_model_without_a_seed)
{
    static const char *const models[] = { "google/nano-banana", "bytedance/seedream-4" };
    size_t i;

    for (i = 0; i < UNIT_COUNT(models); i++) {
        gf_outcome_t outcome = outcome_of(kind->read_reconcile, replicate(models[i]),
                                          answered(LIST, 200, NULL, PAGE("")));

        ck_assert_int_eq(outcome.state, GF_PROV_UNKNOWN);
        ck_assert(outcome.settled && !outcome.absent);
    }
}
END_TEST

START_TEST(the_providers_own_clock_decides_if_a_list_begins_early_enough)
{
    static const struct {
        const char *since, *date;
        int age;                    /* seconds */
        const char *requested_from; /* NULL: what it does not hold is absent; "": unknown */
    } rows[] = {
        { "2025-10-01T21:19:31Z", "Date: Wed, 01 Oct 2025 21:34:31 GMT", 0, NULL },
        { "2025-10-01T21:19:31Z", "Date: Wed, 01 Oct 2025 22:34:31 GMT", 0, NULL },
        { "2025-10-01T21:19:31Z", "Date: Wed, 01 Oct 2025 22:34:31 GMT", 3600, NULL },
        { "2025-10-01T21:19:31Z", "Date: Wed, 01 Oct 2025 21:24:31 GMT", 0, NULL },
        { "2025-10-01T21:19:31Z", "Date: Wed, 01 Oct 2025 21:24:30 GMT", 0,
          "2025-10-01T21:09:30Z" },
        { "2025-10-01T21:19:31Z", "Date: Wed, 01 Oct 2025 21:14:41 GMT", 10,
          "2025-10-01T20:59:31Z" },
        { "2025-10-01T20:59:31Z", "Date: Wed, 01 Oct 2025 21:14:45 GMT", 14, NULL },
        { "2025-10-01T21:19:31Z", "Date: Wed, 01 Oct 2025 21:34:31 GMT", 3600,
          "2025-10-01T20:19:31Z" },
        { "2025-10-01T21:19:31Z", "Date: yesterday", 0, "" },
        { "2025-10-01T21:19:31Z", NULL, 0, "" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *url =
            apr_pstrcat(unit.ctx.pool, URL "/predictions?created_after=", rows[i].since, NULL);
        const char *from = rows[i].requested_from;
        scene_t *scene = replicate(MODEL);
        gf_outcome_t outcome;

        scene->call.age = apr_time_from_sec(rows[i].age);
        outcome =
            outcome_of(kind->read_reconcile, scene, answered(url, 200, rows[i].date, PAGE("")));
        ck_assert_msg(outcome.state
                          == (!from     ? GF_PROV_TRANSIENT
                              : from[0] ? GF_PROV_NEXT
                                        : GF_PROV_UNKNOWN),
                      "row %lu: state %d", (unsigned long)i, (int)outcome.state);
        ck_assert(outcome.absent == !from);
        if (from && from[0]) {
            is_request(outcome.next, "GET",
                       apr_pstrcat(unit.ctx.pool, URL "/predictions?created_after=", from, NULL),
                       "Bearer " SECRET);
        }
        outcome =
            outcome_of(kind->read_reconcile, scene,
                       answered(url, 200, rows[i].date, PAGE(ROW("a", "14:30", "starting", OURS))));
        ck_assert_msg(outcome.state == GF_PROV_WORKING, "what is there is found");
    }
}
END_TEST

START_TEST(the_list_is_read_page_by_page)
{
    static const char next[] = URL "/predictions?cursor=cD0yMDIz%3D";
    gf_outcome_t outcome = listed(replicate(MODEL), PAGE_OF(ROW("a", "14:30", "starting", DOG),
                                                            URL "/predictions?cursor=cD0yMDIz%3D"));

    is_request(outcome.next, "GET", next, "Bearer " SECRET);
    outcome = reads(kind->read_reconcile, replicate(MODEL), next, 200,
                    PAGE_OF(ROW("a", "14:30", "starting", OURS), "https://evil.test/"));
    ck_assert_int_eq(outcome.state, GF_PROV_WORKING);
    outcome = reads(kind->read_reconcile, replicate(MODEL), next, 200, PAGE(""));
    ck_assert_msg(outcome.absent, "the first page has shown that it begins early enough");
}
END_TEST

START_TEST(its_section_is_checked)
{
    check_section(kind);
    check_headers(kind, replicate(MODEL));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_model_gets_its_input,
        each_model_uses_a_source_picture_in_its_way,
        each_model_of_several_pictures_has_a_list_of_its_own,
        the_provider_webhook_is_requested,
        a_prediction_is_polled_and_cancelled_by_its_id,
        each_state_of_a_prediction_has_its_meaning,
        whatever_a_prediction_is_when_it_is_made_its_id_comes_first,
        a_passing_failure_passes_only_once,
        an_output_is_a_text_or_a_list_of_texts,
        what_a_prediction_prints_becomes_lines_and_progress,
        only_the_last_lines_are_kept_and_cut_between_characters,
        each_answer_to_a_submission_has_its_meaning,
        an_id_is_taken_only_if_it_can_stand_in_an_address,
        a_lost_question_says_nothing_about_the_job,
        an_answer_too_large_is_not_fetched_again,
        a_submission_without_answer_is_sent_again_only_if_no_byte_left,
        the_list_is_requested_from_before_the_job_began_whatever_our_clock_and_configuration,
        a_lost_run_is_found_by_what_we_sent,
        a_list_is_compared_with_what_was_sent_not_with_what_would_be_sent_now,
        an_earlier_attempt_that_failed_in_passing_does_not_count,
        what_the_list_does_not_show_stays_unknown,
        a_list_says_nothing_about_a_model_without_a_seed,
        the_providers_own_clock_decides_if_a_list_begins_early_enough,
        the_list_is_read_page_by_page,
        its_section_is_checked,
        NULL,
    };

    return unit_run("replicate", tests);
}

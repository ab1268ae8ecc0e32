/* SPDX-License-Identifier: Apache-2.0 */
/* provider/stability.c and what provider/provider.c shares: what is sent for each model,
 * and what each answer means for the job, its money and the operator. No network. */
#include "provider/provider.h"

#include "lost.h"
#include "parts.h"
#include "unit.h"

static const gf_provider_t provider = { .name = "stability",
                                        .kind = &gf_prov_stability,
                                        .url = "https://api.example.test",
                                        .key = "sk-secret" };

static gf_job_t job_with(const char *parameters)
{
    gf_job_t job = {
        .pool = unit.ctx.pool, .prompt = "a neon cat", .seed = 77, .parameters = parameters
    };

    return job;
}

static gf_prov_call_t call_of(const gf_job_t *job, const char *model)
{
    gf_prov_call_t call = {
        .provider = &provider, .model = model, .job = job, .pool = unit.ctx.pool
    };

    return call;
}

/* ---- what is sent ---- */

typedef struct request_t {
    const char *model, *parameters, *endpoint, *parts;
} request_t;

static void check_requests(const request_t *rows, size_t count, const char *source)
{
    size_t i;

    for (i = 0; i < count; i++) {
        gf_job_t job = job_with(rows[i].parameters);
        gf_prov_call_t call = call_of(&job, rows[i].model);
        gf_msg_t *msg;

        call.source_file = source;
        call.source_type = source ? "image/webp" : NULL;
        msg = gf_prov_stability.submit(&call);
        ck_assert_str_eq(msg->method, "POST");
        ck_assert_str_eq(msg->url,
                         apr_pstrcat(unit.ctx.pool, "https://api.example.test/v2beta/stable-image/",
                                     rows[i].endpoint, NULL));
        ck_assert_str_eq(parts_of(msg), rows[i].parts);
        ck_assert_ptr_null(msg->body);
        ck_assert_str_eq(apr_table_get(msg->headers, "Authorization"), "Bearer sk-secret");
        ck_assert_str_eq(apr_table_get(msg->headers, "Accept"), "image/*");
        ck_assert_int_eq(apr_table_elts(msg->headers)->nelts, 2);
    }
}

/* All that any endpoint knows, and what none does. */
#define ALL                                                                               \
    "{\"aspect_ratio\":\"16:9\",\"negative_prompt\":\"blur\",\"output_format\":\"jpeg\"," \
    "\"cfg_scale\":7.5,\"style_preset\":\"anime\",\"strength\":0.300,\"seed\":5,\"x\":1," \
    "\"control_strength\":0.9,\"fidelity\":0.2,\"mode\":\"x\",\"image\":\"x\"}"
#define WEBP "{\"output_format\":\"webp\"}"

START_TEST(each_model_gets_its_endpoint_and_its_parts)
{
    static const request_t rows[] = {
        { "sd3", "{}", "generate/sd3",
          "prompt=a neon cat seed=77 output_format=png mode=text-to-image" },
        { "sd3", ALL, "generate/sd3",
          "prompt=a neon cat seed=77 output_format=jpeg negative_prompt=blur mode=text-to-image "
          "aspect_ratio=16:9 cfg_scale=7.5" },
        { "sd3", WEBP, "generate/sd3",
          "prompt=a neon cat seed=77 output_format=png mode=text-to-image" },
        { "sd3.5-large", "{\"cfg_scale\":4}", "generate/sd3",
          "prompt=a neon cat seed=77 output_format=png mode=text-to-image model=sd3.5-large "
          "cfg_scale=4" },
        { "generate/sd3.5-large-turbo", "{\"negative_prompt\":\"blur\"}", "generate/sd3",
          "prompt=a neon cat seed=77 output_format=png negative_prompt=blur mode=text-to-image "
          "model=sd3.5-large-turbo" },
        { "sd3-large-turbo", "{\"negative_prompt\":\"blur\"}", "generate/sd3",
          "prompt=a neon cat seed=77 output_format=png mode=text-to-image model=sd3-large-turbo" },
        { "core", "{}", "generate/core", "prompt=a neon cat seed=77 output_format=png" },
        { "core", WEBP, "generate/core", "prompt=a neon cat seed=77 output_format=webp" },
        { "core", ALL, "generate/core",
          "prompt=a neon cat seed=77 output_format=jpeg negative_prompt=blur aspect_ratio=16:9 "
          "style_preset=anime" },
        { "", "{}", "generate/core", "prompt=a neon cat seed=77 output_format=png" },
        { "ultra", ALL, "generate/ultra",
          "prompt=a neon cat seed=77 output_format=jpeg negative_prompt=blur aspect_ratio=16:9" },
        { "ultra", "{\"aspect_ratio\":null}", "generate/ultra",
          "prompt=a neon cat seed=77 output_format=png" },
    };

    check_requests(rows, UNIT_COUNT(rows), NULL);
}
END_TEST

START_TEST(a_source_picture_is_sent_as_its_endpoint_requires)
{
    static const request_t rows[] = {
        { "sd3", "{}", "generate/sd3",
          "prompt=a neon cat seed=77 output_format=png mode=image-to-image strength=0.6 "
          "image=/a/b:image/webp" },
        { "sd3.5-medium", ALL, "generate/sd3",
          "prompt=a neon cat seed=77 output_format=jpeg negative_prompt=blur mode=image-to-image "
          "model=sd3.5-medium cfg_scale=7.5 strength=0.300 image=/a/b:image/webp" },
        { "ultra", "{}", "generate/ultra",
          "prompt=a neon cat seed=77 output_format=png strength=0.6 image=/a/b:image/webp" },
        { "ultra", ALL, "generate/ultra",
          "prompt=a neon cat seed=77 output_format=jpeg negative_prompt=blur aspect_ratio=16:9 "
          "strength=0.300 image=/a/b:image/webp" },
        { "structure", "{}", "control/structure",
          "prompt=a neon cat seed=77 output_format=png image=/a/b:image/webp" },
        { "control/structure", ALL, "control/structure",
          "prompt=a neon cat seed=77 output_format=jpeg negative_prompt=blur control_strength=0.9 "
          "image=/a/b:image/webp" },
        { "style", WEBP, "control/style",
          "prompt=a neon cat seed=77 output_format=webp image=/a/b:image/webp" },
        { "control/style", ALL, "control/style",
          "prompt=a neon cat seed=77 output_format=jpeg negative_prompt=blur aspect_ratio=16:9 "
          "fidelity=0.2 image=/a/b:image/webp" },
    };

    check_requests(rows, UNIT_COUNT(rows), "/a/b");
}
END_TEST

START_TEST(each_model_says_what_it_does_with_a_source_picture)
{
    static const struct {
        const char *model;
        gf_source_use_t use;
    } rows[] = {
        { "sd3", GF_SOURCE_MAY },          { "sd3.5-large", GF_SOURCE_MAY },
        { "generate/sd3", GF_SOURCE_MAY }, { "ultra", GF_SOURCE_MAY },
        { "structure", GF_SOURCE_MUST },   { "control/structure", GF_SOURCE_MUST },
        { "style", GF_SOURCE_MUST },       { "control/style", GF_SOURCE_MUST },
        { "core", GF_SOURCE_NONE },        { "", GF_SOURCE_NONE },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(gf_prov_stability.source(rows[i].model) == rows[i].use, "`%s`",
                      rows[i].model);
    }
    ck_assert(gf_prov_stability.source_as_file);
}
END_TEST

START_TEST(headers_of_the_section_go_along_but_never_in_place_of_ours)
{
    gf_provider_t own = provider;
    gf_job_t job = job_with("{}");
    gf_prov_call_t call = call_of(&job, "sd3");
    gf_msg_t *msgs[2];
    int i;

    own.headers = apr_table_make(unit.ctx.pool, 4);
    apr_table_setn(own.headers, "stability-client-id", "my-site");
    apr_table_setn(own.headers, "accept", "text/html");
    apr_table_setn(own.headers, "authorization", "Bearer other");
    call.provider = &own;
    job.provider_ref = "a1b2";
    msgs[0] = gf_prov_stability.submit(&call);
    msgs[1] = gf_prov_stability.poll(&call);
    for (i = 0; i < 2; i++) {
        ck_assert_str_eq(apr_table_get(msgs[i]->headers, "stability-client-id"), "my-site");
        ck_assert_str_eq(apr_table_getm(unit.ctx.pool, msgs[i]->headers, "Accept"),
                         i == 0 ? "image/*" : "*/*");
        ck_assert_str_eq(apr_table_getm(unit.ctx.pool, msgs[i]->headers, "Authorization"),
                         "Bearer sk-secret");
    }
    ck_assert_str_eq(apr_table_get(own.headers, "accept"), "text/html");
}
END_TEST

START_TEST(a_running_job_is_polled_by_its_id)
{
    gf_job_t job = job_with("{}");
    gf_prov_call_t call = call_of(&job, "sd3");
    gf_msg_t *msg;

    job.provider_ref = "a1b2";
    msg = gf_prov_stability.poll(&call);
    ck_assert_str_eq(msg->method, "GET");
    ck_assert_str_eq(msg->url, "https://api.example.test/v2beta/results/a1b2");
    ck_assert_ptr_null(msg->parts);
    ck_assert_str_eq(apr_table_get(msg->headers, "Authorization"), "Bearer sk-secret");
    ck_assert_str_eq(apr_table_get(msg->headers, "Accept"), "*/*");
}
END_TEST

/* ---- what an answer means ---- */

#define PICTURE    1000 /* bytes in the spool file */
#define NO_PICTURE -1   /* an answer in memory */
#define MODERATION "{\"id\":\"1f\",\"name\":\"content_moderation\",\"errors\":[\"flagged\"]}"
#define ERROR      "{\"id\":\"1f\",\"name\":\"bad_request\",\"errors\":[\"no\",\"never\"]}"
#define NO_CREDIT  "{\"id\":\"1f\",\"name\":\"payment_required\",\"errors\":[\"no credit\"]}"
#define GATEWAY    "<html>502 Bad Gateway</html>"

typedef struct answer_t {
    int status;
    apr_int64_t spooled;
    const char *text;
    const char *finish, *retry_after;
    gf_prov_state_t state;
    gf_err_code_t code;
    int wait; /* seconds */
    bool alarm, locked_out;
} answer_t;

static gf_msg_t *answered(const answer_t *row)
{
    gf_msg_t *msg = gf_msg_make(unit.ctx.pool, "POST", "https://api.example.test/");

    msg->end = GF_MSG_ANSWERED;
    msg->status = row->status;
    msg->spooled = row->spooled;
    msg->text = row->text ? row->text : "";
    msg->text_length = strlen(msg->text);
    if (row->finish) {
        apr_table_set(msg->answer, "Finish-Reason", row->finish);
    }
    if (row->retry_after) {
        apr_table_set(msg->answer, "retry-after", row->retry_after);
    }
    return msg;
}

/* An outcome in which nothing is right before it is set. */
static gf_outcome_t garbage(void)
{
    gf_outcome_t outcome;

    memset(&outcome, 0x5a, sizeof(outcome));
    return outcome;
}

typedef gf_msg_reader_t *reader_t;

static gf_outcome_t reads(reader_t read, const gf_msg_t *msg)
{
    gf_job_t job = job_with("{}");
    gf_prov_call_t call = call_of(&job, "sd3");
    gf_outcome_t outcome = garbage();

    read(&outcome, &call, msg); /* it sets all by itself, ... */
    ck_assert(outcome.state != garbage().state);
    gf_provider_read(&outcome, &call, msg, read); /* ... and this is what work/ gets */
    return outcome;
}

static bool fails(gf_prov_state_t state)
{
    return state != GF_PROV_SUCCEEDED && state != GF_PROV_WORKING;
}

static void check_answers(reader_t read, const answer_t *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const answer_t *row = &rows[i];
        const char *what = apr_psprintf(unit.ctx.pool, "row %lu: HTTP %d %s", (unsigned long)i,
                                        row->status, row->text ? row->text : "picture");
        gf_outcome_t outcome = reads(read, answered(row));

        ck_assert_msg(outcome.state == row->state, "%s: state %d", what, (int)outcome.state);
        ck_assert_msg(!fails(row->state) || outcome.code == row->code, "%s: %s", what,
                      gf_err_row(outcome.code)->code);
        ck_assert_msg(outcome.retry_after == apr_time_from_sec(row->wait),
                      "%s: wait of %" APR_INT64_T_FMT " us", what, outcome.retry_after);
        ck_assert_msg(outcome.alarm == row->alarm, "%s: alarm %d", what, (int)outcome.alarm);
        ck_assert_msg(outcome.locked_out == row->locked_out, "%s: locked out %d", what,
                      (int)outcome.locked_out);
        ck_assert_msg(!outcome.detail || !strstr(outcome.detail, "sk-secret"), "%s", what);
    }
}

/* The same whether a job is submitted or polled. */
static const answer_t pictures_and_refusals[] = {
    { 200, PICTURE, NULL, "SUCCESS", NULL, GF_PROV_SUCCEEDED, 0, 0, false, false },
    { 200, PICTURE, NULL, NULL, NULL, GF_PROV_SUCCEEDED, 0, 0, false, false },
    { 201, PICTURE, NULL, "SUCCESS", NULL, GF_PROV_SUCCEEDED, 0, 0, false, false },
    { 200, PICTURE, NULL, "CONTENT_FILTERED", NULL, GF_PROV_FILTERED, GF_E_FILTERED, 0, false,
      false },
    { 200, PICTURE, NULL, "content_filtered", NULL, GF_PROV_FILTERED, GF_E_FILTERED, 0, false,
      false },
    { 200, 0, NULL, "SUCCESS", NULL, GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false },
    { 200, NO_PICTURE, "", "SUCCESS", NULL, GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false },
    { 403, NO_PICTURE, MODERATION, NULL, NULL, GF_PROV_FILTERED, GF_E_FILTERED, 0, false, false },
    { 403, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, true, false },
    { 400, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, false, false },
    { 400, NO_PICTURE, MODERATION, NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, false, false },
    { 404, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, false, false },
    { 413, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, false, false },
    { 422, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, false, false },
    { 401, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, true, false },
    { 402, NO_PICTURE, NO_CREDIT, NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, true, false },
};

/* Answers in no form of Stability's: to a question they are what their status says, ... */
static const answer_t strangers[] = {
    { 200, NO_PICTURE, "", NULL, NULL, GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false },
    { 200, NO_PICTURE, GATEWAY, NULL, NULL, GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false },
    { 200, NO_PICTURE, "{}", NULL, NULL, GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false },
    { 204, NO_PICTURE, "", NULL, NULL, GF_PROV_EMPTY, GF_E_EMPTY, 0, false, false },
    { 403, NO_PICTURE, GATEWAY, NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, true, false },
    { 413, NO_PICTURE, "", NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, false, false },
    { 401, NO_PICTURE, "{\"message\":\"no key\"}", NULL, NULL, GF_PROV_PERMANENT, GF_E_API, 0, true,
      false },
    { 402, NO_PICTURE, "{\"name\":\"payment_required\"}", NULL, NULL, GF_PROV_PERMANENT, GF_E_API,
      0, true, false },
};

/* ... but a submission may have been taken behind them. */
static void check_strangers(void)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(strangers); i++) {
        answer_t row = strangers[i];

        row.state = GF_PROV_UNKNOWN;
        row.code = GF_E_NETWORK;
        check_answers(gf_prov_stability.read_submit, &row, 1);
    }
}

START_TEST(each_answer_to_a_submission_has_its_meaning)
{
    static const answer_t rows[] = {
        { 429, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 0, false, true },
        { 429, NO_PICTURE, ERROR, NULL, "soon", GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 0, false,
          true },
        { 429, NO_PICTURE, ERROR, NULL, "-5", GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 0, false, true },
        { 429, NO_PICTURE, ERROR, NULL, "120", GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 120, false,
          false },
        { 429, NO_PICTURE, ERROR, NULL, "86400", GF_PROV_TRANSIENT, GF_E_RATE_LIMIT, 300, false,
          false },
        { 500, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_TRANSIENT, GF_E_API, 0, false, false },
        { 502, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_TRANSIENT, GF_E_API, 0, false, false },
        { 503, NO_PICTURE, ERROR, NULL, "7", GF_PROV_TRANSIENT, GF_E_API, 7, false, false },
        { 502, NO_PICTURE, GATEWAY, NULL, NULL, GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false },
        { 503, NO_PICTURE, "", NULL, "7", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false },
        { 504, NO_PICTURE, "", NULL, NULL, GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false },
        { 429, NO_PICTURE, "", NULL, "7", GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false, false },
        { 200, NO_PICTURE, "{\"id\":\"a1b2\"}", NULL, NULL, GF_PROV_WORKING, 0, 0, false, false },
        { 202, NO_PICTURE, "{\"id\":\"a1b2\"}", NULL, NULL, GF_PROV_WORKING, 0, 0, false, false },
        { 202, NO_PICTURE, "{\"id\":7}", NULL, NULL, GF_PROV_UNKNOWN, GF_E_NETWORK, 0, false,
          false },
    };

    check_answers(gf_prov_stability.read_submit, pictures_and_refusals,
                  UNIT_COUNT(pictures_and_refusals));
    check_answers(gf_prov_stability.read_submit, rows, UNIT_COUNT(rows));
    check_strangers();
}
END_TEST

START_TEST(each_answer_to_a_question_has_its_meaning)
{
    static const answer_t rows[] = {
        { 202, NO_PICTURE, "{\"id\":\"a\",\"status\":\"in-progress\"}", NULL, NULL, GF_PROV_WORKING,
          0, 0, false, false },
        { 202, NO_PICTURE, "", NULL, "10", GF_PROV_WORKING, 0, 10, false, false },
        { 429, NO_PICTURE, ERROR, NULL, "30", GF_PROV_WORKING, 0, 30, false, false },
        { 429, NO_PICTURE, ERROR, NULL, "86400", GF_PROV_WORKING, 0, 300, false, false },
        { 429, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_WORKING, 0, 0, false, true },
        { 429, NO_PICTURE, GATEWAY, NULL, "soon", GF_PROV_WORKING, 0, 0, false, true },
        { 500, NO_PICTURE, ERROR, NULL, NULL, GF_PROV_WORKING, 0, 0, false, false },
        { 503, NO_PICTURE, GATEWAY, NULL, "5", GF_PROV_WORKING, 0, 5, false, false },
    };

    check_answers(gf_prov_stability.read_poll, pictures_and_refusals,
                  UNIT_COUNT(pictures_and_refusals));
    check_answers(gf_prov_stability.read_poll, strangers, UNIT_COUNT(strangers));
    check_answers(gf_prov_stability.read_poll, rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(an_id_is_taken_only_if_it_can_stand_in_an_address)
{
    static const struct {
        const char *id;
        bool taken;
    } rows[] = {
        { "a1b2", true },
        { "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", true },
        { "x.y_z:1", true },
        { "../../v1/user/balance", false },
        { "a/b", false },
        { "a?b=c", false },
        { "a#b", false },
        { "a%2fb", false },
        { "a b", false },
        { "", false },
        { "a\\nb", false },
        { "a\\u007fb", false },
        { "..", false },
        { "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
          "1234567890123456789012345678901234567890123456789",
          false },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        answer_t answer = { .status = 200, .spooled = NO_PICTURE };
        gf_outcome_t outcome;

        answer.text = apr_psprintf(unit.ctx.pool, "{\"id\":\"%s\"}", rows[i].id);
        outcome = reads(gf_prov_stability.read_submit, answered(&answer));
        ck_assert_msg((outcome.state == GF_PROV_WORKING) == rows[i].taken, "`%s`", rows[i].id);
        ck_assert_pstr_eq(outcome.ref, rows[i].taken ? rows[i].id : NULL);
        ck_assert_msg(rows[i].taken || outcome.state == GF_PROV_UNKNOWN, "`%s`", rows[i].id);
    }
}
END_TEST

START_TEST(the_log_has_the_providers_words_within_bounds)
{
    answer_t answer = { .status = 400, .spooled = NO_PICTURE };
    gf_outcome_t outcome;
    char *much = apr_pcalloc(unit.ctx.pool, 5000);

    answer.text = ERROR;
    outcome = reads(gf_prov_stability.read_submit, answered(&answer));
    ck_assert_str_eq(outcome.detail, "HTTP 400 bad_request: no");
    answer.text = "{\"message\":\"no key\"}";
    outcome = reads(gf_prov_stability.read_poll, answered(&answer));
    ck_assert_str_eq(outcome.detail, "HTTP 400: no key");
    outcome = reads(gf_prov_stability.read_submit, answered(&answer));
    ck_assert_str_eq(outcome.detail, "HTTP 400: no key (perhaps a gateway's answer)");
    memset(much, 'x', 4999);
    answer.text = apr_psprintf(
        unit.ctx.pool, "{\"id\":\"1f\",\"name\":\"bad_request\",\"errors\":[\"%s\"]}", much);
    outcome = reads(gf_prov_stability.read_submit, answered(&answer));
    ck_assert_uint_le(strlen(outcome.detail), 250);
}
END_TEST

/* ---- no answer ---- */

static gf_outcome_t lost(reader_t read, gf_msg_end_t end, bool timed_out)
{
    gf_msg_t *msg = gf_msg_make(unit.ctx.pool, "POST", "https://api.example.test/");
    gf_outcome_t outcome;

    msg->end = end;
    msg->timed_out = timed_out;
    msg->detail = "why";
    msg->spooled = 10; /* the beginning of a picture is no picture */
    msg->status = 200;
    outcome = reads(read, msg);
    ck_assert_str_eq(outcome.detail, "why");
    ck_assert(!outcome.alarm);
    return outcome;
}

START_TEST(a_submission_without_answer_is_sent_again_only_if_no_byte_left)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(lost_submissions); i++) {
        CHECK_LOST(i, lost(gf_prov_stability.read_submit, lost_submissions[i].end,
                           lost_submissions[i].timed_out));
    }
}
END_TEST

START_TEST(a_picture_that_cannot_be_written_here_is_ours_to_mend)
{
    gf_msg_t *msg = gf_msg_make(unit.ctx.pool, "POST", "https://api.example.test/");
    gf_outcome_t outcome;

    msg->end = GF_MSG_UNKNOWN;
    msg->spool_rv = APR_ENOSPC;
    outcome = reads(gf_prov_stability.read_submit, msg);
    ck_assert_msg(outcome.state == GF_PROV_EMPTY,
                  "it may have been paid for: neither again nor elsewhere");
    ck_assert_int_eq(outcome.code, GF_E_STORE);
}
END_TEST

START_TEST(a_question_without_answer_says_nothing_about_the_job)
{
    static const gf_msg_end_t rows[] = { GF_MSG_NOT_SENT, GF_MSG_UNKNOWN, GF_MSG_CANCELLED };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_int_eq(lost(gf_prov_stability.read_poll, rows[i], false).state, GF_PROV_WORKING);
        ck_assert_int_eq(lost(gf_prov_stability.read_poll, rows[i], true).state, GF_PROV_WORKING);
    }
}
END_TEST

START_TEST(a_picture_too_large_is_not_fetched_again)
{
    gf_outcome_t outcome = lost(gf_prov_stability.read_poll, GF_MSG_TOO_LARGE, false);

    ck_assert_int_eq(outcome.state, GF_PROV_EMPTY);
    ck_assert_int_eq(outcome.code, GF_E_RESULT);
}
END_TEST

/* ---- what providers share ---- */

START_TEST(a_parameter_is_text_whatever_scalar_it_is)
{
    static const struct {
        const char *name, *parameters, *value;
    } rows[] = {
        { "aspect_ratio", "{\"aspect_ratio\":\"16:9\"}", "16:9" },
        { "num_inference_steps", "{\"num_inference_steps\":7}", "7" },
        { "guidance_scale", "{\"guidance_scale\":7.5}", "7.5" },
        { "negative_prompt", "{\"negative_prompt\":\"\"}", "" },
        { "negative_prompt", "{\"negative_prompt\":null}", NULL },
        { "negative_prompt", "{\"b\":1}", NULL },
        { "negative_prompt", "{}", NULL },
        { "negative_prompt", "no JSON", NULL },
        { "unknown", "{\"unknown\":1}", NULL }, /* nothing that could cost money */
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_job_t job = job_with(rows[i].parameters);

        ck_assert_pstr_eq(gf_provider_parameter(&job, rows[i].name, unit.ctx.pool), rows[i].value);
    }
}
END_TEST

START_TEST(a_kind_is_found_by_its_name_and_its_section_checked)
{
    gf_provider_t half = { .name = "half" };

    ck_assert_ptr_eq(gf_provider_kind("stability"), &gf_prov_stability);
    ck_assert_ptr_null(gf_provider_kind("Stability"));
    ck_assert_ptr_null(gf_provider_kind(""));
    ck_assert_msg(!gf_prov_stability.draw, "a second run would cost a second time");

    ck_assert(strstr(gf_prov_stability.check(&half, unit.ctx.pool), "GenflowProviderUrl"));
    half.url = provider.url;
    ck_assert(strstr(gf_prov_stability.check(&half, unit.ctx.pool), "GenflowProviderKey"));
    half.key = provider.key;
    ck_assert_ptr_null(gf_prov_stability.check(&half, unit.ctx.pool));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_model_gets_its_endpoint_and_its_parts,
        a_source_picture_is_sent_as_its_endpoint_requires,
        each_model_says_what_it_does_with_a_source_picture,
        headers_of_the_section_go_along_but_never_in_place_of_ours,
        a_running_job_is_polled_by_its_id,
        each_answer_to_a_submission_has_its_meaning,
        each_answer_to_a_question_has_its_meaning,
        an_id_is_taken_only_if_it_can_stand_in_an_address,
        the_log_has_the_providers_words_within_bounds,
        a_submission_without_answer_is_sent_again_only_if_no_byte_left,
        a_picture_that_cannot_be_written_here_is_ours_to_mend,
        a_question_without_answer_says_nothing_about_the_job,
        a_picture_too_large_is_not_fetched_again,
        a_parameter_is_text_whatever_scalar_it_is,
        a_kind_is_found_by_its_name_and_its_section_checked,
        NULL,
    };

    return unit_run("stability", tests);
}

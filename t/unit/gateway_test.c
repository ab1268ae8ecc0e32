/* SPDX-License-Identifier: Apache-2.0 */
/* Who wrote the answer to a submission: each mark of each kind's table is met by an answer of the
 * provider's own and by nothing near it, and no answer of a gateway (t/gateways.list) has a mark of
 * any kind, so that none of them is a reason to submit a second time. */
#include "provider/own.h"
#include "provider.h"

#define LIST     "t/gateways.list"
#define LIST_MAX (256 * 1024)

#define URL "https://api.example.test/v1/generate"

static const gf_prov_kind_t *const kinds[] = { &gf_prov_stability, &gf_prov_openai, &gf_prov_aiml,
                                               &gf_prov_replicate, &gf_prov_fal };

/* ---- each row of each table ---- */

/* An answer that has the mark of that row of that kind, and what it means then. */
static const struct {
    const gf_prov_kind_t *kind;
    int row;
    int status;
    const char *header, *text;
    gf_prov_state_t state;
} owns[] = {
    { &gf_prov_stability, 0, 500, NULL,
      "{\"id\":\"1f\",\"name\":\"internal_error\",\"errors\":[\"An unexpected error.\"]}",
      GF_PROV_TRANSIENT },
    { &gf_prov_stability, 1, 200, "Finish-Reason: SUCCESS", "", GF_PROV_EMPTY },
    { &gf_prov_openai, 0, 503, NULL,
      "{\"error\":{\"message\":\"The engine is overloaded.\",\"type\":\"server_error\","
      "\"param\":null,\"code\":null}}",
      GF_PROV_TRANSIENT },
    { &gf_prov_openai, 1, 200, NULL, "{\"created\":1,\"data\":[]}", GF_PROV_EMPTY },
    { &gf_prov_openai, 2, 200, NULL, "{\"images\":[]}", GF_PROV_EMPTY },
    { &gf_prov_openai, 3, 200, NULL, "{\"image\":null}", GF_PROV_EMPTY },
    { &gf_prov_aiml, 0, 504, NULL,
      "{\"message\":\"Generation timeout\",\"path\":\"/v1/images/generations\",\"requestId\":\"r\","
      "\"statusCode\":504,\"timestamp\":\"t\"}",
      GF_PROV_TRANSIENT },
    { &gf_prov_aiml, 1, 500, NULL,
      "{\"error\":{\"message\":\"no\",\"type\":\"server_error\",\"code\":null}}",
      GF_PROV_TRANSIENT },
    { &gf_prov_aiml, 2, 200, NULL, "{\"data\":null,\"meta\":{}}", GF_PROV_EMPTY },
    { &gf_prov_aiml, 3, 201, NULL, "{\"images\":[],\"seed\":1}", GF_PROV_EMPTY },
    { &gf_prov_aiml, 4, 200, NULL, "{\"image\":null}", GF_PROV_EMPTY },
    { &gf_prov_replicate, 0, 429, NULL,
      "{\"detail\":\"Request was throttled. Your rate limit resets in ~30s.\"}",
      GF_PROV_TRANSIENT },
    { &gf_prov_replicate, 1, 503, NULL, "{\"detail\":\"Internal server error\",\"status\":503}",
      GF_PROV_TRANSIENT },
    { &gf_prov_fal, 0, 504, "X-Fal-Error-Type: startup_timeout", "", GF_PROV_TRANSIENT },
    { &gf_prov_fal, 1, 500, NULL,
      "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"no\",\"type\":\"internal_server_error\"}]}",
      GF_PROV_TRANSIENT },
    { &gf_prov_fal, 2, 503, NULL, "{\"detail\":\"no\",\"error_type\":\"runner_disconnected\"}",
      GF_PROV_TRANSIENT },
    { &gf_prov_fal, 3, 429, NULL, "{\"detail\":\"too many\"}", GF_PROV_TRANSIENT },
};

static bool has_row(const gf_prov_mark_t *mark, int status, const char *header, const char *text)
{
    const gf_prov_mark_t one[] = { *mark, { 0 } };

    return prov_own_is_marked(one, answered(URL, status, header, text));
}

static gf_outcome_t submitted(const gf_prov_kind_t *kind, const gf_msg_t *msg)
{
    scene_t *of = scene(kind, "https://api.example.test", "model");
    gf_outcome_t outcome = garbage();

    gf_provider_read(&outcome, &of->call, msg, kind->read_submit);
    return outcome;
}

START_TEST(each_row_of_a_table_knows_an_answer_of_the_providers_own)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(owns); i++) {
        const gf_prov_mark_t *marks = owns[i].kind->own;
        int row;

        for (row = 0; marks[row].from; row++) {
            ck_assert_msg(has_row(&marks[row], owns[i].status, owns[i].header, owns[i].text)
                              == (row == owns[i].row),
                          "%s, row %d: %s", owns[i].kind->name, row, owns[i].text);
        }
        ck_assert_msg(
            submitted(owns[i].kind, answered(URL, owns[i].status, owns[i].header, owns[i].text))
                    .state
                == owns[i].state,
            "%s: %s", owns[i].kind->name, owns[i].text);
    }
}
END_TEST

START_TEST(no_row_of_a_table_is_without_its_answer_here)
{
    size_t i, k;

    for (k = 0; k < UNIT_COUNT(kinds); k++) {
        int row;

        ck_assert_msg(kinds[k]->own && kinds[k]->own[0].from, "%s has a table", kinds[k]->name);
        for (row = 0; kinds[k]->own[row].from; row++) {
            for (i = 0; i < UNIT_COUNT(owns); i++) {
                if (owns[i].kind == kinds[k] && owns[i].row == row) {
                    break;
                }
            }
            ck_assert_msg(i < UNIT_COUNT(owns), "%s, row %d", kinds[k]->name, row);
        }
    }
}
END_TEST

/* The document without that member; NULL: with one that no provider knows. */
static const char *changed(const char *text, const char *without)
{
    gf_json_t *document = unit_json(text);
    apr_array_header_t *names = gf_json_names(document, unit.ctx.pool);
    gf_out_t out;
    int i;

    gf_out_init(&out, unit.ctx.pool, 256);
    gf_out_open(&out, '{');
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (!without || strcmp(name, without) != 0) {
            gf_json_t *value = gf_json_get(document, name);

            gf_out_put_raw(&out, name, value ? gf_json_text(value) : "null");
        }
    }
    if (!without) {
        gf_out_put_raw(&out, "cloudflare_error", "true");
    }
    gf_out_close(&out, '}');
    return out.text;
}

START_TEST(what_is_near_a_mark_has_it_not)
{
    size_t i, length;

    for (i = 0; i < UNIT_COUNT(owns); i++) {
        const gf_prov_mark_t *mark = &owns[i].kind->own[owns[i].row];
        const char *text = owns[i].text;
        char *last = NULL;
        char *path;

        ck_assert(has_row(mark, mark->from, owns[i].header, text));
        ck_assert(has_row(mark, mark->to, owns[i].header, text));
        ck_assert(!has_row(mark, mark->from - 1, owns[i].header, text));
        ck_assert(!has_row(mark, mark->to + 1, owns[i].header, text));
        ck_assert(!mark->header || !has_row(mark, owns[i].status, NULL, text));
        if (!mark->has) {
            continue;
        }
        for (length = 0; length < strlen(text); length++) {
            ck_assert_msg(!has_row(mark, owns[i].status, owns[i].header,
                                   apr_pstrmemdup(unit.ctx.pool, text, length)),
                          "%s, cut at %lu: %s", owns[i].kind->name, (unsigned long)length, text);
        }
        for (path = apr_strtok(apr_pstrdup(unit.ctx.pool, mark->has), " ", &last); path;
             path = apr_strtok(NULL, " ", &last)) {
            const char *name = apr_pstrmemdup(unit.ctx.pool, path, strcspn(path, "/?"));

            ck_assert_msg(!has_row(mark, owns[i].status, owns[i].header, changed(text, name)),
                          "%s, without %s: %s", owns[i].kind->name, name, text);
        }
        ck_assert_msg(has_row(mark, owns[i].status, owns[i].header, changed(text, NULL))
                          == !mark->only,
                      "%s, with another member: %s", owns[i].kind->name, text);
    }
}
END_TEST

/* Answers in forms that are like a kind's, of frameworks and servers that anybody may run. */
static const struct {
    const gf_prov_kind_t *kind;
    int status;
    const char *header, *text;
} alike[] = {
    { &gf_prov_stability, 500, NULL, "{\"id\":\"1f\",\"message\":\"no\"}" },
    { &gf_prov_stability, 500, NULL, "{\"id\":\"1f\",\"name\":\"Error\"}" },
    { &gf_prov_stability, 500, NULL, "{\"id\":\"1f\",\"errors\":[\"no\"]}" },
    { &gf_prov_stability, 500, NULL, "{\"name\":\"Error\",\"errors\":[\"no\"]}" },
    { &gf_prov_stability, 429, "Retry-After: 3", "{\"message\":\"no\"}" },
    { &gf_prov_stability, 200, "X-Request-Id: 1f", "" },
    { &gf_prov_stability, 502, "Finish-Reason: SUCCESS", "" },
    { &gf_prov_openai, 500, NULL, "{\"error\":\"no\"}" },
    { &gf_prov_openai, 500, NULL, "{\"error\":{\"message\":\"no\",\"code\":500}}" },
    { &gf_prov_openai, 500, NULL, "{\"error\":{\"type\":\"server_error\"}}" },
    { &gf_prov_openai, 500, NULL, "{\"message\":\"no\",\"type\":\"server_error\"}" },
    { &gf_prov_openai, 502, NULL, "{\"data\":[],\"images\":[],\"image\":null}" },
    { &gf_prov_aiml, 500, NULL, "{\"statusCode\":500,\"message\":\"Internal server error\"}" },
    { &gf_prov_aiml, 500, NULL,
      "{\"statusCode\":500,\"message\":\"no\",\"path\":\"/v1\",\"timestamp\":\"t\"}" },
    { &gf_prov_aiml, 500, NULL, "{\"statusCode\":500,\"message\":\"no\",\"requestId\":\"r\"}" },
    { &gf_prov_aiml, 500, NULL, "{\"message\":\"no\",\"path\":\"/v1\",\"requestId\":\"r\"}" },
    { &gf_prov_aiml, 500, NULL, "{\"statusCode\":500,\"path\":\"/v1\",\"requestId\":\"r\"}" },
    { &gf_prov_replicate, 500, NULL, "{\"detail\":\"no\"}" },
    { &gf_prov_replicate, 500, NULL, "{\"status\":500,\"title\":\"no\"}" },
    { &gf_prov_replicate, 429, NULL, "{\"status\":429,\"title\":\"Too Many Requests\"}" },
    { &gf_prov_replicate, 429, NULL,
      "{\"type\":\"about:blank\",\"title\":\"no\",\"status\":429,\"detail\":\"no\"}" },
    { &gf_prov_replicate, 502, NULL, "{\"detail\":\"no\",\"status\":502,\"instance\":\"/v1\"}" },
    { &gf_prov_fal, 503, NULL, "{\"detail\":\"no\"}" },
    { &gf_prov_fal, 503, NULL, "{\"error_type\":\"internal_error\"}" },
    { &gf_prov_fal, 503, NULL, "{\"detail\":[{\"msg\":\"no\"}]}" },
    { &gf_prov_fal, 503, NULL, "{\"detail\":[{\"type\":\"no\"}]}" },
    { &gf_prov_fal, 503, "X-Fal-Request-Id: r-1", "" },
    { &gf_prov_fal, 429, NULL, "{\"detail\":\"no\",\"status\":429}" },
    { &gf_prov_fal, 429, NULL, "{\"detail\":\"no\",\"det\":429}" },
};

START_TEST(an_answer_in_a_form_like_the_providers_is_unknown)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(alike); i++) {
        gf_msg_t *msg = answered(URL, alike[i].status, alike[i].header, alike[i].text);

        ck_assert_msg(submitted(alike[i].kind, msg).state == GF_PROV_UNKNOWN, "%s: HTTP %d %s",
                      alike[i].kind->name, alike[i].status, alike[i].text);
    }
}
END_TEST

START_TEST(a_null_is_no_member_unless_it_may_be)
{
    static const gf_prov_mark_t mark = { 400, 599, NULL, "a/0/b c?", NULL };
    static const struct {
        const char *text;
        bool marked;
    } rows[] = {
        { "{\"a\":[{\"b\":1}],\"c\":null}", true },
        { "{\"a\":[{\"b\":\"\"}],\"c\":0}", true },
        { "{\"a\":[{\"b\":null}],\"c\":1}", false },
        { "{\"a\":[null,{\"b\":1}],\"c\":1}", false },
        { "{\"a\":{\"0\":{\"b\":1}},\"c\":1}", true },
        { "{\"a\":[{\"b\":1}],\"cc\":1}", false },
        { "{\"a\":\"b\",\"c\":1}", false },
        { "[{\"a\":1}]", false },
        { "null", false },
        { "", false },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(has_row(&mark, 500, NULL, rows[i].text) == rows[i].marked, "%s",
                      rows[i].text);
    }
    ck_assert_msg(!prov_own_is_marked(NULL, answered(URL, 500, NULL, "{}")), "no table, no mark");
}
END_TEST

/* ---- what gateways say ---- */

typedef struct gateway_t {
    const char *name;
    gf_msg_t *msg;
} gateway_t;

static char *read_list(void)
{
    char *text = apr_pcalloc(unit.ctx.pool, LIST_MAX + 1);
    FILE *file = fopen(LIST, "r");

    ck_assert_msg(file, "this test runs above t/");
    ck_assert_uint_lt(fread(text, 1, LIST_MAX, file), LIST_MAX);
    fclose(file);
    return text;
}

/* A block: its name, the status, header fields, an empty line, the body. */
static gateway_t gateway_of(char *block)
{
    char *head = apr_pstrmemdup(unit.ctx.pool, block, (apr_size_t)(strstr(block, "\n\n") - block));
    char *last = NULL;
    gateway_t gateway = { .name = apr_strtok(head, "\n", &last) };
    char *body = apr_pstrdup(unit.ctx.pool, strstr(block, "\n\n") + 2);
    char *field;

    body[strlen(body) - 1] = '\0';
    gateway.msg = answered(URL, atoi(apr_strtok(NULL, "\n", &last) + strlen("HTTP ")), NULL, body);
    while ((field = apr_strtok(NULL, "\n", &last))) {
        char *colon = strstr(field, ": ");

        *colon = '\0';
        apr_table_setn(gateway.msg->answer, field, colon + 2);
    }
    return gateway;
}

static apr_array_header_t *read_gateways(void)
{
    apr_array_header_t *gateways = apr_array_make(unit.ctx.pool, 128, sizeof(gateway_t));
    char *at = strstr(read_list(), "\n=== ");

    while (at) {
        char *next = strstr(at + 1, "\n=== ");

        if (next) {
            next[0] = '\n';
        }
        APR_ARRAY_PUSH(gateways, gateway_t) = gateway_of(
            apr_pstrmemdup(unit.ctx.pool, at + strlen("\n=== "),
                           (next ? (apr_size_t)(next + 1 - at) : strlen(at)) - strlen("\n=== ")));
        at = next;
    }
    return gateways;
}

/* What follows of a refused key stays: an operator is called. */
static bool is_about_the_key(const gf_msg_t *msg)
{
    return msg->status == 401 || msg->status == 403;
}

START_TEST(no_answer_of_a_gateway_is_a_reason_to_submit_again)
{
    apr_array_header_t *gateways = read_gateways();
    size_t k;
    int i;

    ck_assert_int_ge(gateways->nelts, 90);
    for (i = 0; i < gateways->nelts; i++) {
        const gateway_t *gateway = &APR_ARRAY_IDX(gateways, i, gateway_t);

        for (k = 0; k < UNIT_COUNT(kinds); k++) {
            const char *what =
                apr_pstrcat(unit.ctx.pool, gateway->name, " before ", kinds[k]->name, NULL);
            gf_outcome_t outcome = submitted(kinds[k], gateway->msg);

            ck_assert_msg(!prov_own_is_marked(kinds[k]->own, gateway->msg), "%s: own", what);
            ck_assert_msg(outcome.state == GF_PROV_UNKNOWN, "%s: state %d", what,
                          (int)outcome.state);
            ck_assert_msg(outcome.code == GF_E_NETWORK, "%s: %s", what,
                          gf_err_row(outcome.code)->code);
            ck_assert_msg(outcome.alarm == is_about_the_key(gateway->msg), "%s: alarm", what);
            ck_assert_msg(!outcome.settled && !outcome.unknown_model && !outcome.locked_out
                              && outcome.retry_after == 0 && !outcome.ref,
                          "%s: nothing but unknown", what);
            ck_assert_msg(gateway->msg->status / 100 == 2
                              || strstr(outcome.detail, apr_psprintf(unit.ctx.pool, "HTTP %d",
                                                                     gateway->msg->status)),
                          "%s: %s", what, outcome.detail);
        }
    }
}
END_TEST

/* ---- a kind of another module ---- */

static void read_careless(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    (void)call;
    (void)msg;
    outcome->state = GF_PROV_TRANSIENT;
    outcome->error = "RATE_LIMIT";
    outcome->retry_after = apr_time_from_sec(5);
    outcome->locked_out = true;
}

START_TEST(a_kind_without_marks_has_no_answer_of_its_own)
{
    static const gf_prov_kind_t careless = { .name = "careless", .read_submit = read_careless };
    gf_outcome_t outcome = submitted(&careless, answered(URL, 429, NULL, "{\"message\":\"no\"}"));
    gf_msg_t *lost = answered(URL, 0, NULL, "");

    ck_assert_int_eq(outcome.state, GF_PROV_UNKNOWN);
    ck_assert_int_eq(outcome.code, GF_E_NETWORK);
    ck_assert(outcome.retry_after == 0 && !outcome.locked_out);
    ck_assert_msg(strstr(outcome.detail, "perhaps a gateway's"), "%s", outcome.detail);
    lost->end = GF_MSG_NOT_SENT;
    ck_assert_msg(submitted(&careless, lost).state == GF_PROV_TRANSIENT,
                  "a request that never left is sent again");
}
END_TEST

START_TEST(picture_bytes_and_a_content_filter_need_no_mark)
{
    gf_msg_t *picture = answered(URL, 200, NULL, "");

    picture->spooled = 0;
    ck_assert_msg(submitted(&gf_prov_stability, picture).state == GF_PROV_EMPTY,
                  "a picture without bytes");
    picture->spooled = 9;
    ck_assert_int_eq(submitted(&gf_prov_stability, picture).state, GF_PROV_SUCCEEDED);
    picture->spooled = -1;
    picture->spool_rv = APR_ENOSPC;
    ck_assert_msg(submitted(&gf_prov_stability, picture).code == GF_E_STORE, "our disk is full");
    ck_assert_int_eq(
        submitted(&gf_prov_openai,
                  answered(URL, 400, NULL, "{\"error\":{\"code\":\"moderation_blocked\"}}"))
            .state,
        GF_PROV_FILTERED);
}
END_TEST

START_TEST(a_question_about_a_run_is_not_a_submission)
{
    scene_t *of = scene(&gf_prov_fal, "https://api.example.test", "fal-ai/fast-sdxl");
    gf_outcome_t outcome = garbage();

    of->job.provider_ref = "r1";
    gf_provider_read(&outcome, &of->call, answered(URL, 502, NULL, "<html>"),
                     gf_prov_fal.read_poll);
    ck_assert_int_eq(outcome.state, GF_PROV_WORKING);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_row_of_a_table_knows_an_answer_of_the_providers_own,
        no_row_of_a_table_is_without_its_answer_here,
        what_is_near_a_mark_has_it_not,
        an_answer_in_a_form_like_the_providers_is_unknown,
        a_null_is_no_member_unless_it_may_be,
        no_answer_of_a_gateway_is_a_reason_to_submit_again,
        a_kind_without_marks_has_no_answer_of_its_own,
        picture_bytes_and_a_content_filter_need_no_mark,
        a_question_about_a_run_is_not_a_submission,
        NULL,
    };

    return unit_run("gateway", tests);
}

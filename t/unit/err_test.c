/* SPDX-License-Identifier: Apache-2.0 */
/* base/err.c and base/log.c: the table of errors keeps what the wire promises, and an error
 * becomes one log line with everything that an operator needs. */
#include "base/err.h"

#include "unit.h"

START_TEST(every_error_has_a_whole_row)
{
    int i;

    for (i = 0; i < GF_E_COUNT; i++) {
        const gf_err_row_t *row = gf_err_row((gf_err_code_t)i);

        ck_assert_msg(row->code && row->code[0], "row %d has no code", i);
        ck_assert_msg(strspn(row->code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(row->code),
                      "the code %s", row->code);
        ck_assert_msg(row->http >= 400 && row->http < 600, "%s: %d", row->code, row->http);
        ck_assert_msg(row->level <= GF_LOG_INFO, "%s is not logged", row->code);
        ck_assert_msg(strlen(row->tag) == 6 && strncmp(row->tag, "GF", 2) == 0
                          && strspn(row->tag + 2, "0123456789") == 4,
                      "%s: tag %s", row->code, row->tag);
        ck_assert_msg(strlen(row->text) > 10, "%s has no text", row->code);
    }
}
END_TEST

START_TEST(a_tag_is_of_one_error_and_a_code_has_one_status)
{
    int i, j;

    for (i = 0; i < GF_E_COUNT; i++) {
        for (j = i + 1; j < GF_E_COUNT; j++) {
            const gf_err_row_t *one = gf_err_row((gf_err_code_t)i);
            const gf_err_row_t *other = gf_err_row((gf_err_code_t)j);

            ck_assert_msg(strcmp(one->tag, other->tag) != 0, "%s and %s share the tag %s",
                          one->code, other->code, one->tag);
            if (i == GF_E_NO_CREDIT && j == GF_E_NO_CREDIT_OLD) {
                continue; /* older front ends know it by another status */
            }
            ck_assert_msg(strcmp(one->code, other->code) != 0 || one->http == other->http,
                          "%s has the statuses %d and %d", one->code, one->http, other->http);
        }
    }
}
END_TEST

START_TEST(the_wire_keeps_its_codes)
{
    static const struct {
        gf_err_code_t symbol;
        int http;
        const char *code;
    } rows[] = {
        { GF_E_BAD_JSON, 400, "VALIDATION_ERROR" },
        { GF_E_NOT_SIGNED_IN, 401, "AUTHENTICATION_REQUIRED" },
        { GF_E_NO_CREDIT, 402, "INSUFFICIENT_CREDITS" },
        { GF_E_NOT_YOURS, 403, "UNAUTHORIZED" },
        { GF_E_NO_GENERATION, 404, "GENERATION_NOT_FOUND" },
        { GF_E_NO_ROUTE, 404, "NOT_FOUND" },
        { GF_E_METHOD, 405, "METHOD_NOT_ALLOWED" },
        { GF_E_KEY_RUNNING, 409, "IDEMPOTENCY_IN_PROGRESS" },
        { GF_E_BODY_TOO_LARGE, 413, "PAYLOAD_TOO_LARGE" },
        { GF_E_BODY_TYPE, 415, "UNSUPPORTED_MEDIA_TYPE" },
        { GF_E_INVALID, 422, "VALIDATION_FAILED" },
        { GF_E_PRESET, 422, "INVALID_PRESET" },
        { GF_E_SOURCE_URL, 422, "INVALID_IMAGE_URL" },
        { GF_E_PROMPT, 422, "INVALID_PROMPT" },
        { GF_E_PROMPT_LENGTH, 422, "PROMPT_TOO_LONG" },
        { GF_E_KEY_MISMATCH, 422, "IDEMPOTENCY_MISMATCH" },
        { GF_E_QUOTA, 429, "QUOTA_EXCEEDED" },
        { GF_E_FAILED, 500, "GENERATION_FAILED" },
        { GF_E_INTERNAL, 500, "INTERNAL_ERROR" },
        { GF_E_DB_DOWN, 503, "DATABASE_UNAVAILABLE" },
        { GF_E_TIMEOUT, 500, "TIMEOUT" },
        { GF_E_NETWORK, 500, "NETWORK_ERROR" },
        { GF_E_API, 500, "API_ERROR" },
        { GF_E_RATE_LIMIT, 429, "RATE_LIMIT" },
        { GF_E_RETRIES, 500, "MAX_RETRIES_EXCEEDED" },
        { GF_E_EMPTY, 500, "EMPTY_RESULT" },
        { GF_E_FILTERED, 500, "CONTENT_FILTERED" },
        { GF_E_STORE, 500, "STORE_FAILED" },
        { GF_E_NO_PROVIDER, 503, "PROVIDER_UNAVAILABLE" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_str_eq(gf_err_row(rows[i].symbol)->code, rows[i].code);
        ck_assert_int_eq(gf_err_row(rows[i].symbol)->http, rows[i].http);
    }
}
END_TEST

START_TEST(whose_move_it_is_decides_the_level)
{
    int i;

    for (i = 0; i < GF_E_COUNT; i++) {
        const gf_err_row_t *row = gf_err_row((gf_err_code_t)i);
        bool an_operator_looks = i == GF_E_WEBHOOK_FORGED || i == GF_E_WEBHOOK_EMPTY
                                 || i == GF_E_ADMIN_CLOSED || i == GF_E_ADMIN_ORIGIN
                                 || i == GF_E_HTACCESS;
        bool about_a_request = row->tag[3] == '1' && !an_operator_looks;

        ck_assert_msg(!about_a_request || row->http >= 500 || row->level == GF_LOG_INFO,
                      "%s is the client's move", row->code);
    }
    ck_assert_int_eq(gf_err_row(GF_E_INTERNAL)->level, GF_LOG_CRIT);
    ck_assert_int_eq(gf_err_row(GF_E_DB_DOWN)->level, GF_LOG_ERR);
    ck_assert_int_eq(gf_err_row(GF_E_NETWORK)->level, GF_LOG_WARNING);
}
END_TEST

START_TEST(an_error_remembers_what_why_and_where_and_is_silent)
{
    gf_err_t *err;
    int line;

    line = __LINE__ + 1;
    err = gf_err_make(&unit.ctx, GF_E_NO_CREDIT, APR_ENOSPC, "account %s needs %d", "a", 3);
    ck_assert_ptr_eq(err->row, gf_err_row(GF_E_NO_CREDIT));
    ck_assert_int_eq(err->rv, APR_ENOSPC);
    ck_assert_str_eq(err->detail, "account a needs 3");
    ck_assert_int_eq(err->line, line);
    ck_assert(strstr(err->file, "err_test.c"));
    ck_assert_ptr_null(err->extra);
    ck_assert_ptr_null(err->fields);
    ck_assert_int_eq(err->retry_after, 0);
    ck_assert_int_eq(unit.line_count, 0);
    ck_assert_ptr_null(strstr(err->row->text, "account a"));
}
END_TEST

START_TEST(an_error_is_itself_and_no_other)
{
    gf_err_t *err = gf_err_make(&unit.ctx, GF_E_BAD_JSON, APR_SUCCESS, "x");

    ck_assert(gf_err_is(err, GF_E_BAD_JSON));
    ck_assert_msg(!gf_err_is(err, GF_E_READ_BODY), "the same code, but another error");
    ck_assert_msg(!gf_err_is(NULL, GF_E_BAD_JSON), "none is none");
}
END_TEST

START_TEST(an_error_about_a_field_names_it)
{
    gf_err_t *err = gf_err_field(&unit.ctx, GF_E_INVALID, "prompt", "is 100% wrong");
    const gf_field_error_t *field = &APR_ARRAY_IDX(err->fields, 0, gf_field_error_t);

    ck_assert_int_eq(err->fields->nelts, 1);
    ck_assert_str_eq(field->field, "prompt");
    ck_assert_str_eq(field->message, "is 100% wrong");
    ck_assert(!field->missing);
    ck_assert_str_eq(err->detail, "prompt is 100% wrong");
}
END_TEST

START_TEST(an_error_names_as_many_fields_as_it_is_given)
{
    gf_err_t *err = gf_err_add_field(NULL, &unit.ctx, "prompt", true, "is required");

    ck_assert(gf_err_is(err, GF_E_INVALID));
    ck_assert_ptr_eq(gf_err_add_field(err, &unit.ctx, "seed", false, "is odd"), err);
    ck_assert_int_eq(err->fields->nelts, 2);
    ck_assert(APR_ARRAY_IDX(err->fields, 0, gf_field_error_t).missing);
    ck_assert_str_eq(APR_ARRAY_IDX(err->fields, 1, gf_field_error_t).field, "seed");
    ck_assert_str_eq(err->detail, "prompt is required");
}
END_TEST

static int tries;

static gf_err_t *answer(gf_err_t *err)
{
    tries++;
    return err;
}

static gf_err_t *try(gf_err_t *err)
{
    GF_TRY(answer(err));
    return gf_err_make(&unit.ctx, GF_E_INTERNAL, APR_SUCCESS, "went on");
}

START_TEST(an_error_is_carried_untouched_and_success_goes_on)
{
    gf_err_t *err = gf_err_make(&unit.ctx, GF_E_QUOTA, APR_SUCCESS, "x");

    ck_assert_ptr_eq(try(err), err);
    ck_assert_int_eq(tries, 1);
    ck_assert(gf_err_is(try(NULL), GF_E_INTERNAL));
}
END_TEST

START_TEST(an_error_is_one_log_line)
{
    gf_err_t *err = gf_err_make(&unit.ctx, GF_E_DB_DOWN, APR_ECONNREFUSED, "no %s", "connection");

    gf_err_log(&unit.ctx, err);
    ck_assert_int_eq(unit.line_count, 1);
    ck_assert_str_eq(unit.lines[0].text, "GF0121: unit: DATABASE_UNAVAILABLE: no connection");
    ck_assert_int_eq(unit.lines[0].level, GF_LOG_ERR);
    ck_assert_int_eq(unit.lines[0].rv, APR_ECONNREFUSED);
    ck_assert_str_eq(unit.lines[0].file, err->file);
    ck_assert_int_eq(unit.lines[0].line, err->line);
}
END_TEST

START_TEST(a_line_above_the_level_of_the_log_is_not_written)
{
    unit.sink.level = GF_LOG_WARNING;
    gf_log(&unit.ctx, GF_LOG_WARNING, APR_SUCCESS, "GF9901", "kept");
    gf_log(&unit.ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF9902", "dropped");
    gf_log(&unit.ctx, GF_LOG_CRIT, APR_SUCCESS, "GF9903", "kept too");
    ck_assert_int_eq(unit.line_count, 2);
    ck_assert_str_eq(unit.lines[1].text, "GF9903: unit: kept too");
}
END_TEST

#define BEHIND "behind a long subject"

START_TEST(a_line_is_cut_not_overrun)
{
    char *much = apr_pcalloc(unit.ctx.pool, 5000);

    memset(much, 'x', 4999);
    gf_log(&unit.ctx, GF_LOG_INFO, APR_SUCCESS, "GF9901", "%s", much);
    unit.ctx.subject = much;
    gf_log(&unit.ctx, GF_LOG_INFO, APR_SUCCESS, "GF9902", "%s", BEHIND);
    ck_assert_int_eq(unit.line_count, 2);
    ck_assert_uint_eq(strlen(unit.lines[0].text), 1023);
    ck_assert_uint_eq(strlen(unit.lines[1].text), strlen("GF9902: ") + 512 + strlen(BEHIND));
    ck_assert_msg(strstr(unit.lines[1].text, BEHIND), "a long subject leaves room for the text");
}
END_TEST

START_TEST(a_context_may_have_no_log_and_no_subject)
{
    unit.ctx.subject = NULL;
    gf_log(&unit.ctx, GF_LOG_INFO, APR_SUCCESS, "GF9901", "plain");
    ck_assert_str_eq(unit.lines[0].text, "GF9901: plain");
    unit.ctx.log = NULL;
    gf_log(&unit.ctx, GF_LOG_CRIT, APR_SUCCESS, "GF9902", "nowhere");
    ck_assert_int_eq(unit.line_count, 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_error_has_a_whole_row,
        a_tag_is_of_one_error_and_a_code_has_one_status,
        the_wire_keeps_its_codes,
        whose_move_it_is_decides_the_level,
        an_error_remembers_what_why_and_where_and_is_silent,
        an_error_is_itself_and_no_other,
        an_error_about_a_field_names_it,
        an_error_names_as_many_fields_as_it_is_given,
        an_error_is_carried_untouched_and_success_goes_on,
        an_error_is_one_log_line,
        a_line_above_the_level_of_the_log_is_not_written,
        a_line_is_cut_not_overrun,
        a_context_may_have_no_log_and_no_subject,
        NULL,
    };

    return unit_run("err", tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* model/input.c: what a table of rows takes from bodies and queries, each kind at both sides of its
 * bounds; all that is bad is named at once; unknown members are refused with the nearest name. */
#include "model/input.h"

#include "unit.h"

static gf_type_t lens = { .name = "lens" };

static const gf_prompt_word_t words[] = { { "low", "" }, { "high", "" }, { NULL, NULL } };

typedef struct record_t {
    const char *text, *token, *id;
    const gf_prompt_word_t *word;
    apr_int64_t whole;
    bool truth;
    gf_json_t *object, *any;
    const gf_type_t *type;
    int ruled; /* so often the rule was called */
} record_t;

static void rule_whole(gf_input_t *input, void *record)
{
    ((record_t *)record)->ruled++;
    if (((record_t *)record)->whole == 7) {
        gf_input_refuse(input, GF_E_PROMPT, "whole", "must not be %d", 7);
        input->extra = "\"seven\":true";
    }
}

#define AT(member) .offset = offsetof(record_t, member)

static const gf_input_field_t fields[] = {
    { .names = { "text", "old_text", "older" },
      .kind = GF_INPUT_TEXT,
      .min = 1,
      .max = 3,
      .as_sent = true,
      AT(text) },
    { .names = { "token", "old_token" }, .kind = GF_INPUT_TOKEN, .max = 4, AT(token) },
    { .names = { "id" }, .kind = GF_INPUT_UUID, AT(id) },
    { .names = { "word" }, .kind = GF_INPUT_WORD, .words = words, AT(word) },
    { .names = { "whole" }, .kind = GF_INPUT_INT, .min = -2, .max = 9, AT(whole), .rule = rule_whole },
    { .names = { "number" }, .kind = GF_INPUT_NUMBER, .max = 1 },
    { .names = { "truth" }, .kind = GF_INPUT_BOOL, AT(truth) },
    { .names = { "object" }, .kind = GF_INPUT_OBJECT, .max = 9, AT(object) },
    { .names = { "type" }, .kind = GF_INPUT_TYPE, AT(type) },
    { .names = { "any" }, .kind = GF_INPUT_JSON, AT(any) },
    { .names = { "passed" }, .kind = GF_INPUT_KNOWN },
    GF_INPUT_END
};

static const gf_input_field_t required[] = {
    { .names = { "need", "old_need" }, .kind = GF_INPUT_TEXT, .required = true, AT(text) },
    GF_INPUT_END
};

static void make(void)
{
    static const gf_type_t *const types[] = { &lens };
    static apr_array_header_t list = { .elts = (char *)types, .nelts = 1 };

    unit.conf.types = apr_hash_make(unit.ctx.pool);
    apr_hash_set(unit.conf.types, lens.name, APR_HASH_KEY_STRING, &lens);
    unit.conf.type_list = &list;
}

static gf_input_t input_of(const char *body)
{
    gf_input_t input = { .ctx = &unit.ctx, .body = body ? unit_json(body) : NULL };

    return input;
}

/* "field: message; field: message" */
static const char *said(const gf_err_t *err)
{
    const char *text = "";
    int i;

    for (i = 0; err && i < err->fields->nelts; i++) {
        const gf_field_error_t *field = &APR_ARRAY_IDX(err->fields, i, gf_field_error_t);

        text = apr_pstrcat(unit.ctx.pool, text, i ? "; " : "", field->field, ": ", field->message,
                           NULL);
    }
    return text;
}

static const char *refused(const char *body)
{
    gf_input_t input = input_of(body);
    record_t record = { .text = NULL };

    return said(gf_input_all(&input, fields, &record));
}

START_TEST(each_kind_is_checked_at_its_bounds)
{
    static const struct {
        const char *body, *says;
    } rows[] = {
        { "{\"text\":\"a\"}", "" },
        { "{\"text\":\"\xe6\x9d\xb1\xe4\xba\xac!\"}", "" },
        { "{\"text\":\"\"}", "text: must be a text of 1 to 3 characters, none of them NUL" },
        { "{\"text\":\"abcd\"}", "text: must be a text of 1 to 3 characters, none of them NUL" },
        { "{\"text\":7}", "text: must be a text of 1 to 3 characters, none of them NUL" },
        { "{\"text\":\"a\\u0000\"}", "text: must be a text of 1 to 3 characters, none of them NUL" },
        { "{\"token\":\"a.b-\"}", "" },
        { "{\"token\":\"\"}", "token: must be 1 to 4 characters of A-Z a-z 0-9 . _ : -" },
        { "{\"token\":\"abcde\"}", "token: must be 1 to 4 characters of A-Z a-z 0-9 . _ : -" },
        { "{\"token\":\"a b\"}", "token: must be 1 to 4 characters of A-Z a-z 0-9 . _ : -" },
        { "{\"id\":\"01a1fc7d-bbf5-7c3a-8e9f-0100824fa663\"}", "" },
        { "{\"id\":\"01a1fc7d\"}", "id: must be an id" },
        { "{\"word\":\"high\"}", "" },
        { "{\"word\":\"High\"}", "word: must be one of low, high" },
        { "{\"word\":[\"high\"]}", "word: must be one of low, high" },
        { "{\"whole\":-2}", "" },
        { "{\"whole\":9}", "" },
        { "{\"whole\":-3}", "whole: must be a whole number from -2 to 9" },
        { "{\"whole\":10}", "whole: must be a whole number from -2 to 9" },
        { "{\"whole\":1.5}", "whole: must be a whole number from -2 to 9" },
        { "{\"whole\":\"1\"}", "whole: must be a whole number from -2 to 9" },
        { "{\"number\":0}", "" },
        { "{\"number\":1.0}", "" },
        { "{\"number\":1.01}", "number: must be a number from 0 to 1" },
        { "{\"number\":1e-300}", "number: must be a number from 0 to 1" },
        { "{\"truth\":false}", "" },
        { "{\"truth\":0}", "truth: must be true or false" },
        { "{\"object\":{\"a\":123}}", "" },
        { "{\"object\":{\"a\":1234}}",
          "object: must be an object of at most 9 bytes, without NUL characters and without numbers "
          "beyond 1e15 or below 1e-15" },
        { "{\"object\":[]}",
          "object: must be an object of at most 9 bytes, without NUL characters and without numbers "
          "beyond 1e15 or below 1e-15" },
        { "{\"type\":\"lens\"}", "" },
        { "{\"type\":\"x\"}", "type: must be one of lens" },
        { "{\"type\":7}", "type: must be one of lens" },
        { "{\"any\":[1,{}]}", "" },
        { "{\"passed\":[1,{}]}", "" },
        { "{\"text\":null,\"whole\":null,\"truth\":null,\"type\":null}", "" },
    };
    size_t i;

    make();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(strcmp(refused(rows[i].body), rows[i].says) == 0, "%s: %s", rows[i].body,
                      refused(rows[i].body));
    }
}
END_TEST

START_TEST(good_values_are_written_and_absent_ones_leave_the_record_alone)
{
    gf_input_t input = input_of("{\"older\":\"a\",\"old_token\":\"t\",\"word\":\"low\",\"whole\":3,"
                                "\"truth\":true,\"object\":{},\"type\":\"lens\",\"any\":[9]}");
    record_t record = { .text = "kept", .whole = 1 };

    make();
    unit_no_error(gf_input_all(&input, fields, &record));
    ck_assert_str_eq(record.text, "a");
    ck_assert_str_eq(record.token, "t");
    ck_assert_ptr_eq(record.word, &words[0]);
    ck_assert_int_eq(record.whole, 3);
    ck_assert(record.truth);
    ck_assert_str_eq(gf_json_text(record.object), "{}");
    ck_assert_ptr_eq(record.type, &lens);
    ck_assert_str_eq(gf_json_text(record.any), "[9]");
    input = input_of("{}");
    record = (record_t){ .text = "kept", .whole = 1, .truth = true };
    unit_no_error(gf_input_all(&input, fields, &record));
    ck_assert_str_eq(record.text, "kept");
    ck_assert_int_eq(record.whole, 1);
    ck_assert(record.truth);
    ck_assert_int_eq(record.ruled, 1);
    input = input_of("{\"whole\":10}");
    ck_assert_ptr_nonnull(gf_input_all(&input, fields, &record));
    ck_assert_msg(record.ruled == 1, "no rule sees a bad value");
    input = input_of("{\"truth\":true}");
    gf_input_read(&input, fields + 6, NULL); /* only checked */
    unit_no_error(gf_input_end(&input));
}
END_TEST

START_TEST(the_first_spelling_counts_and_errors_name_it_or_the_one_sent)
{
    gf_input_t input = input_of("{\"older\":\"c\",\"text\":\"a\",\"old_text\":\"b\"}");
    record_t record = { .text = NULL };

    make();
    unit_no_error(gf_input_all(&input, fields, &record));
    ck_assert_str_eq(record.text, "a");
    ck_assert_int_eq(strncmp(refused("{\"older\":7}"), "older:", 6), 0);
    ck_assert_int_eq(strncmp(refused("{\"old_token\":7}"), "token:", 6), 0);
}
END_TEST

START_TEST(what_is_required_is_missed_unless_the_reading_is_partial)
{
    gf_input_t input = input_of("{\"need\":null}");
    record_t record = { .text = NULL };
    gf_err_t *err = gf_input_all(&input, required, &record);

    ck_assert_str_eq(said(err), "need: is required");
    ck_assert(APR_ARRAY_IDX(err->fields, 0, gf_field_error_t).missing);
    input = input_of("{\"old_need\":\"x\"}");
    unit_no_error(gf_input_all(&input, required, &record));
    input = input_of("{}");
    input.fallback = unit_json("{\"need\":\"of the template\"}");
    unit_no_error(gf_input_all(&input, required, &record));
    ck_assert_str_eq(record.text, "of the template");
    input = input_of("{}");
    input.partial = true;
    unit_no_error(gf_input_all(&input, required, &record));
}
END_TEST

START_TEST(one_bad_field_keeps_its_code_and_several_share_one)
{
    gf_input_t input = input_of("{\"whole\":7}");
    record_t record = { .text = NULL };
    gf_err_t *err;

    make();
    err = gf_input_all(&input, fields, &record);
    ck_assert(gf_err_is(err, GF_E_PROMPT));
    ck_assert_str_eq(err->extra, "\"seven\":true");
    input = input_of("{\"whole\":7,\"truth\":7}");
    err = gf_input_all(&input, fields, &record);
    ck_assert(gf_err_is(err, GF_E_INVALID));
    ck_assert_ptr_null(err->extra);
    ck_assert_str_eq(said(err), "whole: must not be 7; truth: must be true or false");
    input = input_of("{\"whole\":7}");
    input.all = GF_E_FIELDS;
    ck_assert(gf_err_is(gf_input_all(&input, fields, &record), GF_E_FIELDS));
    input = input_of("{\"whole\":7,\"x\":1}");
    input.all = GF_E_FIELDS;
    ck_assert(gf_err_is(gf_input_all(&input, fields, &record), GF_E_INVALID));
}
END_TEST

START_TEST(unknown_members_are_refused_with_the_nearest_name)
{
    gf_input_t input = input_of("{\"txet\":1}");
    const gf_input_field_t *const tables[] = { required, fields, NULL };
    const char *many = "{\"a0\":1";
    int i;

    make();
    ck_assert_str_eq(refused("{\"old_txt\":1}"), "old_txt: is not known here; did you mean old_text?");
    ck_assert_str_eq(refused("{\"zzzzzzzzzzzz\":null}"),
                     "zzzzzzzzzzzz: is not known here: leave it out");
    input.lenient = true;
    unit_no_error(gf_input_all(&input, fields, NULL));
    for (i = 1; i < 50; i++) {
        many = apr_psprintf(unit.ctx.pool, "%s,\"a%d\":1", many, i);
    }
    input = input_of(apr_pstrcat(unit.ctx.pool, many, "}", NULL));
    gf_input_unknown(&input, tables);
    ck_assert_int_eq(input.errors->nelts, GF_INPUT_UNKNOWN);
    input = input_of("{}");
    gf_input_unknown_in(&input, unit_json("{\"needs\":1,\"text\":1}"), "config.", tables);
    ck_assert_str_eq(said(gf_input_end(&input)),
                     "config.needs: is not known here; did you mean need?");
}
END_TEST

/* ---- queries ---- */

static apr_table_t *query_of(const char *const *pairs)
{
    apr_table_t *query = apr_table_make(unit.ctx.pool, 4);

    for (; *pairs; pairs += 2) {
        apr_table_addn(query, pairs[0], pairs[1]);
    }
    return query;
}

START_TEST(arguments_count_first_and_empty_ones_are_absent)
{
    gf_input_t input = input_of("{\"whole\":5,\"token\":\"body\"}");
    record_t record = { .text = "kept" };

    make();
    input.query = query_of((const char *const[]){ "whole", "2", "Whole", "3", "text", "", "word",
                                                  "high", "type", "lens", NULL });
    gf_input_read(&input, fields, &record);
    unit_no_error(gf_input_end(&input));
    ck_assert_int_eq(record.whole, 3);
    ck_assert_str_eq(record.token, "body");
    ck_assert_str_eq(record.text, "kept");
    ck_assert_ptr_eq(record.word, &words[1]);
    ck_assert_ptr_eq(record.type, &lens);
    input.query = query_of((const char *const[]){ "whole", "1x", NULL });
    gf_input_read(&input, fields, &record);
    ck_assert_str_eq(said(gf_input_end(&input)), "whole: must be a whole number from -2 to 9");
}
END_TEST

START_TEST(a_loose_body_is_read_like_a_query)
{
    gf_input_t input = input_of("{\"whole\":\"4\",\"token\":7,\"text\":\"\"}");
    record_t record = { .text = "kept" };

    make();
    input.loose = true;
    gf_input_read(&input, fields, &record);
    unit_no_error(gf_input_end(&input));
    ck_assert_int_eq(record.whole, 4);
    ck_assert_str_eq(record.token, "7");
    ck_assert_str_eq(record.text, "kept");
}
END_TEST

START_TEST(unknown_arguments_are_refused_and_where_it_matters_repeated_ones)
{
    const char *const pairs[] = { "LIMIT", "1", "limt", "1", "", "", "cursor", "1", "cursor", "2",
                                  NULL };
    gf_input_t input = input_of(NULL);

    input.query = query_of(pairs);
    gf_input_unknown_query(&input, "limit|cursor", false);
    ck_assert_str_eq(said(gf_input_end(&input)), "limt: is not known here; did you mean limit?");
    input = input_of(NULL);
    input.query = query_of(pairs);
    gf_input_unknown_query(&input, "limit|limt|cursor", true);
    ck_assert_str_eq(said(gf_input_end(&input)), "cursor: stands there twice");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_kind_is_checked_at_its_bounds,
        good_values_are_written_and_absent_ones_leave_the_record_alone,
        the_first_spelling_counts_and_errors_name_it_or_the_one_sent,
        what_is_required_is_missed_unless_the_reading_is_partial,
        one_bad_field_keeps_its_code_and_several_share_one,
        unknown_members_are_refused_with_the_nearest_name,
        arguments_count_first_and_empty_ones_are_absent,
        a_loose_body_is_read_like_a_query,
        unknown_arguments_are_refused_and_where_it_matters_repeated_ones,
        NULL,
    };

    return unit_run("input", tests);
}

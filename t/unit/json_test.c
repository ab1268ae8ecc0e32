/* SPDX-License-Identifier: Apache-2.0 */
/* base/json.c: how strict the reader is, that it converts nothing, and that whatever the writer
 * writes the reader reads back. */
#include "base/json.h"

#include "unit.h"

/* Bytes that may hold a NUL: the literal without its end. */
#define BYTES(literal) (literal), sizeof(literal) - 1

START_TEST(a_number_is_written_as_json)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = { { 0, "0" },       { 1, "1" },     { 0.5, "0.5" }, { -0.25, "-0.25" },
                 { -3.5, "-3.5" }, { 100, "100" }, { 0.1, "0.1" }, { 4294967294.0, "4294967294" } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_str_eq(gf_json_of_number(rows[i].number, unit.ctx.pool), rows[i].text);
    }
}
END_TEST

START_TEST(a_json_object_is_taken_with_space_around_it)
{
    static const struct {
        const char *text;
        const char *read;
    } rows[] = {
        { "{}", "{}" },
        { " \t\r\n{ } \t\r\n", "{}" },
        { "{\"a\":[1,2.5,true,null,\"x\"]}", "{\"a\":[1,2.5,true,null,\"x\"]}" },
        { "{\"a\" : { \"b\" : { } } }", "{\"a\":{\"b\":{}}}" },
        { "{\"a\":\"\\u6771\\u4eac\"}", "{\"a\":\"\xe6\x9d\xb1\xe4\xba\xac\"}" },
        { "{\"a\":\"\\ud83d\\udc7e\"}", "{\"a\":\"\xf0\x9f\x91\xbe\"}" },
        { "{\"a\":\"/\\/\"}", "{\"a\":\"//\"}" },
        { "{\"a\":-0.5e-3}", "{\"a\":-0.5e-3}" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_str_eq(gf_json_text(unit_json(rows[i].text)), rows[i].read);
    }
}
END_TEST

/* Asserts that these bytes are refused with a word about the body, and leave no document. */
static void check_refused(const char *text, apr_size_t length)
{
    char *exact = unit_exact(text, length);
    gf_json_t *document = NULL;
    gf_err_t *err = gf_json_parse(&document, &unit.ctx, exact, length);
    const gf_field_error_t *field;

    free(exact);
    ck_assert_msg(err, "this was taken: %s", text);
    ck_assert_msg(gf_err_is(err, GF_E_BAD_JSON), "%s: %s", text, err->row->code);
    ck_assert_ptr_null(document);
    ck_assert_int_eq(err->fields->nelts, 1);
    field = &APR_ARRAY_IDX(err->fields, 0, gf_field_error_t);
    ck_assert_str_eq(field->field, "body");
    ck_assert_msg(strstr(field->message, "(at byte "), "%s", field->message);
}

typedef struct bad_t {
    const char *text;
    apr_size_t length;
} bad_t;

static void check_all_refused(const bad_t *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        check_refused(rows[i].text, rows[i].length);
    }
}

START_TEST(what_is_not_one_json_object_is_refused)
{
    static const bad_t rows[] = {
        { BYTES("") },
        { BYTES(" ") },
        { BYTES("null") },
        { BYTES("[]") },
        { BYTES("\"text\"") },
        { BYTES("7") },
        { BYTES("{} x") },
        { BYTES("{}{}") },
        { BYTES("{}]") },
        { BYTES("{}\0") },
        { BYTES("{}\0{}") },
        { BYTES("\0{}") },
        { BYTES("{\"a\":1\0}") },
        { BYTES("\xef\xbb\xbf{}") }, /* a byte order mark */
    };

    check_all_refused(rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(what_only_looks_like_json_is_refused)
{
    static const bad_t rows[] = {
        { BYTES("{a:1}") },
        { BYTES("{'a':1}") },
        { BYTES("{\"a\":'x'}") },
        { BYTES("{\"a\":1,}") },
        { BYTES("{\"a\":[1,]}") },
        { BYTES("{\"a\" 1}") },
        { BYTES("{\"a\"}") },
        { BYTES("{,}") },
        { BYTES("{\"a\":1]") },
        { BYTES("/* c */{}") },
        { BYTES("{}/* c */") },
        { BYTES("{/* c */}") },
        { BYTES("{} // c") },
        { BYTES("{\"a\":True}") },
        { BYTES("{\"a\":NULL}") },
        { BYTES("{\"a\":undefined}") },
        { BYTES("{\"a\":\"\\x41\"}") },
        { BYTES("{\"a\":\"\\u12g4\"}") },
        { BYTES("{\"a\":\"\\\"}") },
    };

    check_all_refused(rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(a_number_that_json_does_not_know_is_refused)
{
    static const bad_t rows[] = {
        { BYTES("{\"a\":NaN}") }, { BYTES("{\"a\":nan}") },      { BYTES("{\"a\":-NaN}") },
        { BYTES("{\"a\":inf}") }, { BYTES("{\"a\":Infinity}") }, { BYTES("{\"a\":-Infinity}") },
        { BYTES("{\"a\":01}") },  { BYTES("{\"a\":+1}") },       { BYTES("{\"a\":.5}") },
        { BYTES("{\"a\":1.}") },  { BYTES("{\"a\":1e}") },       { BYTES("{\"a\":0x10}") },
        { BYTES("{\"a\":-}") },   { BYTES("{\"a\":1 2}") },      { BYTES("{\"a\":[NaN]}") },
    };

    check_all_refused(rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_refused)
{
    static const bad_t rows[] = {
        { BYTES("{\"a\":\"\xff\"}") },
        { BYTES("{\"a\":\"\x80\"}") },
        { BYTES("{\"a\":\"\xc3\"}") },
        { BYTES("{\"a\":\"\xc3(\"}") },
        { BYTES("{\"a\":\"\xe6\x9d\"}") },
        { BYTES("{\"\xff\":1}") },
        { BYTES("{\"a\":\"\xc0\x80\"}") },             /* NUL, the long way */
        { BYTES("{\"a\":\"\xc1\xbf\"}") },             /* DEL, the long way */
        { BYTES("{\"a\":\"\xe0\x80\xaf\"}") },         /* a slash, the long way */
        { BYTES("{\"a\":\"\xf0\x82\x82\xac\"}") },     /* the euro sign, the long way */
        { BYTES("{\"a\":\"\xed\xa0\x80\"}") },         /* half of a surrogate pair */
        { BYTES("{\"a\":\"\xf4\x90\x80\x80\"}") },     /* beyond U+10FFFF */
        { BYTES("{\"a\":\"\xf8\x88\x80\x80\x80\"}") }, /* five bytes */
    };

    check_all_refused(rows, UNIT_COUNT(rows));
}
END_TEST

/* A proxy in front of us may read each of these otherwise than we do. */
static const struct {
    const char *text;
    apr_size_t length;
    const char *read; /* of a reply */
} doubtful[] = {
    { BYTES("{\"a\":1,\"a\":2}"), "{\"a\":2}" },
    { BYTES("{\"a\":1,\"\\u0061\":2}"), "{\"a\":2}" },
    { BYTES("{\"b\":[{\"a\":1,\"c\":0,\"a\":1}]}"), "{\"b\":[{\"a\":1,\"c\":0}]}" },
    { BYTES("{\"a\":null,\"a\":null}"), "{\"a\":null}" },
    { BYTES("{\"\":1,\"\":2}"), "{\"\":2}" },
    { BYTES("{\"a\\u0000b\":1}"), "{\"a\":1}" },
    { BYTES("{\"\\u0000\":1}"), "{\"\":1}" },
    { BYTES("{\"a\":\"x\ty\"}"), "{\"a\":\"x\\ty\"}" },
    { BYTES("{\"a\":\"\n\"}"), "{\"a\":\"\\n\"}" },
    { BYTES("{\"a\":\"\x01\"}"), "{\"a\":\"\\u0001\"}" },
    { BYTES("{\"a\tb\":1}"), "{\"a\\tb\":1}" },
    { BYTES("{\"a\":\"\\ud83d\"}"), "{\"a\":\"\xef\xbf\xbd\"}" },
    { BYTES("{\"a\":\"\\udc7e\"}"), "{\"a\":\"\xef\xbf\xbd\"}" },
    { BYTES("{\"a\":\"\\ud83dx\"}"), "{\"a\":\"\xef\xbf\xbdx\"}" },
    { BYTES("{\"a\":\"\\udc7e\\ud83d\"}"), "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}" },
};

START_TEST(what_two_readers_may_read_differently_is_refused)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(doubtful); i++) {
        check_refused(doubtful[i].text, doubtful[i].length);
    }
    unit_json("{\"a\":{\"b\":1},\"b\":{\"a\":1,\"c\":[{\"a\":1},{\"a\":1}]}}");
    unit_json("{\"a\":\"\\u0000\\u001f\\ud83d\\udc7e\x7f\"}");
}
END_TEST

static const char *reply(const char *text, apr_size_t length)
{
    char *exact = unit_exact(text, length);
    gf_json_t *document = NULL;
    gf_err_t *err = gf_json_parse_reply(&document, &unit.ctx, exact, length);

    free(exact);
    return err ? NULL : gf_json_text(document);
}

START_TEST(a_reply_with_such_flaws_is_read_all_the_same)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(doubtful); i++) {
        ck_assert_pstr_eq(reply(doubtful[i].text, doubtful[i].length), doubtful[i].read);
    }
    ck_assert_pstr_eq(reply(BYTES("{\"a\":\"\xe6\x9d\",\"url\":\"x\xff\"}")),
                      "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"url\":\"x\xef\xbf\xbd\"}");
    ck_assert_ptr_null(reply(BYTES("{\"a\":1,}")));
    ck_assert_ptr_null(reply(BYTES("{\"a\":\"\\x41\"}")));
    ck_assert_ptr_null(reply(BYTES("[]")));
    ck_assert_ptr_null(reply(BYTES("{\"a\":1")));
}
END_TEST

/* {"a":[{},{},...]} with so many values in all. */
static const char *of_values(int values)
{
    char *text = apr_palloc(unit.ctx.pool, (apr_size_t)values * 3 + 16);
    char *at = text + sprintf(text, "{\"a\":[");
    int i;

    for (i = 2; i < values; i++) {
        memcpy(at, "{},", 3);
        at += 3;
    }
    strcpy(at - 1, "]}");
    return text;
}

START_TEST(the_number_of_values_has_a_bound)
{
    const char *more = of_values(GF_JSON_VALUES + 1);
    const char *most = of_values(GF_JSON_REPLY_VALUES);
    const char *too_many = of_values(GF_JSON_REPLY_VALUES + 1);

    unit_json(of_values(GF_JSON_VALUES));
    check_refused(more, strlen(more));
    ck_assert_ptr_nonnull(reply(most, strlen(most)));
    ck_assert_ptr_null(reply(too_many, strlen(too_many)));
}
END_TEST

START_TEST(a_text_cut_anywhere_is_refused_and_not_read_beyond)
{
    static const char text[] = "{\"prompt\":\"neon \\u6771\xe4\xba\xac\",\"n\":[-1.5e3,true,null]}";
    apr_size_t length;

    for (length = 0; length < sizeof(text) - 1; length++) {
        check_refused(text, length);
    }
    unit_json(text);
}
END_TEST

/* An object in which values are nested so deep, the object itself included. */
static const char *nested(int depth)
{
    char *text = apr_pcalloc(unit.ctx.pool, (apr_size_t)depth * 2 + 16);
    int i;

    strcpy(text, "{\"a\":");
    for (i = 1; i < depth; i++) {
        strcat(text, "[");
    }
    for (i = 1; i < depth; i++) {
        strcat(text, "]");
    }
    return strcat(text, "}");
}

START_TEST(nesting_has_a_bound)
{
    const char *hundred = nested(100);
    const char *one_more = nested(GF_JSON_DEPTH + 1);

    unit_json(nested(GF_JSON_DEPTH));
    check_refused(one_more, strlen(one_more));
    check_refused(hundred, strlen(hundred));
}
END_TEST

START_TEST(a_value_is_never_converted)
{
    static const struct {
        const char *value;
        bool text, whole, number, object;
    } rows[] = {
        { "\"7\"", true, false, false, false }, { "\"\"", true, false, false, false },
        { "7", false, true, true, false },      { "-7", false, true, true, false },
        { "7.0", false, false, true, false },   { "7e0", false, false, true, false },
        { "true", false, false, false, false }, { "null", false, false, false, false },
        { "[]", false, false, false, false },   { "{}", false, false, false, true },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_json_t *value =
            gf_json_get(unit_json(apr_psprintf(unit.ctx.pool, "{\"a\":%s}", rows[i].value)), "a");
        const char *text = "left alone";
        apr_int64_t whole = -77;
        double number = -7.5;

        ck_assert_msg(gf_json_string(value, &text) == rows[i].text, "%s", rows[i].value);
        ck_assert_msg(gf_json_int(value, &whole) == rows[i].whole, "%s", rows[i].value);
        ck_assert_msg(gf_json_number(value, &number) == rows[i].number, "%s", rows[i].value);
        ck_assert_msg(gf_json_is_object(value) == rows[i].object, "%s", rows[i].value);
        ck_assert_msg(rows[i].text || strcmp(text, "left alone") == 0, "%s", rows[i].value);
        ck_assert_msg(rows[i].whole || whole == -77, "%s", rows[i].value);
        ck_assert_msg(rows[i].number || !(number > -7.5 || number < -7.5), "%s", rows[i].value);
    }
}
END_TEST

START_TEST(a_text_with_a_nul_inside_is_no_text)
{
    static const char *const rows[] = { "\\u0000", "a\\u0000", "\\u0000a", "a\\u0000b" };
    const char *text = NULL;
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_json_t *body = unit_json(apr_psprintf(unit.ctx.pool, "{\"a\":\"%s\"}", rows[i]));

        ck_assert_msg(!gf_json_string(gf_json_get(body, "a"), &text), "%s", rows[i]);
    }
    ck_assert(gf_json_string(gf_json_get(unit_json("{\"a\":\"\\u0001\"}"), "a"), &text));
    ck_assert_str_eq(text, "\x01");
}
END_TEST

START_TEST(a_whole_number_beyond_64_bits_is_clamped)
{
    static const struct {
        const char *value;
        apr_int64_t read;
    } rows[] = {
        { "9223372036854775807", APR_INT64_MAX },
        { "9223372036854775808", APR_INT64_MAX },
        { "18446744073709551615", APR_INT64_MAX },
        { "18446744073709551616", APR_INT64_MAX },
        { "123456789012345678901234567890", APR_INT64_MAX },
        { "-9223372036854775808", APR_INT64_MIN },
        { "-9223372036854775809", APR_INT64_MIN },
        { "-123456789012345678901234567890", APR_INT64_MIN },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_json_t *body = unit_json(apr_psprintf(unit.ctx.pool, "{\"a\":%s}", rows[i].value));
        apr_int64_t number = 0;

        ck_assert_msg(gf_json_int(gf_json_get(body, "a"), &number), "%s", rows[i].value);
        ck_assert_msg(number == rows[i].read, "%s became %" APR_INT64_T_FMT, rows[i].value, number);
    }
}
END_TEST

START_TEST(a_moderate_value_has_no_endless_number_and_no_nul)
{
    static const struct {
        const char *value;
        bool moderate;
    } rows[] = {
        { "0", true },
        { "-7", true },
        { "0.0", true },
        { "1e15", true },
        { "-1e15", true },
        { "1e-15", true },
        { "1000000000000000", true },
        { "1000000000000001", false },
        { "1.1e15", false },
        { "-1e16", false },
        { "0.9e-15", false },
        { "1e400", false },
        { "1e-400", false },
        { "0e-9999", false },
        { "18446744073709551616", false },
        { "\"1e400\"", true },
        { "\"\\\\u0000\"", true },
        { "\"\\u0000\"", false },
        { "[{\"b\":\"x\\u0000\"}]", false },
        { "null", true },
        { "true", true },
        { "[]", true },
        { "{}", true },
        { "[1,[2,{\"b\":3}]]", true },
        { "[1,[2,{\"b\":1e99}]]", false },
        { "{\"b\":[[1e99]]}", false },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_json_t *body = unit_json(apr_psprintf(unit.ctx.pool, "{\"a\":%s}", rows[i].value));

        ck_assert_msg(gf_json_is_moderate(body) == rows[i].moderate, "%s", rows[i].value);
    }
}
END_TEST

START_TEST(what_is_absent_or_null_is_not_there)
{
    gf_json_t *body = unit_json("{\"list\":[1,\"two\"],\"nothing\":null,\"text\":\"x\"}");
    gf_json_t *list = gf_json_get(body, "list");
    const char *text;

    ck_assert_ptr_null(gf_json_get(body, "absent"));
    ck_assert_ptr_null(gf_json_get(body, "nothing"));
    ck_assert_ptr_null(gf_json_get(gf_json_get(body, "absent"), "deeper"));
    ck_assert_ptr_null(gf_json_get(list, "no object"));
    ck_assert(gf_json_string(gf_json_at(list, 1), &text));
    ck_assert_str_eq(text, "two");
    ck_assert_ptr_null(gf_json_at(list, 2));
    ck_assert_ptr_null(gf_json_at(gf_json_get(body, "text"), 0));
    ck_assert_ptr_null(gf_json_at(NULL, 0));
}
END_TEST

START_TEST(a_member_is_added_where_there_is_none)
{
    static const struct {
        const char *object, *more, *made;
    } rows[] = {
        { "{}", "{}", "{}" },
        { "{}", "{\"a\":[1,{\"b\":0.50}]}", "{\"a\":[1,{\"b\":0.50}]}" },
        { "{\"a\":1}", "{\"a\":2,\"b\":3}", "{\"a\":1,\"b\":3}" },
        { "{\"a\":null}", "{\"a\":2}", "{\"a\":2}" },
        { "{\"a\":0,\"b\":\"\",\"c\":false}", "{\"a\":1,\"b\":1,\"c\":1}",
          "{\"a\":0,\"b\":\"\",\"c\":false}" },
        { "{\"a\":{\"x\":1}}", "{\"a\":{\"y\":2},\"b\":null}", "{\"a\":{\"x\":1}}" },
    };
    gf_json_t *object;
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        object = unit_json(rows[i].object);
        gf_json_add_all(object, unit_json(rows[i].more));
        ck_assert_str_eq(gf_json_text(object), rows[i].made);
    }
    object = unit_json("{\"a\":1}");
    gf_json_add(object, "b", gf_json_get(object, "a"));
    gf_json_add(object, "c", NULL);
    ck_assert_str_eq(gf_json_text(object), "{\"a\":1,\"b\":1}");
}
END_TEST

START_TEST(what_is_written_has_its_commas_and_nulls)
{
    gf_out_t out;

    gf_out_init(&out, unit.ctx.pool, 64);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "text", "x");
    gf_out_put_string(&out, "none", NULL);
    gf_out_put_int(&out, "least", APR_INT64_MIN);
    gf_out_put_bool(&out, "yes", true);
    gf_out_put_bool(&out, "no", false);
    gf_out_put_raw(&out, "raw", "[1,2]");
    gf_out_put_raw(&out, "nothing", NULL);
    gf_out_key(&out, "list");
    gf_out_open(&out, '[');
    gf_out_string(&out, "a");
    gf_out_raw(&out, "7");
    gf_out_open(&out, '{');
    gf_out_close(&out, '}');
    gf_out_open(&out, '[');
    gf_out_close(&out, ']');
    gf_out_close(&out, ']');
    gf_out_put_string(&out, "last", "");
    gf_out_close(&out, '}');
    ck_assert_str_eq(out.text, "{\"text\":\"x\",\"none\":null,\"least\":-9223372036854775808,"
                               "\"yes\":true,\"no\":false,\"raw\":[1,2],\"nothing\":null,"
                               "\"list\":[\"a\",7,{},[]],\"last\":\"\"}");
    ck_assert_uint_eq(out.length, strlen(out.text));
}
END_TEST

START_TEST(whatever_is_written_is_read_back)
{
    char every[300];
    const char *rows[] = { every,
                           "quote \" backslash \\ slash / end\\",
                           "lines\r\nand\ttabs\b\f",
                           "</script><!-- & --> \xe2\x80\xa8",
                           "\xe7\x94\x9f\xe6\x88\x90\xe4\xb8\xad... \xf0\x9f\x94\x84",
                           "\\u0041 is no A",
                           "" };
    size_t i;

    for (i = 1; i < 128; i++) {
        every[i - 1] = (char)i;
    }
    every[127] = '\0';
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *read = NULL;
        gf_out_t out;

        gf_out_init(&out, unit.ctx.pool, 0);
        gf_out_open(&out, '{');
        gf_out_put_string(&out, "a", rows[i]);
        gf_out_close(&out, '}');
        ck_assert_msg(!strpbrk(out.text, "\n\r\t\x01\x1f\x7f"), "a control character: %s",
                      out.text);
        ck_assert(gf_json_string(gf_json_get(unit_json(out.text), "a"), &read));
        ck_assert_str_eq(read, rows[i]);
    }
}
END_TEST

START_TEST(a_buffer_grows_from_nothing_without_loss)
{
    enum { ITEMS = 5000 };
    gf_json_t *list;
    gf_out_t out;
    int i;

    gf_out_init(&out, unit.ctx.pool, 0);
    ck_assert_str_eq(out.text, "");
    gf_out_open(&out, '{');
    gf_out_key(&out, "list");
    gf_out_open(&out, '[');
    for (i = 0; i < ITEMS; i++) {
        gf_out_string(&out, apr_psprintf(unit.ctx.pool, "item \"%d\"", i));
    }
    gf_out_close(&out, ']');
    gf_out_close(&out, '}');
    ck_assert_uint_eq(out.length, strlen(out.text));
    ck_assert_uint_le(out.length, out.size);
    list = gf_json_get(unit_json(out.text), "list");
    for (i = 0; i < ITEMS; i++) {
        const char *text = NULL;

        ck_assert(gf_json_string(gf_json_at(list, (apr_size_t)i), &text));
        ck_assert_str_eq(text, apr_psprintf(unit.ctx.pool, "item \"%d\"", i));
    }
    ck_assert_ptr_null(gf_json_at(list, ITEMS));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_number_is_written_as_json,
        a_json_object_is_taken_with_space_around_it,
        what_is_not_one_json_object_is_refused,
        what_only_looks_like_json_is_refused,
        a_number_that_json_does_not_know_is_refused,
        bytes_that_are_not_utf8_are_refused,
        a_text_cut_anywhere_is_refused_and_not_read_beyond,
        what_two_readers_may_read_differently_is_refused,
        a_reply_with_such_flaws_is_read_all_the_same,
        the_number_of_values_has_a_bound,
        nesting_has_a_bound,
        a_value_is_never_converted,
        a_text_with_a_nul_inside_is_no_text,
        a_whole_number_beyond_64_bits_is_clamped,
        a_moderate_value_has_no_endless_number_and_no_nul,
        what_is_absent_or_null_is_not_there,
        a_member_is_added_where_there_is_none,
        what_is_written_has_its_commas_and_nulls,
        whatever_is_written_is_read_back,
        a_buffer_grows_from_nothing_without_loss,
        NULL,
    };

    return unit_run("json", tests);
}

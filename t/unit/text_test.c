/* SPDX-License-Identifier: Apache-2.0 */
/* base/text.c: ids, lengths, tokens, times, sizes and numbers, at and around their edges. */
#include "base/text.h"

#include "unit.h"

START_TEST(a_uuid_is_36_characters_of_hex_and_hyphens)
{
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        { "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", true },
        { "0199A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B", true },
        { "00000000-0000-0000-0000-000000000000", true },
        { NULL, false },
        { "", false },
        { "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5", false },
        { "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b0", false },
        { "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5g", false },
        { "0199a1b2c-3d4-7e5f-8a9b-0c1d2e3f4a5b", false },
        { "0199a1b2+c3d4-7e5f-8a9b-0c1d2e3f4a5b", false },
        { "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5\n", false },
        { "{199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5}", false },
        { "------------------------------------", false },
        { "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a\xc3\xa9", false },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(gf_text_is_uuid(rows[i].text) == rows[i].is, "%s", rows[i].text);
    }
}
END_TEST

START_TEST(an_id_contains_when_it_was_made)
{
    static const struct {
        const char *text;
        apr_time_t time;
    } rows[] = {
        { "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", APR_TIME_C(1759354471380000) },
        { "0199A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B", APR_TIME_C(1759354471380000) },
        { "00000000-0001-7fff-ffff-ffffffffffff", 1000 },
        { "ffffffff-ffff-7fff-ffff-ffffffffffff", APR_TIME_C(281474976710655000) },
        { "0199a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5b", 0 }, /* of another making */
        { "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5", 0 },
        { "", 0 },
        { NULL, 0 },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(gf_text_uuid_time(rows[i].text) == rows[i].time, "%s", rows[i].text);
    }
}
END_TEST

START_TEST(a_length_is_in_characters_not_bytes)
{
    static const struct {
        const char *text;
        apr_size_t length;
    } rows[] = {
        { "", 0 },
        { "neon", 4 },
        { "n\xc3\xa9on", 4 },                                  /* two bytes: e with acute */
        { "\xe6\x9d\xb1\xe4\xba\xac", 2 },                     /* three bytes: Tokyo */
        { "\xf0\x9f\x91\xbe", 1 },                             /* four bytes */
        { "e\xcc\x81", 2 },                                    /* a combining mark counts */
        { "\xe7\x94\x9f\xe6\x88\x90 \xf0\x9f\x8e\xa8 ok", 7 }, /* all sorts together */
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(gf_text_length(rows[i].text) == rows[i].length, "%s", rows[i].text);
    }
}
END_TEST

/* Every byte alone: those of `allowed`, and no other. */
static void check_characters(bool (*is)(const char *, apr_size_t), const char *allowed)
{
    int c;

    for (c = 1; c < 256; c++) {
        char text[2] = { (char)c, '\0' };

        ck_assert_msg(is(text, 10) == (strchr(allowed, c) != NULL), "byte 0x%02x", (unsigned)c);
    }
}

START_TEST(utf8_is_valid_up_to_its_first_bad_byte)
{
    static const struct {
        const char *text;
        apr_size_t length, valid;
    } rows[] = {
        { "", 0, 0 },
        { "neon", 4, 4 },
        { "a\0b", 3, 3 },
        { "\x7f", 1, 1 },
        { "\xc2\x80\xdf\xbf", 4, 4 },
        { "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 12, 12 },
        { "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8, 8 },
        { "ab\x80", 3, 2 }, /* a continuation without a beginning */
        { "ab\xc3", 3, 2 }, /* cut */
        { "ab\xe6\x9d", 4, 2 },
        { "ab\xf0\x9f\x91", 5, 2 },
        { "ab\xc3(", 4, 2 },
        { "ab\xe6\x9d(", 5, 2 },
        { "ab\xf0\x9f\x91(", 6, 2 },
        { "ab\xc0\x80", 4, 2 }, /* the long way */
        { "ab\xc1\xbf", 4, 2 },
        { "ab\xe0\x9f\xbf", 5, 2 },
        { "ab\xf0\x8f\xbf\xbf", 6, 2 },
        { "ab\xed\xa0\x80", 5, 2 }, /* surrogates */
        { "ab\xed\xbf\xbf", 5, 2 },
        { "ab\xf4\x90\x80\x80", 6, 2 }, /* beyond U+10FFFF */
        { "ab\xf5\x80\x80\x80", 6, 2 },
        { "ab\xff", 3, 2 },
        { "\xc3\xa9\xff", 3, 2 },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        char *exact = unit_exact(rows[i].text, rows[i].length);
        apr_size_t valid = gf_text_utf8(exact, rows[i].length);

        free(exact);
        ck_assert_msg(valid == rows[i].valid, "row %lu: %lu", (unsigned long)i,
                      (unsigned long)valid);
    }
}
END_TEST

START_TEST(a_token_is_letters_digits_and_four_signs)
{
    check_characters(gf_text_is_token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789._:-");
    ck_assert(gf_text_is_token("run-2026.11:7_a", 15));
    ck_assert_msg(!gf_text_is_token("run-2026.11:7_a", 14), "one character too long");
    ck_assert_msg(!gf_text_is_token("", 14), "empty");
    ck_assert_msg(!gf_text_is_token("good bad", 14), "a bad character in the middle");
    ck_assert_msg(!gf_text_is_token("caf\xc3\xa9", 14), "a letter beyond ASCII");
}
END_TEST

START_TEST(a_key_is_printable_ascii_without_spaces)
{
    check_characters(gf_text_is_printable, "!\"#$%&'()*+,-./0123456789:;<=>?@"
                                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
                                           "abcdefghijklmnopqrstuvwxyz{|}~");
    ck_assert(gf_text_is_printable("key/1", 5));
    ck_assert_msg(!gf_text_is_printable("key/1", 4), "one character too long");
    ck_assert_msg(!gf_text_is_printable("", 4), "empty");
    ck_assert_msg(!gf_text_is_printable("a b", 4), "a space in the middle");
}
END_TEST

/* What a text means as a time, size or number; `is` false: nothing. */
typedef struct row_t {
    const char *text;
    bool is;
    apr_int64_t value;
} row_t;

static void check_rows(bool (*parse)(apr_int64_t *, const char *), const row_t *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        apr_int64_t value = -77;

        ck_assert_msg(parse(&value, rows[i].text) == rows[i].is, "`%s` should%s be taken",
                      rows[i].text, rows[i].is ? "" : " not");
        if (rows[i].is) {
            ck_assert_msg(value == rows[i].value, "`%s` became %" APR_INT64_T_FMT, rows[i].text,
                          value);
        }
    }
}

START_TEST(a_time_has_a_unit_or_means_seconds)
{
    static const row_t rows[] = {
        { "30s", true, 30000000 },
        { "500ms", true, 500000 },
        { "10m", true, 600000000 },
        { "2h", true, 7200000000 },
        { "7", true, 7000000 },
        { "0", true, 0 },
        { "30S", true, 30000000 },
        { "9223372036854s", true, 9223372036854000000 },
        { "9223372036855s", false, 0 },
        { "2562047789h", false, 0 },
        { "99999999999999999999", false, 0 },
        { "", false, 0 },
        { "s", false, 0 },
        { "-1s", false, 0 },
        { "1.5s", false, 0 },
        { "10 s", false, 0 },
        { "10d", false, 0 },
        { "10mss", false, 0 },
        { "0x10", false, 0 },
        { " 10s", false, 0 },
        { "+10s", false, 0 },
    };

    check_rows(gf_text_time, rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(a_size_has_a_unit_or_means_bytes)
{
    static const row_t rows[] = {
        { "64k", true, 65536 },
        { "10m", true, 10485760 },
        { "1g", true, 1073741824 },
        { "1G", true, 1073741824 },
        { "12", true, 12 },
        { "9223372036854775807", true, APR_INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "9007199254740991k", true, 9223372036854774784 },
        { "9007199254740992k", false, 0 },
        { "8589934592g", false, 0 },
        { "", false, 0 },
        { "k", false, 0 },
        { "-1k", false, 0 },
        { "1kb", false, 0 },
        { "1 k", false, 0 },
        { "\t1k", false, 0 },
    };

    check_rows(gf_text_size, rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(a_number_has_nothing_before_or_behind_it_and_64_bits)
{
    static const row_t rows[] = {
        { "0", true, 0 },
        { "-1", true, -1 },
        { "007", true, 7 },
        { "9223372036854775807", true, APR_INT64_MAX },
        { "-9223372036854775808", true, APR_INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "123456789012345678901234567890", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "1a", false, 0 },
        { "1.0", false, 0 },
        { "1e3", false, 0 },
        { "0x1", false, 0 },
        { "1 ", false, 0 },
        { " 1", false, 0 },
        { "\n1", false, 0 },
    };

    check_rows(gf_text_int, rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(an_interval_is_sent_to_the_database_in_milliseconds)
{
    static const struct {
        apr_interval_time_t interval;
        const char *text;
    } rows[] = {
        { 1500000, "1500 milliseconds" },
        { 0, "0 milliseconds" },
        { apr_time_from_sec(600), "600000 milliseconds" },
        { apr_time_from_sec(10000000000), "10000000000000 milliseconds" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_str_eq(gf_text_interval(unit.ctx.pool, rows[i].interval), rows[i].text);
    }
}
END_TEST

START_TEST(an_instant_is_that_of_rfc_3339)
{
    static const struct {
        const char *text;
        bool is;
        apr_time_t time;
    } rows[] = {
        { "1970-01-01T00:00:00Z", true, 0 },
        { "2026-11-20T22:00:00Z", true, APR_INT64_C(1795212000000000) },
        { "2026-11-21T07:00:00+09:00", true, APR_INT64_C(1795212000000000) },
        { "2026-11-20T18:30:00-03:30", true, APR_INT64_C(1795212000000000) },
        { "2026-11-20T22:00:00.5Z", true, APR_INT64_C(1795212000500000) },
        { "2026-11-20T22:00:00.123456789Z", true, APR_INT64_C(1795212000123456) },
        { "2000-02-29T00:00:00Z", true, APR_INT64_C(951782400000000) },
        { "1969-12-31T23:59:59.999999Z", true, -1 },
        { "1600-02-29T12:00:00Z", true, APR_INT64_C(-11670955200000000) },
        { "0000-01-01T00:00:00Z", true, APR_INT64_C(-62167219200000000) },
        { "9999-12-31T23:59:59Z", true, APR_INT64_C(253402300799000000) },
        { "", false, 7 },
        { "2026-11-20", false, 7 },
        { "2026-11-20T22:00:00", false, 7 },
        { "2026-11-20 22:00:00Z", false, 7 },
        { "2026-11-20T22:00:00 09:00", false, 7 },
        { "2026-11-20t22:00:00z", false, 7 },
        { "2026-11-20T22:00:00.Z", false, 7 },
        { "2026-11-20T22:00:00Z ", false, 7 },
        { "2026-11-20T22:00:00+09", false, 7 },
        { "2026-11-20T22:00:00+0900", false, 7 },
        { "2026-11-20T22:00:00+24:00", false, 7 },
        { "2026-11-20T22:00:00+09:60", false, 7 },
        { "2026-00-20T22:00:00Z", false, 7 },
        { "2026-13-20T22:00:00Z", false, 7 },
        { "2026-11-00T22:00:00Z", false, 7 },
        { "2026-11-31T22:00:00Z", false, 7 },
        { "2026-02-29T22:00:00Z", false, 7 },
        { "1900-02-29T22:00:00Z", false, 7 },
        { "2026-12-32T22:00:00Z", false, 7 },
        { "2026-11-20T24:00:00Z", false, 7 },
        { "2026-11-20T22:60:00Z", false, 7 },
        { "2026-11-20T22:00:60Z", false, 7 },
        { "+026-11-20T22:00:00Z", false, 7 },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        apr_time_t time = 7;

        ck_assert_msg(gf_text_instant(&time, rows[i].text) == rows[i].is, "%s", rows[i].text);
        ck_assert_msg(time == rows[i].time, "%s is %" APR_INT64_T_FMT, rows[i].text, time);
    }
}
END_TEST

START_TEST(words_stand_between_the_blanks_of_all_scripts)
{
    static const struct {
        const char *text;
        const char *words; /* with bars between them */
        const char *trimmed;
    } rows[] = {
        { "", "", "" },
        { " \t\xE3\x80\x80\xC2\xA0 ", "", "" },
        { "one", "one", "one" },
        { " one\ntwo  three ", "one|two|three", "one\ntwo  three" },
        { "\xE5\xA4\x9C\xE3\x80\x80\xE8\xA1\x97", "\xE5\xA4\x9C|\xE8\xA1\x97",
          "\xE5\xA4\x9C\xE3\x80\x80\xE8\xA1\x97" },
        { "\xC2\xA0\xC2\xA1\xE3\x80\x81\xE3\x80\x80", "\xC2\xA1\xE3\x80\x81",
          "\xC2\xA1\xE3\x80\x81" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        apr_array_header_t *words = gf_text_words(unit.ctx.pool, rows[i].text);

        ck_assert_str_eq(apr_array_pstrcat(unit.ctx.pool, words, '|'), rows[i].words);
        ck_assert_str_eq(gf_text_trim(unit.ctx.pool, rows[i].text), rows[i].trimmed);
    }
}
END_TEST

START_TEST(an_array_of_postgres_quotes_its_texts)
{
    static const char *const texts[] = { "a", "", "b,{c}", "\"\\", "NULL", "\x01" };

    ck_assert_str_eq(gf_text_array(unit.ctx.pool, texts, 0), "{}");
    ck_assert_str_eq(gf_text_array(unit.ctx.pool, texts, 1), "{\"a\"}");
    ck_assert_str_eq(gf_text_array(unit.ctx.pool, texts, 6),
                     "{\"a\",\"\",\"b,{c}\",\"\\\"\\\\\",\"NULL\",\"\x01\"}");
}
END_TEST

START_TEST(control_characters_are_those_of_both_ranges)
{
    static const struct {
        const char *text;
        bool has;
    } rows[] = {
        { "", false },
        { "a b", false },
        { "\xC2\xA0", false },
        { "\xE8\x80\x80", false },
        { "a\n", true },
        { "\x1F", true },
        { "\x7F", true },
        { "a\xC2\x80", true },
        { "\xC2\x9F"
          "b",
          true },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(gf_text_has_control(rows[i].text) == rows[i].has, "row %d", (int)i);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_uuid_is_36_characters_of_hex_and_hyphens,
        an_id_contains_when_it_was_made,
        a_length_is_in_characters_not_bytes,
        utf8_is_valid_up_to_its_first_bad_byte,
        a_token_is_letters_digits_and_four_signs,
        a_key_is_printable_ascii_without_spaces,
        a_time_has_a_unit_or_means_seconds,
        a_size_has_a_unit_or_means_bytes,
        a_number_has_nothing_before_or_behind_it_and_64_bits,
        an_interval_is_sent_to_the_database_in_milliseconds,
        an_instant_is_that_of_rfc_3339,
        words_stand_between_the_blanks_of_all_scripts,
        an_array_of_postgres_quotes_its_texts,
        control_characters_are_those_of_both_ranges,
        NULL,
    };

    return unit_run("text", tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* model/language.c: which of several texts a client gets for its Accept-Language, and which texts
 * the configuration may have. */
#include "model/language.h"

#include <apr_strings.h>

#include "unit.h"

#define MAX 20 /* characters of a text */

static apr_array_header_t *texts_of(const char *const *languages)
{
    apr_array_header_t *texts = NULL;
    int i;

    for (i = 0; languages[i]; i++) {
        const char *language = strcmp(languages[i], "any") == 0 ? NULL : languages[i];

        ck_assert_ptr_null(gf_language_add(&texts, language, languages[i], MAX, unit.ctx.pool));
    }
    return texts;
}

START_TEST(the_text_is_of_the_most_preferred_language_that_has_one)
{
    static const struct {
        const char *languages[5];
        const char *accepted, *gets;
    } cases[] = {
        { { "en", "ja" }, "ja", "ja" },
        { { "en", "ja" }, "JA-jp", "ja" },
        { { "en", "ja" }, "fr, ja;q=0.5, en;q=0.7", "en" },
        { { "en", "ja" }, "fr,ja;q=0.7,en;q=0.7", "ja" },
        { { "en", "ja" }, "ja;q=0, en;q=0.1", "en" },
        { { "en", "ja" }, "ja;q=0", "en" },
        { { "en", "ja" }, "fr, *;q=0.5", "en" },
        { { "en", "ja" }, "*, ja;q=0.5", "en" },
        { { "en", "ja", "any" }, "fr", "any" },
        { { "ja", "any" }, "en, ja;q=0.2", "ja" },
        { { "ja", "any" }, "en, *;q=0.9, ja;q=0.2", "any" },
        { { "en-GB", "en", "ja" }, "en-US", "en" },
        { { "en-GB", "ja" }, "en", "en-GB" },
        { { "zh-Hans", "zh-Hant" }, "zh-Hant-TW", "zh-Hant" },
        { { "en", "ja" }, "jav, j, ja-", "ja" },
        { { "en", "ja" }, "jav, j", "en" },
        { { "en", "ja" }, NULL, "en" },
        { { "ja", "en" }, "", "ja" },
        { { "en", "ja" }, ",;,;q=1,,q=0.5;;=,  ;", "en" },
        { { "en", "ja" }, "ja;q=2", "en" },
        { { "en", "ja" }, "ja;q=1.9", "ja" },
        { { "en", "ja" }, "ja;q=-1, en;q=0.1", "en" },
        { { "en", "ja" }, "ja;q=0.0009, en;q=0.001", "en" },
        { { "en", "ja" }, "ja ; q=0.9, en;q=0.8", "ja" },
        { { "en", "ja" }, "\xff\xfe\x01ja", "en" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(cases); i++) {
        const char *got = gf_language_find(texts_of(cases[i].languages), cases[i].accepted);

        ck_assert_msg(strcmp(got, cases[i].gets) == 0, "%s: %s instead of %s",
                      cases[i].accepted ? cases[i].accepted : "no header", got, cases[i].gets);
    }
    ck_assert_ptr_null(gf_language_find(NULL, "en"));
}
END_TEST

START_TEST(of_a_long_header_the_first_64_languages_count)
{
    static const char *const languages[] = { "en", "ja", NULL };
    const char *header = "x1";
    int i;

    for (i = 1; i < GF_LANGUAGE_RANGES_MAX - 1; i++) {
        header = apr_pstrcat(unit.ctx.pool, header, ",xx", NULL);
    }
    ck_assert_str_eq(
        gf_language_find(texts_of(languages), apr_pstrcat(unit.ctx.pool, header, ",ja", NULL)),
        "ja");
    ck_assert_str_eq(
        gf_language_find(texts_of(languages), apr_pstrcat(unit.ctx.pool, header, ",xx,ja", NULL)),
        "en");
}
END_TEST

START_TEST(the_last_text_of_a_language_counts)
{
    apr_array_header_t *texts = NULL;

    ck_assert_ptr_null(gf_language_add(&texts, "ja", "one", MAX, unit.ctx.pool));
    ck_assert_ptr_null(gf_language_add(&texts, NULL, "other", MAX, unit.ctx.pool));
    ck_assert_ptr_null(gf_language_add(&texts, "JA", "two", MAX, unit.ctx.pool));
    ck_assert_ptr_null(gf_language_add(&texts, NULL, "another", MAX, unit.ctx.pool));
    ck_assert_int_eq(texts->nelts, 2);
    ck_assert_str_eq(gf_language_find(texts, "ja"), "two");
    ck_assert_str_eq(gf_language_find(texts, "en"), "another");
}
END_TEST

START_TEST(bad_texts_and_languages_are_refused)
{
    static const char *const tags[] = { "",
                                        "-",
                                        "en-",
                                        "-en",
                                        "e n",
                                        "1a",
                                        "en--GB",
                                        "abcdefghi",
                                        "en_GB",
                                        "*",
                                        "en-abcdefgh-abcdefgh-abcdefgh-abcdefgh",
                                        "\xc3\xa4" };
    static const char *const texts[] = {
        "", "a\nb", "\t", "\x7f", "\xc2\x85", "\xff", "\xed\xa0\x80", "123456789012345678901"
    };
    apr_array_header_t *list = NULL;
    size_t i;

    for (i = 0; i < UNIT_COUNT(tags); i++) {
        ck_assert_msg(gf_language_add(&list, tags[i], "text", MAX, unit.ctx.pool),
                      "%s is taken for a language", tags[i]);
    }
    for (i = 0; i < UNIT_COUNT(texts); i++) {
        ck_assert_msg(gf_language_add(&list, "en", texts[i], MAX, unit.ctx.pool),
                      "text %d is taken", (int)i);
    }
    ck_assert(!list || list->nelts == 0);
    /* 20 characters of 60 bytes */
    ck_assert_ptr_null(gf_language_add(
        &list, "zh-Hant-TW",
        "\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f"
        "\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f"
        "\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f\xe7\x94\x9f",
        MAX, unit.ctx.pool));
}
END_TEST

START_TEST(there_may_be_64_languages)
{
    apr_array_header_t *texts = NULL;
    int i;

    for (i = 0; i < GF_LANGUAGE_TEXTS_MAX; i++) {
        ck_assert_ptr_null(gf_language_add(&texts, apr_psprintf(unit.ctx.pool, "en-%d", i), "text",
                                           MAX, unit.ctx.pool));
    }
    ck_assert_ptr_nonnull(gf_language_add(&texts, "ja", "text", MAX, unit.ctx.pool));
    ck_assert_ptr_null(gf_language_add(&texts, "en-63", "text", MAX, unit.ctx.pool));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_text_is_of_the_most_preferred_language_that_has_one,
        of_a_long_header_the_first_64_languages_count,
        the_last_text_of_a_language_counts,
        bad_texts_and_languages_are_refused,
        there_may_be_64_languages,
        NULL,
    };

    return unit_run("language", tests);
}

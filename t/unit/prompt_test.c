/* SPDX-License-Identifier: Apache-2.0 */
/* model/prompt.c: which words there are, and which text a wish becomes: each part, their order,
 * the same again. */
#include "model/prompt.h"

#include "unit.h"

static const char *compose(const gf_wish_t *wish)
{
    return gf_prompt_compose(wish, unit.ctx.pool);
}

START_TEST(words_are_those_of_the_api)
{
    static const struct {
        const gf_prompt_word_t *rows;
        const char *words[8];
    } tables[] = {
        { gf_prompt_styles, { "realistic", "artistic", "minimal" } },
        { gf_prompt_qualities, { "auto", "high", "medium", "low" } },
        { gf_prompt_ratios, { "1:1", "16:9", "9:16", "3:2", "2:3", "4:3", "3:4" } },
    };
    static const char *const others[] = { "", "Realistic", "high ", "16:10", "16", ":" };
    size_t i, j;

    for (i = 0; i < UNIT_COUNT(tables); i++) {
        for (j = 0; tables[i].words[j]; j++) {
            const gf_prompt_word_t *row = gf_prompt_word(tables[i].rows, tables[i].words[j]);

            ck_assert_msg(row, "there is no %s", tables[i].words[j]);
            ck_assert_str_eq(row->word, tables[i].words[j]);
            ck_assert_ptr_nonnull(row->says);
        }
        ck_assert_msg(!tables[i].rows[j].word, "%s is a word too many", tables[i].rows[j].word);
        for (j = 0; j < UNIT_COUNT(others); j++) {
            ck_assert_ptr_null(gf_prompt_word(tables[i].rows, others[j]));
        }
    }
}
END_TEST

START_TEST(a_wish_without_a_word_is_empty)
{
    ck_assert_str_eq(compose(&(gf_wish_t){ .preset = NULL }), "");
    ck_assert_str_eq(compose(&(gf_wish_t){ .preset = "", .custom = "" }), "");
    ck_assert_str_eq(
        compose(&(gf_wish_t){ .quality = gf_prompt_word(gf_prompt_qualities, "auto") }), "");
}
END_TEST

START_TEST(preset_and_user_stand_with_a_comma_between)
{
    ck_assert_str_eq(compose(&(gf_wish_t){ .preset = "neon", .custom = "a cat" }), "neon, a cat");
    ck_assert_str_eq(compose(&(gf_wish_t){ .preset = "neon" }), "neon");
    ck_assert_str_eq(compose(&(gf_wish_t){ .custom = "a cat, asleep" }), "a cat, asleep");
    ck_assert_str_eq(compose(&(gf_wish_t){ .preset = "", .custom = "100%s" }), "100%s");
}
END_TEST

START_TEST(every_word_adds_its_text)
{
    static const gf_prompt_word_t *const tables[] = { gf_prompt_styles, gf_prompt_qualities,
                                                      gf_prompt_ratios };
    size_t i;

    for (i = 0; i < UNIT_COUNT(tables); i++) {
        const gf_prompt_word_t *row;

        for (row = tables[i]; row->word; row++) {
            gf_wish_t wish = { .custom = "a cat",
                               .style = i == 0 ? row : NULL,
                               .quality = i == 1 ? row : NULL,
                               .ratio = i == 2 ? row : NULL };
            const char *should =
                row->says[0] ? apr_pstrcat(unit.ctx.pool, "a cat, ", row->says, NULL) : "a cat";

            ck_assert_str_eq(compose(&wish), should);
        }
    }
}
END_TEST

START_TEST(pictures_are_named_with_their_number)
{
    static const struct {
        int products, models;
        const char *prompt;
    } rows[] = {
        { 0, 0, "a beach" },
        { 1, 0, "product photograph of the product in the picture, a beach" },
        { 5, 0, "product photograph of the products in the 5 pictures, a beach" },
        { 1, 1,
          "product photograph of the product in the picture, presented by the person in the model "
          "picture, a beach" },
        { 2, 3,
          "product photograph of the products in the 2 pictures, presented by the people in the 3 "
          "model pictures, a beach" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_str_eq(compose(&(gf_wish_t){ .custom = "a beach",
                                               .product_images = rows[i].products,
                                               .model_images = rows[i].models }),
                         rows[i].prompt);
    }
}
END_TEST

START_TEST(all_parts_have_their_order_and_the_same_wish_is_the_same_text)
{
    gf_wish_t wish = { .preset = "neon",
                       .custom = "on a beach",
                       .style = gf_prompt_word(gf_prompt_styles, "minimal"),
                       .quality = gf_prompt_word(gf_prompt_qualities, "high"),
                       .ratio = gf_prompt_word(gf_prompt_ratios, "16:9"),
                       .product_images = 1,
                       .model_images = 1 };

    ck_assert_str_eq(compose(&wish),
                     "neon, product photograph of the product in the picture, presented by the "
                     "person in the model picture, on a beach, minimalist composition, plain "
                     "background, few elements, generous empty space, intricate detail, sharp "
                     "focus, high resolution, wide 16:9 composition");
    ck_assert_str_eq(compose(&wish), compose(&wish));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        words_are_those_of_the_api,
        a_wish_without_a_word_is_empty,
        preset_and_user_stand_with_a_comma_between,
        every_word_adds_its_text,
        pictures_are_named_with_their_number,
        all_parts_have_their_order_and_the_same_wish_is_the_same_text,
        NULL,
    };

    return unit_run("prompt", tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* model/param.c: what a client may request. Every rule at both sides of its bound, all bad
 * fields reported at once, and what a good request becomes. */
#include "form.h"

#define PARAMETERS_MAX 8192

/* A type with presets, a prompt of 3 to 20 characters and 3 retries. */
static void make_type(void)
{
    static const gf_preset_t rows[] = {
        { .key = "off",
          .category = "night",
          .prompt = "fog",
          .parameters = "{}",
          .available_at = "2026-11-23T00:00:00.000Z" },
        { .key = "base",
          .category = "day",
          .prompt = "Neo Tokyo night",
          .parameters = "{\"strength\": 0.300, \"negative_prompt\": \"blur\"}",
          .is_on = true },
        { .key = "raw",
          .category = "night",
          .prompt = "",
          .parameters = "{\"strength\": 0.550, \"deep\": [9]}",
          .is_on = true },
    };
    size_t i;

    presets.list = apr_array_make(unit.ctx.pool, 3, sizeof(gf_preset_t));
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        APR_ARRAY_PUSH(presets.list, gf_preset_t) = rows[i];
    }
    form_type();
}

/* A good body with `more` members behind prompt and preset, which may be another one. */
static const char *good_with(const char *more)
{
    return apr_pstrcat(unit.ctx.pool, "{\"prompt\":\"a cat\"",
                       strstr(more, "\"presetKey\"") ? "" : ",\"presetKey\":\"base\"",
                       more[0] ? "," : "", more, "}", NULL);
}

START_TEST(one_bad_field_keeps_its_own_code)
{
    static const struct {
        const char *body;
        gf_err_code_t code;
        const char *field;
        bool missing;
        const char *extra;
    } rows[] = {
        { "{\"presetKey\":\"base\"}", GF_E_INVALID, "prompt", true, NULL },
        { "{\"prompt\":null,\"presetKey\":\"base\"}", GF_E_INVALID, "prompt", true, NULL },
        { "{\"prompt\":7,\"presetKey\":\"base\"}", GF_E_INVALID, "prompt", false, NULL },
        { "{\"prompt\":\"a\\u0000cat\",\"presetKey\":\"base\"}", GF_E_INVALID, "prompt", false,
          NULL },
        { "{\"prompt\":\"no\",\"presetKey\":\"base\"}", GF_E_PROMPT, "prompt", false,
          "\"minLength\":3" },
        { "{\"prompt\":\"\",\"presetKey\":\"base\"}", GF_E_PROMPT, "prompt", false,
          "\"minLength\":3" },
        { "{\"prompt\":\"123456789012345678901\",\"presetKey\":\"base\"}", GF_E_PROMPT_LENGTH,
          "prompt", false, "\"maxLength\":20" },
        { "{\"prompt\":\"a cat\",\"presetKey\":[\"base\"]}", GF_E_INVALID, "presetKey", false,
          NULL },
        { "{\"prompt\":\"a cat\",\"presetKey\":\"nope\"}", GF_E_PRESET, "presetKey", false,
          "\"received\":\"nope\",\"valid\":[\"base\",\"raw\"]" },
        { "{\"prompt\":\"a cat\",\"presetKey\":\"BASE\"}", GF_E_PRESET, "presetKey", false,
          "\"received\":\"BASE\",\"valid\":[\"base\",\"raw\"]" },
        { "{\"prompt\":\"a cat\",\"presetKey\":\"a\\\"b\"}", GF_E_PRESET, "presetKey", false,
          "\"received\":\"a\\\"b\",\"valid\":[\"base\",\"raw\"]" },
        { "{\"prompt\":\"a cat\",\"presetKey\":\"off\"}", GF_E_PRESET_OFF, "presetKey", false,
          ("\"received\":\"off\",\"suggestion\":\"raw\",\"available\":[\"base\",\"raw\"],"
           "\"availableAt\":\"2026-11-23T00:00:00.000Z\"") },
    };
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_err_t *err = refuse(rows[i].body);

        ck_assert_msg(gf_err_is(err, rows[i].code), "%s: %s", rows[i].body, err->row->code);
        ck_assert_msg(err->fields->nelts == 1, "%s: %d fields", rows[i].body, err->fields->nelts);
        ck_assert_str_eq(field_of(err, 0)->field, rows[i].field);
        ck_assert_msg(field_of(err, 0)->missing == rows[i].missing, "%s", rows[i].body);
        ck_assert_pstr_eq(err->extra, rows[i].extra);
    }
}
END_TEST

START_TEST(a_member_out_of_its_bounds_is_refused_by_name)
{
    static const struct {
        const char *member;
        const char *field;
    } rows[] = {
        { "\"runId\":\"\"", "runId" },
        { "\"runId\":\"a b\"", "runId" },
        { "\"run_id\":7", "runId" },
        { "\"seed\":-1", "seed" },
        { "\"seed\":4294967295", "seed" },
        { "\"seed\":9223372036854775808", "seed" },
        { "\"seed\":18446744073709551616", "seed" },
        { "\"seed\":-9223372036854775809", "seed" },
        { "\"seed\":1.5", "seed" },
        { "\"seed\":1e3", "seed" },
        { "\"seed\":\"7\"", "seed" },
        { "\"seed\":true", "seed" },
        { "\"maxRetries\":4", "maxRetries" },
        { "\"maxRetries\":-1", "maxRetries" },
        { "\"maxRetries\":4294967297", "maxRetries" },
        { "\"maxRetries\":\"0\"", "maxRetries" },
        { "\"strength\":1.001", "strength" },
        { "\"strength\":-0.1", "strength" },
        { "\"strength\":\"0.5\"", "strength" },
        { "\"parameters\":[]", "parameters" },
        { "\"parameters\":\"{}\"", "parameters" },
        { "\"parameters\":7", "parameters" },
        { "\"style\":\"baroque\"", "style" },
        { "\"style\":7", "style" },
        { "\"quality\":\"\"", "quality" },
        { "\"aspectRatio\":\"16:10\"", "aspectRatio" },
        { "\"aspectRatio\":[]", "aspectRatio" },
        { "\"guidance_scale\":21", "guidance_scale" },
        { "\"negative_prompt\":7", "negative_prompt" },
        { "\"parameters\":{\"seed\":-1}", "seed" },
        { "\"parameters\":{\"strength\":2}", "strength" },
        { "\"parameters\":{\"guidance_scale\":0.9}", "guidance_scale" },
        { "\"parameters\":{\"guidance_scale\":21}", "guidance_scale" },
        { "\"parameters\":{\"num_inference_steps\":0}", "num_inference_steps" },
        { "\"parameters\":{\"num_inference_steps\":101}", "num_inference_steps" },
        { "\"parameters\":{\"cfg_scale\":0}", "cfg_scale" },
        { "\"parameters\":{\"cfg_scale\":11}", "cfg_scale" },
        { "\"parameters\":{\"control_strength\":1.1}", "control_strength" },
        { "\"parameters\":{\"fidelity\":-1}", "fidelity" },
        { "\"parameters\":{\"aspect_ratio\":169}", "aspect_ratio" },
        { "\"parameters\":{\"aspect_ratio\":\"123456789\"}", "aspect_ratio" },
        { "\"parameters\":{\"style_preset\":{}}", "style_preset" },
        { "\"parameters\":{\"output_format\":\"image/png\"}", "output_format" },
        { "\"parameters\":{\"negative_prompt\":false}", "negative_prompt" },
        { "\"parameters\":{\"x\":\"a\\u0000b\"}", "parameters" },
        { "\"parameters\":{\"x\":\"\\\\\\u0000\"}", "parameters" },
        { "\"parameters\":{\"x\":[1e16]}", "parameters" },
        { "\"parameters\":{\"x\":1e-300}", "parameters" },
        { "\"strength\":1e-9999", "parameters" },
        { "\"fidelity\":0e-9999", "parameters" },
        { "\"strength\":1e400", "strength" },
        { "\"output_format\":\"a\\u0000b\"", "output_format" },
    };
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_err_t *err = refuse(good_with(rows[i].member));

        ck_assert_msg(gf_err_is(err, GF_E_INVALID), "%s: %s", rows[i].member, err->row->code);
        ck_assert_msg(err->fields->nelts == 1, "%s: %d", rows[i].member, err->fields->nelts);
        ck_assert_msg(strcmp(field_of(err, 0)->field, rows[i].field) == 0, "%s: %s", rows[i].member,
                      field_of(err, 0)->field);
        ck_assert_msg(!field_of(err, 0)->missing, "%s", rows[i].member);
    }
}
END_TEST

START_TEST(a_member_at_its_bounds_is_taken)
{
    static const char *const rows[] = {
        "\"runId\":\"r\"",
        "\"runId\":null,\"seed\":null,\"maxRetries\":null,\"strength\":null,\"parameters\":null",
        "\"seed\":0",
        "\"seed\":4294967294",
        "\"maxRetries\":0",
        "\"maxRetries\":3",
        "\"strength\":0",
        "\"strength\":1",
        "\"parameters\":{}",
        "\"parameters\":{\"guidance_scale\":1,\"num_inference_steps\":1,\"cfg_scale\":1}",
        "\"parameters\":{\"guidance_scale\":20,\"num_inference_steps\":100,\"cfg_scale\":10}",
        "\"parameters\":{\"control_strength\":1,\"fidelity\":0.0,\"strength\":1.0}",
        "\"parameters\":{\"aspect_ratio\":\"16:9\",\"output_format\":\"webp\"}",
        "\"style\":\"minimal\",\"quality\":\"high\",\"aspectRatio\":\"9:16\"",
        "\"style\":null,\"quality\":null,\"aspectRatio\":null",
        "\"sourceUrl\":null",
        "\"userId\":\"somebody else\",\"generationMeta\":[1,{}]",
    };
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        take(good_with(rows[i]));
    }
}
END_TEST

START_TEST(a_source_picture_is_refused_by_a_type_that_takes_none)
{
    static const char *const rows[] = { "sourceUrl", "sourceAssetId", "image" };
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_err_t *err = refuse(
            good_with(apr_psprintf(unit.ctx.pool, "\"%s\":\"https://example.test/a\"", rows[i])));

        ck_assert_msg(gf_err_is(err, GF_E_SOURCE_URL), "%s: %s", rows[i], err->row->code);
        ck_assert_str_eq(field_of(err, 0)->field, rows[i]);
    }
}
END_TEST

START_TEST(all_bad_fields_are_named_at_once)
{
    static const struct {
        const char *field;
        bool missing;
    } rows[] = {
        { "prompt", true },        { "presetKey", false },  { "sourceUrl", false },
        { "runId", false },        { "maxRetries", false }, { "seed", false },
        { "seed", false },         { "strength", false },   { "cfg_scale", false },
        { "aspect_ratio", false },
    };
    gf_err_t *err;
    size_t i;

    make_type();
    err = refuse("{\"presetKey\":\"nope\",\"sourceUrl\":\"x\",\"runId\":\"a b\",\"seed\":-1,"
                 "\"maxRetries\":9,\"strength\":7,\"parameters\":{\"cfg_scale\":0,"
                 "\"aspect_ratio\":1,\"seed\":1.5}}");
    ck_assert_msg(gf_err_is(err, GF_E_INVALID), "%s", err->row->code);
    ck_assert_msg(!err->extra, "the details of one field do not belong to all: %s", err->extra);
    ck_assert_int_eq(err->fields->nelts, (int)UNIT_COUNT(rows));
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_str_eq(field_of(err, (int)i)->field, rows[i].field);
        ck_assert_msg(field_of(err, (int)i)->missing == rows[i].missing, "%s", rows[i].field);
        ck_assert_msg(field_of(err, (int)i)->message[0], "%s has no message", rows[i].field);
    }
}
END_TEST

START_TEST(two_fields_with_codes_of_their_own_share_one)
{
    static const char *const rows[] = {
        "{\"prompt\":\"no\",\"presetKey\":\"nope\"}",
        "{\"prompt\":\"123456789012345678901\",\"presetKey\":\"nope\"}",
        "{\"prompt\":\"a cat\",\"presetKey\":\"nope\",\"image\":\"x\"}",
    };
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_err_t *err = refuse(rows[i]);

        ck_assert_msg(gf_err_is(err, GF_E_INVALID), "%s: %s", rows[i], err->row->code);
        ck_assert_int_eq(err->fields->nelts, 2);
        ck_assert_ptr_null(err->extra);
    }
}
END_TEST

/* The field that an empty object lacks. */
static const char *lacking(void)
{
    gf_err_t *err = refuse("{}");

    ck_assert(gf_err_is(err, GF_E_INVALID));
    ck_assert_int_eq(err->fields->nelts, 1);
    ck_assert(field_of(err, 0)->missing);
    return field_of(err, 0)->field;
}

START_TEST(somebody_says_what_to_draw_the_user_or_a_preset)
{
    int i;

    make_type();
    ck_assert_str_eq(lacking(), "prompt");
    ck_assert_str_eq(field_of(refuse("{\"presetKey\":\"base\"}"), 0)->field, "prompt");
    ck_assert_ptr_null(take("{\"prompt\":\"a cat\"}").preset);
    type.prompt_min = 0;
    ck_assert_str_eq(lacking(), "presetKey");
    ck_assert_str_eq(field_of(refuse("{\"prompt\":\"a cat\"}"), 0)->field, "presetKey");
    for (i = 0; i < presets.list->nelts; i++) {
        APR_ARRAY_IDX(presets.list, i, gf_preset_t).is_on = false;
    }
    ck_assert_ptr_null(take("{\"prompt\":\"a cat\"}").preset); /* none could be taken */
}
END_TEST

START_TEST(a_preset_that_is_off_is_refused_with_what_helps)
{
    gf_preset_t *off;

    make_type();
    off = &APR_ARRAY_IDX(presets.list, 0, gf_preset_t);
    off->category = "noon"; /* no other has it */
    off->available_at = NULL;
    ck_assert_str_eq(refuse("{\"prompt\":\"a cat\",\"preset\":\"off\"}")->extra,
                     "\"received\":\"off\",\"suggestion\":\"base\","
                     "\"available\":[\"base\",\"raw\"],\"availableAt\":null");
    APR_ARRAY_IDX(presets.list, 1, gf_preset_t).is_on = false;
    APR_ARRAY_IDX(presets.list, 2, gf_preset_t).is_on = false;
    ck_assert_str_eq(refuse("{\"prompt\":\"a cat\",\"preset\":\"off\"}")->extra,
                     "\"received\":\"off\",\"suggestion\":null,\"available\":[],"
                     "\"availableAt\":null");
}
END_TEST

START_TEST(a_prompt_is_measured_in_characters)
{
    static const char tokyo[] = "\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac"; /* 4 */
    const char *twenty;

    make_type();
    twenty = apr_pstrcat(unit.ctx.pool, tokyo, tokyo, tokyo, tokyo, tokyo, NULL);
    take(apr_psprintf(unit.ctx.pool, "{\"prompt\":\"%s\",\"preset\":\"raw\"}", twenty));
    refuse(apr_psprintf(unit.ctx.pool, "{\"prompt\":\"%s!\",\"preset\":\"raw\"}", twenty));
    take("{\"prompt\":\"\xe6\x9d\xb1\xe4\xba\xac!\",\"preset\":\"raw\"}");
}
END_TEST

START_TEST(older_spellings_are_understood)
{
    static const char *const bodies[] = {
        "{\"prompt\":\"a cat\",\"presetKey\":\"raw\",\"runId\":\"r-1\"}",
        "{\"customPrompt\":\"a cat\",\"preset_key\":\"raw\",\"run_id\":\"r-1\"}",
        "{\"prompt\":\"a cat\",\"preset\":\"raw\",\"runId\":\"r-1\",\"run_id\":\"other\"}",
        ("{\"prompt\":\"a cat\",\"customPrompt\":\"a dog\",\"presetKey\":\"raw\","
         "\"preset\":\"base\",\"runId\":\"r-1\"}"),
    };
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(bodies); i++) {
        gf_spec_t spec = take(bodies[i]);

        ck_assert_ptr_eq(spec.type, &type);
        ck_assert_str_eq(spec.prompt, "a cat");
        ck_assert_str_eq(spec.preset, "raw");
        ck_assert_str_eq(spec.run_id, "r-1");
        ck_assert_ptr_null(spec.source_url);
    }
}
END_TEST

START_TEST(the_prompt_is_composed_from_preset_and_client)
{
    make_type();
    ck_assert_str_eq(take(good_with("")).prompt, "Neo Tokyo night, a cat");
    ck_assert_str_eq(take("{\"prompt\":\"a cat\",\"preset\":\"raw\"}").prompt, "a cat");
    type.prompt_min = 0;
    ck_assert_str_eq(take("{\"preset\":\"base\"}").prompt, "Neo Tokyo night");
    ck_assert_str_eq(take("{\"prompt\":\"\",\"preset\":\"base\"}").prompt, "Neo Tokyo night");
    ck_assert_str_eq(take("{\"preset\":\"raw\"}").prompt, "");
}
END_TEST

START_TEST(words_for_the_picture_join_the_prompt)
{
    gf_spec_t spec;

    make_type();
    spec =
        take(good_with("\"style\":\"artistic\",\"quality\":\"medium\",\"aspectRatio\":\"16:9\""));
    ck_assert_str_eq(spec.prompt,
                     "Neo Tokyo night, a cat, artistic interpretation, expressive light "
                     "and colour, painterly texture, clean detail, wide 16:9 "
                     "composition");
}
END_TEST

/* The text of one member of the parameters that a body with `more` members comes to. */
static const char *parameter_of(const char *more, const char *name)
{
    gf_json_t *value = gf_json_get(unit_json(take(good_with(more)).parameters), name);

    return value ? gf_json_text(value) : NULL;
}

START_TEST(strength_is_the_clients_or_else_the_presets)
{
    static const struct {
        const char *more, *strength;
    } rows[] = {
        { "", "0.300" },
        { "\"strength\":0.75", "0.75" },
        { "\"strength\":0", "0" },
        { "\"parameters\":{}", "0.300" },
        { "\"parameters\":{\"strength\":0.125}", "0.125" },
        { "\"strength\":0.9,\"parameters\":{\"strength\":0.125}", "0.125" },
        { "\"parameters\":{\"fidelity\":1}", "0.300" },
        { "\"parameters\":{\"control_strength\":1}", "0.300" },
        { "\"parameters\":{\"x\":\"\\\"strength\\\":\"}", "0.300" },
        { "\"parameters\":{\"strength\":null}", "0.300" },
        { "\"parameters\":{\"x\":{\"strength\":0.9}}", "0.300" },
        { "\"parameters\":{\"x\":[{\"strength\":0.9}]}", "0.300" },
    };
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *strength = parameter_of(rows[i].more, "strength");

        ck_assert_msg(strength && strcmp(strength, rows[i].strength) == 0, "%s: %s", rows[i].more,
                      strength ? strength : "none");
    }
    presets.list->nelts = 0;
    ck_assert_str_eq(take("{\"prompt\":\"a cat\"}").parameters, "{}");
    ck_assert_str_eq(take("{\"prompt\":\"a cat\",\"strength\":0.5}").parameters,
                     "{\"strength\":0.5}");
}
END_TEST

START_TEST(who_says_it_first_has_it)
{
    static const struct {
        const char *more, *name, *value;
    } rows[] = {
        { "", "negative_prompt", "\"blur\"" },
        { "\"negative_prompt\":\"rain\"", "negative_prompt", "\"rain\"" },
        { "\"parameters\":{\"negative_prompt\":\"\"}", "negative_prompt", "\"\"" },
        { "\"guidance_scale\":3", "guidance_scale", "3" },
        { "\"guidance_scale\":3,\"parameters\":{\"guidance_scale\":4}", "guidance_scale", "4" },
        { "\"num_inference_steps\":null", "num_inference_steps", NULL },
        { "\"parameters\":{\"guidance_scale\":null},\"guidance_scale\":3", "guidance_scale", "3" },
        { "\"presetKey\":\"raw\"", "deep", "[9]" },
        { "\"presetKey\":\"raw\",\"parameters\":{\"deep\":[]}", "deep", "[]" },
        { "\"aspectRatio\":\"3:2\"", "aspect_ratio", "\"3:2\"" },
        { "\"aspectRatio\":\"3:2\",\"parameters\":{\"aspect_ratio\":\"1:1\"}", "aspect_ratio",
          "\"1:1\"" },
        { "\"style\":\"minimal\",\"generationMeta\":1", "generationMeta", NULL },
    };
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_pstr_eq(parameter_of(rows[i].more, rows[i].name), rows[i].value);
    }
}
END_TEST

START_TEST(an_unknown_member_is_refused_with_the_nearest_name)
{
    static const struct {
        const char *member, *field, *message;
    } rows[] = {
        { "\"promt\":1", "promt", "is not known here; did you mean prompt?" },
        { "\"PromPt\":1", "PromPt", "is not known here; did you mean prompt?" },
        { "\"sourceURL\":1", "sourceURL", "is not known here; did you mean sourceUrl?" },
        { "\"zzzzzzzzzzzz\":1", "zzzzzzzzzzzz", "is not known here: leave it out" },
        { "\"\":1", "", "is not known here; did you mean n?" },
        { "\"promt\":null", "promt", "is not known here; did you mean prompt?" },
    };
    gf_spec_t spec;
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_param_t form = form_of(good_with(rows[i].member));
        gf_err_t *err = gf_param_check(&spec, &form);

        ck_assert_msg(gf_err_is(err, GF_E_INVALID), "%s", rows[i].member);
        ck_assert_str_eq(field_of(err, 0)->field, rows[i].field);
        ck_assert_str_eq(field_of(err, 0)->message, rows[i].message);
        form.input.lenient = true;
        ck_assert_msg(!gf_param_check(&spec, &form), "%s where they are ignored", rows[i].member);
    }
}
END_TEST

START_TEST(parameters_unknown_to_us_travel_along)
{
    static const struct {
        const char *more, *name, *value;
    } rows[] = {
        { "\"parameters\":{\"fidelity\":1}", "fidelity", "1" },
        { "\"parameters\":{\"mood\":\"a/b \\\"c\\\" \xe6\x9d\xb1\"}", "mood",
          "\"a/b \\\"c\\\" \xe6\x9d\xb1\"" },
        { "\"parameters\":{\"deep\":[{}],\"strength\":1}", "deep", "[{}]" },
        { "\"parameters\":{\"x\":\"\\\\\\\\\"}", "x", "\"\\\\\\\\\"" },
    };
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_pstr_eq(parameter_of(rows[i].more, rows[i].name), rows[i].value);
    }
}
END_TEST

START_TEST(a_backslash_before_u0000_is_no_nul)
{
    static const char *const good[] = { "\\\\u0000", "\\\\\\\\u0000", "u0000" };
    size_t i;

    make_type();
    for (i = 0; i < UNIT_COUNT(good); i++) {
        take(good_with(apr_psprintf(unit.ctx.pool, "\"parameters\":{\"x\":\"%s\"}", good[i])));
    }
}
END_TEST

/* A body whose parameters take so many bytes without spaces. */
static const char *parameters_of(apr_size_t bytes)
{
    char *x = apr_pcalloc(unit.ctx.pool, bytes);

    memset(x, 'x', bytes - strlen("{\"a\":\"\"}"));
    return good_with(apr_pstrcat(unit.ctx.pool, "\"parameters\": { \"a\": \"", x, "\" }", NULL));
}

START_TEST(lengths_have_their_bounds)
{
    char *run_id = apr_pcalloc(unit.ctx.pool, 300);

    make_type();
    take(parameters_of(PARAMETERS_MAX));
    ck_assert_str_eq(field_of(refuse(parameters_of(PARAMETERS_MAX + 1)), 0)->field, "parameters");
    memset(run_id, 'r', 200);
    take(good_with(apr_psprintf(unit.ctx.pool, "\"runId\":\"%s\"", run_id)));
    run_id[200] = 'r';
    refuse(good_with(apr_psprintf(unit.ctx.pool, "\"runId\":\"%s\"", run_id)));
}
END_TEST

START_TEST(a_seed_is_the_clients_or_drawn_and_never_zero)
{
    apr_int64_t first = -1;
    bool differs = false;
    int i;

    make_type();
    ck_assert_int_eq(take(good_with("\"seed\":0")).seed, 0);
    ck_assert_int_eq(take(good_with("\"seed\":4294967294")).seed, 4294967294LL);
    ck_assert_int_eq(take(good_with("\"parameters\":{\"seed\":7}")).seed, 7);
    for (i = 0; i < 200; i++) {
        apr_int64_t seed = take(good_with("")).seed;

        ck_assert_msg(seed >= 1 && seed <= APR_INT32_MAX, "%" APR_INT64_T_FMT, seed);
        differs = differs || (first >= 0 && seed != first);
        first = seed;
    }
    ck_assert_msg(differs, "the same seed is drawn again and again");
}
END_TEST

START_TEST(retries_can_only_be_lowered)
{
    make_type();
    ck_assert_int_eq(take(good_with("")).max_retries, 3);
    ck_assert_int_eq(take(good_with("\"maxRetries\":1")).max_retries, 1);
    ck_assert_int_eq(take(good_with("\"maxRetries\":0")).max_retries, 0);
    type.retries = 0;
    ck_assert_int_eq(take(good_with("")).max_retries, 0);
    refuse(good_with("\"maxRetries\":1"));
}
END_TEST

START_TEST(a_type_without_presets_requires_none)
{
    gf_spec_t spec;

    make_type();
    presets.list->nelts = 0;
    spec = take("{\"prompt\":\"a cat\",\"presetKey\":\"whatever\"}");
    ck_assert_ptr_null(spec.preset);
    ck_assert_str_eq(spec.prompt, "a cat");
    ck_assert_ptr_null(spec.run_id);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        one_bad_field_keeps_its_own_code,
        a_member_out_of_its_bounds_is_refused_by_name,
        a_member_at_its_bounds_is_taken,
        a_source_picture_is_refused_by_a_type_that_takes_none,
        all_bad_fields_are_named_at_once,
        two_fields_with_codes_of_their_own_share_one,
        somebody_says_what_to_draw_the_user_or_a_preset,
        a_preset_that_is_off_is_refused_with_what_helps,
        a_prompt_is_measured_in_characters,
        older_spellings_are_understood,
        the_prompt_is_composed_from_preset_and_client,
        words_for_the_picture_join_the_prompt,
        strength_is_the_clients_or_else_the_presets,
        who_says_it_first_has_it,
        an_unknown_member_is_refused_with_the_nearest_name,
        parameters_unknown_to_us_travel_along,
        a_backslash_before_u0000_is_no_nul,
        lengths_have_their_bounds,
        a_seed_is_the_clients_or_drawn_and_never_zero,
        retries_can_only_be_lowered,
        a_type_without_presets_requires_none,
        NULL,
    };

    return unit_run("param", tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* model/param.c and model/parameters.c: requests for several generations, by priority, from
 * templates and in two steps. The fields of one plain generation are in param_test.c. */
#include "form.h"

/* A type with presets and a prompt of 3 to 20 characters. */
static void make_type(void)
{
    static gf_preset_t rows[] = {
        { .key = "base",
          .category = "day",
          .prompt = "",
          .parameters = "{\"strength\": 0.300, \"negative_prompt\": \"blur\"}",
          .is_on = true },
        { .key = "raw",
          .category = "night",
          .prompt = "",
          .parameters = "{\"strength\": 0.550, \"deep\": [9]}",
          .is_on = true },
    };
    static apr_array_header_t list = { .elts = (char *)rows, .nelts = UNIT_COUNT(rows) };

    presets.list = &list;
    form_type();
}

/* A good body with `more` members. */
static const char *good_with(const char *more)
{
    return apr_pstrcat(unit.ctx.pool, "{\"prompt\":\"a cat\"", more[0] ? "," : "", more, "}", NULL);
}

/* ---- several of one request ---- */

START_TEST(of_several_each_has_its_own_seed_and_run_id)
{
    gf_spec_t spec, third;

    make_type();
    ck_assert_int_eq(take(good_with("")).count, 1);
    spec = take(good_with("\"n\":10,\"runId\":\"r\",\"seed\":4294967293"));
    ck_assert_int_eq(spec.count, 10);
    third = gf_param_nth(&spec, 2, unit.ctx.pool);
    ck_assert_str_eq(third.run_id, "r-3");
    ck_assert_int_eq(third.count, 1);
    ck_assert_int_eq(gf_param_nth(&spec, 1, unit.ctx.pool).seed, 4294967294);
    ck_assert_msg(third.seed == 1, "behind the largest seed comes the first, and 0 is none");
    spec = take(good_with("\"numberOfImages\":2,\"seed\":7"));
    ck_assert_ptr_null(gf_param_nth(&spec, 1, unit.ctx.pool).run_id);
    spec = take(good_with("\"runId\":\"r\",\"seed\":7"));
    ck_assert_str_eq(gf_param_nth(&spec, 0, unit.ctx.pool).run_id, "r");
    ck_assert_int_eq(gf_param_nth(&spec, 0, unit.ctx.pool).seed, 7);
    refuse(good_with("\"n\":11"));
    refuse(good_with(apr_psprintf(unit.ctx.pool, "\"n\":2,\"runId\":\"%0198d\"", 7)));
    take(good_with(apr_psprintf(unit.ctx.pool, "\"n\":2,\"runId\":\"%0197d\"", 7)));
}
END_TEST

START_TEST(a_priority_is_bounded_by_the_type)
{
    make_type();
    type.priority_max = GF_PRIORITY_NORMAL;
    ck_assert_int_eq(take(good_with("")).priority, GF_PRIORITY_NORMAL);
    ck_assert_int_eq(take(good_with("\"priority\":\"low\"")).priority, GF_PRIORITY_LOW);
    ck_assert_str_eq(field_of(refuse(good_with("\"priority\":\"high\"")), 0)->message,
                     "may be normal at most");
    ck_assert_str_eq(field_of(refuse(good_with("\"priority\":\"urgent\"")), 0)->message,
                     "must be one of low, normal, high");
    type.priority_max = GF_PRIORITY_HIGH;
    ck_assert_int_eq(take(good_with("\"priority\":\"high\"")).priority, GF_PRIORITY_HIGH);
    ck_assert_int_eq(take(good_with("")).priority, GF_PRIORITY_NORMAL);
    type.priority_max = GF_PRIORITY_LOW;
    ck_assert_int_eq(take(good_with("")).priority, GF_PRIORITY_LOW);
}
END_TEST

/* ---- a template ---- */

START_TEST(a_template_fills_in_what_the_body_leaves_open)
{
    gf_param_t form;
    gf_spec_t spec;

    make_type();
    type.source = GF_SOURCE_MAY;
    form =
        form_of("{\"customPrompt\":\"a dog\",\"parameters\":{\"strength\":0.9},\"cfg_scale\":2}");
    form.input.fallback = unit_json("{\"prompt\":\"a cat\",\"preset\":\"raw\",\"seed\":5,\"n\":3,"
                                    "\"parameters\":{\"strength\":0.1,\"cfg_scale\":1,\"x\":1},"
                                    "\"source_url\":\"https://a.example/a\"}");
    unit_no_error(gf_param_check(&spec, &form));
    ck_assert_str_eq(spec.prompt, "a dog");
    ck_assert_str_eq(spec.preset, "raw");
    ck_assert_str_eq(spec.source_url, "https://a.example/a");
    ck_assert_int_eq(spec.seed, 5);
    ck_assert_int_eq(spec.count, 3);
    ck_assert_str_eq(spec.parameters,
                     "{\"strength\":0.9,\"cfg_scale\":2,\"x\":1,\"seed\":5,\"deep\":[9]}");
    form.input.body =
        unit_json("{\"parameters\":{\"seed\":0},\"sourceUrl\":\"https://b.example/b\"}");
    unit_no_error(gf_param_check(&spec, &form));
    ck_assert_int_eq(spec.seed, 0);
    ck_assert_str_eq(spec.source_url, "https://b.example/b");
}
END_TEST

/* ---- the two-step calls ---- */

/* A chain of which `names` are the models, all of a provider p; "" is p itself. What begins with
 * "image" needs a source picture, and no other takes one. */
static apr_array_header_t *chain_of(const char *const *names)
{
    static const gf_provider_t provider = { .name = "p" };
    apr_array_header_t *chain = apr_array_make(unit.ctx.pool, 4, sizeof(gf_choice_t));

    while (*names) {
        gf_choice_t *choice = apr_array_push(chain);

        choice->provider = &provider;
        choice->model = *names++;
        choice->source = strncmp(choice->model, "image", 5) == 0 ? GF_SOURCE_MUST : GF_SOURCE_NONE;
    }
    return chain;
}

static const gf_type_t *const types[] = { &type };
static apr_array_header_t type_list = { .elts = (char *)types, .nelts = 1 };

/* A two-step body with one picture of a product, if the type takes one, and `more` members; of no
 * type if `of` is NULL. */
static gf_err_t *check_order(gf_spec_t *spec, const gf_type_t *of, const char *more)
{
    bool none = of && of->source == GF_SOURCE_NONE;
    const char *body =
        apr_pstrcat(unit.ctx.pool, "{\"productImages\":[", none ? "" : "\"https://a.example/1\"",
                    "]", more[0] ? "," : "", more, "}", NULL);
    gf_param_t form = form_of(body);

    form.type = of;
    form.two_step = true;
    return gf_param_check(spec, &form);
}

START_TEST(a_two_step_body_is_taken_with_what_is_usual)
{
    static const char *const shown[] = { "https://a.example/1" };
    gf_spec_t spec;

    make_type();
    type.prompt_min = 3;
    ck_assert_msg(field_of(check_order(&spec, &type, ""), 0)->missing, "nothing to draw");
    unit_no_error(check_order(&spec, &type, "\"customPrompt\":\"red\""));
    ck_assert_str_eq(spec.prompt, "red");
    ck_assert_str_eq(spec.parameters, "{\"customPrompt\":\"red\",\"guidance_scale\":7.5,"
                                      "\"num_inference_steps\":50,\"strength\":0.8}");
    ck_assert_msg(!spec.source_url, "the type takes no picture");
    type.source = GF_SOURCE_MUST;
    type.chain = chain_of((const char *const[]){ "a", "image-m", NULL });
    unit_no_error(check_order(&spec, &type,
                              "\"modelImages\":[],\"preset\":\"base\",\"model\":\"image-m\","
                              "\"parameters\":{\"seed\":2147483647,\"num_inference_steps\":20}"));
    ck_assert_str_eq(spec.source_url, "https://a.example/1");
    ck_assert_int_eq(spec.seed, 2147483647);
    ck_assert_str_eq(spec.prompt, "product photograph of the product in the picture");
    unit_no_error(gf_param_name_pictures(&spec, &unit.ctx, shown));
    ck_assert_str_eq(spec.parameters,
                     "{\"seed\":2147483647,\"num_inference_steps\":20,\"model\":\"image-m\","
                     "\"strength\":0.300,\"negative_prompt\":\"blur\",\"guidance_scale\":7.5,"
                     "\"productImages\":[\"https://a.example/1\"]}");
}
END_TEST

START_TEST(all_pictures_of_a_two_step_body_are_sources_in_their_order)
{
    static const char *const shown[] = { "1", "2", "3" };
    gf_err_t *err;
    gf_spec_t spec;

    make_type();
    type.source = GF_SOURCE_MAY;
    type.chain = chain_of((const char *const[]){ "image-1", "image-3", NULL });
    APR_ARRAY_IDX(type.chain, 1, gf_choice_t).source_max = 3;
    unit_no_error(
        check_order(&spec, &type,
                    "\"modelImages\":[\"https://b.example/2\",\"https://b.example/3\"],"
                    "\"style\":\"minimal\",\"quality\":\"high\",\"customPrompt\":\"red\""));
    ck_assert_str_eq(spec.source_url,
                     "https://a.example/1\nhttps://b.example/2\nhttps://b.example/3");
    ck_assert_int_eq(gf_type_begin(&type, &unit.ctx, spec.parameters, spec.source_url), 1);
    unit_no_error(gf_param_name_pictures(&spec, &unit.ctx, shown));
    ck_assert_str_eq(spec.parameters,
                     "{\"style\":\"minimal\",\"customPrompt\":\"red\",\"guidance_scale\":7.5,"
                     "\"num_inference_steps\":50,\"strength\":0.8,\"productImages\":[\"1\"],"
                     "\"modelImages\":[\"2\",\"3\"]}");
    APR_ARRAY_IDX(type.chain, 1, gf_choice_t).source_max = 2;
    err = check_order(&spec, &type,
                      "\"modelImages\":[\"https://b.example/2\",\"https://b.example/3\"]");
    ck_assert(gf_err_is(err, GF_E_FIELDS));
    ck_assert_str_eq(field_of(err, 0)->field, "modelImages");
    type.source = GF_SOURCE_NONE;
    err = check_order(&spec, &type, "\"modelImages\":[\"https://b.example/2\"]");
    ck_assert_str_eq(field_of(err, 0)->message, "neo-glitch takes no source picture: leave it out");
}
END_TEST

START_TEST(a_model_is_one_of_the_chain_that_fits)
{
    static const struct {
        bool pictured; /* the type takes the picture */
        const char *model;
        int begin; /* -1: refused */
    } rows[] = {
        { false, "a", 0 },        { false, "deep/b", 2 }, { false, "p/deep/b", 2 },
        { false, "p", 3 },        { false, "p/a", 0 },    { false, "A", -1 },
        { false, "b", -1 },       { false, "x/a", -1 },   { false, "", -1 },
        { false, "image-c", -1 }, { true, "image-c", 1 }, { true, "p/image-c", 1 },
        { true, "a", -1 },        { true, "image-d", 4 },
    };
    gf_spec_t spec;
    size_t i;

    make_type();
    type.chain = chain_of((const char *const[]){ "a", "image-c", "deep/b", "", "image-d", NULL });
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *more =
            apr_psprintf(unit.ctx.pool, "\"prompt\":\"red\",\"model\":\"%s\"", rows[i].model);
        gf_err_t *err;

        type.source = rows[i].pictured ? GF_SOURCE_MUST : GF_SOURCE_NONE;
        err = check_order(&spec, &type, more);
        if (rows[i].begin < 0) {
            ck_assert_str_eq(field_of(err, 0)->field, "model");
            ck_assert_str_eq(field_of(err, 0)->message, rows[i].pictured
                                                            ? "must be one of image-c, image-d"
                                                            : "must be one of a, deep/b, p");
            continue;
        }
        unit_no_error(err);
        ck_assert_int_eq(gf_type_begin(&type, &unit.ctx, spec.parameters, spec.source_url),
                         rows[i].begin);
    }
    ck_assert_msg(gf_type_begin(&type, &unit.ctx, "{\"model\":\"gone\"}", "x") == 1,
                  "where the chain has lost it, the first that fits begins");
    ck_assert_int_eq(gf_type_begin(&type, &unit.ctx, "{\"model\":7}", NULL), 0);
    ck_assert_int_eq(gf_type_begin(&type, &unit.ctx, "{}", NULL), 0);
}
END_TEST

START_TEST(a_two_step_body_is_refused_with_all_bad_fields)
{
    static const char *const rows[] = { "type",  "modelImages", "customPrompt", "model",
                                        "style", "n",           "seed",         "strength" };
    gf_err_t *err;
    gf_spec_t spec;
    size_t i;

    make_type();
    unit.conf.type_list = &type_list;
    unit.conf.types = apr_hash_make(unit.ctx.pool);
    err = check_order(
        &spec, NULL,
        "\"type\":\"x\",\"modelImages\":7,\"customPrompt\":7,\"model\":7,"
        "\"style\":\"x\",\"n\":0,\"strength\":0.05,\"parameters\":{\"seed\":2147483648}");
    ck_assert(gf_err_is(err, GF_E_FIELDS));
    ck_assert_int_eq(err->fields->nelts, (int)UNIT_COUNT(rows));
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_str_eq(field_of(err, (int)i)->field, rows[i]);
    }
    ck_assert_str_eq(field_of(err, 0)->message, "must be one of neo-glitch");
    err = check_order(&spec, NULL, "");
    ck_assert_msg(gf_err_is(err, GF_E_FIELDS) && field_of(err, 0)->missing, "one field, too");
    err = check_order(&spec, &type, "\"prompt\":\"red\",\"presetKey\":\"no\"");
    ck_assert_str_eq(err->extra, "\"received\":\"no\",\"valid\":[\"base\",\"raw\"]");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        of_several_each_has_its_own_seed_and_run_id,
        a_priority_is_bounded_by_the_type,
        a_template_fills_in_what_the_body_leaves_open,
        a_two_step_body_is_taken_with_what_is_usual,
        all_pictures_of_a_two_step_body_are_sources_in_their_order,
        a_two_step_body_is_refused_with_all_bad_fields,
        a_model_is_one_of_the_chain_that_fits,
        NULL,
    };

    return unit_run("order", tests);
}

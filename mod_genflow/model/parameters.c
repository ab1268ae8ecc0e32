/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers and checks parameters. Unknown ones are stored unchanged. Bounds are in model/bound.c. */
#include "model/parameters.h"

#include <string.h>

#include <apr_strings.h>

#include "model/bound.h"
#include "model/type.h"

#define BYTES_MAX         8192
#define SEED_MAX_TWO_STEP 2147483647LL

static const char *const model_names[] = { "model", NULL };

const gf_input_field_t gf_parameters_fields[] = {
    { .names = { "parameters" }, .kind = GF_INPUT_KNOWN },
    { .names = { "seed" }, .kind = GF_INPUT_KNOWN },
    { .names = { "model" }, .kind = GF_INPUT_KNOWN },
    { .names = { "strength" }, .kind = GF_INPUT_KNOWN },
    { .names = { "guidance_scale" }, .kind = GF_INPUT_KNOWN },
    { .names = { "num_inference_steps" }, .kind = GF_INPUT_KNOWN },
    { .names = { "cfg_scale" }, .kind = GF_INPUT_KNOWN },
    { .names = { "control_strength" }, .kind = GF_INPUT_KNOWN },
    { .names = { "fidelity" }, .kind = GF_INPUT_KNOWN },
    { .names = { "aspect_ratio" }, .kind = GF_INPUT_KNOWN },
    { .names = { "negative_prompt" }, .kind = GF_INPUT_KNOWN },
    { .names = { "style_preset" }, .kind = GF_INPUT_KNOWN },
    { .names = { "output_format" }, .kind = GF_INPUT_KNOWN },
    GF_INPUT_END
};
#define BESIDE 3 /* the first of them that becomes a parameter */

static void gather_seed(apr_int64_t *found, gf_input_t *input, const gf_json_t *body,
                        const gf_parameters_for_t *given_for)
{
    apr_int64_t max = given_for->two_step ? SEED_MAX_TWO_STEP : GF_PARAMETERS_SEED_MAX;
    const gf_json_t *given = gf_json_get(body, "parameters");
    apr_int64_t seed = -1;

    gf_input_int(input, gf_json_get(body, "seed"), "seed", 0, max, &seed);
    gf_input_int(input, gf_json_get(given, "seed"), "seed", 0, max, &seed);
    *found = *found < 0 ? seed : *found;
}

/* The parameters in `parameters`, and for missing ones those beside the prompt. */
static void gather_members(gf_json_t *object, gf_input_t *input, const gf_json_t *body,
                           bool has_ratio)
{
    gf_json_t *given = gf_json_get(body, "parameters");
    const gf_input_field_t *field;

    if (given && !gf_json_is_object(given)) {
        gf_input_refuse(input, GF_E_INVALID, "parameters", "must be an object");
    }
    else if (given) {
        gf_json_add_all(object, given);
    }
    for (field = gf_parameters_fields + BESIDE; field->names[0]; field++) {
        gf_json_add(object, field->names[0], gf_json_get(body, field->names[0]));
    }
    if (has_ratio) {
        gf_json_add(object, "aspect_ratio", gf_json_get(body, "aspectRatio"));
    }
}

static void check_bounds(const gf_json_t *object, gf_input_t *input,
                         const gf_parameters_for_t *given_for)
{
    const char *name;
    int i;

    for (i = 0; (name = gf_bound_name(i)); i++) {
        gf_json_t *value = gf_json_get(object, name);
        const char *wrong = value ? gf_bound_refuses(given_for->type, name, value,
                                                     given_for->two_step, input->ctx->pool)
                                  : NULL;

        if (wrong) {
            gf_input_refuse(input, GF_E_INVALID, name, "%s", wrong);
        }
    }
}

/* An entry of the type's chain, named beside the prompt or among the parameters: the job begins
 * with it. An unknown name is refused. */
static void check_model(gf_json_t *object, gf_input_t *input, const gf_parameters_for_t *given_for)
{
    const gf_type_t *type = given_for->type;
    const char *model;
    gf_json_t *value;

    if (!given_for->two_step) { /* else the caller sets it, after the defaults */
        gf_json_add(object, model_names[0], gf_input_member(input, model_names));
    }
    value = gf_json_get(object, model_names[0]);
    if (!value || !type->chain || type->chain->nelts == 0
        || gf_input_refused(input, model_names[0])) {
        return;
    }
    if (!gf_json_string(value, &model) || gf_type_model(type, model, given_for->source) < 0) {
        gf_input_refuse(input, GF_E_INVALID, model_names[0], "must be one of %s",
                        gf_type_models(type, given_for->source, input->ctx->pool));
    }
}

static int bad_fields(const gf_input_t *input)
{
    return input->errors ? input->errors->nelts : 0;
}

void gf_parameters_read(gf_json_t *object, apr_int64_t *seed, gf_input_t *input,
                        const gf_parameters_for_t *given_for)
{
    const gf_json_t *const bodies[] = { input->body, input->fallback };
    int before = bad_fields(input);
    size_t i;

    *seed = -1;
    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        if (bodies[i]) {
            gather_seed(seed, input, bodies[i], given_for);
            gather_members(object, input, bodies[i], given_for->has_ratio);
        }
    }
    check_bounds(object, input, given_for);
    check_model(object, input, given_for);
    if (strlen(gf_json_text(object)) > BYTES_MAX) {
        gf_input_refuse(input, GF_E_INVALID, "parameters", "must take at most %d bytes", BYTES_MAX);
    }
    else if (bad_fields(input) == before && !gf_json_is_moderate(object)) {
        gf_input_refuse(input, GF_E_INVALID, "parameters",
                        "holds a number beyond 1e15 or below 1e-15, or a NUL character");
    }
}

gf_err_t *gf_parameters_check_ratio(const gf_json_t *given, gf_json_t *parameters,
                                    gf_input_t *input, const gf_type_t *type, const char *source)
{
    const char *name = gf_json_get(input->body, "aspectRatio") ? "aspectRatio" : "aspect_ratio";
    const char *wrong;
    int position;

    if (!given || !type->chain) {
        return NULL;
    }
    position = gf_type_begin(type, input->ctx, gf_json_text(parameters), source);
    wrong =
        gf_bound_wrong_ratio(type, gf_type_choice(type, position), parameters, input->ctx->pool);
    if (wrong) {
        gf_input_refuse(input, GF_E_INVALID, name, "%s", wrong);
    }
    return gf_input_end(input);
}

/* ---- what there is to choose ---- */

/* The chain entries by name, without those that a request of the type cannot have. */
static apr_array_header_t *models_of(const gf_type_t *type, apr_pool_t *pool)
{
    const char *picture = type->source == GF_SOURCE_MUST ? "picture" : NULL;
    char *listed = apr_pstrdup(pool, gf_type_models(type, picture, pool));
    apr_array_header_t *models = apr_array_make(pool, 4, sizeof(const char *));
    char *state;
    char *name;

    for (name = apr_strtok(listed, ", ", &state); name; name = apr_strtok(NULL, ", ", &state)) {
        APR_ARRAY_PUSH(models, const char *) = name;
    }
    return models;
}

/* Does a model of the chain honour the parameter gf_bound_name(i)? Of a closed type all count. */
static bool is_honoured(const gf_type_t *type, int i)
{
    int j;

    for (j = 0; j < type->chain->nelts; j++) {
        if (APR_ARRAY_IDX(type->chain, j, gf_choice_t).honours & (1U << i)) {
            return true;
        }
    }
    return type->chain->nelts == 0;
}

apr_array_header_t *gf_parameters_list(const gf_type_t *type, apr_pool_t *pool)
{
    const gf_bound_view_t seed = { .name = "seed",
                                   .kind = "integer",
                                   .max = (double)GF_PARAMETERS_SEED_MAX };
    const gf_bound_view_t model = { .name = model_names[0],
                                    .kind = "choice",
                                    .values = models_of(type, pool) };
    apr_array_header_t *list = apr_array_make(pool, 16, sizeof(gf_bound_view_t));
    gf_bound_view_t view;
    int i;

    for (i = 0; gf_bound_name(i); i++) {
        if (is_honoured(type, i) && gf_bound_look(&view, i, type, pool)) {
            APR_ARRAY_PUSH(list, gf_bound_view_t) = view;
        }
    }
    if (model.values->nelts > 1) {
        APR_ARRAY_PUSH(list, gf_bound_view_t) = model;
    }
    APR_ARRAY_PUSH(list, gf_bound_view_t) = seed;
    return list;
}

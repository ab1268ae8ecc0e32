/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of bodies that request generations, as rows, and the rules beyond rows. Parameters are
 * in model/parameters.c, source pictures in model/source.c, price and credits with the caller. */
#include "model/param.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "model/bound.h"
#include "model/parameters.h"
#include "model/price.h"
#include "model/prompt.h"
#include "model/source_url.h"
#include "model/webhook.h"

#define RUN_ID_MAX      200
#define NUMBER_MAX      3 /* "-10", after the run id of a batch */
#define WORDS_MAX       500
#define SEED_DRAWN_BITS 31

/* The two that the third older system's page names; today they are one. */
#define OLD_MODEL          "gpt-image-1"
#define OLD_MODEL_ENHANCED "gpt-4-vision-enhanced"

/* The record of the rows, and the facts to check it against. */
typedef struct check_t {
    const gf_type_t *type;
    const gf_presets_t *presets;
    bool two_step, old;
    gf_spec_t *spec;
    gf_wish_t wish;
    const gf_preset_t *preset; /* the requested one */
    const char *preset_key, *run_id, *webhook_url, *model;
    const gf_prompt_word_t *priority;
    const gf_type_t *named_type;
    apr_int64_t count, retries;
    gf_json_t *given_retries, *product_images, *model_images;
    gf_json_t *parameters; /* gathered here */
} check_t;

static const gf_prompt_word_t priorities[] = { [GF_PRIORITY_LOW] = { "low", "" },
                                               [GF_PRIORITY_NORMAL] = { "normal", "" },
                                               [GF_PRIORITY_HIGH] = { "high", "" },
                                               { NULL, NULL } };

/* Defaults of a two-step generation that neither the client nor the preset set. */
static const char usual[] = "{\"guidance_scale\":7.5,\"num_inference_steps\":50,\"strength\":0.8}";

/* ---- presets ---- */

/* "name":[the keys of the presets that are on] */
static void put_keys(gf_out_t *out, const char *name, const gf_presets_t *presets)
{
    int i;

    gf_out_key(out, name);
    gf_out_open(out, '[');
    for (i = 0; i < presets->list->nelts; i++) {
        if (APR_ARRAY_IDX(presets->list, i, gf_preset_t).is_on) {
            gf_out_string(out, APR_ARRAY_IDX(presets->list, i, gf_preset_t).key);
        }
    }
    gf_out_close(out, ']');
}

static void refuse_preset(gf_input_t *input, const check_t *check, const gf_preset_t *preset)
{
    const char *type = gf_type_wire(check->type);
    gf_out_t extra;

    gf_out_init(&extra, input->ctx->pool, 512);
    gf_out_put_string(&extra, "received", check->preset_key);
    if (!preset) {
        gf_input_refuse(input, GF_E_PRESET, "presetKey", "is no preset of %s", type);
        put_keys(&extra, "valid", check->presets);
    }
    else {
        const gf_preset_t *instead = gf_type_preset_on(check->presets, preset->category);

        gf_input_refuse(input, GF_E_PRESET_OFF, "presetKey", "is not on now%s%s",
                        preset->available_at ? ", but again from " : "",
                        preset->available_at ? preset->available_at : "");
        gf_out_put_string(&extra, "suggestion", instead ? instead->key : NULL);
        put_keys(&extra, "available", check->presets);
        gf_out_put_string(&extra, "availableAt", preset->available_at);
    }
    input->extra = extra.text;
}

static void rule_preset(gf_input_t *input, void *record)
{
    check_t *check = record;
    const gf_preset_t *preset;

    if (!check->preset_key) {
        if (!check->two_step && check->type->prompt_min == 0
            && gf_type_preset_on(check->presets, "")) {
            gf_input_missing(input, "presetKey", "is required");
        }
        return;
    }
    preset = gf_type_preset(check->presets, check->preset_key);
    if (!preset && check->old && strcmp(check->preset_key, "default") == 0) {
        if (!check->two_step && !check->wish.custom) {
            gf_input_missing(input, "prompt", "is required without a preset");
        }
        return;
    }
    if (!preset || !preset->is_on) {
        refuse_preset(input, check, preset);
        return;
    }
    check->preset = preset;
    check->spec->preset = check->preset_key;
    check->wish.preset = preset->prompt;
}

/* ---- the subject of the picture ---- */

static void rule_prompt(gf_input_t *input, void *record)
{
    const check_t *check = record;
    const char *prompt = check->wish.custom;
    apr_int64_t min = check->type->prompt_min;
    apr_int64_t max = check->type->prompt_max;
    apr_int64_t length = prompt ? (apr_int64_t)gf_text_length(prompt) : 0;

    if (!prompt) {
        if (min > 0) {
            gf_input_missing(input, "prompt", "is required");
        }
    }
    else if (length < min) {
        gf_input_refuse(input, GF_E_PROMPT, "prompt",
                        "must have at least %" APR_INT64_T_FMT " characters", min);
        input->extra = apr_psprintf(input->ctx->pool, "\"minLength\":%" APR_INT64_T_FMT, min);
    }
    else if (length > max) {
        gf_input_refuse(input, GF_E_PROMPT_LENGTH, "prompt",
                        "has %" APR_INT64_T_FMT " characters, at most %" APR_INT64_T_FMT
                        " are taken",
                        length, max);
        input->extra = apr_psprintf(input->ctx->pool, "\"maxLength\":%" APR_INT64_T_FMT, max);
    }
}

/* ---- the way of making it ---- */

/* In a batch a number is appended to the run id. */
static void rule_run_id(gf_input_t *input, void *record)
{
    const check_t *check = record;
    int max = RUN_ID_MAX - (check->count > 1 ? NUMBER_MAX : 0);

    if (check->run_id && !gf_text_is_token(check->run_id, (apr_size_t)max)) {
        gf_input_refuse(input, GF_E_INVALID, "runId",
                        "must be 1 to %d characters of A-Z a-z 0-9 . _ : -", max);
    }
}

static void rule_webhook(gf_input_t *input, void *record)
{
    const check_t *check = record;
    const char *url = check->webhook_url;
    const char *wrong = url ? gf_webhook_wrong(input->ctx, url) : NULL;

    if (wrong) {
        gf_input_refuse(input, GF_E_INVALID, "webhookUrl", "%s", wrong);
    }
}

static void rule_retries(gf_input_t *input, void *record)
{
    check_t *check = record;
    apr_int64_t retries = check->type->retries;

    gf_input_int(input, check->given_retries, "maxRetries", 0, retries, &retries);
    check->spec->max_retries = (int)retries;
}

static void rule_priority(gf_input_t *input, void *record)
{
    check_t *check = record;
    apr_int64_t max = check->type->priority_max;

    check->spec->priority = check->priority ? (gf_priority_t)(check->priority - priorities)
                            : max < GF_PRIORITY_NORMAL ? (gf_priority_t)max
                                                       : GF_PRIORITY_NORMAL;
    if (check->spec->priority > max) {
        gf_input_refuse(input, GF_E_INVALID, "priority", "may be %s at most", priorities[max].word);
    }
}

/* ---- two-step bodies ---- */

/* Reads a list of addresses and data: URIs into the sources of the spec. Returns how many. */
static int read_list(gf_input_t *input, check_t *check, const char *field, gf_json_t *list, int min,
                     int max)
{
    int given = (int)gf_json_length(list);
    int i;

    if (!gf_json_is_array(list) || given < min || given > max) {
        gf_input_refuse(input, GF_E_INVALID, field, "must be a list of %d to %d addresses", min,
                        max);
        return 0;
    }
    for (i = 0; i < given; i++) {
        gf_source_t *source = apr_array_push(check->spec->sources);
        gf_json_t *value = gf_json_at(list, (apr_size_t)i);
        const char *text = NULL;
        const char *wrong = value && gf_json_string(value, &text)
                                ? gf_source_read(source, input, field, text)
                                : "must be a text without NUL characters";

        if (wrong) {
            gf_input_refuse(input, GF_E_INVALID, field, "number %d %s", i + 1, wrong);
        }
    }
    return given;
}

static bool takes_pictures(const check_t *check)
{
    return check->type->source != GF_SOURCE_NONE;
}

/* All of them go to the model: a type that takes none has no use for them. */
static bool refuse_useless(gf_input_t *input, const check_t *check, const char *field,
                           const gf_json_t *list)
{
    if (takes_pictures(check) || gf_json_length(list) == 0) {
        return false;
    }
    gf_input_refuse(input, GF_E_INVALID, field, "%s takes no source picture: leave it out",
                    gf_type_wire(check->type));
    return true;
}

static void rule_products(gf_input_t *input, void *record)
{
    check_t *check = record;
    gf_json_t *list = check->product_images;

    check->spec->sources = apr_array_make(input->ctx->pool, 8, sizeof(gf_source_t));
    if (!list) {
        if (takes_pictures(check)) {
            gf_input_missing(input, "productImages", "is required");
        }
    }
    else if (!refuse_useless(input, check, "productImages", list)) {
        check->wish.product_images =
            read_list(input, check, "productImages", list, takes_pictures(check) ? 1 : 0, 5);
    }
    check->spec->product_count = check->spec->sources->nelts;
    check->spec->source_url = gf_source_lines(input->ctx->pool, check->spec->sources);
}

/* A chain entry has to take all of them, or nothing is held. */
static void refuse_too_many(gf_input_t *input, const check_t *check, const char *field,
                            const char *fields)
{
    const gf_type_t *type = check->type;
    const gf_spec_t *spec = check->spec;
    int most = type->chain && type->chain->nelts > 0 ? gf_type_source_max(type) : GF_SOURCES_MAX;

    if (spec->sources->nelts > most) {
        gf_input_refuse(input, GF_E_INVALID, spec->product_count > most ? "productImages" : field,
                        "the providers of %s take %d picture%s at most%s", gf_type_wire(type), most,
                        most == 1 ? "" : "s", fields);
    }
}

static void rule_models(gf_input_t *input, void *record)
{
    check_t *check = record;
    gf_json_t *list = check->model_images;

    if (list && !refuse_useless(input, check, "modelImages", list)) {
        check->wish.model_images = read_list(input, check, "modelImages", list, 0, 3);
    }
    check->spec->source_url = gf_source_lines(input->ctx->pool, check->spec->sources);
    refuse_too_many(input, check, "modelImages", ", productImages and modelImages together");
}

/* Does an older page name this model, without regard to what a site has? */
static bool is_old_model(const check_t *check)
{
    return check->old && check->model
           && (strcmp(check->model, OLD_MODEL) == 0
               || strcmp(check->model, OLD_MODEL_ENHANCED) == 0);
}

/* An entry of the type's chain; where the type is not known, any may be. */
static void rule_model(gf_input_t *input, void *record)
{
    const check_t *check = record;
    const gf_type_t *type = check->type;
    const char *source = check->spec->source_url;

    if (check->model && !is_old_model(check) && type->chain
        && gf_type_model(type, check->model, source) < 0) {
        gf_input_refuse(input, GF_E_INVALID, "model", "must be one of %s",
                        gf_type_models(type, source, input->ctx->pool));
    }
}

/* ---- the rows ---- */

#define AT(member) .offset = offsetof(check_t, member)

/* {type}/generate: its address names the type. */
static const gf_input_field_t one_step[] = { { .names = { "prompt", "customPrompt" },
                                               .kind = GF_INPUT_TEXT,
                                               AT(wish.custom),
                                               .rule = rule_prompt },
                                             { .names = { "type" }, .kind = GF_INPUT_KNOWN },
                                             GF_INPUT_END };

/* A two-step body whose type is not known yet. */
static const gf_input_field_t unknown_type[] = {
    { .names = { "type" }, .kind = GF_INPUT_TYPE, .required = true, AT(named_type) }, GF_INPUT_END
};

static const gf_input_field_t two_step[] = {
    { .names = { "productImages" },
      .kind = GF_INPUT_JSON,
      AT(product_images),
      .rule = rule_products },
    { .names = { "modelImages" }, .kind = GF_INPUT_JSON, AT(model_images), .rule = rule_models },
    { .names = { "customPrompt", "prompt" },
      .kind = GF_INPUT_TEXT,
      .max = WORDS_MAX,
      AT(wish.custom) },
    { .names = { "model" }, .kind = GF_INPUT_TEXT, AT(model), .rule = rule_model },
    { .names = { "type" }, .kind = GF_INPUT_KNOWN },
    GF_INPUT_END
};

/* Read only where the type has presets. */
static const gf_input_field_t preset[] = { { .names = { "presetKey", "preset_key", "preset" },
                                             .kind = GF_INPUT_TEXT,
                                             AT(preset_key),
                                             .rule = rule_preset },
                                           GF_INPUT_END };

static const gf_input_field_t style_fields[] = {
    { .names = { "style" }, .kind = GF_INPUT_WORD, .words = gf_prompt_styles, AT(wish.style) },
    { .names = { "quality" },
      .kind = GF_INPUT_WORD,
      .words = gf_prompt_qualities,
      AT(wish.quality) },
    { .names = { "aspectRatio" },
      .kind = GF_INPUT_WORD,
      .words = gf_prompt_ratios,
      AT(wish.ratio) },
    GF_INPUT_END
};

static const gf_input_field_t making[] = {
    { .names = { "n", "numberOfImages" },
      .kind = GF_INPUT_INT,
      .min = 1,
      .max = GF_BATCH_MAX,
      AT(count) },
    { .names = { "runId", "run_id" }, .kind = GF_INPUT_TEXT, AT(run_id), .rule = rule_run_id },
    { .names = { "webhookUrl", "webhook_url" },
      .kind = GF_INPUT_TEXT,
      AT(webhook_url),
      .rule = rule_webhook },
    { .names = { "maxRetries", "max_retries" },
      .kind = GF_INPUT_JSON,
      AT(given_retries),
      .rule = rule_retries },
    { .names = { "priority" },
      .kind = GF_INPUT_WORD,
      .words = priorities,
      AT(priority),
      .rule = rule_priority },
    GF_INPUT_END
};

/* `userId` is ignored: the user is the authenticated one. `generationMeta` is the client's own. The
 * template was read before. */
static const gf_input_field_t passed_over[] = {
    { .names = { "userId" }, .kind = GF_INPUT_KNOWN },
    { .names = { "generationMeta" }, .kind = GF_INPUT_KNOWN },
    { .names = { "templateId" }, .kind = GF_INPUT_KNOWN },
    GF_INPUT_END
};

static const gf_input_field_t *const one_step_tables[] = { one_step,     preset,
                                                           style_fields, gf_source_fields,
                                                           making,       gf_parameters_fields,
                                                           passed_over,  NULL };
static const gf_input_field_t *const two_step_tables[] = {
    two_step, preset, style_fields, making, gf_parameters_fields, passed_over, NULL
};
const gf_input_field_t *const gf_param_config[] = {
    one_step,    two_step, preset, style_fields, gf_source_fields, making, gf_parameters_fields,
    passed_over, NULL
};

/* ---- the check ---- */

/* The source pictures of a body of one step. */
static void read_sources(check_t *check, gf_input_t *input)
{
    apr_array_header_t *sources = apr_array_make(input->ctx->pool, 1, sizeof(gf_source_t));

    if (gf_source_check(sources, input, check->type) && sources->nelts > 0) {
        check->spec->sources = sources;
        check->spec->source_url = gf_source_lines(input->ctx->pool, sources);
        if (sources->nelts > 1) {
            refuse_too_many(input, check, "sourceAssetIds", "");
        }
    }
}

/* Reads the rows in the order in which bad fields are named. */
static void read_all(check_t *check, gf_input_t *input)
{
    /* An unknown type has unknown bounds: no further refusals for them. */
    static const gf_type_t any = { .retries = APR_INT16_MAX,
                                   .source = GF_SOURCE_MAY,
                                   .priority_max = GF_PRIORITY_HIGH };

    if (!check->type) {
        gf_input_read(input, unknown_type, check);
        check->type = &any;
    }
    gf_input_read(input, check->two_step ? two_step : one_step, check);
    if (check->presets->list->nelts > 0) {
        gf_input_read(input, preset, check);
    }
    gf_input_read(input, style_fields, check);
    if (!check->two_step) {
        read_sources(check, input);
    }
    else if (!takes_pictures(check) && !check->preset && !check->wish.custom) {
        gf_input_missing(input, "customPrompt", "is required, because the type takes no picture");
    }
    gf_input_read(input, making, check);
}

static void read_parameters(check_t *check, gf_input_t *input)
{
    const gf_parameters_for_t given_for = { .type = check->type,
                                            .two_step = check->two_step,
                                            .has_ratio = check->wish.ratio != NULL,
                                            .source = check->spec->source_url };

    gf_parameters_read(check->parameters, &check->spec->seed, input, &given_for);
}

static gf_err_t *add_json(gf_json_t *parameters, gf_ctx_t *ctx, const char *text)
{
    gf_json_t *more;

    GF_TRY(gf_json_parse(&more, ctx, text, strlen(text)));
    gf_json_add_all(parameters, more);
    return NULL;
}

/* Adds the words of the prompt that the client chose, so that the row shows them. A provider gets
 * `quality` in a field of its own if the type's bounds allow it (model/bound.h). */
static void add_words(check_t *check, const gf_input_t *input)
{
    static const char *const quality[] = { "quality", NULL };
    static const char *const names[][3] = { { "style", NULL },
                                            { "customPrompt", "prompt", NULL },
                                            { "model", NULL } };
    size_t count = check->two_step ? sizeof(names) / sizeof(names[0]) : 1;
    gf_json_t *value = gf_input_member(input, quality);
    size_t i;

    if (value && gf_bound_passes(check->type, quality[0], value, input->ctx->pool)) {
        gf_json_add(check->parameters, quality[0], value);
    }
    for (i = 0; i < count; i++) {
        gf_json_add(check->parameters, names[i][0], gf_input_member(input, names[i]));
    }
}

/* Fills in what the client left open: from the preset, the type, then the two-step defaults. */
static gf_err_t *fill_defaults(check_t *check, const gf_input_t *input)
{
    if (check->two_step && is_old_model(check)) { /* without such an entry the chain decides */
        GF_TRY(add_json(check->parameters, input->ctx, "{\"model\":\"" OLD_MODEL "\"}"));
    }
    add_words(check, input);
    if (check->preset) {
        GF_TRY(add_json(check->parameters, input->ctx, check->preset->parameters));
    }
    GF_TRY(gf_bound_fill(check->parameters, input->ctx, check->type));
    return check->two_step ? add_json(check->parameters, input->ctx, usual) : NULL;
}

gf_err_t *gf_param_check(gf_spec_t *spec, const gf_param_t *param)
{
    static const char *const seed_names[] = { "seed", NULL };
    gf_input_t input = param->input;
    check_t check = { .type = param->type,
                      .presets = param->presets,
                      .two_step = param->two_step,
                      .old = param->old,
                      .spec = spec,
                      .count = 1 };
    gf_json_t *ratio;

    GF_TRY(gf_json_parse(&check.parameters, input.ctx, "{}", 2));
    memset(spec, 0, sizeof(*spec));
    input.all = param->two_step ? GF_E_FIELDS : 0;
    read_all(&check, &input);
    read_parameters(&check, &input);
    gf_input_unknown(&input, param->two_step ? two_step_tables : one_step_tables);
    GF_TRY(gf_input_end(&input));
    spec->type = check.type;
    spec->two_step = check.two_step;
    spec->count = (int)check.count;
    spec->run_id = check.run_id;
    spec->webhook_url = check.webhook_url;
    spec->prompt = gf_prompt_compose(&check.wish, input.ctx->pool);
    if (spec->seed < 0) {
        spec->seed = gf_param_draw_seed();
    }
    else { /* marks it as drawn, for a retry of this generation */
        gf_json_add(check.parameters, "seed", gf_input_member(&input, seed_names));
    }
    ratio = gf_json_get(check.parameters, "aspect_ratio");
    GF_TRY(fill_defaults(&check, &input));
    GF_TRY(
        gf_parameters_check_ratio(ratio, check.parameters, &input, spec->type, spec->source_url));
    if (param->composed) {
        gf_json_add(check.parameters, "input", gf_json_get(input.body, "input"));
    }
    spec->parameters = gf_json_text(check.parameters);
    return gf_param_price(spec, input.ctx);
}

/* ---- what comes of it ---- */

gf_err_t *gf_param_price(gf_spec_t *spec, gf_ctx_t *ctx)
{
    const gf_price_wish_t wish = { .parameters = spec->parameters,
                                   .source_url = spec->source_url,
                                   .chain_pos = spec->chain_pos,
                                   .count = spec->count };

    spec->cost = spec->type->fallback_cost;
    return spec->fallback_of ? NULL : gf_price_of(&spec->cost, ctx, spec->type, &wish);
}

gf_err_t *gf_param_name_pictures(gf_spec_t *spec, gf_ctx_t *ctx, const char *const *shown)
{
    gf_json_t *parameters;
    gf_out_t out;
    int i;

    GF_TRY(gf_json_parse(&parameters, ctx, spec->parameters, strlen(spec->parameters)));
    gf_out_init(&out, ctx->pool, 512);
    gf_out_open(&out, '{');
    gf_out_key(&out, "productImages");
    gf_out_open(&out, '[');
    for (i = 0; i < spec->sources->nelts; i++) {
        if (i == spec->product_count) {
            gf_out_close(&out, ']');
            gf_out_key(&out, "modelImages");
            gf_out_open(&out, '[');
        }
        gf_out_string(&out, shown[i]);
    }
    gf_out_close(&out, ']');
    gf_out_close(&out, '}');
    GF_TRY(add_json(parameters, ctx, out.text));
    spec->parameters = gf_json_text(parameters);
    return NULL;
}

apr_int64_t gf_param_draw_seed(void)
{
    apr_uint32_t drawn;

    apr_generate_random_bytes((unsigned char *)&drawn, sizeof(drawn));
    return 1 + drawn % ((1U << SEED_DRAWN_BITS) - 1); /* never 0: "any" to providers */
}

gf_spec_t gf_param_nth(const gf_spec_t *spec, int i, apr_pool_t *pool)
{
    gf_spec_t one = *spec;

    one.count = 1;
    if (spec->count > 1) {
        one.seed += spec->seed + i > GF_PARAMETERS_SEED_MAX ? i - GF_PARAMETERS_SEED_MAX : i;
        one.run_id = spec->run_id ? apr_psprintf(pool, "%s-%d", spec->run_id, i + 1) : NULL;
    }
    return one;
}

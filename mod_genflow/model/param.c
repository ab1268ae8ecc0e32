/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a body that asks for generations against its type, row by row, and composes the prompt.
 * Leaves reading to model/form.c, what only two-step bodies have to model/twostep.c, and price and
 * credits to the caller. No I/O; any thread. */
#include "model/param.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "model/bound.h"
#include "model/known.h"
#include "model/twostep.h"
#include "model/prompt.h"
#include "model/webhook.h"

#define RUN_ID_MAX      200
#define NUMBER_MAX      3 /* "-10", behind the run id of a batch */
#define PARAMETERS_MAX  8192
#define SEED_MAX        4294967294LL /* the largest that every provider takes */
#define SEED_MAX_ORDER  2147483647LL
#define SEED_DRAWN_BITS 31

/* The check in progress. */
typedef struct check_t {
    gf_form_t *form;
    const gf_preset_t *preset; /* the one that is asked for */
    gf_wish_t wish;
    gf_json_t *parameters; /* gathered here */
} check_t;

static const gf_prompt_word_t priorities[] = { [GF_PRIORITY_LOW] = { "low", "" },
                                               [GF_PRIORITY_NORMAL] = { "normal", "" },
                                               [GF_PRIORITY_HIGH] = { "high", "" },
                                               { NULL, NULL } };

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

static void refuse_preset(check_t *check, const char *key, const gf_preset_t *preset)
{
    gf_out_t extra;

    gf_out_init(&extra, check->form->ctx->pool, 512);
    gf_out_put_string(&extra, "received", key);
    if (!preset) {
        gf_form_refuse(check->form, GF_E_PRESET, "presetKey", "is no preset of %s",
                       check->form->type->name);
        put_keys(&extra, "valid", check->form->presets);
    }
    else {
        const gf_preset_t *instead = gf_type_preset_on(check->form->presets, preset->category);

        gf_form_refuse(check->form, GF_E_PRESET_OFF, "presetKey", "is not on now%s%s",
                       preset->available_at ? ", but again from " : "",
                       preset->available_at ? preset->available_at : "");
        gf_out_put_string(&extra, "suggestion", instead ? instead->key : NULL);
        put_keys(&extra, "available", check->form->presets);
        gf_out_put_string(&extra, "availableAt", preset->available_at);
    }
    check->form->extra = extra.text;
}

static void check_preset(check_t *check, gf_ask_t *ask)
{
    static const char *const names[] = { "presetKey", "preset_key", "preset", NULL };
    const char *key = NULL;

    if (check->form->presets->list->nelts == 0) {
        return;
    }
    if (!gf_form_text(check->form, names, &key)) {
        if (!gf_form_member(check->form, names) && !check->form->two_step
            && check->form->type->prompt_min == 0 && gf_type_preset_on(check->form->presets, "")) {
            gf_form_missing(check->form, "presetKey");
        }
        return;
    }
    check->preset = gf_type_preset(check->form->presets, key);
    if (!check->preset || !check->preset->is_on) {
        refuse_preset(check, key, check->preset);
        return;
    }
    ask->preset = key;
    check->wish.preset = check->preset->prompt;
}

static void check_prompt(check_t *check)
{
    static const char *const names[] = { "prompt", "customPrompt", NULL };
    apr_size_t length;

    if (!gf_form_text(check->form, names, &check->wish.custom)) {
        if (!gf_form_member(check->form, names) && check->form->type->prompt_min > 0) {
            gf_form_missing(check->form, "prompt");
        }
        return;
    }
    length = gf_text_length(check->wish.custom);
    if ((apr_int64_t)length < check->form->type->prompt_min) {
        gf_form_refuse(check->form, GF_E_PROMPT, "prompt",
                       "must have at least %" APR_INT64_T_FMT " characters",
                       check->form->type->prompt_min);
        check->form->extra = apr_psprintf(check->form->ctx->pool, "\"minLength\":%" APR_INT64_T_FMT,
                                          check->form->type->prompt_min);
    }
    else if ((apr_int64_t)length > check->form->type->prompt_max) {
        gf_form_refuse(check->form, GF_E_PROMPT_LENGTH, "prompt",
                       "has %lu characters, at most %" APR_INT64_T_FMT " are taken",
                       (unsigned long)length, check->form->type->prompt_max);
        check->form->extra = apr_psprintf(check->form->ctx->pool, "\"maxLength\":%" APR_INT64_T_FMT,
                                          check->form->type->prompt_max);
    }
}

/* `n`: for run ids get a number behind them. */
static void check_count(check_t *check, gf_ask_t *ask)
{
    static const char *const names[] = { "n", "numberOfImages", NULL };
    apr_int64_t count = 1;

    gf_form_int(check->form, gf_form_member(check->form, names), names[0], 1, GF_BATCH_MAX, &count);
    ask->count = (int)count;
}

static void check_run_id(check_t *check, gf_ask_t *ask)
{
    static const char *const names[] = { "runId", "run_id", NULL };
    int max = RUN_ID_MAX - (ask->count > 1 ? NUMBER_MAX : 0);

    if (gf_form_text(check->form, names, &ask->run_id)
        && !gf_text_is_token(ask->run_id, (apr_size_t)max)) {
        gf_form_refuse(check->form, GF_E_INVALID, "runId",
                       "must be 1 to %d characters of A-Z a-z 0-9 . _ : -", max);
    }
}

static void check_source(check_t *check, gf_ask_t *ask)
{
    gf_form_t *form = check->form;
    const gf_json_t *body =
        form->template && !gf_source_given(form->body) ? form->template : form->body;

    if (gf_source_check(&ask->source, form->ctx, form->type, body, form->errors)) {
        ask->source_url = ask->source.url;
        return;
    }
    form->code = APR_ARRAY_IDX(form->errors, form->errors->nelts - 1, gf_field_error_t).missing
                     ? GF_E_INVALID
                     : GF_E_SOURCE_URL;
}

static void check_webhook(check_t *check, gf_ask_t *ask)
{
    static const char *const names[] = { "webhookUrl", "webhook_url", NULL };
    const char *wrong = NULL;

    if (gf_form_text(check->form, names, &ask->webhook_url)) {
        wrong = gf_webhook_wrong(check->form->ctx, ask->webhook_url);
    }
    if (wrong) {
        gf_form_refuse(check->form, GF_E_INVALID, names[0], "%s", wrong);
    }
}

static void check_retries(check_t *check, gf_ask_t *ask)
{
    static const char *const names[] = { "maxRetries", "max_retries", NULL };
    apr_int64_t retries = check->form->type->retries;

    gf_form_int(check->form, gf_form_member(check->form, names), names[0], 0, retries, &retries);
    ask->max_retries = (int)retries;
}

static void check_priority(check_t *check, gf_ask_t *ask)
{
    apr_int64_t max = check->form->type->priority_max;
    const gf_prompt_word_t *word = &priorities[max < GF_PRIORITY_NORMAL ? max : GF_PRIORITY_NORMAL];

    gf_form_word(check->form, "priority", priorities, &word);
    ask->priority = (gf_priority_t)(word - priorities);
    if (ask->priority > max) {
        gf_form_refuse(check->form, GF_E_INVALID, "priority", "may be %s at most",
                       priorities[max].word);
    }
}

/* The parameters that mean something to us; others travel along untouched. */
static const struct {
    const char *name;
    double min, max;
    double min_order; /* in a two-step body */
} number_rows[] = { { "strength", 0.0, 1.0, 0.1 },
                    { "guidance_scale", 1.0, 20.0, 1.0 },
                    { "num_inference_steps", 1.0, 100.0, 20.0 },
                    { "cfg_scale", 1.0, 10.0, 1.0 },
                    { "control_strength", 0.0, 1.0, 0.0 },
                    { "fidelity", 0.0, 1.0, 0.0 } };

static const struct {
    const char *name;
    apr_size_t max; /* characters */
} text_rows[] = { { "aspect_ratio", 8 },
                  { "negative_prompt", 1000 },
                  { "style_preset", 40 },
                  { "output_format", 8 } };

static void check_known_parameters(check_t *check)
{
    size_t i;

    for (i = 0; i < sizeof(number_rows) / sizeof(number_rows[0]); i++) {
        gf_json_t *value = gf_json_get(check->parameters, number_rows[i].name);
        double min = check->form->two_step ? number_rows[i].min_order : number_rows[i].min;
        double number;

        if (value
            && (!gf_json_number(value, &number)
                || !(number >= min && number <= number_rows[i].max))) {
            gf_form_refuse(check->form, GF_E_INVALID, number_rows[i].name,
                           "must be a number from %g to %g", min, number_rows[i].max);
        }
    }
    for (i = 0; i < sizeof(text_rows) / sizeof(text_rows[0]); i++) {
        gf_json_t *value = gf_json_get(check->parameters, text_rows[i].name);
        const char *text;

        if (value && (!gf_json_string(value, &text) || gf_text_length(text) > text_rows[i].max)) {
            gf_form_refuse(check->form, GF_E_INVALID, text_rows[i].name,
                           "must be a text of at most %lu characters",
                           (unsigned long)text_rows[i].max);
        }
    }
}

/* What costs money at the provider stays within the type's bounds. */
static void check_bounds(check_t *check)
{
    const char *name;
    int i;

    for (i = 0; (name = gf_bound_name(i)); i++) {
        gf_json_t *value = gf_json_get(check->parameters, name);
        const char *wrong =
            value ? gf_bound_wrong(check->form->type, name, value, check->form->ctx->pool) : NULL;

        if (wrong && !gf_form_refused(check->form, name)) {
            gf_form_refuse(check->form, GF_E_INVALID, name, "%s", wrong);
        }
    }
}

static void gather_seed(check_t *check, gf_ask_t *ask, const gf_json_t *body)
{
    apr_int64_t max = check->form->two_step ? SEED_MAX_ORDER : SEED_MAX;
    const gf_json_t *given = gf_json_get(body, "parameters");
    apr_int64_t seed = -1;

    gf_form_int(check->form, gf_json_get(body, "seed"), "seed", 0, max, &seed);
    gf_form_int(check->form, gf_json_get(given, "seed"), "seed", 0, max, &seed);
    ask->seed = ask->seed < 0 ? seed : ask->seed;
}

/* What `body` gives: in `parameters`, and for what is not there, beside the prompt. */
static void gather_from(check_t *check, gf_ask_t *ask, const gf_json_t *body)
{
    gf_json_t *given = gf_json_get(body, "parameters");
    size_t i;

    gather_seed(check, ask, body);

    if (given && !gf_json_is_object(given)) {
        gf_form_refuse(check->form, GF_E_INVALID, "parameters", "must be an object");
    }
    else if (given) {
        gf_json_add_all(check->parameters, given);
    }
    for (i = 0; i < sizeof(number_rows) / sizeof(number_rows[0]); i++) {
        gf_json_add(check->parameters, number_rows[i].name, gf_json_get(body, number_rows[i].name));
    }
    for (i = 0; i < sizeof(text_rows) / sizeof(text_rows[0]); i++) {
        gf_json_add(check->parameters, text_rows[i].name, gf_json_get(body, text_rows[i].name));
    }
    if (check->wish.ratio) {
        gf_json_add(check->parameters, "aspect_ratio", gf_json_get(body, "aspectRatio"));
    }
}

/* A link of the type's chain, named beside the prompt or among the parameters: it begins. One that
 * is none of them is refused rather than passed over. */
static void check_model(check_t *check, const gf_ask_t *ask)
{
    static const char *const names[] = { "model", NULL };
    const gf_source_t *source = &ask->source;
    const char *any = source->url        ? source->url
                      : source->asset_id ? source->asset_id
                                         : source->base64;
    gf_form_t *form = check->form;
    const char *model;
    gf_json_t *value;

    if (!form->two_step) { /* else gf_order_fill() does */
        gf_json_add(check->parameters, names[0], gf_form_member(form, names));
    }
    value = gf_json_get(check->parameters, names[0]);
    if (!value || !form->type->chain || form->type->chain->nelts == 0
        || gf_form_refused(form, names[0])) {
        return;
    }
    if (!gf_json_string(value, &model) || gf_type_model(form->type, model, any) < 0) {
        gf_form_refuse(form, GF_E_INVALID, names[0], "must be one of %s",
                       gf_type_models(form->type, any, form->ctx->pool));
    }
}

static void check_parameters(check_t *check, gf_ask_t *ask)
{
    gf_form_t *form = check->form;
    int before = form->errors->nelts;

    gather_from(check, ask, form->body);
    if (form->template) {
        gather_from(check, ask, form->template);
    }
    check_known_parameters(check);
    check_bounds(check);
    check_model(check, ask);
    if (strlen(gf_json_text(check->parameters)) > PARAMETERS_MAX) {
        gf_form_refuse(check->form, GF_E_INVALID, "parameters", "must take at most %d bytes",
                       PARAMETERS_MAX);
    }
    else if (form->errors->nelts == before && !gf_json_is_moderate(check->parameters)) {
        gf_form_refuse(check->form, GF_E_INVALID, "parameters",
                       "holds a number beyond 1e15 or below 1e-15, or a NUL character");
    }
}

/* The preset fills in what the client left open. */
static gf_err_t *add_preset_parameters(check_t *check)
{
    const char *text = check->preset->parameters;
    gf_json_t *parameters;

    GF_TRY(gf_json_parse(&parameters, check->form->ctx, text, strlen(text)));
    gf_json_add_all(check->parameters, parameters);
    return NULL;
}

apr_int64_t gf_param_draw_seed(void)
{
    apr_uint32_t drawn;

    apr_generate_random_bytes((unsigned char *)&drawn, sizeof(drawn));
    return 1 + drawn % ((1U << SEED_DRAWN_BITS) - 1); /* never 0: "any" to providers */
}

gf_err_t *gf_param_check(gf_ask_t *ask, gf_form_t *form)
{
    static const char *const seed_names[] = { "seed", NULL };
    check_t check = { .form = form };

    GF_TRY(gf_json_parse(&check.parameters, form->ctx, "{}", 2));
    memset(ask, 0, sizeof(*ask));
    ask->seed = -1;
    gf_form_begin(form);
    if (form->two_step) {
        gf_order_check(form, ask, &check.wish);
    }
    else {
        check_prompt(&check);
    }
    ask->type = form->type;
    check_preset(&check, ask);
    gf_form_word(form, "style", gf_prompt_styles, &check.wish.style);
    gf_form_word(form, "quality", gf_prompt_qualities, &check.wish.quality);
    gf_form_word(form, "aspectRatio", gf_prompt_ratios, &check.wish.ratio);
    if (!form->two_step) {
        check_source(&check, ask);
    }
    check_count(&check, ask);
    check_run_id(&check, ask);
    check_webhook(&check, ask);
    check_retries(&check, ask);
    check_priority(&check, ask);
    check_parameters(&check, ask);
    if (!form->lenient) {
        gf_known_check(form, form->body, "",
                       form->two_step ? gf_known_two_step : gf_known_one_step);
    }
    GF_TRY(gf_form_end(form));
    ask->prompt = gf_prompt_compose(&check.wish, form->ctx->pool);
    if (ask->seed < 0) {
        ask->seed = gf_param_draw_seed();
    }
    else { /* told from a drawn one when it is made again */
        gf_json_add(check.parameters, "seed", gf_form_member(form, seed_names));
    }
    if (check.preset) {
        GF_TRY(add_preset_parameters(&check));
    }
    GF_TRY(gf_bound_fill(check.parameters, form->ctx, form->type));
    if (form->two_step) {
        GF_TRY(gf_order_fill(form, check.parameters));
    }
    ask->parameters = gf_json_text(check.parameters);
    return NULL;
}

gf_ask_t gf_param_nth(const gf_ask_t *ask, int i, apr_pool_t *pool)
{
    gf_ask_t one = *ask;

    one.count = 1;
    if (ask->count > 1) {
        one.seed += ask->seed + i > SEED_MAX ? i - SEED_MAX : i;
        one.run_id = ask->run_id ? apr_psprintf(pool, "%s-%d", ask->run_id, i + 1) : NULL;
    }
    return one;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the body of a generate call against its type, row by row, and composes the prompt. Leaves
 * parsing to gf_json.c and price and credits to the caller. No I/O; any thread. */
#include "model/gf_param.h"

#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

#include "base/gf_text.h"
#include "model/gf_prompt.h"

#define RUN_ID_MAX      200
#define PARAMETERS_MAX  8192
#define SEED_MAX        4294967294LL /* the largest that every provider takes */
#define SEED_DRAWN_BITS 31

/* The check in progress. One error keeps its own code, several are VALIDATION_FAILED. */
typedef struct check_t {
    gf_ctx_t *ctx;
    const gf_type_t *type;
    const gf_presets_t *presets;
    const gf_json_t *body;
    const gf_preset_t *preset; /* the one that is asked for */
    gf_wish_t wish;
    gf_json_t *parameters; /* gathered here */
    gf_err_code_t code;
    apr_array_header_t *errors; /* of gf_field_error_t */
    const char *extra;          /* of the error with that code */
} check_t;

static void refuse(check_t *check, gf_err_code_t code, bool missing, const char *field,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

static void refuse(check_t *check, gf_err_code_t code, bool missing, const char *field,
                   const char *format, ...)
{
    gf_field_error_t *error;
    va_list args;

    check->code = check->errors->nelts == 0 ? code : GF_E_INVALID;
    error = apr_array_push(check->errors);
    error->field = field;
    error->missing = missing;
    va_start(args, format);
    error->message = apr_pvsprintf(check->ctx->pool, format, args);
    va_end(args);
}

/* The first member that is there, of a name and its older spellings (NULL-ended). */
static gf_json_t *member(const check_t *check, const char *const *names)
{
    for (; *names; names++) {
        gf_json_t *value = gf_json_get(check->body, *names);

        if (value) {
            return value;
        }
    }
    return NULL;
}

/* A text member; false when it is absent or no text (which is refused here). */
static bool text_member(check_t *check, const char *const *names, const char **out)
{
    gf_json_t *value = member(check, names);

    if (value && !gf_json_string(value, out)) {
        refuse(check, GF_E_INVALID, false, names[0], "must be a text without NUL characters");
        return false;
    }
    return value != NULL;
}

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

    gf_out_init(&extra, check->ctx->pool, 512);
    gf_out_put_string(&extra, "received", key);
    if (!preset) {
        refuse(check, GF_E_PRESET, false, "presetKey", "is no preset of %s", check->type->name);
        put_keys(&extra, "valid", check->presets);
    }
    else {
        const gf_preset_t *instead = gf_type_preset_on(check->presets, preset->category);

        refuse(check, GF_E_PRESET_OFF, false, "presetKey", "is not on now%s%s",
               preset->available_at ? ", but again from " : "",
               preset->available_at ? preset->available_at : "");
        gf_out_put_string(&extra, "suggestion", instead ? instead->key : NULL);
        put_keys(&extra, "available", check->presets);
        gf_out_put_string(&extra, "availableAt", preset->available_at);
    }
    check->extra = extra.text;
}

static void check_preset(check_t *check, gf_ask_t *ask)
{
    static const char *const names[] = { "presetKey", "preset_key", "preset", NULL };
    const char *key = NULL;

    if (check->presets->list->nelts == 0) {
        return;
    }
    if (!text_member(check, names, &key)) {
        if (!member(check, names) && check->type->prompt_min == 0
            && gf_type_preset_on(check->presets, "")) {
            refuse(check, GF_E_INVALID, true, "presetKey", "is required");
        }
        return;
    }
    check->preset = gf_type_preset(check->presets, key);
    if (!check->preset || !check->preset->is_on) {
        refuse_preset(check, key, check->preset);
        return;
    }
    ask->preset = key;
    check->wish.preset = check->preset->prompt;
}

/* One of the words that the API has for it. */
static void check_word(check_t *check, const char *name, const gf_prompt_word_t *words,
                       const gf_prompt_word_t **out)
{
    const char *const names[] = { name, NULL };
    const char *listed = "";
    const char *text;
    int i;

    if (!text_member(check, names, &text)) {
        return;
    }
    *out = gf_prompt_word(words, text);
    for (i = 0; !*out && words[i].word; i++) {
        listed = apr_pstrcat(check->ctx->pool, listed, i ? ", " : "", words[i].word, NULL);
    }
    if (!*out) {
        refuse(check, GF_E_INVALID, false, name, "must be one of %s", listed);
    }
}

static void check_prompt(check_t *check)
{
    static const char *const names[] = { "prompt", "customPrompt", NULL };
    apr_size_t length;

    if (!text_member(check, names, &check->wish.custom)) {
        if (!member(check, names) && check->type->prompt_min > 0) {
            refuse(check, GF_E_INVALID, true, "prompt", "is required");
        }
        return;
    }
    length = gf_text_length(check->wish.custom);
    if ((apr_int64_t)length < check->type->prompt_min) {
        refuse(check, GF_E_PROMPT, false, "prompt",
               "must have at least %" APR_INT64_T_FMT " characters", check->type->prompt_min);
        check->extra = apr_psprintf(check->ctx->pool, "\"minLength\":%" APR_INT64_T_FMT,
                                    check->type->prompt_min);
    }
    else if ((apr_int64_t)length > check->type->prompt_max) {
        refuse(check, GF_E_PROMPT_LENGTH, false, "prompt",
               "has %lu characters, at most %" APR_INT64_T_FMT " are taken", (unsigned long)length,
               check->type->prompt_max);
        check->extra = apr_psprintf(check->ctx->pool, "\"maxLength\":%" APR_INT64_T_FMT,
                                    check->type->prompt_max);
    }
}

static void check_run_id(check_t *check, gf_ask_t *ask)
{
    static const char *const names[] = { "runId", "run_id", NULL };

    if (text_member(check, names, &ask->run_id) && !gf_text_is_token(ask->run_id, RUN_ID_MAX)) {
        refuse(check, GF_E_INVALID, false, "runId",
               "must be 1 to %d characters of A-Z a-z 0-9 . _ : -", RUN_ID_MAX);
    }
}

static void check_source(check_t *check, gf_ask_t *ask)
{
    if (gf_source_check(&ask->source, check->ctx, check->type, check->body, check->errors)) {
        ask->source_url = ask->source.url;
        return;
    }
    check->code =
        check->errors->nelts > 1 || APR_ARRAY_IDX(check->errors, 0, gf_field_error_t).missing
            ? GF_E_INVALID
            : GF_E_SOURCE_URL;
}

/* A whole number in bounds; absent leaves *out alone. */
static void check_int(check_t *check, const gf_json_t *object, const char *name, apr_int64_t min,
                      apr_int64_t max, apr_int64_t *out)
{
    gf_json_t *value = gf_json_get(object, name);
    apr_int64_t number;

    if (!value) {
        return;
    }
    if (!gf_json_int(value, &number) || number < min || number > max) {
        refuse(check, GF_E_INVALID, false, name,
               "must be a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT, min, max);
        return;
    }
    *out = number;
}

/* The parameters that mean something to us; others travel along untouched. */
static const struct {
    const char *name;
    double min, max;
} number_rows[] = { { "strength", 0.0, 1.0 },
                    { "guidance_scale", 1.0, 20.0 },
                    { "num_inference_steps", 1.0, 100.0 },
                    { "cfg_scale", 1.0, 10.0 },
                    { "control_strength", 0.0, 1.0 },
                    { "fidelity", 0.0, 1.0 } };

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
        double number;

        if (value
            && (!gf_json_number(value, &number)
                || !(number >= number_rows[i].min && number <= number_rows[i].max))) {
            refuse(check, GF_E_INVALID, false, number_rows[i].name,
                   "must be a number from %g to %g", number_rows[i].min, number_rows[i].max);
        }
    }
    for (i = 0; i < sizeof(text_rows) / sizeof(text_rows[0]); i++) {
        gf_json_t *value = gf_json_get(check->parameters, text_rows[i].name);
        const char *text;

        if (value && (!gf_json_string(value, &text) || gf_text_length(text) > text_rows[i].max)) {
            refuse(check, GF_E_INVALID, false, text_rows[i].name,
                   "must be a text of at most %lu characters", (unsigned long)text_rows[i].max);
        }
    }
}

/* What the client gives: in `parameters`, and for what is not there, beside the prompt. */
static void gather_parameters(check_t *check)
{
    gf_json_t *given = gf_json_get(check->body, "parameters");
    size_t i;

    if (given && !gf_json_is_object(given)) {
        refuse(check, GF_E_INVALID, false, "parameters", "must be an object");
    }
    else if (given) {
        gf_json_add_all(check->parameters, given);
    }
    for (i = 0; i < sizeof(number_rows) / sizeof(number_rows[0]); i++) {
        gf_json_add(check->parameters, number_rows[i].name,
                    gf_json_get(check->body, number_rows[i].name));
    }
    for (i = 0; i < sizeof(text_rows) / sizeof(text_rows[0]); i++) {
        gf_json_add(check->parameters, text_rows[i].name,
                    gf_json_get(check->body, text_rows[i].name));
    }
    if (check->wish.ratio) {
        gf_json_add(check->parameters, "aspect_ratio", gf_json_get(check->body, "aspectRatio"));
    }
}

static void check_parameters(check_t *check, gf_ask_t *ask)
{
    int before = check->errors->nelts;

    gather_parameters(check);
    check_known_parameters(check);
    check_int(check, check->parameters, "seed", 0, SEED_MAX, &ask->seed);
    if (strlen(gf_json_text(check->parameters)) > PARAMETERS_MAX) {
        refuse(check, GF_E_INVALID, false, "parameters", "must take at most %d bytes",
               PARAMETERS_MAX);
    }
    else if (check->errors->nelts == before && !gf_json_is_moderate(check->parameters)) {
        refuse(check, GF_E_INVALID, false, "parameters",
               "holds a number beyond 1e15 or below 1e-15, or a NUL character");
    }
}

static gf_err_t *failed(check_t *check)
{
    gf_err_t *err =
        gf_err_make(check->ctx, check->code, APR_SUCCESS, "%d bad fields, the first is %s",
                    check->errors->nelts, APR_ARRAY_IDX(check->errors, 0, gf_field_error_t).field);

    err->fields = check->errors;
    err->extra = check->code == GF_E_INVALID ? NULL : check->extra;
    return err;
}

/* The preset fills in what the client left open. */
static gf_err_t *add_preset_parameters(check_t *check)
{
    const char *text = check->preset->parameters;
    gf_json_t *parameters;

    GF_TRY(gf_json_parse(&parameters, check->ctx, text, strlen(text)));
    gf_json_add_all(check->parameters, parameters);
    return NULL;
}

apr_int64_t gf_param_draw_seed(void)
{
    apr_uint32_t drawn;

    apr_generate_random_bytes((unsigned char *)&drawn, sizeof(drawn));
    return 1 + drawn % ((1U << SEED_DRAWN_BITS) - 1); /* never 0: "any" to providers */
}

gf_err_t *gf_param_check(gf_ask_t *ask, gf_ctx_t *ctx, const gf_type_t *type,
                         const gf_presets_t *presets, const gf_json_t *body)
{
    check_t check = { .ctx = ctx,
                      .type = type,
                      .presets = presets,
                      .body = body,
                      .errors = apr_array_make(ctx->pool, 4, sizeof(gf_field_error_t)) };
    apr_int64_t retries = type->retries;

    GF_TRY(gf_json_parse(&check.parameters, ctx, "{}", 2));
    memset(ask, 0, sizeof(*ask));
    ask->type = type;
    ask->seed = -1;
    check_prompt(&check);
    check_preset(&check, ask);
    check_word(&check, "style", gf_prompt_styles, &check.wish.style);
    check_word(&check, "quality", gf_prompt_qualities, &check.wish.quality);
    check_word(&check, "aspectRatio", gf_prompt_ratios, &check.wish.ratio);
    check_source(&check, ask);
    check_run_id(&check, ask);
    check_int(&check, body, "seed", 0, SEED_MAX, &ask->seed);
    check_int(&check, body, "maxRetries", 0, type->retries, &retries);
    check_parameters(&check, ask);
    if (check.errors->nelts) {
        return failed(&check);
    }
    ask->max_retries = (int)retries;
    ask->prompt = gf_prompt_compose(&check.wish, ctx->pool);
    if (ask->seed < 0) {
        ask->seed = gf_param_draw_seed();
    }
    else { /* told from a drawn one when it is made again */
        gf_json_add(check.parameters, "seed", gf_json_get(body, "seed"));
    }
    if (check.preset) {
        GF_TRY(add_preset_parameters(&check));
    }
    ask->parameters = gf_json_text(check.parameters);
    return NULL;
}

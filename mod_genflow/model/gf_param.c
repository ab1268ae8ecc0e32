/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the body of a generate call against its type, row by row, and composes the prompt. Leaves
 * parsing to gf_json.c and price and credits to the caller. No I/O; any thread. */
#include "model/gf_param.h"

#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

#include "base/gf_text.h"
#include "model/gf_type.h"

#define RUN_ID_MAX      200
#define PARAMETERS_MAX  8192
#define SEED_MAX        4294967294LL /* the largest that every provider takes */
#define SEED_DRAWN_BITS 31

/* The check in progress. One error keeps its own code, several are VALIDATION_FAILED. */
typedef struct check_t {
    gf_ctx_t *ctx;
    const gf_type_t *type;
    const gf_json_t *body;
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

static void check_preset(check_t *check, gf_ask_t *ask)
{
    static const char *const names[] = { "presetKey", "preset_key", "preset", NULL };
    gf_out_t valid;
    const char *key = NULL;
    int i;

    if (check->type->presets->nelts == 0) {
        return;
    }
    if (!text_member(check, names, &key)) {
        if (!member(check, names)) {
            refuse(check, GF_E_INVALID, true, "presetKey", "is required");
        }
        return;
    }
    ask->preset = key;
    if (gf_type_preset(check->type, key)) {
        return;
    }
    refuse(check, GF_E_PRESET, false, "presetKey", "is no preset of %s", check->type->name);
    gf_out_init(&valid, check->ctx->pool, 512);
    gf_out_put_string(&valid, "received", key);
    gf_out_key(&valid, "valid");
    gf_out_open(&valid, '[');
    for (i = 0; i < check->type->presets->nelts; i++) {
        gf_out_string(&valid, APR_ARRAY_IDX(check->type->presets, i, gf_preset_t).key);
    }
    gf_out_close(&valid, ']');
    check->extra = valid.text;
}

static void check_prompt(check_t *check, gf_ask_t *ask)
{
    static const char *const names[] = { "prompt", "customPrompt", NULL };
    apr_size_t length;

    if (!text_member(check, names, &ask->prompt)) {
        if (!member(check, names) && check->type->prompt_min > 0) {
            refuse(check, GF_E_INVALID, true, "prompt", "is required");
        }
        return;
    }
    length = gf_text_length(ask->prompt);
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

static void check_known_parameters(check_t *check, const gf_json_t *object)
{
    size_t i;

    for (i = 0; i < sizeof(number_rows) / sizeof(number_rows[0]); i++) {
        gf_json_t *value = gf_json_get(object, number_rows[i].name);
        double number;

        if (value
            && (!gf_json_number(value, &number)
                || !(number >= number_rows[i].min && number <= number_rows[i].max))) {
            refuse(check, GF_E_INVALID, false, number_rows[i].name,
                   "must be a number from %g to %g", number_rows[i].min, number_rows[i].max);
        }
    }
    for (i = 0; i < sizeof(text_rows) / sizeof(text_rows[0]); i++) {
        gf_json_t *value = gf_json_get(object, text_rows[i].name);
        const char *text;

        if (value && (!gf_json_string(value, &text) || gf_text_length(text) > text_rows[i].max)) {
            refuse(check, GF_E_INVALID, false, text_rows[i].name,
                   "must be a text of at most %lu characters", (unsigned long)text_rows[i].max);
        }
    }
}

static void check_parameters(check_t *check, gf_ask_t *ask)
{
    gf_json_t *object = gf_json_get(check->body, "parameters");

    check_known_parameters(check,
                           check->body); /* `strength` and friends may stand beside the prompt */
    if (!object) {
        return;
    }
    if (!gf_json_is_object(object)) {
        refuse(check, GF_E_INVALID, false, "parameters", "must be an object");
        return;
    }
    check_known_parameters(check, object);
    check_int(check, object, "seed", 0, SEED_MAX, &ask->seed);
    ask->parameters = gf_json_text(object);
    if (strlen(ask->parameters) > PARAMETERS_MAX) {
        refuse(check, GF_E_INVALID, false, "parameters", "must take at most %d bytes",
               PARAMETERS_MAX);
    }
    else if (!gf_json_is_moderate(object)) {
        refuse(check, GF_E_INVALID, false, "parameters",
               "holds a number beyond 1e15 or below 1e-15, or a NUL character");
    }
}

/* strength: what the client says in parameters or beside the prompt, else the preset's. It is
 * written last: of two members of one name Postgres keeps the last one. */
static void add_strength(check_t *check, gf_ask_t *ask, const gf_preset_t *preset)
{
    gf_json_t *parameters = gf_json_get(check->body, "parameters");
    gf_json_t *given = gf_json_get(check->body, "strength");
    double strength = preset ? preset->strength : 0;
    int length = (int)strlen(ask->parameters) - 1;

    if ((parameters && gf_json_get(parameters, "strength")) || (!given && !preset)) {
        return;
    }
    if (given) {
        gf_json_number(given, &strength);
    }
    ask->parameters = apr_psprintf(check->ctx->pool, "%.*s%s\"strength\":%.3f}", length,
                                   ask->parameters, length > 1 ? "," : "", strength);
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

static void compose(check_t *check, gf_ask_t *ask)
{
    const gf_preset_t *preset = ask->preset ? gf_type_preset(check->type, ask->preset) : NULL;

    if (ask->seed < 0) {
        apr_uint32_t drawn;

        apr_generate_random_bytes((unsigned char *)&drawn, sizeof(drawn));
        ask->seed = 1 + drawn % ((1U << SEED_DRAWN_BITS) - 1); /* never 0: "any" to providers */
    }
    add_strength(check, ask, preset);
    if (!ask->prompt) {
        ask->prompt = "";
    }
    if (preset && preset->prompt[0]) {
        ask->prompt = apr_pstrcat(check->ctx->pool, preset->prompt, ask->prompt[0] ? ", " : "",
                                  ask->prompt, NULL);
    }
}

gf_err_t *gf_param_check(gf_ask_t *ask, gf_ctx_t *ctx, const gf_type_t *type, const gf_json_t *body)
{
    check_t check = { .ctx = ctx,
                      .type = type,
                      .body = body,
                      .errors = apr_array_make(ctx->pool, 4, sizeof(gf_field_error_t)) };
    apr_int64_t retries = type->retries;

    memset(ask, 0, sizeof(*ask));
    ask->type = type;
    ask->parameters = "{}";
    ask->seed = -1;
    check_prompt(&check, ask);
    check_preset(&check, ask);
    check_source(&check, ask);
    check_run_id(&check, ask);
    check_int(&check, body, "seed", 0, SEED_MAX, &ask->seed);
    check_int(&check, body, "maxRetries", 0, type->retries, &retries);
    check_parameters(&check, ask);
    if (check.errors->nelts) {
        return failed(&check);
    }
    ask->max_retries = (int)retries;
    compose(&check, ask);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goes through tables of rows. Leaves what fields mean together to the rows' rules. */
#include "model/input.h"

#include <stdarg.h>
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "base/text.h"
#include "model/type.h"

#define NAME_SHOWN 64 /* bytes of an unknown name */

/* ---- bad fields ---- */

static gf_field_error_t *push_error(gf_input_t *input, gf_err_code_t code, const char *field)
{
    gf_field_error_t *error;

    if (!input->errors) {
        input->errors = apr_array_make(input->ctx->pool, 4, sizeof(gf_field_error_t));
    }
    error = apr_array_push(input->errors);
    error->field = field;
    error->missing = false;
    input->code = code;
    return error;
}

void gf_input_refuse(gf_input_t *input, gf_err_code_t code, const char *field, const char *format,
                     ...)
{
    va_list args;

    va_start(args, format);
    push_error(input, code, field)->message = apr_pvsprintf(input->ctx->pool, format, args);
    va_end(args);
}

void gf_input_missing(gf_input_t *input, const char *field, const char *message)
{
    gf_field_error_t *error = push_error(input, GF_E_INVALID, field);

    error->message = message;
    error->missing = true;
}

bool gf_input_refused(const gf_input_t *input, const char *field)
{
    int i;

    for (i = 0; input->errors && i < input->errors->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(input->errors, i, gf_field_error_t).field, field) == 0) {
            return true;
        }
    }
    return false;
}

gf_err_t *gf_input_end(gf_input_t *input)
{
    int count = input->errors ? input->errors->nelts : 0;
    gf_err_t *err;

    if (count == 0) {
        return NULL;
    }
    if (input->all && !input->unknown) {
        input->code = input->all;
    }
    else if (input->all || count > 1) {
        input->code = GF_E_INVALID;
    }
    err = gf_err_make(input->ctx, input->code, APR_SUCCESS, "%d bad fields, the first is %s", count,
                      APR_ARRAY_IDX(input->errors, 0, gf_field_error_t).field);
    err->fields = input->errors;
    err->extra = count > 1 ? NULL : input->extra;
    return err;
}

/* ---- finding values ---- */

/* A value as it came: a text of the query (or, loosely, of the body), or JSON. */
typedef struct value_t {
    const char *name; /* the spelling that the client used */
    const char *text;
    gf_json_t *json;
} value_t;

const char *gf_input_query(const apr_table_t *query, const char *name)
{
    const apr_array_header_t *entries = query ? apr_table_elts(query) : NULL;
    int i;

    for (i = entries ? entries->nelts - 1 : -1; i >= 0; i--) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);

        if (apr_cstr_casecmp(entry->key, name) == 0) {
            return entry->val;
        }
    }
    return NULL;
}

static bool find_member(value_t *value, const gf_json_t *object, const char *const *names)
{
    for (; object && *names; names++) {
        value->json = gf_json_get(object, *names);
        value->name = *names;
        if (value->json) {
            return true;
        }
    }
    return false;
}

gf_json_t *gf_input_member(const gf_input_t *input, const char *const *names)
{
    value_t value;

    return find_member(&value, input->body, names) || find_member(&value, input->fallback, names)
               ? value.json
               : NULL;
}

/* `name=` is absent. */
static bool find_argument(value_t *value, const apr_table_t *query, const char *const *names)
{
    for (; query && *names; names++) {
        value->text = gf_input_query(query, *names);
        value->name = *names;
        if (value->text && *value->text) {
            return true;
        }
    }
    value->text = NULL;
    return false;
}

static bool find_value(value_t *value, const gf_input_t *input, const char *const *names)
{
    memset(value, 0, sizeof(*value));
    if (find_argument(value, input->query, names)) {
        return true;
    }
    if (!find_member(value, input->body, names) && !find_member(value, input->fallback, names)) {
        return false;
    }
    if (!input->loose) {
        return true;
    }
    if (!gf_json_string(value->json, &value->text)) {
        value->text = gf_json_text(value->json);
    }
    value->json = NULL;
    return *value->text != '\0';
}

/* ---- kinds ---- */

static bool is_text(const char **text, const value_t *value)
{
    *text = value->text;
    return value->text || gf_json_string(value->json, text);
}

static const char *word_list(const gf_prompt_word_t *words, apr_pool_t *pool)
{
    const char *list = "";

    for (; words->word; words++) {
        list = apr_pstrcat(pool, list, *list ? ", " : "", words->word, NULL);
    }
    return list;
}

static const char *type_names(const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *list = "";
    int i;

    for (i = 0; conf->type_list && i < conf->type_list->nelts; i++) {
        list =
            apr_pstrcat(pool, list, *list ? ", " : "",
                        gf_type_wire(APR_ARRAY_IDX(conf->type_list, i, const gf_type_t *)), NULL);
    }
    return list;
}

/* These return what the value should be, or NULL when it is that and was written. */

static const char *read_text(const char **out, const gf_input_field_t *field, const value_t *value,
                             apr_pool_t *pool)
{
    const char *text;
    bool good = is_text(&text, value);
    apr_int64_t length = good ? (apr_int64_t)gf_text_length(text) : 0;

    if (good && length >= field->min && (!field->max || length <= field->max)) {
        *out = text;
        return NULL;
    }
    if (!field->max) {
        return "must be a text without NUL characters";
    }
    return apr_psprintf(pool,
                        "must be a text of %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                        " characters, none of them NUL",
                        field->min, field->max);
}

static const char *read_token(const char **out, const gf_input_field_t *field, const value_t *value,
                              apr_pool_t *pool)
{
    const char *text;

    if (is_text(&text, value) && gf_text_is_token(text, (apr_size_t)field->max)) {
        *out = text;
        return NULL;
    }
    return apr_psprintf(pool, "must be 1 to %" APR_INT64_T_FMT " characters of A-Z a-z 0-9 . _ : -",
                        field->max);
}

static const char *read_uuid(const char **out, const value_t *value)
{
    const char *text;

    if (is_text(&text, value) && gf_text_is_uuid(text)) {
        *out = text;
        return NULL;
    }
    return "must be an id";
}

static const char *read_word(const gf_prompt_word_t **out, const gf_input_field_t *field,
                             const value_t *value, apr_pool_t *pool)
{
    const char *text;
    const gf_prompt_word_t *word =
        is_text(&text, value) ? gf_prompt_word(field->words, text) : NULL;

    if (word) {
        *out = word;
        return NULL;
    }
    return apr_pstrcat(pool, "must be one of ", word_list(field->words, pool), NULL);
}

static const char *read_int(apr_int64_t *out, const value_t *value, apr_int64_t min,
                            apr_int64_t max, apr_pool_t *pool)
{
    apr_int64_t number;

    if ((value->text ? gf_text_int(&number, value->text) : gf_json_int(value->json, &number))
        && number >= min && number <= max) {
        *out = number;
        return NULL;
    }
    return apr_psprintf(
        pool, "must be a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT, min, max);
}

void gf_input_int(gf_input_t *input, const gf_json_t *value, const char *field, apr_int64_t min,
                  apr_int64_t max, apr_int64_t *out)
{
    const value_t found = { .json = (gf_json_t *)value };
    const char *wrong = value ? read_int(out, &found, min, max, input->ctx->pool) : NULL;

    if (wrong) {
        gf_input_refuse(input, GF_E_INVALID, field, "%s", wrong);
    }
}

static const char *read_number(const gf_input_field_t *field, const value_t *value,
                               apr_pool_t *pool)
{
    double number;

    return gf_json_number(value->json, &number) && number >= (double)field->min
                   && number <= (double)field->max && gf_json_is_moderate(value->json)
               ? NULL
               : apr_psprintf(pool,
                              "must be a number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT,
                              field->min, field->max);
}

static const char *read_bool(bool *out, const value_t *value)
{
    return gf_json_bool(value->json, out) ? NULL : "must be true or false";
}

static const char *read_object(gf_json_t **out, const gf_input_field_t *field, const value_t *value,
                               apr_pool_t *pool)
{
    if (gf_json_is_object(value->json) && gf_json_is_moderate(value->json)
        && strlen(gf_json_text(value->json)) <= (apr_size_t)field->max) {
        *out = value->json;
        return NULL;
    }
    return apr_psprintf(pool,
                        "must be an object of at most %" APR_INT64_T_FMT " bytes, without NUL "
                        "characters and without numbers beyond 1e15 or below 1e-15",
                        field->max);
}

static const char *read_type(const gf_type_t **out, const value_t *value, const gf_ctx_t *ctx)
{
    const char *text;
    const gf_type_t *type = is_text(&text, value) ? gf_type_find(ctx->conf, text, ctx->pool) : NULL;

    if (type) {
        *out = type;
        return NULL;
    }
    return apr_pstrcat(ctx->pool, "must be one of ", type_names(ctx->conf, ctx->pool), NULL);
}

static const char *read_value(void *at, const gf_input_field_t *field, const value_t *value,
                              const gf_ctx_t *ctx)
{
    switch (field->kind) {
    case GF_INPUT_TEXT:
        return read_text(at, field, value, ctx->pool);
    case GF_INPUT_TOKEN:
        return read_token(at, field, value, ctx->pool);
    case GF_INPUT_UUID:
        return read_uuid(at, value);
    case GF_INPUT_WORD:
        return read_word(at, field, value, ctx->pool);
    case GF_INPUT_INT:
        return read_int(at, value, field->min, field->max, ctx->pool);
    case GF_INPUT_NUMBER:
        return read_number(field, value, ctx->pool);
    case GF_INPUT_BOOL:
        return read_bool(at, value);
    case GF_INPUT_OBJECT:
        return read_object(at, field, value, ctx->pool);
    case GF_INPUT_TYPE:
        return read_type(at, value, ctx);
    case GF_INPUT_JSON:
        *(gf_json_t **)at = value->json;
        return NULL;
    case GF_INPUT_KNOWN:
        break;
    }
    return NULL;
}

/* Room for a value of any kind. */
typedef union any_t {
    const void *pointer;
    apr_int64_t number;
    bool truth;
} any_t;

void gf_input_read(gf_input_t *input, const gf_input_field_t *fields, void *record)
{
    for (; fields->names[0]; fields++) {
        const char *wrong = NULL;
        any_t unused;
        value_t value;

        if (fields->kind == GF_INPUT_KNOWN) {
            continue;
        }
        if (find_value(&value, input, fields->names)) {
            wrong = read_value(record ? (char *)record + fields->offset : (void *)&unused, fields,
                               &value, input->ctx);
        }
        else if (fields->required && !input->partial) {
            gf_input_missing(input, fields->names[0], "is required");
            continue;
        }
        if (wrong) {
            gf_input_refuse(input, GF_E_INVALID, fields->as_sent ? value.name : fields->names[0],
                            "%s", wrong);
        }
        else if (fields->rule && record) {
            fields->rule(input, record);
        }
    }
}

/* ---- unknown members ---- */

static const char *name_hint(const char *name, const char *const *known, apr_pool_t *pool)
{
    const char *near = gf_text_nearest(name, known);

    return near ? apr_psprintf(pool, "is not known here; did you mean %s?", near)
                : "is not known here: leave it out";
}

static bool is_listed(const char *name, const char *const *known)
{
    while (*known && strcmp(name, *known) != 0) {
        known++;
    }
    return *known != NULL;
}

/* The names of all rows, NULL-ended. */
static const char *const *names_of(const gf_input_field_t *const *tables, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 32, sizeof(const char *));

    for (; *tables; tables++) {
        const gf_input_field_t *field;

        for (field = *tables; field->names[0]; field++) {
            const char *const *name;

            for (name = field->names; *name; name++) {
                APR_ARRAY_PUSH(names, const char *) = *name;
            }
        }
    }
    APR_ARRAY_PUSH(names, const char *) = NULL;
    return (const char *const *)names->elts;
}

void gf_input_unknown_in(gf_input_t *input, const gf_json_t *object, const char *prefix,
                         const gf_input_field_t *const *tables)
{
    apr_pool_t *pool = input->ctx->pool;
    const apr_array_header_t *names = object ? gf_json_names(object, pool) : NULL;
    const char *const *known;
    int named = 0;
    int i;

    if (!names || input->lenient) {
        return;
    }
    known = names_of(tables, pool);
    for (i = 0; i < names->nelts && named < GF_INPUT_UNKNOWN; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (!is_listed(name, known)) {
            name = apr_pstrmemdup(pool, name, gf_text_utf8(name, strnlen(name, NAME_SHOWN)));
            gf_input_refuse(input, GF_E_INVALID, apr_pstrcat(pool, prefix, name, NULL), "%s",
                            name_hint(name, known, pool));
            input->unknown = true;
            named++;
        }
    }
}

void gf_input_unknown(gf_input_t *input, const gf_input_field_t *const *tables)
{
    gf_input_unknown_in(input, input->body, "", tables);
}

gf_err_t *gf_input_all(gf_input_t *input, const gf_input_field_t *fields, void *record)
{
    const gf_input_field_t *const tables[] = { fields, NULL };

    gf_input_read(input, fields, record);
    gf_input_unknown(input, tables);
    return gf_input_end(input);
}

/* "a|b|c" as an array, NULL-ended. */
static const char *const *split_words(apr_pool_t *pool, const char *list)
{
    apr_array_header_t *words = apr_array_make(pool, 8, sizeof(const char *));
    char *state;
    char *word;

    for (word = apr_strtok(apr_pstrdup(pool, list), "|", &state); word;
         word = apr_strtok(NULL, "|", &state)) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
    APR_ARRAY_PUSH(words, const char *) = NULL;
    return (const char *const *)words->elts;
}

void gf_input_unknown_query(gf_input_t *input, const char *known, bool once)
{
    const char *const *names = split_words(input->ctx->pool, known);
    const apr_array_header_t *entries = apr_table_elts(input->query);
    int named = 0;
    int i;

    for (i = 0; i < entries->nelts && named < GF_INPUT_UNKNOWN; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);
        const char *const *name = names;

        while (*name && apr_cstr_casecmp(entry->key, *name) != 0) {
            name++;
        }
        if (entry->key[0] && !*name) {
            gf_input_refuse(input, GF_E_INVALID, entry->key, "%s",
                            name_hint(entry->key, names, input->ctx->pool));
            named++;
        }
        else if (once && apr_table_get(input->query, entry->key) != entry->val) {
            gf_input_refuse(input, GF_E_INVALID, entry->key, "stands there twice");
            named++;
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reads JSON with json-c and writes it into a buffer. Leaves meaning and bounds of values to
 * model/. */
#include "base/json.h"

#include <math.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <json-c/json.h>

#include "base/json_walk.h"
#include "base/text.h"

#define LARGEST  1e15
#define SMALLEST 1e-15

#define ANSWER_BYTES 2048 /* of an answer, as a rule */

static void append_bytes(gf_out_t *out, const char *bytes, apr_size_t length);

/* ---- reading ---- */

static apr_status_t put_document(void *document)
{
    json_object_put(document);
    return APR_SUCCESS;
}

static gf_err_t *bad_json(gf_ctx_t *ctx, const char *why, apr_size_t at)
{
    return gf_err_field(ctx, GF_E_BAD_JSON, "body",
                        apr_psprintf(ctx->pool, "%s (at byte %lu)", why, (unsigned long)at));
}

/* A copy in which each byte that is no UTF-8 is U+FFFD. */
static const char *repaired_utf8(apr_pool_t *pool, const char *text, apr_size_t *length)
{
    gf_out_t out;
    apr_size_t at = 0;

    gf_out_init(&out, pool, *length + 64);
    while (at < *length) {
        apr_size_t good = gf_text_utf8(text + at, *length - at);

        append_bytes(&out, text + at, good);
        at += good;
        if (at < *length) {
            append_bytes(&out, "\xEF\xBF\xBD", 3);
            at++;
        }
    }
    *length = out.length;
    return out.text;
}

/* The members of all objects in value. */
static int names_in(const gf_json_t *value)
{
    int names = 0;
    size_t i;

    if (json_object_is_type(value, json_type_array)) {
        for (i = 0; i < json_object_array_length(value); i++) {
            names += names_in(json_object_array_get_idx(value, i));
        }
    }
    else if (json_object_is_type(value, json_type_object)) {
        struct json_object_iterator at = json_object_iter_begin((json_object *)value);
        struct json_object_iterator end = json_object_iter_end((json_object *)value);

        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
            names += 1 + names_in(json_object_iter_peek_value(&at));
        }
    }
    return names;
}

/* Builds what was walked. */
static gf_err_t *build_document(gf_json_t **out, gf_ctx_t *ctx, const gf_json_walk_t *walk)
{
    struct json_tokener *tokener = json_tokener_new_ex(GF_JSON_DEPTH);
    json_object *document;
    enum json_tokener_error error;
    apr_size_t end;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    document = json_tokener_parse_ex(tokener, walk->text, (int)walk->length);
    error = json_tokener_get_error(tokener);
    end = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);
    if (document) {
        apr_pool_cleanup_register(ctx->pool, document, put_document, apr_pool_cleanup_null);
    }
    if (error != json_tokener_success) {
        return bad_json(ctx, json_tokener_error_desc(error), end);
    }
    if (!json_object_is_type(document, json_type_object)) {
        return bad_json(ctx, "the body is not a JSON object", 0);
    }
    if (walk->strict && names_in(document) < walk->names) {
        return bad_json(ctx, "a name stands twice in one object", walk->length);
    }
    *out = document;
    return NULL;
}

gf_err_t *gf_json_parse(gf_json_t **out, gf_ctx_t *ctx, const char *text, apr_size_t length)
{
    gf_json_walk_t walk = { .text = text,
                            .length = length,
                            .values_max = GF_JSON_VALUES,
                            .depth_max = GF_JSON_DEPTH,
                            .strict = true };
    apr_size_t good = gf_text_utf8(text, length);
    const char *wrong;

    if (good != length) {
        return bad_json(ctx, "not UTF-8", good);
    }
    wrong = gf_json_walk(&walk);
    return wrong ? bad_json(ctx, wrong, walk.at) : build_document(out, ctx, &walk);
}

gf_err_t *gf_json_parse_reply(gf_json_t **out, gf_ctx_t *ctx, const char *text, apr_size_t length)
{
    gf_json_walk_t walk = { .values_max = GF_JSON_REPLY_VALUES, .depth_max = GF_JSON_DEPTH };
    const char *wrong;

    if (gf_text_utf8(text, length) != length) {
        text = repaired_utf8(ctx->pool, text, &length);
    }
    walk.text = text;
    walk.length = length;
    wrong = gf_json_walk(&walk);
    return wrong ? bad_json(ctx, wrong, walk.at) : build_document(out, ctx, &walk);
}

gf_json_t *gf_json_get(const gf_json_t *object, const char *name)
{
    json_object *value = NULL;

    return json_object_object_get_ex(object, name, &value) ? value : NULL;
}

bool gf_json_string(const gf_json_t *value, const char **out)
{
    const char *text;

    if (!json_object_is_type(value, json_type_string)) {
        return false;
    }
    text = json_object_get_string((json_object *)value);
    if (strlen(text) != (size_t)json_object_get_string_len(value)) {
        return false;
    }
    *out = text;
    return true;
}

bool gf_json_int(const gf_json_t *value, apr_int64_t *out)
{
    if (!json_object_is_type(value, json_type_int)) {
        return false;
    }
    *out = json_object_get_int64(value);
    return true;
}

bool gf_json_number(const gf_json_t *value, double *out)
{
    if (!json_object_is_type(value, json_type_int)
        && !json_object_is_type(value, json_type_double)) {
        return false;
    }
    *out = json_object_get_double(value);
    return true;
}

bool gf_json_bool(const gf_json_t *value, bool *out)
{
    if (!json_object_is_type(value, json_type_boolean)) {
        return false;
    }
    *out = json_object_get_boolean(value);
    return true;
}

bool gf_json_is_object(const gf_json_t *value)
{
    return json_object_is_type(value, json_type_object);
}

bool gf_json_is_array(const gf_json_t *value)
{
    return json_object_is_type(value, json_type_array);
}

const char *gf_json_text(gf_json_t *value)
{
    return json_object_to_json_string_ext(value,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

void gf_json_add(gf_json_t *object, const char *name, gf_json_t *value)
{
    if (value && !gf_json_get(object, name)) {
        json_object_object_add(object, name, json_object_get(value));
    }
}

void gf_json_add_all(gf_json_t *object, const gf_json_t *from)
{
    struct json_object_iterator at = json_object_iter_begin((json_object *)from);
    struct json_object_iterator end = json_object_iter_end((json_object *)from);

    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        gf_json_add(object, json_object_iter_peek_name(&at), json_object_iter_peek_value(&at));
    }
}

apr_array_header_t *gf_json_names(const gf_json_t *object, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 8, sizeof(const char *));
    struct json_object_iterator at, end;

    if (gf_json_is_object(object)) {
        at = json_object_iter_begin((json_object *)object);
        end = json_object_iter_end((json_object *)object);
        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
            APR_ARRAY_PUSH(names, const char *) = json_object_iter_peek_name(&at);
        }
    }
    return names;
}

static bool is_moderate_number(const gf_json_t *value)
{
    double number = fabs(json_object_get_double(value));
    const char *exponent = strpbrk(json_object_get_string((json_object *)value), "eE");

    if (number == 0) {
        return !exponent; /* 0e-9999 is ten thousand digits, too */
    }
    return number >= SMALLEST && number <= LARGEST;
}

bool gf_json_is_moderate(const gf_json_t *value)
{
    const char *text;
    size_t i;

    switch (json_object_get_type(value)) {
    case json_type_int:
    case json_type_double:
        return is_moderate_number(value);
    case json_type_string:
        return gf_json_string(value, &text);
    case json_type_array:
        for (i = 0; i < json_object_array_length(value); i++) {
            if (!gf_json_is_moderate(json_object_array_get_idx(value, i))) {
                return false;
            }
        }
        return true;
    case json_type_object: {
        struct json_object_iterator at = json_object_iter_begin((json_object *)value);
        struct json_object_iterator end = json_object_iter_end((json_object *)value);

        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
            if (!gf_json_is_moderate(json_object_iter_peek_value(&at))) {
                return false;
            }
        }
        return true;
    }
    default:
        return true;
    }
}

gf_json_t *gf_json_at(const gf_json_t *array, apr_size_t index)
{
    if (!json_object_is_type(array, json_type_array) || index >= json_object_array_length(array)) {
        return NULL;
    }
    return json_object_array_get_idx(array, index);
}

apr_size_t gf_json_length(const gf_json_t *array)
{
    return gf_json_is_array(array) ? json_object_array_length(array) : 0;
}

/* ---- writing ---- */

void gf_out_init(gf_out_t *out, apr_pool_t *pool, apr_size_t size)
{
    out->pool = pool;
    out->text = apr_palloc(pool, size + 1);
    out->text[0] = '\0';
    out->length = 0;
    out->size = size;
    out->comma = false;
    out->twins = false;
}

static void append_bytes(gf_out_t *out, const char *bytes, apr_size_t length)
{
    if (out->length + length > out->size) {
        apr_size_t size = (out->length + length) * 2;
        char *text = apr_palloc(out->pool, size + 1);

        memcpy(text, out->text, out->length);
        out->text = text;
        out->size = size;
    }
    memcpy(out->text + out->length, bytes, length);
    out->length += length;
    out->text[out->length] = '\0';
}

static void before_value(gf_out_t *out)
{
    if (out->comma) {
        append_bytes(out, ",", 1);
    }
    out->comma = true;
}

void gf_out_open(gf_out_t *out, char bracket)
{
    before_value(out);
    append_bytes(out, &bracket, 1);
    out->comma = false;
}

void gf_out_close(gf_out_t *out, char bracket)
{
    append_bytes(out, &bracket, 1);
    out->comma = true;
}

void gf_out_key(gf_out_t *out, const char *name)
{
    before_value(out);
    append_bytes(out, "\"", 1);
    append_bytes(out, name, strlen(name));
    append_bytes(out, "\":", 2);
    out->comma = false;
}

static void append_escaped(gf_out_t *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char code[6] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };

    switch (c) {
    case '"':
        append_bytes(out, "\\\"", 2);
        break;
    case '\\':
        append_bytes(out, "\\\\", 2);
        break;
    case '\n':
        append_bytes(out, "\\n", 2);
        break;
    default:
        append_bytes(out, code, sizeof(code));
    }
}

void gf_out_string(gf_out_t *out, const char *value)
{
    const char *plain = value;

    if (!value) {
        gf_out_raw(out, NULL);
        return;
    }
    before_value(out);
    append_bytes(out, "\"", 1);
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;

        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F) {
            append_bytes(out, plain, (apr_size_t)(value - plain));
            append_escaped(out, c);
            plain = value + 1;
        }
    }
    append_bytes(out, plain, (apr_size_t)(value - plain));
    append_bytes(out, "\"", 1);
}

void gf_out_raw(gf_out_t *out, const char *json)
{
    if (!json) {
        json = "null";
    }
    before_value(out);
    append_bytes(out, json, strlen(json));
}

/* The name in snake_case, if a twin is wanted and it has one; else NULL. */
static const char *twin_of(const gf_out_t *out, const char *name)
{
    char *twin;
    char *at;

    if (!out->twins || !name[strcspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")]) {
        return NULL;
    }
    at = twin = apr_palloc(out->pool, 2 * strlen(name) + 1);
    for (; *name; name++) {
        if (apr_isupper(*name)) {
            *at++ = '_';
        }
        *at++ = (char)apr_tolower(*name);
    }
    *at = '\0';
    return twin;
}

const char *gf_json_of_number(double number, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "%.15g", number);
    const char *digits = text + (*text == '-');

    return *digits == '.' ? apr_pstrcat(pool, *text == '-' ? "-0" : "0", digits, NULL) : text;
}

void gf_out_put_string(gf_out_t *out, const char *name, const char *value)
{
    const char *twin = twin_of(out, name);

    gf_out_key(out, name);
    gf_out_string(out, value);
    if (twin) {
        gf_out_key(out, twin);
        gf_out_string(out, value);
    }
}

void gf_out_put_raw(gf_out_t *out, const char *name, const char *json)
{
    const char *twin = twin_of(out, name);

    gf_out_key(out, name);
    gf_out_raw(out, json);
    if (twin) {
        gf_out_key(out, twin);
        gf_out_raw(out, json);
    }
}

void gf_out_put_int(gf_out_t *out, const char *name, apr_int64_t value)
{
    char digits[24];

    apr_snprintf(digits, sizeof(digits), "%" APR_INT64_T_FMT, value);
    gf_out_put_raw(out, name, digits);
}

void gf_out_put_bool(gf_out_t *out, const char *name, bool value)
{
    gf_out_put_raw(out, name, value ? "true" : "false");
}

void gf_out_begin(gf_out_t *out, apr_pool_t *pool)
{
    gf_out_init(out, pool, ANSWER_BYTES);
    gf_out_open(out, '{');
    gf_out_put_bool(out, "success", true);
    gf_out_put_bool(out, "ok", true);
}

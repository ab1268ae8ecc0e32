/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of RFC 8259, a function for each of its rules: NULL is success. Recursion is bounded
 * by depth_max. Leaves what a value means to json-c. */
#include "base/json_walk.h"

#include <string.h>

#include <apr_lib.h>

static const char not_json[] = "not JSON";
static const char too_early[] = "the JSON ends too early";

static const char *walk_value(gf_json_walk_t *walk, int depth);

static int next_char(const gf_json_walk_t *walk)
{
    return walk->at < walk->length ? (unsigned char)walk->text[walk->at] : -1;
}

static const char *reason_wrong(const gf_json_walk_t *walk)
{
    return walk->at < walk->length ? not_json : too_early;
}

static void skip_space(gf_json_walk_t *walk)
{
    while (walk->at < walk->length && walk->text[walk->at]
           && strchr(" \t\r\n", walk->text[walk->at])) {
        walk->at++;
    }
}

static bool take_char(gf_json_walk_t *walk, char c)
{
    if (next_char(walk) != c) {
        return false;
    }
    walk->at++;
    return true;
}

static const char *walk_literal(gf_json_walk_t *walk, const char *literal)
{
    for (; *literal; literal++) {
        if (!take_char(walk, *literal)) {
            return reason_wrong(walk);
        }
    }
    return NULL;
}

/* ---- numbers ---- */

static const char *walk_digits(gf_json_walk_t *walk)
{
    if (!apr_isdigit(next_char(walk))) {
        return reason_wrong(walk);
    }
    while (next_char(walk) >= '0' && next_char(walk) <= '9') {
        walk->at++;
    }
    return NULL;
}

static const char *walk_number(gf_json_walk_t *walk)
{
    const char *error = NULL;

    take_char(walk, '-');
    if (!take_char(walk, '0')) {
        error = walk_digits(walk);
    }
    if (!error && take_char(walk, '.')) {
        error = walk_digits(walk);
    }
    if (!error && (take_char(walk, 'e') || take_char(walk, 'E'))) {
        if (!take_char(walk, '-')) {
            take_char(walk, '+');
        }
        error = walk_digits(walk);
    }
    return error;
}

/* ---- texts ---- */

/* The four digits after \u; -1: there are none. */
static int read_hex4(gf_json_walk_t *walk)
{
    int value = 0;
    int i;

    for (i = 0; i < 4; i++, walk->at++) {
        int c = next_char(walk);

        if (c < 0 || !apr_isxdigit(c)) {
            return -1;
        }
        value = value * 16 + (apr_isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* After a backslash. */
static const char *walk_escape(gf_json_walk_t *walk, bool is_name)
{
    int code, low;

    if (!take_char(walk, 'u')) {
        if (next_char(walk) <= 0 || !strchr("\"\\/bfnrt", next_char(walk))) {
            return reason_wrong(walk);
        }
        walk->at++;
        return NULL;
    }
    code = read_hex4(walk);
    if (code < 0) {
        return reason_wrong(walk);
    }
    if (!walk->strict) {
        return NULL;
    }
    if (code == 0 && is_name) {
        return "a name holds a NUL";
    }
    if (code >= 0xD800 && code <= 0xDFFF) {
        low = code < 0xDC00 && take_char(walk, '\\') && take_char(walk, 'u') ? read_hex4(walk) : -1;
        if (low < 0xDC00 || low > 0xDFFF) {
            return "half of a surrogate pair";
        }
    }
    return NULL;
}

static const char *walk_text(gf_json_walk_t *walk, bool is_name)
{
    const char *error = NULL;

    if (!take_char(walk, '"')) {
        return reason_wrong(walk);
    }
    while (!error) {
        int c = next_char(walk);

        if (c < 0) {
            return too_early;
        }
        if (c < 0x20 && walk->strict) {
            return "a control character that is not escaped";
        }
        walk->at++;
        if (c == '"') {
            return NULL;
        }
        error = c == '\\' ? walk_escape(walk, is_name) : NULL;
    }
    return error;
}

/* ---- arrays and objects ---- */

/* After the opening bracket. */
static const char *walk_members(gf_json_walk_t *walk, int depth, char close)
{
    const char *error = NULL;

    skip_space(walk);
    if (take_char(walk, close)) {
        return NULL;
    }
    while (!error) {
        if (close == '}') {
            skip_space(walk);
            walk->names++;
            error = walk_text(walk, true);
            if (error) {
                return error;
            }
            skip_space(walk);
            if (!take_char(walk, ':')) {
                return reason_wrong(walk);
            }
        }
        error = walk_value(walk, depth);
        if (error) {
            return error;
        }
        skip_space(walk);
        if (take_char(walk, close)) {
            return NULL;
        }
        error = take_char(walk, ',') ? NULL : reason_wrong(walk);
    }
    return error;
}

static const char *walk_value(gf_json_walk_t *walk, int depth)
{
    int c;

    skip_space(walk);
    c = next_char(walk);
    if (++walk->values > walk->values_max) {
        return "more values than a body may have";
    }
    switch (c) {
    case '{':
    case '[':
        if (depth == 0) {
            return "nested too deep";
        }
        walk->at++;
        return walk_members(walk, depth - 1, c == '{' ? '}' : ']');
    case '"':
        return walk_text(walk, false);
    case 't':
        return walk_literal(walk, "true");
    case 'f':
        return walk_literal(walk, "false");
    case 'n':
        return walk_literal(walk, "null");
    default:
        return c == '-' || (c >= '0' && c <= '9') ? walk_number(walk) : reason_wrong(walk);
    }
}

const char *gf_json_walk(gf_json_walk_t *walk)
{
    const char *error;

    walk->at = 0;
    walk->values = 0;
    walk->names = 0;
    skip_space(walk);
    if (walk->at == walk->length) {
        return "the body is empty";
    }
    error = walk_value(walk, walk->depth_max);
    if (error) {
        return error;
    }
    skip_space(walk);
    return walk->at < walk->length ? "there is something behind the JSON" : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Picks single values out of a JSON text. Leaves reading to base/json.c. Any thread. */
#include "base/json_pick.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/text.h"

static const gf_json_t *step_into(const gf_json_t *value, const char *name)
{
    apr_int64_t at;

    if (!gf_json_is_array(value)) {
        return gf_json_get(value, name);
    }
    return gf_text_int(&at, name) && at >= 0 ? gf_json_at(value, (apr_size_t)at) : NULL;
}

const char *gf_json_pick(apr_pool_t *pool, const char *text, apr_size_t length, const char *path)
{
    gf_ctx_t ctx = { .pool = pool };
    gf_json_t *document = NULL;
    const gf_json_t *value;
    const char *string;

    if (gf_json_parse_reply(&document, &ctx, text, length)) {
        return NULL;
    }
    value = document;
    while (value && *path) {
        size_t name = strcspn(path, "/");

        value = step_into(value, apr_pstrmemdup(pool, path, name));
        path += name + (path[name] == '/');
    }
    if (!value || gf_json_is_object(value) || gf_json_is_array(value)) {
        return NULL;
    }
    return apr_pstrdup(pool,
                       gf_json_string(value, &string) ? string : gf_json_text((gf_json_t *)value));
}

const char *gf_json_quote(apr_pool_t *pool, const char *text)
{
    gf_out_t out;

    gf_out_init(&out, pool, 64);
    gf_out_string(&out, text);
    return out.text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the value of a directive by its row. Start-up only. */
#include "httpd/row.h"

#include <stdbool.h>
#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include "base/text.h"
#include "httpd/setters.h"
#include "model/url.h"

/* The place of `text` among the words that are listed. */
static bool parse_word(const char *listed, const char *text, apr_int64_t *number)
{
    size_t length = strlen(text);

    for (*number = 0; *listed; listed += strcspn(listed, ", ")) {
        listed += strspn(listed, ", ");
        if (strncmp(listed, "or ", 3) == 0) {
            listed += 3;
        }
        if (strcspn(listed, ", ") == length && strncasecmp(listed, text, length) == 0) {
            return true;
        }
        ++*number;
    }
    return false;
}

static bool parse_number(const httpd_row_t *row, const char *text, apr_int64_t *number)
{
    switch (row->kind) {
    case IS_FLAG:
        *number = strcasecmp(text, "on") == 0;
        return *number || strcasecmp(text, "off") == 0;
    case IS_WORD:
        return parse_word(row->bounds, text, number);
    case IS_INT:
        return gf_text_int(number, text);
    case IS_TIME:
        return gf_text_time(number, text);
    default:
        return gf_text_size(number, text);
    }
}

static const char *set_number(apr_pool_t *pool, const httpd_row_t *row, void *base,
                              const char *name, const char *text)
{
    apr_int64_t number;

    if (!parse_number(row, text, &number)
        || (row->kind > IS_WORD && (number < row->min || number > row->max))) {
        return apr_psprintf(pool, "%s %s: must be %s", name, text, row->bounds);
    }
    *(apr_int64_t *)((char *)base + row->offset) = number;
    return NULL;
}

static const char *set_text(apr_pool_t *pool, const httpd_row_t *row, void *base, const char *name,
                            const char *text)
{
    char *value = apr_pstrdup(pool, text);
    size_t length;

    if (row->kind == IS_SECRET) {
        return httpd_setters_secret((const char **)((char *)base + row->offset), pool, name, text);
    }
    if (row->kind == IS_URL && !gf_url_is_http(text)
        && !(row->place <= IN_STORE && text[0] == '/')) {
        return apr_psprintf(pool, "%s %s: must be %s", name, text, row->bounds);
    }
    if (row->kind == IS_FOLDER && !(value = ap_server_root_relative(pool, text))) {
        return apr_psprintf(pool, "%s %s: must be %s", name, text, row->bounds);
    }
    for (length = strlen(value); (row->kind == IS_URL || row->kind == IS_FOLDER) && length > 1
                                 && value[length - 1] == '/';) {
        value[--length] = '\0';
    }
    *(const char **)((char *)base + row->offset) = value;
    return NULL;
}

const char *httpd_row_set(apr_pool_t *pool, const httpd_row_t *row, void *base, const char *name,
                          const char *text)
{
    return row->kind >= IS_TEXT ? set_text(pool, row, base, name, text)
                                : set_number(pool, row, base, name, text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The one pager. Leaves what cursors hold to the lists. */
#include "api/page.h"

#include <string.h>

#include <apr_encode.h>

#include "base/text.h"

#define LIMIT_USUAL 50
#define LIMIT_MAX   100

const gf_input_field_t api_page_fields[] = {
    { .names = { "limit" },
      .kind = GF_INPUT_INT,
      .min = 1,
      .max = LIMIT_MAX,
      .offset = offsetof(api_page_t, limit) },
    { .names = { "cursor" }, .kind = GF_INPUT_TEXT, .offset = offsetof(api_page_t, cursor) },
    GF_INPUT_END
};

void api_page_read(api_page_t *page, gf_input_t *input)
{
    page->limit = LIMIT_USUAL;
    page->cursor = NULL;
    gf_input_read(input, api_page_fields, page);
}

void api_page_refuse_cursor(gf_input_t *input)
{
    gf_input_refuse(input, GF_E_INVALID, "cursor", "must be a nextCursor of this list");
}

const char *api_page_wrap(const char *text, apr_pool_t *pool)
{
    return apr_pencode_base64(pool, text, APR_ENCODE_STRING, APR_ENCODE_BASE64URL, NULL);
}

const char *api_page_unwrap(const char *cursor, apr_pool_t *pool)
{
    apr_size_t length;
    const char *text =
        apr_pdecode_base64(pool, cursor, APR_ENCODE_STRING, APR_ENCODE_BASE64URL, &length);

    return text && length > 0 && strlen(text) == length && gf_text_utf8(text, length) == length
               ? text
               : NULL;
}

int api_page_shown(const api_page_t *page, const apr_array_header_t *rows)
{
    return rows->nelts > page->limit ? (int)page->limit : rows->nelts;
}

void api_page_put(gf_out_t *out, const char *next)
{
    gf_out_put_bool(out, "hasMore", next != NULL);
    gf_out_put_string(out, "nextCursor", next);
}

void api_page_put_count(gf_out_t *out, int count, const char *next)
{
    gf_out_put_int(out, "count", count);
    gf_out_put_string(out, "nextCursor", next);
}

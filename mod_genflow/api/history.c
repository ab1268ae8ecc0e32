/* SPDX-License-Identifier: Apache-2.0 */
/* GET generations, and GET, POST getUserMedia as older front ends call it: what the caller has
 * made, newest first, page by page, by type, status and preset. */
#include "api/page.h"
#include "api/api.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "db/steer.h"

#define PRESET_MAX     64
#define CURSOR_VERSION "1:"
#define AT_MAX         (APR_INT64_C(253402300799) * APR_USEC_PER_SEC) /* the year 9999 */

const gf_prompt_word_t api_history_statuses[] = { { "pending", "" },   { "processing", "" },
                                                  { "completed", "" }, { "failed", "" },
                                                  { "cancelled", "" }, { NULL, NULL } };

/* ---- the cursor: where a page ended, opaque to clients ---- */

const char *api_history_cursor(apr_pool_t *pool, const gf_view_t *last)
{
    return api_page_wrap(
        apr_psprintf(pool, CURSOR_VERSION "%" APR_INT64_T_FMT ":%s", last->at, last->id), pool);
}

bool api_history_read_cursor(gf_page_t *page, apr_pool_t *pool, const char *cursor)
{
    const char *text = api_page_unwrap(cursor, pool);
    const char *id;

    if (!text || strncmp(text, CURSOR_VERSION, strlen(CURSOR_VERSION)) != 0) {
        return false;
    }
    text += strlen(CURSOR_VERSION);
    id = strchr(text, ':');
    if (!id || !gf_text_is_uuid(id + 1)) {
        return false;
    }
    page->after = id + 1;
    return gf_text_int(&page->at, apr_pstrmemdup(pool, text, (apr_size_t)(id - text)))
           && page->at >= 0 && page->at <= AT_MAX;
}

/* ---- the filter ---- */

typedef struct filter_t {
    const gf_type_t *type;
    const gf_prompt_word_t *status;
    const char *preset;
} filter_t;

static const gf_input_field_t filters[] = {
    { .names = { "type" }, .kind = GF_INPUT_TYPE, .offset = offsetof(filter_t, type) },
    { .names = { "status" },
      .kind = GF_INPUT_WORD,
      .words = api_history_statuses,
      .offset = offsetof(filter_t, status) },
    { .names = { "preset" },
      .kind = GF_INPUT_TOKEN,
      .max = PRESET_MAX,
      .offset = offsetof(filter_t, preset) },
    { .names = { "userId" }, .kind = GF_INPUT_KNOWN },
    GF_INPUT_END
};

static gf_err_t *read_page(gf_page_t *page, gf_req_t *req, const gf_json_t *body)
{
    static const gf_input_field_t *const tables[] = { filters, api_page_fields, NULL };
    gf_input_t input = api_body_query_input(req);
    filter_t filter = { .type = NULL };
    api_page_t window;

    input.body = body;
    input.loose = true;
    gf_input_read(&input, filters, &filter);
    api_page_read(&window, &input);
    memset(page, 0, sizeof(*page));
    if (window.cursor && !api_history_read_cursor(page, req->r->pool, window.cursor)) {
        api_page_refuse_cursor(&input);
    }
    gf_input_unknown(&input, tables);
    page->user = req->user;
    page->type = filter.type;
    page->status = filter.status ? filter.status->word : NULL;
    page->preset = filter.preset;
    page->limit = (int)window.limit;
    return gf_input_end(&input);
}

gf_err_t *api_history(gf_req_t *req)
{
    gf_json_t *body = NULL;
    const char *text;
    apr_size_t length;
    apr_int64_t total;
    gf_page_t page;
    gf_out_t out;
    bool exact;
    int i;

    if (req->r->method_number == M_POST) {
        GF_TRY(api_body_json(req, &body, &text, &length));
    }
    GF_TRY(read_page(&page, req, body));
    GF_TRY(gf_steer_history(&page, req->ctx));
    GF_TRY(gf_steer_count(&total, &exact, req->ctx, &page));
    gf_reply_begin(&out, req);
    gf_out_key(&out, "items");
    gf_out_open(&out, '[');
    for (i = 0; i < page.items->nelts; i++) {
        gf_out_open(&out, '{');
        gf_reply_members(&out, req, &APR_ARRAY_IDX(page.items, i, gf_view_t));
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, ']');
    gf_out_put_int(&out, "total", total);
    gf_out_put_bool(&out, "totalIsExact", exact);
    api_page_put(&out,
                 page.more ? api_history_cursor(
                     req->r->pool, &APR_ARRAY_IDX(page.items, page.items->nelts - 1, gf_view_t))
                           : NULL);
    return gf_reply_send(req, &out, HTTP_OK);
}

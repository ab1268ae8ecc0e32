/* SPDX-License-Identifier: Apache-2.0 */
/* GET generations, and GET, POST getUserMedia as older front ends call it: what the caller has
 * made, newest first, page by page, by type, status, preset, tag, words, time and favourites. */
#include "api/page.h"
#include "api/api.h"

#include <string.h>

#include <apr_strings.h>

#include "api/large.h"
#include "base/text.h"
#include "db/steer.h"

#define PRESET_MAX     64
#define TAG_MAX        200
#define WORDS_LENGTH   1000
#define WORDS_MAX      5
#define CURSOR_VERSION "1:"
#define AT_MAX         (APR_INT64_C(253402300799) * APR_USEC_PER_SEC) /* the year 9999 */

const gf_prompt_word_t api_history_statuses[] = { { "pending", "" },   { "processing", "" },
                                                  { "completed", "" }, { "failed", "" },
                                                  { "cancelled", "" }, { NULL, NULL } };

/* ---- the cursor: where a page ended, opaque to clients ---- */

const char *api_history_cursor(apr_pool_t *pool, const gf_page_t *page)
{
    return page->next ? api_page_wrap(apr_psprintf(pool, CURSOR_VERSION "%" APR_INT64_T_FMT ":%s",
                                                   page->next_at, page->next),
                                      pool)
                      : NULL;
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
    const char *query;
    const char *words; /* of the query, as an array of Postgres */
    const char *tag;
    const char *since_text;
    apr_time_t since;
    const gf_prompt_word_t *favourite;
} filter_t;

static const gf_prompt_word_t switch_words[] = {
    { "1", "" }, { "true", "" }, { "0", NULL }, { "false", NULL }, { NULL, NULL }
};

static void rule_query(gf_input_t *input, void *record)
{
    filter_t *filter = record;
    apr_pool_t *pool = input->ctx->pool;
    apr_array_header_t *words = filter->query ? gf_text_words(pool, filter->query) : NULL;

    if (words && words->nelts > WORDS_MAX) {
        gf_input_refuse(input, GF_E_INVALID, "q", "must have at most %d words", WORDS_MAX);
    }
    else if (words && words->nelts > 0) {
        filter->words = gf_text_array(pool, (const char *const *)words->elts, words->nelts);
    }
}

static void rule_since(gf_input_t *input, void *record)
{
    filter_t *filter = record;

    if (filter->since_text && !gf_text_instant(&filter->since, filter->since_text)) {
        gf_input_refuse(input, GF_E_INVALID, "since",
                        "must be an instant like 2026-11-20T22:00:00Z (a + of a time zone is %%2B "
                        "in an address)");
    }
}

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
    { .names = { "q" },
      .kind = GF_INPUT_TEXT,
      .max = WORDS_LENGTH,
      .offset = offsetof(filter_t, query),
      .rule = rule_query },
    { .names = { "tag" },
      .kind = GF_INPUT_TEXT,
      .min = 1,
      .max = TAG_MAX,
      .offset = offsetof(filter_t, tag) },
    { .names = { "since" },
      .kind = GF_INPUT_TEXT,
      .offset = offsetof(filter_t, since_text),
      .rule = rule_since },
    { .names = { "favourite" },
      .kind = GF_INPUT_WORD,
      .words = switch_words,
      .offset = offsetof(filter_t, favourite) },
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
    page->words = filter.words;
    page->tag = filter.tag;
    page->since = filter.since > 0 ? filter.since : 0; /* nothing is older than 1970 */
    page->favourite = filter.favourite && filter.favourite->says;
    page->limit = (int)window.limit;
    return gf_input_end(&input);
}

/* How many there are in all. A search that found less than a page has looked at as many rows as a
 * count would. */
static gf_err_t *count(apr_int64_t *total, bool *exact, gf_req_t *req, const gf_page_t *page)
{
    if (page->words && !page->after && page->items->nelts < page->limit) {
        *total = page->items->nelts;
        *exact = !page->next;
        return NULL;
    }
    return gf_steer_count(total, exact, req->ctx, page);
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
    if (page.words) {
        GF_TRY(api_limit(req, true)); /* it costs more than a page does */
    }
    GF_TRY(gf_steer_history(&page, req->ctx));
    GF_TRY(count(&total, &exact, req, &page));
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
    api_page_put(&out, api_history_cursor(req->r->pool, &page));
    GF_TRY(api_large_begin(req, (apr_off_t)out.length));
    return gf_reply_tagged(req, &out, 0);
}

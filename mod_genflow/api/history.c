/* SPDX-License-Identifier: Apache-2.0 */
/* GET generations, and GET, POST getUserMedia as older front ends call it: what the caller has
 * made, newest first, page by page, by type, status and preset. */
#include "api/known.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/text.h"
#include "db/steer.h"
#include "model/type.h"

#define LIMIT          50
#define LIMIT_MAX      100
#define PRESET_MAX     64
#define CURSOR_VERSION "1:"
#define AT_MAX         (APR_INT64_C(253402300799) * APR_USEC_PER_SEC) /* the year 9999 */

static const char *const statuses[] = { "pending", "processing", "completed", "failed",
                                        "cancelled" };

/* An argument that says something, of the query or of `body` (may be NULL). */
static const char *argument(gf_req_t *req, const gf_json_t *body, const char *name)
{
    const char *text = api_body_query(req, name);
    gf_json_t *value = !text && body ? gf_json_get(body, name) : NULL;

    if (value && !gf_json_string(value, &text)) {
        text = gf_json_text(value);
    }
    return text && *text ? text : NULL;
}

static void refuse(apr_array_header_t *wrong, const char *field, const char *message)
{
    gf_field_error_t *error = apr_array_push(wrong);

    error->field = field;
    error->message = message;
    error->missing = false;
}

/* ---- the cursor: where a page ended, in a wrapping that nobody takes apart ---- */

static const char *make_cursor(apr_pool_t *pool, const gf_view_t *last)
{
    return apr_pencode_base64(
        pool, apr_psprintf(pool, CURSOR_VERSION "%" APR_INT64_T_FMT ":%s", last->at, last->id),
        APR_ENCODE_STRING, APR_ENCODE_URL, NULL);
}

static bool read_cursor(gf_page_t *page, apr_pool_t *pool, const char *cursor)
{
    const char *text = apr_pdecode_base64(pool, cursor, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL);
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

/* ---- what is asked for ---- */

static void read_filters(gf_page_t *page, gf_req_t *req, const gf_json_t *body,
                         apr_array_header_t *wrong)
{
    const char *type = argument(req, body, "type");
    size_t i;

    page->type = type ? gf_type_find(req->api->conf, type, req->r->pool) : NULL;
    if (type && !page->type) {
        refuse(wrong, "type", "names no type");
    }
    page->status = argument(req, body, "status");
    for (i = 0; page->status && i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (strcmp(page->status, statuses[i]) == 0) {
            break;
        }
    }
    if (page->status && i == sizeof(statuses) / sizeof(statuses[0])) {
        refuse(wrong, "status", "must be pending, processing, completed, failed or cancelled");
    }
    page->preset = argument(req, body, "preset");
    if (page->preset && !gf_text_is_token(page->preset, PRESET_MAX)) {
        refuse(wrong, "preset", "is no key of a preset");
    }
}

static gf_err_t *read_page(gf_page_t *page, gf_req_t *req, const gf_json_t *body)
{
    apr_array_header_t *wrong = apr_array_make(req->r->pool, 2, sizeof(gf_field_error_t));
    const char *limit = argument(req, body, "limit");
    const char *cursor = argument(req, body, "cursor");
    apr_int64_t number = LIMIT;
    gf_err_t *err;

    memset(page, 0, sizeof(*page));
    page->user = req->user;
    read_filters(page, req, body, wrong);
    if (limit && (!gf_text_int(&number, limit) || number < 1 || number > LIMIT_MAX)) {
        refuse(wrong, "limit", "must be a whole number from 1 to 100");
    }
    page->limit = (int)number;
    if (cursor && !read_cursor(page, req->r->pool, cursor)) {
        refuse(wrong, "cursor", "is none of ours; take nextCursor of the page before");
    }
    if (!wrong->nelts) {
        return NULL;
    }
    err = gf_err_make(req->ctx, GF_E_INVALID, APR_SUCCESS, "%d bad arguments", wrong->nelts);
    err->fields = wrong;
    return err;
}

gf_err_t *api_history(gf_req_t *req)
{
    static const char *const known[] = { "type",   "status", "preset", "limit",
                                         "cursor", "userId", NULL };
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
    GF_TRY(api_known_body(NULL, req, body, known));
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
    gf_out_put_bool(&out, "hasMore", page.more);
    gf_out_put_string(
        &out, "nextCursor",
        page.more ? make_cursor(req->r->pool,
                                &APR_ARRAY_IDX(page.items, page.items->nelts - 1, gf_view_t))
                  : NULL);
    return gf_reply_send(req, &out, HTTP_OK);
}

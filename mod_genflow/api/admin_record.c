/* SPDX-License-Identifier: Apache-2.0 */
/* Administration reads: the ledger and the held credits of a user, and what administrators did. */
#include "api/admin.h"
#include "api/credit.h"
#include "api/page.h"

#include <apr_strings.h>

#include "base/text.h"
#include "db/admin.h"
#include "db/admin_record.h"

/* Is there such an account? */
static gf_err_t *check_user(gf_req_t *req)
{
    const char *json;

    GF_TRY(gf_admin_user(&json, req->ctx, api_admin_whom(req, req->args[0])));
    return json ? NULL
                : gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "no account %s", req->args[0]);
}

gf_err_t *api_admin_ledger(gf_req_t *req)
{
    GF_TRY(check_user(req));
    return api_credit_list_of(req, api_admin_whom(req, req->args[0]));
}

gf_err_t *api_admin_holds(gf_req_t *req)
{
    gf_quota_t quota;
    const char *json;
    gf_out_t out;

    GF_TRY(check_user(req));
    GF_TRY(gf_admin_holds(&json, req->ctx, api_admin_whom(req, req->args[0])));
    GF_TRY(gf_ledger_quota(&quota, req->ctx, api_admin_whom(req, req->args[0])));
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "userId", req->args[0]);
    gf_out_put_int(&out, "held", quota.held);
    gf_out_put_raw(&out, "holds", json);
    return gf_reply_send(req, &out, HTTP_OK);
}

static const gf_input_field_t audit_fields[] = { { .names = { "user" },
                                                   .kind = GF_INPUT_TEXT,
                                                   .min = 1,
                                                   .max = 255,
                                                   .offset = offsetof(gf_admin_audit_t, user) },
                                                 { .names = { "action" },
                                                   .kind = GF_INPUT_TEXT,
                                                   .min = 1,
                                                   .max = 40,
                                                   .offset = offsetof(gf_admin_audit_t, action) },
                                                 { .names = { "admin" },
                                                   .kind = GF_INPUT_TEXT,
                                                   .min = 1,
                                                   .max = 255,
                                                   .offset = offsetof(gf_admin_audit_t, admin) },
                                                 GF_INPUT_END };

/* The cursor is the id of the last entry of the page before. */
static void read_cursor(gf_admin_audit_t *filter, const api_page_t *page, gf_input_t *input)
{
    const char *text = page->cursor ? api_page_unwrap(page->cursor, input->ctx->pool) : NULL;

    if (page->cursor && (!text || !gf_text_int(&filter->before, text) || filter->before < 1)) {
        api_page_refuse_cursor(input);
    }
}

gf_err_t *api_admin_audit(gf_req_t *req)
{
    gf_input_t input = api_body_query_input(req);
    gf_admin_audit_t filter = { .action = NULL };
    apr_array_header_t *entries;
    const char *next = NULL;
    api_page_t page;
    gf_out_t out;
    int shown;
    int i;

    gf_input_read(&input, audit_fields, &filter);
    api_admin_rule_name(&input, "user", filter.user);
    api_page_read(&page, &input);
    read_cursor(&filter, &page, &input);
    GF_TRY(gf_input_end(&input));
    filter.limit = (int)page.limit + 1;
    filter.user = api_admin_whom(req, filter.user);
    GF_TRY(gf_admin_audit(&entries, req->ctx, &filter));
    shown = api_page_shown(&page, entries);
    gf_reply_begin(&out, req);
    gf_out_key(&out, "entries");
    gf_out_open(&out, '[');
    for (i = 0; i < shown; i++) {
        gf_out_raw(&out, APR_ARRAY_IDX(entries, i, gf_audit_entry_t).json);
    }
    gf_out_close(&out, ']');
    if (shown < entries->nelts) {
        next = api_page_wrap(apr_psprintf(req->r->pool, "%" APR_INT64_T_FMT,
                                          APR_ARRAY_IDX(entries, shown - 1, gf_audit_entry_t).id),
                             req->r->pool);
    }
    api_page_put_count(&out, shown, next);
    return gf_reply_send(req, &out, HTTP_OK);
}

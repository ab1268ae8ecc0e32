/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of users: accounts and balances, generations, blocking and limits. The first grant
 * of credits creates an account. */
#include "api/admin.h"
#include "api/page.h"

#include "db/admin.h"
#include "model/realm.h"

#define RECENT_JOBS 20

gf_err_t *api_admin_users(gf_req_t *req)
{
    gf_input_t input = api_body_query_input(req);
    apr_array_header_t *users;
    const char *after = NULL;
    const char *next = NULL;
    api_page_t page;
    gf_out_t out;
    int shown;
    int i;

    api_page_read(&page, &input);
    if (page.cursor && !(after = api_page_unwrap(page.cursor, req->r->pool))) {
        api_page_refuse_cursor(&input);
    }
    GF_TRY(gf_input_end(&input));
    GF_TRY(gf_admin_users(&users, req->ctx, api_admin_whom(req, NULL), after, (int)page.limit + 1));
    shown = api_page_shown(&page, users);
    gf_reply_begin(&out, req);
    gf_out_key(&out, "users");
    gf_out_open(&out, '[');
    for (i = 0; i < shown; i++) {
        gf_out_raw(&out, APR_ARRAY_IDX(users, i, gf_admin_user_t).json);
    }
    gf_out_close(&out, ']');
    if (shown < users->nelts) {
        next = api_page_wrap(APR_ARRAY_IDX(users, shown - 1, gf_admin_user_t).name, req->r->pool);
    }
    api_page_put_count(&out, shown, next);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* The user of the address with the newest generations. */
gf_err_t *api_admin_user(gf_req_t *req)
{
    gf_admin_filter_t filter = { .user = api_admin_whom(req, req->args[0]), .limit = RECENT_JOBS };
    apr_array_header_t *jobs;
    const char *json;
    gf_out_t out;

    GF_TRY(gf_admin_user(&json, req->ctx, filter.user));
    if (!json) {
        return gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "no account %s", filter.user);
    }
    GF_TRY(gf_admin_jobs(&jobs, req->ctx, &filter));
    gf_reply_begin(&out, req);
    gf_out_put_raw(&out, "user", json);
    GF_TRY(api_admin_put_jobs(&out, req, jobs, RECENT_JOBS));
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_admin_user_set(gf_req_t *req)
{
    static const gf_input_field_t fields[] = {
        { .names = { "blocked" }, .kind = GF_INPUT_BOOL },
        { .names = { "dayLimit" }, .kind = GF_INPUT_INT, .max = API_CREDITS_MAX },
        { .names = { "weekLimit" }, .kind = GF_INPUT_INT, .max = API_CREDITS_MAX },
        API_ADMIN_MAY_REASON,
        GF_INPUT_END
    };
    gf_json_t *body;
    bool found;

    GF_TRY(api_body_fields(&body, req, fields, NULL));
    api_admin_reason_of(req, body);
    GF_TRY(
        gf_admin_user_set(&found, req->ctx, api_admin_whom(req, req->args[0]), gf_json_text(body)));
    if (found) {
        gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0173",
               "user=%s: changed the account %s: %s", req->user, req->args[0], gf_json_text(body));
    }
    return api_admin_user(req);
}

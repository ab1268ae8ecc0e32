/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of users: who has what, their generations, blocking and limits. Accounts are made
 * by their first credits. */
#include "api/admin.h"

#include "db/admin.h"

#define RECENT_JOBS 20

gf_err_t *api_admin_users(gf_req_t *req)
{
    apr_array_header_t *users;
    const char *last = NULL;
    api_check_t check;
    api_page_t page;
    gf_out_t out;
    int i;

    api_check_begin(&check, req);
    api_check_page(&page, &check);
    GF_TRY(api_check_end(&check));
    GF_TRY(gf_admin_users(&users, req->ctx, page.after, page.limit + 1));
    gf_reply_begin(&out, req);
    gf_out_key(&out, "users");
    gf_out_open(&out, '[');
    for (i = 0; i < users->nelts && i < page.limit; i++) {
        gf_out_raw(&out, APR_ARRAY_IDX(users, i, gf_admin_user_t).json);
    }
    gf_out_close(&out, ']');
    if (users->nelts > page.limit) {
        last = APR_ARRAY_IDX(users, page.limit - 1, gf_admin_user_t).name;
    }
    api_page_put(&out, i, last);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* The user of the address with the newest generations. */
gf_err_t *api_admin_user(gf_req_t *req)
{
    gf_admin_filter_t filter = { .user = req->args[0], .limit = RECENT_JOBS };
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
    static const api_field_t fields[] = { { "blocked", API_BOOL, 0, 0, false },
                                          { "dayLimit", API_INT, 0, API_CREDITS_MAX, false },
                                          { "weekLimit", API_INT, 0, API_CREDITS_MAX, false },
                                          { NULL, API_BOOL, 0, 0, false } };
    api_check_t check;
    gf_json_t *body;
    bool found;

    api_check_begin(&check, req);
    GF_TRY(api_check_body(&body, &check, fields));
    GF_TRY(api_check_end(&check));
    GF_TRY(gf_admin_user_set(&found, req->ctx, req->args[0], gf_json_text(body)));
    if (found) {
        gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0173",
               "user=%s: changed the account %s: %s", req->user, req->args[0], gf_json_text(body));
    }
    return api_admin_user(req);
}

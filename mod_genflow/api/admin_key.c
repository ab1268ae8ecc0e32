/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of API keys: those of any user. Everything but the user is as in api/key.c. */
#include "api/admin.h"
#include "api/key.h"
#include "api/page.h"

#define USER_MAX 255

gf_err_t *api_admin_key_add(gf_req_t *req)
{
    return api_key_make(req, NULL);
}

typedef struct filter_t {
    const char *user;
} filter_t;

gf_err_t *api_admin_key_list(gf_req_t *req)
{
    static const gf_input_field_t fields[] = { { .names = { "user" },
                                                 .kind = GF_INPUT_TEXT,
                                                 .min = 1,
                                                 .max = USER_MAX,
                                                 .offset = offsetof(filter_t, user) },
                                               GF_INPUT_END };
    gf_input_t input = api_body_query_input(req);
    filter_t filter = { .user = NULL };
    apr_array_header_t *list;
    api_page_t page;
    gf_out_t out;
    int shown;
    int i;

    api_page_read(&page, &input);
    gf_input_read(&input, fields, &filter);
    api_admin_rule_name(&input, "user", filter.user);
    if (page.cursor && !gf_api_key_is_id(page.cursor)) {
        api_page_refuse_cursor(&input);
    }
    GF_TRY(gf_input_end(&input));
    GF_TRY(gf_key_list(&list, req->ctx, api_admin_whom(req, filter.user), page.cursor,
                       (int)page.limit + 1, true));
    shown = api_page_shown(&page, list);
    gf_reply_begin(&out, req);
    gf_out_key(&out, "keys");
    gf_out_open(&out, '[');
    for (i = 0; i < shown; i++) {
        gf_out_open(&out, '{');
        api_key_put_row(&out, &APR_ARRAY_IDX(list, i, gf_key_row_t), true);
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, ']');
    api_page_put_count(
        &out, shown, shown < list->nelts ? APR_ARRAY_IDX(list, shown - 1, gf_key_row_t).id : NULL);
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_admin_key_revoke(gf_req_t *req)
{
    GF_TRY(api_admin_read_reason(req));
    return api_key_revoke_answer(req, api_admin_whom(req, NULL));
}

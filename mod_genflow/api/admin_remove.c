/* SPDX-License-Identifier: Apache-2.0 */
/* Administration removes a picture of any user, or all of a user. The database records what is to
 * be removed, and the background makes sure of it. */
#include "api/admin.h"

#include <apr_strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "db/admin_remove.h"
#include "model/realm.h"
#include "model/servers.h"
#include "store/store.h"

#define ERASE_TIME (10 * APR_USEC_PER_SEC) /* of a request; the janitor goes on */

/* The picture goes at once where that is one call. */
static void remove_file(gf_req_t *req, const gf_admin_takedown_t *done)
{
    apr_pool_t *pool = req->r->pool;
    gf_job_t job = { .type = gf_servers_type(req->conf, done->type), .id = req->args[0] };
    const char *file =
        job.type && done->image_url
            ? gf_store_file(gf_servers_of_type(req->conf, job.type), &job, done->image_url, pool)
            : NULL;

    if (file) {
        gf_store_fs_remove(file, pool);
    }
}

static const char *absolute_url(gf_req_t *req, const char *url)
{
    return url && url[0] == '/' ? apr_pstrcat(req->r->pool, gf_reply_site(req->r), url, NULL) : url;
}

gf_err_t *api_admin_takedown(gf_req_t *req)
{
    gf_admin_takedown_t done;
    gf_out_t out;

    if (!gf_text_is_uuid(req->args[0])) {
        return gf_err_make(req->ctx, GF_E_NO_GENERATION, APR_SUCCESS, "no generation %s",
                           req->args[0]);
    }
    req->args[0] = apr_pstrdup(req->r->pool, req->args[0]);
    ap_str_tolower((char *)req->args[0]);
    GF_TRY(api_admin_need_reason(req));
    GF_TRY(gf_admin_takedown(&done, req->ctx, req->args[0], api_admin_whom(req, NULL)));
    if (done.applied) {
        remove_file(req, &done);
        gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0880",
               "job=%s type=%s user=%s: picture taken down by administrator %s", req->args[0],
               done.type, done.user, req->user);
    }
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "id", req->args[0]);
    gf_out_put_string(&out, "userId", gf_realm_name(done.user));
    gf_out_put_bool(&out, "applied", done.applied);
    gf_out_put_string(&out, "imageUrl", absolute_url(req, done.image_url));
    gf_out_key(&out, "takenDown");
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "at", done.at);
    gf_out_close(&out, '}');
    return gf_reply_send(req, &out, HTTP_OK);
}

/* The log line has the number in place of the name: the log is kept for longer. */
gf_err_t *api_admin_erase(gf_req_t *req)
{
    apr_time_t until = gf_clock_now() + ERASE_TIME;
    apr_int64_t account;
    int left = 1;
    gf_out_t out;

    GF_TRY(api_admin_need_reason(req));
    GF_TRY(gf_admin_erase(&account, req->ctx, api_admin_whom(req, req->args[0])));
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0881",
           "account=%" APR_INT64_T_FMT ": erased by administrator %s", account, req->user);
    while (left > 0 && gf_clock_now() < until) {
        GF_TRY(gf_admin_erase_work(&left, req->ctx, account));
    }
    gf_reply_begin(&out, req);
    gf_out_put_int(&out, "account", account);
    gf_out_put_bool(&out, "erased", true);
    gf_out_put_bool(&out, "finished", left == 0);
    return gf_reply_send(req, &out, HTTP_OK);
}

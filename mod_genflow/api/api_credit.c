/* SPDX-License-Identifier: Apache-2.0 */
/* GET, POST getQuota: what the caller has, has used, and may still use. */
#include "api/gf_api.h"

#include "db/gf_ledger.h"

/* -1 is no limit: null, never a false 0. */
static void put_limit(gf_out_t *out, const char *name, apr_int64_t limit)
{
    if (limit < 0) {
        gf_out_put_raw(out, name, NULL);
    }
    else {
        gf_out_put_int(out, name, limit);
    }
}

gf_err_t *api_credit_quota(gf_req_t *req)
{
    gf_quota_t quota;
    gf_out_t out;

    GF_TRY(gf_ledger_quota(&quota, req->ctx, req->user));
    gf_reply_begin(&out, req);
    put_limit(&out, "daily_limit", quota.day_limit);
    gf_out_put_int(&out, "daily_used", quota.day_used);
    gf_out_put_int(&out, "remaining", quota.remaining);
    gf_out_put_int(&out, "weekly_used", quota.week_used);
    put_limit(&out, "weekly_limit", quota.week_limit);
    gf_out_put_string(&out, "dailyReset", quota.day_reset);
    gf_out_put_int(&out, "currentBalance", quota.balance);
    gf_out_put_int(&out, "held", quota.held);
    gf_out_put_string(&out, "timestamp", quota.at);
    /* the old names: without a daily limit the day's credits are what was used and what is left */
    gf_out_put_int(&out, "dailyCredits",
                   quota.day_limit < 0 ? quota.day_used + quota.remaining : quota.day_limit);
    gf_out_put_int(&out, "usedCredits", quota.day_used);
    gf_out_put_int(&out, "remainingCredits", quota.remaining);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What front ends of older systems ask about the caller (GenflowLegacyNames On): who they are,
 * their quota in finite numbers, their credits, their settings, and a signature for an upload to
 * Cloudinary. */
#include "api/api.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_time.h>

#include "db/gallery.h"
#include "db/ledger.h"
#include "model/realm.h"
#include "store/cloudinary.h"

#define ENTRIES 10 /* of the ledger, in check-credits */

/* ---- credits ---- */

/* Without a limit, what was used and what is left: widgets subtract the one from the other. So a
 * limit that was lowered below what was used is that. */
static apr_int64_t finite_limit(apr_int64_t limit, apr_int64_t used, apr_int64_t remaining)
{
    return limit < 0 ? used + remaining : limit < used ? used : limit;
}

gf_err_t *api_legacy_user_quota(gf_req_t *req)
{
    apr_int64_t day_limit;
    gf_quota_t quota;
    gf_out_t out;

    GF_TRY(gf_ledger_quota(&quota, req->ctx, req->user));
    day_limit = finite_limit(quota.day_limit, quota.day_used, quota.remaining);
    gf_reply_begin(&out, req);
    gf_out_put_int(&out, "daily_limit", day_limit);
    gf_out_put_int(&out, "daily_used", quota.day_used);
    gf_out_put_int(&out, "remaining", quota.remaining);
    gf_out_put_int(&out, "weekly_used", quota.week_used);
    gf_out_put_int(&out, "weekly_limit",
                   finite_limit(quota.week_limit, quota.week_used, quota.remaining));
    gf_out_put_string(&out, "dailyReset", quota.day_reset);
    gf_out_put_int(&out, "currentBalance", quota.balance - quota.held);
    gf_out_put_int(&out, "held", quota.held);
    gf_out_put_string(&out, "timestamp", quota.at);
    gf_out_put_int(&out, "dailyCredits", day_limit);
    gf_out_put_int(&out, "usedCredits", quota.day_used);
    gf_out_put_int(&out, "remainingCredits", quota.remaining);
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_legacy_user_credits(gf_req_t *req)
{
    apr_array_header_t *entries;
    gf_quota_t quota;
    gf_out_t out;
    int i;

    GF_TRY(gf_ledger_quota(&quota, req->ctx, req->user));
    GF_TRY(gf_ledger_list(&entries, req->ctx, req->user, NULL, ENTRIES));
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "userId", gf_realm_name(req->user));
    gf_out_put_int(&out, "credits", quota.balance - quota.held);
    gf_out_put_int(&out, "balance", quota.balance - quota.held);
    gf_out_key(&out, "recentTransactions");
    gf_out_open(&out, '[');
    for (i = 0; i < entries->nelts; i++) {
        const gf_entry_t *entry = &APR_ARRAY_IDX(entries, i, gf_entry_t);

        gf_out_open(&out, '{');
        gf_out_put_string(&out, "id", apr_pstrcat(out.pool, entry->ref, ":", entry->kind, NULL));
        gf_out_put_string(&out, "action", entry->kind);
        gf_out_put_int(&out, "amount", entry->amount);
        gf_out_put_string(&out, "request_id", entry->request_id);
        gf_out_put_string(&out, "created_at", entry->at);
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, ']');
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- the user ---- */

gf_err_t *api_legacy_user_whoami(gf_req_t *req)
{
    const char *name = gf_realm_name(req->user);
    gf_out_t out;

    gf_reply_begin(&out, req);
    gf_out_key(&out, "user");
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "id", name);
    gf_out_put_string(&out, "email", strchr(name, '@') ? name : NULL);
    gf_out_close(&out, '}');
    return gf_reply_send(req, &out, HTTP_OK);
}

static const char *const switches[] = { "media_upload_agreed", "share_to_feed", NULL };

/* The switches that `body` sets, as a JSON object; in the body itself, or under `settings`. */
static gf_err_t *read_changes(const char **changes, gf_req_t *req)
{
    const char *const *name;
    const gf_json_t *settings;
    gf_json_t *body;
    const char *text;
    apr_size_t length;
    gf_out_t out;

    GF_TRY(api_body_json(req, &body, &text, &length));
    settings = gf_json_get(body, "settings");
    if (settings && !gf_json_is_object(settings)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "settings", "must be an object");
    }
    settings = settings ? settings : body;
    gf_out_init(&out, req->r->pool, 128);
    gf_out_open(&out, '{');
    for (name = switches; *name; name++) {
        gf_json_t *value = gf_json_get(settings, *name);
        bool on;

        if (value && !gf_json_bool(value, &on)) {
            return gf_err_field(req->ctx, GF_E_INVALID, *name, "must be true or false");
        }
        if (value) {
            gf_out_put_bool(&out, *name, on);
        }
    }
    gf_out_close(&out, '}');
    *changes = out.text;
    return NULL;
}

gf_err_t *api_legacy_user_settings(gf_req_t *req)
{
    const char *changes = NULL;
    const char *const *name;
    const char *text;
    gf_json_t *settings;
    gf_out_t out;

    if (req->r->method_number != M_GET) {
        GF_TRY(read_changes(&changes, req));
    }
    GF_TRY(gf_gallery_settings(&text, req->ctx, req->user, changes));
    GF_TRY(gf_json_parse(&settings, req->ctx, text, strlen(text)));
    gf_reply_begin(&out, req);
    gf_out_key(&out, "settings");
    gf_out_open(&out, '{');
    for (name = switches; *name; name++) {
        bool on = false;

        gf_json_bool(gf_json_get(settings, *name), &on);
        gf_out_put_bool(&out, *name, on);
    }
    gf_out_close(&out, '}');
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- uploads to Cloudinary ---- */

/* The signature is for one folder, whatever the body says. A picture there has a name that
 * Cloudinary chooses: no other parameter is signed. */
gf_err_t *api_legacy_user_sign(gf_req_t *req)
{
    const gf_conf_t *conf = req->conf;
    apr_pool_t *pool = req->r->pool;
    apr_array_header_t *parts = apr_array_make(pool, 2, sizeof(gf_msg_part_t));
    apr_int64_t now = (apr_int64_t)apr_time_sec(req->r->request_time);
    gf_msg_part_t *part;
    const char *folder;
    gf_out_t out;

    if (!conf->cloudinary_sign) {
        return gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "GenflowCloudinarySign is Off");
    }
    folder = apr_pstrcat(pool, conf->store_prefix, "/uploads", NULL);
    part = apr_array_push(parts);
    part->name = "folder";
    part->text = folder;
    part = apr_array_push(parts);
    part->name = "timestamp";
    part->text = apr_psprintf(pool, "%" APR_INT64_T_FMT, now);
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "cloudName", conf->store_account);
    gf_out_put_string(&out, "apiKey", conf->store_key);
    gf_out_put_int(&out, "timestamp", now);
    gf_out_put_string(&out, "folder", folder);
    gf_out_put_string(&out, "signature", store_cloudinary_sign(pool, parts, conf->store_secret));
    return gf_reply_send(req, &out, HTTP_OK);
}

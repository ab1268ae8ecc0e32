/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's credits: what there is and was used, every entry of the ledger, and reservations.
 * Leaves all rules to the database. */
#include "api/known.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "db/ledger.h"
#include "httpd/dir.h"

#define RESERVE_DEFAULT 2
#define RESERVE_MAX     1000000
#define REQUEST_ID_MAX  200 /* as a run id */
#define ACTION_MAX      200
#define LIST_DEFAULT    50
#define LIST_MAX        100

/* ---- GET, POST getQuota ---- */

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

/* Nothing of the body is read: whoever sends something there expects what is not done. */
static gf_err_t *check_no_members(gf_req_t *req)
{
    static const char *const known[] = { "userId", NULL };
    const char *text;
    apr_size_t length;
    gf_json_t *body;

    if (!ap_request_has_body(req->r) || httpd_conf_lenient(req->r)) {
        return NULL;
    }
    GF_TRY(api_body_json(req, &body, &text, &length));
    return api_known_body(NULL, req, body, known);
}

gf_err_t *api_credit_quota(gf_req_t *req)
{
    gf_quota_t quota;
    gf_out_t out;

    GF_TRY(check_no_members(req));
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

/* ---- GET credits ---- */

static void put_entry(gf_out_t *out, const gf_entry_t *entry)
{
    gf_out_open(out, '{');
    gf_out_put_string(out, "id", apr_pstrcat(out->pool, entry->ref, ":", entry->kind, NULL));
    gf_out_put_string(out, "kind", entry->kind);
    gf_out_put_int(out, "amount", entry->amount);
    gf_out_put_int(out, "balanceAfter", entry->balance_after);
    gf_out_put_int(out, "credits", entry->credits);
    gf_out_put_string(out, "reason", entry->reason);
    gf_out_put_string(out, "reference", entry->reference);
    gf_out_put_string(out, "generationId", entry->generation);
    gf_out_put_string(out, "requestId", entry->request_id);
    gf_out_put_string(out, "at", entry->at);
    gf_out_close(out, '}');
}

gf_err_t *api_credit_list(gf_req_t *req)
{
    const char *limit_text = api_body_query(req, "limit");
    const char *cursor = api_body_query(req, "cursor");
    apr_int64_t limit = LIST_DEFAULT;
    apr_array_header_t *entries;
    gf_err_t *err;
    gf_out_t out;
    int shown;
    int i;

    if (limit_text && (!gf_text_int(&limit, limit_text) || limit < 1 || limit > LIST_MAX)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "limit", "must be a number from 1 to 100");
    }
    /* one more tells whether there are more */
    err = gf_ledger_list(&entries, req->ctx, req->user, cursor, (int)limit + 1);
    if (cursor && gf_err_is(err, GF_E_INVALID)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "cursor", "must be a nextCursor of this list");
    }
    if (err) {
        return err;
    }
    shown = entries->nelts > limit ? (int)limit : entries->nelts;
    gf_reply_begin(&out, req);
    gf_out_key(&out, "items");
    gf_out_open(&out, '[');
    for (i = 0; i < shown; i++) {
        put_entry(&out, &APR_ARRAY_IDX(entries, i, gf_entry_t));
    }
    gf_out_close(&out, ']');
    gf_out_put_bool(&out, "hasMore", entries->nelts > shown);
    gf_out_put_string(&out, "nextCursor",
                      entries->nelts > shown ? APR_ARRAY_IDX(entries, shown - 1, gf_entry_t).cursor
                                             : NULL);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- POST credits-reserve, credits-finalize ---- */

/* A member under its name, else under its other name. */
static gf_json_t *member(const gf_json_t *body, const char *name, const char *other)
{
    gf_json_t *value = gf_json_get(body, name);

    return value ? value : gf_json_get(body, other);
}

/* These return `err` with what they find wrong. */

static gf_err_t *read_request_id(const char **id, gf_err_t *err, gf_req_t *req,
                                 const gf_json_t *body)
{
    gf_json_t *value = member(body, "request_id", "requestId");

    if (!value) {
        return gf_err_add_field(err, req->ctx, "request_id", true, "is required");
    }
    if (!gf_json_string(value, id) || !gf_text_is_token(*id, REQUEST_ID_MAX)) {
        return gf_err_add_field(err, req->ctx, "request_id", false,
                                "must be 1 to 200 characters of A-Z a-z 0-9 . _ : -");
    }
    return err;
}

static gf_err_t *read_amount(apr_int64_t *amount, gf_err_t *err, gf_req_t *req,
                             const gf_json_t *body)
{
    gf_json_t *value = member(body, "cost", "amount");

    *amount = RESERVE_DEFAULT;
    if (value && (!gf_json_int(value, amount) || *amount < 1 || *amount > RESERVE_MAX)) {
        return gf_err_add_field(err, req->ctx, gf_json_get(body, "cost") ? "cost" : "amount", false,
                                "must be a whole number from 1 to 1000000");
    }
    return err;
}

static gf_err_t *read_action(const char **action, gf_err_t *err, gf_req_t *req,
                             const gf_json_t *body)
{
    gf_json_t *value = member(body, "action", "intent");

    *action = NULL;
    if (value && (!gf_json_string(value, action) || gf_text_length(*action) > ACTION_MAX)) {
        return gf_err_add_field(err, req->ctx, gf_json_get(body, "action") ? "action" : "intent",
                                false, "must be a text of at most 200 characters");
    }
    return err;
}

gf_err_t *api_credit_reserve(gf_req_t *req)
{
    static const char *const known[] = { "request_id", "requestId", "cost",   "amount",
                                         "action",     "intent",    "userId", NULL };
    gf_reservation_t reservation;
    gf_err_t *err = NULL;
    const char *text;
    apr_size_t length;
    gf_json_t *body;
    gf_out_t out;

    GF_TRY(api_body_json(req, &body, &text, &length));
    err = read_request_id(&reservation.request_id, err, req, body);
    err = read_amount(&reservation.amount, err, req, body);
    err = read_action(&reservation.action, err, req, body);
    GF_TRY(api_known_body(err, req, body, known));
    err = gf_ledger_reserve(&reservation, req->ctx, req->user);
    if (gf_err_is(err, GF_E_NO_CREDIT) && httpd_conf_legacy(req->r)) {
        err->row = gf_err_row(GF_E_NO_CREDIT_OLD);
    }
    if (err) {
        return err;
    }
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "request_id", reservation.request_id);
    gf_out_put_int(&out, "balance", reservation.available);
    gf_out_put_int(&out, "cost", reservation.amount);
    gf_out_put_string(&out, "action", reservation.action);
    gf_out_put_string(&out, "expiresAt", reservation.expires_at);
    return gf_reply_send(req, &out, HTTP_OK);
}

static gf_err_t *read_disposition(const char **disposition, gf_err_t *err, gf_req_t *req,
                                  const gf_json_t *body)
{
    gf_json_t *value = gf_json_get(body, "disposition");

    if (!value) {
        return gf_err_add_field(err, req->ctx, "disposition", true, "is required");
    }
    if (!gf_json_string(value, disposition)
        || (strcmp(*disposition, "commit") != 0 && strcmp(*disposition, "refund") != 0)) {
        return gf_err_add_field(err, req->ctx, "disposition", false, "must be commit or refund");
    }
    return err;
}

/* A client cannot charge, and cannot refund what it got: only a generation that completes charges.
 * So both dispositions give an unused reservation back, and of a used one both tell the same. */
gf_err_t *api_credit_finalize(gf_req_t *req)
{
    static const char *const known[] = { "request_id", "requestId", "disposition", "userId", NULL };
    gf_finalized_t finalized;
    const char *disposition;
    const char *request_id;
    gf_err_t *err = NULL;
    const char *text;
    apr_size_t length;
    gf_json_t *body;
    gf_out_t out;

    GF_TRY(api_body_json(req, &body, &text, &length));
    err = read_request_id(&request_id, err, req, body);
    err = read_disposition(&disposition, err, req, body);
    GF_TRY(api_known_body(err, req, body, known));
    GF_TRY(gf_ledger_finalize(&finalized, req->ctx, req->user, request_id));
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "request_id", request_id);
    gf_out_put_string(&out, "disposition", disposition);
    gf_out_put_string(&out, "status", finalized.generation ? "used" : "returned");
    gf_out_put_int(&out, "cost", finalized.amount);
    gf_out_put_int(&out, "charged", finalized.charged);
    gf_out_put_int(&out, "balance", finalized.available);
    gf_out_put_string(&out, "generationId", finalized.generation);
    gf_out_put_string(&out, "generationStatus", finalized.status);
    return gf_reply_send(req, &out, HTTP_OK);
}

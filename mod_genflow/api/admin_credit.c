/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of money: credits given and taken, charges given back, each once per reference and
 * with the name of who did it; figures, and the proof of the books. */
#include "api/admin.h"

#include <apr_strings.h>

#include "db/admin.h"
#include "db/ledger.h"

/* What the ledger keeps as the reason: the administrator stands in it. */
static const char *reason_of(const gf_req_t *req, const char *reason)
{
    return apr_psprintf(req->r->pool, "%s (by %s)", reason, req->user);
}

static const char *text_of(const gf_json_t *body, const char *name)
{
    const char *text = NULL;

    gf_json_string(gf_json_get(body, name), &text);
    return text;
}

static gf_err_t *send_entry(gf_req_t *req, const gf_admin_entry_t *entry, bool applied)
{
    gf_quota_t quota;
    gf_out_t out;

    GF_TRY(gf_ledger_quota(&quota, req->ctx, entry->user));
    gf_reply_begin(&out, req);
    gf_out_put_bool(&out, "applied", applied);
    gf_out_put_string(&out, "userId", entry->user);
    if (entry->generation) {
        gf_out_put_string(&out, "generationId", entry->generation);
    }
    gf_out_put_int(&out, "amount", entry->amount);
    gf_out_put_string(&out, "reference", entry->reference);
    gf_out_put_int(&out, "currentBalance", quota.balance);
    gf_out_put_int(&out, "held", quota.held);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* There is less to take than was to be taken. */
static gf_err_t *too_few(gf_req_t *req, const gf_admin_entry_t *entry)
{
    gf_quota_t quota;

    GF_TRY(gf_ledger_quota(&quota, req->ctx, entry->user));
    return gf_ledger_no_credit(req->ctx, entry->user, quota.balance - quota.held, -entry->amount);
}

/* Ends both calls where the outcome is one that both have. */
static gf_err_t *end_entry(gf_req_t *req, const gf_admin_entry_t *entry, const char *outcome)
{
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0723",
           "user=%s: %s%s %" APR_INT64_T_FMT " credits, account=%s reference=%s: %s", req->user,
           entry->generation ? "gave back for " : "gave",
           entry->generation ? entry->generation : "", entry->amount, entry->user, entry->reference,
           outcome);
    if (strcmp(outcome, "mismatch") == 0) {
        return gf_err_field(req->ctx, GF_E_INVALID, "reference",
                            "has counted for something else; take a new one");
    }
    return send_entry(req, entry, strcmp(outcome, "ok") == 0);
}

gf_err_t *api_admin_credit(gf_req_t *req)
{
    static const api_field_t fields[] = { { "userId", API_TEXT, 1, 255, true },
                                          { "amount", API_INT, -API_CREDITS_MAX, API_CREDITS_MAX,
                                            true },
                                          { "reason", API_TEXT, 1, 500, true },
                                          { "reference", API_TEXT, 1, 200, true },
                                          { NULL, API_BOOL, 0, 0, false } };
    gf_admin_entry_t entry = { .amount = 1 };
    const char *outcome;
    api_check_t check;
    gf_json_t *body;

    api_check_begin(&check, req);
    GF_TRY(api_check_body(&body, &check, fields));
    gf_json_int(gf_json_get(body, "amount"), &entry.amount);
    if (entry.amount == 0) {
        api_check_refuse(&check, "amount", false, "must not be 0");
    }
    GF_TRY(api_check_end(&check));
    entry.user = text_of(body, "userId");
    entry.reference = text_of(body, "reference");
    entry.reason = reason_of(req, text_of(body, "reason"));
    GF_TRY(gf_admin_credit(&outcome, req->ctx, &entry));
    return strcmp(outcome, "insufficient_credits") == 0 ? too_few(req, &entry)
                                                        : end_entry(req, &entry, outcome);
}

gf_err_t *api_admin_refund(gf_req_t *req)
{
    static const api_field_t fields[] = { { "generationId", API_UUID, 0, 0, true },
                                          { "amount", API_INT, 1, API_CREDITS_MAX, false },
                                          { "reason", API_TEXT, 1, 500, true },
                                          { "reference", API_TEXT, 1, 200, true },
                                          { NULL, API_BOOL, 0, 0, false } };
    gf_admin_entry_t entry = { 0 };
    const char *outcome;
    api_check_t check;
    gf_json_t *body;

    api_check_begin(&check, req);
    GF_TRY(api_check_body(&body, &check, fields));
    GF_TRY(api_check_end(&check));
    gf_json_int(gf_json_get(body, "amount"), &entry.amount);
    entry.generation = text_of(body, "generationId");
    entry.reference = text_of(body, "reference");
    entry.reason = reason_of(req, text_of(body, "reason"));
    GF_TRY(gf_admin_refund(&outcome, req->ctx, &entry));
    if (strcmp(outcome, "not_charged") == 0) {
        return gf_err_field(req->ctx, GF_E_INVALID, "generationId", "is of none that was charged");
    }
    if (strcmp(outcome, "refunded") == 0) {
        return gf_err_field(req->ctx, GF_E_INVALID, "generationId", "was given back before");
    }
    if (strcmp(outcome, "too_much") == 0) {
        return gf_err_field(
            req->ctx, GF_E_INVALID, "amount",
            apr_psprintf(req->r->pool, "must be at most %" APR_INT64_T_FMT, entry.amount));
    }
    return end_entry(req, &entry, outcome);
}

gf_err_t *api_admin_stats(gf_req_t *req)
{
    const char *json;
    gf_out_t out;

    GF_TRY(gf_admin_stats(&json, req->ctx));
    gf_reply_begin(&out, req);
    gf_out_put_raw(&out, "stats", json);
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_admin_check(gf_req_t *req)
{
    const char *json;
    gf_out_t out;

    GF_TRY(gf_admin_check(&json, req->ctx));
    gf_reply_begin(&out, req);
    gf_out_put_bool(&out, "sound", strcmp(json, "[]") == 0);
    gf_out_put_raw(&out, "broken", json);
    return gf_reply_send(req, &out, HTTP_OK);
}

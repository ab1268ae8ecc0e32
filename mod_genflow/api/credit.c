/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's credits: what there is and was used, every entry of the ledger, and reservations.
 * Leaves all rules to the database. */
#include "api/credit.h"

#include <string.h>

#include <apr_strings.h>

#include "api/page.h"
#include "httpd/dir.h"
#include "model/realm.h"

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

/* Refuses a body: its sender expects an effect that this call does not have. */
static gf_err_t *check_no_members(gf_req_t *req)
{
    static const gf_input_field_t none[] = { { .names = { "userId" }, .kind = GF_INPUT_KNOWN },
                                             GF_INPUT_END };
    gf_json_t *body;

    return !ap_request_has_body(req->r) || httpd_conf_lenient(req->r)
               ? NULL
               : api_body_fields(&body, req, none, NULL);
}

void api_credit_put_quota(gf_out_t *out, const gf_req_t *req, const gf_quota_t *quota)
{
    gf_out_put_string(out, "userId", gf_realm_name(req->user));
    put_limit(out, "daily_limit", quota->day_limit);
    gf_out_put_int(out, "daily_used", quota->day_used);
    gf_out_put_int(out, "remaining", quota->remaining);
    gf_out_put_int(out, "weekly_used", quota->week_used);
    put_limit(out, "weekly_limit", quota->week_limit);
    gf_out_put_string(out, "dailyReset", quota->day_reset);
    gf_out_put_int(out, "currentBalance", quota->balance);
    gf_out_put_int(out, "held", quota->held);
    /* the old names: without a daily limit the day's credits are what was used and what is left */
    gf_out_put_int(out, "dailyCredits",
                   quota->day_limit < 0 ? quota->day_used + quota->remaining : quota->day_limit);
    gf_out_put_int(out, "usedCredits", quota->day_used);
    gf_out_put_int(out, "remainingCredits", quota->remaining);
}

gf_err_t *api_credit_quota(gf_req_t *req)
{
    gf_quota_t quota;
    gf_out_t out;

    GF_TRY(check_no_members(req));
    GF_TRY(gf_ledger_quota(&quota, req->ctx, req->user));
    gf_reply_begin(&out, req);
    api_credit_put_quota(&out, req, &quota);
    gf_out_put_string(&out, "timestamp", quota.at);
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
    gf_out_put_string(out, "reference", gf_realm_name(entry->reference));
    gf_out_put_string(out, "generationId", entry->generation);
    gf_out_put_string(out, "requestId", entry->request_id);
    gf_out_put_string(out, "at", entry->at);
    gf_out_close(out, '}');
}

gf_err_t *api_credit_list(gf_req_t *req)
{
    return api_credit_list_of(req, req->user);
}

gf_err_t *api_credit_list_of(gf_req_t *req, const char *user)
{
    gf_input_t input = api_body_query_input(req);
    apr_array_header_t *entries;
    api_page_t page;
    gf_err_t *err;
    gf_out_t out;
    int shown;
    int i;

    api_page_read(&page, &input);
    GF_TRY(gf_input_end(&input));
    err = gf_ledger_list(&entries, req->ctx, user, page.cursor, (int)page.limit + 1);
    if (page.cursor && gf_err_is(err, GF_E_INVALID)) {
        api_page_refuse_cursor(&input);
        return gf_input_end(&input);
    }
    if (err) {
        return err;
    }
    shown = api_page_shown(&page, entries);
    gf_reply_begin(&out, req);
    gf_out_key(&out, "items");
    gf_out_open(&out, '[');
    for (i = 0; i < shown; i++) {
        put_entry(&out, &APR_ARRAY_IDX(entries, i, gf_entry_t));
    }
    gf_out_close(&out, ']');
    api_page_put(&out, shown < entries->nelts ? APR_ARRAY_IDX(entries, shown - 1, gf_entry_t).cursor
                                              : NULL);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- POST credits-reserve, credits-finalize ---- */

static const gf_input_field_t reserve_fields[] = {
    API_CREDIT_REQUEST_ID(gf_reservation_t, true),
    API_CREDIT_AMOUNT(gf_reservation_t, "cost", "amount"), API_CREDIT_ACTION(gf_reservation_t),
    API_CREDIT_USER_ID, GF_INPUT_END
};

gf_err_t *api_credit_reserve(gf_req_t *req)
{
    gf_reservation_t reservation = { .amount = API_CREDIT_USUAL };
    gf_json_t *body;

    GF_TRY(api_body_fields(&body, req, reserve_fields, &reservation));
    return api_credit_reserve_answer(req, &reservation);
}

gf_err_t *api_credit_reserve_answer(gf_req_t *req, gf_reservation_t *reservation)
{
    gf_out_t out;

    reservation->api_key = req->key ? req->key->id : NULL;
    GF_TRY(gf_ledger_reserve(reservation, req->ctx, req->user));
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "request_id", reservation->request_id);
    gf_out_put_int(&out, "balance", reservation->available);
    gf_out_put_int(&out, "cost", reservation->amount);
    gf_out_put_string(&out, "action", reservation->action);
    gf_out_put_string(&out, "expiresAt", reservation->expires_at);
    return gf_reply_send(req, &out, HTTP_OK);
}

const gf_prompt_word_t api_credit_dispositions[] = { { "commit", "" },
                                                     { "refund", "" },
                                                     { NULL, NULL } };

typedef struct finalize_t {
    const char *request_id;
    const gf_prompt_word_t *disposition;
} finalize_t;

static const gf_input_field_t finalize_fields[] = { API_CREDIT_REQUEST_ID(finalize_t, true),
                                                    { .names = { "disposition" },
                                                      .kind = GF_INPUT_WORD,
                                                      .words = api_credit_dispositions,
                                                      .required = true,
                                                      .offset = offsetof(finalize_t, disposition) },
                                                    API_CREDIT_USER_ID,
                                                    GF_INPUT_END };

/* A client can neither charge nor refund: only a generation that completes charges. So both
 * dispositions give back an unused reservation, and return the same for a used one. */
gf_err_t *api_credit_finalize(gf_req_t *req)
{
    finalize_t request = { .request_id = NULL };
    gf_finalized_t finalized;
    gf_json_t *body;
    gf_out_t out;

    GF_TRY(api_body_fields(&body, req, finalize_fields, &request));
    GF_TRY(
        api_credit_finalize_begin(&out, &finalized, req, request.request_id, request.disposition));
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_credit_finalize_begin(gf_out_t *out, gf_finalized_t *finalized, gf_req_t *req,
                                    const char *request_id, const gf_prompt_word_t *disposition)
{
    GF_TRY(gf_ledger_finalize(finalized, req->ctx, req->user, request_id));
    gf_reply_begin(out, req);
    gf_out_put_string(out, "request_id", request_id);
    gf_out_put_string(out, "disposition", disposition->word);
    gf_out_put_string(out, "status", finalized->generation ? "used" : "returned");
    gf_out_put_int(out, "cost", finalized->amount);
    gf_out_put_int(out, "charged", finalized->charged);
    gf_out_put_int(out, "balance", finalized->available);
    gf_out_put_string(out, "generationId", finalized->generation);
    gf_out_put_string(out, "generationStatus", finalized->status);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of money: credits granted and deducted, charges refunded, each once per reference
 * and with the name of the administrator; figures, and the check of the books. */
#include "api/admin.h"

#include <string.h>

#include <apr_strings.h>

#include "db/admin.h"
#include "db/ledger.h"
#include "model/realm.h"

#define OURS "genflow:"

/* The reason for the ledger: it contains the administrator. */
static const char *reason_of(const gf_req_t *req, const char *reason)
{
    return apr_psprintf(req->r->pool, "%s (by %s)", reason, req->user);
}

static gf_err_t *send_entry(gf_req_t *req, const gf_admin_entry_t *entry, bool applied)
{
    gf_quota_t quota;
    gf_out_t out;

    GF_TRY(gf_ledger_quota(&quota, req->ctx, entry->user));
    gf_reply_begin(&out, req);
    gf_out_put_bool(&out, "applied", applied);
    gf_out_put_string(&out, "userId", gf_realm_name(entry->user));
    if (entry->generation) {
        gf_out_put_string(&out, "generationId", entry->generation);
    }
    gf_out_put_int(&out, "amount", entry->amount);
    gf_out_put_string(&out, "reference", gf_realm_name(entry->reference));
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

/* Ends both calls for the ends that both have. */
static gf_err_t *end_entry(gf_req_t *req, const gf_admin_entry_t *entry, gf_entry_end_t end)
{
    static const char *const words[] = { [GF_ENTRY_WRITTEN] = "ok",
                                         [GF_ENTRY_DUPLICATE] = "duplicate",
                                         [GF_ENTRY_MISMATCH] = "mismatch" };

    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0723",
           "user=%s: %s%s %" APR_INT64_T_FMT " credits, account=%s reference=%s: %s", req->user,
           entry->generation ? "gave back for " : "gave",
           entry->generation ? entry->generation : "", entry->amount, entry->user, entry->reference,
           words[end]);
    if (end == GF_ENTRY_MISMATCH) {
        return gf_err_field(req->ctx, GF_E_INVALID, "reference",
                            "has counted for something else; take a new one");
    }
    return send_entry(req, entry, end == GF_ENTRY_WRITTEN);
}

static void rule_amount(gf_input_t *input, void *record)
{
    if (((const gf_admin_entry_t *)record)->amount == 0) {
        gf_input_refuse(input, GF_E_INVALID, "amount", "must not be 0");
    }
}

static void rule_user(gf_input_t *input, void *record)
{
    api_admin_rule_name(input, "userId", ((const gf_admin_entry_t *)record)->user);
}

/* The first credits and those of the day have references of ours. */
static void rule_reference(gf_input_t *input, void *record)
{
    const gf_admin_entry_t *entry = record;

    api_admin_rule_name(input, "reference", entry->reference);
    if (entry->reference && strncmp(entry->reference, OURS, strlen(OURS)) == 0) {
        gf_input_refuse(input, GF_E_INVALID, "reference", "must not begin with " OURS);
    }
}

#define TEXT(name, longest, member, check)                                                      \
    {                                                                                           \
        .names = { name }, .kind = GF_INPUT_TEXT, .min = 1, .max = (longest), .required = true, \
        .offset = offsetof(gf_admin_entry_t, member), .rule = (check)                           \
    }

static const gf_input_field_t credit_fields[] = { TEXT("userId", 255, user, rule_user),
                                                  { .names = { "amount" },
                                                    .kind = GF_INPUT_INT,
                                                    .min = -API_CREDITS_MAX,
                                                    .max = API_CREDITS_MAX,
                                                    .required = true,
                                                    .offset = offsetof(gf_admin_entry_t, amount),
                                                    .rule = rule_amount },
                                                  TEXT("reason", 500, reason, NULL),
                                                  TEXT("reference", 200, reference, rule_reference),
                                                  GF_INPUT_END };

gf_err_t *api_admin_credit(gf_req_t *req)
{
    gf_admin_entry_t entry = { .amount = 0 };
    gf_entry_end_t end;
    gf_json_t *body;

    GF_TRY(api_body_fields(&body, req, credit_fields, &entry));
    entry.user = api_admin_whom(req, entry.user);
    entry.reference = gf_realm_identity(req->conf, entry.reference, req->r->pool);
    api_admin_reason(req, entry.reason);
    entry.reason = reason_of(req, entry.reason);
    GF_TRY(gf_admin_credit(&end, req->ctx, &entry));
    return end == GF_ENTRY_NO_CREDIT ? too_few(req, &entry) : end_entry(req, &entry, end);
}

static const gf_input_field_t refund_fields[] = { { .names = { "generationId" },
                                                    .kind = GF_INPUT_UUID,
                                                    .required = true,
                                                    .offset =
                                                        offsetof(gf_admin_entry_t, generation) },
                                                  { .names = { "amount" },
                                                    .kind = GF_INPUT_INT,
                                                    .min = 1,
                                                    .max = API_CREDITS_MAX,
                                                    .offset = offsetof(gf_admin_entry_t, amount) },
                                                  TEXT("reason", 500, reason, NULL),
                                                  TEXT("reference", 200, reference, rule_reference),
                                                  GF_INPUT_END };

gf_err_t *api_admin_refund(gf_req_t *req)
{
    gf_admin_entry_t entry = { .amount = 0 }; /* all */
    gf_entry_end_t end;
    gf_json_t *body;

    GF_TRY(api_body_fields(&body, req, refund_fields, &entry));
    entry.user = api_admin_whom(req, NULL);
    entry.reference = gf_realm_identity(req->conf, entry.reference, req->r->pool);
    api_admin_reason(req, entry.reason);
    entry.reason = reason_of(req, entry.reason);
    GF_TRY(gf_admin_refund(&end, req->ctx, &entry));
    if (end == GF_ENTRY_NOT_CHARGED) {
        return gf_err_field(req->ctx, GF_E_INVALID, "generationId", "is of none that was charged");
    }
    if (end == GF_ENTRY_REFUNDED) {
        return gf_err_field(req->ctx, GF_E_INVALID, "generationId", "was given back before");
    }
    if (end == GF_ENTRY_TOO_MUCH) {
        return gf_err_field(
            req->ctx, GF_E_INVALID, "amount",
            apr_psprintf(req->r->pool, "must be at most %" APR_INT64_T_FMT, entry.amount));
    }
    return end_entry(req, &entry, end);
}

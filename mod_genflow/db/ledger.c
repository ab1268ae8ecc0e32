/* SPDX-License-Identifier: Apache-2.0 */
/* Maps quota, reservations, ledger and health to their SQL functions, and their refusals to errors.
 * Leaves rules to the SQL. */
#include "db/ledger.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

static apr_int64_t limit(const gf_rows_t *rows, int column)
{
    return gf_rows_text(rows, 0, column) ? gf_rows_int(rows, 0, column) : -1;
}

gf_err_t *gf_ledger_quota(gf_quota_t *quota, gf_ctx_t *ctx, const char *user)
{
    const char *args[] = { user, ctx->conf->credit_day };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_QUOTA, NULL, args, NULL));
    quota->balance = gf_rows_int(rows, 0, 0);
    quota->held = gf_rows_int(rows, 0, 1);
    quota->day_limit = limit(rows, 2);
    quota->day_used = gf_rows_int(rows, 0, 3);
    quota->week_limit = limit(rows, 4);
    quota->week_used = gf_rows_int(rows, 0, 5);
    quota->remaining = gf_rows_int(rows, 0, 6);
    quota->day_reset = gf_rows_text(rows, 0, 7);
    quota->at = gf_rows_text(rows, 0, 8);
    quota->wait = (int)gf_rows_int(rows, 0, 9);
    return NULL;
}

/* ---- refusals ---- */

gf_err_t *gf_ledger_no_credit(gf_ctx_t *ctx, const char *user, apr_int64_t available,
                              apr_int64_t cost)
{
    gf_err_t *err =
        gf_err_make(ctx, GF_E_NO_CREDIT, APR_SUCCESS,
                    "%s has %" APR_INT64_T_FMT " of %" APR_INT64_T_FMT, user, available, cost);

    err->extra =
        apr_psprintf(ctx->pool,
                     "\"currentBalance\":%" APR_INT64_T_FMT ",\"requiredCredits\":%" APR_INT64_T_FMT
                     ",\"shortfall\":%" APR_INT64_T_FMT,
                     available, cost, cost - available);
    return err;
}

gf_err_t *gf_ledger_quota_spent(gf_ctx_t *ctx, const char *user)
{
    gf_quota_t quota;
    gf_err_t *err;

    GF_TRY(gf_ledger_quota(&quota, ctx, user));
    err = gf_err_make(ctx, GF_E_QUOTA, APR_SUCCESS, "%s", user);
    err->retry_after = quota.wait;
    return err;
}

/* ---- reservations ---- */

static gf_err_t *reserve_refused(const char *outcome, gf_ctx_t *ctx, const char *user,
                                 const gf_reservation_t *reservation)
{
    gf_err_code_t code = strcmp(outcome, "mismatch") == 0  ? GF_E_KEY_MISMATCH
                         : strcmp(outcome, "ended") == 0   ? GF_E_RESERVED_NO_MORE
                         : strcmp(outcome, "blocked") == 0 ? GF_E_BLOCKED
                                                           : GF_E_INTERNAL;

    if (strcmp(outcome, "ok") == 0) {
        return NULL;
    }
    if (strcmp(outcome, "insufficient_credits") == 0) {
        return gf_ledger_no_credit(ctx, user, reservation->available, reservation->amount);
    }
    if (strcmp(outcome, "quota_exceeded") == 0) {
        return gf_ledger_quota_spent(ctx, user);
    }
    return gf_err_make(ctx, code, APR_SUCCESS, "reservation %s of %s: %s", reservation->request_id,
                       user, outcome);
}

gf_err_t *gf_ledger_reserve(gf_reservation_t *reservation, gf_ctx_t *ctx, const char *user)
{
    const char *args[] = { user,
                           reservation->request_id,
                           apr_psprintf(ctx->pool, "%" APR_INT64_T_FMT, reservation->amount),
                           reservation->action,
                           gf_text_interval(ctx->pool, ctx->conf->reserve_lifetime),
                           ctx->conf->credit_day };
    gf_rows_t *rows;

    GF_TRY(gf_db_call_hold(&rows, ctx, GF_SQL_RESERVE, NULL, args));
    reservation->action = gf_rows_text(rows, 0, 1);
    reservation->expires_at = gf_rows_text(rows, 0, 2);
    reservation->available = gf_rows_int(rows, 0, 3) - gf_rows_int(rows, 0, 4);
    return reserve_refused(gf_rows_text(rows, 0, 0), ctx, user, reservation);
}

gf_err_t *gf_ledger_finalize(gf_finalized_t *finalized, gf_ctx_t *ctx, const char *user,
                             const char *request_id)
{
    const char *args[] = { user, request_id };
    const char *outcome;
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_RESERVE_FINALIZE, NULL, args, NULL));
    outcome = gf_rows_text(rows, 0, 0);
    if (strcmp(outcome, "returned") != 0 && strcmp(outcome, "used") != 0) {
        return gf_err_make(
            ctx, strcmp(outcome, "ended") == 0 ? GF_E_RESERVED_NO_MORE : GF_E_NO_RESERVATION,
            APR_SUCCESS, "reservation %s of %s: %s", request_id, user, outcome);
    }
    finalized->amount = gf_rows_int(rows, 0, 1);
    finalized->generation = gf_rows_text(rows, 0, 2);
    finalized->status = gf_rows_text(rows, 0, 3);
    finalized->charged = gf_rows_int(rows, 0, 4);
    finalized->available = gf_rows_int(rows, 0, 5) - gf_rows_int(rows, 0, 6);
    return NULL;
}

/* ---- the user's ledger ---- */

gf_err_t *gf_ledger_list(apr_array_header_t **entries, gf_ctx_t *ctx, const char *user,
                         const char *cursor, int limit)
{
    const char *args[] = { user, cursor, apr_itoa(ctx->pool, limit) };
    gf_rows_t *rows;
    int row;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_LEDGER_LIST, NULL, args, NULL));
    *entries = apr_array_make(ctx->pool, gf_rows_count(rows), sizeof(gf_entry_t));
    for (row = 0; row < gf_rows_count(rows); row++) {
        gf_entry_t *entry = apr_array_push(*entries);

        entry->ref = gf_rows_text(rows, row, 0);
        entry->kind = gf_rows_text(rows, row, 1);
        entry->amount = gf_rows_int(rows, row, 2);
        entry->balance_after = gf_rows_int(rows, row, 3);
        entry->credits = gf_rows_int(rows, row, 4);
        entry->reason = gf_rows_text(rows, row, 5);
        entry->reference = gf_rows_text(rows, row, 6);
        entry->generation = gf_rows_text(rows, row, 7);
        entry->request_id = gf_rows_text(rows, row, 8);
        entry->at = gf_rows_text(rows, row, 9);
        entry->cursor = gf_rows_text(rows, row, 10);
    }
    return NULL;
}

/* ---- health ---- */

gf_err_t *gf_ledger_health(int *schema_version, gf_ctx_t *ctx)
{
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_HEALTH, NULL, NULL, NULL));
    *schema_version = (int)gf_rows_int(rows, 0, 0);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Maps quota, reservations, ledger and health to their SQL functions, and their refusals to errors.
 * Leaves rules to the SQL. */
#include "db/ledger.h"

#include <apr_strings.h>

typedef struct quota_in_t {
    const char *user, *day;
} quota_in_t;

static const gf_sql_field_t quota_params[] = { GF_PARAM(quota_in_t, user),
                                               GF_PARAM(quota_in_t, day) };
static const gf_sql_field_t quota_columns[] = { GF_COLUMN(gf_quota_t, balance),
                                                GF_COLUMN(gf_quota_t, held),
                                                GF_COLUMN_OR(gf_quota_t, day_limit, -1),
                                                GF_COLUMN(gf_quota_t, day_used),
                                                GF_COLUMN_OR(gf_quota_t, week_limit, -1),
                                                GF_COLUMN(gf_quota_t, week_used),
                                                GF_COLUMN(gf_quota_t, remaining),
                                                GF_COLUMN(gf_quota_t, day_reset),
                                                GF_COLUMN(gf_quota_t, at),
                                                GF_COLUMN(gf_quota_t, wait) };

GF_STATEMENT(quota, .function = "quota", GF_PARAMS(quota_params),
             GF_COLUMNS(gf_quota_t, quota_columns));

gf_err_t *gf_ledger_quota(gf_quota_t *quota, gf_ctx_t *ctx, const char *user)
{
    const quota_in_t in = { .user = user, .day = ctx->conf->credit_day };

    return gf_db_one(quota, ctx, &gf_sql_quota, NULL, &in);
}

typedef struct state_in_t {
    const char *user, *day;
    apr_int64_t concurrent, queue;
    const char *types;
} state_in_t;

static const gf_sql_field_t state_params[] = {
    GF_PARAM(state_in_t, user), GF_PARAM(state_in_t, day), GF_PARAM_OR(state_in_t, concurrent, 0),
    GF_PARAM_OR(state_in_t, queue, 0), GF_PARAM(state_in_t, types)
};
static const gf_sql_field_t state_columns[] = {
    GF_COLUMN_AS("balance", gf_user_state_t, quota.balance),
    GF_COLUMN_AS("held", gf_user_state_t, quota.held),
    GF_SQL_FIELD("day_limit", gf_user_state_t, quota.day_limit, .kind = GF_SQL_INT64, .null = -1),
    GF_COLUMN_AS("day_used", gf_user_state_t, quota.day_used),
    GF_SQL_FIELD("week_limit", gf_user_state_t, quota.week_limit, .kind = GF_SQL_INT64, .null = -1),
    GF_COLUMN_AS("week_used", gf_user_state_t, quota.week_used),
    GF_COLUMN_AS("remaining", gf_user_state_t, quota.remaining),
    GF_COLUMN_AS("day_reset", gf_user_state_t, quota.day_reset),
    GF_COLUMN_AS("at", gf_user_state_t, quota.at),
    GF_COLUMN_AS("wait", gf_user_state_t, quota.wait),
    GF_COLUMN_OR(gf_user_state_t, live, -1),
    GF_COLUMN_OR(gf_user_state_t, queued, -1)
};

GF_STATEMENT(user_state, .function = "user_state", GF_PARAMS(state_params),
             GF_COLUMNS(gf_user_state_t, state_columns));

gf_err_t *gf_ledger_user_state(gf_user_state_t *state, gf_ctx_t *ctx, const char *user)
{
    const state_in_t in = { .user = user,
                            .day = ctx->conf->credit_day,
                            .concurrent = ctx->conf->limit_concurrent,
                            .queue = ctx->conf->limit_queue,
                            .types = gf_db_types(ctx, NULL) };

    return gf_db_one(state, ctx, &gf_sql_user_state, NULL, &in);
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

gf_err_t *gf_ledger_key_spent(gf_ctx_t *ctx, const char *key, apr_int64_t cost)
{
    gf_err_t *err =
        gf_err_make(ctx, GF_E_NO_CREDIT, APR_SUCCESS,
                    "the budget of API key %s does not cover %" APR_INT64_T_FMT, key, cost);

    err->text = "The budget of this API key does not suffice";
    err->extra =
        apr_psprintf(ctx->pool, "\"scope\":\"key\",\"requiredCredits\":%" APR_INT64_T_FMT, cost);
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

typedef struct reserve_in_t {
    const char *user, *request_id;
    apr_int64_t amount;
    const char *action;
    apr_interval_time_t lifetime;
    const char *day;
    bool unbound;
    const char *api_key;
} reserve_in_t;

typedef enum {
    RESERVED,
    RESERVE_MISMATCH,
    RESERVE_ENDED,
    RESERVE_BLOCKED,
    RESERVE_NO_CREDIT,
    RESERVE_QUOTA_SPENT,
    RESERVE_KEY_SPENT
} reserve_t;

typedef struct reserve_row_t {
    reserve_t outcome;
    const char *action, *expires_at;
    apr_int64_t balance, held;
} reserve_row_t;

static const gf_sql_word_t reserve_words[] = { { "ok", RESERVED },
                                               { "mismatch", RESERVE_MISMATCH },
                                               { "ended", RESERVE_ENDED },
                                               { "blocked", RESERVE_BLOCKED },
                                               { "insufficient_credits", RESERVE_NO_CREDIT },
                                               { "quota_exceeded", RESERVE_QUOTA_SPENT },
                                               { "key_spent", RESERVE_KEY_SPENT },
                                               { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t reserve_params[] = { GF_PARAM(reserve_in_t, user),
                                                 GF_PARAM(reserve_in_t, request_id),
                                                 GF_PARAM(reserve_in_t, amount),
                                                 GF_PARAM(reserve_in_t, action),
                                                 GF_PARAM_INTERVAL(reserve_in_t, lifetime),
                                                 GF_PARAM(reserve_in_t, day),
                                                 GF_PARAM(reserve_in_t, unbound),
                                                 GF_PARAM(reserve_in_t, api_key) };
static const gf_sql_field_t reserve_columns[] = {
    GF_COLUMN_WORD("outcome", reserve_row_t, outcome, reserve_words),
    GF_COLUMN(reserve_row_t, action),
    GF_COLUMN(reserve_row_t, expires_at),
    GF_COLUMN(reserve_row_t, balance),
    GF_COLUMN(reserve_row_t, held),
};

GF_STATEMENT(reserve, .function = "reserve", GF_PARAMS(reserve_params),
             GF_COLUMNS(reserve_row_t, reserve_columns));

static gf_err_t *reserve_refused(reserve_t outcome, gf_ctx_t *ctx, const char *user,
                                 const gf_reservation_t *reservation)
{
    static const struct {
        gf_err_code_t code;
        const char *why;
    } refusals[] = {
        [RESERVE_MISMATCH] = { GF_E_KEY_MISMATCH, "it is of another amount" },
        [RESERVE_ENDED] = { GF_E_RESERVED_NO_MORE, "it was given back, or its time is over" },
        [RESERVE_BLOCKED] = { GF_E_BLOCKED, "the account is blocked" },
    };

    if (outcome == RESERVED) {
        return NULL;
    }
    if (outcome == RESERVE_NO_CREDIT) {
        return gf_ledger_no_credit(ctx, user, reservation->available, reservation->amount);
    }
    if (outcome == RESERVE_KEY_SPENT) {
        return gf_ledger_key_spent(ctx, reservation->api_key, reservation->amount);
    }
    if (outcome == RESERVE_QUOTA_SPENT) {
        return gf_ledger_quota_spent(ctx, user);
    }
    return gf_err_make(ctx, refusals[outcome].code, APR_SUCCESS, "reservation %s of %s: %s",
                       reservation->request_id, user, refusals[outcome].why);
}

gf_err_t *gf_ledger_reserve(gf_reservation_t *reservation, gf_ctx_t *ctx, const char *user)
{
    const reserve_in_t in = { .user = user,
                              .request_id = reservation->request_id,
                              .amount = reservation->amount,
                              .action = reservation->action,
                              .lifetime = ctx->conf->reserve_lifetime,
                              .day = ctx->conf->credit_day,
                              .unbound = reservation->unbound,
                              .api_key = reservation->api_key };
    reserve_row_t row;
    gf_rows_t *rows;

    GF_TRY(gf_db_call_hold(&rows, ctx, &gf_sql_reserve, NULL, &in));
    GF_TRY(gf_rows_read(&row, ctx, rows, 0, NULL));
    reservation->action = row.action;
    reservation->expires_at = row.expires_at;
    reservation->available = row.balance - row.held;
    return reserve_refused(row.outcome, ctx, user, reservation);
}

typedef struct finalize_in_t {
    const char *user, *request_id;
} finalize_in_t;

typedef enum { FINALIZE_RETURNED, FINALIZE_USED, FINALIZE_ENDED, FINALIZE_NONE } finalize_t;

typedef struct finalize_row_t {
    finalize_t outcome;
    gf_finalized_t done;
    apr_int64_t balance, held;
} finalize_row_t;

static const gf_sql_word_t finalize_words[] = { { "returned", FINALIZE_RETURNED },
                                                { "used", FINALIZE_USED },
                                                { "ended", FINALIZE_ENDED },
                                                { "not_found", FINALIZE_NONE },
                                                { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t finalize_params[] = { GF_PARAM(finalize_in_t, user),
                                                  GF_PARAM(finalize_in_t, request_id) };
static const gf_sql_field_t finalize_columns[] = {
    GF_COLUMN_WORD("outcome", finalize_row_t, outcome, finalize_words),
    GF_COLUMN_AS("amount", finalize_row_t, done.amount),
    GF_COLUMN_AS("job_id", finalize_row_t, done.generation),
    GF_COLUMN_AS("status", finalize_row_t, done.status),
    GF_COLUMN_AS("charged", finalize_row_t, done.charged),
    GF_COLUMN(finalize_row_t, balance),
    GF_COLUMN(finalize_row_t, held),
};

GF_STATEMENT(reserve_finalize, .function = "reserve_finalize", .has_call = true,
             GF_PARAMS(finalize_params), GF_COLUMNS(finalize_row_t, finalize_columns));

gf_err_t *gf_ledger_finalize(gf_finalized_t *finalized, gf_ctx_t *ctx, const char *user,
                             const char *request_id)
{
    const finalize_in_t in = { .user = user, .request_id = request_id };
    finalize_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_reserve_finalize, NULL, &in));
    if (row.outcome == FINALIZE_ENDED) {
        return gf_err_make(ctx, GF_E_RESERVED_NO_MORE, APR_SUCCESS,
                           "reservation %s of %s was given back before, or its time is over",
                           request_id, user);
    }
    if (row.outcome == FINALIZE_NONE) {
        return gf_err_make(ctx, GF_E_NO_RESERVATION, APR_SUCCESS, "no reservation %s of %s",
                           request_id, user);
    }
    *finalized = row.done;
    finalized->available = row.balance - row.held;
    return NULL;
}

/* ---- the user's ledger ---- */

typedef struct list_in_t {
    const char *user, *cursor;
    int limit;
} list_in_t;

static const gf_sql_field_t list_params[] = { GF_PARAM(list_in_t, user),
                                              GF_PARAM(list_in_t, cursor),
                                              GF_PARAM(list_in_t, limit) };
static const gf_sql_field_t list_columns[] = {
    GF_COLUMN(gf_entry_t, ref),        GF_COLUMN(gf_entry_t, kind),
    GF_COLUMN(gf_entry_t, amount),     GF_COLUMN(gf_entry_t, balance_after),
    GF_COLUMN(gf_entry_t, credits),    GF_COLUMN(gf_entry_t, reason),
    GF_COLUMN(gf_entry_t, reference),  GF_COLUMN_AS("job_id", gf_entry_t, generation),
    GF_COLUMN(gf_entry_t, request_id), GF_COLUMN(gf_entry_t, at),
    GF_COLUMN(gf_entry_t, cursor),
};

GF_STATEMENT(ledger_list, .function = "ledger_list", GF_PARAMS(list_params),
             GF_COLUMNS(gf_entry_t, list_columns));

gf_err_t *gf_ledger_list(apr_array_header_t **entries, gf_ctx_t *ctx, const char *user,
                         const char *cursor, int limit)
{
    const list_in_t in = { .user = user, .cursor = cursor, .limit = limit };

    return gf_db_list(entries, ctx, &gf_sql_ledger_list, &in);
}

/* ---- health ---- */

typedef struct health_row_t {
    int schema_version;
} health_row_t;

static const gf_sql_field_t health_columns[] = { GF_COLUMN(health_row_t, schema_version) };

GF_STATEMENT(health, .function = "health", GF_COLUMNS(health_row_t, health_columns));

gf_err_t *gf_ledger_health(int *schema_version, gf_ctx_t *ctx)
{
    health_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_health, NULL, NULL));
    *schema_version = row.schema_version;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the removals of administrators to their SQL functions, which have the rules. */
#include "db/admin_remove.h"

#include "db/generation.h"

#define AT_ONCE 200 /* rows of each kind in one transaction */

typedef struct remove_in_t {
    const char *id, *scope;
} remove_in_t;

typedef struct takedown_row_t {
    enum { TAKEN_DOWN, TAKEN_BEFORE, TAKEN_INVALID, TAKEN_NOT_FOUND } outcome;
    const char *status;
    gf_admin_takedown_t done;
} takedown_row_t;

static const gf_sql_word_t takedown_words[] = { { "ok", TAKEN_DOWN },
                                                { "already", TAKEN_BEFORE },
                                                { "invalid_status", TAKEN_INVALID },
                                                { "not_found", TAKEN_NOT_FOUND },
                                                { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t takedown_params[] = { GF_PARAM(remove_in_t, id),
                                                  GF_PARAM(remove_in_t, scope) };
static const gf_sql_field_t takedown_columns[] = {
    GF_COLUMN_WORD("outcome", takedown_row_t, outcome, takedown_words),
    GF_COLUMN(takedown_row_t, status),
    GF_COLUMN_AS("type", takedown_row_t, done.type),
    GF_COLUMN_AS("user_id", takedown_row_t, done.user),
    GF_COLUMN_AS("image_url", takedown_row_t, done.image_url),
    GF_COLUMN_AS("taken_down_at", takedown_row_t, done.at),
};

GF_STATEMENT(admin_takedown, .function = "admin_takedown", .has_by = true, .has_call = true,
             GF_PARAMS(takedown_params), GF_COLUMNS(takedown_row_t, takedown_columns));

gf_err_t *gf_admin_takedown(gf_admin_takedown_t *done, gf_ctx_t *ctx, const char *id,
                            const char *scope)
{
    const remove_in_t in = { .id = id, .scope = scope };
    takedown_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_takedown, NULL, &in));
    if (row.outcome == TAKEN_NOT_FOUND) {
        return gf_err_make(ctx, GF_E_NO_GENERATION, APR_SUCCESS, "no generation %s", id);
    }
    if (row.outcome == TAKEN_INVALID) {
        return gf_steer_status(ctx, id, row.status);
    }
    *done = row.done;
    done->applied = row.outcome == TAKEN_DOWN;
    return NULL;
}

typedef struct erase_in_t {
    const char *user;
    apr_int64_t account;
    int limit;
} erase_in_t;

typedef struct erase_row_t {
    enum { ERASED, ERASE_NOT_FOUND } outcome;
    apr_int64_t account;
} erase_row_t;

typedef struct erase_work_row_t {
    int count;
} erase_work_row_t;

static const gf_sql_word_t erase_words[] = { { "ok", ERASED },
                                             { "not_found", ERASE_NOT_FOUND },
                                             { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t erase_params[] = { GF_PARAM(erase_in_t, user) };
static const gf_sql_field_t erase_columns[] = {
    GF_COLUMN_WORD("outcome", erase_row_t, outcome, erase_words), GF_COLUMN(erase_row_t, account)
};
static const gf_sql_field_t erase_work_params[] = { GF_PARAM(erase_in_t, account),
                                                    GF_PARAM(erase_in_t, limit) };
static const gf_sql_field_t erase_work_columns[] = { GF_COLUMN(erase_work_row_t, count) };

GF_STATEMENT(admin_erase, .function = "admin_erase", .has_by = true, .has_call = true,
             GF_PARAMS(erase_params), GF_COLUMNS(erase_row_t, erase_columns));
GF_STATEMENT(admin_erase_work, .function = "admin_erase_work", .is_value = true,
             GF_PARAMS(erase_work_params), GF_COLUMNS(erase_work_row_t, erase_work_columns));

gf_err_t *gf_admin_erase(apr_int64_t *account, gf_ctx_t *ctx, const char *user)
{
    const erase_in_t in = { .user = user };
    erase_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_erase, NULL, &in));
    *account = row.account;
    return row.outcome == ERASED
               ? NULL
               : gf_err_make(ctx, GF_E_NO_ROUTE, APR_SUCCESS, "no account %s", user);
}

gf_err_t *gf_admin_erase_work(int *left, gf_ctx_t *ctx, apr_int64_t account)
{
    const erase_in_t in = { .account = account, .limit = AT_ONCE };
    erase_work_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_erase_work, NULL, &in));
    *left = row.count;
    return NULL;
}

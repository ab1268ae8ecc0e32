/* SPDX-License-Identifier: Apache-2.0 */
/* Maps quota and health to their SQL functions. Leaves rules to the SQL. */
#include "db/gf_ledger.h"

static apr_int64_t limit(const gf_rows_t *rows, int column)
{
    return gf_rows_text(rows, 0, column) ? gf_rows_int(rows, 0, column) : -1;
}

gf_err_t *gf_ledger_quota(gf_quota_t *quota, gf_ctx_t *ctx, const char *user)
{
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_QUOTA, NULL, &user, NULL));
    quota->balance = gf_rows_int(rows, 0, 0);
    quota->held = gf_rows_int(rows, 0, 1);
    quota->day_limit = limit(rows, 2);
    quota->day_used = gf_rows_int(rows, 0, 3);
    quota->week_limit = limit(rows, 4);
    quota->week_used = gf_rows_int(rows, 0, 5);
    quota->remaining = gf_rows_int(rows, 0, 6);
    quota->day_reset = gf_rows_text(rows, 0, 7);
    quota->at = gf_rows_text(rows, 0, 8);
    return NULL;
}

gf_err_t *gf_ledger_health(int *schema_version, gf_ctx_t *ctx)
{
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_HEALTH, NULL, NULL, NULL));
    *schema_version = (int)gf_rows_int(rows, 0, 0);
    return NULL;
}

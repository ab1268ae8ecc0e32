/* SPDX-License-Identifier: Apache-2.0 */
/* Maps what administrators read of credits and of their own acts to its SQL functions. */
#include "db/admin_record.h"

typedef struct holds_in_t {
    const char *user;
} holds_in_t;

typedef struct holds_row_t {
    const char *holds;
} holds_row_t;

static const gf_sql_field_t holds_params[] = { GF_PARAM(holds_in_t, user) };
static const gf_sql_field_t holds_columns[] = { GF_COLUMN(holds_row_t, holds) };
static const gf_sql_field_t audit_params[] = { GF_PARAM(gf_admin_audit_t, user),
                                               GF_PARAM(gf_admin_audit_t, action),
                                               GF_PARAM(gf_admin_audit_t, admin),
                                               GF_PARAM_OR(gf_admin_audit_t, before, 0),
                                               GF_PARAM(gf_admin_audit_t, limit) };
static const gf_sql_field_t audit_columns[] = { GF_COLUMN(gf_audit_entry_t, id),
                                                GF_COLUMN_AS("entry", gf_audit_entry_t, json) };

GF_STATEMENT(admin_holds, .function = "admin_holds", .is_value = true, GF_PARAMS(holds_params),
             GF_COLUMNS(holds_row_t, holds_columns));
GF_STATEMENT(admin_audit, .function = "admin_audit", GF_PARAMS(audit_params),
             GF_COLUMNS(gf_audit_entry_t, audit_columns));

gf_err_t *gf_admin_holds(const char **json, gf_ctx_t *ctx, const char *user)
{
    const holds_in_t in = { .user = user };
    holds_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_holds, NULL, &in));
    *json = row.holds;
    return NULL;
}

gf_err_t *gf_admin_audit(apr_array_header_t **entries, gf_ctx_t *ctx,
                         const gf_admin_audit_t *filter)
{
    return gf_db_list(entries, ctx, &gf_sql_admin_audit, filter);
}

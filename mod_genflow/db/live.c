/* SPDX-License-Identifier: Apache-2.0 */
/* One statement for all generations that clients of a child wait for. */
#include "db/live.h"

#include <apr_strings.h>

typedef struct live_in_t {
    const char *ids;
} live_in_t;

static const gf_sql_field_t live_params[] = { GF_PARAM(live_in_t, ids) };
static const gf_sql_field_t live_columns[] = { GF_COLUMN(gf_live_t, id),
                                               GF_COLUMN(gf_live_t, version) };

GF_STATEMENT(live, .function = "live", GF_PARAMS(live_params), GF_COLUMNS(gf_live_t, live_columns));

gf_err_t *gf_live_list(apr_array_header_t **live, gf_ctx_t *ctx, const apr_array_header_t *ids)
{
    const live_in_t in = { .ids = apr_pstrcat(ctx->pool, "{",
                                              apr_array_pstrcat(ctx->pool, ids, ','), "}", NULL) };

    return gf_db_list(live, ctx, &gf_sql_live, &in);
}

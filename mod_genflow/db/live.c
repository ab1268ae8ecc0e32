/* SPDX-License-Identifier: Apache-2.0 */
/* One statement for many generations that clients of a child wait for. */
#include "db/live.h"

#include <apr_strings.h>

#define NO_VERSION "0" /* no row has it */

typedef struct live_in_t {
    const char *ids;
    const char *versions;
} live_in_t;

static const gf_sql_field_t live_params[] = { GF_PARAM(live_in_t, ids),
                                              GF_PARAM(live_in_t, versions) };
static const gf_sql_field_t live_columns[] = { GF_COLUMN(gf_live_t, id),
                                               GF_COLUMN(gf_live_t, version) };

GF_STATEMENT(live, .function = "live", GF_PARAMS(live_params), GF_COLUMNS(gf_live_t, live_columns));

/* A list of PostgreSQL. */
static const char *list_of(const apr_array_header_t *texts, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "{", apr_array_pstrcat(pool, texts, ','), "}", NULL);
}

gf_err_t *gf_live_changes(apr_array_header_t **changed, gf_ctx_t *ctx,
                          const apr_array_header_t *known)
{
    apr_array_header_t *ids = apr_array_make(ctx->pool, known->nelts, sizeof(const char *));
    apr_array_header_t *versions = apr_array_make(ctx->pool, known->nelts, sizeof(const char *));
    live_in_t in;
    int i;

    for (i = 0; i < known->nelts; i++) {
        const gf_live_t *row = &APR_ARRAY_IDX(known, i, gf_live_t);

        APR_ARRAY_PUSH(ids, const char *) = row->id;
        APR_ARRAY_PUSH(versions, const char *) = row->version ? row->version : NO_VERSION;
    }
    in.ids = list_of(ids, ctx->pool);
    in.versions = list_of(versions, ctx->pool);
    return gf_db_list(changed, ctx, &gf_sql_live, &in);
}

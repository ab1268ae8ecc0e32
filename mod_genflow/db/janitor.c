/* SPDX-License-Identifier: Apache-2.0 */
/* Maps cleaning up to its SQL functions. Leaves rules to the SQL. */
#include "db/janitor.h"

#include <apr_strings.h>

#include "base/text.h"

gf_err_t *gf_janitor_parts(apr_array_header_t **parts, gf_ctx_t *ctx)
{
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_JANITOR_PARTS, NULL, NULL, NULL));
    *parts = gf_rows_texts(rows, ctx->pool);
    return NULL;
}

gf_err_t *gf_janitor_clean(int *cleaned, gf_ctx_t *ctx, const char *part, int limit)
{
    const char *args[] = {
        part, apr_itoa(ctx->pool, limit), gf_text_interval(ctx->pool, ctx->conf->janitor_jobs),
        gf_text_interval(ctx->pool, ctx->conf->janitor_keys),
        ctx->conf->janitor_media ? gf_text_interval(ctx->pool, ctx->conf->janitor_media) : NULL
    };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_JANITOR, NULL, args, NULL));
    *cleaned = (int)gf_rows_int(rows, 0, 0);
    return NULL;
}

gf_err_t *gf_janitor_connections(int *most, const char **limit, gf_ctx_t *ctx)
{
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_CONNECTIONS, NULL, NULL, NULL));
    *most = (int)gf_rows_int(rows, 0, 0);
    *limit = gf_rows_text(rows, 0, 1);
    return NULL;
}

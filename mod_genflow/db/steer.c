/* SPDX-License-Identifier: Apache-2.0 */
/* Maps steering and history to their SQL functions. Leaves rules to the SQL. */
#include "db/steer.h"

#include <string.h>

#include <apr_strings.h>

#include "model/type.h"

gf_err_t *gf_steer_type(const gf_type_t **type, gf_ctx_t *ctx, const char *id)
{
    gf_rows_t *rows;
    const char *name;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_TYPE_OF, NULL, &id, NULL));
    name = gf_rows_text(rows, 0, 0);
    *type = name ? gf_type_find(ctx->conf, name, ctx->pool) : NULL;
    return *type ? NULL
                 : gf_err_make(ctx, GF_E_NO_GENERATION, APR_SUCCESS, "%s is of type %s", id,
                               name ? name : "none");
}

gf_err_t *gf_steer_status(gf_ctx_t *ctx, const char *id, const char *status)
{
    gf_err_t *err = gf_err_make(ctx, GF_E_STATUS, APR_SUCCESS, "%s is %s", id, status);

    err->extra = apr_psprintf(ctx->pool, "\"status\":\"%s\",\"generationId\":\"%s\"", status, id);
    return err;
}

gf_err_t *gf_steer_made_before(gf_created_t *created, int *count, gf_ctx_t *ctx,
                               const gf_caller_t *caller)
{
    const char *args[] = { caller->user, caller->key,
                           apr_pstrcat(ctx->pool, "\\x", caller->hash, NULL) };
    gf_rows_t *rows;
    int i;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_MADE_BEFORE, NULL, args, NULL));
    *count = gf_rows_count(rows) < GF_BATCH_MAX ? gf_rows_count(rows) : GF_BATCH_MAX;
    memset(created, 0, (size_t)*count * sizeof(*created));
    for (i = 0; i < *count; i++) {
        created[i].outcome =
            strcmp(gf_rows_text(rows, i, 0), "replay") == 0 ? GF_REPLAY : GF_MISMATCH;
        created[i].id = gf_rows_text(rows, i, 1);
    }
    return NULL;
}

/* Cancel and delete: outcome, status, and what the act tells. */
static gf_err_t *act(const char **told, gf_ctx_t *ctx, gf_sql_t statement, const gf_type_t *type,
                     const char *user, const char *id)
{
    const char *args[] = { user, id };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, statement, type, args, NULL));
    GF_TRY(gf_db_owned(ctx, gf_rows_text(rows, 0, 0), GF_E_NO_GENERATION, type->name, user, id));
    *told = gf_rows_text(rows, 0, 2);
    return strcmp(gf_rows_text(rows, 0, 0), "ok") == 0
               ? NULL
               : gf_steer_status(ctx, id, gf_rows_text(rows, 0, 1));
}

gf_err_t *gf_steer_cancel(const char **owner, gf_ctx_t *ctx, const gf_type_t *type,
                          const char *user, const char *id)
{
    return act(owner, ctx, GF_SQL_CANCEL, type, user, id);
}

gf_err_t *gf_steer_delete(const char **image_url, gf_ctx_t *ctx, const gf_type_t *type,
                          const char *user, const char *id)
{
    return act(image_url, ctx, GF_SQL_DELETE, type, user, id);
}

/* ---- history ---- */

gf_err_t *gf_steer_history(gf_page_t *page, gf_ctx_t *ctx)
{
    const char *args[] = { page->user,
                           gf_db_types(ctx, page->type),
                           page->status,
                           page->preset,
                           page->after ? apr_psprintf(ctx->pool, "%" APR_INT64_T_FMT, page->at)
                                       : NULL,
                           page->after,
                           apr_itoa(ctx->pool, page->limit + 1) }; /* one more: is there more? */
    gf_rows_t *rows;
    int row;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_HISTORY, NULL, args, NULL));
    page->more = gf_rows_count(rows) > page->limit;
    page->items = apr_array_make(ctx->pool, page->limit, sizeof(gf_view_t));
    for (row = 0; row < gf_rows_count(rows) && row < page->limit; row++) {
        gf_queue_view(apr_array_push(page->items), rows, row,
                      gf_type_find(ctx->conf, gf_rows_text(rows, row, 1), ctx->pool), page->user);
    }
    return NULL;
}

gf_err_t *gf_steer_count(apr_int64_t *total, bool *exact, gf_ctx_t *ctx, const gf_page_t *page)
{
    const char *args[] = { page->user, gf_db_types(ctx, page->type), page->status, page->preset,
                           apr_itoa(ctx->pool, GF_STEER_COUNTED + 1) };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_HISTORY_COUNT, NULL, args, NULL));
    *total = gf_rows_int(rows, 0, 0);
    *exact = *total <= GF_STEER_COUNTED;
    if (!*exact) {
        *total = GF_STEER_COUNTED;
    }
    return NULL;
}

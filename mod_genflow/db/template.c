/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the acts on templates to their SQL functions. */
#include "db/template.h"

#include <string.h>

#include <apr_strings.h>

#define KEPT_PER_USER 200

gf_err_t *gf_template_put(gf_template_t *template, bool *taken, gf_ctx_t *ctx, const char *user)
{
    const char *args[] = { user, template->name, template->type, template->config,
                           apr_itoa(ctx->pool, KEPT_PER_USER) };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_TEMPLATE_PUT, NULL, args, NULL));
    if (strcmp(gf_rows_text(rows, 0, 0), "too_many") == 0) {
        return gf_err_make(ctx, GF_E_TEMPLATES_FULL, APR_SUCCESS, "%s", user);
    }
    *taken = strcmp(gf_rows_text(rows, 0, 0), "taken") == 0;
    template->id = gf_rows_text(rows, 0, 1);
    template->created_at = gf_rows_text(rows, 0, 2);
    return NULL;
}

gf_err_t *gf_template_list(apr_array_header_t **list, gf_ctx_t *ctx, const char *user,
                           const char *before, int limit)
{
    const char *args[] = { user, before, apr_itoa(ctx->pool, limit) };
    gf_rows_t *rows;
    int row;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_TEMPLATES, NULL, args, NULL));
    *list = apr_array_make(ctx->pool, gf_rows_count(rows), sizeof(gf_template_t));
    for (row = 0; row < gf_rows_count(rows); row++) {
        gf_template_t *template = apr_array_push(*list);

        template->id = gf_rows_text(rows, row, 0);
        template->name = gf_rows_text(rows, row, 1);
        template->type = gf_rows_text(rows, row, 2);
        template->config = gf_rows_text(rows, row, 3);
        template->created_at = gf_rows_text(rows, row, 4);
    }
    return NULL;
}

gf_err_t *gf_template_get(gf_template_t *template, gf_ctx_t *ctx, const char *user, const char *id)
{
    const char *args[] = { user, id };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_TEMPLATE_GET, NULL, args, NULL));
    GF_TRY(gf_db_owned(ctx, gf_rows_text(rows, 0, 0), GF_E_NO_TEMPLATE, "template", user, id));
    memset(template, 0, sizeof(*template));
    template->id = id;
    template->type = gf_rows_text(rows, 0, 1);
    template->config = gf_rows_text(rows, 0, 2);
    return NULL;
}

gf_err_t *gf_template_delete(gf_ctx_t *ctx, const char *user, const char *id)
{
    const char *args[] = { user, id };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_TEMPLATE_DELETE, NULL, args, NULL));
    return gf_db_owned(ctx, gf_rows_text(rows, 0, 0), GF_E_NO_TEMPLATE, "template", user, id);
}

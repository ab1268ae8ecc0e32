/* SPDX-License-Identifier: Apache-2.0 */
/* Which column of genflow.generation is which member of the generation object. */
#include "db/generation.h"

#include <string.h>

#include <apr_strings.h>

#include "model/servers.h"

const gf_sql_word_t gf_generation_priority_words[] = { { "-1", GF_PRIORITY_LOW },
                                                       { "0", GF_PRIORITY_NORMAL },
                                                       { "1", GF_PRIORITY_HIGH },
                                                       { NULL, GF_PRIORITY_NORMAL } };

const gf_sql_field_t gf_generation_columns[GF_GENERATION_COUNT] = {
    GF_COLUMN_WORD("outcome", gf_generation_row_t, outcome, gf_db_owned_words), GF_GENERATION_FIELDS
};

typedef struct get_in_t {
    const char *user, *id, *run_id, *ref, *kind;
} get_in_t;

static const gf_sql_field_t get_params[] = { GF_PARAM(get_in_t, user), GF_PARAM(get_in_t, id),
                                             GF_PARAM(get_in_t, run_id), GF_PARAM(get_in_t, ref),
                                             GF_PARAM(get_in_t, kind) };

GF_STATEMENT(get, .function = "%s_get", GF_PARAMS(get_params), GF_GENERATION_COLUMNS);

void gf_generation_complete(gf_view_t *view, const gf_ctx_t *ctx, const gf_type_t *type)
{
    view->type = type;
    view->ref_names = ctx->conf->ref_names;
    view->thumbnails = &gf_servers_of_type(ctx->conf, type)->thumbnails;
}

gf_err_t *gf_queue_get(gf_view_t *view, gf_ctx_t *ctx, const gf_type_t *type, const char *user,
                       const gf_find_t *find)
{
    const get_in_t in = { .user = user,
                          .id = find->id,
                          .run_id = find->run_id,
                          .ref = find->ref,
                          .kind = find->ref_kind };
    const char *what = find->id ? find->id : find->run_id ? find->run_id : find->ref;
    gf_generation_row_t row;

    memset(&row, 0, sizeof(row));
    GF_TRY(gf_db_one(&row, ctx, &gf_sql_get, type, &in));
    GF_TRY(gf_db_owned(ctx, row.outcome, GF_E_NO_GENERATION, type->name, user, what));
    *view = row.view;
    view->user = user;
    gf_generation_complete(view, ctx, type);
    return NULL;
}

gf_err_t *gf_steer_status(gf_ctx_t *ctx, const char *id, const char *status)
{
    gf_err_t *err = gf_err_make(ctx, GF_E_STATUS, APR_SUCCESS, "%s is %s", id, status);

    err->extra = apr_psprintf(ctx->pool, "\"status\":\"%s\",\"generationId\":\"%s\"", status, id);
    return err;
}

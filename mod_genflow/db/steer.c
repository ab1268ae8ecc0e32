/* SPDX-License-Identifier: Apache-2.0 */
/* Maps steering and history to their SQL functions. Leaves rules to the SQL. */
#include "db/steer.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "model/servers.h"
#include "model/type.h"

#define LEGACY_ID_MAX 200 /* characters of an id of an older system */

typedef struct find_in_t {
    const char *name;
} find_in_t;

typedef struct find_row_t {
    const char *id, *type;
} find_row_t;

static const gf_sql_field_t find_params[] = { GF_PARAM(find_in_t, name) };
static const gf_sql_field_t find_columns[] = { GF_COLUMN(find_row_t, id),
                                               GF_COLUMN(find_row_t, type) };

GF_STATEMENT(generation_of, .function = "generation_of", GF_PARAMS(find_params),
             GF_COLUMNS(find_row_t, find_columns));

gf_err_t *gf_steer_find(const char **id, const gf_type_t **type, gf_ctx_t *ctx, const char *name)
{
    const find_in_t in = { .name = name };
    find_row_t row = { NULL, NULL };

    if (!gf_text_is_token(name, LEGACY_ID_MAX)) {
        return gf_err_make(ctx, GF_E_NO_GENERATION, APR_SUCCESS, "%s is no id", name);
    }
    GF_TRY(gf_db_one(&row, ctx, &gf_sql_generation_of, NULL, &in));
    *id = row.id;
    *type = row.id && row.type ? gf_servers_shown_type(ctx->conf, row.type) : NULL;
    return *type ? NULL
                 : gf_err_make(ctx, GF_E_NO_GENERATION, APR_SUCCESS, "%s is of type %s", name,
                               row.type ? row.type : "none");
}

/* ---- what a key made before ---- */

typedef struct before_in_t {
    const char *user, *key, *hash;
} before_in_t;

static const gf_sql_word_t before_words[] = { { "replay", GF_REPLAY },
                                              { "mismatch", GF_MISMATCH },
                                              { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t before_params[] = { GF_PARAM(before_in_t, user),
                                                GF_PARAM(before_in_t, key),
                                                GF_PARAM_HEX(before_in_t, hash) };
static const gf_sql_field_t before_columns[] = {
    GF_COLUMN_WORD("outcome", gf_created_t, outcome, before_words),
    GF_COLUMN(gf_created_t, id),
};

GF_STATEMENT(made_before, .function = "made_before", GF_PARAMS(before_params),
             GF_COLUMNS(gf_created_t, before_columns));

gf_err_t *gf_steer_made_before(gf_created_t *created, int *count, gf_ctx_t *ctx,
                               const gf_caller_t *caller)
{
    const before_in_t in = { .user = caller->user, .key = caller->key, .hash = caller->hash };
    gf_rows_t *rows;
    int i;

    GF_TRY(gf_db_call(&rows, ctx, &gf_sql_made_before, NULL, &in, NULL));
    *count = gf_rows_count(rows) < GF_BATCH_MAX ? gf_rows_count(rows) : GF_BATCH_MAX;
    memset(created, 0, (size_t)*count * sizeof(*created));
    for (i = 0; i < *count; i++) {
        GF_TRY(gf_rows_read(&created[i], ctx, rows, i, NULL));
    }
    return NULL;
}

/* ---- cancel, delete ---- */

typedef struct act_in_t {
    const char *user, *id;
} act_in_t;

typedef struct act_row_t {
    gf_owned_t outcome;
    const char *status;
    const char *owner;     /* of cancel */
    const char *image_url; /* of delete */
} act_row_t;

static const gf_sql_field_t act_params[] = { GF_PARAM(act_in_t, user), GF_PARAM(act_in_t, id) };
static const gf_sql_field_t cancel_columns[] = {
    GF_COLUMN_WORD("outcome", act_row_t, outcome, gf_db_owned_words),
    GF_COLUMN(act_row_t, status),
    GF_COLUMN(act_row_t, owner),
};
static const gf_sql_field_t delete_columns[] = {
    GF_COLUMN_WORD("outcome", act_row_t, outcome, gf_db_owned_words),
    GF_COLUMN(act_row_t, status),
    GF_COLUMN(act_row_t, image_url),
};

GF_STATEMENT(cancel, .function = "%s_cancel", .has_call = true, GF_PARAMS(act_params),
             GF_COLUMNS(act_row_t, cancel_columns));
GF_STATEMENT(delete, .function = "%s_delete", .has_call = true, GF_PARAMS(act_params),
             GF_COLUMNS(act_row_t, delete_columns));

static gf_err_t *call_act(act_row_t *row, gf_ctx_t *ctx, const gf_statement_t *statement,
                          const gf_type_t *type, const char *user, const char *id)
{
    const act_in_t in = { .user = user, .id = id };

    GF_TRY(gf_db_one(row, ctx, statement, type, &in));
    GF_TRY(gf_db_owned(ctx, row->outcome, GF_E_NO_GENERATION, type->name, user, id));
    return row->outcome == GF_OWNED ? NULL : gf_steer_status(ctx, id, row->status);
}

gf_err_t *gf_steer_cancel(const char **owner, gf_ctx_t *ctx, const gf_type_t *type,
                          const char *user, const char *id)
{
    act_row_t row;

    GF_TRY(call_act(&row, ctx, &gf_sql_cancel, type, user, id));
    *owner = row.owner;
    return NULL;
}

gf_err_t *gf_steer_delete(const char **image_url, gf_ctx_t *ctx, const gf_type_t *type,
                          const char *user, const char *id)
{
    act_row_t row;

    GF_TRY(call_act(&row, ctx, &gf_sql_delete, type, user, id));
    *image_url = row.image_url;
    return NULL;
}

/* ---- edit ---- */

typedef struct edit_in_t {
    const char *user, *id, *tags, *favourite, *title;
    bool titled;
} edit_in_t;

static const gf_sql_field_t edit_params[] = {
    GF_PARAM(edit_in_t, user),      GF_PARAM(edit_in_t, id),    GF_PARAM(edit_in_t, tags),
    GF_PARAM(edit_in_t, favourite), GF_PARAM(edit_in_t, title), GF_PARAM(edit_in_t, titled)
};
static const gf_sql_field_t edit_columns[] = {
    GF_COLUMN_WORD("outcome", act_row_t, outcome, gf_db_owned_words),
};

GF_STATEMENT(edit, .function = "%s_edit", GF_PARAMS(edit_params),
             GF_COLUMNS(act_row_t, edit_columns));

gf_err_t *gf_steer_edit(gf_ctx_t *ctx, const gf_type_t *type, const char *user, const char *id,
                        const gf_edit_t *edit)
{
    const edit_in_t in = { .user = user,
                           .id = id,
                           .tags = edit->tags,
                           .favourite = edit->favourite,
                           .title = edit->title,
                           .titled = edit->titled };
    act_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_edit, type, &in));
    return gf_db_owned(ctx, row.outcome, GF_E_NO_GENERATION, type->name, user, id);
}

/* ---- history ---- */

typedef struct history_in_t {
    const char *user, *types, *status, *preset, *id, *words, *tag;
    apr_int64_t at, since;
    bool favourite;
    int limit, most;
} history_in_t;

#define NO_TIME (-1) /* of a generation: from the newest */

#define FILTERS                                                                                  \
    GF_PARAM(history_in_t, user), GF_PARAM(history_in_t, types), GF_PARAM(history_in_t, status), \
        GF_PARAM(history_in_t, preset), GF_PARAM(history_in_t, words),                           \
        GF_PARAM(history_in_t, tag), GF_PARAM_OR(history_in_t, since, 0),                        \
        GF_PARAM(history_in_t, favourite)

static const gf_sql_field_t history_params[] = { FILTERS, GF_PARAM_OR(history_in_t, at, NO_TIME),
                                                 GF_PARAM(history_in_t, id),
                                                 GF_PARAM(history_in_t, limit) };

GF_STATEMENT(history, .function = "history", GF_PARAMS(history_params), GF_GENERATION_COLUMNS);

static history_in_t filters_of(const gf_page_t *page, gf_ctx_t *ctx)
{
    return (history_in_t){ .user = page->user,
                           .types = gf_db_types(ctx, page->type),
                           .status = page->status,
                           .preset = page->preset,
                           .words = page->words,
                           .tag = page->tag,
                           .since = page->since,
                           .favourite = page->favourite };
}

gf_err_t *gf_steer_history(gf_page_t *page, gf_ctx_t *ctx)
{
    history_in_t in = filters_of(page, ctx);
    gf_rows_t *rows;
    int i;

    in.at = page->after ? page->at : NO_TIME;
    in.id = page->after;
    in.limit = page->limit + 1; /* one more: is there more? */
    GF_TRY(gf_db_call(&rows, ctx, &gf_sql_history, NULL, &in, NULL));
    page->items = apr_array_make(ctx->pool, page->limit, sizeof(gf_view_t));
    page->next = NULL;
    for (i = 0; i < gf_rows_count(rows); i++) {
        const gf_view_t *last = (const gf_view_t *)page->items->elts + page->items->nelts - 1;
        gf_generation_row_t row;

        GF_TRY(gf_rows_read(&row, ctx, rows, i, NULL));
        if (row.outcome == GF_OWNED_MORE || page->items->nelts == page->limit) {
            page->next = row.outcome == GF_OWNED_MORE ? row.view.id : last->id;
            page->next_at = row.outcome == GF_OWNED_MORE ? row.view.at : last->at;
            break;
        }
        row.view.user = page->user;
        gf_generation_complete(&row.view, ctx, gf_servers_type(ctx->conf, row.type));
        APR_ARRAY_PUSH(page->items, gf_view_t) = row.view;
    }
    return NULL;
}

typedef struct total_row_t {
    apr_int64_t total;
    bool is_exact;
} total_row_t;

static const gf_sql_field_t total_params[] = { FILTERS, GF_PARAM(history_in_t, most) };
static const gf_sql_field_t total_columns[] = { GF_COLUMN(total_row_t, total),
                                                GF_COLUMN(total_row_t, is_exact) };

GF_STATEMENT(history_total, .function = "history_total", GF_PARAMS(total_params),
             GF_COLUMNS(total_row_t, total_columns));

gf_err_t *gf_steer_count(apr_int64_t *total, bool *exact, gf_ctx_t *ctx, const gf_page_t *page)
{
    history_in_t in = filters_of(page, ctx);
    total_row_t row;

    in.most = GF_STEER_COUNTED;
    GF_TRY(gf_db_one(&row, ctx, &gf_sql_history_total, NULL, &in));
    *total = row.total;
    *exact = row.is_exact;
    return NULL;
}

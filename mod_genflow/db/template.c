/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the acts on templates to their SQL functions. */
#include "db/template.h"

#include <string.h>

#include "model/servers.h"

#define STORED_PER_USER 200

typedef struct put_in_t {
    const char *user, *name, *type, *config;
    int max;
} put_in_t;

typedef enum { PUT, PUT_NAME_TAKEN, PUT_TOO_MANY } put_t;

typedef struct put_row_t {
    put_t outcome;
    const char *id, *created_at;
} put_row_t;

static const gf_sql_word_t put_words[] = { { "ok", PUT },
                                           { "taken", PUT_NAME_TAKEN },
                                           { "too_many", PUT_TOO_MANY },
                                           { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t put_params[] = { GF_PARAM(put_in_t, user), GF_PARAM(put_in_t, name),
                                             GF_PARAM(put_in_t, type), GF_PARAM(put_in_t, config),
                                             GF_PARAM(put_in_t, max) };
static const gf_sql_field_t put_columns[] = {
    GF_COLUMN_WORD("outcome", put_row_t, outcome, put_words),
    GF_COLUMN(put_row_t, id),
    GF_COLUMN(put_row_t, created_at),
};

GF_STATEMENT(template_put, .function = "template_put", GF_PARAMS(put_params),
             GF_COLUMNS(put_row_t, put_columns));

gf_err_t *gf_template_put(gf_template_t *template, bool *taken, gf_ctx_t *ctx, const char *user)
{
    const put_in_t in = { .user = user,
                          .name = template->name,
                          .type = template->type,
                          .config = template->config,
                          .max = STORED_PER_USER };
    put_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_template_put, NULL, &in));
    if (row.outcome == PUT_TOO_MANY) {
        return gf_err_make(ctx, GF_E_TEMPLATES_FULL, APR_SUCCESS, "%s", user);
    }
    *taken = row.outcome == PUT_NAME_TAKEN;
    template->id = row.id;
    template->created_at = row.created_at;
    return NULL;
}

typedef struct list_in_t {
    const char *user, *before;
    int limit;
} list_in_t;

static const gf_sql_field_t list_params[] = { GF_PARAM(list_in_t, user),
                                              GF_PARAM(list_in_t, before),
                                              GF_PARAM(list_in_t, limit) };
static const gf_sql_field_t list_columns[] = {
    GF_COLUMN(gf_template_t, id), GF_COLUMN(gf_template_t, name), GF_COLUMN(gf_template_t, type),
    GF_COLUMN(gf_template_t, config), GF_COLUMN(gf_template_t, created_at)
};

GF_STATEMENT(templates, .function = "templates", GF_PARAMS(list_params),
             GF_COLUMNS(gf_template_t, list_columns));

gf_err_t *gf_template_list(apr_array_header_t **list, gf_ctx_t *ctx, const char *user,
                           const char *before, int limit)
{
    const list_in_t in = { .user = user, .before = before, .limit = limit };

    int i;

    GF_TRY(gf_db_list(list, ctx, &gf_sql_templates, &in));
    for (i = 0; i < (*list)->nelts; i++) {
        gf_template_t *template = &APR_ARRAY_IDX(*list, i, gf_template_t);

        template->type = gf_servers_type_wire(ctx->conf, template->type);
    }
    return NULL;
}

typedef struct one_in_t {
    const char *user, *id;
} one_in_t;

typedef struct one_row_t {
    gf_owned_t outcome;
    const char *type, *config; /* of get */
} one_row_t;

static const gf_sql_field_t one_params[] = { GF_PARAM(one_in_t, user), GF_PARAM(one_in_t, id) };
static const gf_sql_field_t get_columns[] = {
    GF_COLUMN_WORD("outcome", one_row_t, outcome, gf_db_owned_words),
    GF_COLUMN(one_row_t, type),
    GF_COLUMN(one_row_t, config),
};
static const gf_sql_field_t delete_columns[] = {
    GF_COLUMN_WORD("outcome", one_row_t, outcome, gf_db_owned_words),
};

GF_STATEMENT(template_get, .function = "template_get", GF_PARAMS(one_params),
             GF_COLUMNS(one_row_t, get_columns));
GF_STATEMENT(template_delete, .function = "template_delete", .is_value = true, .has_call = true,
             GF_PARAMS(one_params), GF_COLUMNS(one_row_t, delete_columns));

gf_err_t *gf_template_get(gf_template_t *template, gf_ctx_t *ctx, const char *user, const char *id)
{
    const one_in_t in = { .user = user, .id = id };
    one_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_template_get, NULL, &in));
    GF_TRY(gf_db_owned(ctx, row.outcome, GF_E_NO_TEMPLATE, "template", user, id));
    memset(template, 0, sizeof(*template));
    template->id = id;
    template->type = gf_servers_type_wire(ctx->conf, row.type);
    template->config = row.config;
    return NULL;
}

gf_err_t *gf_template_delete(gf_ctx_t *ctx, const char *user, const char *id)
{
    const one_in_t in = { .user = user, .id = id };
    one_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_template_delete, NULL, &in));
    return gf_db_owned(ctx, row.outcome, GF_E_NO_TEMPLATE, "template", user, id);
}

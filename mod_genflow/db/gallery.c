/* SPDX-License-Identifier: Apache-2.0 */
/* Maps galleries, marks, settings, allowances and compositions to their SQL functions. */
#include "db/gallery.h"

#include "model/servers.h"
#include "model/type.h"

typedef struct gallery_in_t {
    const char *user, *viewer, *types;
    int offset, limit, most;
} gallery_in_t;

static const gf_sql_field_t gallery_params[] = { GF_PARAM(gallery_in_t, user),
                                                 GF_PARAM(gallery_in_t, types),
                                                 GF_PARAM(gallery_in_t, offset),
                                                 GF_PARAM(gallery_in_t, limit) };

static const gf_sql_field_t feed_params[] = { GF_PARAM(gallery_in_t, viewer),
                                              GF_PARAM(gallery_in_t, types),
                                              GF_PARAM(gallery_in_t, offset),
                                              GF_PARAM(gallery_in_t, limit) };

GF_STATEMENT(gallery, .function = "gallery", GF_PARAMS(gallery_params), GF_GENERATION_COLUMNS);
GF_STATEMENT(feed, .function = "feed", GF_PARAMS(feed_params), GF_GENERATION_COLUMNS);

typedef struct count_row_t {
    apr_int64_t total;
} count_row_t;

static const gf_sql_field_t count_params[] = { GF_PARAM(gallery_in_t, user),
                                               GF_PARAM(gallery_in_t, types),
                                               GF_PARAM(gallery_in_t, most) };
static const gf_sql_field_t count_columns[] = { GF_COLUMN(count_row_t, total) };

GF_STATEMENT(gallery_count, .function = "gallery_count", .is_value = true, GF_PARAMS(count_params),
             GF_COLUMNS(count_row_t, count_columns));

gf_err_t *gf_gallery_count(gf_gallery_t *gallery, gf_ctx_t *ctx)
{
    const gallery_in_t in = { .user = gallery->user,
                              .types = gf_db_types(ctx, gallery->type),
                              .most = GF_GALLERY_COUNTED };
    count_row_t count;

    GF_TRY(gf_db_one(&count, ctx, &gf_sql_gallery_count, NULL, &in));
    gallery->total = count.total;
    return NULL;
}

gf_err_t *gf_gallery_read(gf_gallery_t *gallery, gf_ctx_t *ctx)
{
    const gallery_in_t in = { .user = gallery->user,
                              .viewer = gallery->viewer,
                              .types = gf_db_types(ctx, gallery->type),
                              .offset = (int)gallery->offset,
                              .limit = (int)gallery->limit + 1, /* one more: is there more? */
                              .most = GF_GALLERY_COUNTED };
    gf_rows_t *rows;
    int i;

    GF_TRY(gf_db_call(&rows, ctx, gallery->user ? &gf_sql_gallery : &gf_sql_feed, NULL, &in, NULL));
    gallery->more = gf_rows_count(rows) > gallery->limit;
    gallery->items = apr_array_make(ctx->pool, (int)gallery->limit, sizeof(gf_view_t));
    for (i = 0; i < gf_rows_count(rows) && i < gallery->limit; i++) {
        gf_generation_row_t row;

        GF_TRY(gf_rows_read(&row, ctx, rows, i, NULL));
        row.view.type = gf_servers_type(ctx->conf, row.type);
        row.view.ref_names = ctx->conf->ref_names;
        APR_ARRAY_PUSH(gallery->items, gf_view_t) = row.view;
    }
    return gf_gallery_count(gallery, ctx);
}

/* ---- pictures ---- */

typedef struct find_in_t {
    const char *user, *types, *urls;
} find_in_t;

typedef struct find_row_t {
    const char *id;
} find_row_t;

static const gf_sql_field_t find_params[] = { GF_PARAM(find_in_t, user), GF_PARAM(find_in_t, types),
                                              GF_PARAM(find_in_t, urls) };
static const gf_sql_field_t find_columns[] = { GF_COLUMN(find_row_t, id) };

GF_STATEMENT(media_find, .function = "media_find", GF_PARAMS(find_params),
             GF_COLUMNS(find_row_t, find_columns));

gf_err_t *gf_gallery_find(const char **id, gf_ctx_t *ctx, const char *user, const char *urls)
{
    const find_in_t in = { .user = user, .types = gf_db_types(ctx, NULL), .urls = urls };
    find_row_t row = { NULL };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, &gf_sql_media_find, NULL, &in, NULL));
    if (gf_rows_count(rows) > 0) {
        GF_TRY(gf_rows_read(&row, ctx, rows, 0, NULL));
    }
    *id = row.id;
    return NULL;
}

typedef struct mark_in_t {
    const char *user, *id, *visibility, *remix, *tags, *meta;
} mark_in_t;

typedef struct mark_row_t {
    gf_owned_t outcome;
    const char *status;
} mark_row_t;

static const gf_sql_field_t mark_params[] = {
    GF_PARAM(mark_in_t, user),  GF_PARAM(mark_in_t, id),   GF_PARAM(mark_in_t, visibility),
    GF_PARAM(mark_in_t, remix), GF_PARAM(mark_in_t, tags), GF_PARAM(mark_in_t, meta)
};
static const gf_sql_field_t mark_columns[] = {
    GF_COLUMN_WORD("outcome", mark_row_t, outcome, gf_db_owned_words),
    GF_COLUMN(mark_row_t, status),
};

GF_STATEMENT(media_mark, .function = "media_mark", GF_PARAMS(mark_params),
             GF_COLUMNS(mark_row_t, mark_columns));

gf_err_t *gf_gallery_mark(gf_ctx_t *ctx, const char *user, const char *id, const gf_mark_t *mark)
{
    const mark_in_t in = { .user = user,
                           .id = id,
                           .visibility = mark->visibility,
                           .remix = mark->remix,
                           .tags = mark->tags,
                           .meta = mark->meta };
    mark_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_media_mark, NULL, &in));
    GF_TRY(gf_db_owned(ctx, row.outcome, GF_E_NO_GENERATION, "generation", user, id));
    if (row.outcome == GF_OWNED_TOO_LARGE) {
        return gf_err_field(
            ctx, GF_E_INVALID, "meta",
            "has no room: the picture has at most 64 kB of them, with those before");
    }
    return row.outcome == GF_OWNED ? NULL : gf_steer_status(ctx, id, row.status);
}

/* ---- users ---- */

typedef struct settings_in_t {
    const char *user, *changes;
} settings_in_t;

typedef struct settings_row_t {
    const char *settings;
} settings_row_t;

static const gf_sql_field_t settings_params[] = { GF_PARAM(settings_in_t, user),
                                                  GF_PARAM(settings_in_t, changes) };
static const gf_sql_field_t settings_columns[] = { GF_COLUMN(settings_row_t, settings) };

GF_STATEMENT(user_settings, .function = "user_settings", .is_value = true,
             GF_PARAMS(settings_params), GF_COLUMNS(settings_row_t, settings_columns));

gf_err_t *gf_gallery_settings(const char **settings, gf_ctx_t *ctx, const char *user,
                              const char *changes)
{
    const settings_in_t in = { .user = user, .changes = changes };
    settings_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_user_settings, NULL, &in));
    *settings = row.settings;
    return NULL;
}

typedef struct allowance_in_t {
    const char *user;
} allowance_in_t;

static const gf_sql_field_t allowance_params[] = { GF_PARAM(allowance_in_t, user) };

typedef struct allowance_row_t {
    const char *nothing;
} allowance_row_t;

static const gf_sql_field_t allowance_columns[] = { GF_COLUMN(allowance_row_t, nothing) };

GF_STATEMENT(allowance, .function = "allowance", .is_value = true, GF_PARAMS(allowance_params),
             GF_COLUMNS(allowance_row_t, allowance_columns));

/* Without directives no statement is made, unless the database has amounts all the same. */
static bool has_allowance(const gf_conf_t *conf)
{
    return conf->credit_initial != GF_UNSET || conf->credit_daily != GF_UNSET
           || conf->credit_day_limit != GF_UNSET || conf->credit_week_limit != GF_UNSET
           || (conf->servers && conf->servers->amounts_differ && *conf->servers->amounts_differ);
}

gf_err_t *gf_gallery_allowance(gf_ctx_t *ctx, const char *user)
{
    const allowance_in_t in = { .user = user };

    return has_allowance(ctx->conf) ? gf_db_do(ctx, &gf_sql_allowance, &in) : NULL;
}

/* ---- compositions ---- */

typedef struct compose_in_t {
    const char *name, *body;
} compose_in_t;

static const gf_sql_field_t compose_params[] = { GF_PARAM(compose_in_t, name),
                                                 GF_PARAM(compose_in_t, body) };
static const gf_sql_field_t compose_columns[] = { GF_COLUMN(gf_composed_t, type),
                                                  GF_COLUMN(gf_composed_t, prompt),
                                                  GF_COLUMN(gf_composed_t, parameters) };

GF_STATEMENT(compose, .function = "compose", GF_PARAMS(compose_params),
             GF_COLUMNS(gf_composed_t, compose_columns));

gf_err_t *gf_gallery_compose(gf_composed_t *composed, gf_ctx_t *ctx, const char *name,
                             const char *body)
{
    const compose_in_t in = { .name = name, .body = body };

    return gf_db_one(composed, ctx, &gf_sql_compose, NULL, &in);
}

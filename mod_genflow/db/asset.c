/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the acts on source pictures to their SQL functions. Bytes travel as text: in base64, as
 * clients send them, and back in hex. */
#include "db/asset.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#define STORED_PER_USER 20 /* of GenflowAssetMaxBytes each, or as many bytes in smaller ones */

typedef struct put_in_t {
    const char *upload; /* of asset_upload */
    const char *user, *type;
    int width, height;
    const char *base64;
    apr_interval_time_t lifetime;
    apr_int64_t quota;
} put_in_t;

typedef enum { PUT, PUT_TOO_MANY, PUT_USED } put_t;

typedef struct put_row_t {
    put_t outcome;
    const char *id, *expires_at;
} put_row_t;

static const gf_sql_word_t put_words[] = {
    { "ok", PUT }, { "too_many", PUT_TOO_MANY }, { "used", PUT_USED }, { NULL, GF_SQL_NO_WORD }
};
static const gf_sql_field_t put_params[] = {
    GF_PARAM(put_in_t, user),   GF_PARAM(put_in_t, type),   GF_PARAM(put_in_t, width),
    GF_PARAM(put_in_t, height), GF_PARAM(put_in_t, base64), GF_PARAM_INTERVAL(put_in_t, lifetime),
    GF_PARAM(put_in_t, quota)
};
static const gf_sql_field_t upload_params[] = { GF_PARAM(put_in_t, upload),
                                                GF_PARAM(put_in_t, user),
                                                GF_PARAM(put_in_t, type),
                                                GF_PARAM(put_in_t, width),
                                                GF_PARAM(put_in_t, height),
                                                GF_PARAM(put_in_t, base64),
                                                GF_PARAM_INTERVAL(put_in_t, lifetime),
                                                GF_PARAM(put_in_t, quota) };
static const gf_sql_field_t put_columns[] = {
    GF_COLUMN_WORD("outcome", put_row_t, outcome, put_words),
    GF_COLUMN(put_row_t, id),
    GF_COLUMN(put_row_t, expires_at),
};

GF_STATEMENT(asset_put, .function = "asset_put", GF_PARAMS(put_params),
             GF_COLUMNS(put_row_t, put_columns));
GF_STATEMENT(asset_upload, .function = "asset_upload", .has_call = true, GF_PARAMS(upload_params),
             GF_COLUMNS(put_row_t, put_columns));

static gf_err_t *put(gf_asset_t *asset, gf_ctx_t *ctx, const gf_statement_t *statement,
                     const char *user, const char *upload, const gf_image_t *image,
                     const char *base64)
{
    const put_in_t in = { .upload = upload,
                          .user = user,
                          .type = image->type,
                          .width = image->width,
                          .height = image->height,
                          .base64 = base64,
                          .lifetime = ctx->conf->asset_lifetime,
                          .quota = ctx->conf->asset_max * STORED_PER_USER };
    put_row_t row;

    GF_TRY(gf_db_one(&row, ctx, statement, NULL, &in));
    if (row.outcome == PUT_TOO_MANY) {
        return gf_err_make(ctx, GF_E_ASSETS_FULL, APR_SUCCESS, "%s", user);
    }
    if (row.outcome == PUT_USED) {
        return gf_err_make(ctx, GF_E_UPLOAD_USED, APR_SUCCESS, "upload %s of %s", upload, user);
    }
    memset(asset, 0, sizeof(*asset));
    asset->id = row.id;
    asset->expires_at = row.expires_at;
    asset->type = image->type;
    asset->width = image->width;
    asset->height = image->height;
    return NULL;
}

gf_err_t *gf_asset_put(gf_asset_t *asset, gf_ctx_t *ctx, const char *user, const gf_image_t *image,
                       const char *base64)
{
    return put(asset, ctx, &gf_sql_asset_put, user, NULL, image, base64);
}

gf_err_t *gf_asset_upload(gf_asset_t *asset, gf_ctx_t *ctx, const char *user, const char *upload,
                          const gf_image_t *image, const char *base64)
{
    return put(asset, ctx, &gf_sql_asset_upload, user, upload, image, base64);
}

typedef struct one_in_t {
    const char *user, *id;
} one_in_t;

typedef struct one_row_t {
    gf_owned_t outcome;
    gf_asset_t asset; /* of get */
} one_row_t;

static const gf_sql_field_t one_params[] = { GF_PARAM(one_in_t, user), GF_PARAM(one_in_t, id) };
static const gf_sql_field_t get_columns[] = {
    GF_COLUMN_WORD("outcome", one_row_t, outcome, gf_db_owned_words),
    GF_COLUMN_AS("id", one_row_t, asset.id),
    GF_COLUMN_AS("type", one_row_t, asset.type),
    GF_COLUMN_AS("width", one_row_t, asset.width),
    GF_COLUMN_AS("height", one_row_t, asset.height),
    GF_COLUMN_AS("size", one_row_t, asset.size),
    GF_COLUMN_AS("sha256", one_row_t, asset.sha256),
    GF_COLUMN_AS("expires_at", one_row_t, asset.expires_at),
};
static const gf_sql_field_t delete_columns[] = {
    GF_COLUMN_WORD("outcome", one_row_t, outcome, gf_db_owned_words),
};

GF_STATEMENT(asset_get, .function = "asset_get", GF_PARAMS(one_params),
             GF_COLUMNS(one_row_t, get_columns));
GF_STATEMENT(asset_delete, .function = "asset_delete", .is_value = true, .has_call = true,
             GF_PARAMS(one_params), GF_COLUMNS(one_row_t, delete_columns));

gf_err_t *gf_asset_get(gf_asset_t *asset, gf_ctx_t *ctx, const char *user, const char *id)
{
    const one_in_t in = { .user = user, .id = id };
    one_row_t row;

    memset(&row, 0, sizeof(row));
    GF_TRY(gf_db_one(&row, ctx, &gf_sql_asset_get, NULL, &in));
    GF_TRY(gf_db_owned(ctx, row.outcome, GF_E_NO_ASSET, "asset", user, id));
    *asset = row.asset;
    return NULL;
}

typedef struct bytes_row_t {
    const char *type;
    const char *hex;
} bytes_row_t;

static const gf_sql_field_t bytes_params[] = { GF_PARAM(one_in_t, id) };
static const gf_sql_field_t bytes_columns[] = {
    GF_COLUMN(bytes_row_t, type),
    GF_COLUMN_FROM("encode(bytes, 'hex')", "hex", bytes_row_t, hex),
};

GF_STATEMENT(asset_bytes, .function = "asset_bytes", GF_PARAMS(bytes_params),
             GF_COLUMNS(bytes_row_t, bytes_columns));

gf_err_t *gf_asset_read(gf_asset_t *asset, gf_ctx_t *ctx, const char *id)
{
    const one_in_t in = { .id = id };
    bytes_row_t row;
    gf_rows_t *rows;
    unsigned char *bytes;
    apr_size_t length;

    memset(asset, 0, sizeof(*asset));
    GF_TRY(gf_db_call(&rows, ctx, &gf_sql_asset_bytes, NULL, &in, NULL));
    if (gf_rows_count(rows) == 0) {
        return NULL;
    }
    GF_TRY(gf_rows_read(&row, ctx, rows, 0, NULL));
    bytes = apr_palloc(ctx->pool, strlen(row.hex) / 2 + 1);
    apr_unescape_hex(bytes, row.hex, APR_ESCAPE_STRING, 0, &length);
    asset->id = id;
    asset->type = row.type;
    asset->size = (apr_int64_t)length;
    asset->bytes = bytes;
    return NULL;
}

gf_err_t *gf_asset_delete(gf_ctx_t *ctx, const char *user, const char *id)
{
    const one_in_t in = { .user = user, .id = id };
    one_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_asset_delete, NULL, &in));
    return gf_db_owned(ctx, row.outcome, GF_E_NO_ASSET, "asset", user, id);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the acts on source pictures to their SQL functions. Bytes travel as text: in base64, as
 * clients send them, and back in hex. */
#include "db/asset.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#include "base/text.h"

#define KEPT_PER_USER 20 /* pictures of GenflowAssetMaxBytes, or as many bytes in smaller ones */

gf_err_t *gf_asset_put(gf_asset_t *asset, gf_ctx_t *ctx, const char *user, const gf_image_t *image,
                       const char *base64)
{
    const char *args[] = { user,
                           image->type,
                           apr_itoa(ctx->pool, image->width),
                           apr_itoa(ctx->pool, image->height),
                           base64,
                           gf_text_interval(ctx->pool, ctx->conf->asset_lifetime),
                           apr_off_t_toa(ctx->pool, ctx->conf->asset_max * KEPT_PER_USER) };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ASSET_PUT, NULL, args, NULL));
    if (strcmp(gf_rows_text(rows, 0, 0), "too_many") == 0) {
        return gf_err_make(ctx, GF_E_ASSETS_FULL, APR_SUCCESS, "%s", user);
    }
    memset(asset, 0, sizeof(*asset));
    asset->id = gf_rows_text(rows, 0, 1);
    asset->expires_at = gf_rows_text(rows, 0, 2);
    asset->type = image->type;
    asset->width = image->width;
    asset->height = image->height;
    return NULL;
}

gf_err_t *gf_asset_get(gf_asset_t *asset, gf_ctx_t *ctx, const char *user, const char *id)
{
    const char *args[] = { user, id };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ASSET_GET, NULL, args, NULL));
    GF_TRY(gf_db_owned(ctx, gf_rows_text(rows, 0, 0), GF_E_NO_ASSET, "asset", user, id));
    memset(asset, 0, sizeof(*asset));
    asset->id = gf_rows_text(rows, 0, 1);
    asset->type = gf_rows_text(rows, 0, 2);
    asset->width = (int)gf_rows_int(rows, 0, 3);
    asset->height = (int)gf_rows_int(rows, 0, 4);
    asset->size = gf_rows_int(rows, 0, 5);
    asset->sha256 = gf_rows_text(rows, 0, 6);
    asset->expires_at = gf_rows_text(rows, 0, 7);
    return NULL;
}

gf_err_t *gf_asset_read(gf_asset_t *asset, gf_ctx_t *ctx, const char *id)
{
    gf_rows_t *rows;
    const char *hex;
    unsigned char *bytes;
    apr_size_t length;

    memset(asset, 0, sizeof(*asset));
    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ASSET_BYTES, NULL, &id, NULL));
    if (gf_rows_count(rows) == 0) {
        return NULL;
    }
    hex = gf_rows_text(rows, 0, 1);
    bytes = apr_palloc(ctx->pool, strlen(hex) / 2 + 1);
    apr_unescape_hex(bytes, hex, APR_ESCAPE_STRING, 0, &length);
    asset->id = id;
    asset->type = gf_rows_text(rows, 0, 0);
    asset->size = (apr_int64_t)length;
    asset->bytes = bytes;
    return NULL;
}

gf_err_t *gf_asset_delete(gf_ctx_t *ctx, const char *user, const char *id)
{
    const char *args[] = { user, id };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ASSET_DELETE, NULL, args, NULL));
    return gf_db_owned(ctx, gf_rows_text(rows, 0, 0), GF_E_NO_ASSET, "asset", user, id);
}

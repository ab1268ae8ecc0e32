/* SPDX-License-Identifier: Apache-2.0 */
/* Source pictures that users bring, kept in the database for a while. Rules, locks and answers are
 * documented with the SQL functions. All block; any thread with its own context. */
#ifndef GF_ASSET_H
#define GF_ASSET_H

#include "base/image.h"
#include "db/db.h"

typedef struct gf_asset_t {
    const char *id;
    const char *type; /* "image/png", ... */
    int width;
    int height;
    apr_int64_t size;
    const char *sha256; /* hex */
    const char *expires_at;
    const unsigned char *bytes; /* of gf_asset_read() alone */
} gf_asset_t;

/* Keeps a picture, given in base64, for GenflowAssetLifetime; one that the user keeps already only
 * stays longer. Sets id, expires_at and what `image` says. Errors: ASSETS_FULL. */
gf_err_t *gf_asset_put(gf_asset_t *asset, gf_ctx_t *ctx, const char *user, const gf_image_t *image,
                       const char *base64);

/* What a picture of `user` is, all but the bytes. Errors: NO_ASSET, NOT_YOURS. */
gf_err_t *gf_asset_get(gf_asset_t *asset, gf_ctx_t *ctx, const char *user, const char *id);

/* Type, size and bytes of a picture, whosesoever it is: for jobs, which carry their user's
 * authority, and behind gf_asset_get(). bytes is NULL when the picture is gone. */
gf_err_t *gf_asset_read(gf_asset_t *asset, gf_ctx_t *ctx, const char *id);

/* Deletes a picture of `user`. Errors: NO_ASSET, NOT_YOURS. */
gf_err_t *gf_asset_delete(gf_ctx_t *ctx, const char *user, const char *id);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Uploaded source pictures, stored in the database for a while. The SQL functions document rules,
 * locks and answers. All block; any thread with its own context. Results live in the context's
 * pool. */
#ifndef GF_ASSET_H
#define GF_ASSET_H

#include "base/image.h"
#include "db/db.h"

typedef struct gf_asset_t {
    const char *id;
    const char *type; /* "image/png", ... */
    int width;
    int height;
    apr_int64_t size;           /* bytes */
    const char *sha256;         /* hex */
    const char *expires_at;     /* as the wire shows it; the janitor deletes it then */
    const unsigned char *bytes; /* set by gf_asset_read() only */
} gf_asset_t;

/* Stores a picture, given in base64, for GenflowAssetLifetime; if the user has it already, only
 * extends its lifetime. A user may have 20 x GenflowAssetMaxBytes. Sets id, expires_at and the
 * facts of `image`. Errors: ASSETS_FULL. */
gf_err_t *gf_asset_put(gf_asset_t *asset, gf_ctx_t *ctx, const char *user, const gf_image_t *image,
                       const char *base64);

/* The same for the upload that was announced under the id `upload`, which then names the picture in
 * gf_asset_get(), too. It happens once. Errors: UPLOAD_USED, ASSETS_FULL. */
gf_err_t *gf_asset_upload(gf_asset_t *asset, gf_ctx_t *ctx, const char *user, const char *upload,
                          const gf_image_t *image, const char *base64);

/* The facts of a picture of `user`, without the bytes. Errors: NO_ASSET, NOT_YOURS. */
gf_err_t *gf_asset_get(gf_asset_t *asset, gf_ctx_t *ctx, const char *user, const char *id);

/* Type, size and bytes of a picture of any user: for jobs, which have their user's authority, and
 * after gf_asset_get(). bytes is NULL when the picture is gone. */
gf_err_t *gf_asset_read(gf_asset_t *asset, gf_ctx_t *ctx, const char *id);

/* Deletes a picture of `user`. Errors: NO_ASSET, NOT_YOURS. */
gf_err_t *gf_asset_delete(gf_ctx_t *ctx, const char *user, const char *id);

#endif

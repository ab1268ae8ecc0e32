/* SPDX-License-Identifier: Apache-2.0 */
/* The thumbnail of a stored picture: its name beside the picture, and what a generation shows of
 * it. Pure; any thread. Results live in the given pool. */
#ifndef GF_THUMBNAIL_H
#define GF_THUMBNAIL_H

#include <stdbool.h>

#include <apr_pools.h>

#define GF_THUMBNAIL_SIDE   384      /* pixels of the longer side */
#define GF_THUMBNAIL_PIXELS 16000000 /* a picture with more has none; db/generation.h, too */

/* GenflowStoreThumbnail, resolved (httpd/finish.c). Part of the configuration. */
typedef struct gf_thumbnails_t {
    /* Cloudinary's transformation; NULL: the store is another, or Off. */
    const char *transformation;

    /* Draws them; NULL: Off, or no loaded module can. */
    const struct gf_thumbnail_kind_t *kind;

    /* The public prefix of the folder store's pictures: there a thumbnail is made at the first
     * request at the latest. */
    const char *folder_url;

    /* The public address of the pictures of a store over HTTP that keeps thumbnails as objects
     * beside them (S3); NULL: the store keeps none. Set with Off, too: what is there is removed. */
    const char *place;
} gf_thumbnails_t;

/* The address of the thumbnail of a picture that is stored permanently at `image_url`; NULL: none
 * is shown. can: "true": it has one; "false": it can have none; NULL: it is not known. */
const char *gf_thumbnail_url(const gf_thumbnails_t *thumbnails, const char *image_url,
                             const char *can, apr_pool_t *pool);

/* The name of a picture at thumbnails->place whose thumbnail is to be made, because it is not known
 * whether it can have one; NULL: nothing is to be made. */
const char *gf_thumbnail_lacks(const gf_thumbnails_t *thumbnails, const char *image_url,
                               const char *can);

/* The name of the thumbnail of a picture, both with or without folders or address before them:
 * "a/b-<secret>.png" becomes "a/b-<secret>-384.webp". `name` has an extension. */
const char *gf_thumbnail_name(const char *name, apr_pool_t *pool);

/* Is it the name of a thumbnail? Then *stem is that of its picture, without extension and dot. */
bool gf_thumbnail_is_name(const char **stem, const char *name, apr_pool_t *pool);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Part of the public interface (genflow/module.h): draws the thumbnails of stored pictures
 * (GenflowStoreThumbnail). mod_genflow decides when and of what, stores and removes them. Of the
 * kinds that are loaded it takes the first. */
#ifndef GENFLOW_THUMBNAIL_H
#define GENFLOW_THUMBNAIL_H

#include "genflow/provider.h"

typedef struct gf_thumbnail_draw_t {
    const char *file;       /* a PNG, JPEG or WebP, not inspected */
    apr_int64_t pixels_max; /* most pixels that it may have */
    int side;               /* most pixels of the longer side; a smaller picture is not enlarged */

    const void *bytes; /* out: a WebP, in the pool */
    apr_size_t length;
    apr_uint32_t color; /* out: the mean of its pixels, 0xRRGGBB */
} gf_thumbnail_draw_t;

typedef struct gf_thumbnail_kind_t {
    const char *name;

    /* As gf_prov_kind_t.begin(); NULL: it needs nothing. */
    void (*begin)(const gf_prov_host_t *host);

    /* Draws one. It may block; several threads may be in it at a time. APR_EINVAL: of this picture
     * there is none, as it cannot be decoded or has too many pixels; anything else: memory or the
     * disk. */
    apr_status_t (*draw)(gf_thumbnail_draw_t *thumbnail, apr_pool_t *pool);
} gf_thumbnail_kind_t;

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Draws the thumbnail of a picture as WebP (gf_thumbnail_kind_t).
 */
#ifndef LOCAL_THUMBNAIL_H
#define LOCAL_THUMBNAIL_H

#include "genflow/thumbnail.h"

/* Draws it. `look` as in local_wish_t. Blocks for some 25 ms for a picture of 768x768 pixels, up to
 * a second for one of 16 million. Any number of threads may draw at a time. Its memory, 4 bytes for
 * each pixel of the picture (10 while a progressive JPEG is decoded), is given back before it
 * returns.
 *
 * APR_EINVAL: it is no whole PNG, JPEG or WebP that can be decoded, or has more than `pixels_max`
 * pixels. Anything else: memory or the disk. */
apr_status_t local_thumbnail(gf_thumbnail_draw_t *thumbnail,
                             bool (*look)(gf_image_t *image, int descriptor), apr_pool_t *pool);

#endif

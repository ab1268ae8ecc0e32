/* SPDX-License-Identifier: Apache-2.0
 *
 * The thumbnail of a picture: read and scaled down as a source picture is, packed as WebP by gd,
 * with the mean of its pixels as a colour. Runs on whatever thread calls; all memory is in a
 * subpool, to which gd's is tied, but for the WebP itself.
 */
#include "mod_genflow_local/thumbnail.h"

#include <apr_strings.h>
#include <gd.h>

#include "mod_genflow_local/photo.h"

#define QUALITY 80 /* of WebP, 0 to 100 */
#define SHADES  16 /* of light for each of a screen's 256 */

/* The mean colour as 0xRRGGBB. */
static apr_uint32_t mean_color(const pl_plane_t *plane)
{
    const apr_uint64_t pixels = (apr_uint64_t)plane->w * (apr_uint64_t)plane->h;
    apr_uint64_t sums[3] = { 0, 0, 0 };
    apr_uint32_t color = 0;
    apr_uint64_t i;
    int c;

    for (i = 0; i < 3 * pixels; i++) {
        sums[i % 3] += plane->light[i];
    }
    for (c = 0; c < 3; c++) {
        color = color << 8 | (apr_uint32_t)(sums[c] / pixels / SHADES);
    }
    return color;
}

static apr_status_t pack(gf_thumbnail_draw_t *thumbnail, const pl_plane_t *plane,
                         apr_pool_t *scratch_pool, apr_pool_t *pool)
{
    gdImagePtr image = pl_gd_image(plane, scratch_pool);
    int size = 0;
    void *webp = image ? gdImageWebpPtrEx(image, &size, QUALITY) : NULL;

    if (!webp) {
        return APR_ENOMEM;
    }
    thumbnail->bytes = apr_pmemdup(pool, webp, (apr_size_t)size);
    thumbnail->length = (apr_size_t)size;
    gdFree(webp);
    return APR_SUCCESS;
}

apr_status_t local_thumbnail(gf_thumbnail_draw_t *thumbnail,
                             bool (*look)(gf_image_t *image, int descriptor), apr_pool_t *pool)
{
    const local_wish_t wish = { .source = thumbnail->file,
                                .look = look,
                                .pixels_max = thumbnail->pixels_max,
                                .side_max = thumbnail->side };
    apr_pool_t *scratch_pool;
    pl_plane_t *plane;
    apr_status_t rv = apr_pool_create(&scratch_pool, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = pl_source_read(&plane, &wish, scratch_pool);
    if (rv == APR_SUCCESS) {
        thumbnail->color = mean_color(plane);
        rv = pack(thumbnail, plane, scratch_pool, pool);
    }
    apr_pool_destroy(scratch_pool);
    return rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Names of thumbnails, and which address a generation shows. The database notes among the facts of
 * a picture whether it can have one, and its colour. */
#include "model/thumbnail.h"

#include <string.h>

#include <apr_strings.h>

#define ENDING "-384.webp" /* of a name: it changes with the size, as browsers keep thumbnails */

const char *gf_thumbnail_name(const char *name, apr_pool_t *pool)
{
    const char *dot = strrchr(name, '.');

    return apr_pstrcat(pool, apr_pstrmemdup(pool, name, (apr_size_t)(dot - name)), ENDING, NULL);
}

bool gf_thumbnail_is_name(const char **stem, const char *name, apr_pool_t *pool)
{
    apr_size_t length = strlen(name);
    const apr_size_t ending = sizeof(ENDING) - 1;

    if (length <= ending || strcmp(name + length - ending, ENDING) != 0) {
        return false;
    }
    *stem = apr_pstrmemdup(pool, name, length - ending);
    return true;
}

/* The address of the picture with the transformation: a part of the path behind /image/upload/.
 * NULL: it is not at Cloudinary. */
static const char *transformed(const char *transformation, const char *url, apr_pool_t *pool)
{
    static const char place[] = "/image/upload/";
    const char *at = transformation ? strstr(url, place) : NULL;

    if (!at) {
        return NULL;
    }
    at += sizeof(place) - 1;
    return apr_pstrcat(pool, apr_pstrmemdup(pool, url, (apr_size_t)(at - url)), transformation, "/",
                       at, NULL);
}

/* The name of a picture below that address; NULL: it is elsewhere. */
static const char *name_below(const char *place, const char *url)
{
    apr_size_t length = place ? strlen(place) : 0;

    return length && strncmp(url, place, length) == 0 && url[length] == '/'
                   && strrchr(url, '.') > url + length
               ? url + length + 1
               : NULL;
}

/* Is its thumbnail there, or made at the first request for it? */
static bool is_served(const gf_thumbnails_t *thumbnails, const char *url, const char *can)
{
    return can && strcmp(can, "true") == 0
               ? name_below(thumbnails->place, url) || name_below(thumbnails->folder_url, url)
               : !can && name_below(thumbnails->folder_url, url);
}

const char *gf_thumbnail_url(const gf_thumbnails_t *thumbnails, const char *image_url,
                             const char *can, apr_pool_t *pool)
{
    const char *url = transformed(thumbnails->transformation, image_url, pool);

    if (!url && thumbnails->kind && is_served(thumbnails, image_url, can)) {
        url = gf_thumbnail_name(image_url, pool);
    }
    return url;
}

const char *gf_thumbnail_lacks(const gf_thumbnails_t *thumbnails, const char *image_url,
                               const char *can)
{
    return thumbnails->kind && !can ? name_below(thumbnails->place, image_url) : NULL;
}

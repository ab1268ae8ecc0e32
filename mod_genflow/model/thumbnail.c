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

static bool is_in_folder(const gf_thumbnails_t *thumbnails, const char *url)
{
    apr_size_t length = thumbnails->folder_url ? strlen(thumbnails->folder_url) : 0;

    return length && strncmp(url, thumbnails->folder_url, length) == 0 && url[length] == '/'
           && strrchr(url, '.') > url + length;
}

const char *gf_thumbnail_url(const gf_thumbnails_t *thumbnails, const char *image_url,
                             const char *can, apr_pool_t *pool)
{
    const char *url = transformed(thumbnails->transformation, image_url, pool);

    if (!url && thumbnails->kind && is_in_folder(thumbnails, image_url)
        && !(can && strcmp(can, "false") == 0)) {
        url = gf_thumbnail_name(image_url, pool);
    }
    return url;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What an effect of the `local` provider makes of which source image.
 */
#ifndef LOCAL_WISH_H
#define LOCAL_WISH_H

#include <stdbool.h>

#include <apr.h>

#include "genflow/exchange.h"

/* The longest side of a result; a larger source is scaled down. */
#define LOCAL_WORK_SIDE 1024

/* The source and the words of an effect: the same fields, the same result. */
typedef struct local_wish_t {
    const char *source; /* path of a PNG, JPEG or WebP */

    /* May it be decoded? Sets *image, without moving the file's position. */
    bool (*look)(gf_image_t *image, int descriptor);
    apr_int64_t pixels_max; /* width x height of the source; a larger one is APR_EINVAL */
    int side_max; /* of the plane; it has no least side then; 0: LOCAL_WORK_SIDE, LOCAL_SIDE_MIN */

    /* "glitch"; "" is oil, and so is a name that does not exist any more. */
    const char *effect;
    const char *prompt;
    const char *preset; /* NULL: none */
    apr_uint64_t seed;
    int strength; /* percent, 0 to 100: what is beyond is cut to it */
} local_wish_t;

#endif

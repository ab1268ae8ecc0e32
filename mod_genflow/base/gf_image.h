/* SPDX-License-Identifier: Apache-2.0 */
/* What a picture is, told from its first bytes; names and Content-Type headers are not believed. No
 * decoding. Any thread. */
#ifndef GF_IMAGE_H
#define GF_IMAGE_H

#include <stdbool.h>

#include <apr.h>

#define GF_IMAGE_PROBE 65536 /* bytes from the start that suffice for gf_image_probe() */

typedef struct gf_image_t {
    const char *type;      /* "image/png", ... static */
    const char *extension; /* "png", ... static */
    int width;
    int height;
} gf_image_t;

/* The extensions of what is recognised, NULL-ended. */
extern const char *const gf_image_extensions[];

/* Recognises PNG, JPEG and WebP. False: none of them, or cut before its size is told. */
bool gf_image_probe(gf_image_t *image, const unsigned char *bytes, apr_size_t length);

/* The extension that goes with "image/png" and the like; NULL: none of them. */
const char *gf_image_extension(const char *type);

#define GF_IMAGE_TAIL 12 /* bytes from the end that gf_image_is_whole() wants */

/* Do the last GF_IMAGE_TAIL bytes of a picture of `size` bytes end it, or was it cut? `head`: the
 * bytes that were probed. */
bool gf_image_is_whole(const gf_image_t *image, const unsigned char *head,
                       const unsigned char *tail, apr_int64_t size);

#endif

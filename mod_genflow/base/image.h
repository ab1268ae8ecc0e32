/* SPDX-License-Identifier: Apache-2.0 */
/* Type and size of a picture, read from its bytes. Names and Content-Type headers are not believed.
 * The bytes are walked from front to back and not decoded. The walk is strict: it ends where a
 * decoder would search for the next mark, so that no decoder finds another size. Any thread. */
#ifndef GF_IMAGE_H
#define GF_IMAGE_H

#include "genflow/exchange.h"

/* The extensions of recognised types, NULL-ended. */
extern const char *const gf_image_extensions[];

/* Recognises PNG, JPEG and WebP. False: none of them, or cut before its size. */
bool gf_image_probe(gf_image_t *image, const void *bytes, apr_size_t length);

/* The same for an open file; its position does not change. */
bool gf_image_probe_file(gf_image_t *image, int descriptor);

/* Does it cost a decoder no more time and memory than its pixels? */
bool gf_image_is_plain(const gf_image_t *image);

/* The extension that goes with "image/png" and the like; NULL: none of them. */
const char *gf_image_extension(const char *type);

#endif

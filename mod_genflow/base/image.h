/* SPDX-License-Identifier: Apache-2.0 */
/* What a picture is, told from its bytes; names and Content-Type headers are not believed. It is
 * walked from front to back and not decoded. The walk is strict: where a decoder would search for
 * the next mark, the walk ends, so that no decoder finds another size than the one told here. Any
 * thread. */
#ifndef GF_IMAGE_H
#define GF_IMAGE_H

#include "genflow/exchange.h"

/* The extensions of what is recognised, NULL-ended. */
extern const char *const gf_image_extensions[];

/* Recognises PNG, JPEG and WebP. False: none of them, or cut before its size is told. */
bool gf_image_probe(gf_image_t *image, const void *bytes, apr_size_t length);

/* The same of an open file; where it is read is left alone. */
bool gf_image_probe_file(gf_image_t *image, int descriptor);

/* Does it take a decoder no more time and memory than its pixels do? */
bool gf_image_is_plain(const gf_image_t *image);

/* The extension that goes with "image/png" and the like; NULL: none of them. */
const char *gf_image_extension(const char *type);

#endif

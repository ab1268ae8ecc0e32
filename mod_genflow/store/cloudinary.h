/* SPDX-License-Identifier: Apache-2.0 */
/* How Cloudinary's requests are signed. */
#ifndef STORE_CLOUDINARY_H
#define STORE_CLOUDINARY_H

#include "base/msg.h"

/* The signature over the text parts of a form (not its file or api_key; empty ones do not count),
 * lower-case hex of SHA-1. Made in `pool`. */
const char *store_cloudinary_sign(apr_pool_t *pool, const apr_array_header_t *parts,
                                  const char *secret);

#endif

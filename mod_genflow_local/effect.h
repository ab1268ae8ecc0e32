/* SPDX-License-Identifier: Apache-2.0
 *
 * The `local` provider with a source picture: it is repainted by an effect and by the prompt.
 * Where and when is kind.c's affair. Past the decoder all is
 * integer arithmetic, so one source and one wish are one picture on every machine.
 */
#ifndef LOCAL_EFFECT_H
#define LOCAL_EFFECT_H

#include <apr_errno.h>
#include <apr_pools.h>

#include "mod_genflow_local/wish.h"

/* Writes the result as PNG into the new file `path`, mode 0644 less the umask; the caller has
 * chosen the name, and syncs and moves the file. Blocks for up to a second, so it is for a writer
 * thread; any number may work at a time, there is no shared state. Its memory, 4 bytes for each
 * pixel of the source (10 while a progressive JPEG is decoded) and some 35 for each of the result,
 * is given back before it returns.
 *
 * APR_EINVAL: the source is no whole PNG, JPEG or WebP that can be decoded, or has more than
 * `pixels_max` pixels. APR_EEXIST: something stands at `path`, and is left alone. Anything else:
 * memory or the disk. No file is left behind. */
apr_status_t local_effect(const local_wish_t *wish, const char *path, apr_pool_t *scratch_pool);

/* Is there an effect of that name; and all names, for messages: "glitch, mask". */
bool local_effect_exists(const char *name);
const char *local_effect_names(apr_pool_t *pool);

/* Can these image->end bytes, which mod_genflow has recognised, be decoded to their end? Blocks for
 * up to some seconds, one caller at a time, so that only one picture is in memory. */
bool local_decodes(const gf_image_t *image, const void *bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The provider kind `local`: draws a picture from prompt, preset and seed, or repaints a source
 * picture by an effect. Same input, same bytes. Built on the public interface alone. */
#ifndef LOCAL_KIND_H
#define LOCAL_KIND_H

#include "genflow/provider.h"
#include "genflow/thumbnail.h"

/* Models are the effects: "glitch", "mask", "ghibli", "film", "oil"; "" paints in oil, too. Without
 * a source picture each draws the same city. */
extern const gf_prov_kind_t local_kind;

/* Draws thumbnails, also where no section names `local`. It has what begin() of local_kind gets. */
extern const gf_thumbnail_kind_t local_thumbnails;

#endif

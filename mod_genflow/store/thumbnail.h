/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the thumbnail of a picture in the folder store, as a file beside it (model/thumbnail.h).
 * Called where one is needed: the thread of a child after a settle, a request for one that is not
 * there. Blocks for some 30 ms, up to a second for the largest picture; any thread that may. */
#ifndef STORE_THUMBNAIL_H
#define STORE_THUMBNAIL_H

#include "genflow/store.h"
#include "base/ctx.h"

typedef enum gf_thumbnail_end_t {
    GF_THUMBNAIL_MADE,  /* now, by this call */
    GF_THUMBNAIL_NONE,  /* the picture can have none; this call found it out */
    GF_THUMBNAIL_THERE, /* before this call; or it is known that there can be none */
    GF_THUMBNAIL_BUSY,  /* another thread or process makes it */
    GF_THUMBNAIL_GONE,  /* there is no such picture */
    GF_THUMBNAIL_FAILED /* not now: memory, the disk; it is logged */
} gf_thumbnail_end_t;

#define GF_THUMBNAIL_COLOR 8 /* "#rrggbb" and the NUL */

/* Makes the thumbnail of the picture `name` ("neo-glitch/a7/<id>-<secret>.png"), once: only one
 * thread of all processes draws a thumbnail at a time. `color`: of MADE. conf->thumbnails.kind
 * draws. The file of a thumbnail that cannot be is empty, so that nothing tries again. Logs what
 * went wrong. */
gf_thumbnail_end_t gf_store_thumbnail(char color[GF_THUMBNAIL_COLOR], gf_ctx_t *ctx,
                                      const char *name);

/* Draws the thumbnail of the picture `picture` into the new file `file` (both paths; NULL: its
 * colour is all that is wanted), whose facts *facts becomes. MADE, NONE or FAILED, which is logged.
 */
gf_thumbnail_end_t gf_store_thumbnail_draw(gf_stored_t *facts, char color[GF_THUMBNAIL_COLOR],
                                           gf_ctx_t *ctx, const char *picture, const char *file);

#endif

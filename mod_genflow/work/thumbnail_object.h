/* SPDX-License-Identifier: Apache-2.0 */
/* One thumbnail as an object beside its picture in a store over HTTP (S3). The row is claimed for
 * it before, so that no two hosts make it, and a removal waits for an upload that may be on its
 * way. Blocks on the store and the database: the thread for thumbnails. */
#ifndef WORK_THUMBNAIL_OBJECT_H
#define WORK_THUMBNAIL_OBJECT_H

#include "base/err.h"
#include "hub/wants.h"

/* Makes it, of the copy of the picture in the spool or of the picture itself, which it fetches; and
 * notes it in the row. Logs what went wrong with the store. Errors: of the database. */
gf_err_t *gf_thumbnail_object(const gf_want_t *want, gf_ctx_t *ctx);

#endif

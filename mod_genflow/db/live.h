/* SPDX-License-Identifier: Apache-2.0 */
/* What has become of generations, for clients that wait for work of other processes. */
#ifndef GF_LIVE_H
#define GF_LIVE_H

#include "db/db.h"

typedef struct gf_live_t {
    const char *id;
    const char *version; /* of its row; changes with every update. NULL: none is known yet */
} gf_live_t;

/* Those of `known` (gf_live_t) whose row has another version now: gf_live_t, in ctx->pool, in any
 * order; version is NULL for one that has ended. Blocks; any thread with its own context. Errors:
 * those of gf_db_call(). */
gf_err_t *gf_live_changes(apr_array_header_t **changed, gf_ctx_t *ctx,
                          const apr_array_header_t *known);

#endif

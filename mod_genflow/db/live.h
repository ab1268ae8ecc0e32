/* SPDX-License-Identifier: Apache-2.0 */
/* Which generations have not ended, for clients that wait for work of other processes. */
#ifndef GF_LIVE_H
#define GF_LIVE_H

#include "db/db.h"

/* A generation that has not ended. */
typedef struct gf_live_t {
    const char *id;
    const char *version; /* of its row; changes with every update */
} gf_live_t;

/* Those of `ids` (const char *) that have not ended: gf_live_t, in ctx->pool, in any order. Blocks;
 * any thread with its own context. Errors: those of gf_db_call(). */
gf_err_t *gf_live_list(apr_array_header_t **live, gf_ctx_t *ctx, const apr_array_header_t *ids);

#endif

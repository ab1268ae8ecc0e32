/* SPDX-License-Identifier: Apache-2.0 */
/* The presets of a type, from the database. A child caches them for a few seconds, so that a
 * generation does not cost a second statement; an edit shows after that time. */
#ifndef GF_PRESET_H
#define GF_PRESET_H

#include <apr_time.h>

#include "db/db.h"
#include "model/type.h"

/* The cache of a child: at most one list for each configured type. Any thread. */
typedef struct gf_preset_cache_t gf_preset_cache_t;

/* A cache for the life of `pool`, of which it makes pools of its own only now. Entries are used for
 * `age`. */
apr_status_t gf_preset_cache_make(gf_preset_cache_t **cache, apr_pool_t *pool,
                                  const gf_conf_t *conf, apr_interval_time_t age);

/* The presets of `type`, on or not, in ctx->pool. May block on the database. */
gf_err_t *gf_preset_read(gf_presets_t *presets, gf_ctx_t *ctx, gf_preset_cache_t *cache,
                         const gf_type_t *type);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Responses of fronts that could not be delivered: sql/functions/lost_responses.sql has the rules.
 * They block; any thread with its own context. */
#ifndef GF_LOST_H
#define GF_LOST_H

#include "db/db.h"

/* A request of a front. */
typedef struct gf_lost_t {
    const char *user;
    const char *hash; /* SHA-256 of the parsed request, in hex */
    const char *call; /* token of this request: 32 hex digits; put needs none */
} gf_lost_t;

/* What the idempotency keys of its generations begin with, in `pool`. */
const char *gf_lost_keys(const gf_lost_t *lost, apr_pool_t *pool);

/* The response about `count` generations did not reach its client; 0: it said that nothing was
 * made. */
gf_err_t *gf_lost_put(gf_ctx_t *ctx, const gf_lost_t *lost, const char *const *ids, int count);

/* Holds the record of an equal request whose response was lost: *ids of const char *, empty: there
 * is none. gf_lost_keep() follows once the generations were read; without it the record is there
 * again after 200 ms. is_retry: the client says that it repeats a request, so that the generations
 * of a request without a record count, too. *may_come: there is no record, but one may come at any
 * time. */
gf_err_t *gf_lost_take(apr_array_header_t **ids, bool *may_come, gf_ctx_t *ctx,
                       const gf_lost_t *lost, bool is_retry);

/* The record that this request holds is its own. !*is_kept: it is that of another request, which
 * took it because this one held it for too long. */
gf_err_t *gf_lost_keep(bool *is_kept, gf_ctx_t *ctx, const gf_lost_t *lost);

#endif

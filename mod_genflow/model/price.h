/* SPDX-License-Identifier: Apache-2.0 */
/* GenflowTypePrice: what a generation costs by what it requests. The price is fixed when the
 * generation is created: hold and capture are the same amount, and only chain entries that cost no
 * more than that make it. No I/O; any thread once the configuration is frozen. */
#ifndef GF_PRICE_H
#define GF_PRICE_H

#include "base/json.h"
#include "model/conf.h"

#define GF_BATCH_MAX 10 /* generations of one request */

/* GenflowTypePrice: counts if every term holds. */
typedef struct gf_price_t {
    apr_int64_t credits;       /* for each picture */
    apr_array_header_t *terms; /* of price.c, at least one */
} gf_price_t;

/* The part of a checked request (model/param.h) that its price depends on. */
typedef struct gf_price_wish_t {
    const char *parameters; /* JSON object, with the defaults of preset and type */
    const char *source_url; /* of a row; NULL: no source picture */
    int chain_pos;          /* 0, or GF_TYPE_LOCAL */
    int count;              /* pictures of the request */
} gf_price_wish_t;

/* Reads the arguments of the directive. Returns the mistake, or NULL. Start-up only. */
const char *gf_price_read(gf_price_t *price, int argc, char *const argv[], apr_pool_t *pool);

/* Are the models that the type's prices name entries of its chain? Returns NULL, or the mistake,
 * for configtest. Start-up only, once the chain is resolved. */
const char *gf_price_wrong(const gf_type_t *type, apr_pool_t *pool);

/* Credits of one picture: of the first price whose terms hold, else GenflowTypeCost. An error only
 * for parameters that are no JSON. */
gf_err_t *gf_price_of(apr_int64_t *credits, gf_ctx_t *ctx, const gf_type_t *type,
                      const gf_price_wish_t *wish);

/* A generation that was created at a price. */
typedef struct gf_price_sold_t {
    apr_int64_t credits;    /* of one picture */
    const char *parameters; /* as above */
    int begin;              /* position of the chain entry that it begins with */
} gf_price_sold_t;

/* Do its credits pay for the chain entry at `position`, by the prices that hold now? A type without
 * GenflowTypePrice has one price for all entries: true. A generation does not know with how many
 * others it was requested: every number counts for which it began at its price, or, if the prices
 * have changed so that there is none, every number at all. False for parameters that are no JSON.
 */
bool gf_price_pays(gf_ctx_t *ctx, const gf_type_t *type, const gf_price_sold_t *sold, int position);

/* The terms as they are configured: a JSON array of texts. */
void gf_price_put_terms(gf_out_t *out, const gf_price_t *price);

#endif

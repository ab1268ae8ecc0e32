/* SPDX-License-Identifier: Apache-2.0 */
/* Maps lost responses to their SQL functions. */
#include "db/lost.h"

#include <apr_strings.h>

#define LIFETIME (15 * 60 * APR_USEC_PER_SEC)

typedef struct lost_in_t {
    const char *user, *hash;
    const char *jobs; /* put: with commas between them */
    const char *keys; /* take */
    const char *call; /* take, keep */
    bool is_retry;
    apr_interval_time_t lifetime;
} lost_in_t;

typedef struct lost_row_t {
    const char *id;
} lost_row_t;

typedef struct kept_row_t {
    bool is_kept;
} kept_row_t;

static const gf_sql_field_t put_params[] = { GF_PARAM(lost_in_t, user),
                                             GF_PARAM_HEX(lost_in_t, hash),
                                             GF_PARAM(lost_in_t, jobs) };
static const gf_sql_field_t take_params[] = { GF_PARAM(lost_in_t, user),
                                              GF_PARAM_HEX(lost_in_t, hash),
                                              GF_PARAM(lost_in_t, keys),
                                              GF_PARAM(lost_in_t, is_retry),
                                              GF_PARAM_INTERVAL(lost_in_t, lifetime),
                                              GF_PARAM(lost_in_t, call) };
static const gf_sql_field_t keep_params[] = { GF_PARAM(lost_in_t, user),
                                              GF_PARAM_HEX(lost_in_t, hash),
                                              GF_PARAM(lost_in_t, call) };
static const gf_sql_field_t take_columns[] = { GF_COLUMN(lost_row_t, id) };
static const gf_sql_field_t keep_columns[] = { GF_COLUMN(kept_row_t, is_kept) };

GF_STATEMENT(lost_response_put, .function = "lost_response_put", .is_value = true, .has_call = true,
             GF_PARAMS(put_params));
GF_STATEMENT(lost_response_take, .function = "lost_response_take", GF_PARAMS(take_params),
             GF_COLUMNS(lost_row_t, take_columns));
GF_STATEMENT(lost_response_keep, .function = "lost_response_keep", .is_value = true,
             GF_PARAMS(keep_params), GF_COLUMNS(kept_row_t, keep_columns));

const char *gf_lost_keys(const gf_lost_t *lost, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "front:", lost->hash, ":", NULL);
}

gf_err_t *gf_lost_put(gf_ctx_t *ctx, const gf_lost_t *lost, const char *const *ids, int count)
{
    lost_in_t in = { .user = lost->user, .hash = lost->hash, .jobs = "" };
    int i;

    for (i = 0; i < count; i++) {
        in.jobs = apr_pstrcat(ctx->pool, in.jobs, i ? "," : "", ids[i], NULL);
    }
    return gf_db_do(ctx, &gf_sql_lost_response_put, &in);
}

gf_err_t *gf_lost_take(apr_array_header_t **ids, bool *may_come, gf_ctx_t *ctx,
                       const gf_lost_t *lost, bool is_retry)
{
    const lost_in_t in = { .user = lost->user,
                           .hash = lost->hash,
                           .keys = gf_lost_keys(lost, ctx->pool),
                           .call = lost->call,
                           .is_retry = is_retry,
                           .lifetime = LIFETIME };

    GF_TRY(gf_db_list(ids, ctx, &gf_sql_lost_response_take, &in));
    *may_come = (*ids)->nelts == 1 && !APR_ARRAY_IDX(*ids, 0, const char *);
    if (*may_come) {
        apr_array_clear(*ids);
    }
    return NULL;
}

gf_err_t *gf_lost_keep(bool *is_kept, gf_ctx_t *ctx, const gf_lost_t *lost)
{
    const lost_in_t in = { .user = lost->user, .hash = lost->hash, .call = lost->call };
    kept_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_lost_response_keep, NULL, &in));
    *is_kept = row.is_kept;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which providers this child can connect to. It leaves an unreachable one to other hosts for a
 * while: twice GenflowProviderBackoff, doubling up to twice GenflowProviderBackoffMax, until the
 * provider answers. Dispatcher thread only. */
#ifndef WORK_REACH_H
#define WORK_REACH_H

#include "base/ctx.h"
#include "model/conf.h"

typedef struct gf_reach_t {
    apr_pool_t *pool; /* of the entries, which stay: one for each provider that was ever missed */

    /* By the section's name: how long it is left to others, and until when. */
    apr_hash_t *missed;
    int count; /* providers that have not answered since they were missed */
} gf_reach_t;

/* Every provider counts as reached at first. */
void gf_reach_init(gf_reach_t *reach, apr_pool_t *pool);

/* The provider has answered: it is not left to others any more. ctx: for the line in the log. */
void gf_reach_answered(gf_reach_t *reach, const gf_ctx_t *ctx, const gf_provider_t *provider);

/* No connection to it came about. False: that was known, as when others were under way when the
 * first one failed. */
bool gf_reach_missed(gf_reach_t *reach, const gf_ctx_t *ctx, const gf_provider_t *provider,
                     const char *why);

/* Its breaker is open: no host sends, so the jobs need not be left to others. */
void gf_reach_forget(gf_reach_t *reach, const gf_provider_t *provider);

/* For how long it is still left to others; 0: it is not. */
apr_interval_time_t gf_reach_wait(const gf_reach_t *reach, const gf_ctx_t *ctx,
                                  const gf_provider_t *provider);

#endif

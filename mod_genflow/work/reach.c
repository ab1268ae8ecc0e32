/* SPDX-License-Identifier: Apache-2.0 */
/* Counts failed connections in a row, per provider, and decides when to try again. claim.c leaves
 * out such types; intent.c decides about a job. */
#include "work/reach.h"

#include <apr_hash.h>

#include "base/log.h"

typedef struct missed_t {
    apr_interval_time_t wait; /* 0: it answers */
    apr_time_t until;
} missed_t;

void gf_reach_init(gf_reach_t *reach, apr_pool_t *pool)
{
    reach->pool = pool;
    reach->missed = apr_hash_make(pool);
    reach->count = 0;
}

static missed_t *missed_of(const gf_reach_t *reach, const gf_provider_t *provider)
{
    return apr_hash_get(reach->missed, provider->name, APR_HASH_KEY_STRING);
}

void gf_reach_answered(gf_reach_t *reach, const gf_ctx_t *ctx, const gf_provider_t *provider)
{
    missed_t *missed = missed_of(reach, provider);

    if (missed && missed->wait) {
        missed->wait = 0;
        reach->count--;
        gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0621", "this host reaches %s again",
               provider->name);
    }
}

bool gf_reach_missed(gf_reach_t *reach, const gf_ctx_t *ctx, const gf_provider_t *provider,
                     const char *why)
{
    missed_t *missed = missed_of(reach, provider);
    apr_time_t now = gf_ctx_now(ctx);
    apr_interval_time_t most;

    if (!missed) {
        missed = apr_pcalloc(reach->pool, sizeof(*missed));
        apr_hash_set(reach->missed, provider->name, APR_HASH_KEY_STRING, missed);
    }
    if (missed->wait && now < missed->until) {
        return false;
    }
    if (!missed->wait) {
        reach->count++;
        gf_log(
            ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0620",
            "this host cannot reach %s: %s; it leaves its jobs to other hosts for a while. Look at "
            "this host's network and name server, and at GenflowProviderUrl",
            provider->name, why ? why : "");
    }
    /* Longer than the job waits that failed here: others have time to take it. */
    missed->wait = 2 * (missed->wait ? missed->wait : provider->backoff);
    most = 2 * provider->backoff_max;
    missed->wait = missed->wait < most ? missed->wait : most;
    missed->wait = missed->wait > 0 ? missed->wait : 1;
    missed->until = now + missed->wait;
    return true;
}

void gf_reach_forget(gf_reach_t *reach, const gf_provider_t *provider)
{
    missed_t *missed = missed_of(reach, provider);

    if (missed) {
        missed->until = 0;
    }
}

apr_interval_time_t gf_reach_wait(const gf_reach_t *reach, const gf_ctx_t *ctx,
                                  const gf_provider_t *provider)
{
    const missed_t *missed = missed_of(reach, provider);
    apr_time_t now = gf_ctx_now(ctx);

    return missed && missed->wait && missed->until > now ? missed->until - now : 0;
}

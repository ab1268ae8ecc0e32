/* SPDX-License-Identifier: Apache-2.0 */
/* Source pictures and webhook tokens of attempts. Leaves the hash of what is sent to run.c, and the
 * order of the steps to work/. */
#include "provider/intent.h"

#include "base/hash.h"
#include "model/source_url.h"

#define TOKEN_BYTES 16

gf_prov_source_t *prov_intent_sources(int *count, const gf_job_t *job, apr_pool_t *pool)
{
    gf_prov_source_t *sources;
    int i;

    *count = gf_source_count(job->source_url);
    sources = apr_pcalloc(pool, (apr_size_t)(*count + 1) * sizeof(*sources));
    for (i = 0; i < *count; i++) {
        const char *line = gf_source_nth(pool, job->source_url, i);

        sources[i].url = gf_source_asset_id(line) ? NULL : line;
    }
    return sources;
}

bool prov_intent_is_ready(const gf_choice_t *choice, const gf_job_t *job)
{
    const gf_prov_kind_t *kind = choice->provider->kind;

    return !kind->draw
           && (!job->source_url || !(kind->source_as_file || gf_source_has_asset(job->source_url)));
}

const char *prov_intent_token(const gf_conf_t *conf, const gf_provider_t *provider,
                              apr_pool_t *pool)
{
    bool verifiable = provider->kind->webhook_keys || provider->webhook_secret;

    return conf->public_url && provider->kind->read_webhook && verifiable
               ? gf_hash_random(pool, TOKEN_BYTES)
               : NULL;
}

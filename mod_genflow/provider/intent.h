/* SPDX-License-Identifier: Apache-2.0 */
/* What an attempt needs before its intent is recorded: its source pictures, the token of its
 * webhook address, and whether anything must be done before it can be sent. create records the
 * intent of an attempt that is ready (api/create.c), a run all others (work/intent.c). Pure; any
 * thread. */
#ifndef PROV_INTENT_H
#define PROV_INTENT_H

#include "provider/provider.h"

/* The source pictures of the job in the client's order: their addresses; uploaded ones have none
 * yet. One element more than *count. */
gf_prov_source_t *prov_intent_sources(int *count, const gf_job_t *job, apr_pool_t *pool);

/* Can an attempt with that chain entry be sent as the job is? False if the picture is drawn here,
 * or a source picture must be fetched or loaded first. */
bool prov_intent_is_ready(const gf_choice_t *choice, const gf_job_t *job);

/* A part of the address for provider webhooks that cannot be guessed. NULL where a webhook could
 * not be verified or would not find us. */
const char *prov_intent_token(const gf_conf_t *conf, const gf_provider_t *provider,
                              apr_pool_t *pool);

#endif

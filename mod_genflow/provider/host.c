/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that kinds of other modules may call, and the checks of these kinds
 * (genflow/provider.h). httpd/plugin.c finds the modules. Pure; any thread. */
#include <string.h>

#include <apr_strings.h>

#include "base/image.h"
#include "base/json_pick.h"
#include "base/text.h"
#include "provider/provider.h"

#define NAME_MAX_BYTES 32

static gf_prov_section_t host_section(const gf_provider_t *provider)
{
    return (gf_prov_section_t){ .name = provider->name,
                                .url = provider->url,
                                .key = provider->key,
                                .webhook_secret = provider->webhook_secret,
                                .deadline = provider->deadline };
}

static gf_prov_job_t job_of(const gf_prov_call_t *call)
{
    const gf_job_t *job = call->job;

    return (gf_prov_job_t){ .id = job->id,
                            .type = job->type->name,
                            .prompt = job->prompt,
                            .preset = job->preset,
                            .parameters = job->parameters,
                            .ref = job->provider_ref,
                            .seed = job->seed,
                            .attempts = job->attempts,
                            .retries = job->retries };
}

static const char *host_parameter(const gf_prov_call_t *call, const char *name)
{
    return gf_provider_parameter(call->job, name, call->pool);
}

/* For an answer, the kind or the state sets the code. */
static bool host_unanswered(gf_outcome_t *outcome, const gf_msg_t *msg)
{
    if (gf_provider_unanswered(outcome, msg)) {
        return true;
    }
    outcome->code = 0;
    return false;
}

const gf_prov_host_t gf_provider_host = { .section = host_section,
                                          .job = job_of,
                                          .parameter = host_parameter,
                                          .request = gf_provider_request,
                                          .part = gf_msg_part,
                                          .file = gf_msg_file,
                                          .owns_url = gf_provider_owns_url,
                                          .unanswered = host_unanswered,
                                          .retry_after = gf_provider_retry_after,
                                          .detail = gf_provider_detail,
                                          .json = gf_json_pick,
                                          .json_quote = gf_json_quote,
                                          .probe_image = gf_image_probe_file,
                                          .image_is_plain = gf_image_is_plain };

const char *gf_provider_wrong(const gf_prov_kind_t *kind, apr_pool_t *pool)
{
    bool http = kind->submit && kind->read_submit && kind->key_header && kind->key_prefix;

    if (!gf_text_is_name(kind->name, NAME_MAX_BYTES)) {
        return "its name is not of a-z, 0-9 and single hyphens, at most 32 long";
    }
    if (gf_provider_kind(kind->name)) {
        return "mod_genflow has a kind of this name itself";
    }
    if (!kind->draw && !http) {
        return "it has neither draw() nor submit(), read_submit() and the header of its key";
    }
    if (!kind->poll != !kind->read_poll || !kind->reconcile != !kind->read_reconcile) {
        return "it has a question without the reader of its answer, or the reverse";
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of provider kinds, and what their translators share. Leaves each wire format to its
 * prov_<name>.c. */
#include "provider/provider.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "model/bound.h"

#define SECRET_MIN 8 /* bytes: a shorter value of a header of the section is none */
#define WORD_MAX   64
#define TEXT_MAX   200

static const gf_prov_kind_t *const kinds[] = { &gf_prov_aiml,      &gf_prov_fal,
                                               &gf_prov_local,     &gf_prov_openai,
                                               &gf_prov_replicate, &gf_prov_stability };

#define KINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

const gf_prov_kind_t *gf_provider_kind(const char *name)
{
    int i;

    for (i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i]->name, name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

const char *gf_provider_kind_names(apr_pool_t *pool)
{
    const char *names = kinds[0]->name;
    int i;

    for (i = 1; i < KINDS; i++) {
        names = apr_pstrcat(pool, names, ", ", kinds[i]->name, NULL);
    }
    return names;
}

const gf_choice_t *gf_provider_local(const gf_type_t *type, const gf_conf_t *conf, apr_pool_t *pool)
{
    gf_choice_t *local = NULL;
    apr_hash_index_t *at;
    int i;

    for (i = 0; i < type->chain->nelts; i++) {
        const gf_choice_t *choice = &APR_ARRAY_IDX(type->chain, i, gf_choice_t);

        if (choice->provider->kind->draw) {
            return choice;
        }
    }
    for (at = apr_hash_first(pool, conf->providers); at; at = apr_hash_next(at)) {
        const gf_provider_t *provider = apr_hash_this_val(at);

        if (provider->kind->draw && (!local || strcmp(provider->name, local->provider->name) < 0)) {
            local = local ? local : apr_pcalloc(pool, sizeof(*local));
            local->provider = provider;
            local->model = "";
            local->source = provider->kind->source(local->model);
        }
    }
    return local;
}

/* A page of a list is read as the page before it. */
void gf_provider_read(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg,
                      gf_msg_reader_t *usual)
{
    gf_msg_reader_t *read = msg->read ? msg->read : usual;

    read(outcome, call, msg);
    if (outcome->state == GF_PROV_ASK && !outcome->next->read) {
        outcome->next->read = read;
    }
}

bool gf_provider_unanswered(gf_outcome_t *outcome, const gf_msg_t *msg)
{
    memset(outcome, 0, sizeof(*outcome));
    outcome->said.progress = -1;
    outcome->said.queue_position = -1;
    outcome->detail = msg->detail;
    outcome->code = msg->spool_rv ? GF_E_STORE : msg->timed_out ? GF_E_TIMEOUT : GF_E_NETWORK;
    if (msg->spool_rv) { /* it may have been paid for, and we could not take it */
        outcome->state = GF_PROV_EMPTY;
        return true;
    }
    switch (msg->end) {
    case GF_MSG_ANSWERED:
        return false;
    case GF_MSG_NOT_SENT:
        outcome->state = GF_PROV_TRANSIENT;
        return true;
    case GF_MSG_TOO_LARGE:
        outcome->state = GF_PROV_EMPTY; /* it may have been paid for: no other provider */
        outcome->code = GF_E_RESULT;
        return true;
    default:
        outcome->state = GF_PROV_UNKNOWN;
        return true;
    }
}

const char *gf_provider_told(const gf_provider_t *provider, apr_pool_t *pool, const char *text,
                             apr_size_t length, apr_size_t max)
{
    apr_array_header_t *secrets = apr_array_make(pool, 8, sizeof(const char *));
    const apr_array_header_t *headers =
        provider->headers ? apr_table_elts(provider->headers) : NULL;
    int i;

    if (provider->key) {
        APR_ARRAY_PUSH(secrets, const char *) = provider->key;
    }
    if (provider->hook_secret) {
        APR_ARRAY_PUSH(secrets, const char *) = provider->hook_secret;
    }
    for (i = 0; headers && i < headers->nelts; i++) {
        const char *value = APR_ARRAY_IDX(headers, i, apr_table_entry_t).val;

        if (strlen(value) >= SECRET_MIN) {
            APR_ARRAY_PUSH(secrets, const char *) = value;
        }
    }
    APR_ARRAY_PUSH(secrets, const char *) = NULL;
    return gf_text_told(pool, text, length, max, (const char *const *)secrets->elts);
}

/* The whole once more: a secret may begin in the word and end in the text. */
const char *gf_provider_detail(const gf_provider_t *provider, apr_pool_t *pool, const char *head,
                               const char *word, const char *text)
{
    const char *said;

    word = word ? gf_provider_told(provider, pool, word, strlen(word), WORD_MAX) : "";
    text = text ? gf_provider_told(provider, pool, text, strlen(text), TEXT_MAX) : "";
    said = apr_pstrcat(pool, head, word[0] ? " " : "", word, ": ", text, NULL);
    return gf_provider_told(provider, pool, said, strlen(said), strlen(said));
}

apr_interval_time_t gf_provider_retry_after(const gf_msg_t *msg)
{
    return gf_msg_retry_after(msg, GF_PROVIDER_WAIT_MAX);
}

const char *gf_provider_parameter(const gf_job_t *job, const char *name, apr_pool_t *pool)
{
    gf_ctx_t ctx = { .pool = pool };
    gf_json_t *document = NULL;
    gf_json_t *value;
    const char *text;

    if (gf_json_parse(&document, &ctx, job->parameters, strlen(job->parameters))) {
        return NULL;
    }
    value = gf_json_get(document, name);
    if (!value || !gf_bound_passes(job->type, name, value, pool)) {
        return NULL;
    }
    return apr_pstrdup(pool, gf_json_string(value, &text) ? text : gf_json_text(value));
}

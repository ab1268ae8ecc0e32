/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of provider kinds, and what their translators share. Leaves each wire format to its
 * provider/<name>.c. */
#include "provider/provider.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "model/bound.h"
#include "provider/own.h"

#define SECRET_MIN 8 /* bytes: a shorter value of a header of the section is none */
#define WORD_MAX   64
#define TEXT_MAX   200

#define ROW(name) &gf_prov_##name,
static const gf_prov_kind_t *const kinds[] = { GF_PROVIDER_KINDS(ROW, ROW) };
#undef ROW

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

const gf_ref_name_t *gf_provider_ref_names(apr_pool_t *pool)
{
    gf_ref_name_t *names = apr_pcalloc(pool, (KINDS + 1) * sizeof(*names));
    int count = 0;
    int i;

    for (i = 0; i < KINDS; i++) {
        if (kinds[i]->ref_name) {
            names[count].kind = kinds[i]->name;
            names[count++].name = kinds[i]->ref_name;
        }
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
            local->source =
                provider->kind->source ? provider->kind->source(local->model) : GF_SOURCE_NONE;
            local->source_max = 1;
        }
    }
    return local;
}

/* ---- what comes from a kind ---- */

static bool is_ref(const char *ref)
{
    return ref && gf_text_is_printable(ref, GF_PROVIDER_REF_MAX);
}

static void clear_outcome(gf_outcome_t *outcome)
{
    memset(outcome, 0, sizeof(*outcome));
    outcome->progress.fraction = -1;
    outcome->progress.queue_position = -1;
}

/* Kinds of other modules name an error as docs/errors.md does, or leave it to the state. */
static void name_error(gf_outcome_t *outcome)
{
    bool failed = outcome->state != GF_PROV_SUCCEEDED && outcome->state != GF_PROV_WORKING
                  && outcome->state != GF_PROV_NEXT;
    unsigned code;

    if (outcome->code || !failed) {
        return;
    }
    outcome->code = outcome->state == GF_PROV_FILTERED  ? GF_E_FILTERED
                    : outcome->state == GF_PROV_EMPTY   ? GF_E_EMPTY
                    : outcome->state == GF_PROV_UNKNOWN ? GF_E_NETWORK
                                                        : GF_E_API;
    for (code = 0; outcome->error && code < GF_E_COUNT; code++) {
        if (strcmp(gf_err_row((gf_err_code_t)code)->code, outcome->error) == 0) {
            outcome->code = code;
        }
    }
}

/* A submission that failed, by an answer that may be a gateway's: the run may go on behind it. A
 * refused key stays a reason to call an operator. FILTERED is not sent anywhere again, and picture
 * bytes are nobody else's. */
static void doubt_submission(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    bool goes_on = outcome->state == GF_PROV_TRANSIENT || outcome->state == GF_PROV_PERMANENT
                   || outcome->state == GF_PROV_EMPTY;

    if (!goes_on || msg->end != GF_MSG_ANSWERED || msg->spool_rv || msg->spooled >= 0
        || prov_own_is_marked(call->provider->kind->own, msg)) {
        return;
    }
    outcome->state = GF_PROV_UNKNOWN;
    outcome->code = GF_E_NETWORK;
    outcome->error = NULL;
    outcome->retry_after = 0;
    outcome->locked_out = false;
    outcome->unknown_model = false;
    outcome->detail = apr_pstrcat(call->pool, outcome->detail ? outcome->detail : "",
                                  " (perhaps a gateway's answer)", NULL);
}

/* A page of a list is read as the page before it. A run that is taken under no usable name is as
 * lost as one without an answer. */
void gf_provider_read(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg,
                      gf_msg_reader_t *usual)
{
    gf_msg_reader_t *read = msg->read ? msg->read : usual;

    clear_outcome(outcome);
    read(outcome, call, msg);
    if (read == call->provider->kind->read_submit) {
        doubt_submission(outcome, call, msg);
    }
    name_error(outcome);
    if (outcome->state == GF_PROV_NEXT && !outcome->next->read) {
        outcome->next->read = read;
    }
    if (outcome->ref && !is_ref(outcome->ref)) {
        outcome->ref = NULL;
        if (outcome->state == GF_PROV_WORKING && !call->job->provider_ref) {
            outcome->state = GF_PROV_UNKNOWN;
            outcome->code = GF_E_NETWORK;
            outcome->detail = "it was taken under a name that cannot be kept";
        }
    }
}

gf_webhook_verdict_t gf_provider_read_webhook(gf_provider_webhook_t *webhook,
                                              const gf_provider_t *provider)
{
    gf_webhook_verdict_t verdict = provider->kind->read_webhook(webhook, provider);

    return verdict == GF_WEBHOOK_GENUINE && !(is_ref(webhook->ref) && is_ref(webhook->event))
               ? GF_WEBHOOK_MEANINGLESS
               : verdict;
}

/* The end of the host in an address of `scheme`; NULL: it has user info, or another scheme. */
static const char *host_end(const char *url, const char *scheme)
{
    const char *host = url + strlen(scheme);

    return strncmp(url, scheme, strlen(scheme)) == 0 && host[strcspn(host, "/?#@\\")] != '@'
               ? host + strcspn(host, ":/?#\\")
               : NULL;
}

bool gf_provider_owns_url(const gf_provider_t *provider, const char *url, const char *domain)
{
    const char *end = host_end(url, "https://");
    size_t base = strlen(provider->url);
    size_t length = domain ? strlen(domain) : 0;

    if (strncmp(url, provider->url, base) == 0 && (url[base] == '/' || url[base] == '?')) {
        return true;
    }
    return domain && end && *end != ':' && *end != '\\'
           && (size_t)(end - url) >= strlen("https://") + length
           && strncasecmp(end - length, domain, length) == 0
           && (end - length)[-1]
                  == (((size_t)(end - url) == strlen("https://") + length) ? '/' : '.');
}

/* ---- what translators share ---- */

bool gf_provider_unanswered(gf_outcome_t *outcome, const gf_msg_t *msg)
{
    clear_outcome(outcome);
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

const char *gf_provider_redact(const gf_provider_t *provider, apr_pool_t *pool, const char *text,
                               apr_size_t length, apr_size_t max)
{
    apr_array_header_t *secrets = apr_array_make(pool, 8, sizeof(const char *));
    const apr_array_header_t *headers =
        provider->headers ? apr_table_elts(provider->headers) : NULL;
    int i;

    if (provider->key) {
        APR_ARRAY_PUSH(secrets, const char *) = provider->key;
    }
    if (provider->webhook_secret) {
        APR_ARRAY_PUSH(secrets, const char *) = provider->webhook_secret;
    }
    for (i = 0; headers && i < headers->nelts; i++) {
        const char *value = APR_ARRAY_IDX(headers, i, apr_table_entry_t).val;

        if (strlen(value) >= SECRET_MIN) {
            APR_ARRAY_PUSH(secrets, const char *) = value;
        }
    }
    APR_ARRAY_PUSH(secrets, const char *) = NULL;
    return gf_text_redact(pool, text, length, max, (const char *const *)secrets->elts);
}

/* The whole once more: a secret may begin in the word and end in the text. */
const char *gf_provider_detail(const gf_provider_t *provider, apr_pool_t *pool, const char *head,
                               const char *word, const char *text)
{
    const char *said;

    head = head ? head : "";
    word = word ? gf_provider_redact(provider, pool, word, strlen(word), WORD_MAX) : "";
    text = text ? gf_provider_redact(provider, pool, text, strlen(text), TEXT_MAX) : "";
    said = apr_pstrcat(pool, head, head[0] && word[0] ? " " : "", word,
                       head[0] || word[0] ? ": " : "", text, NULL);
    return gf_provider_redact(provider, pool, said, strlen(said), strlen(said));
}

/* The section's own headers, then ours: no header of the section takes the place of the key. */
gf_msg_t *gf_provider_request(const gf_prov_call_t *call, const char *method, const char *url,
                              const char *accept)
{
    const gf_provider_t *provider = call->provider;
    gf_msg_t *msg = gf_msg_make(call->pool, method, url);

    if (provider->headers) {
        apr_table_overlap(msg->headers, provider->headers, APR_OVERLAP_TABLES_SET);
    }
    apr_table_setn(msg->headers, provider->kind->key_header,
                   apr_pstrcat(call->pool, provider->kind->key_prefix, provider->key, NULL));
    apr_table_setn(msg->headers, "Accept", accept);
    return msg;
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

/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of provider kinds (genflow/provider.h), and the code that their translators share.
 * No I/O here: work/ performs exchanges, retries and pays. Results live in the call's pool. Any
 * thread, unless a function says otherwise. */
#ifndef GF_PROVIDER_H
#define GF_PROVIDER_H

#include "base/err.h"
#include "base/msg.h"
#include "genflow/provider.h"
#include "model/job.h"
#include "provider/kinds.h"

#define GF_PROVIDER_WAIT_MAX 300 /* seconds; no provider makes a job wait longer */

#define GF_PROVIDER_DECLARE(name) extern const gf_prov_kind_t gf_prov_##name;
GF_PROVIDER_KINDS(GF_PROVIDER_DECLARE, GF_PROVIDER_DECLARE)
#undef GF_PROVIDER_DECLARE

/* The ref_name of each kind of this module that has one; the last has no name. Start-up only. */
const gf_ref_name_t *gf_provider_ref_names(apr_pool_t *pool);

/* The kind of this module of that name, or NULL. */
const gf_prov_kind_t *gf_provider_kind(const char *name);

/* The functions that a kind of another module may call. */
extern const gf_prov_host_t gf_provider_host;

/* The mistake in a kind of another module; NULL: none. */
const char *gf_provider_wrong(const gf_prov_kind_t *kind, apr_pool_t *pool);

/* The chain entry that draws here when a user requests it: the type's own, else one with the first
 * provider, by name, that draws. NULL: there is none. */
const gf_choice_t *gf_provider_local(const gf_type_t *type, const gf_conf_t *conf,
                                     apr_pool_t *pool);

/* Reads an ended exchange: by the reader of its message, else by `usual`, the reader of the kind's
 * request. Every answer of a provider is read here. */
void gf_provider_read(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg,
                      gf_msg_reader_t *usual);

/* Reads a provider webhook (kind->read_webhook). GENUINE has an event and a ref within their
 * bounds. */
gf_webhook_verdict_t gf_provider_read_webhook(gf_provider_webhook_t *webhook,
                                              const gf_provider_t *provider);

/* Is `url` in the API that the section names, or, over https, on `domain` or a host below it (NULL:
 * no such domain)? For kinds whose ref is an address: our key is sent nowhere else. */
bool gf_provider_owns_url(const gf_provider_t *provider, const char *url, const char *domain);

/* Common to all providers: for an exchange without a whole answer it sets the outcome and returns
 * true. */
bool gf_provider_unanswered(gf_outcome_t *outcome, const gf_msg_t *msg);

/* A provider's text by gf_text_redact(): without our keys and secrets. */
const char *gf_provider_redact(const gf_provider_t *provider, apr_pool_t *pool, const char *text,
                               apr_size_t length, apr_size_t max);

/* gf_outcome_t.detail: "head word: text". Every text of a provider enters a detail here. `head` is
 * our own; NULL is "". */
const char *gf_provider_detail(const gf_provider_t *provider, apr_pool_t *pool, const char *head,
                               const char *word, const char *text);

/* A request with the headers of the section, our key as the kind sends it, and the accepted types.
 */
gf_msg_t *gf_provider_request(const gf_prov_call_t *call, const char *method, const char *url,
                              const char *accept);

/* The wait of `Retry-After` (seconds), bounded; 0: none. */
apr_interval_time_t gf_provider_retry_after(const gf_msg_t *msg);

/* A parameter of the job as text, whatever scalar it is; NULL: absent. */
const char *gf_provider_parameter(const gf_job_t *job, const char *name, apr_pool_t *pool);

#endif

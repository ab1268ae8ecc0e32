/* SPDX-License-Identifier: Apache-2.0 */
/* A provider kind is a table of pure translators: a job becomes an exchange, an ended exchange
 * becomes an outcome. No I/O here; who performs, retries and pays is work/. */
#ifndef GF_PROVIDER_H
#define GF_PROVIDER_H

#include "base/err.h"
#include "base/msg.h"
#include "model/job.h"
#include "provider/kinds.h"

#define GF_PROVIDER_WAIT_MAX 300 /* seconds; no provider makes a job wait longer */

/* Bytes of a run's name (gf_outcome_t.ref). */
#define GF_PROVIDER_REF_MAX 1024

/* What an exchange means for the job (docs/requirements.md 27). */
typedef enum {
    GF_PROV_SUCCEEDED, /* there is a picture: spooled, at picture_url, or in picture_b64 */
    GF_PROV_WORKING,   /* it has the job under outcome->ref; ask again later */
    GF_PROV_ASK,       /* one more exchange is needed now: outcome->next */
    GF_PROV_TRANSIENT, /* failed, nothing was paid: may be tried again */
    GF_PROV_PERMANENT, /* failed, trying the same again cannot help */
    GF_PROV_FILTERED,  /* its content filter refused */
    GF_PROV_EMPTY,     /* done without a picture */
    GF_PROV_UNKNOWN    /* sent, no answer: may have been paid for, must not be sent again */
} gf_prov_state_t;

typedef struct gf_outcome_t {
    gf_prov_state_t state;
    gf_err_code_t code; /* for the failing states */
    const char *ref; /* WORKING, and of a run that is over: what the kind finds it by again: an id,
                      * an address to poll, ... Only its kind looks into it; anybody else keeps it
                      * as it is. 1 to GF_PROVIDER_REF_MAX printable characters, no spaces */
    const char *picture_url;         /* SUCCEEDED: https address or data: URI, not yet checked */
    const char *picture_b64;         /* SUCCEEDED: the picture's bytes in base64 */
    gf_msg_t *next;                  /* ASK; next->read reads its answer; NULL: who asks for it */
    const char *detail;              /* for the log: of gf_provider_detail(), or our own words */
    gf_said_t said;                  /* WORKING: what it says meanwhile */
    apr_interval_time_t retry_after; /* TRANSIENT, WORKING: what it asked for; 0: nothing */
    bool locked_out;    /* TRANSIENT, WORKING: too many requests, and no word for how long */
    bool alarm;         /* key or account trouble: an operator must look */
    bool unknown_model; /* PERMANENT: the provider does not know this model */
    bool absent;        /* TRANSIENT: a list does not hold the run; two of them count */
    bool settled; /* UNKNOWN: asking again cannot help; only the provider's own report could */
} gf_outcome_t;

/* What translators work on. Messages and texts are made in `pool`. */
typedef struct gf_prov_call_t {
    const gf_provider_t *provider;
    const char *model;
    const gf_job_t *job;
    apr_interval_time_t age; /* since the job was made */
    const char *hook_url;    /* where the provider may report the end; NULL: nowhere */
    const char *source; /* the source picture: https address or data: URI; NULL: none, or ... */
    const char *source_file; /* ... a file, for kinds with source_as_file */
    const char *source_type; /* of that file: "image/png" */
    apr_int64_t pixels_max;  /* draw: most pixels that the source file may have */
    apr_pool_t *pool;
} gf_prov_call_t;

/* A provider's own report of a run's end, as it came in. Nothing in it is believed but that the run
 * is worth a question now. What is read from it lives in `pool`. */
typedef struct gf_hook_t {
    const apr_table_t *headers;
    const char *body; /* never NULL */
    apr_size_t length;
    const char *keys; /* the provider's public keys (JWKS), for kinds with hook_keys; or NULL */
    apr_time_t now;
    apr_pool_t *pool;

    const char *event; /* out: names this delivery; the same for a repeated one */
    const char *ref;   /* out: the run's id, which may stand in a path */
} gf_hook_t;

typedef enum {
    GF_HOOK_GENUINE, /* event and ref are set */
    GF_HOOK_FORGED,  /* the signature is missing or wrong, or its time is more than 5 minutes off */
    GF_HOOK_NO_KEY,  /* well formed and in time, but of none of the known keys: newer ones may */
    GF_HOOK_MEANINGLESS /* genuine, but its body tells of no run */
} gf_hook_verdict_t;

typedef struct gf_prov_kind_t {
    const char *name;
    apr_interval_time_t result_life; /* how long a picture is at the address that it tells */

    /* The header that carries the section's key, and what stands before the key in it. */
    const char *key_header; /* "Authorization", "x-key" */
    const char *key_prefix; /* "Bearer ", "Key ", "" */

    /* Is the section complete? NULL, or what is missing (for configtest). */
    const char *(*check)(const gf_provider_t *provider, apr_pool_t *pool);

    /* Providers over HTTP; limits and times of a message are set by the caller. */
    gf_msg_t *(*submit)(const gf_prov_call_t *call);
    gf_msg_reader_t *read_submit;
    gf_msg_t *(*poll)(const gf_prov_call_t *call); /* job->provider_ref names the run */
    gf_msg_reader_t *read_poll;
    gf_msg_t *(*cancel)(const gf_prov_call_t *call); /* NULL: it cannot be asked to stop */

    /* What `model` does with a source picture; NULL: nothing. source_as_file: it wants the bytes.
     */
    gf_source_use_t (*source)(const char *model);
    bool source_as_file;

    /* Is a report genuine? NULL: it makes none. hook_keys: where its public keys are (an address);
     * NULL: the section's GenflowProviderHookSecret is the key. */
    gf_hook_verdict_t (*read_hook)(gf_hook_t *hook, const gf_provider_t *provider);
    const char *hook_keys;

    /* After a lost answer: asks which runs there are, to find ours by its seed. NULL: no such list,
     * an unknown run stays unknown. Outcomes: WORKING with the ref of the one that matches,
     * TRANSIENT and `absent` when none does, ASK, UNKNOWN. */
    gf_msg_t *(*recover)(const gf_prov_call_t *call);
    gf_msg_reader_t *read_recover;

    /* Providers that make the picture themselves, on a writer thread: writes the file `path`.
     * NULL: over HTTP. APR_EINVAL: the source picture cannot be used; anything else: memory or the
     * disk. */
    apr_status_t (*draw)(const gf_prov_call_t *call, const char *path);
} gf_prov_kind_t;

#define GF_PROVIDER_DECLARE(name) extern const gf_prov_kind_t gf_prov_##name;
GF_PROVIDER_KINDS(GF_PROVIDER_DECLARE, GF_PROVIDER_DECLARE)
#undef GF_PROVIDER_DECLARE

/* The kind of that name, or NULL. */
const gf_prov_kind_t *gf_provider_kind(const char *name);

/* The link that draws here when a user wishes it: the type's own, else one with the first provider,
 * by name, that draws. NULL: there is none. */
const gf_choice_t *gf_provider_local(const gf_type_t *type, const gf_conf_t *conf,
                                     apr_pool_t *pool);

/* What an ended exchange means: by the reader that its message carries, else by `usual`, the one of
 * its kind that the exchange was begun for. Everybody who reads an answer reads it here. */
void gf_provider_read(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg,
                      gf_msg_reader_t *usual);

/* Reads a report (kind->read_hook). GENUINE has an event and a ref within their bounds. */
gf_hook_verdict_t gf_provider_read_hook(gf_hook_t *hook, const gf_provider_t *provider);

/* Is `url` in the API that the section names, or, over https, on `domain` or a host below it (NULL:
 * no such domain)? For kinds whose ref is an address: our key goes nowhere else. */
bool gf_provider_owns_url(const gf_provider_t *provider, const char *url, const char *domain);

/* What every provider has in common: sets an outcome for an exchange that brought no whole answer,
 * and returns true. */
bool gf_provider_unanswered(gf_outcome_t *outcome, const gf_msg_t *msg);

/* What a provider says, by gf_text_told(): without our keys and secrets. */
const char *gf_provider_told(const gf_provider_t *provider, apr_pool_t *pool, const char *text,
                             apr_size_t length, apr_size_t max);

/* gf_outcome_t.detail, the only way to make one of a provider's words: "head word: text". `head` is
 * our own; NULL is "". */
const char *gf_provider_detail(const gf_provider_t *provider, apr_pool_t *pool, const char *head,
                               const char *word, const char *text);

/* A request with the headers of the section, our key as the kind sends it, and what it accepts. */
gf_msg_t *gf_provider_request(const gf_prov_call_t *call, const char *method, const char *url,
                              const char *accept);

/* The wait that `Retry-After` (seconds) asks for, bounded; 0: none. */
apr_interval_time_t gf_provider_retry_after(const gf_msg_t *msg);

/* A parameter of the job as text, whatever scalar it is; NULL: absent. */
const char *gf_provider_parameter(const gf_job_t *job, const char *name, apr_pool_t *pool);

#endif

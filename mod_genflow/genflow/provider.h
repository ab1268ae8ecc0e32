/* SPDX-License-Identifier: Apache-2.0 */
/* Part of the public interface (genflow/module.h): a provider kind is a table of pure translators.
 * A job becomes an exchange, an ended exchange becomes an outcome. mod_genflow performs exchanges,
 * retries, stores and charges.
 *
 * Threads: check() and check_model() run at the start; submit(), poll(), cancel(), reconcile() and
 * the readers on the one dispatcher thread of a child, where they must not block; draw() on a
 * writer thread and decodes() on a worker thread of httpd, where they may; read_webhook() on a
 * worker thread. Several threads may be in draw() and decodes() at a time. Ownership: what a
 * function is given lives at least until it returns. What it returns or sets lives in the call's
 * pool, or is static. It keeps nothing. */
#ifndef GENFLOW_PROVIDER_H
#define GENFLOW_PROVIDER_H

#include "genflow/exchange.h"

struct gf_job_t;
struct gf_prov_host_t;
struct gf_provider_t; /* a <GenflowProvider> section */

/* Bytes of a run's name (gf_outcome_t.ref). */
#define GF_PROVIDER_REF_MAX 1024

/* What a model or a type does with a source picture. */
typedef enum { GF_SOURCE_NONE, GF_SOURCE_MAY, GF_SOURCE_MUST } gf_source_use_t;

/* What an exchange means for the job (docs/requirements.md 27). */
typedef enum {
    GF_PROV_SUCCEEDED, /* there is a picture: spooled, at picture_url, or in picture_b64 */
    GF_PROV_WORKING,   /* it has the job under outcome->ref; ask again later */
    GF_PROV_NEXT,      /* one more exchange is needed now: outcome->next */
    GF_PROV_TRANSIENT, /* failed, nothing was paid: may be tried again */
    GF_PROV_PERMANENT, /* failed, trying the same again cannot help */
    GF_PROV_FILTERED,  /* its content filter refused */
    GF_PROV_EMPTY,     /* done without a picture */
    GF_PROV_UNKNOWN    /* sent, no answer: may have been paid for, must not be sent again */
} gf_prov_state_t;

/* What a provider says of a job while it works. */
typedef struct gf_progress_t {
    double fraction;    /* 0 to 1; below 0: it does not tell */
    int queue_position; /* below 0: it does not tell */
    const char *logs;   /* JSON array, or NULL */
} gf_progress_t;

/* Zeroed (said: nothing) before a reader gets it. */
typedef struct gf_outcome_t {
    gf_prov_state_t state;
    const char *error; /* failing states: a code of docs/errors.md; NULL: what the state says */
    unsigned code;     /* the same as a number of mod_genflow's own; 0: take `error` */
    const char *ref; /* WORKING, and of a run that is over: what the kind finds it by again: an id,
                      * an address to poll, ... Only its kind looks into it; anybody else keeps it
                      * as it is. 1 to GF_PROVIDER_REF_MAX printable characters, no spaces */
    const char *picture_url;         /* SUCCEEDED: https address or data: URI, not yet checked */
    const char *picture_b64;         /* SUCCEEDED: the picture's bytes in base64 */
    gf_msg_t *next;                  /* ASK; next->read reads its answer; NULL: who asks for it */
    const char *detail;              /* for the log: of host->detail(), or the kind's own words */
    gf_progress_t progress;          /* WORKING: what it says meanwhile */
    apr_interval_time_t retry_after; /* TRANSIENT, WORKING: what it asked for; 0: nothing */
    bool locked_out;    /* TRANSIENT, WORKING: too many requests, and no word for how long */
    bool alarm;         /* key or account trouble: an operator must look */
    bool unknown_model; /* PERMANENT: the provider does not know this model */
    bool absent;        /* TRANSIENT: a list does not hold the run; two of them count */
    bool settled; /* UNKNOWN: asking again cannot help; only the provider's own report could */
} gf_outcome_t;

/* What translators work on. Messages and texts are made in `pool`. */
typedef struct gf_prov_call_t {
    const struct gf_provider_t *provider; /* host->section() tells it */
    const char *model;                    /* "" if the chain names none */
    const struct gf_job_t *job;           /* host->job() tells it */
    apr_interval_time_t age;              /* since the job was made */
    const char *provider_webhook_url;     /* where the provider may report the end; NULL: nowhere */
    const char *source; /* the source picture: https address or data: URI; NULL: none, or ... */
    const char *source_file; /* ... a file, for kinds with source_as_file */
    const char *source_type; /* of that file: "image/png" */
    apr_int64_t pixels_max;  /* draw: most pixels that the source file may have */
    apr_pool_t *pool;
} gf_prov_call_t;

/* A provider's own report of a run's end, as it came in. Nothing in it is believed but that the run
 * is worth a question now. What is read from it lives in `pool`. */
typedef struct gf_provider_webhook_t {
    const apr_table_t *headers;
    const char *body; /* never NULL */
    apr_size_t length;
    const char *keys; /* the provider's public keys (JWKS), for kinds with webhook_keys; or NULL */
    apr_time_t now;
    apr_pool_t *pool;

    const char *event; /* out: names this delivery; the same for a repeated one */
    const char *ref;   /* out: the run's name, as in gf_outcome_t */
} gf_provider_webhook_t;

typedef enum {
    GF_WEBHOOK_GENUINE, /* event and ref are set */
    GF_WEBHOOK_FORGED,  /* the signature is missing or wrong, or its time is more than 5 minutes off
                         */
    GF_WEBHOOK_NO_KEY,  /* well formed and in time, but of none of the known keys: newer ones may */
    GF_WEBHOOK_MEANINGLESS /* genuine, but its body tells of no run */
} gf_webhook_verdict_t;

/* A kind. What it does not need is NULL. It has either draw(), or submit() and read_submit(), and
 * of poll(), read_poll() and of recover(), read_reconcile() both or none. */
typedef struct gf_prov_kind_t {
    const char *name;                /* as in GenflowProviderKind: a-z, 0-9 and single hyphens */
    apr_interval_time_t result_life; /* how long a picture is at the address that it tells */

    /* What the wire calls its id of a run: "falJobId". NULL, and of kinds of other modules: it is
     * not shown. */
    const char *ref_name;

    /* Called before any other function, at each reading of the configuration, with the functions
     * of mod_genflow that a kind of another module may call. */
    void (*begin)(const struct gf_prov_host_t *host);

    /* The header that carries the section's key, and what stands before the key in it. */
    const char *key_header; /* "Authorization", "x-key" */
    const char *key_prefix; /* "Bearer ", "Key ", "" */

    /* Is the section complete, and can the model that a chain names (NULL ended the name: "") be
     * had? NULL, or what is wrong, for configtest: "GenflowProviderKey is missing: ...". */
    const char *(*check)(const struct gf_provider_t *provider, apr_pool_t *pool);
    const char *(*check_model)(const char *model, apr_pool_t *pool);

    /* Providers over HTTP; limits and times of a message are set by the caller. */
    gf_msg_t *(*submit)(const gf_prov_call_t *call);
    gf_msg_reader_t *read_submit;
    gf_msg_t *(*poll)(const gf_prov_call_t *call); /* job->ref names the run */
    gf_msg_reader_t *read_poll;
    gf_msg_t *(*cancel)(const gf_prov_call_t *call); /* NULL: it cannot be asked to stop */

    /* What `model` does with a source picture; NULL: nothing. source_as_file: it wants the bytes.
     */
    gf_source_use_t (*source)(const char *model);
    bool source_as_file;

    /* Is a report genuine? NULL: it makes none. webhook_keys: where its public keys are (an
     * address); NULL: the section's GenflowProviderHookSecret is the key. */
    gf_webhook_verdict_t (*read_webhook)(gf_provider_webhook_t *webhook,
                                         const struct gf_provider_t *provider);
    const char *webhook_keys;

    /* After a lost answer: asks which runs there are, to find ours by its seed. NULL: no such list,
     * an unknown run stays unknown. Outcomes: WORKING with the ref of the one that matches,
     * TRANSIENT and `absent` when none does, ASK, UNKNOWN. */
    gf_msg_t *(*reconcile)(const gf_prov_call_t *call);
    gf_msg_reader_t *read_reconcile;

    /* The JSON object that submit() sends as the run's input and that the list shows. mod_genflow
     * records a hash of each member with the attempt, before it sends. NULL: nothing is recorded.
     */
    const char *(*input)(const gf_prov_call_t *call);

    /* Providers that make the picture themselves, on a writer thread: writes the new file `path`.
     * The picture is then checked and stored as any other. APR_EINVAL: the source picture cannot be
     * used; anything else: memory or the disk. Nothing was paid, so a lost run is drawn again. */
    apr_status_t (*draw)(const gf_prov_call_t *call, const char *path);

    /* Can these image->end bytes, which mod_genflow has recognised and found within
     * GenflowAssetMaxPixels, be decoded to their end? Uploaded source pictures are refused where a
     * loaded kind says no. */
    bool (*decodes)(const gf_image_t *image, const void *bytes);
} gf_prov_kind_t;

/* ---- what a kind may call ---- */

/* A <GenflowProvider> section. */
typedef struct gf_prov_section_t {
    const char *name;
    const char *url; /* without a slash at its end; NULL: none */
    const char *key; /* never log it; NULL: none */
    const char *webhook_secret;
    apr_interval_time_t deadline;
} gf_prov_section_t;

/* A generation as a kind needs it. */
typedef struct gf_prov_job_t {
    const char *id;
    const char *type;       /* "neo-glitch" */
    const char *prompt;     /* a preset's words included */
    const char *preset;     /* key; NULL: none */
    const char *parameters; /* JSON object: all that the client and the preset gave */
    const char *ref;        /* the run's name; NULL: it has none yet */
    apr_int64_t seed;       /* 0: any */
    int attempts;           /* submissions so far, this one included */
    int retries;            /* with this provider */
} gf_prov_job_t;

/* Any thread. What is returned lives in the call's pool or the one given. */
typedef struct gf_prov_host_t {
    gf_prov_section_t (*section)(const struct gf_provider_t *provider);
    gf_prov_job_t (*job)(const gf_prov_call_t *call);

    /* A parameter as text, whatever scalar it is, if it is within the type's bounds; NULL: none. */
    const char *(*parameter)(const gf_prov_call_t *call, const char *name);

    /* A request with the section's headers, its key as key_header says, and what it accepts; and
     * parts of a form for it: a NULL value adds nothing. Set msg->body for another body. */
    gf_msg_t *(*request)(const gf_prov_call_t *call, const char *method, const char *url,
                         const char *accept);
    void (*part)(gf_msg_t *msg, const char *name, const char *text);
    void (*file)(gf_msg_t *msg, const char *name, const char *path, const char *type);

    /* Is `url` in the API that the section names, or, over https, on `domain` or a host below it
     * (NULL: no such domain)? Ask before our key is sent to an address that came from outside. */
    bool (*owns_url)(const struct gf_provider_t *provider, const char *url, const char *domain);

    /* Zeroes the outcome; for an exchange that brought no whole answer it sets what that means,
     * and returns true. */
    bool (*unanswered)(gf_outcome_t *outcome, const gf_msg_t *msg);

    /* The wait that `Retry-After` asks for, bounded; 0: none. */
    apr_interval_time_t (*retry_after)(const gf_msg_t *msg);

    /* "head word: text" without our keys and secrets, bounded: for outcome->detail, whenever a
     * provider's words go into it. NULL is "". */
    const char *(*detail)(const struct gf_provider_t *provider, apr_pool_t *pool, const char *head,
                          const char *word, const char *text);

    /* The scalar at `path` ("images/0/url") of a JSON text, as text; NULL: it is not there, or the
     * text is no JSON within mod_genflow's bounds. And a text as JSON string, with its quotes. */
    const char *(*json)(apr_pool_t *pool, const char *text, apr_size_t length, const char *path);
    const char *(*json_quote)(apr_pool_t *pool, const char *text);

    /* What the picture in an open file is; false: no PNG, JPEG or WebP. And does it take a decoder
     * no more time and memory than its pixels do? Ask both before you decode. */
    bool (*probe_image)(gf_image_t *image, int descriptor);
    bool (*image_is_plain)(const gf_image_t *image);
} gf_prov_host_t;

#endif

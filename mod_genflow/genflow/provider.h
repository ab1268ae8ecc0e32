/* SPDX-License-Identifier: Apache-2.0 */
/* Part of the public interface (genflow/module.h): a provider kind is a table of pure translators.
 * A job becomes an exchange, an ended exchange becomes an outcome. mod_genflow performs exchanges,
 * retries, stores and charges.
 *
 * Threads: httpd calls check() and check_model() at the start. The one dispatcher thread of a child
 * calls submit(), poll(), cancel(), reconcile() and the readers; they must not block. A writer
 * thread calls draw() and a worker thread of httpd calls decodes() and read_webhook(); these may
 * block. Both call input(). Several threads may be in draw(), decodes() and input() at a time.
 *
 * Ownership: an argument lives at least until the function returns. A result lives in the call's
 * pool, or is static. A kind stores nothing between calls. */
#ifndef GENFLOW_PROVIDER_H
#define GENFLOW_PROVIDER_H

#include "genflow/exchange.h"
#include "genflow/mark.h"

struct gf_job_t;
struct gf_prov_host_t;
struct gf_provider_t; /* a <GenflowProvider> section */

/* Bytes of a run's name (gf_outcome_t.ref). */
#define GF_PROVIDER_REF_MAX 1024

/* Does a model or a type take a source picture? */
typedef enum { GF_SOURCE_NONE, GF_SOURCE_MAY, GF_SOURCE_MUST } gf_source_use_t;

/* What an exchange means for the job (docs/requirements.md 27). */
typedef enum {
    GF_PROV_SUCCEEDED, /* there is a picture: spooled, at picture_url, or in picture_b64 */
    GF_PROV_WORKING,   /* the provider runs the job as outcome->ref; poll later */
    GF_PROV_NEXT,      /* one more exchange is needed now: outcome->next */
    GF_PROV_TRANSIENT, /* failed, nothing was paid: may be retried */
    GF_PROV_PERMANENT, /* failed, a retry cannot help */
    GF_PROV_FILTERED,  /* its content filter refused */
    GF_PROV_EMPTY,     /* done without a picture */
    GF_PROV_UNKNOWN    /* sent, no answer of its own: may have been paid for, never sent again */
} gf_prov_state_t;

/* A provider's progress report about a run. */
typedef struct gf_progress_t {
    double fraction;    /* 0 to 1; below 0: unknown */
    int queue_position; /* below 0: unknown */
    const char *logs;   /* JSON array, or NULL */
} gf_progress_t;

/* Zeroed (progress: unknown) before a reader gets it. */
typedef struct gf_outcome_t {
    gf_prov_state_t state;
    const char *error; /* failing states: a code of docs/errors.md; NULL: the code of the state */
    unsigned code;     /* the same as a number of mod_genflow's own; 0: take `error` */
    const char *ref; /* WORKING, and of a run that is over: how the kind finds the run again: an id
                        or an address to poll. Only its kind interprets it. 1 to GF_PROVIDER_REF_MAX
                        printable characters, no spaces */
    const char *picture_url; /* SUCCEEDED: https address or data: URI, not yet checked */
    const char *picture_b64; /* SUCCEEDED: the picture's bytes in base64 */
    gf_msg_t *next;          /* NEXT; next->read reads its answer; NULL: the current reader */
    const char *detail;      /* for the log: of host->detail(), or the kind's own words */
    gf_progress_t progress;  /* WORKING: its progress */
    apr_interval_time_t retry_after; /* TRANSIENT, WORKING: the requested wait; 0: none */
    bool locked_out;                 /* TRANSIENT, WORKING: too many requests, without a wait */
    bool alarm;                      /* key or account trouble: an operator must act */
    bool unknown_model;              /* PERMANENT: the provider does not know this model */
    bool absent;  /* TRANSIENT: the run is not in the list; two such answers count */
    bool settled; /* UNKNOWN: polling cannot help; only a provider webhook could */
} gf_outcome_t;

/* A source picture of a generation. */
typedef struct gf_prov_source_t {
    const char *url;  /* https address or data: URI; NULL: only the file, or it is not known */
    const char *file; /* the picture itself, for kinds with source_as_file; else NULL */
    const char *type; /* of that file: "image/png" */
} gf_prov_source_t;

/* The input of the translators. Messages and texts are made in `pool`. */
typedef struct gf_prov_call_t {
    const struct gf_provider_t *provider; /* read it by host->section() */
    const char *model;                    /* "" if the chain names none */
    const struct gf_job_t *job;           /* read it by host->job() */
    apr_interval_time_t age;              /* since the job was created */
    const char *provider_webhook_url;     /* where the provider may report the end; NULL: nowhere */
    const char *source; /* the source picture: https address or data: URI; NULL: none, or ... */
    const char *source_file;         /* ... a file, for kinds with source_as_file */
    const char *source_type;         /* of that file: "image/png" */
    const gf_prov_source_t *sources; /* all source pictures, in the client's order; `source`, ... */
    int source_count;       /* ... `source_file` and `source_type` are those of the first */
    apr_int64_t pixels_max; /* draw: most pixels that the source file may have */
    apr_pool_t *pool;
} gf_prov_call_t;

/* A provider webhook as it was received. It is only a reason to poll the run now; nothing else in
 * it is believed. Results of reading it live in `pool`. */
typedef struct gf_provider_webhook_t {
    const apr_table_t *headers;
    const char *body; /* never NULL */
    apr_size_t length;
    const char *keys; /* the provider's public keys (JWKS), for kinds with webhook_keys; or NULL */
    apr_time_t now;
    apr_pool_t *pool;

    const char *event; /* out: id of this delivery; the same when it is repeated */
    const char *ref;   /* out: the run's name, as in gf_outcome_t */
} gf_provider_webhook_t;

typedef enum {
    GF_WEBHOOK_GENUINE, /* event and ref are set */
    GF_WEBHOOK_FORGED,  /* its signature is missing or wrong, or its time is over 5 minutes off */
    GF_WEBHOOK_NO_KEY,  /* well formed and in time, but signed by none of the known keys */
    GF_WEBHOOK_MEANINGLESS /* genuine, but its body names no run */
} gf_webhook_verdict_t;

/* A kind. Members that it does not need are NULL. It has either draw(), or submit() and
 * read_submit(). It has both or neither of poll() and read_poll(), and of reconcile() and
 * read_reconcile(). */
typedef struct gf_prov_kind_t {
    const char *name;                /* as in GenflowProviderKind: a-z, 0-9 and single hyphens */
    apr_interval_time_t result_life; /* how long a picture stays at its result address */

    /* Name of its run id on the wire: "falJobId". NULL, and for other modules: it is not shown. */
    const char *ref_name;

    /* mod_genflow calls it before any other function, at each reading of the configuration. `host`
     * is the table of functions that a kind of another module may call. */
    void (*begin)(const struct gf_prov_host_t *host);

    /* The header that carries the section's key, and the text before the key in it. */
    const char *key_header; /* "Authorization", "x-key" */
    const char *key_prefix; /* "Bearer ", "Key ", "" */
    const char *key_path;   /* below the section's address: a GET that is free and needs the key */

    /* Is the section complete, and does the model that a chain names exist (NULL ended the name:
     * "")? NULL, or the mistake, for configtest: "GenflowProviderKey is missing: ...". */
    const char *(*check)(const struct gf_provider_t *provider, apr_pool_t *pool);
    const char *(*check_model)(const char *model, apr_pool_t *pool);

    /* Providers over HTTP. mod_genflow sets limits and times of a message. */
    gf_msg_t *(*submit)(const gf_prov_call_t *call);
    gf_msg_reader_t *read_submit;
    const gf_prov_mark_t *own; /* marks of its own answers, up to a row of 0 (genflow/mark.h) */
    gf_msg_t *(*poll)(const gf_prov_call_t *call); /* job->ref names the run */
    gf_msg_reader_t *read_poll;
    gf_msg_t *(*cancel)(const gf_prov_call_t *call); /* NULL: the provider cannot cancel */

    /* Does `model` take a source picture? NULL: none. source_as_file: the request has its bytes. */
    gf_source_use_t (*source)(const char *model);
    bool source_as_file;

    /* The most source pictures that `model` takes at a time. NULL, 0: one. A request with more
     * skips the chain entry. */
    int (*source_max)(const char *model);
    /* Does `model` honour this parameter, with or without a source picture? NULL: all. */
    bool (*honours)(const char *model, const char *name);
    /* The size ("1536x1024") that `model` is asked for by this aspect ratio; NULL: none. */
    const char *(*ratio_size)(const char *model, const char *ratio);

    /* Is a provider webhook genuine? NULL: the provider sends none. webhook_keys: address of its
     * public keys; NULL: the section's GenflowProviderHookSecret is the key. */
    gf_webhook_verdict_t (*read_webhook)(gf_provider_webhook_t *webhook,
                                         const struct gf_provider_t *provider);
    const char *webhook_keys;

    /* After a lost answer: requests the list of runs, to find ours by its seed. NULL: no such list,
     * an unknown run stays unknown. Outcomes: WORKING with the ref of the match, TRANSIENT and
     * `absent` without a match, NEXT, UNKNOWN. */
    gf_msg_t *(*reconcile)(const gf_prov_call_t *call);
    gf_msg_reader_t *read_reconcile;

    /* The JSON object that submit() sends as the run's input and that the list shows. mod_genflow
     * records a hash of each member with the attempt, before it sends. NULL: there is none. */
    const char *(*input)(const gf_prov_call_t *call);

    /* Providers that make the picture on a writer thread: writes the new file `path`. mod_genflow
     * then checks and stores the picture as any other. APR_EINVAL: the source picture cannot be
     * used; anything else: memory or the disk. Nothing was paid, so a lost run is drawn again. */
    apr_status_t (*draw)(const gf_prov_call_t *call, const char *path);

    /* Can the decoder of this kind read these image->end bytes to their end? mod_genflow has
     * recognised them and found them within GenflowAssetMaxPixels. It refuses an uploaded source
     * picture if one loaded kind returns false. */
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

/* A generation, reduced to the facts that a kind needs. */
typedef struct gf_prov_job_t {
    const char *id;
    const char *type;       /* "neo-glitch" */
    const char *prompt;     /* a preset's words included */
    const char *preset;     /* key; NULL: none */
    const char *parameters; /* JSON object: the client's and the preset's */
    const char *ref;        /* the run's name; NULL: it has none yet */
    apr_int64_t seed;       /* 0: any */
    int attempts;           /* submissions so far, this one included */
    int retries;            /* with this provider */
} gf_prov_job_t;

/* Any thread. Results live in the call's pool or in the given one. */
typedef struct gf_prov_host_t {
    gf_prov_section_t (*section)(const struct gf_provider_t *provider);
    gf_prov_job_t (*job)(const gf_prov_call_t *call);

    /* A parameter as text, whatever scalar it is, if it is within the type's bounds; NULL: none. */
    const char *(*parameter)(const gf_prov_call_t *call, const char *name);

    /* A request with the section's headers, its key as key_header says, and the accepted types.
     * part() and file() add parts of a form; a NULL value adds nothing. Set msg->body for another
     * body. */
    gf_msg_t *(*request)(const gf_prov_call_t *call, const char *method, const char *url,
                         const char *accept);
    void (*part)(gf_msg_t *msg, const char *name, const char *text);
    void (*file)(gf_msg_t *msg, const char *name, const char *path, const char *type);

    /* Is `url` in the API that the section names, or, over https, on `domain` or a host below it
     * (NULL: no such domain)? Check it before our key is sent to an address from outside. */
    bool (*owns_url)(const struct gf_provider_t *provider, const char *url, const char *domain);

    /* Zeroes the outcome. Without a whole answer it sets the outcome and returns true. */
    bool (*unanswered)(gf_outcome_t *outcome, const gf_msg_t *msg);

    /* The wait of `Retry-After`, bounded; 0: none. */
    apr_interval_time_t (*retry_after)(const gf_msg_t *msg);

    /* "head word: text" for outcome->detail, without our keys and secrets, bounded. Use it for
     * every text of a provider. NULL is "". */
    const char *(*detail)(const struct gf_provider_t *provider, apr_pool_t *pool, const char *head,
                          const char *word, const char *text);

    /* The scalar at `path` ("images/0/url") of a JSON text, as text; NULL: it is not there, or the
     * text is no JSON within mod_genflow's bounds. And a text as JSON string, with its quotes. */
    const char *(*json)(apr_pool_t *pool, const char *text, apr_size_t length, const char *path);
    const char *(*json_quote)(apr_pool_t *pool, const char *text);

    /* Type and size of the picture in an open file; false: no PNG, JPEG or WebP. image_is_plain():
     * a decoder needs no more time and memory than its pixels. Check both before you decode. */
    bool (*probe_image)(gf_image_t *image, int descriptor);
    bool (*image_is_plain)(const gf_image_t *image);
} gf_prov_host_t;

#endif

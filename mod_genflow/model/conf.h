/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as the rooms read it: filled by httpd/conf.c, frozen at the end of
 * post_config, const after. Numbers, times (microseconds), sizes (bytes) and switches are all
 * 64-bit, so that one setter serves them. */
#ifndef GF_CONF_H
#define GF_CONF_H

#include <apr_hash.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "base/bucket.h"
#include "genflow/provider.h"

struct gf_prov_kind_t;
struct gf_store_kind_t;

#define GF_UNSET APR_INT64_MIN

/* The order in which due jobs are claimed. */
typedef enum { GF_PRIORITY_LOW, GF_PRIORITY_NORMAL, GF_PRIORITY_HIGH } gf_priority_t;

/* <GenflowProvider name> */
typedef struct gf_provider_t {
    const char *name;
    const char *kind_name;
    const struct gf_prov_kind_t *kind; /* resolved from kind_name */
    const char *url;                   /* without a slash at its end */
    const char *key;                   /* the secret itself; never logged */
    apr_table_t *headers;              /* sent with every request to it */
    const char *webhook_secret;        /* verifies its webhooks; never logged */
    const char *webhook_keys;          /* address of its public keys; NULL: the kind's own */
    apr_int64_t connect_timeout;
    apr_int64_t deadline;  /* from the submission to the picture */
    apr_int64_t poll;      /* between two polls of a run */
    apr_int64_t list_wait; /* until a list without our run is believed */
    apr_int64_t backoff;   /* first wait after a transient failure; doubles */
    apr_int64_t backoff_max;
    apr_int64_t
        breaker_failures; /* in a row that open the breaker; 0: only a refused key opens it */
    apr_int64_t budget;   /* of all submissions of a day (UTC); 0: none */
    apr_int64_t price;    /* of a submission, in the budget's unit */
    apr_int64_t
        breaker_open; /* how long an open breaker lets nothing through; 0: there is no breaker */
} gf_provider_t;

/* The name on the wire of a provider's run id: "falJobId". */
typedef struct gf_ref_name_t {
    const char *kind;
    const char *name;
} gf_ref_name_t;

/* One entry of a type's chain: provider/model. */
typedef struct gf_choice_t {
    const gf_provider_t *provider;
    const char *model;      /* "" if none was named */
    gf_source_use_t source; /* does the model take a source picture? */
    int source_max;         /* and how many at a time, at least 1 */
} gf_choice_t;

/* <GenflowType name> */
typedef struct gf_type_t {
    const char *name;               /* "neo-glitch" */
    const char *prefix;             /* "neo_glitch": names its SQL functions */
    int index;                      /* place among the configured types */
    apr_array_header_t *chain_text; /* of const char *: "stability/sd3", as configured */
    apr_array_header_t *chain;      /* of gf_choice_t, resolved from chain_text; may be empty */
    const char *fallback;           /* "local/glitch", as configured; NULL: the chain decides */
    const gf_choice_t *local;       /* draws here when the user requests it; NULL: not possible */
    const char *keyless;            /* entries left out because their key is missing; NULL: none */
    apr_int64_t cost;               /* credits */
    apr_int64_t fallback_cost;      /* credits for drawing a failed generation here */
    apr_int64_t unknown_next;       /* 1: an attempt of unknown outcome may be followed by one at
                                       another provider; 0: it fails the generation */
    apr_int64_t retries;            /* per provider */
    apr_int64_t lifetime;           /* of a generation, in any state */
    apr_int64_t prompt_min;         /* characters */
    apr_int64_t prompt_max;
    apr_int64_t source;         /* gf_source_use_t: may or must a request bring a picture? */
    apr_int64_t preset_window;  /* presets that are on at a time; 0: all */
    apr_int64_t empty_fails;    /* 1: a result without a picture is a failure: next provider */
    apr_int64_t two_step;       /* 1: the type that generation/create uses if none is named */
    apr_int64_t priority_max;   /* gf_priority_t: the highest that a request may set */
    apr_array_header_t *bounds; /* of gf_bound_t: of parameters that cost money; may be NULL */
} gf_type_t;

/* How requests wait: without a thread where httpd can do that, in their thread, or not at all. */
typedef enum { GF_WATCH_PARK, GF_WATCH_BLOCK, GF_WATCH_OFF } gf_watch_mode_t;

typedef struct gf_conf_t {
    apr_int64_t dispatch; /* 1: this server works on jobs; 0: it only takes requests */
    apr_int64_t jobs_max; /* in flight per child */
    apr_int64_t writers;  /* threads per child */
    apr_int64_t lease;
    apr_int64_t poll_interval; /* between two claims */
    apr_int64_t drain;         /* what a graceful stop waits for running jobs */
    apr_int64_t body_max;
    apr_int64_t wait;             /* how long a request without Prefer waits for its picture */
    apr_int64_t watch_mode;       /* gf_watch_mode_t */
    apr_int64_t waiters_max;      /* waiting requests per child; beyond: 202 at once */
    apr_int64_t waiters_wanted;   /* as configured; no directive */
    apr_int64_t waiters_user;     /* of those, of one user */
    apr_int64_t waiters_threads;  /* of those, with a thread */
    apr_int64_t threads_user;     /* of those, of one user; no directive */
    apr_int64_t pending_lifetime; /* of a generation that is created and not started */
    apr_int64_t events;           /* how long a stream of events may last */
    apr_int64_t poll_after;       /* hint for clients: first wait between two polls; doubles ... */
    apr_int64_t poll_after_max;   /* ... up to this */
    const char
        *public_url; /* https address of the API for provider webhooks; NULL: providers send none */
    gf_rate_t limit_rate;         /* per user */
    gf_rate_t limit_address;      /* per client address */
    apr_int64_t limit_concurrent; /* live generations of a user; 0: any number */
    apr_int64_t limit_queue;      /* queued jobs of a type; 0: any number */
    apr_int64_t janitor;          /* between two runs of the janitor; 0: there is none */
    apr_int64_t janitor_jobs;     /* records of a generation, after its end */
    apr_int64_t janitor_keys;     /* idempotency keys */
    apr_int64_t janitor_media;    /* ended generations, with their pictures; 0: they stay */
    const char *store_folder;
    const char *store_url; /* public prefix of pictures, without a slash at its end */
    const char *store_kind_name;
    const struct gf_store_kind_t *store; /* resolved from store_kind_name */
    struct gf_gate_t *
        store_gate; /* can pictures be stored now? Shared by a host's children; NULL: not checked */
    const char *store_account;       /* Cloudinary's cloud name, S3's bucket */
    const char *store_key;           /* id of the key */
    const char *store_secret;        /* the key; never logged */
    const char *store_region;        /* S3 */
    const char *store_api;           /* address of its API, without a slash at its end */
    const char *store_public;        /* S3: public address of the bucket; NULL: that of the API */
    const char *store_prefix;        /* folder of the pictures there */
    const char *store_asset_folder;  /* Cloudinary: folder of the Media Library; NULL: its own */
    const char *store_upload_preset; /* Cloudinary: settings of uploads there; NULL: none */
    const char *store_thumbnail;     /* Cloudinary: transformation of thumbnailUrl; else NULL */
    apr_int64_t store_overwrite;     /* 1: a picture of the same name is replaced */
    apr_int64_t store_strict;        /* 1: a picture that cannot be stored fails its generation */
    const char *credit_day;          /* time zone of days and weeks, or "rolling" */
    apr_int64_t credit_initial;      /* first credits of a user; GF_UNSET, as the next four: none */
    apr_int64_t credit_daily;        /* granted at the first use of a day ... */
    apr_int64_t credit_daily_max;    /* ... up to this balance; GF_UNSET: credit_daily */
    apr_int64_t credit_day_limit;    /* of accounts without limits of their own; 0: no limit */
    apr_int64_t credit_week_limit;
    apr_int64_t feed_open;              /* 1: public pictures are listed without sign-in */
    apr_int64_t cloudinary_sign;        /* 1: uploads of clients to Cloudinary are signed */
    apr_int64_t reserve_lifetime;       /* of a reservation of credits */
    apr_int64_t asset_max;              /* bytes of a source picture */
    apr_int64_t asset_total;            /* bytes of all source pictures of a generation */
    apr_int64_t asset_pixels_max;       /* width x height of a source picture */
    apr_int64_t asset_lifetime;         /* of an uploaded source picture */
    apr_int64_t result_max;             /* bytes of a picture */
    apr_array_header_t *fetch_allowed;  /* apr_ipsubnet_t *: results may come from there, too */
    apr_array_header_t *source_allowed; /* the same for addresses of users */
    apr_int64_t pixels_max;             /* width x height of a picture */
    apr_array_header_t *webhook_hosts;  /* const char *: hosts that webhooks may be delivered to, as
                                           in GenflowWebhookAllow; empty: none */
    const char *webhook_secret;         /* signs webhooks to clients; never logged */
    const char *webhook_secret_old;     /* the former secret, while it is being changed; or NULL */
    apr_int64_t webhook_shared;         /* 1: it signs all users' webhooks itself */
    const char *admin_database;         /* conninfo of administration's role; NULL: it is closed */
    const char *admin_password;         /* of that role; NULL: it needs none; never logged */
    apr_int64_t webhook_timeout;        /* of one attempt to deliver */
    apr_hash_t *providers;              /* name -> gf_provider_t */
    const gf_ref_name_t *ref_names;     /* of all kinds that have one; the last has no name */
    apr_hash_t *types;                  /* name -> gf_type_t */
    apr_array_header_t *type_list;      /* of gf_type_t *, in order of configuration */
} gf_conf_t;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of the configuration: <GenflowProvider> and <GenflowType>. Filled while httpd
 * starts, then constant, as model/conf.h says of the whole. A member with a directive names it; the
 * directive begins with GenflowProvider or GenflowType. conf/genflow.conf has its meaning in full,
 * the rows in httpd/conf.c its bounds and default. Times are in microseconds. */
#ifndef GF_SECTION_H
#define GF_SECTION_H

#include <apr_tables.h>
#include <apr_time.h>

#include "genflow/provider.h"

struct gf_conf_t;

/* The order in which due jobs are claimed. */
typedef enum { GF_PRIORITY_LOW, GF_PRIORITY_NORMAL, GF_PRIORITY_HIGH } gf_priority_t;

/* <GenflowProvider name>. One instance per name, whichever types use it. */
typedef struct gf_provider_t {
    const char
        *name; /* its name in the database: "stability", of a virtual host "shop-stability" */
    const char *wire;      /* its name in the configuration and on the wire; NULL: `name` */
    const char *kind_name; /* Kind; without it the section's name is the kind's */
    const struct gf_prov_kind_t *kind; /* never NULL after httpd_conf_finish() */
    const char *url;                   /* Url, without a slash at its end; NULL: not set */

    /* Key, Header, HookSecret. Secrets are the values themselves, not env:NAME. Never log them;
     * gf_provider_redact() takes them out of a provider's texts. NULL: not set. */
    const char *key;
    apr_table_t *headers; /* sent with every request; empty: none */
    const char *webhook_secret;
    const char *webhook_keys; /* HookKeys, an address; NULL: the kind's own */

    apr_int64_t connect_timeout; /* ConnectTimeout, TLS included */

    /* Deadline, from the submission to the picture. What is not there by then fails with TIMEOUT,
     * and its credits are released. */
    apr_int64_t deadline;
    apr_int64_t poll; /* Poll, longest between two polls of a run */

    /* ListWait: how far the provider's list of runs may lag behind. A lost run counts as never
     * taken after two lists without it: one requested this time after the loss, one as much later.
     */
    apr_int64_t list_wait;

    /* Backoff, BackoffMax: the wait after a transient failure, from the first one, which doubles,
     * to the longest. A longer Retry-After counts more. */
    apr_int64_t backoff;
    apr_int64_t backoff_max;

    /* BreakerFailures: failures of a model in a row that open its breaker. 0: only a refused key or
     * account, or an unknown model, opens it. */
    apr_int64_t breaker_failures;

    /* Budget, Price: of all submissions of a day (UTC), and of one, in a unit of the operator's
     * choice. Budget 0: none. */
    apr_int64_t budget;
    apr_int64_t price;

    apr_array_header_t *costs; /* Cost: gf_cost_t (model/money.h). NULL: none */

    /* BreakerOpen: how long an open breaker lets nothing through. 0: there is no breaker. */
    apr_int64_t breaker_open;
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
    apr_uint32_t honours;   /* the parameters that it honours: bit i is that of gf_bound_name(i) */
} gf_choice_t;

/* <GenflowType name>. One instance per name. */
typedef struct gf_type_t {
    const char *name;   /* in the database: "neo-glitch", of a virtual host "shop-neo-glitch" */
    const char *wire;   /* in the configuration and on the wire; NULL: `name`. gf_type_wire() */
    const char *prefix; /* "neo_glitch": names its SQL functions */
    int index;          /* its place in gf_servers_types() */

    /* That of the server that defines it: its store, webhooks and fetches. NULL: one for all. */
    const struct gf_conf_t *conf;

    /* Label, Text: its name and description for people, of gf_language_text_t (model/language.h).
     * NULL: none. */
    apr_array_header_t *labels;
    apr_array_header_t *texts;

    /* Providers. The chain has the entries of chain_text (const char *: "stability/sd3") whose
     * provider has its key, as gf_choice_t; with GenflowDispatch Off all of them. It is empty if
     * none has: the type is closed, requests get NO_PROVIDER. */
    apr_array_header_t *chain_text;
    apr_array_header_t *chain;
    const char *keyless; /* the providers left out and why, for the log; NULL: none */

    /* Fallback, "local/glitch": the entry that draws here, at position GF_TYPE_LOCAL, when the user
     * requests that. `local` is it, or without the directive a provider that draws. NULL: no
     * provider draws. */
    const char *fallback;
    const gf_choice_t *local;

    /* Cost, FallbackCost: credits of a generation for which no price holds, and of drawing a failed
     * one here. */
    apr_int64_t cost;
    apr_int64_t fallback_cost;

    /* Unknown. 1: an attempt of unknown outcome may be followed by one at another provider, so two
     * providers may be paid. 0: it fails the generation. */
    apr_int64_t unknown_next;
    apr_int64_t retries;    /* Retries with a provider after the first attempt there */
    apr_int64_t lifetime;   /* Lifetime of a started generation, in any state */
    apr_int64_t prompt_min; /* PromptMin, characters; 0: none is needed */
    apr_int64_t prompt_max; /* PromptMax, characters */

    /* Source, a gf_source_use_t: may or must a request bring a picture? A MAY becomes NONE or MUST
     * where the models of the chain leave no choice (gf_type_source()). */
    apr_int64_t source;
    apr_int64_t preset_window; /* PresetWindow: presets that are on in a week; 0: all */
    apr_int64_t empty_fails;   /* EmptyFails. 1: no picture is a failure: next provider */
    apr_int64_t two_step;      /* TwoStep. 1: generation/create makes it if no type is named */
    apr_int64_t priority_max;  /* PriorityMax, a gf_priority_t */

    /* Parameter: gf_bound_t of parameters that cost money (model/bound.h). NULL: the directive is
     * absent. */
    apr_array_header_t *bounds;

    /* Price: gf_price_t in the order of the configuration (model/price.h). NULL: always cost. */
    apr_array_header_t *prices;
} gf_type_t;

static inline const char *gf_type_wire(const gf_type_t *type)
{
    return type->wire ? type->wire : type->name;
}

static inline const char *gf_provider_wire(const gf_provider_t *provider)
{
    return provider->wire ? provider->wire : provider->name;
}

#endif

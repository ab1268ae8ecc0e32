/* SPDX-License-Identifier: Apache-2.0 */
/* GET health: can this server work? 200 or 503, for load balancers; a word for each fault
 * (docs/troubleshooting.md); and what the providers are up to. */
#include "api/api.h"

#include <apr_strings.h>

#include "db/breaker.h"
#include "db/cause.h"
#include "db/host.h"
#include "db/ledger.h"
#include "db/site.h"
#include "httpd/glue.h"
#include "model/realm.h"
#include "model/settings.h"
#include "store/gate.h"
#include "store/store.h"

#define AMOUNTS_DIFFER "amounts_differ"

/* What the database says. The lists are NULL where it did not answer. */
typedef struct health_t {
    const gf_cause_t *cause; /* why it does not serve; NULL: it does */
    bool answers;            /* the simplest statement works */
    int version;
    const char *restored;
    apr_array_header_t *breakers, *spent, *faults;
} health_t;

/* Does a type use it? A provider without a key is in no chain. */
static bool is_usable(const gf_conf_t *conf, const gf_provider_t *provider)
{
    int i, j;

    for (i = 0; i < conf->type_list->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(conf->type_list, i, gf_type_t *);

        for (j = 0; j < type->chain->nelts; j++) {
            if (APR_ARRAY_IDX(type->chain, j, gf_choice_t).provider == provider) {
                return true;
            }
        }
    }
    return false;
}

static bool is_spent(const gf_conf_t *conf, const gf_spent_t *row)
{
    const gf_provider_t *provider =
        apr_hash_get(conf->providers, row->provider, APR_HASH_KEY_STRING);

    return provider && provider->budget && row->spent + provider->price > provider->budget;
}

/* "spent": providers whose budget of the day is spent. list: NULL when the database did not answer.
 */
static void put_spent(gf_out_t *out, const gf_req_t *req, const apr_array_header_t *list)
{
    const gf_conf_t *conf = req->conf;
    int i;

    gf_out_key(out, "spent");
    if (!list) {
        gf_out_raw(out, NULL);
        return;
    }
    gf_out_open(out, '[');
    for (i = 0; i < list->nelts; i++) {
        const gf_spent_t *row = &APR_ARRAY_IDX(list, i, gf_spent_t);

        if (is_spent(conf, row)) {
            gf_out_string(out, row->provider);
        }
    }
    gf_out_close(out, ']');
}

/* "providers": configured ones, usable ones, and those with an open breaker. breakers: NULL when
 * the database did not answer. */
static void put_providers(gf_out_t *out, gf_req_t *req, const apr_array_header_t *breakers,
                          const apr_array_header_t *spent)
{
    const gf_conf_t *conf = req->conf;
    bool one_of_many = gf_realm_scope(conf, req->r->pool) != NULL; /* others' are not shown */
    apr_hash_index_t *at;
    int usable = 0;
    int i;

    for (at = apr_hash_first(req->r->pool, conf->providers); at; at = apr_hash_next(at)) {
        usable += is_usable(conf, apr_hash_this_val(at));
    }
    gf_out_key(out, "providers");
    gf_out_open(out, '{');
    gf_out_put_int(out, "configured", (apr_int64_t)apr_hash_count(conf->providers));
    gf_out_put_int(out, "usable", usable);
    gf_out_key(out, "open");
    if (!breakers) {
        gf_out_raw(out, NULL);
    }
    else {
        gf_out_open(out, '[');
        for (i = 0; i < breakers->nelts; i++) {
            const gf_breaker_row_t *row = &APR_ARRAY_IDX(breakers, i, gf_breaker_row_t);

            if (strcmp(row->state, "open") == 0
                && (!one_of_many
                    || apr_hash_get(conf->providers, row->provider, APR_HASH_KEY_STRING))
                && strncmp(row->provider, GF_BREAKER_STORE, strlen(GF_BREAKER_STORE)) != 0) {
                gf_out_string(out, apr_pstrcat(req->r->pool, row->provider, *row->model ? "/" : "",
                                               row->model, NULL));
            }
        }
        gf_out_close(out, ']');
    }
    put_spent(out, req, spent);
    gf_out_close(out, '}');
}

/* Whether this host can store pictures; why not is the operator's to know. */
static void put_store(gf_out_t *out, const gf_conf_t *conf, bool closed)
{
    gf_out_key(out, "store");
    gf_out_open(out, '{');
    gf_out_put_string(out, "kind", conf->store->name);
    gf_out_put_string(out, "status", closed ? "unavailable" : "ok");
    gf_out_close(out, '}');
}

/* ---- faults ---- */

static void add_word(apr_array_header_t *words, const char *word)
{
    int i;

    for (i = 0; i < words->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(words, i, const char *), word) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(words, const char *) = word;
}

/* Amounts are of one site, and its fault is about their text. */
static bool is_of_site(const gf_conf_t *conf, const gf_fault_t *fault, apr_pool_t *pool)
{
    return strcmp(fault->subject, gf_settings_amounts(conf, pool)) == 0;
}

/* Does the fault concern this server? A provider has a row longer than it is configured; a budget
 * may have been raised since it was spent. */
static bool is_here(const gf_conf_t *conf, const gf_fault_t *fault, apr_pool_t *pool)
{
    const char *name;
    const gf_provider_t *provider;

    if (strcmp(fault->fault, "budget_spent") == 0) {
        return false;
    }
    if (strcmp(fault->fault, AMOUNTS_DIFFER) == 0) {
        return is_of_site(conf, fault, pool);
    }
    if (strncmp(fault->fault, "provider_", 9) != 0) {
        return true;
    }
    name = apr_pstrmemdup(pool, fault->subject, strcspn(fault->subject, "/"));
    provider = apr_hash_get(conf->providers, name, APR_HASH_KEY_STRING);
    return provider && is_usable(conf, provider);
}

/* Faults with which this server works, or works in part. */
static void add_faults(apr_array_header_t *words, gf_req_t *req, const health_t *health)
{
    const gf_conf_t *conf = req->conf;
    const char *store = gf_gate_word(req->ctx);
    int i;

    if (store) {
        add_word(words, store);
    }
    for (i = 0; health->faults && i < health->faults->nelts; i++) {
        const gf_fault_t *fault = &APR_ARRAY_IDX(health->faults, i, gf_fault_t);

        if (is_here(conf, fault, req->r->pool)) {
            add_word(words, fault->fault);
        }
    }
    for (i = 0; health->spent && i < health->spent->nelts; i++) {
        const gf_spent_t *row = &APR_ARRAY_IDX(health->spent, i, gf_spent_t);

        if (is_spent(conf, row)) {
            add_word(words, "budget_spent");
        }
    }
}

/* ---- the database ---- */

/* A failed statement has its SQLSTATE. Without a connection one of its own learns why; it counts
 * only if it is refused. */
static const gf_cause_t *cause_of(const gf_err_t *err)
{
    const gf_cause_t *cause = err->sqlstate ? gf_cause_of(err->sqlstate) : httpd_glue_cause();

    return cause ? cause : gf_cause_of(NULL);
}

static void read_database(health_t *health, gf_ctx_t *ctx)
{
    gf_err_t *err = gf_ledger_health(&health->version, ctx);

    health->answers = !err;
    if (!err && health->version < GF_SCHEMA_VERSION) {
        health->cause = gf_cause_of("42");
        return;
    }
    err = err ? err : gf_breaker_list(&health->breakers, ctx);
    err = err ? err : gf_site_restored(&health->restored, ctx);
    err = err ? err : gf_breaker_spent(&health->spent, ctx);
    err = err ? err : gf_host_faults(&health->faults, ctx);
    if (err) {
        health->cause = cause_of(err);
        gf_err_log(ctx, err);
    }
}

static apr_array_header_t *find_faults(gf_req_t *req, const health_t *health)
{
    apr_array_header_t *words = apr_array_make(req->r->pool, 4, sizeof(const char *));

    if (health->cause) {
        add_word(words, health->cause->word);
    }
    add_faults(words, req, health);
    return words;
}

static void put_words(gf_out_t *out, const char *key, const apr_array_header_t *words)
{
    int i;

    gf_out_key(out, key);
    gf_out_open(out, '[');
    for (i = 0; i < words->nelts; i++) {
        gf_out_string(out, APR_ARRAY_IDX(words, i, const char *));
    }
    gf_out_close(out, ']');
}

/* "command": what an operator runs against a fault that has one; null: there is none. */
static void put_command(gf_out_t *out, const gf_req_t *req, const apr_array_header_t *faults)
{
    const char *command = NULL;
    int i;

    for (i = 0; i < faults->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(faults, i, const char *), AMOUNTS_DIFFER) == 0) {
            command = apr_psprintf(req->r->pool, "sql/apply --credits '%s'",
                                   gf_settings_amounts(req->conf, req->r->pool));
        }
    }
    gf_out_put_string(out, "command", command);
}

/* 503 tells a load balancer that this server cannot work. It does not for a fault that all servers
 * share, unless none can answer, nor for one that leaves what is stored readable. */
gf_err_t *api_health(gf_req_t *req)
{
    bool closed = gf_gate_closed(req->ctx) != NULL;
    health_t health = { .version = 0 };
    const apr_array_header_t *faults;
    gf_out_t out;
    bool works;

    read_database(&health, req->ctx);
    faults = find_faults(req, &health);
    works = !health.cause && !health.restored;
    gf_out_init(&out, req->r->pool, 512);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "status",
                      !works                    ? "unavailable"
                      : closed || faults->nelts ? "degraded"
                                                : "ok");
    put_words(&out, "faults", faults);
    put_command(&out, req, faults);
    gf_out_put_string(&out, "database", health.answers ? "ok" : "unreachable");
    gf_out_put_int(&out, "schema", health.version);
    gf_out_put_int(&out, "schemaNeeded", GF_SCHEMA_VERSION);
    gf_out_put_string(&out, "restored", health.restored);
    put_providers(&out, req, health.breakers, health.spent);
    put_store(&out, req->conf, closed);
    gf_out_put_string(&out, "version", GENFLOW_VERSION);
    return gf_reply_send(req, &out, works ? HTTP_OK : HTTP_SERVICE_UNAVAILABLE);
}

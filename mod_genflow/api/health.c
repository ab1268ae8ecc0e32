/* SPDX-License-Identifier: Apache-2.0 */
/* GET health: is the database there and its schema new enough? 200 or 503, for load balancers and
 * people; and what the providers are up to. */
#include "api/api.h"

#include <apr_strings.h>

#include "db/breaker.h"
#include "db/ledger.h"
#include "db/site.h"
#include "store/gate.h"
#include "store/store.h"

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

/* "spent": providers whose budget of the day is spent. list: NULL when the database did not answer.
 */
static void put_spent(gf_out_t *out, const gf_req_t *req, const apr_array_header_t *list)
{
    const gf_conf_t *conf = req->api->conf;
    int i;

    gf_out_key(out, "spent");
    if (!list) {
        gf_out_raw(out, NULL);
        return;
    }
    gf_out_open(out, '[');
    for (i = 0; i < list->nelts; i++) {
        const gf_spent_t *row = &APR_ARRAY_IDX(list, i, gf_spent_t);
        const gf_provider_t *provider =
            apr_hash_get(conf->providers, row->provider, APR_HASH_KEY_STRING);

        if (provider && provider->budget && row->spent + provider->price > provider->budget) {
            gf_out_string(out, provider->name);
        }
    }
    gf_out_close(out, ']');
}

/* "providers": configured ones, usable ones, and those with an open breaker. breakers: NULL when
 * the database did not answer. */
static void put_providers(gf_out_t *out, gf_req_t *req, const apr_array_header_t *breakers,
                          const apr_array_header_t *spent)
{
    const gf_conf_t *conf = req->api->conf;
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

gf_err_t *api_health(gf_req_t *req)
{
    bool closed = gf_gate_closed(req->ctx) != NULL;
    apr_array_header_t *breakers = NULL;
    apr_array_header_t *spent = NULL;
    int version = 0;
    gf_err_t *down = gf_ledger_health(&version, req->ctx);
    gf_err_t *list_err = NULL;
    const char *restored = NULL;
    gf_out_t out;
    bool ok;

    if (!down && version >= GF_SCHEMA_VERSION) {
        list_err = gf_breaker_list(&breakers, req->ctx);
        if (!list_err) {
            list_err = gf_site_restored(&restored, req->ctx);
        }
        list_err = list_err ? list_err : gf_breaker_spent(&spent, req->ctx);
    }
    if (down || list_err) {
        gf_err_log(req->ctx, down ? down : list_err);
    }
    ok = !down && !list_err && !restored && version >= GF_SCHEMA_VERSION;
    gf_out_init(&out, req->r->pool, 512);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "status", !ok ? "unavailable" : closed ? "degraded" : "ok");
    gf_out_put_string(&out, "database", down ? "unreachable" : "ok");
    gf_out_put_int(&out, "schema", version);
    gf_out_put_int(&out, "schemaNeeded", GF_SCHEMA_VERSION);
    gf_out_put_string(&out, "restored", restored);
    put_providers(&out, req, breakers, spent);
    put_store(&out, req->api->conf, closed);
    gf_out_put_string(&out, "version", GENFLOW_VERSION);
    return gf_reply_send(req, &out, ok ? HTTP_OK : HTTP_SERVICE_UNAVAILABLE);
}

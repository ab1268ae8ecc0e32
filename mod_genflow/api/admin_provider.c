/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of providers: the configured ones, the models that types use, their budgets and
 * breakers; closing these. Keys are never shown. */
#include "api/admin.h"

#include <stdlib.h>

#include <apr_hash.h>

#include "db/admin.h"
#include "db/breaker.h"

static int by_name(const void *a, const void *b)
{
    const gf_provider_t *const *one = a;
    const gf_provider_t *const *other = b;

    return strcmp((*one)->name, (*other)->name);
}

static apr_array_header_t *sorted_providers(const gf_req_t *req)
{
    apr_hash_t *providers = req->conf->providers;
    apr_array_header_t *list =
        apr_array_make(req->r->pool, (int)apr_hash_count(providers), sizeof(gf_provider_t *));
    apr_hash_index_t *at;

    for (at = apr_hash_first(req->r->pool, providers); at; at = apr_hash_next(at)) {
        APR_ARRAY_PUSH(list, gf_provider_t *) = apr_hash_this_val(at);
    }
    qsort(list->elts, (size_t)list->nelts, (size_t)list->elt_size, by_name);
    return list;
}

/* "uses":[{"type","model"}...]: where it stands in the chains of types, in their order. */
static void put_uses(gf_out_t *out, const gf_conf_t *conf, const gf_provider_t *provider)
{
    int i;
    int j;

    gf_out_key(out, "uses");
    gf_out_open(out, '[');
    for (i = 0; i < conf->type_list->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(conf->type_list, i, gf_type_t *);

        for (j = 0; j < type->chain->nelts; j++) {
            const gf_choice_t *choice = &APR_ARRAY_IDX(type->chain, j, gf_choice_t);

            if (choice->provider == provider) {
                gf_out_open(out, '{');
                gf_out_put_string(out, "type", gf_type_wire(type));
                gf_out_put_string(out, "model", choice->model);
                gf_out_put_int(out, "position", j + 1);
                gf_out_close(out, '}');
            }
        }
    }
    gf_out_close(out, ']');
}

static void put_breakers(gf_out_t *out, const apr_array_header_t *breakers)
{
    int i;

    gf_out_key(out, "breakers");
    gf_out_open(out, '[');
    for (i = 0; i < breakers->nelts; i++) {
        const gf_breaker_row_t *row = &APR_ARRAY_IDX(breakers, i, gf_breaker_row_t);

        gf_out_open(out, '{');
        gf_out_put_string(out, "provider", row->provider);
        gf_out_put_string(out, "model", row->model);
        gf_out_put_string(out, "state", row->state);
        gf_out_put_int(out, "failures", row->failures);
        gf_out_put_string(out, "openUntil", row->open_until);
        gf_out_put_string(out, "openedAt", row->opened_at);
        gf_out_put_string(out, "reason", row->reason);
        gf_out_close(out, '}');
    }
    gf_out_close(out, ']');
}

/* "budget": what it may cost on a day, what a submission costs, and what was used today; null: it
 * has none. */
static void put_budget(gf_out_t *out, const gf_provider_t *provider,
                       const apr_array_header_t *spent)
{
    apr_int64_t used = 0;
    int i;

    gf_out_key(out, "budget");
    if (!provider->budget) {
        gf_out_raw(out, NULL);
        return;
    }
    for (i = 0; i < spent->nelts; i++) {
        const gf_spent_t *row = &APR_ARRAY_IDX(spent, i, gf_spent_t);

        if (strcmp(row->provider, provider->name) == 0) {
            used = row->spent;
        }
    }
    gf_out_open(out, '{');
    gf_out_put_int(out, "limit", provider->budget);
    gf_out_put_int(out, "price", provider->price);
    gf_out_put_int(out, "usedToday", used);
    gf_out_put_bool(out, "spent", used + provider->price > provider->budget);
    gf_out_close(out, '}');
}

gf_err_t *api_admin_providers(gf_req_t *req)
{
    apr_array_header_t *providers = sorted_providers(req);
    apr_array_header_t *breakers;
    apr_array_header_t *spent;
    gf_out_t out;
    int i;

    GF_TRY(gf_breaker_list(&breakers, req->ctx));
    GF_TRY(gf_breaker_spent(&spent, req->ctx));
    gf_reply_begin(&out, req);
    gf_out_key(&out, "providers");
    gf_out_open(&out, '[');
    for (i = 0; i < providers->nelts; i++) {
        const gf_provider_t *provider = APR_ARRAY_IDX(providers, i, gf_provider_t *);

        gf_out_open(&out, '{');
        gf_out_put_string(&out, "name", provider->name);
        gf_out_put_string(&out, "kind", provider->kind_name);
        gf_out_put_bool(&out, "hasKey", provider->key != NULL);
        put_uses(&out, req->conf, provider);
        put_budget(&out, provider, spent);
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, ']');
    put_breakers(&out, breakers);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ?model= closes the breaker of that one alone. A breaker may be left of a provider that is not
 * configured any more. */
gf_err_t *api_admin_provider_reset(gf_req_t *req)
{
    static const gf_input_field_t fields[] = {
        { .names = { "model" }, .kind = GF_INPUT_TEXT, .max = 200 }, GF_INPUT_END
    };
    gf_input_t input = api_body_query_input(req);
    const char *name = req->args[0];
    const char *model = NULL;
    gf_out_t out;
    int count;

    gf_input_read(&input, fields, &model);
    GF_TRY(gf_input_end(&input));
    GF_TRY(api_admin_read_reason(req));
    GF_TRY(gf_admin_breaker_reset(&count, req->ctx, name, model));
    if (count == 0 && !apr_hash_get(req->conf->providers, name, APR_HASH_KEY_STRING)) {
        return gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "no provider %s", name);
    }
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0174", "user=%s: closed %d breakers of %s %s",
           req->user, count, name, model ? model : "");
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "provider", name);
    gf_out_put_int(&out, "closed", count);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which settings belong to which kind. The order of sections does not count. */
#include "model/settings.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/hash.h"
#include "model/money.h"
#include "model/price.h"
#include "model/servers.h"

#define DIGITS 16 /* of a hash: it compares hosts, and defends nothing */
#define INT    "%" APR_INT64_T_FMT

static int compare_texts(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* The texts of an array in order, as one. */
static const char *sorted_text(apr_array_header_t *texts)
{
    qsort(texts->elts, (size_t)texts->nelts, sizeof(const char *), compare_texts);
    return apr_array_pstrcat(texts->pool, texts, '\n');
}

static const char *types_text(const gf_conf_t *conf, apr_pool_t *pool)
{
    const apr_array_header_t *types = gf_servers_types(conf);
    apr_array_header_t *texts = apr_array_make(pool, 16, sizeof(const char *));
    int i;

    for (i = 0; i < types->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(types, i, const gf_type_t *);

        APR_ARRAY_PUSH(texts, const char *) = apr_psprintf(
            pool, "%s " INT " " INT " " INT " %s", type->name, type->prompt_min, type->prompt_max,
            type->lifetime, type->chain_text ? apr_array_pstrcat(pool, type->chain_text, ' ') : "");
    }
    return sorted_text(texts);
}

/* The prices of a type in their order, which counts. */
static const char *rules_text(const gf_type_t *type, apr_pool_t *pool)
{
    gf_out_t out;
    int i;

    gf_out_init(&out, pool, 256);
    gf_out_open(&out, '[');
    for (i = 0; type->prices && i < type->prices->nelts; i++) {
        const gf_price_t *price = &APR_ARRAY_IDX(type->prices, i, gf_price_t);

        gf_out_open(&out, '{');
        gf_out_put_int(&out, "credits", price->credits);
        gf_out_key(&out, "terms");
        gf_price_put_terms(&out, price);
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, ']');
    return apr_pstrmemdup(pool, out.text, out.length);
}

static const char *costs_text(const gf_provider_t *provider, apr_pool_t *pool)
{
    const char *text = "";
    int i;

    for (i = 0; provider->costs && i < provider->costs->nelts; i++) {
        const gf_cost_t *cost = &APR_ARRAY_IDX(provider->costs, i, gf_cost_t);

        text =
            apr_psprintf(pool, "%s " INT " %s", text, cost->amount, cost->model ? cost->model : "");
    }
    return text;
}

static void add_providers(apr_array_header_t *texts, const gf_conf_t *conf)
{
    apr_pool_t *pool = texts->pool;
    apr_hash_index_t *at;

    for (at = apr_hash_first(pool, conf->providers); at; at = apr_hash_next(at)) {
        const gf_provider_t *provider = apr_hash_this_val(at);

        APR_ARRAY_PUSH(texts, const char *) =
            apr_psprintf(pool, "/%s " INT " " INT "%s", provider->name, provider->price,
                         provider->budget, costs_text(provider, pool));
    }
}

static const char *prices_text(const gf_conf_t *conf, apr_pool_t *pool)
{
    const apr_array_header_t *types = gf_servers_types(conf);
    const apr_array_header_t *confs = gf_servers_confs(conf, pool);
    apr_array_header_t *texts = apr_array_make(pool, 16, sizeof(const char *));
    int i;

    for (i = 0; i < types->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(types, i, const gf_type_t *);

        APR_ARRAY_PUSH(texts, const char *) =
            apr_psprintf(pool, "%s " INT " " INT " %s", type->name, type->cost, type->fallback_cost,
                         rules_text(type, pool));
    }
    for (i = 0; i < confs->nelts; i++) {
        add_providers(texts, APR_ARRAY_IDX(confs, i, const gf_conf_t *));
    }
    return sorted_text(texts);
}

static const char *or_none(const char *text)
{
    return text ? text : "";
}

/* The folder of another kind of store holds files on their way only: each host has its own. */
static const char *store_text(const gf_conf_t *conf, apr_pool_t *pool)
{
    bool is_folder = strcmp(conf->store_kind_name, "folder") == 0;

    return apr_pstrcat(pool, conf->store_kind_name, "\n",
                       is_folder ? or_none(conf->store_folder) : "", "\n", or_none(conf->store_url),
                       "\n", or_none(conf->store_account), "\n", or_none(conf->store_region), "\n",
                       or_none(conf->store_api), "\n", or_none(conf->store_public), "\n",
                       or_none(conf->store_prefix), conf->store_old ? "\n" : "",
                       conf->store_old ? store_text(conf->store_old, pool) : "", NULL);
}

static const char *day_text(const gf_conf_t *conf, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s " INT " " INT " " INT " " INT " " INT, conf->credit_day,
                        conf->credit_initial, conf->credit_daily, conf->credit_daily_max,
                        conf->credit_day_limit, conf->credit_week_limit);
}

/* ---- amounts ---- */

static const char *add_amount(const char *text, const char *name, apr_int64_t amount,
                              apr_pool_t *pool)
{
    return amount == GF_UNSET
               ? text
               : apr_psprintf(pool, "%s%s%s=" INT, text, *text ? " " : "", name, amount);
}

const char *gf_settings_amounts(const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *text = add_amount("", "initial", conf->credit_initial, pool);

    text = add_amount(text, "daily", conf->credit_daily, pool);
    text = add_amount(text, "daily_max", conf->credit_daily_max, pool);
    text = add_amount(text, "day_limit", conf->credit_day_limit, pool);
    text = add_amount(text, "week_limit", conf->credit_week_limit, pool);
    if (!*text) {
        text = "none";
    }
    else if (strcmp(conf->credit_day, "UTC") != 0) {
        text = apr_pstrcat(pool, text, " day=", conf->credit_day, NULL);
    }
    return conf->realm ? apr_pstrcat(pool, "realm=", conf->realm, " ", text, NULL) : text;
}

/* No text has a character that such an array would quote further. */
const char *gf_settings_all_amounts(const gf_conf_t *conf, apr_pool_t *pool)
{
    const apr_array_header_t *confs = gf_servers_confs(conf, pool);
    const char *all = "";
    int i;

    for (i = 0; i < confs->nelts; i++) {
        all = apr_pstrcat(pool, all, i ? ",\"" : "\"",
                          gf_settings_amounts(APR_ARRAY_IDX(confs, i, const gf_conf_t *), pool),
                          "\"", NULL);
    }
    return apr_pstrcat(pool, "{", all, "}", NULL);
}

/* ---- hashes ---- */

/* The texts of all virtual hosts: of each its realm, then its own text. */
static const char *of_all(const gf_conf_t *conf, apr_pool_t *pool,
                          const char *(*text_of)(const gf_conf_t *conf, apr_pool_t *pool))
{
    const apr_array_header_t *confs = gf_servers_confs(conf, pool);
    const char *text = text_of(conf, pool);
    int i;

    for (i = 1; i < confs->nelts; i++) {
        const gf_conf_t *one = APR_ARRAY_IDX(confs, i, const gf_conf_t *);

        text = apr_pstrcat(pool, text, "\n", one->realm, "\n", text_of(one, pool), NULL);
    }
    return text;
}

const char *gf_settings_hashes(const gf_conf_t *conf, apr_pool_t *pool)
{
    const struct {
        const char *kind;
        const char *text;
    } kinds[] = { { "types", types_text(conf, pool) },
                  { "prices", prices_text(conf, pool) },
                  { "store", of_all(conf, pool, store_text) },
                  { "day", of_all(conf, pool, day_text) } };
    const char *hashes = "";
    char hex[GF_SHA256_HEX];
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        gf_hash_sha256(hex, kinds[i].text, strlen(kinds[i].text));
        hashes = apr_psprintf(pool, "%s%s\"%s\":\"%.*s\"", hashes, i ? "," : "", kinds[i].kind,
                              DIGITS, hex);
    }
    return apr_pstrcat(pool, "{", hashes, "}", NULL);
}

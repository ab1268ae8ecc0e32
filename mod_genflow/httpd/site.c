/* SPDX-License-Identifier: Apache-2.0 */
/* A virtual host with settings is a site: it has a realm, and types and providers of its own have
 * the name realm-name in the database. Leaves defaults and checks to httpd/finish.c. */
#include "httpd/site.h"

#include <string.h>

#include <apr_strings.h>

#include "httpd/conf.h"
#include "httpd/server.h"
#include "model/servers.h"

/* ---- all configurations ---- */

/* One more configuration, whose types have their names. */
static const char *add_conf(gf_servers_t *servers, gf_conf_t *conf, apr_pool_t *pool)
{
    int i;

    conf->servers = servers;
    APR_ARRAY_PUSH(servers->confs, gf_conf_t *) = conf;
    for (i = 0; i < conf->own_types->nelts; i++) {
        gf_type_t *type = APR_ARRAY_IDX(conf->own_types, i, gf_type_t *);

        if (servers->types->nelts == HTTPD_TYPES_MAX) {
            return apr_psprintf(pool,
                                "<GenflowType %s>: there may be at most %d types, those of all "
                                "virtual hosts counted",
                                gf_type_wire(type), HTTPD_TYPES_MAX);
        }
        type->conf = conf;
        type->index = servers->types->nelts;
        APR_ARRAY_PUSH(servers->types, gf_type_t *) = type;
    }
    return NULL;
}

void httpd_site_begin(gf_conf_t *base, apr_pool_t *pool)
{
    gf_servers_t *servers = apr_pcalloc(pool, sizeof(*servers));

    servers->confs = apr_array_make(pool, 4, sizeof(gf_conf_t *));
    servers->types = apr_array_make(pool, 8, sizeof(gf_type_t *));
    base->own_types = base->type_list;
    add_conf(servers, base, pool);
}

bool httpd_site_has_types(const server_rec *base)
{
    const server_rec *server;

    for (server = base; server; server = server->next) {
        if (httpd_server_conf(server)->conf->type_list->nelts > 0) {
            return true;
        }
    }
    return false;
}

/* ---- realms ---- */

const char *httpd_site_at(const server_rec *server, const char *wrong, apr_pool_t *pool)
{
    const ap_directive_t *first = httpd_server_conf(server)->first;

    return apr_psprintf(pool, "%s:%d: <VirtualHost> with GenflowRealm %s: %s", first->filename,
                        first->line_num, httpd_server_conf(server)->conf->realm, wrong);
}

/* An earlier virtual host of the same realm; NULL: there is none. */
static server_conf_t *same_realm(server_rec *base, const server_rec *server)
{
    const char *realm = httpd_server_conf(server)->conf->realm;
    server_rec *other;

    for (other = base->next; other != server; other = other->next) {
        server_conf_t *sc = httpd_server_conf(other);

        if (sc->first && strcmp(sc->conf->realm, realm) == 0) {
            return sc;
        }
    }
    return NULL;
}

static const char *share_conf(server_rec *base, const server_rec *server, apr_pool_t *pool)
{
    server_conf_t *sc = httpd_server_conf(server);
    server_conf_t *other;

    if (!sc->conf->realm) {
        return apr_psprintf(
            pool,
            "%s:%d: %s in a <VirtualHost> needs GenflowRealm NAME there, which keeps "
            "the users and types of this site apart. Settings of all sites stand "
            "outside of <VirtualHost>",
            sc->first->filename, sc->first->line_num, sc->first->directive);
    }
    other = same_realm(base, server);
    if (!other) {
        return NULL;
    }
    if (strcmp(other->text, sc->text) != 0) {
        return apr_psprintf(
            pool,
            "GenflowRealm %s: the virtual hosts at %s:%d and %s:%d are one site, but "
            "have different Genflow directives outside of <Location>. Put them into "
            "a file that both Include",
            sc->conf->realm, other->first->filename, other->first->line_num, sc->first->filename,
            sc->first->line_num);
    }
    apr_array_cat(other->conf->models, sc->conf->models);
    sc->conf = other->conf;
    return NULL;
}

const char *httpd_site_share(server_rec *base, apr_pool_t *pool)
{
    const char *wrong = NULL;
    server_rec *server;

    for (server = base->next; server && !wrong; server = server->next) {
        if (httpd_server_conf(server)->first) {
            wrong = share_conf(base, server, pool);
        }
    }
    return wrong;
}

/* ---- names ---- */

static const char *full_name(const gf_conf_t *conf, const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, conf->realm, "-", name, NULL);
}

static const char *name_type(gf_type_t *type, const gf_conf_t *conf, const gf_conf_t *base,
                             apr_pool_t *pool)
{
    char *prefix;

    type->wire = type->name;
    type->name = full_name(conf, type->wire, pool);
    if (strlen(type->name) > HTTPD_TYPE_NAME_MAX) {
        return apr_psprintf(pool,
                            "<GenflowType %s>: its name in the database, %s, is longer than %d "
                            "characters: shorten the realm or the name",
                            type->wire, type->name, HTTPD_TYPE_NAME_MAX);
    }
    if (gf_servers_type(base, type->name)) {
        return apr_psprintf(
            pool,
            "<GenflowType %s>: its name in the database, %s, is that of another type: "
            "rename one of them",
            type->wire, type->name);
    }
    type->prefix = prefix = apr_pstrdup(pool, type->name);
    while ((prefix = strchr(prefix, '-'))) {
        *prefix = '_';
    }
    return NULL;
}

/* Its own types hide those of the main server. */
static const char *merge_types(gf_conf_t *conf, const gf_conf_t *base, apr_pool_t *pool)
{
    const char *wrong = NULL;
    int i;

    conf->own_types = conf->type_list;
    conf->type_list = apr_array_copy(pool, conf->own_types);
    for (i = 0; i < conf->own_types->nelts && !wrong; i++) {
        wrong = name_type(APR_ARRAY_IDX(conf->own_types, i, gf_type_t *), conf, base, pool);
    }
    for (i = 0; i < base->own_types->nelts; i++) {
        gf_type_t *type = APR_ARRAY_IDX(base->own_types, i, gf_type_t *);

        if (!apr_hash_get(conf->types, type->name, APR_HASH_KEY_STRING)) {
            apr_hash_set(conf->types, type->name, APR_HASH_KEY_STRING, type);
            APR_ARRAY_PUSH(conf->type_list, gf_type_t *) = type;
        }
    }
    return wrong;
}

/* The main server's types use its providers still. */
static const char *merge_providers(gf_conf_t *conf, const gf_conf_t *base, apr_pool_t *pool)
{
    apr_hash_t *own = conf->providers;
    apr_hash_index_t *at;

    conf->providers = apr_hash_copy(pool, base->providers);
    for (at = apr_hash_first(pool, own); at; at = apr_hash_next(at)) {
        gf_provider_t *provider = apr_hash_this_val(at);

        provider->wire = provider->name;
        provider->name = full_name(conf, provider->wire, pool);
        if (gf_servers_provider(base, provider->name)) {
            return apr_psprintf(pool,
                                "<GenflowProvider %s>: its name in the database, %s, is that of "
                                "another provider: rename one of them",
                                provider->wire, provider->name);
        }
        apr_hash_set(conf->providers, provider->name, APR_HASH_KEY_STRING, provider);
    }
    return NULL;
}

/* ---- settings ---- */

static void inherit_rate(gf_rate_t *rate, const gf_rate_t *base)
{
    if (!rate->every) {
        *rate = *base;
    }
}

static void inherit_list(apr_array_header_t **list, apr_array_header_t *base)
{
    if ((*list)->nelts == 0) {
        *list = base;
    }
}

const char *httpd_site_merge(gf_conf_t *conf, const gf_conf_t *base, apr_pool_t *pool)
{
    const char *wrong = merge_providers(conf, base, pool);

    if (!conf->store_old && !conf->store_kind_name) {
        conf->store_old = base->store_old;
    }
    httpd_conf_inherit(conf, base);
    inherit_rate(&conf->limit_rate, &base->limit_rate);
    inherit_rate(&conf->limit_address, &base->limit_address);
    inherit_rate(&conf->limit_key, &base->limit_key);
    inherit_list(&conf->fetch_allowed, base->fetch_allowed);
    inherit_list(&conf->source_allowed, base->source_allowed);
    inherit_list(&conf->webhook_hosts, base->webhook_hosts);
    if (!conf->currency) {
        conf->currency = base->currency;
        conf->credit_value = base->credit_value;
    }
    conf->waiters_wanted = base->waiters_wanted;
    conf->threads_user = base->threads_user;
    conf->has_keys = base->has_keys;
    wrong = wrong ? wrong : merge_types(conf, base, pool);
    return wrong ? wrong : add_conf(base->servers, conf, pool);
}

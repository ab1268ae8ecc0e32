/* SPDX-License-Identifier: Apache-2.0 */
/* Finds configurations, types and providers of all virtual hosts. httpd/site.c makes them. */
#include "model/servers.h"

#include <string.h>

#include <apr_strings.h>

const apr_array_header_t *gf_servers_confs(const gf_conf_t *conf, apr_pool_t *pool)
{
    apr_array_header_t *alone;

    if (conf->servers) {
        return conf->servers->confs;
    }
    alone = apr_array_make(pool, 1, sizeof(const gf_conf_t *));
    APR_ARRAY_PUSH(alone, const gf_conf_t *) = conf;
    return alone;
}

const apr_array_header_t *gf_servers_types(const gf_conf_t *conf)
{
    return conf->servers ? conf->servers->types : conf->type_list;
}

const apr_array_header_t *gf_servers_own_types(const gf_conf_t *conf)
{
    return conf->own_types ? conf->own_types : conf->type_list;
}

const gf_type_t *gf_servers_type(const gf_conf_t *conf, const char *name)
{
    const apr_array_header_t *types = gf_servers_types(conf);
    int i;

    for (i = 0; i < types->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(types, i, const gf_type_t *);

        if (strcmp(type->name, name) == 0) {
            return type;
        }
    }
    return NULL;
}

const gf_type_t *gf_servers_shown_type(const gf_conf_t *conf, const char *name)
{
    const gf_type_t *type = gf_servers_type(conf, name);
    bool shown = type
                 && (!type->conf || type->conf == conf
                     || type->conf == APR_ARRAY_IDX(conf->servers->confs, 0, const gf_conf_t *));

    return shown ? type : NULL;
}

const gf_provider_t *gf_servers_provider(const gf_conf_t *conf, const char *name)
{
    const gf_provider_t *found = apr_hash_get(conf->providers, name, APR_HASH_KEY_STRING);
    int i;

    for (i = 0; !found && conf->servers && i < conf->servers->confs->nelts; i++) {
        const gf_conf_t *one = APR_ARRAY_IDX(conf->servers->confs, i, const gf_conf_t *);

        found = apr_hash_get(one->providers, name, APR_HASH_KEY_STRING);
    }
    return found;
}

const char *gf_servers_provider_wire(const gf_conf_t *conf, const char *name)
{
    const gf_provider_t *provider =
        name && conf && conf->servers ? gf_servers_provider(conf, name) : NULL;

    return provider ? gf_provider_wire(provider) : name;
}

const char *gf_servers_type_wire(const gf_conf_t *conf, const char *name)
{
    const gf_type_t *type = name ? gf_servers_type(conf, name) : NULL;

    return type ? gf_type_wire(type) : name;
}

const char *gf_servers_types_wire(const gf_conf_t *conf, const char *names, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, names);
    const char *words = "";
    char *state = NULL;
    char *name;

    for (name = names ? apr_strtok(text, " ", &state) : NULL; name;
         name = apr_strtok(NULL, " ", &state)) {
        words = apr_pstrcat(pool, words, *words ? " " : "", gf_servers_type_wire(conf, name), NULL);
    }
    return names ? words : NULL;
}

const gf_conf_t *gf_servers_of_type(const gf_conf_t *conf, const gf_type_t *type)
{
    return type && type->conf ? type->conf : conf;
}

const gf_conf_t *gf_servers_first(const gf_conf_t *conf)
{
    int i;

    for (i = 0; conf->servers && i < conf->servers->confs->nelts; i++) {
        const gf_conf_t *one = APR_ARRAY_IDX(conf->servers->confs, i, const gf_conf_t *);

        if (one->own_types->nelts > 0) {
            return one;
        }
    }
    return conf;
}

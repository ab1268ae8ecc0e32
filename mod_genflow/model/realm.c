/* SPDX-License-Identifier: Apache-2.0 */
/* Identities: realm, mark, name. */
#include "model/realm.h"

#include <string.h>

#include <apr_strings.h>

#include "model/servers.h"

bool gf_realm_takes(const char *name)
{
    while (*name && (unsigned char)*name >= ' ' && *name != 0x7f) {
        name++;
    }
    return *name == '\0';
}

const char *gf_realm_identity(const gf_conf_t *conf, const char *name, apr_pool_t *pool)
{
    return conf->realm && name ? apr_psprintf(pool, "%s%c%s", conf->realm, GF_REALM_MARK, name)
                               : name;
}

const char *gf_realm_scope(const gf_conf_t *conf, apr_pool_t *pool)
{
    bool has_realms = conf->servers && conf->servers->confs->nelts > 1;

    return has_realms ? apr_psprintf(pool, "%s%c", conf->realm ? conf->realm : "", GF_REALM_MARK)
                      : NULL;
}

const char *gf_realm_name(const char *identity)
{
    const char *mark = identity ? strchr(identity, GF_REALM_MARK) : NULL;

    return mark ? mark + 1 : identity;
}

/* NULL: no realm. */
static bool has_realm(const char *identity, const char *realm)
{
    const char *mark = strchr(identity, GF_REALM_MARK);
    size_t length = realm ? strlen(realm) : 0;

    return realm ? mark == identity + length && strncmp(identity, realm, length) == 0 : !mark;
}

bool gf_realm_is(const gf_conf_t *conf, const char *identity)
{
    return has_realm(identity, conf->realm);
}

const gf_conf_t *gf_realm_conf(const gf_conf_t *conf, const char *identity)
{
    int i;

    for (i = 1; conf->servers && identity && i < conf->servers->confs->nelts; i++) {
        const gf_conf_t *one = APR_ARRAY_IDX(conf->servers->confs, i, const gf_conf_t *);

        if (has_realm(identity, one->realm)) {
            return one;
        }
    }
    return conf;
}

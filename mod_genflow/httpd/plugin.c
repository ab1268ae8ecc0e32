/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the kinds of other modules in httpd's registry, and refuses what was compiled against
 * another version of genflow/. What a kind may call is in provider/host.c and store/host.c. */
#include "httpd/plugin.h"

#include <string.h>

#include <ap_provider.h>
#include <apr_strings.h>

#include "provider/provider.h"
#include "store/store.h"

/* ---- the registry ---- */

/* NULL: a group of others. */
static const char *version_of(const char *group)
{
    static const struct {
        const char *group, *version;
    } ours[] = { { GENFLOW_PROVIDER_GROUP, GENFLOW_PROVIDER_VERSION },
                 { GENFLOW_STORE_GROUP, GENFLOW_STORE_VERSION },
                 { GENFLOW_THUMBNAIL_GROUP, GENFLOW_THUMBNAIL_VERSION } };
    size_t i;

    for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strcmp(ours[i].group, group) == 0) {
            return ours[i].version;
        }
    }
    return NULL;
}

static const apr_array_header_t *names_of(const char *group, const char *version, apr_pool_t *pool)
{
    return ap_list_provider_names(pool, group, version);
}

static const char *name_at(const apr_array_header_t *names, int i)
{
    return APR_ARRAY_IDX(names, i, ap_list_provider_names_t).provider_name;
}

const gf_prov_kind_t *httpd_plugin_provider(const char *name)
{
    return ap_lookup_provider(GENFLOW_PROVIDER_GROUP, name, GENFLOW_PROVIDER_VERSION);
}

const gf_store_kind_t *httpd_plugin_store(const char *name)
{
    return ap_lookup_provider(GENFLOW_STORE_GROUP, name, GENFLOW_STORE_VERSION);
}

const gf_thumbnail_kind_t *httpd_plugin_thumbnails(apr_pool_t *scratch_pool)
{
    const apr_array_header_t *names =
        names_of(GENFLOW_THUMBNAIL_GROUP, GENFLOW_THUMBNAIL_VERSION, scratch_pool);

    return names->nelts ? ap_lookup_provider(GENFLOW_THUMBNAIL_GROUP, name_at(names, 0),
                                             GENFLOW_THUMBNAIL_VERSION)
                        : NULL;
}

const char *httpd_plugin_names(const char *group, apr_pool_t *pool)
{
    const apr_array_header_t *names = names_of(group, version_of(group), pool);
    const char *listed = "";
    int i;

    for (i = 0; i < names->nelts; i++) {
        listed = apr_pstrcat(pool, listed, ", ", name_at(names, i), NULL);
    }
    return listed;
}

/* ---- the start ---- */

/* Modules that were compiled against another version of genflow/. */
static const char *other_versions(apr_pool_t *pool)
{
    const apr_array_header_t *groups = ap_list_provider_groups(pool);
    int i;

    for (i = 0; i < groups->nelts; i++) {
        const ap_list_provider_groups_t *one = &APR_ARRAY_IDX(groups, i, ap_list_provider_groups_t);
        const char *group = one->provider_group;

        if (version_of(group) && strcmp(one->provider_version, version_of(group)) != 0) {
            return apr_psprintf(
                pool,
                "%s `%s` comes from a module that was compiled against version %s of that "
                "interface, but this mod_genflow has version %s: compile the module again with "
                "the genflow/module.h of this version, or take its LoadModule line out",
                group, name_at(names_of(group, one->provider_version, pool), 0),
                one->provider_version, version_of(group));
        }
    }
    return NULL;
}

static const char *wrong_kind(const char *group, const char *name, const char *why,
                              apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s `%s` of another module cannot work: %s", group, name, why);
}

static const char *begin_providers(apr_pool_t *pool)
{
    const apr_array_header_t *names =
        names_of(GENFLOW_PROVIDER_GROUP, GENFLOW_PROVIDER_VERSION, pool);
    int i;

    for (i = 0; i < names->nelts; i++) {
        const gf_prov_kind_t *kind = httpd_plugin_provider(name_at(names, i));
        const char *why = gf_provider_wrong(kind, pool);

        if (why) {
            return wrong_kind(GENFLOW_PROVIDER_GROUP, kind->name, why, pool);
        }
        if (kind->begin) {
            kind->begin(&gf_provider_host);
        }
    }
    return NULL;
}

static const char *begin_stores(apr_pool_t *pool)
{
    const apr_array_header_t *names = names_of(GENFLOW_STORE_GROUP, GENFLOW_STORE_VERSION, pool);
    int i;

    for (i = 0; i < names->nelts; i++) {
        const gf_store_kind_t *kind = httpd_plugin_store(name_at(names, i));
        const char *why = gf_store_wrong(kind, pool);

        if (why) {
            return wrong_kind(GENFLOW_STORE_GROUP, kind->name, why, pool);
        }
        if (kind->begin) {
            kind->begin(&gf_store_host);
        }
    }
    return NULL;
}

static void begin_thumbnails(apr_pool_t *pool)
{
    const gf_thumbnail_kind_t *kind = httpd_plugin_thumbnails(pool);

    if (kind && kind->begin) {
        kind->begin(&gf_provider_host);
    }
}

const char *httpd_plugin_begin(apr_pool_t *pool)
{
    const char *wrong = other_versions(pool);

    wrong = wrong ? wrong : begin_providers(pool);
    wrong = wrong ? wrong : begin_stores(pool);
    if (!wrong) {
        begin_thumbnails(pool);
    }
    return wrong;
}

/* ---- requests ---- */

bool httpd_plugin_decodes(const gf_image_t *image, const void *bytes, apr_pool_t *scratch_pool)
{
    const apr_array_header_t *names =
        names_of(GENFLOW_PROVIDER_GROUP, GENFLOW_PROVIDER_VERSION, scratch_pool);
    int i;

    for (i = 0; i < names->nelts; i++) {
        const gf_prov_kind_t *kind = httpd_plugin_provider(name_at(names, i));

        if (kind->decodes) {
            return kind->decodes(image, bytes);
        }
    }
    return true;
}

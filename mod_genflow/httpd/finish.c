/* SPDX-License-Identifier: Apache-2.0 */
/* The last step of reading the configuration: defaults, names resolved to what they name, and every
 * check that needs more than one directive. The rows of single directives are in httpd/conf.c.
 * Start-up only; the configuration is frozen after it. */
#include "httpd/finish.h"

#include <string.h>

#include <apr_strings.h>

#include "db/admin_connections.h"
#include "httpd/conf.h"
#include "httpd/dir.h"
#include "httpd/glue.h"
#include "httpd/limits.h"
#include "httpd/models.h"
#include "httpd/plugin.h"
#include "httpd/setters.h"
#include "httpd/site.h"
#include "httpd/studio.h"
#include "httpd/waiting.h"
#include "model/bound.h"
#include "model/price.h"
#include "model/type.h"
#include "provider/provider.h"
#include "store/store.h"

/* Cloudinary's, of GenflowStoreThumbnail On. */
#define TRANSFORMATION "c_limit,w_384,h_384,f_auto,q_auto"

/* `none` is the Off of earlier versions, which had a transformation alone. */
static const char *finish_thumbnails(gf_conf_t *conf, apr_pool_t *pool)
{
    const char *word = conf->store_thumbnail;
    bool off = ap_cstr_casecmp(word, "Off") == 0 || strcmp(word, "none") == 0;
    bool on = ap_cstr_casecmp(word, "On") == 0;
    bool transforms = conf->store == &gf_store_cloudinary;

    if (!on && !off && !transforms) {
        return apr_psprintf(pool,
                            "GenflowStoreThumbnail %s: must be On or Off; a transformation is for "
                            "GenflowStoreKind cloudinary",
                            word);
    }
    conf->thumbnails =
        (gf_thumbnails_t){ .folder_url = conf->store_url, .place = gf_store_place(conf, pool) };
    if (!off) {
        conf->thumbnails.kind = httpd_plugin_thumbnails(pool);
    }
    if (!off && transforms) {
        conf->thumbnails.transformation = on ? TRANSFORMATION : word;
    }
    return NULL;
}

/* Its kind, and what that needs. */
static const char *finish_store_kind(gf_conf_t *conf, apr_pool_t *pool)
{
    const char *missing;

    conf->store = gf_store_kind(conf->store_kind_name);
    conf->store = conf->store ? conf->store : httpd_plugin_store(conf->store_kind_name);
    if (!conf->store) {
        return apr_psprintf(pool, "GenflowStoreKind %s: must be one of " GF_STORE_KIND_NAMES "%s",
                            conf->store_kind_name, httpd_plugin_names(GENFLOW_STORE_GROUP, pool));
    }
    if (conf->own_types->nelts == 0) {
        return NULL;
    }
    if (!conf->store_folder) {
        return "GenflowStoreFolder is missing: name a folder that httpd's user may write, for the "
               "pictures";
    }
    missing = conf->store->check ? conf->store->check(conf, pool) : NULL;
    return missing ? apr_psprintf(pool, "GenflowStoreKind %s: %s", conf->store->name, missing)
                   : finish_thumbnails(conf, pool);
}

static bool are_same(const char *one, const char *other)
{
    return strcmp(one ? one : "", other ? other : "") == 0;
}

/* The same objects, though browsers may have another address of them: what is moved from there
 * would be removed with its old copy. */
static bool is_same_place(const gf_conf_t *old, const gf_conf_t *conf)
{
    return old->store == conf->store && are_same(old->store_api, conf->store_api)
           && are_same(old->store_account, conf->store_account)
           && are_same(old->store_prefix, conf->store_prefix);
}

/* The mistake in <GenflowStoreOld> beside what its kind needs. */
static const char *wrong_old_store(const gf_conf_t *old, const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *address = old->store->put ? NULL : gf_store_address(old, pool);
    const char *current = gf_store_address(conf, pool);

    if (old->store->put) {
        return "GenflowStoreKind folder: pictures in GenflowStoreFolder are found without this "
               "section; name s3 or cloudinary, or remove the section";
    }
    if (!old->store->remove) {
        return "GenflowStoreKind: this kind cannot remove pictures, so that none can be moved";
    }
    if (!address) {
        return "GenflowStorePublicUrl is missing: what the addresses of its pictures begin with";
    }
    return is_same_place(old, conf) || (current && strcmp(address, current) == 0)
               ? apr_psprintf(pool, "it is the current store: %s", address)
               : NULL;
}

static const char *finish_store(gf_conf_t *conf, apr_pool_t *pool)
{
    const char *wrong = finish_store_kind(conf, pool);
    gf_conf_t *old;

    if (wrong || !conf->store_old) {
        return wrong;
    }
    old = httpd_conf_old_store(conf, pool);
    conf->store_old = old;
    wrong = finish_store_kind(old, pool);
    if (!wrong && conf->own_types->nelts > 0) {
        wrong = wrong_old_store(old, conf, pool);
    }
    return wrong ? apr_psprintf(pool, "<GenflowStoreOld>: %s", wrong) : NULL;
}

static const gf_prov_kind_t *kind_of(const char *name)
{
    const gf_prov_kind_t *kind = gf_provider_kind(name);

    return kind ? kind : httpd_plugin_provider(name);
}

/* A header of the section that is the one of the kind's key would replace the key. */
static const char *wrong_header(const gf_provider_t *provider, apr_pool_t *pool)
{
    const char *header = provider->kind->key_header;

    return header && apr_table_get(provider->headers, header)
               ? apr_psprintf(pool,
                              "<GenflowProvider %s>: GenflowProviderHeader %s: this header carries "
                              "its key; use GenflowProviderKey",
                              gf_provider_wire(provider), header)
               : NULL;
}

static const char *finish_providers(gf_conf_t *conf, apr_pool_t *pool)
{
    apr_hash_index_t *at;
    const char *wrong;

    conf->ref_names = gf_provider_ref_names(pool);
    for (at = apr_hash_first(pool, conf->providers); at; at = apr_hash_next(at)) {
        gf_provider_t *provider = apr_hash_this_val(at);

        httpd_conf_defaults(pool, provider, IN_PROVIDER);
        provider->kind =
            kind_of(provider->kind_name ? provider->kind_name : gf_provider_wire(provider));
        if (!provider->kind) {
            return apr_psprintf(pool,
                                "<GenflowProvider %s>: GenflowProviderKind %s: must be one "
                                "of " GF_PROVIDER_KIND_NAMES "%s",
                                gf_provider_wire(provider),
                                provider->kind_name ? provider->kind_name : "(missing)",
                                httpd_plugin_names(GENFLOW_PROVIDER_GROUP, pool));
        }
        provider->kind_name = provider->kind->name;
        if ((wrong = wrong_header(provider, pool))) {
            return wrong;
        }
        if (provider->budget && provider->price > provider->budget) {
            return apr_psprintf(pool,
                                "<GenflowProvider %s>: GenflowProviderPrice is larger than "
                                "GenflowProviderBudget: nothing could be sent",
                                gf_provider_wire(provider));
        }
    }
    return NULL;
}

static const char *wrong_model(const gf_choice_t *choice, apr_pool_t *pool)
{
    const gf_prov_kind_t *kind = choice->provider->kind;

    return kind->check_model ? kind->check_model(choice->model, pool) : NULL;
}

static void set_source_use(gf_choice_t *choice)
{
    const gf_prov_kind_t *kind = choice->provider->kind;
    int most = kind->source_max ? kind->source_max(choice->model) : 1;

    choice->source = kind->source ? kind->source(choice->model) : GF_SOURCE_NONE;
    choice->source_max = most > 0 ? most : 1;
}

static void set_honours(gf_choice_t *choice)
{
    const gf_prov_kind_t *kind = choice->provider->kind;
    const char *name;
    int i;

    for (i = 0; (name = gf_bound_name(i)); i++) {
        if (!kind->honours || kind->honours(choice->model, name)) {
            choice->honours |= 1U << i;
        }
    }
}

/* Only providers that a type uses must be complete, and a key may be absent: the shipped types name
 * providers that not every site has. Their links are left out; a type that has no other is closed.
 * A server that does not work on jobs sends nothing, and needs no key. */
static const char *finish_chain(gf_type_t *type, const gf_conf_t *conf, apr_pool_t *pool)
{
    const apr_array_header_t *named = type->chain;
    const gf_provider_t *last = NULL;
    int i;

    type->chain = apr_array_make(pool, named->nelts, sizeof(gf_choice_t));
    for (i = 0; i < named->nelts; i++) {
        gf_choice_t *choice = &APR_ARRAY_IDX(named, i, gf_choice_t);
        const gf_provider_t *provider = choice->provider;
        const char *missing = provider->kind->check ? provider->kind->check(provider, pool) : NULL;
        const char *unknown = wrong_model(choice, pool);

        if (unknown) {
            return apr_psprintf(pool, "<GenflowType %s>: GenflowTypeProviders %s/%s: %s",
                                gf_type_wire(type), gf_provider_wire(provider), choice->model,
                                unknown);
        }
        set_source_use(choice);
        set_honours(choice);
        if (missing && (provider->key || !provider->url)) {
            return apr_psprintf(pool, "<GenflowProvider %s>, which <GenflowType %s> uses: %s",
                                gf_provider_wire(provider), gf_type_wire(type), missing);
        }
        if (!missing || !conf->dispatch) {
            APR_ARRAY_PUSH(type->chain, gf_choice_t) = *choice;
        }
        else if (provider != last) {
            last = provider;
            type->keyless =
                apr_pstrcat(pool, type->keyless ? type->keyless : "", type->keyless ? "; " : "",
                            gf_provider_wire(provider), ": ", missing, NULL);
        }
    }
    return NULL;
}

/* The chain entry that draws here when a user requests it: as configured, else an entry of the
 * chain, else the first provider that draws. */
static const char *finish_fallback(gf_type_t *type, const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *slash = type->fallback ? strchr(type->fallback, '/') : NULL;
    gf_choice_t *choice;
    const char *wrong;

    if (!type->fallback) {
        type->local = gf_provider_local(type, conf, pool);
        return NULL;
    }
    choice = apr_pcalloc(pool, sizeof(*choice));
    choice->provider = gf_type_provider(
        conf,
        slash ? apr_pstrmemdup(pool, type->fallback, (apr_size_t)(slash - type->fallback))
              : type->fallback,
        pool);
    choice->model = slash ? slash + 1 : "";
    wrong = !choice->provider || !choice->provider->kind->draw
                ? "needs a <GenflowProvider> that draws here, as `local` does"
                : wrong_model(choice, pool);
    if (wrong) {
        return apr_psprintf(pool, "<GenflowType %s>: GenflowTypeFallback %s: %s",
                            gf_type_wire(type), type->fallback, wrong);
    }
    set_source_use(choice);
    set_honours(choice);
    type->local = choice;
    return NULL;
}

static const char *finish_type(gf_type_t *type, gf_conf_t *conf, apr_pool_t *pool)
{
    const char *wrong;

    httpd_conf_defaults(pool, type, IN_TYPE);
    if (type->prompt_min > type->prompt_max) {
        return apr_psprintf(
            pool, "<GenflowType %s>: GenflowTypePromptMin is larger than GenflowTypePromptMax",
            gf_type_wire(type));
    }
    wrong = gf_type_resolve(type, conf, pool);
    if (!wrong) {
        wrong = finish_chain(type, conf, pool);
    }
    if (!wrong) {
        wrong = finish_fallback(type, conf, pool);
    }
    if (!wrong) {
        wrong = gf_price_wrong(type, pool);
    }
    return wrong ? wrong : gf_type_source(type, pool);
}

/* ---- administration ---- */

static const char *finish_administration(const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *wrong =
        conf->admin_database ? gf_admin_connections_wrong(conf->admin_database, pool) : NULL;

    if (conf->admin_password && !conf->admin_database) {
        return "GenflowAdminPassword is given without GenflowAdminDatabase: name there the "
               "database and the role that sql/apply --admin-role made";
    }
    return wrong ? apr_pstrcat(pool, "GenflowAdminDatabase: ", wrong, NULL) : NULL;
}

/* The first SetHandler of that name among these directives and inside of their sections. */
static const ap_directive_t *mount_of(const ap_directive_t *at, const char *handler,
                                      apr_pool_t *pool)
{
    const ap_directive_t *found = NULL;

    for (; at && !found; at = at->next) {
        const char *args = at->args;

        if (ap_cstr_casecmp(at->directive, "SetHandler") == 0
            && strcmp(ap_getword_conf(pool, &args), handler) == 0) {
            return at;
        }
        found = mount_of(at->first_child, handler, pool);
    }
    return found;
}

const char *httpd_conf_closed_administration(const server_rec *server, apr_pool_t *pool)
{
    const ap_directive_t *mount = httpd_conf_get(server)->admin_database
                                      ? NULL
                                      : mount_of(ap_conftree, "genflow-admin", pool);

    return mount ? apr_psprintf(pool,
                                "SetHandler genflow-admin (%s:%d) is closed, because "
                                "GenflowAdminDatabase is missing. Run sql/apply --role (the role "
                                "of DBDParams) --admin-role NAME, give NAME a password, and add "
                                "GenflowAdminDatabase \"... user=NAME\" and GenflowAdminPassword "
                                "file:PATH",
                                mount->filename, mount->line_num)
                 : NULL;
}

/* ---- the studio ---- */

static const char *finish_studio(gf_conf_t *conf, apr_pool_t *pool)
{
    const ap_directive_t *mount = mount_of(ap_conftree, "genflow-studio", pool);
    const char *wrong = mount ? httpd_studio_read(&conf->studio, conf, pool) : NULL;

    if (!mount && mount_of(ap_conftree, "genflow-admin", pool)) {
        httpd_studio_read(&conf->studio, conf, pool); /* without it, administration has no page */
    }
    return wrong ? apr_psprintf(pool, "%s:%d: SetHandler genflow-studio: %s", mount->filename,
                                mount->line_num, wrong)
                 : NULL;
}

/* ---- all of it ---- */

/* Does a directive of the configuration sign requests in by API keys (api/authn.h)? AuthType and
 * AuthBasicProvider are of other modules, and may stand in any section. */
static bool names_keys(const ap_directive_t *directive)
{
    for (; directive; directive = directive->next) {
        bool type = strcasecmp(directive->directive, "AuthType") == 0;
        bool provider = strcasecmp(directive->directive, "AuthBasicProvider") == 0;

        if ((type && ap_strcasestr(directive->args, "GenflowKey"))
            || (provider && ap_strcasestr(directive->args, "genflow"))
            || names_keys(directive->first_child)) {
            return true;
        }
    }
    return false;
}

/* What each virtual host with settings may have of its own. */
static const char *finish_site(gf_conf_t *conf, apr_pool_t *pool)
{
    const char *wrong = httpd_setters_day(conf->credit_day, pool);
    int i;

    wrong = wrong ? wrong : httpd_setters_webhooks(conf, pool);
    wrong = wrong ? wrong : finish_providers(conf, pool);
    for (i = 0; !wrong && i < conf->own_types->nelts; i++) {
        wrong = finish_type(APR_ARRAY_IDX(conf->own_types, i, gf_type_t *), conf, pool);
    }
    wrong = wrong ? wrong : gf_type_only_two_step(conf, pool);
    wrong = wrong ? wrong : httpd_models_finish(conf, pool);
    wrong = wrong ? wrong : finish_store(conf, pool);
    wrong = wrong ? wrong : finish_studio(conf, pool);
    if (!wrong && conf->cloudinary_sign && strcmp(conf->store_kind_name, "cloudinary") != 0) {
        wrong =
            "GenflowCloudinarySign On: needs GenflowStoreKind cloudinary, whose account and keys "
            "sign the uploads";
    }
    if (!wrong && conf->cloudinary_sign && !conf->limit_rate.every) {
        wrong =
            "GenflowCloudinarySign On: needs GenflowLimitRate, or a user may store any number of "
            "pictures there";
    }
    return wrong;
}

/* What is one for all virtual hosts, and the main server's site. */
static const char *finish_main(gf_conf_t *conf, const server_rec *server, apr_pool_t *pool)
{
    const char *wrong = NULL;

    httpd_conf_defaults(pool, conf, IN_HTTPD);
    httpd_conf_defaults(pool, conf, IN_SERVER);
    httpd_conf_defaults(pool, conf, IN_STORE);
    httpd_limits_defaults(conf);
    conf->has_keys = names_keys(ap_conftree);
    if (httpd_site_has_types(server)) {
        wrong = httpd_waiting_finish(conf, pool);
    }
    httpd_site_begin(conf, pool);
    wrong = wrong ? wrong : finish_administration(conf, pool);
    wrong = wrong ? wrong : httpd_plugin_begin(pool);
    return wrong ? wrong : finish_site(conf, pool);
}

const char *httpd_conf_finish(server_rec *server, apr_pool_t *pool)
{
    gf_conf_t *main_conf = httpd_server_conf(server)->conf;
    const char *wrong = httpd_site_share(server, pool);
    server_rec *host;

    wrong = wrong ? wrong : finish_main(main_conf, server, pool);
    for (host = server->next; host && !wrong; host = host->next) {
        gf_conf_t *conf = httpd_server_conf(host)->conf;

        if (!conf->servers) {
            wrong = httpd_site_merge(conf, main_conf, pool);
            wrong = wrong ? wrong : finish_site(conf, pool);
            wrong = wrong ? httpd_site_at(host, wrong, pool) : NULL;
        }
    }
    return wrong;
}

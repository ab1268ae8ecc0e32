/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the configuration with its surroundings in httpd's own tree of directives. httpd/conf.c
 * checks single values, httpd/finish.c our own directives together. */
#include "httpd/check.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>
#include <unixd.h>

#include "base/text.h"
#include "httpd/dir.h"
#include "model/money.h"
#include "model/servers.h"

#define DBD_MAX_USUAL 10 /* mod_dbd's own default */

/* ---- the tree ---- */

static void collect_directives(apr_array_header_t *all, const ap_directive_t *at)
{
    for (; at; at = at->next) {
        APR_ARRAY_PUSH(all, const ap_directive_t *) = at;
        collect_directives(all, at->first_child);
    }
}

static apr_array_header_t *all_directives(apr_pool_t *pool)
{
    apr_array_header_t *all = apr_array_make(pool, 256, sizeof(const ap_directive_t *));

    collect_directives(all, ap_conftree);
    return all;
}

/* The last directive of that name; NULL: none. */
static const ap_directive_t *last_of(const apr_array_header_t *all, const char *name)
{
    int i;

    for (i = all->nelts; i-- > 0;) {
        const ap_directive_t *one = APR_ARRAY_IDX(all, i, const ap_directive_t *);

        if (ap_cstr_casecmp(one->directive, name) == 0) {
            return one;
        }
    }
    return NULL;
}

/* The argument of a directive, from 0. */
static const char *argument_of(const ap_directive_t *directive, int number, apr_pool_t *pool)
{
    const char *args = apr_pstrmemdup(pool, directive->args, strcspn(directive->args, ">"));
    const char *word = ap_getword_conf(pool, &args);

    while (number-- > 0) {
        word = ap_getword_conf(pool, &args);
    }
    return word;
}

static bool is_handler(const ap_directive_t *directive, const char *handler, apr_pool_t *pool)
{
    return ap_cstr_casecmp(directive->directive, "SetHandler") == 0
           && strcmp(argument_of(directive, 0, pool), handler) == 0;
}

/* The <VirtualHost> around it; NULL: it is of the main server. */
static const ap_directive_t *host_of(const ap_directive_t *directive)
{
    const ap_directive_t *section = directive->parent;

    while (section && ap_cstr_casecmp(section->directive, "<VirtualHost") != 0) {
        section = section->parent;
    }
    return section;
}

/* Requests use the pool of connections of the main server. */
static const ap_directive_t *last_of_server(const apr_array_header_t *all, const char *name)
{
    int i;

    for (i = all->nelts; i-- > 0;) {
        const ap_directive_t *one = APR_ARRAY_IDX(all, i, const ap_directive_t *);

        if (!host_of(one) && ap_cstr_casecmp(one->directive, name) == 0) {
            return one;
        }
    }
    return NULL;
}

const char *httpd_check_argument(const char *name, apr_pool_t *pool)
{
    const ap_directive_t *directive = last_of_server(all_directives(pool), name);

    return directive ? argument_of(directive, 0, pool) : NULL;
}

static const char *at_line(const ap_directive_t *directive, const char *says, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s:%d: %s", directive->filename, directive->line_num, says);
}

/* ---- errors ---- */

/* Connections that one child may open; 0: DBDMax is no number, which mod_dbd refuses. */
static apr_int64_t pool_size(const ap_directive_t *most, apr_pool_t *pool)
{
    apr_int64_t size = DBD_MAX_USUAL;

    return !most || gf_text_int(&size, argument_of(most, 0, pool)) ? size : 0;
}

static const char *check_database(const gf_conf_t *conf, const apr_array_header_t *all,
                                  apr_pool_t *pool)
{
    const ap_directive_t *type = last_of(all, "<GenflowType");
    const ap_directive_t *most = last_of_server(all, "DBDMax");
    apr_int64_t needed = (conf->dispatch ? conf->writers : 0) + 1;
    apr_int64_t given = pool_size(most, pool);

    if (type && !last_of_server(all, "DBDParams")) {
        return at_line(type,
                       "<GenflowType> needs a database, but DBDParams is missing: add DBDriver "
                       "pgsql and DBDParams \"host=... dbname=...\"",
                       pool);
    }
    if (!given || given >= needed) {
        return NULL;
    }
    return at_line(most ? most : type,
                   apr_psprintf(pool,
                                "DBDMax %" APR_INT64_T_FMT ": must be at least %" APR_INT64_T_FMT
                                ", for GenflowDispatchWriters and one request",
                                given, needed),
                   pool);
}

/* Checks the folder as httpd's user, with all of its groups, in another process: httpd's own user
 * does not change. If the check itself fails, the folder passes. */
static bool is_writable_by_user(const char *folder, const char *user, uid_t uid, gid_t gid)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (initgroups(user, gid) < 0 || setgid(gid) < 0 || setuid(uid) < 0) {
            _exit(0);
        }
        _exit(access(folder, W_OK | X_OK) < 0);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status == 0;
}

/* May httpd's user write there? Root makes a folder that is not there. */
static bool is_writable(const char *folder)
{
    const struct passwd *user;

    if (geteuid() != 0) {
        return access(folder, W_OK | X_OK) == 0;
    }
    user = getpwuid(ap_unixd_config.user_id);
    return ap_unixd_config.user_id == 0 || !user
           || is_writable_by_user(folder, user->pw_name, ap_unixd_config.user_id,
                                  ap_unixd_config.group_id);
}

/* A virtual host whose settings are of GenflowRealm has no database of its own (decision 0085). */
static const char *check_hosts(const apr_array_header_t *all, apr_pool_t *pool)
{
    int i;
    int j;

    for (i = 0; i < all->nelts; i++) {
        const ap_directive_t *realm = APR_ARRAY_IDX(all, i, const ap_directive_t *);

        for (j = 0; j < all->nelts && ap_cstr_casecmp(realm->directive, "GenflowRealm") == 0; j++) {
            const ap_directive_t *one = APR_ARRAY_IDX(all, j, const ap_directive_t *);

            if (host_of(one) == host_of(realm)
                && ap_cstr_casecmp(one->directive, "DBDParams") == 0) {
                return at_line(one,
                               "DBDParams in a <VirtualHost> with GenflowRealm: all virtual hosts "
                               "use the main server's database, which keeps realms apart. Remove "
                               "it here, or run another httpd for another database",
                               pool);
            }
        }
    }
    return NULL;
}

/* Is it the folder that this argument, from ServerRoot on, names? */
static bool is_folder_of(const char *folder, const char *argument)
{
    size_t length = strlen(argument);
    size_t whole = strlen(folder);

    while (length > 1 && argument[length - 1] == '/') {
        length--;
    }
    return whole >= length && strncmp(folder + whole - length, argument, length) == 0
           && (argument[0] != '/' || whole == length);
}

/* The last line that names the folder of this configuration. */
static const ap_directive_t *line_of_folder(const gf_conf_t *conf, const apr_array_header_t *all,
                                            apr_pool_t *pool)
{
    int i;

    for (i = all->nelts; i-- > 0 && conf->store_folder;) {
        const ap_directive_t *one = APR_ARRAY_IDX(all, i, const ap_directive_t *);

        if (ap_cstr_casecmp(one->directive, "GenflowStoreFolder") == 0
            && is_folder_of(conf->store_folder, argument_of(one, 0, pool))) {
            return one;
        }
    }
    return NULL;
}

static const char *check_folder(const gf_conf_t *conf, const apr_array_header_t *all,
                                apr_pool_t *pool)
{
    const ap_directive_t *line = line_of_folder(conf, all, pool);
    const char *path = conf->store_folder;
    bool exists = true;
    apr_finfo_t found;

    if (!line || !path) {
        return NULL;
    }
    if (argument_of(line, 0, pool)[0] != '/') {
        return at_line(line, "GenflowStoreFolder: must be an absolute path, as /var/lib/genflow",
                       pool);
    }
    while (apr_stat(&found, path, APR_FINFO_TYPE, pool) != APR_SUCCESS && strlen(path) > 1) {
        path = ap_make_dirstr_parent(pool, path);
        path = strlen(path) > 1 ? apr_pstrmemdup(pool, path, strlen(path) - 1) : path;
        exists = false;
    }
    if (found.filetype == APR_DIR && (is_writable(path) || (!exists && geteuid() == 0))) {
        return NULL;
    }
    return at_line(line,
                   apr_psprintf(pool,
                                "GenflowStoreFolder %s: %s cannot write to %s. Make the folder and "
                                "give it to %s",
                                conf->store_folder,
                                geteuid() == 0 ? "httpd's user" : "the present user", path,
                                geteuid() == 0 ? "that user"
                                               : "httpd's user; where root starts httpd, run "
                                                 "httpd -t as root, which checks as httpd's user"),
                   pool);
}

static const char *check_paths(const apr_array_header_t *all, bool (*leads)(const char *path),
                               apr_pool_t *pool)
{
    int i;

    for (i = 0; i < all->nelts; i++) {
        const ap_directive_t *one = APR_ARRAY_IDX(all, i, const ap_directive_t *);

        if (ap_cstr_casecmp(one->directive, "GenflowPath") == 0
            && !leads(argument_of(one, 1, pool))) {
            return at_line(one,
                           apr_psprintf(pool,
                                        "GenflowPath %s %s: the API has no such path; "
                                        "docs/openapi.yaml lists them",
                                        argument_of(one, 0, pool), argument_of(one, 1, pool)),
                           pool);
        }
    }
    return NULL;
}

const char *httpd_check_errors(const gf_conf_t *conf, bool (*leads)(const char *path),
                               apr_pool_t *pool)
{
    const apr_array_header_t *confs = gf_servers_confs(conf, pool);
    apr_array_header_t *all = all_directives(pool);
    const char *wrong;
    int i;

    if (gf_servers_types(conf)->nelts == 0) {
        return NULL;
    }
    wrong = check_database(conf, all, pool);
    wrong = wrong ? wrong : check_hosts(all, pool);
    for (i = 0; i < confs->nelts && !wrong; i++) {
        wrong = check_folder(APR_ARRAY_IDX(confs, i, const gf_conf_t *), all, pool);
    }
    return wrong ? wrong : check_paths(all, leads, pool);
}

apr_int64_t httpd_check_pool(apr_pool_t *scratch_pool)
{
    return pool_size(last_of_server(all_directives(scratch_pool), "DBDMax"), scratch_pool);
}

/* ---- warnings ---- */

/* Several virtual hosts may have the same one. */
static void add_warning(apr_array_header_t *warnings, const ap_directive_t *directive,
                        const char *says)
{
    const char *text = directive ? at_line(directive, says, warnings->pool) : says;
    int i;

    for (i = 0; i < warnings->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(warnings, i, const char *), text) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(warnings, const char *) = text;
}

/* Does a section of this httpd serve the pictures of the folder store? Another server may. */
static void warn_unserved_pictures(apr_array_header_t *warnings, const gf_conf_t *conf,
                                   const apr_array_header_t *all)
{
    apr_pool_t *pool = warnings->pool;
    int i;

    if (strcmp(conf->store_kind_name, "folder") != 0 || conf->store_url[0] != '/'
        || gf_servers_own_types(conf)->nelts == 0) {
        return;
    }
    for (i = 0; i < all->nelts; i++) {
        const ap_directive_t *one = APR_ARRAY_IDX(all, i, const ap_directive_t *);

        if (is_handler(one, "genflow-result", pool)
            && (!one->parent || strcmp(argument_of(one->parent, 0, pool), conf->store_url) == 0)) {
            return;
        }
    }
    add_warning(warnings, last_of(all, "GenflowStoreUrl"),
                apr_psprintf(pool,
                             "GenflowStoreUrl %s: nothing serves the pictures there. Add "
                             "<Location \"%s\"> with SetHandler genflow-result",
                             conf->store_url, conf->store_url));
}

static void warn_long_deadlines(apr_array_header_t *warnings, const gf_conf_t *conf,
                                const apr_array_header_t *all)
{
    const apr_array_header_t *types = gf_servers_own_types(conf);
    int i;
    int j;

    for (i = 0; i < types->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(types, i, gf_type_t *);

        for (j = 0; j < type->chain->nelts; j++) {
            const gf_provider_t *provider = APR_ARRAY_IDX(type->chain, j, gf_choice_t).provider;

            if (provider->deadline > type->lifetime) {
                const ap_directive_t *line = last_of(all, "GenflowTypeLifetime");

                add_warning(
                    warnings, line ? line : last_of(all, "GenflowProviderDeadline"),
                    apr_psprintf(warnings->pool,
                                 "<GenflowType %s>: GenflowTypeLifetime is shorter than "
                                 "GenflowProviderDeadline of %s, which never comes to an end",
                                 gf_type_wire(type), gf_provider_wire(provider)));
            }
        }
    }
}

/* Does a type name provider/model? Of a provider without a key, too. */
static bool is_named(const gf_conf_t *conf, const char *name)
{
    const apr_array_header_t *types = gf_servers_types(conf);
    bool named = false;
    int i;
    int j;

    for (i = 0; i < types->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(types, i, const gf_type_t *);

        named = named || (type->fallback && strcmp(type->fallback, name) == 0);
        for (j = 0; j < type->chain_text->nelts; j++) {
            named = named || strcmp(APR_ARRAY_IDX(type->chain_text, j, const char *), name) == 0;
        }
    }
    return named;
}

static void warn_unused_costs(apr_array_header_t *warnings, const gf_conf_t *conf,
                              const apr_array_header_t *all)
{
    apr_pool_t *pool = warnings->pool;
    apr_hash_index_t *at;
    int i;

    for (at = apr_hash_first(pool, conf->providers); at; at = apr_hash_next(at)) {
        const gf_provider_t *provider = apr_hash_this_val(at);
        const char *wire = gf_provider_wire(provider);

        for (i = 0; provider->costs && i < provider->costs->nelts; i++) {
            const char *model = APR_ARRAY_IDX(provider->costs, i, gf_cost_t).model;

            if (model && !is_named(conf, apr_pstrcat(pool, wire, "/", model, NULL))) {
                add_warning(warnings, last_of(all, "GenflowProviderCost"),
                            apr_psprintf(pool,
                                         "<GenflowProvider %s>: GenflowProviderCost of %s: "
                                         "no GenflowTypeProviders has %s/%s; see its spelling",
                                         wire, model, wire, model));
            }
        }
    }
}

/* An address on the loopback interface is not checked. */
static void warn_plain_public_url(apr_array_header_t *warnings, const gf_conf_t *conf,
                                  const apr_array_header_t *all)
{
    const char *url = conf->public_url;

    if (url && strncmp(url, "http://", 7) == 0 && strncmp(url + 7, "127.", 4) != 0
        && strncmp(url + 7, "localhost", 9) != 0 && strncmp(url + 7, "[::1]", 5) != 0) {
        add_warning(
            warnings, last_of(all, "GenflowPublicUrl"),
            apr_psprintf(warnings->pool,
                         "GenflowPublicUrl %s: without TLS anybody on the way can read and change "
                         "what providers report. Use https",
                         url));
    }
}

/* Other stores take no notice of the directive. */
static void warn_bare_names(apr_array_header_t *warnings, const gf_conf_t *conf,
                            const apr_array_header_t *all)
{
    if (conf->store_public_id == GF_PUBLIC_BARE
        && strcmp(conf->store_kind_name, "cloudinary") == 0) {
        add_warning(warnings, last_of(all, "GenflowStorePublicId"),
                    "GenflowStorePublicId bare: a client knows the name of its picture beforehand "
                    "and can fetch one whose generation it has cancelled, without paying. Use run");
    }
}

/* Finds the plain form: Require valid-user within the section that sets the handler. */
static void warn_many_administrators(apr_array_header_t *warnings, const apr_array_header_t *all)
{
    int i;
    int j;

    for (i = 0; i < all->nelts; i++) {
        const ap_directive_t *one = APR_ARRAY_IDX(all, i, const ap_directive_t *);
        apr_array_header_t *inside;

        if (!is_handler(one, "genflow-admin", warnings->pool) || !one->parent) {
            continue;
        }
        inside = apr_array_make(warnings->pool, 8, sizeof(const ap_directive_t *));
        collect_directives(inside, one->parent->first_child);
        for (j = 0; j < inside->nelts; j++) {
            const ap_directive_t *require = APR_ARRAY_IDX(inside, j, const ap_directive_t *);

            if (ap_cstr_casecmp(require->directive, "Require") == 0
                && ap_cstr_casecmp(argument_of(require, 0, warnings->pool), "valid-user") == 0) {
                add_warning(
                    warnings, require,
                    "Require valid-user at genflow-admin makes every user an administrator. Name "
                    "them: Require user NAME, or Require group NAME");
            }
        }
    }
}

static bool needs_user(const ap_directive_t *directive, apr_pool_t *pool)
{
    static const char *const without[] = {
        "all",   "env",    "expr", "forward-dns",       "host", "ip", "not",
        "local", "method", "ssl",  "ssl-verify-client", NULL
    };
    const char *require = argument_of(directive, 0, pool);
    int i;

    for (i = 0; without[i]; i++) {
        if (ap_cstr_casecmp(require, without[i]) == 0) {
            return false;
        }
    }
    return ap_cstr_casecmp(directive->directive, "Require") == 0;
}

/* Is `path` base/health or base/hook, or below? */
static bool is_open(const char *path, const char *base)
{
    size_t length = strlen(base);

    while (length > 0 && base[length - 1] == '/') {
        length--;
    }
    if (strncmp(path, base, length) != 0) {
        return false;
    }
    path += length;
    return strcmp(path, "/health") == 0 || strcmp(path, "/hook") == 0
           || strncmp(path, "/hook/", 6) == 0;
}

/* The first Require in this section that needs a user; NULL: none. */
static const ap_directive_t *find_user_require(const ap_directive_t *section, apr_pool_t *pool)
{
    apr_array_header_t *inside = apr_array_make(pool, 8, sizeof(const ap_directive_t *));
    int i;

    collect_directives(inside, section->first_child);
    for (i = 0; i < inside->nelts; i++) {
        if (needs_user(APR_ARRAY_IDX(inside, i, const ap_directive_t *), pool)) {
            return APR_ARRAY_IDX(inside, i, const ap_directive_t *);
        }
    }
    return NULL;
}

/* Finds the plain form: a <Location> of health or of the provider webhooks only. */
static void warn_open_locations(apr_array_header_t *warnings, const apr_array_header_t *all)
{
    apr_pool_t *pool = warnings->pool;
    int i;
    int j;

    for (i = 0; i < all->nelts; i++) {
        const ap_directive_t *mount = APR_ARRAY_IDX(all, i, const ap_directive_t *);

        if (!is_handler(mount, "genflow-api", pool) || !mount->parent) {
            continue;
        }
        for (j = 0; j < all->nelts; j++) {
            const ap_directive_t *one = APR_ARRAY_IDX(all, j, const ap_directive_t *);
            const ap_directive_t *require =
                ap_cstr_casecmp(one->directive, "<Location") == 0
                        && is_open(argument_of(one, 0, pool), argument_of(mount->parent, 0, pool))
                    ? find_user_require(one, pool)
                    : NULL;

            if (require) {
                add_warning(
                    warnings, require,
                    apr_psprintf(pool,
                                 "Require %s has no effect on %s, which needs no user. Close it "
                                 "with Require ip or Require all denied",
                                 argument_of(require, 0, pool), argument_of(one, 0, pool)));
            }
        }
    }
}

apr_array_header_t *httpd_check_warnings(const gf_conf_t *conf, bool is_start, apr_pool_t *pool)
{
    apr_array_header_t *warnings = apr_array_make(pool, 4, sizeof(const char *));
    const apr_array_header_t *confs = gf_servers_confs(conf, pool);
    apr_array_header_t *all = all_directives(pool);
    int i;

    if (gf_servers_types(conf)->nelts == 0) {
        return warnings;
    }
    warn_many_administrators(warnings, all);
    warn_open_locations(warnings, all);
    for (i = 0; i < confs->nelts; i++) {
        warn_bare_names(warnings, APR_ARRAY_IDX(confs, i, const gf_conf_t *), all);
    }
    if (!ap_find_linked_module("mod_reqtimeout.c")) {
        add_warning(
            warnings, NULL,
            "mod_reqtimeout is not loaded: slow clients can hold all worker threads. Load it "
            "(Debian: a2enmod reqtimeout)");
    }
    for (i = 0; i < confs->nelts && !is_start; i++) {
        const gf_conf_t *one = APR_ARRAY_IDX(confs, i, const gf_conf_t *);

        warn_unserved_pictures(warnings, one, all);
        warn_long_deadlines(warnings, one, all);
        warn_unused_costs(warnings, one, all);
        warn_plain_public_url(warnings, one, all);
    }
    return warnings;
}

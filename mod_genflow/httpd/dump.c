/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a configuration for genflow-doctor: no passwords and no keys, only whether there is one.
 * httpd has resolved includes, variables and conditions, which a reader of the files cannot. */
#include "httpd/dump.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <unixd.h>

#include "db/ledger.h"
#include "httpd/check.h"
#include "model/servers.h"
#include "model/settings.h"
#include "provider/provider.h"
#include "store/store.h"

#define CALL_TIME apr_time_from_sec(15)

/* A connection string of libpq without its passwords: its words, in which a quoted value may have
 * spaces. */
static const char *without_passwords(const char *conninfo, apr_pool_t *pool)
{
    const char *kept = "";
    bool has_blanks = false; /* around a "=": they hide where a password begins */

    while (*conninfo) {
        const char *begin = conninfo;
        bool quoted = false;

        for (; *conninfo && (quoted || !apr_isspace(*conninfo)); conninfo++) {
            if (*conninfo == '\\' && conninfo[1]) {
                conninfo++;
            }
            else if (*conninfo == '\'') {
                quoted = !quoted;
            }
        }
        has_blanks = has_blanks || *begin == '=' || (conninfo > begin && conninfo[-1] == '=');
        if (strncmp(begin, "password", 8) != 0 && strncmp(begin, "sslpassword", 11) != 0) {
            kept = apr_pstrcat(pool, kept, *kept ? " " : "",
                               apr_pstrmemdup(pool, begin, (apr_size_t)(conninfo - begin)), NULL);
        }
        while (apr_isspace(*conninfo)) {
            conninfo++;
        }
    }
    /* an address may have one, too */
    return has_blanks || strstr(kept, "://") || strstr(kept, "assword") ? "" : kept;
}

static void dump_types(apr_file_t *out, const gf_conf_t *conf, apr_pool_t *pool)
{
    const apr_array_header_t *types = gf_servers_types(conf);
    int i;

    for (i = 0; i < types->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(types, i, const gf_type_t *);

        apr_file_printf(out, "genflow type %s cost %" APR_INT64_T_FMT " %s%s\n", type->name,
                        type->cost,
                        type->chain_text ? apr_array_pstrcat(pool, type->chain_text, ' ') : "",
                        type->chain->nelts ? "" : " (closed)");
    }
}

/* Whether the provider accepts the key, by its free call. The line has neither the key nor the
 * answer. */
static void dump_key(apr_file_t *out, const gf_provider_t *provider, httpd_dump_perform_t *perform,
                     apr_pool_t *pool)
{
    const gf_prov_call_t call = { .provider = provider, .model = "", .pool = pool };
    const char *path = provider->kind->key_path;
    gf_msg_t *msg;

    if (!path || !provider->key || !provider->url) {
        apr_file_printf(out, "genflow providerCall %s none\n", provider->name);
        return;
    }
    msg = gf_provider_request(&call, "GET", apr_pstrcat(pool, provider->url, path, NULL),
                              "application/json");
    msg->connect_timeout = provider->connect_timeout;
    msg->timeout = CALL_TIME;
    if (perform(msg) != APR_SUCCESS || msg->end != GF_MSG_ANSWERED) {
        apr_file_printf(out, "genflow providerCall %s unreachable %s\n", provider->name,
                        msg->detail ? msg->detail : "");
        return;
    }
    apr_file_printf(out, "genflow providerCall %s %s %d\n", provider->name,
                    msg->status / 100 == 2                     ? "accepted"
                    : msg->status == 401 || msg->status == 403 ? "refused"
                                                               : "unclear",
                    msg->status);
}

static void dump_providers(apr_file_t *out, const gf_conf_t *conf, httpd_dump_perform_t *perform,
                           apr_pool_t *pool)
{
    apr_hash_index_t *at;

    for (at = apr_hash_first(pool, conf->providers); at; at = apr_hash_next(at)) {
        const gf_provider_t *provider = apr_hash_this_val(at);

        apr_file_printf(out, "genflow provider %s: %s\n", provider->name,
                        provider->key ? "has a key" : "has no key");
        apr_file_printf(out, "genflow providerKind %s %s%s%s\n", provider->name,
                        provider->kind->name, provider->url ? " " : "",
                        provider->url ? provider->url : "");
        if (perform) {
            dump_key(out, provider, perform, pool);
        }
    }
}

static void dump_realms(apr_file_t *out, const gf_conf_t *conf, httpd_dump_perform_t *perform,
                        apr_pool_t *pool)
{
    const apr_array_header_t *confs = gf_servers_confs(conf, pool);
    int i;

    for (i = 1; i < confs->nelts; i++) {
        const gf_conf_t *one = APR_ARRAY_IDX(confs, i, const gf_conf_t *);

        apr_file_printf(out, "genflow realm %s store %s folder %s storeUrl %s\n", one->realm,
                        one->store->name, one->store_folder ? one->store_folder : "-",
                        one->store_url);
        dump_providers(out, one, perform, pool);
    }
}

/* What genflow-setup tells the database (sql/functions/amounts.sql). */
static void dump_amounts(apr_file_t *out, const gf_conf_t *conf, apr_pool_t *pool)
{
    const apr_array_header_t *confs = gf_servers_confs(conf, pool);
    int i;

    for (i = 0; i < confs->nelts; i++) {
        apr_file_printf(out, "genflow amounts %s\n",
                        gf_settings_amounts(APR_ARRAY_IDX(confs, i, const gf_conf_t *), pool));
    }
}

void httpd_dump(const gf_conf_t *conf, httpd_dump_perform_t *perform, apr_pool_t *pool)
{
    const gf_conf_t *first = gf_servers_first(conf);
    const char *database = httpd_check_argument("DBDParams", pool);
    uid_t user = geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
    apr_file_t *out;

    if (gf_servers_types(conf)->nelts == 0 || apr_file_open_stdout(&out, pool) != APR_SUCCESS) {
        return;
    }
    apr_file_printf(out, "genflow version " GENFLOW_VERSION "\n");
    apr_file_printf(out, "genflow schemaNeeded %d\n", GF_SCHEMA_VERSION);
    apr_file_printf(out, "genflow database %s\n",
                    database ? without_passwords(database, pool) : "");
    apr_file_printf(out, "genflow uid %ld\n", (long)user);
    apr_file_printf(out, "genflow dispatch %s\n", conf->dispatch ? "On" : "Off");
    apr_file_printf(out, "genflow store %s\n", first->store->name);
    if (first->store_old) {
        apr_file_printf(out, "genflow storeOld %s %s\n", first->store_old->store->name,
                        gf_store_address(first->store_old, pool));
    }
    apr_file_printf(out, "genflow folder %s\n", first->store_folder);
    apr_file_printf(out, "genflow storeUrl %s\n", first->store_url);
    apr_file_printf(out, "genflow pictureMost %" APR_INT64_T_FMT "\n", first->result_max);
    dump_amounts(out, conf, pool);
    dump_types(out, conf, pool);
    dump_providers(out, conf, perform, pool);
    dump_realms(out, conf, perform, pool);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What genflow-doctor learns of a configuration: neither passwords nor keys, only whether there is
 * one. Includes, variables and conditions are resolved, which a reader of the files could not do.
 */
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
#include "provider/provider.h"
#include "store/store.h"

/* A connection string of libpq without its passwords: its words, in which a quoted value may have
 * spaces. */
static const char *without_passwords(const char *conninfo, apr_pool_t *pool)
{
    const char *kept = "";

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
        if (strncmp(begin, "password", 8) != 0 && strncmp(begin, "sslpassword", 11) != 0) {
            kept = apr_pstrcat(pool, kept, *kept ? " " : "",
                               apr_pstrmemdup(pool, begin, (apr_size_t)(conninfo - begin)), NULL);
        }
        while (apr_isspace(*conninfo)) {
            conninfo++;
        }
    }
    /* an address may have one, and spaces around "=" hide where one begins */
    return strstr(kept, "://") || strstr(kept, " = ") || strstr(kept, "assword") ? "" : kept;
}

static void dump_types(apr_file_t *out, const gf_conf_t *conf, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < conf->type_list->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(conf->type_list, i, const gf_type_t *);

        apr_file_printf(out, "genflow type %s cost %" APR_INT64_T_FMT " %s%s\n", type->name,
                        type->cost,
                        type->chain_text ? apr_array_pstrcat(pool, type->chain_text, ' ') : "",
                        type->chain->nelts ? "" : " (closed)");
    }
}

static void dump_providers(apr_file_t *out, const gf_conf_t *conf, apr_pool_t *pool)
{
    apr_hash_index_t *at;

    for (at = apr_hash_first(pool, conf->providers); at; at = apr_hash_next(at)) {
        const gf_provider_t *provider = apr_hash_this_val(at);

        apr_file_printf(out, "genflow provider %s: %s\n", provider->name,
                        provider->key ? "has a key" : "has no key");
    }
}

void httpd_dump(const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *database = httpd_check_argument("DBDParams", pool);
    uid_t user = geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
    apr_file_t *out;

    if (conf->type_list->nelts == 0 || apr_file_open_stdout(&out, pool) != APR_SUCCESS) {
        return;
    }
    apr_file_printf(out, "genflow version " GENFLOW_VERSION "\n");
    apr_file_printf(out, "genflow schemaNeeded %d\n", GF_SCHEMA_VERSION);
    apr_file_printf(out, "genflow database %s\n",
                    database ? without_passwords(database, pool) : "");
    apr_file_printf(out, "genflow uid %ld\n", (long)user);
    apr_file_printf(out, "genflow dispatch %s\n", conf->dispatch ? "On" : "Off");
    apr_file_printf(out, "genflow store %s\n", conf->store->name);
    apr_file_printf(out, "genflow folder %s\n", conf->store_folder);
    apr_file_printf(out, "genflow storeUrl %s\n", conf->store_url);
    apr_file_printf(out, "genflow pictureMost %" APR_INT64_T_FMT "\n", conf->result_max);
    dump_types(out, conf, pool);
    dump_providers(out, conf, pool);
}

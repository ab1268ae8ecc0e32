/* SPDX-License-Identifier: Apache-2.0 */
/* The memory outlives a restart in the pool of the process, because the old children go on counting
 * there until they have ended. */
#include "httpd/counters.h"

#include <ap_mpm.h>
#include <apr_shm.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "httpd/glue.h"
#include "model/servers.h"

#define KEPT        "mod_genflow_counters"
#define SPARE       16 /* children beyond the limit, while others end */
#define CODE_SIZE   4
#define CODE_FIRST  100
#define CODE_BEHIND 600

typedef struct kept_t {
    apr_shm_t *memory;
} kept_t;

/* The providers of all virtual hosts. */
static apr_hash_t *all_providers(const gf_conf_t *conf, apr_pool_t *pool)
{
    const apr_array_header_t *confs = gf_servers_confs(conf, pool);
    apr_hash_t *all = apr_hash_make(pool);
    int i;

    for (i = 0; i < confs->nelts; i++) {
        all = apr_hash_overlay(pool, APR_ARRAY_IDX(confs, i, const gf_conf_t *)->providers, all);
    }
    return all;
}

/* Their names, in order, so that the same configuration has the same memory. */
static apr_array_header_t *sorted_providers(const gf_conf_t *conf, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 8, sizeof(const char *));
    apr_hash_index_t *at;
    int i;

    for (at = apr_hash_first(pool, all_providers(conf, pool)); at; at = apr_hash_next(at)) {
        const char *name = apr_hash_this_key(at);

        APR_ARRAY_PUSH(names, const char *) = name;
        for (i = names->nelts - 1;
             i > 0 && strcmp(APR_ARRAY_IDX(names, i - 1, const char *), name) > 0; i--) {
            APR_ARRAY_IDX(names, i, const char *) = APR_ARRAY_IDX(names, i - 1, const char *);
            APR_ARRAY_IDX(names, i - 1, const char *) = name;
        }
    }
    return names;
}

static apr_array_header_t *names_of_types(const gf_conf_t *conf, apr_pool_t *pool)
{
    const apr_array_header_t *types = gf_servers_types(conf);
    apr_array_header_t *names = apr_array_make(pool, 8, sizeof(const char *));
    int i;

    for (i = 0; i < types->nelts; i++) {
        APR_ARRAY_PUSH(names, const char *) = APR_ARRAY_IDX(types, i, const gf_type_t *)->name;
    }
    return names;
}

/* Memory of an earlier start that does not fit is unmapped here; the old children still have it. */
static apr_status_t keep_memory(kept_t *kept, const gf_metrics_t *metrics, apr_pool_t *pool)
{
    if (kept->memory
        && !gf_metrics_fits(metrics, apr_shm_baseaddr_get(kept->memory),
                            apr_shm_size_get(kept->memory))) {
        apr_shm_destroy(kept->memory);
        kept->memory = NULL;
    }
    return kept->memory ? APR_SUCCESS
                        : apr_shm_create(&kept->memory, gf_metrics_bytes(metrics), NULL, pool);
}

apr_status_t httpd_counters_make(gf_metrics_t **out, const gf_conf_t *conf,
                                 apr_array_header_t *routes, server_rec *server, apr_pool_t *pconf)
{
    const gf_metric_names_t names = { .types = names_of_types(conf, pconf),
                                      .providers = sorted_providers(conf, pconf),
                                      .routes = routes };
    apr_pool_t *process = server->process->pool;
    void *found = NULL;
    int children = 1;
    kept_t *kept;
    apr_status_t rv;

    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    *out = gf_metrics_make(pconf, &names, children + SPARE);
    apr_pool_userdata_get(&found, KEPT, process);
    kept = found ? found : apr_pcalloc(process, sizeof(*kept));
    if (!found) {
        apr_pool_userdata_setn(kept, KEPT, apr_pool_cleanup_null, process);
    }
    rv = keep_memory(kept, *out, process);
    if (rv == APR_SUCCESS) {
        gf_metrics_use(*out, apr_shm_baseaddr_get(kept->memory));
        gf_metric_set(*out, GF_METRIC_INFO, 1);
    }
    return rv;
}

/* ---- requests ---- */

httpd_visit_t *httpd_visit(request_rec *r)
{
    httpd_visit_t *visit = ap_get_module_config(r->request_config, &genflow_module);

    if (!visit) {
        visit = apr_pcalloc(r->pool, sizeof(*visit));
        ap_set_module_config(r->request_config, &genflow_module, visit);
    }
    return visit;
}

void httpd_visit_begin(request_rec *r, const char *route)
{
    httpd_visit_t *visit = httpd_visit(r);

    visit->begun = gf_clock_now();
    visit->route = route;
}

void httpd_visit_count(request_rec *r, gf_metrics_t *metrics)
{
    const httpd_visit_t *visit = ap_get_module_config(r->request_config, &genflow_module);
    const request_rec *last = r;
    char code[CODE_SIZE] = "?xx";

    if (!visit || !visit->begun) {
        return;
    }
    while (last->next) {
        last = last->next;
    }
    if (last->status >= CODE_FIRST && last->status < CODE_BEHIND) {
        code[0] = (char)('0' + last->status / CODE_FIRST);
    }
    gf_metric_add(metrics, GF_METRIC_HTTP_REQUESTS, 1, visit->route, r->method, code);
    gf_metric_observe(metrics, GF_METRIC_HTTP_DURATION, gf_clock_now() - visit->begun, visit->route,
                      code);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* While someone reads the metrics: a statement every 5 s at most. The thread may outlive the
 * child's pools by a moment, as the janitor's may: hence the mutex. A separate thread, because a
 * run of the janitor may take half a minute. */
#include "httpd/gauges.h"

#include <sys/statvfs.h>

#include <apr_optional.h>
#include <apr_thread_mutex.h>
#include <mod_watchdog.h>

#include "base/clock.h"
#include "db/metrics.h"
#include "httpd/glue.h"
#include "model/servers.h"

#define WATCHDOG "_genflow_gauges_"
#define LOOK     apr_time_from_sec(1)
#define AGE      apr_time_from_sec(5)  /* between two statements */
#define WITHIN   apr_time_from_sec(60) /* after the last look at the metrics */

struct httpd_gauges_t {
    const gf_conf_t *conf;
    gf_metrics_t *metrics;
    apr_thread_mutex_t *mutex; /* of the child: held while it reads; guards ended */
    bool ended;
};

bool httpd_gauges_disk(apr_int64_t *available, apr_int64_t *total, const char *folder)
{
    struct statvfs disk;

    if (statvfs(folder, &disk) != 0) {
        return false;
    }
    *available = (apr_int64_t)disk.f_bavail * (apr_int64_t)disk.f_frsize;
    *total = (apr_int64_t)disk.f_blocks * (apr_int64_t)disk.f_frsize;
    return true;
}

/* The least of all folders. */
static void read_disk(const httpd_gauges_t *gauges, apr_pool_t *pool)
{
    const apr_array_header_t *confs = gf_servers_confs(gauges->conf, pool);
    apr_int64_t least = -1;
    int i;

    for (i = 0; i < confs->nelts; i++) {
        const char *folder = APR_ARRAY_IDX(confs, i, const gf_conf_t *)->store_folder;
        apr_int64_t available;
        apr_int64_t total;

        if (folder && httpd_gauges_disk(&available, &total, folder)) {
            least = least < 0 || available < least ? available : least;
        }
    }
    if (least >= 0) {
        gf_metric_set(gauges->metrics, GF_METRIC_STORE_FREE, least);
    }
}

/* During an outage it logs nothing; requests and jobs do. */
static apr_status_t read_gauges(int state, void *data, apr_pool_t *pool)
{
    httpd_gauges_t *gauges = data;
    apr_array_header_t *values;
    gf_err_t *err = NULL;
    gf_ctx_t ctx;

    if (state != AP_WATCHDOG_STATE_RUNNING
        || !gf_metrics_wants(gauges->metrics, gf_clock_now(), WITHIN, AGE)) {
        return APR_SUCCESS;
    }
    apr_thread_mutex_lock(gauges->mutex);
    if (!gauges->ended) {
        httpd_glue_ctx(&ctx, pool, gauges->conf);
        read_disk(gauges, pool);
        err = gf_metrics_read(&values, &ctx);
        if (!err) {
            gf_metrics_put(gauges->metrics, values, gf_clock_now(), pool);
        }
    }
    apr_thread_mutex_unlock(gauges->mutex);
    if (err && !gf_err_is(err, GF_E_DB_DOWN)) {
        gf_err_log(&ctx, err);
    }
    return APR_SUCCESS;
}

httpd_gauges_t *httpd_gauges_make(const gf_conf_t *conf, gf_metrics_t *metrics, apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    httpd_gauges_t *gauges = apr_pcalloc(pconf, sizeof(*gauges));
    ap_watchdog_t *watchdog;

    gauges->conf = conf;
    gauges->metrics = metrics;
    if (get && add && get(&watchdog, WATCHDOG, 0, 1, pconf) == APR_SUCCESS) {
        add(watchdog, LOOK, gauges, read_gauges);
    }
    return gauges;
}

/* In the process's pool, as mod_watchdog's thread is. */
apr_status_t httpd_gauges_child(httpd_gauges_t *gauges, server_rec *server)
{
    return apr_thread_mutex_create(&gauges->mutex, APR_THREAD_MUTEX_DEFAULT, server->process->pool);
}

void httpd_gauges_end(httpd_gauges_t *gauges)
{
    apr_thread_mutex_lock(gauges->mutex);
    gauges->ended = true;
    apr_thread_mutex_unlock(gauges->mutex);
}

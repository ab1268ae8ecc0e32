/* SPDX-License-Identifier: Apache-2.0 */
/* Completes GenflowWatch* by what the MPM and the process allow. */
#include "httpd/waiting.h"

#include <sys/resource.h>

#include <ap_mpm.h>
#include <apr_strings.h>

#include "httpd/check.h"
#include "httpd/park.h"

#define MAX_USUAL     10000
#define THREADS_USUAL 16
#define FACTOR_USUAL  2   /* AsyncRequestWorkerFactor */
#define DESCRIPTORS   2   /* of a parked request */
#define OWN           128 /* descriptors of logs, listeners, the database, the store */

static int threads_of_child(void)
{
    int threads = 0;

    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    return threads;
}

/* Connections that a child of the event MPM accepts while its threads are idle. */
static apr_int64_t connections_of_child(apr_pool_t *pool)
{
    const char *factor = httpd_check_argument("AsyncRequestWorkerFactor", pool);
    double per_thread = factor ? strtod(factor, NULL) : FACTOR_USUAL;

    return (apr_int64_t)(threads_of_child() * (1 + per_thread));
}

static apr_int64_t descriptors_of_child(void)
{
    struct rlimit limit = { .rlim_cur = 0 };

    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 1 << 30 ? 1 << 30 : (apr_int64_t)limit.rlim_cur;
}

/* As many other connections find room beside the parked ones, and all jobs in flight. */
static apr_int64_t most_parked(const gf_conf_t *conf, apr_pool_t *pool)
{
    apr_int64_t connections = connections_of_child(pool) / 2;
    apr_int64_t all = descriptors_of_child();
    apr_int64_t left = all - conf->jobs_max - OWN;
    apr_int64_t descriptors = (left > all / 4 ? left : all / 4) / (DESCRIPTORS + 1);

    return connections < descriptors ? connections : descriptors;
}

/* Of threads, a quarter stays for requests that do not wait. With prefork a waiting request holds a
 * process. */
static const char *finish_threads(gf_conf_t *conf, apr_pool_t *pool)
{
    int threaded = 0;
    int threads = threads_of_child();
    int most;

    ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
    most = threaded ? threads * 3 / 4 : threads;
    if (conf->waiters_threads == GF_UNSET) {
        conf->waiters_threads = THREADS_USUAL < most ? THREADS_USUAL : most;
    }
    if (!threaded || conf->waiters_threads <= most) {
        return NULL;
    }
    return apr_psprintf(pool,
                        "GenflowWatchThreads %" APR_INT64_T_FMT
                        ": must be 0 to %d, three quarters of ThreadsPerChild %d: requests that do "
                        "not wait need threads, too",
                        conf->waiters_threads, most, threads);
}

static apr_int64_t quarter_of(apr_int64_t number)
{
    return number > 4 ? number / 4 : 1;
}

const char *httpd_waiting_finish(gf_conf_t *conf, apr_pool_t *pool)
{
    const char *wrong = finish_threads(conf, pool);
    apr_int64_t most;

    if (conf->watch_mode == GF_WATCH_PARK && !httpd_park_can()) {
        conf->watch_mode = GF_WATCH_BLOCK;
    }
    most = conf->watch_mode == GF_WATCH_PARK    ? most_parked(conf, pool)
           : conf->watch_mode == GF_WATCH_BLOCK ? conf->waiters_threads
                                                : 0;
    conf->waiters_wanted = conf->waiters_max == GF_UNSET ? MAX_USUAL : conf->waiters_max;
    conf->waiters_max = conf->waiters_wanted < most ? conf->waiters_wanted : most;
    conf->threads_user = quarter_of(conf->waiters_threads);
    if (conf->waiters_user == GF_UNSET) {
        conf->waiters_user = quarter_of(conf->waiters_max);
    }
    else {
        conf->threads_user = conf->waiters_user;
    }
    return wrong;
}

const char *httpd_waiting_lowered(const gf_conf_t *conf, apr_pool_t *pool)
{
    if (conf->watch_mode != GF_WATCH_PARK || conf->waiters_max >= conf->waiters_wanted) {
        return NULL;
    }
    return apr_psprintf(
        pool,
        "%" APR_INT64_T_FMT " requests of a child may wait, not %" APR_INT64_T_FMT
        ": half of its %" APR_INT64_T_FMT " connections (AsyncRequestWorkerFactor, "
        "ThreadsPerChild) stays for others, and of its %" APR_INT64_T_FMT
        " descriptors (ulimit -n, LimitNOFILE) each takes two and leaves one, beside "
        "those of jobs (GenflowDispatchJobs). "
        "conf/genflow-waiting.conf has settings for thousands",
        conf->waiters_max, conf->waiters_wanted, connections_of_child(pool),
        descriptors_of_child());
}

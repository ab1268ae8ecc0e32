/* SPDX-License-Identifier: Apache-2.0 */
/* The shared memory of the values that genflow-metrics reports, and what a request adds to them. */
#ifndef HTTPD_COUNTERS_H
#define HTTPD_COUNTERS_H

#include <httpd.h>

#include "base/metric.h"
#include "model/conf.h"

/* post_config: the values for this configuration, with the memory of the last start if that is the
 * same httpd and nothing has changed that names them: then they go on. `routes`: const char *. */
apr_status_t httpd_counters_make(gf_metrics_t **metrics, const gf_conf_t *conf,
                                 apr_array_header_t *routes, server_rec *server, apr_pool_t *pconf);

/* The module's data of one request, in its pool: one of each request that is for us. */
typedef struct httpd_visit_t {
    apr_time_t begun;  /* gf_clock_now(); 0: it is not for us */
    const char *route; /* as a value of its label; NULL: none was found */
    void *authn;       /* of api/authn.c */
} httpd_visit_t;

/* Made when it is not there yet. */
httpd_visit_t *httpd_visit(request_rec *r);

/* The request is for us: from now on its time counts. `route`: for a handler without a table. */
void httpd_visit_begin(request_rec *r, const char *route);

/* The request has ended: counts it, if it was for us. */
void httpd_visit_count(request_rec *r, gf_metrics_t *metrics);

#endif

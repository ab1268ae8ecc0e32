/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the values of the metrics that no counter has: those of the database, and the free room of
 * the disk. One child of this httpd does, on a thread of mod_watchdog's. */
#ifndef HTTPD_GAUGES_H
#define HTTPD_GAUGES_H

#include "base/metric.h"
#include "model/conf.h"

#include <httpd.h>

typedef struct httpd_gauges_t httpd_gauges_t;

/* Bytes of the disk of `folder` that are free for httpd, and all of it. False: it cannot be read.
 */
bool httpd_gauges_disk(apr_int64_t *available, apr_int64_t *total, const char *folder);

/* post_config. Without mod_watchdog the values are never read. */
httpd_gauges_t *httpd_gauges_make(const gf_conf_t *conf, gf_metrics_t *metrics, apr_pool_t *pconf);

/* child_init, and before the child's pools go: then it waits for a reading under way. */
apr_status_t httpd_gauges_child(httpd_gauges_t *gauges, server_rec *server);
void httpd_gauges_end(httpd_gauges_t *gauges);

#endif

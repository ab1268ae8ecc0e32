/* SPDX-License-Identifier: Apache-2.0 */
/* The janitor: cleans up every GenflowJanitorInterval, in one child of the host at a time, on a
 * thread of mod_watchdog. When that child ends, another one goes on. Hosts that share a database do
 * not hinder each other. Once after a start the same thread logs a warning if the database accepts
 * fewer connections than all children together may open; also with GenflowJanitorInterval 0s. */
#ifndef HTTPD_JANITOR_H
#define HTTPD_JANITOR_H

#include <httpd.h>

#include "model/conf.h"

typedef struct httpd_janitor_t httpd_janitor_t;

/* post_config: registers with mod_watchdog. Without mod_watchdog there is no janitor, and a warning
 * is logged if there is something to clean. pool_size: connections that one child may open. */
httpd_janitor_t *httpd_janitor_make(const gf_conf_t *conf, apr_int64_t pool_size,
                                    server_rec *server, apr_pool_t *pconf);

/* child_init, after the glue and before mod_watchdog starts its threads. */
apr_status_t httpd_janitor_child(httpd_janitor_t *janitor, server_rec *server);

/* Before the child's pools go: waits for a running batch; no other one begins. */
void httpd_janitor_end(httpd_janitor_t *janitor);

#endif

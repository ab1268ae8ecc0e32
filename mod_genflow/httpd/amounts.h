/* SPDX-License-Identifier: Apache-2.0 */
/* httpd -t compares the amounts of credits that the directives state with those of the database,
 * which count (GenflowCreditInitial and its siblings). A start does so by httpd/announce.c. */
#ifndef HTTPD_AMOUNTS_H
#define HTTPD_AMOUNTS_H

#include <httpd.h>

#include "model/conf.h"

/* Logs where they differ (GF0702), with the command that sets them, or cannot be compared (GF0703).
 * httpd -t alone, after httpd_conf_finish(). */
void httpd_amounts_test(const gf_conf_t *conf, server_rec *server, apr_pool_t *pool);

#endif

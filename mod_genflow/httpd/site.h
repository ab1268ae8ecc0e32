/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual hosts with settings of their own: merged over the main server's. Start-up only. */
#ifndef HTTPD_SITE_H
#define HTTPD_SITE_H

#include <httpd.h>

#include "model/conf.h"

/* Begins the list of all configurations with the main server's. */
void httpd_site_begin(gf_conf_t *base, apr_pool_t *pool);

/* Has a server types? Before httpd_site_begin(). */
bool httpd_site_has_types(const server_rec *base);

/* Each virtual host with settings has a realm; those of one realm have the same, and share one
 * configuration from now on. NULL, or the mistake. */
const char *httpd_site_share(server_rec *base, apr_pool_t *pool);

/* Completes the configuration of a virtual host by the main server's, names its types and providers
 * for the database, and adds it to the list. NULL, or the mistake. */
const char *httpd_site_merge(gf_conf_t *conf, const gf_conf_t *base, apr_pool_t *pool);

/* `wrong` with the place of the virtual host. */
const char *httpd_site_at(const server_rec *server, const char *wrong, apr_pool_t *pool);

#endif

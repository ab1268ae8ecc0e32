/* SPDX-License-Identifier: Apache-2.0 */
/* The directives. conf/genflow.conf documents each; the rows in httpd/conf.c hold its type, bounds
 * and default. Start-up only. */
#ifndef HTTPD_CONF_H
#define HTTPD_CONF_H

#include <httpd.h>
#include <http_config.h>

extern const command_rec httpd_conf_commands[];

/* The module's config callbacks. The configuration is one for all virtual hosts: merging returns
 * `base`. */
void *httpd_conf_create_server(apr_pool_t *pool, server_rec *server);
void *httpd_conf_merge_server(apr_pool_t *pool, void *base, void *add);

/* The place of a row's directive, and the struct that it writes to. */
typedef enum { IN_SERVER, IN_PROVIDER, IN_TYPE } httpd_place_t;

/* Sets every unset value of `base`, the struct of that place, to its default. */
void httpd_conf_defaults(apr_pool_t *pool, void *base, httpd_place_t place);

#endif

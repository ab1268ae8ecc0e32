/* SPDX-License-Identifier: Apache-2.0 */
/* The directives. conf/genflow.conf documents each; the rows in httpd/conf.c hold its type, bounds
 * and default. Start-up only. */
#ifndef HTTPD_CONF_H
#define HTTPD_CONF_H

#include <httpd.h>
#include <http_config.h>

#include "httpd/row.h"
#include "model/conf.h"

extern const command_rec httpd_conf_commands[];

#define HTTPD_TYPES_MAX     64 /* db/db.c has room for the prepared statements of so many */
#define HTTPD_TYPE_NAME_MAX 40 /* characters, as genflow.create_type() takes it */

/* The module's config callbacks. A virtual host without settings of its own gets `base`;
 * httpd/site.c merges the others, once the main server's is complete. */
void *httpd_conf_create_server(apr_pool_t *pool, server_rec *server);
void *httpd_conf_merge_server(apr_pool_t *pool, void *base, void *add);

/* Sets every unset value of a virtual host's to the main server's. */
void httpd_conf_inherit(gf_conf_t *conf, const gf_conf_t *base);

/* Sets every unset value of `base`, the struct of that place, to its default. */
void httpd_conf_defaults(apr_pool_t *pool, void *base, httpd_place_t place);

/* `conf` with the store that the section conf->store_old names: values that are not set there have
 * their defaults. */
gf_conf_t *httpd_conf_old_store(const gf_conf_t *conf, apr_pool_t *pool);

#endif

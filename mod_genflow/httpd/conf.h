/* SPDX-License-Identifier: Apache-2.0 */
/* The directives. conf/genflow.conf documents each; the rows in httpd/conf.c hold its type, bounds
 * and default. Start-up only. */
#ifndef HTTPD_CONF_H
#define HTTPD_CONF_H

#include <httpd.h>
#include <http_config.h>

#include "model/conf.h"

extern const command_rec httpd_conf_commands[];

#define HTTPD_TYPES_MAX     64 /* db/db.c has room for the prepared statements of so many */
#define HTTPD_TYPE_NAME_MAX 40 /* characters, as genflow.create_type() takes it */

/* The module's config callbacks. A virtual host without settings of its own gets `base`;
 * httpd/site.c merges the others, once the main server's is complete. */
void *httpd_conf_create_server(apr_pool_t *pool, server_rec *server);
void *httpd_conf_merge_server(apr_pool_t *pool, void *base, void *add);

/* The place of a row's directive, and the struct that it writes to. IN_HTTPD: the main server's,
 * for all virtual hosts; IN_SERVER: each may have its own. */
typedef enum { IN_HTTPD, IN_SERVER, IN_PROVIDER, IN_TYPE } httpd_place_t;

/* Sets every unset value of a virtual host's to the main server's. */
void httpd_conf_inherit(gf_conf_t *conf, const gf_conf_t *base);

/* Sets every unset value of `base`, the struct of that place, to its default. */
void httpd_conf_defaults(apr_pool_t *pool, void *base, httpd_place_t place);

#endif

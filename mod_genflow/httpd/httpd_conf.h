/* SPDX-License-Identifier: Apache-2.0 */
/* The directives. conf/genflow.conf documents each; the rows in httpd_conf.c hold its type, bounds
 * and default. */
#ifndef HTTPD_CONF_H
#define HTTPD_CONF_H

#include <httpd.h>
#include <ap_expr.h>
#include <http_config.h>

#include "model/gf_conf.h"

/* Per <Location>. */
typedef struct httpd_dir_t {
    ap_expr_info_t *user; /* GenflowUser; NULL: whoever httpd authenticated */
    const char *base;     /* GenflowBase; NULL: the path of the <Location> */
} httpd_dir_t;

extern const command_rec httpd_conf_commands[];

/* The module's config callbacks. */
void *httpd_conf_create_server(apr_pool_t *pool, server_rec *server);
void *httpd_conf_merge_server(apr_pool_t *pool, void *base, void *add);
void *httpd_conf_create_dir(apr_pool_t *pool, char *path);
void *httpd_conf_merge_dir(apr_pool_t *pool, void *base, void *add);

/* check_config: fills in defaults, resolves names, checks what only the whole tells. NULL, or what
 * is wrong and what to do. */
const char *httpd_conf_finish(server_rec *server, apr_pool_t *pool);

/* The configuration; frozen once httpd_conf_finish() has passed. */
const gf_conf_t *httpd_conf_get(const server_rec *server);
const httpd_dir_t *httpd_conf_dir(const request_rec *r);

#endif

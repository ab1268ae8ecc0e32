/* SPDX-License-Identifier: Apache-2.0 */
/* The directives. conf/genflow.conf documents each; the rows in httpd/conf.c hold its type, bounds
 * and default. */
#ifndef HTTPD_CONF_H
#define HTTPD_CONF_H

#include <stdbool.h>

#include <httpd.h>
#include <ap_expr.h>
#include <http_config.h>

#include "model/conf.h"

/* Per <Location>. */
typedef struct httpd_dir_t {
    apr_array_header_t *user;    /* GenflowUser in pieces (httpd/dir.c); NULL: whoever httpd
                                    authenticated */
    const char *base;            /* GenflowBase; NULL: `mount` */
    const char *mount;           /* path of the <Location> whose SetHandler names a handler of ours;
                                    NULL: no plain <Location> does */
    apr_hash_t *paths;           /* GenflowPath: its address -> path of the API; NULL: none */
    int legacy;                  /* GenflowLegacyNames; -1: not said */
    int unknown;                 /* GenflowBodyUnknown: 1 refuse, 0 ignore; -1: not said */
    apr_array_header_t *origins; /* of const char *: GenflowCorsOrigin; NULL: none */
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

/* What to do about a genflow-admin that has no GenflowAdminDatabase; NULL: nothing. Start only. */
const char *httpd_conf_closed_administration(const server_rec *server, apr_pool_t *pool);

/* The configuration; frozen once httpd_conf_finish() has passed. */
const gf_conf_t *httpd_conf_get(const server_rec *server);
const httpd_dir_t *httpd_conf_dir(const request_rec *r);

/* Whom GenflowUser, or httpd's authentication, names; NULL: nobody. *wrong: why the expression has
 * no value. */
const char *httpd_conf_user(request_rec *r, const char **wrong);

/* The path of the API that GenflowPath gives to the request's address; NULL: it has no such name.
 */
const char *httpd_conf_path(const request_rec *r);

/* Is GenflowLegacyNames On? */
bool httpd_conf_legacy(const request_rec *r);

/* Are members of bodies and of the query that nobody knows ignored (GenflowBodyUnknown)? */
bool httpd_conf_lenient(const request_rec *r);

#endif

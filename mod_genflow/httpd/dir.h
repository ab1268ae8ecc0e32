/* SPDX-License-Identifier: Apache-2.0 */
/* The module's settings of a <Location>, and their values for a request. */
#ifndef HTTPD_DIR_H
#define HTTPD_DIR_H

#include <stdbool.h>

#include <apr_hash.h>
#include <httpd.h>
#include <ap_expr.h>
#include <http_config.h>

/* Per <Location>. */
typedef struct httpd_dir_t {
    apr_array_header_t
        *user; /* GenflowUser in pieces (httpd/dir.c); NULL: the user that httpd authenticated */
    const char *base;  /* GenflowBase; NULL: `mount` */
    const char *mount; /* path of the <Location> whose SetHandler names a handler of ours; NULL: no
                          plain <Location> does */
    apr_hash_t *paths; /* GenflowPath: its address -> path of the API; NULL: none */
    int legacy;        /* GenflowLegacyNames; -1: not set */
    int unknown;       /* GenflowBodyUnknown: 1 refuse, 0 ignore; -1: not set */
    apr_array_header_t *origins; /* of const char *: GenflowCorsOrigin; NULL: none */
} httpd_dir_t;

/* ---- for requests: the merged <Location> of r ---- */

const httpd_dir_t *httpd_conf_dir(const request_rec *r);

/* The user by GenflowUser, or by httpd's authentication; NULL: none. *wrong: why the expression has
 * no value. */
const char *httpd_conf_user(request_rec *r, const char **wrong);

/* The path of the API that GenflowPath gives to the request's address; NULL: none. */
const char *httpd_conf_path(const request_rec *r);

/* Is GenflowLegacyNames On? */
bool httpd_conf_legacy(const request_rec *r);

/* Are unknown members of bodies and of the query ignored (GenflowBodyUnknown)? */
bool httpd_conf_lenient(const request_rec *r);

/* ---- while httpd starts ---- */

void *httpd_conf_create_dir(apr_pool_t *pool, char *path);
void *httpd_conf_merge_dir(apr_pool_t *pool, void *base, void *add);

/* Setters of the rows in httpd/conf.c: each returns NULL, or the mistake in the value. */
const char *httpd_set_user(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_handler(cmd_parms *cmd, void *dir, const char *name);
const char *httpd_set_base(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_legacy(cmd_parms *cmd, void *dir, int on);
const char *httpd_set_unknown(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_path(cmd_parms *cmd, void *dir, const char *name, const char *path);
const char *httpd_set_origin(cmd_parms *cmd, void *dir, const char *text);

#endif

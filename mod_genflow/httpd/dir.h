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
    /* GenflowUser in pieces (httpd/dir.c); NULL: the user that httpd authenticated. */
    apr_array_header_t *user;

    /* GenflowBase, without a slash at its end; NULL: `mount`. */
    const char *base;

    /* Path of the <Location> whose SetHandler names a handler of ours, without a slash at its end;
     * NULL: no plain <Location> does. */
    const char *mount;

    /* GenflowPath: its whole address, with `-` for `_`, -> path of the API; NULL: none. Those of a
     * section inside are added to those around it. */
    apr_hash_t *paths;

    /* Has the section that sets a handler of ours a Require of its own, or one inside of it? Those
     * around it do not count. */
    bool required;
    bool handles; /* this very section sets one; while httpd starts */

    const char *sign_out; /* GenflowSignOutUrl; NULL: none */

    int legacy;  /* GenflowLegacyNames; -1: not set */
    int unknown; /* GenflowBodyUnknown: 1 refuse, 0 ignore; -1: not set */

    /* GenflowCorsOrigin: const char *; NULL: none. Those of a section inside replace others. */
    apr_array_header_t *origins;

    /* GenflowModel: gf_model_t *, those of a section inside before those around it; NULL: none. */
    apr_array_header_t *models;

    /* GenflowStudioApi, Title, Logo: NULL: not set. An API at the root is "". */
    const char *studio_api;
    const char *studio_title;
    const char *studio_logo;

    /* GenflowStudioLink: name -> address, those of a section inside beside those around it; NULL:
     * none. */
    apr_table_t *studio_links;
} httpd_dir_t;

/* ---- for requests: the merged <Location> of r ---- */

/* Never NULL. */
const httpd_dir_t *httpd_conf_dir(const request_rec *r);

/* The user by GenflowUser, or by httpd's authentication, in the request's pool; NULL: none, or a
 * part of the expression is empty. *wrong, NULL before: why the expression has no value. */
const char *httpd_conf_user(request_rec *r, const char **wrong);

/* The path of the API that GenflowPath gives to the request's address; NULL: none. */
const char *httpd_conf_path(const request_rec *r);

/* Is GenflowLegacyNames On? */
bool httpd_conf_legacy(const request_rec *r);

/* Are unknown members of bodies and of the query ignored (GenflowBodyUnknown)? Without the
 * directive: with GenflowLegacyNames On they are. */
bool httpd_conf_lenient(const request_rec *r);

/* ---- while httpd starts ---- */

/* httpd's callbacks for the configuration per directory: all unset; `add` where it is set, else
 * `base`. */
void *httpd_conf_create_dir(apr_pool_t *pool, char *path);
void *httpd_conf_merge_dir(apr_pool_t *pool, void *base, void *add);

/* Setters of the rows in httpd/conf.c: each returns NULL, or the mistake in the value. */

/* GenflowUser: an expression of httpd; each %{...} in it must have a value. */
const char *httpd_set_user(cmd_parms *cmd, void *dir, const char *text);

/* SetHandler, beside httpd's own setter: records the section that names a handler of ours. */
const char *httpd_set_handler(cmd_parms *cmd, void *dir, const char *name);

/* Require, beside that of mod_authz_core: records that the section has one. */
const char *httpd_set_require(cmd_parms *cmd, void *dir, const char *line);

/* GenflowBase: a path that begins with a slash and does not end with one; "/" alone is "". */
const char *httpd_set_base(cmd_parms *cmd, void *dir, const char *text);

/* GenflowSignOutUrl: an http(s) address, or a path that begins with one slash; printable ASCII. */
const char *httpd_set_sign_out(cmd_parms *cmd, void *dir, const char *text);

/* GenflowLegacyNames On|Off; GenflowBodyUnknown refuse|ignore. */
const char *httpd_set_legacy(cmd_parms *cmd, void *dir, int on);
const char *httpd_set_unknown(cmd_parms *cmd, void *dir, const char *text);

/* GenflowPath name path, inside of a <Location> with a path: neither begins with a slash. */
const char *httpd_set_path(cmd_parms *cmd, void *dir, const char *name, const char *path);

/* GenflowModel name type [preset=KEY] [link=PROVIDER/MODEL] [output=list|one]: a name once in a
 * section. */
const char *httpd_set_model(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

/* GenflowCorsOrigin, once for each argument: an origin as browsers send it, or * alone. */
const char *httpd_set_origin(cmd_parms *cmd, void *dir, const char *text);

#endif

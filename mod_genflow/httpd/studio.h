/* SPDX-License-Identifier: Apache-2.0 */
/* What `SetHandler genflow-studio` serves: the files of GenflowStudioFolder that were there when
 * httpd started, and the settings of its <Location> (httpd_dir_t). api/studio.c answers. */
#ifndef HTTPD_STUDIO_H
#define HTTPD_STUDIO_H

#include <httpd.h>
#include <http_config.h>

#include "model/conf.h"

/* A file of the folder. */
typedef struct httpd_studio_file_t {
    const char *path; /* on the disk */
    const char *type; /* its Content-Type */
} httpd_studio_file_t;

/* What was found at the start: constant afterwards, in the configuration's pool. */
typedef struct httpd_studio_t {
    apr_hash_t *files;             /* name below the <Location> -> httpd_studio_file_t */
    apr_array_header_t *languages; /* of const char *, sorted: "en" of en.json */
    const char *policy;            /* Content-Security-Policy */
} httpd_studio_t;

/* ---- while httpd starts ---- */

/* Lists the folder: plain files, no links, whose names are of a-z, 0-9, - and . and end with a
 * suffix that is known. Opens no file: the folder may belong to another user, and root starts
 * httpd. Returns NULL, or the mistake. */
const char *httpd_studio_read(const httpd_studio_t **studio, const gf_conf_t *conf,
                              apr_pool_t *pool);

/* Setters of the rows in httpd/conf.c: each returns NULL, or the mistake in the value. */

/* GenflowStudioApi: a path that begins with a slash and does not end with one; "/" alone is "". */
const char *httpd_studio_set_api(cmd_parms *cmd, void *dir, const char *path);

/* GenflowStudioTitle: 1 to 100 characters in a line. */
const char *httpd_studio_set_title(cmd_parms *cmd, void *dir, const char *title);

/* GenflowStudioLogo: a path of this host. */
const char *httpd_studio_set_logo(cmd_parms *cmd, void *dir, const char *path);

/* GenflowStudioLink name address: a path of this host, http(s) or mailto. */
const char *httpd_studio_set_link(cmd_parms *cmd, void *dir, const char *name, const char *address);

#endif

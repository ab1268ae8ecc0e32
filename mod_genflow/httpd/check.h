/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of `httpd -t` and of a start on the site around the module: the database, the folder,
 * other modules, sections. Each sentence begins with file and line if there is one. Start-up only.
 */
#ifndef HTTPD_CHECK_H
#define HTTPD_CHECK_H

#include <stdbool.h>

#include <httpd.h>
#include <http_config.h>

#include "model/conf.h"

/* After httpd_conf_finish(): NULL, or the mistake that stops the server. `leads`: is there a route
 * of the API with this path? */
const char *httpd_check_errors(const gf_conf_t *conf, bool (*leads)(const char *path),
                               apr_pool_t *pool);

/* DBDMax: the database connections that each child may open. */
apr_int64_t httpd_check_pool(apr_pool_t *scratch_pool);

/* The first argument of the last directive of that name, of any module; NULL: there is none. */
const char *httpd_check_argument(const char *name, apr_pool_t *pool);

/* Warnings for the operator (of const char *); at a start only the dangerous ones. */
apr_array_header_t *httpd_check_warnings(const gf_conf_t *conf, bool is_start, apr_pool_t *pool);

#endif

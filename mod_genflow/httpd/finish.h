/* SPDX-License-Identifier: Apache-2.0 */
/* The last step of reading the configuration. Start-up only. */
#ifndef HTTPD_FINISH_H
#define HTTPD_FINISH_H

#include <httpd.h>

/* check_config: fills in defaults, resolves names, runs the checks that need the whole
 * configuration. NULL, or the mistake and its remedy. */
const char *httpd_conf_finish(server_rec *server, apr_pool_t *pool);

/* The remedy for a genflow-admin without GenflowAdminDatabase; NULL: nothing is missing. Start
 * only. */
const char *httpd_conf_closed_administration(const server_rec *server, apr_pool_t *pool);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The last step of reading the configuration. Start-up only. */
#ifndef HTTPD_FINISH_H
#define HTTPD_FINISH_H

#include <httpd.h>

/* check_config: fills in defaults, resolves names, checks what only the whole tells. NULL, or what
 * is wrong and what to do. */
const char *httpd_conf_finish(server_rec *server, apr_pool_t *pool);

/* What to do about a genflow-admin that has no GenflowAdminDatabase; NULL: nothing. Start only. */
const char *httpd_conf_closed_administration(const server_rec *server, apr_pool_t *pool);

#endif

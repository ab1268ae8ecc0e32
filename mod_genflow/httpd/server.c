/* SPDX-License-Identifier: Apache-2.0 */
/* The module's configuration per server: one for all virtual hosts. httpd/conf.c makes and fills
 * it; httpd/dir.c has the settings of a <Location>. */
#include "httpd/server.h"

#include <http_config.h>

#include "httpd/glue.h"

server_conf_t *httpd_server_conf(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &genflow_module);
}

const gf_conf_t *httpd_conf_get(const server_rec *server)
{
    return httpd_server_conf(server)->conf;
}

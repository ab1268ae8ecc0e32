/* SPDX-License-Identifier: Apache-2.0 */
/* The module's configuration per server. httpd/conf.c makes and fills it, httpd/site.c merges that
 * of a virtual host over the main server's; httpd/dir.c has the settings of a <Location>. */
#include "httpd/server.h"

#include <apr_strings.h>
#include <http_config.h>

#include "httpd/glue.h"

server_conf_t *httpd_server_conf(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &genflow_module);
}

server_conf_t *httpd_server_write(const cmd_parms *cmd)
{
    server_conf_t *sc = httpd_server_conf(cmd->server);

    if (cmd->server->is_virtual) {
        sc->first = sc->first ? sc->first : cmd->directive;
        sc->text = apr_pstrcat(cmd->pool, sc->text ? sc->text : "", cmd->cmd->name, " ",
                               cmd->directive->args, "\n", NULL);
    }
    return sc;
}

const char *httpd_server_wrong_host(const cmd_parms *cmd)
{
    return cmd->server->is_virtual
               ? apr_psprintf(cmd->pool,
                              "%s is of the whole httpd, whose children work for all virtual hosts "
                              "on one database: put it outside of <VirtualHost>",
                              cmd->cmd->name)
               : NULL;
}

const gf_conf_t *httpd_conf_get(const server_rec *server)
{
    return httpd_server_conf(server)->conf;
}

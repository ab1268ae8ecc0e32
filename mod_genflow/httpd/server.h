/* SPDX-License-Identifier: Apache-2.0 */
/* The module's configuration per server. Requests read it by httpd_conf_get(); directives write it
 * while httpd starts. */
#ifndef HTTPD_SERVER_H
#define HTTPD_SERVER_H

#include <httpd.h>
#include <http_config.h>

#include "model/conf.h"

/* The module's data per server, in the configuration's pool. Virtual hosts without settings of
 * their own share the main server's. */
typedef struct server_conf_t {
    gf_conf_t *conf;
    gf_provider_t *provider; /* inside <GenflowProvider>, else NULL */
    gf_type_t *type;         /* inside <GenflowType>, else NULL */
    gf_conf_t *store_old;    /* inside <GenflowStoreOld>, else NULL */

    /* Of a virtual host: its first directive of ours outside of a <Location>, NULL: it has none;
     * and all of them as written. */
    const ap_directive_t *first;
    const char *text;
} server_conf_t;

/* While httpd starts: the data of that server. Never NULL. */
server_conf_t *httpd_server_conf(const server_rec *server);

/* The same, for a directive that writes to it: the server has settings of its own then. */
server_conf_t *httpd_server_write(const cmd_parms *cmd);

/* NULL, or why a directive may not stand in this virtual host: it is of the whole httpd. */
const char *httpd_server_wrong_host(const cmd_parms *cmd);

/* The configuration of this virtual host; frozen once httpd_conf_finish() has passed. Any thread.
 */
const gf_conf_t *httpd_conf_get(const server_rec *server);

#endif

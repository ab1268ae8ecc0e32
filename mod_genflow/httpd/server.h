/* SPDX-License-Identifier: Apache-2.0 */
/* The module's configuration per server. Requests read it by httpd_conf_get(); directives write it
 * while httpd starts. */
#ifndef HTTPD_SERVER_H
#define HTTPD_SERVER_H

#include <httpd.h>

#include "model/conf.h"

/* The module's data per server, in the configuration's pool: the one configuration, which all
 * virtual hosts share, and the section that is being read. */
typedef struct server_conf_t {
    gf_conf_t *conf;
    gf_provider_t *provider; /* inside <GenflowProvider>, else NULL */
    gf_type_t *type;         /* inside <GenflowType>, else NULL */
} server_conf_t;

/* While httpd starts: the configuration to write to. Never NULL. */
server_conf_t *httpd_server_conf(const server_rec *server);

/* The configuration; frozen once httpd_conf_finish() has passed. Any thread. */
const gf_conf_t *httpd_conf_get(const server_rec *server);

#endif

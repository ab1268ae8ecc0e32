/* SPDX-License-Identifier: Apache-2.0 */
/* The setters of directives that parse more than one number or text, as httpd calls them, and what
 * they share with httpd/conf.c. Start-up only. */
#ifndef HTTPD_SETTERS_H
#define HTTPD_SETTERS_H

#include <stdbool.h>

#include "httpd/conf.h"

/* What the module keeps per server: the one configuration, and which section is being read. */
typedef struct server_conf_t {
    gf_conf_t *conf;
    gf_provider_t *provider;
    gf_type_t *type;
} server_conf_t;

server_conf_t *httpd_setters_conf(const server_rec *server);

/* Where a directive of one row may stand, and which struct it writes to. */
typedef enum { IN_SERVER, IN_PROVIDER, IN_TYPE } httpd_place_t;

/* Gives every value of `base`, the struct of that place, which is still unset its default. */
void httpd_conf_defaults(apr_pool_t *pool, void *base, httpd_place_t place);

/* "... belongs inside <GenflowProvider name>", or <GenflowType name>. */
const char *httpd_setters_not_here(const cmd_parms *cmd, bool provider);

/* Reads the secret that `text` (env:NAME, file:PATH) names into *secret; a variable that is not set
 * leaves it NULL, which matters only to who needs it (finish). Returns what is wrong, or NULL. */
const char *httpd_setters_secret(const char **secret, apr_pool_t *pool, const char *name,
                                 const char *text);

/* GenflowCreditDay: NULL, or what is wrong with it. */
const char *httpd_setters_day(const char *day, apr_pool_t *pool);

/* GenflowWatchMax: NULL, or what is wrong with it beside the threads of a child, once the MPM knows
 * how many there are. Where it is not given, it becomes what they allow. */
const char *httpd_setters_waiters(apr_int64_t *waiters, bool given, apr_pool_t *pool);

/* GenflowWebhookAllow, if it is given: NULL, or what is missing beside it. */
const char *httpd_setters_webhooks(const gf_conf_t *conf, apr_pool_t *pool);

const char *httpd_set_header(cmd_parms *cmd, void *dir, const char *name, const char *value);
const char *httpd_set_budget(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_chain(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *httpd_set_parameter(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *httpd_set_allowed(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_source_allowed(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_webhook_host(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_user(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_handler(cmd_parms *cmd, void *dir, const char *name);
const char *httpd_set_base(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_legacy(cmd_parms *cmd, void *dir, int on);
const char *httpd_set_unknown(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_path(cmd_parms *cmd, void *dir, const char *name, const char *path);
const char *httpd_set_origin(cmd_parms *cmd, void *dir, const char *text);

#endif

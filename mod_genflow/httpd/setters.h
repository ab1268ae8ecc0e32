/* SPDX-License-Identifier: Apache-2.0 */
/* The setters of directives that parse more than one number or text, with httpd's signature, and
 * shared helpers. The rows are in httpd/conf.c. Start-up only. */
#ifndef HTTPD_SETTERS_H
#define HTTPD_SETTERS_H

#include <stdbool.h>

#include <httpd.h>
#include <http_config.h>

#include "httpd/server.h"

/* "... belongs inside <GenflowProvider name>", or <GenflowType name>. */
const char *httpd_setters_not_here(const cmd_parms *cmd, bool provider);

/* Reads the secret that `text` (env:NAME, file:PATH) names into *secret. An unset variable leaves
 * it NULL; httpd/finish.c checks where that matters. Returns the mistake, or NULL. */
const char *httpd_setters_secret(const char **secret, apr_pool_t *pool, const char *name,
                                 const char *text);

/* GenflowCreditDay: NULL, or the mistake in it. */
const char *httpd_setters_day(const char *day, apr_pool_t *pool);

/* GenflowWebhookAllow, if it is given: NULL, or the directive that is missing beside it. */
const char *httpd_setters_webhooks(const gf_conf_t *conf, apr_pool_t *pool);

/* One setter per directive, called by httpd with the directive's arguments. Each returns NULL, or
 * the mistake as a sentence with directive, value and bounds; httpd then stops with file and line.
 * Results live in cmd->pool. */

/* GenflowRealm name, in a virtual host: a-z, 0-9 and single hyphens, at most 32 long. */
const char *httpd_set_realm(cmd_parms *cmd, void *dir, const char *name);

/* GenflowProviderHeader name value: no header that a kind sets itself, no value of two lines. */
const char *httpd_set_header(cmd_parms *cmd, void *dir, const char *name, const char *value);

/* GenflowProviderBudget 1000/day: 1 to 10^15. */
const char *httpd_set_budget(cmd_parms *cmd, void *dir, const char *text);

/* GenflowProviderCost 0.04 [model]: the last one of a model counts. */
const char *httpd_set_provider_cost(cmd_parms *cmd, void *dir, const char *number,
                                    const char *model);

/* GenflowCreditValue 0.01 EUR. */
const char *httpd_set_credit_value(cmd_parms *cmd, void *dir, const char *number,
                                   const char *currency);

/* GenflowTypeProviders provider/model ...: replaces an earlier chain; gf_type_resolve() checks it.
 */
const char *httpd_set_chain(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

/* GenflowTypeParameter name min default max, or name a|b|c: the last one of a name counts. */
const char *httpd_set_parameter(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

/* GenflowTypePrice number name=value ...: the first one that holds counts. */
const char *httpd_set_price(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

/* GenflowTypeLabel, GenflowTypeText [language] text: the last one of a language counts. */
const char *httpd_set_label(cmd_parms *cmd, void *dir, const char *first, const char *second);
const char *httpd_set_text(cmd_parms *cmd, void *dir, const char *first, const char *second);

/* GenflowFetchAllow, GenflowSourceAllow: an address or a network like 10.1.0.0/16, once for each
 * argument. */
const char *httpd_set_allowed(cmd_parms *cmd, void *dir, const char *text);
const char *httpd_set_source_allowed(cmd_parms *cmd, void *dir, const char *text);

/* GenflowWebhookAllow host, *.domain, * or http://host, without port, once for each argument. */
const char *httpd_set_webhook_host(cmd_parms *cmd, void *dir, const char *text);

#endif

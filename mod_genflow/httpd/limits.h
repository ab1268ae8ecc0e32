/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits in httpd: their directives, the memory that all children share, and the name of a
 * client's address. The limits hold per host: each has its own memory. */
#ifndef HTTPD_LIMITS_H
#define HTTPD_LIMITS_H

#include <httpd.h>
#include <http_config.h>

#include "model/conf.h"

/* GenflowLimitRate, GenflowLimitAddressRate: number/period [burst], as httpd calls it. At most 1000
 * a second, no period longer than 24h; without a burst it is the number. */
const char *httpd_limits_set_user(cmd_parms *cmd, void *dir, const char *rate, const char *burst);
const char *httpd_limits_set_address(cmd_parms *cmd, void *dir, const char *rate,
                                     const char *burst);

/* GenflowLimitKeyRate: the same for API keys that are not valid; 30/1m without the directive. */
const char *httpd_limits_set_key(cmd_parms *cmd, void *dir, const char *rate, const char *burst);
void httpd_limits_defaults(gf_conf_t *conf);

/* post_config: makes the table in memory that the children will share. */
apr_status_t httpd_limits_make(gf_buckets_t **buckets, const gf_conf_t *conf, apr_pool_t *pconf);

/* post_config: the state of the store of each virtual host with types of its own, in memory that
 * the children will share. */
apr_status_t httpd_limits_gate(server_rec *server, apr_pool_t *pconf);

/* The name of the bucket of the client's address, in the request's pool: the IPv4 address, or the
 * /64 network of the IPv6 address, which one customer has as a whole. mod_remoteip has the last
 * word on the client's address. */
const char *httpd_limits_address(request_rec *r);

#endif

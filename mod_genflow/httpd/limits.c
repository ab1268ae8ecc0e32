/* SPDX-License-Identifier: Apache-2.0 */
/* Ties rate limits to httpd. Leaves counting to base/bucket.c, and when to count to api/. */
#include "httpd/limits.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_shm.h>
#include <apr_strings.h>

#include "base/text.h"
#include "httpd/server.h"
#include "model/servers.h"
#include "store/gate.h"

#define BURST_MAX     1000000
#define NETWORK_BYTES 8 /* of an IPv6 address */

static const char *set_rate(cmd_parms *cmd, gf_rate_t *limit, const char *rate, const char *burst)
{
    char *number = apr_pstrdup(cmd->pool, rate);
    char *period = strchr(number, '/');
    apr_interval_time_t time = 0;
    apr_int64_t count = 0;

    if (period) {
        *period++ = '\0';
    }
    if (!period || !gf_text_int(&count, number) || !gf_text_time(&time, period) || count < 1
        || time > apr_time_from_sec(86400) || time / count < GF_BUCKET_FINEST) {
        return apr_psprintf(cmd->pool,
                            "%s %s: must be number/period as in 30/1m, at most 1000 a second, and "
                            "no period longer than 24h",
                            cmd->cmd->name, rate);
    }
    limit->every = time / count;
    limit->burst = count;
    if (burst
        && (!gf_text_int(&limit->burst, burst) || limit->burst < 1 || limit->burst > BURST_MAX)) {
        return apr_psprintf(cmd->pool, "%s %s %s: the second must be 1 to 1000000", cmd->cmd->name,
                            rate, burst);
    }
    return NULL;
}

const char *httpd_limits_set_user(cmd_parms *cmd, void *dir, const char *rate, const char *burst)
{
    (void)dir;
    return set_rate(cmd, &httpd_server_write(cmd)->conf->limit_rate, rate, burst);
}

const char *httpd_limits_set_address(cmd_parms *cmd, void *dir, const char *rate, const char *burst)
{
    (void)dir;
    return set_rate(cmd, &httpd_server_write(cmd)->conf->limit_address, rate, burst);
}

const char *httpd_limits_set_key(cmd_parms *cmd, void *dir, const char *rate, const char *burst)
{
    (void)dir;
    return set_rate(cmd, &httpd_server_write(cmd)->conf->limit_key, rate, burst);
}

void httpd_limits_defaults(gf_conf_t *conf)
{
    if (!conf->limit_key.every) {
        conf->limit_key.every = apr_time_from_sec(2);
        conf->limit_key.burst = 30;
    }
}

apr_status_t httpd_limits_make(gf_buckets_t **buckets, const gf_conf_t *conf, apr_pool_t *pconf)
{
    apr_shm_t *memory;
    apr_status_t rv = apr_shm_create(&memory, gf_bucket_bytes(), NULL, pconf);

    if (rv == APR_SUCCESS) {
        *buckets = gf_bucket_init(apr_shm_baseaddr_get(memory), pconf);
    }
    return rv;
}

static apr_status_t make_gate(gf_conf_t *conf, apr_pool_t *pconf)
{
    apr_shm_t *memory;
    apr_status_t rv = apr_shm_create(&memory, gf_gate_bytes(conf), NULL, pconf);

    if (rv == APR_SUCCESS) {
        conf->store_gate = gf_gate_init(apr_shm_baseaddr_get(memory), conf);
    }
    return rv;
}

apr_status_t httpd_limits_gate(server_rec *server, apr_pool_t *pconf)
{
    const apr_array_header_t *confs = httpd_server_conf(server)->conf->servers->confs;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < confs->nelts; i++) {
        gf_conf_t *conf = APR_ARRAY_IDX(confs, i, gf_conf_t *);

        if (conf->own_types->nelts > 0) {
            rv = make_gate(conf, pconf);
        }
    }
    return rv;
}

const char *httpd_limits_address(request_rec *r)
{
#if APR_HAVE_IPV6
    const apr_sockaddr_t *address = r->useragent_addr;

    if (address->family == APR_INET6
        && !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address->ipaddr_ptr)) {
        return apr_pescape_hex(r->pool, address->ipaddr_ptr, NETWORK_BYTES, 0);
    }
#endif
    return r->useragent_ip;
}

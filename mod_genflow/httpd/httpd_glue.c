/* SPDX-License-Identifier: Apache-2.0 */
/* Ties the core's three needs (pool, log, database) to httpd. Leaves configuration to httpd_conf.c.
 */
#include "httpd/httpd_glue.h"

#include <apr_atomic.h>
#include <apr_dbd.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <mod_dbd.h>

#include "base/gf_clock.h"
#include "base/gf_hash.h"
#include "db/gf_links.h"

#define FAIL_FAST_SECONDS                                                             \
    1 /* after a failed connect: mod_dbd connects inside its lock, so a dead database \
         would otherwise queue every request behind the connect timeout */

static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * dbd_close;

/* This child's, written once in child_init; down_until by any thread, atomically. */
static struct {
    server_rec *server;
    gf_log_sink_t sink;
    gf_lender_t lender;
    gf_links_t *links; /* of administration; NULL: it has no database */
    volatile apr_uint32_t down_until;
} child;

bool httpd_glue_ready(void)
{
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    return dbd_open && dbd_close;
}

/* ---- log ---- */

static const int levels[] = {
    [GF_LOG_CRIT] = APLOG_CRIT,     [GF_LOG_ERR] = APLOG_ERR,   [GF_LOG_WARNING] = APLOG_WARNING,
    [GF_LOG_NOTICE] = APLOG_NOTICE, [GF_LOG_INFO] = APLOG_INFO, [GF_LOG_DEBUG] = APLOG_DEBUG
};

static void write_line(void *baton, const char *file, int line, gf_log_level_t level,
                       apr_status_t rv, const char *text)
{
    (void)baton;
    ap_log_error(file, line, APLOG_MODULE_INDEX, levels[level], rv, child.server, "%s", text);
}

static gf_log_level_t level_of(const server_rec *server)
{
    gf_log_level_t level = GF_LOG_CRIT;

    while (level < GF_LOG_DEBUG && APLOG_IS_LEVEL(server, levels[level + 1])) {
        level++;
    }
    return level;
}

/* ---- database ---- */

static apr_uint32_t now_seconds(void)
{
    return (apr_uint32_t)apr_time_sec(gf_clock_now());
}

static bool take(gf_link_t *link, apr_pool_t *pool, void *baton)
{
    ap_dbd_t *dbd;

    (void)baton;
    if (apr_atomic_read32(&child.down_until) > now_seconds()) {
        return false;
    }
    dbd = dbd_open(pool, child.server);
    if (!dbd) {
        apr_atomic_set32(&child.down_until, now_seconds() + FAIL_FAST_SECONDS);
        return false;
    }
    link->owner = dbd;
    link->pg = apr_dbd_native_handle(dbd->driver, dbd->handle);
    return true;
}

static void give(gf_link_t *link, void *baton)
{
    (void)baton;
    dbd_close(child.server, link->owner);
}

/* ---- contexts ---- */

apr_status_t httpd_glue_child(apr_pool_t *pool, server_rec *server, const gf_conf_t *conf)
{
    child.server = server;
    child.sink.write = write_line;
    child.sink.level = level_of(server);
    child.lender.take = take;
    child.lender.give = give;
    return conf->admin_database ? gf_links_make(&child.links, pool, conf->admin_database,
                                                conf->admin_password, &child.lender)
                                : APR_SUCCESS;
}

bool httpd_glue_administer(gf_ctx_t *ctx)
{
    if (!child.links) {
        return false;
    }
    gf_links_use(child.links, ctx);
    return true;
}

void httpd_glue_ctx(gf_ctx_t *ctx, apr_pool_t *pool, const gf_conf_t *conf)
{
    ctx->pool = pool;
    ctx->conf = conf;
    ctx->log = &child.sink;
    ctx->lender = &child.lender;
    ctx->call = NULL;
    ctx->subject = "";
}

const char *httpd_glue_request_id(request_rec *r)
{
    const char *id = apr_table_get(r->subprocess_env, "UNIQUE_ID");

    if (!id) {
        id = gf_hash_random(r->pool, 8);
        apr_table_setn(r->subprocess_env, "UNIQUE_ID", id);
    }
    return id;
}

gf_ctx_t *httpd_glue_request_ctx(request_rec *r, const gf_conf_t *conf)
{
    gf_ctx_t *ctx = apr_palloc(r->pool, sizeof(*ctx));

    httpd_glue_ctx(ctx, r->pool, conf);
    return ctx;
}

void httpd_glue_name(gf_ctx_t *ctx, request_rec *r)
{
    ctx->subject = apr_psprintf(r->pool, "request=%s %s %s client=%s: ", httpd_glue_request_id(r),
                                r->method, r->uri, r->useragent_ip);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The entrance: every hook, with its purpose, and the start and end of a child. The way of a
 * request begins in genflow_handler() and goes through api/route.c; the way of a job is in
 * work/dispatch.c. */
#include <httpd.h>
#include <ap_expr.h>
#include <ap_mpm.h>
#include <ap_provider.h>
#include <apr_shm.h>
#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_status.h>
#include <mpm_common.h>
#include <unistd.h>
#include <unixd.h>

#include "api/authn.h"
#include "api/dashboard.h"
#include "api/denied.h"
#include "api/metrics.h"
#include "api/place.h"
#include "api/route.h"
#include "api/api.h"
#include "api/lookout.h"
#include "api/studio.h"
#include "base/hash.h"
#include "base/memory.h"
#include "front/front.h"
#include "httpd/amounts.h"
#include "httpd/check.h"
#include "httpd/conf.h"
#include "httpd/counters.h"
#include "httpd/dir.h"
#include "httpd/dump.h"
#include "httpd/finish.h"
#include "httpd/server.h"
#include "httpd/gauges.h"
#include "httpd/glue.h"
#include "httpd/janitor.h"
#include "httpd/limits.h"
#include "httpd/park.h"
#include "httpd/spill.h"
#include "httpd/waiting.h"
#include "hub/board.h"
#include "model/servers.h"
#include "net/net.h"
#include "work/dispatch.h"

#define PRESETS_AGE apr_time_from_sec(5)

/* The child's state: written in child_init, what every child inherits in post_config; const to
 * requests. The only mutable statics of the module beside the glue's. */
static gf_api_t child_api;
static gf_dispatch_t *child_dispatch;
static api_lookout_t *child_lookout;
static httpd_janitor_t *janitor;
static httpd_gauges_t *gauges;
static gf_turn_t *turn;
static gf_board_t *board;

/* ---- configuration ---- */

/* A chain entry without a key is no mistake, but the operator should see it at the start. */
static void log_keyless(const gf_conf_t *conf, server_rec *server)
{
    const apr_array_header_t *types = gf_servers_types(conf);
    int i;

    for (i = 0; i < types->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(types, i, gf_type_t *);

        if (type->keyless) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                         "GF0005: <GenflowType %s> %s. Set the key, or name others in "
                         "GenflowTypeProviders. %s",
                         type->name,
                         type->chain->nelts ? "goes without some of its providers"
                                            : "is closed: it answers PROVIDER_UNAVAILABLE",
                         type->keyless);
        }
    }
}

static void log_closed_administration(server_rec *server, apr_pool_t *pool)
{
    const char *advice = httpd_conf_closed_administration(server, pool);

    if (advice) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server, "GF0684: %s", advice);
    }
}

static void log_warnings(const gf_conf_t *conf, server_rec *server, bool is_start, apr_pool_t *pool)
{
    const apr_array_header_t *warnings = httpd_check_warnings(conf, is_start, pool);
    int i;

    for (i = 0; i < warnings->nelts; i++) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server, "GF0700: %s",
                     APR_ARRAY_IDX(warnings, i, const char *));
    }
}

static void log_waiting(const gf_conf_t *conf, server_rec *server, apr_pool_t *pool)
{
    const char *lowered = httpd_waiting_lowered(conf, pool);

    if (lowered) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE | APLOG_STARTUP, 0, server, "GF0701: %s", lowered);
    }
}

static int genflow_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                                server_rec *server)
{
    const char *wrong = httpd_conf_finish(server, pconf);

    wrong = wrong ? wrong : httpd_check_errors(httpd_conf_get(server), api_route_leads, ptemp);
    (void)plog;
    (void)ptemp;
    if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_CRIT | APLOG_STARTUP, 0, server, "GF0001: %s", wrong);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
        log_keyless(httpd_conf_get(server), server); /* a start logs them when the log is open */
        log_closed_administration(server, ptemp);
        log_warnings(httpd_conf_get(server), server, false, ptemp);
        httpd_amounts_test(httpd_conf_get(server), server, ptemp);
    }
    return OK;
}

/* The values of the metrics, with the names of all routes. */
static apr_status_t share_counters(const gf_conf_t *conf, server_rec *server, apr_pool_t *pconf)
{
    apr_array_header_t *routes = apr_array_make(pconf, 128, sizeof(const char *));

    api_route_names(routes);
    front_route_names(routes);
    APR_ARRAY_PUSH(routes, const char *) = "result";
    APR_ARRAY_PUSH(routes, const char *) = "studio";
    APR_ARRAY_PUSH(routes, const char *) = "metrics";
    return httpd_counters_make(&child_api.metrics, conf, routes, server, pconf);
}

/* httpd -t alone. */
static void genflow_test_config(apr_pool_t *pconf, server_rec *server)
{
    if (ap_exists_config_define("DUMP_GENFLOW")) {
        httpd_dump(httpd_conf_get(server),
                   ap_exists_config_define("GENFLOW_KEYS") ? gf_net_perform : NULL, pconf);
    }
}

/* Whose turn it is to claim, and the news between children. */
static apr_status_t share_memory(apr_pool_t *pconf)
{
    apr_shm_t *of_turn;
    apr_shm_t *of_board;
    apr_status_t rv = apr_shm_create(&of_turn, gf_turn_bytes(), NULL, pconf);

    if (rv == APR_SUCCESS) {
        turn = gf_turn_init(apr_shm_baseaddr_get(of_turn), pconf);
        rv = turn ? apr_shm_create(&of_board, gf_board_bytes(), NULL, pconf) : apr_get_os_error();
    }
    if (rv == APR_SUCCESS) {
        board = gf_board_init(apr_shm_baseaddr_get(of_board));
    }
    return rv;
}

static int genflow_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                               server_rec *server)
{
    const gf_conf_t *conf = httpd_conf_get(server);
    const char *wrong = NULL;
    apr_status_t rv;

    (void)plog;
    if (gf_servers_types(conf)->nelts == 0
        || ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK; /* loaded but not used, or httpd's first of two passes */
    }
    log_keyless(conf, server);
    log_closed_administration(server, ptemp);
    log_warnings(conf, server, true, ptemp);
    log_waiting(conf, server, ptemp);
    if (!httpd_glue_ready()) {
        wrong = "mod_dbd is not loaded: LoadModule dbd_module, then DBDriver pgsql and DBDParams";
    }
    else {
        wrong = gf_dispatch_prepare(conf, ptemp, ap_unixd_config.user_id, ap_unixd_config.group_id);
    }
    if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_CRIT | APLOG_STARTUP, 0, server, "GF0003: %s", wrong);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    httpd_glue_note_params(httpd_check_argument("DBDParams", pconf));
    rv = httpd_glue_share(pconf);
    if (rv == APR_SUCCESS) {
        conf->servers->amounts_differ = httpd_glue_amounts();
        rv = httpd_limits_make(&child_api.buckets, conf, pconf);
    }
    if (rv == APR_SUCCESS) {
        rv = httpd_limits_gate(server, pconf);
    }
    if (rv == APR_SUCCESS) {
        rv = share_memory(pconf);
    }
    if (rv == APR_SUCCESS) {
        rv = share_counters(conf, server, pconf);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT | APLOG_STARTUP, rv, server,
                     "GF0007: no shared memory, or no descriptor");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    gauges = httpd_gauges_make(conf, child_api.metrics, pconf);
    janitor = httpd_janitor_make(conf, httpd_check_pool(ptemp), server, pconf);
    return OK;
}

/* ---- the child ---- */

/* Runs before the child's pools go: mod_dbd's connections are still there. */
static apr_status_t child_end(void *data)
{
    (void)data;
    if (janitor) {
        httpd_janitor_end(janitor);
        httpd_gauges_end(gauges);
    }
    gf_hub_close(child_api.hub); /* a child may end without a request to stop */
    api_lookout_join(child_lookout);
    if (child_dispatch) {
        gf_dispatch_join(child_dispatch);
    }
    return APR_SUCCESS;
}

static void genflow_child_init(apr_pool_t *pchild, server_rec *server)
{
    const gf_conf_t *conf = httpd_conf_get(server);
    const gf_hub_bounds_t bounds = { .jobs = conf->dispatch ? (int)conf->jobs_max : 0,
                                     .waiters = (int)conf->waiters_max,
                                     .user = (int)conf->waiters_user,
                                     .threads = (int)conf->waiters_threads,
                                     .threads_user = (int)conf->threads_user,
                                     .responses = (int)conf->responses_user };
    gf_ctx_t ctx;
    apr_status_t rv;

    if (gf_servers_types(conf)->nelts == 0) {
        return;
    }
    rv = gf_memory_share(apr_pool_abort_get(pchild));
    if (rv == APR_SUCCESS) {
        gf_metrics_child(child_api.metrics);
        rv = httpd_glue_child(pchild, server, conf, child_api.metrics);
    }
    httpd_glue_ctx(&ctx, pchild, conf);
    child_api.conf = conf;
    child_api.owner =
        apr_psprintf(pchild, "%s:%d:%s", server->server_hostname ? server->server_hostname : "",
                     (int)getpid(), gf_hash_random(pchild, 4));
    if (rv == APR_SUCCESS) {
        rv = gf_hub_make(&child_api.hub, pchild, &bounds);
    }
    if (rv == APR_SUCCESS) {
        gf_hub_set_board(child_api.hub, board);
        gf_hub_set_metrics(child_api.hub, child_api.metrics);
        rv = gf_preset_cache_make(&child_api.presets, pchild, conf, PRESETS_AGE);
    }
    child_api.drawing = apr_pcalloc(pchild, sizeof(*child_api.drawing));
    if (rv == APR_SUCCESS) {
        rv = gf_key_cache_make(&child_api.keys, pchild);
    }
    if (rv == APR_SUCCESS && conf->dispatch) {
        rv = gf_dispatch_start(&child_dispatch, pchild, &ctx, child_api.hub, turn, child_api.owner);
    }
    if (rv == APR_SUCCESS) {
        rv = httpd_janitor_child(janitor, server);
    }
    if (rv == APR_SUCCESS) {
        rv = httpd_gauges_child(gauges, server);
    }
    if (rv == APR_SUCCESS) {
        rv = api_lookout_start(&child_lookout, pchild, &ctx, child_api.hub, board);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, server,
                     "GF0004: the child cannot start its background");
        child_api.hub = NULL;
        child_api.keys = NULL;
        return;
    }
    apr_pool_pre_cleanup_register(pchild, NULL, child_end);
}

static void genflow_child_stopping(apr_pool_t *pchild, int graceful)
{
    (void)pchild;
    if (child_dispatch) {
        gf_dispatch_drain(child_dispatch, graceful ? child_api.conf->drain : 0);
    }
    if (child_api.hub) {
        gf_hub_close(child_api.hub);
    }
}

/* ---- the request ---- */

static bool is_ours(const gf_conf_t *conf, const char *handler, apr_pool_t *scratch_pool)
{
    return api_route_is_ours(conf, handler, scratch_pool) || front_find(handler)
           || api_studio_is(handler);
}

/* The handler of ours that the <Location> of the request sets, by SetHandler or GenflowPath; NULL:
 * it is not for us. httpd sets r->handler only later. SetHandler stores its argument as an
 * expression; older versions of httpd store a plain name as text. */
static const char *our_handler(request_rec *r)
{
    const core_dir_config *location = ap_get_core_module_config(r->per_dir_config);
    const char *wrong = NULL;
    const char *handler;

    if (httpd_conf_path(r)) {
        return GF_API_HANDLER;
    }
    handler = location->expr_handler ? ap_expr_str_exec(r, location->expr_handler, &wrong)
                                     : location->handler;
    return handler && !wrong && is_ours(httpd_conf_get(r->server), handler, r->pool) ? handler
                                                                                     : NULL;
}

/* Our addresses are no files: no DocumentRoot, no stat(), no .htaccess walk. <Location> settings
 * are visible here but not in map_to_storage, so r->filename carries the decision, as mod_proxy
 * does it. */
static int genflow_translate_name(request_rec *r)
{
    if (!our_handler(r)) {
        return DECLINED;
    }
    r->filename = apr_pstrcat(r->pool, GF_API_FILENAME, r->uri, NULL);
    return OK;
}

static int genflow_map_to_storage(request_rec *r)
{
    return api_place_is_location(r) ? OK : DECLINED;
}

/* Gives the response the id of the request; in err_headers_out, so that httpd's own errors have it,
 * too. A front has a name of its own for it, and sends it itself. */
static void send_request_id(request_rec *r, const char *handler)
{
    if (!front_find(handler)) {
        apr_table_setn(r->err_headers_out, "X-Request-Id", httpd_glue_request_id(r));
    }
}

/* A handler without a table of addresses is a route by itself. */
static void begin_visit(request_rec *r, const char *handler)
{
    const char *route = strncmp(handler, "genflow-", 8) == 0 ? handler + 8 : NULL;

    if (ap_is_initial_req(r)) {
        httpd_visit_begin(r, route);
    }
}

/* GenflowUser may name visitors by their network: each of them has all addresses of it. */
static int genflow_header_parser(request_rec *r)
{
    const char *handler = our_handler(r);

    api_authn_hide(r);
    if (!handler) {
        return DECLINED;
    }
    gf_reply_unmark(r);
    send_request_id(r, handler);
    begin_visit(r, handler);
    if (api_metrics_is(handler)) {
        return OK;
    }
    if (api_studio_is(handler)) {
        api_studio_headers(r);
        return OK;
    }
    if (api_dashboard_has(r, handler)) {
        api_studio_headers(r);
    }
    apr_table_setn(r->subprocess_env, "GENFLOW_NETWORK", httpd_limits_address(r));
    return api_cors(r);
}

/* Health and provider webhooks need no user. mod_authz_core has decided before: it refuses requests
 * that no user could help (Require all denied, Require ip), and declines if only the user is
 * missing. */
static int genflow_access(request_rec *r)
{
    const char *handler = api_place_is_location(r) ? our_handler(r) : NULL;

    const gf_conf_t *conf = httpd_conf_get(r->server);

    return handler && (api_route_is_open(r, conf, handler) || front_is_open(r, conf, handler))
               ? OK
               : DECLINED;
}

/* ---- API keys as authentication (api/authn.c) ---- */

static int genflow_check_authn(request_rec *r)
{
    return api_authn_check(r, &child_api);
}

static authn_status genflow_check_password(request_rec *r, const char *user, const char *password)
{
    return api_authn_password(r, &child_api, user, password);
}

static authz_status genflow_check_scopes(request_rec *r, const char *line, const void *scopes)
{
    (void)line;
    return api_authn_check_scopes(r, scopes);
}

static const char *genflow_parse_scopes(cmd_parms *cmd, const char *line, const void **scopes)
{
    return api_authn_parse_scopes(scopes, line, cmd->pool);
}

static const authn_provider key_provider = { genflow_check_password, NULL };
static const authz_provider scope_provider = { genflow_check_scopes, genflow_parse_scopes };

static void register_authentication(apr_pool_t *pool)
{
    ap_hook_check_authn(genflow_check_authn, NULL, NULL, APR_HOOK_MIDDLE,
                        AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_note_auth_failure(api_authn_challenge, NULL, NULL, APR_HOOK_MIDDLE);
    ap_register_auth_provider(pool, AUTHN_PROVIDER_GROUP, API_AUTHN_PROVIDER,
                              AUTHN_PROVIDER_VERSION, &key_provider, AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, API_AUTHN_SCOPE, AUTHZ_PROVIDER_VERSION,
                              &scope_provider, AP_AUTH_INTERNAL_PER_CONF);
}

/* An address of GenflowPath needs no SetHandler. One that a section around sets, such as that of
 * mod_proxy, does not count for it. */
static int genflow_fixups(request_rec *r)
{
    if (r->proxyreq) {
        api_authn_restore(r);
    }
    if (!api_place_is_location(r) || !httpd_conf_path(r)) {
        return DECLINED;
    }
    r->handler = GF_API_HANDLER;
    return OK;
}

static int genflow_handler(request_rec *r)
{
    int status;

    if (r->handler && api_studio_is(r->handler) && api_place_is_location(r)) {
        return api_studio(r);
    }
    if (r->handler && api_metrics_is(r->handler) && child_api.hub) {
        return api_metrics(r, &child_api);
    }
    if (!r->handler || !child_api.hub || !is_ours(httpd_conf_get(r->server), r->handler, r->pool)) {
        return DECLINED;
    }
    status = front_find(r->handler) ? front_route(r, &child_api) : api_route(r, &child_api);
    return status == OK ? httpd_spill_send(r) : status;
}

/* Does a person who is not signed in get httpd's own page? */
static bool is_page(const request_rec *r, const char *handler)
{
    return api_studio_is(handler) || api_metrics_is(handler) || api_dashboard_is(r, handler);
}

/* Whom authentication turned away gets an error of the API at the address. Where httpd has begun
 * the response before it met the error (416), it has lost err_headers_out. */
static void genflow_error_filter(request_rec *r)
{
    const char *handler = api_place_is_location(r) ? our_handler(r) : NULL;
    const front_t *front = handler ? front_find(handler) : NULL;

    if (handler) {
        send_request_id(r, handler);
    }
    if (handler && !api_studio_is(handler)) {
        api_cors_again(r);
    }
    if (front) {
        front_denied(r, front);
    }
    else if (!handler || !is_page(r, handler)) {
        api_denied(r);
    }
}

static int genflow_status(request_rec *r, int flags)
{
    return child_api.hub ? api_metrics_status(r, flags, child_api.metrics) : DECLINED;
}

static int genflow_log(request_rec *r)
{
    httpd_visit_count(r, child_api.metrics);
    return DECLINED;
}

static void genflow_hooks(apr_pool_t *pool)
{
    static const char *const after_dbd[] = { "mod_dbd.c", NULL };
    static const char *const after_authz[] = { "mod_authz_core.c", NULL };
    static const char *const before_watchdog[] = { "mod_watchdog.c", NULL };

    register_authentication(pool);
    APR_OPTIONAL_HOOK(ap, status_hook, genflow_status, NULL, NULL, APR_HOOK_MIDDLE);
    api_denied_register();
    httpd_spill_register();
    httpd_park_register(); /* requests that wait without a thread */
    ap_hook_check_config(genflow_check_config, NULL, NULL,
                         APR_HOOK_LAST); /* configtest finds every mistake; the MPM's come first */
    ap_hook_post_config(genflow_post_config, NULL, NULL,
                        APR_HOOK_MIDDLE); /* what a start needs beside */
    ap_hook_child_init(genflow_child_init, after_dbd, before_watchdog,
                       APR_HOOK_LAST); /* threads: mod_dbd's pool is there */
    ap_hook_test_config(genflow_test_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_stopping(genflow_child_stopping, NULL, NULL,
                           APR_HOOK_MIDDLE); /* drain, wake all waiters */
    ap_hook_translate_name(genflow_translate_name, NULL, NULL,
                           APR_HOOK_FIRST); /* our addresses are no files */
    ap_hook_map_to_storage(genflow_map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_header_parser(genflow_header_parser, NULL, NULL,
                          APR_HOOK_MIDDLE); /* before authentication: preflights have none */
    ap_hook_check_access_ex(genflow_access, after_authz, NULL, APR_HOOK_REALLY_LAST,
                            AP_AUTH_INTERNAL_PER_URI);         /* what needs no user */
    ap_hook_fixups(genflow_fixups, NULL, NULL, APR_HOOK_LAST); /* addresses without SetHandler */
    ap_hook_handler(genflow_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_log_transaction(genflow_log, NULL, NULL, APR_HOOK_MIDDLE); /* each request that ended */
    ap_hook_insert_error_filter(genflow_error_filter, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA genflow_module = { STANDARD20_MODULE_STUFF, httpd_conf_create_dir,
                                                 httpd_conf_merge_dir,    httpd_conf_create_server,
                                                 httpd_conf_merge_server, httpd_conf_commands,
                                                 genflow_hooks,           0 };

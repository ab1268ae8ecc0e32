/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the handler of a request, who asks, and which type is meant. Leaves everything else to the
 * handlers. */
#include "api/gf_api.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

#include "httpd/httpd_conf.h"
#include "httpd/httpd_glue.h"
#include "model/gf_type.h"

#define GET  (AP_METHOD_BIT << M_GET)
#define POST (AP_METHOD_BIT << M_POST)

/* clang-format off */
/* What the API serves below its base; {type} stands for any configured type. */
static const struct route_t {
    apr_int64_t methods;
    const char *path;
    gf_handler_t handle;
    bool anyone;                         /* needs no user */
} routes[] = {
    { POST,       "{type}/generate", api_generate,          false },
    { GET | POST, "{type}/status",   api_generation_status, false },
    { GET | POST, "getQuota",        api_credit_quota,      false },
    { GET,        "presets",         api_preset_list,       false },
    { GET,        "health",          api_health,            true }
};
/* clang-format on */

#define ROUTES           ((int)(sizeof(routes) / sizeof(routes[0])))
#define TYPE_MARK        "{type}"
#define TYPE_MARK_LENGTH 6

/* "<type>-generate" or "<type>-status" as SetHandler names it: the type, and which of the two. */
static const gf_type_t *type_handler(const gf_conf_t *conf, const char *handler, const char **act,
                                     apr_pool_t *pool)
{
    const char *hyphen = strrchr(handler, '-');

    if (!hyphen || (strcmp(hyphen, "-generate") != 0 && strcmp(hyphen, "-status") != 0)) {
        return NULL;
    }
    *act = hyphen + 1;
    return gf_type_find(conf, apr_pstrmemdup(pool, handler, (apr_size_t)(hyphen - handler)), pool);
}

bool api_route_is_ours(const gf_conf_t *conf, const char *handler, apr_pool_t *scratch_pool)
{
    const char *act;

    return strcmp(handler, "genflow-api") == 0 || strcmp(handler, "genflow-result") == 0
           || type_handler(conf, handler, &act, scratch_pool);
}

/* The path of the <Location> that set our handler, unless GenflowBase says otherwise. */
static const char *base_of(const request_rec *r)
{
    const char *base = httpd_conf_dir(r)->base;
    const core_dir_config *location = ap_get_core_module_config(r->per_dir_config);

    if (base) {
        return base;
    }
    return location->d && strcmp(location->d, "/") != 0 ? location->d : "";
}

static const char *user_of(gf_req_t *req)
{
    ap_expr_info_t *expression = httpd_conf_dir(req->r)->user;
    const char *wrong = NULL;
    const char *user = expression ? ap_expr_str_exec(req->r, expression, &wrong) : req->r->user;

    if (wrong) {
        gf_log(req->ctx, GF_LOG_ERR, APR_SUCCESS, "GF0501", "GenflowUser: %s", wrong);
        return NULL;
    }
    return user && *user ? user : NULL;
}

/* Does `path` name this route? Sets the type where the route has one. */
static bool matches(gf_req_t *req, const char *path, int i)
{
    const char *pattern = routes[i].path;
    const char *slash;

    if (strncmp(pattern, TYPE_MARK, TYPE_MARK_LENGTH) != 0) {
        return strcmp(pattern, path) == 0;
    }
    slash = strchr(path, '/');
    if (!slash || strcmp(slash, pattern + TYPE_MARK_LENGTH) != 0) {
        return false;
    }
    req->type =
        gf_type_find(req->api->conf, apr_pstrmemdup(req->r->pool, path, (apr_size_t)(slash - path)),
                     req->r->pool);
    return req->type != NULL;
}

static gf_err_t *wrong_method(gf_req_t *req, apr_int64_t methods)
{
    apr_table_setn(req->r->headers_out, "Allow",
                   methods == (GET | POST) ? "GET, HEAD, POST"
                   : methods == GET        ? "GET, HEAD"
                                           : "POST");
    return gf_err_make(req->ctx, GF_E_METHOD, APR_SUCCESS, "%s", req->r->method);
}

static gf_err_t *serve(gf_req_t *req, const char *path)
{
    int i = 0;

    while (i < ROUTES && !matches(req, path, i)) {
        i++;
    }
    if (i == ROUTES) {
        return gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "no route %s", path);
    }
    if (!(routes[i].methods & (AP_METHOD_BIT << req->r->method_number))) {
        return wrong_method(req, routes[i].methods);
    }
    if (!routes[i].anyone) {
        req->user = user_of(req);
        if (!req->user) {
            return gf_err_make(req->ctx, GF_E_NOT_SIGNED_IN, APR_SUCCESS, "no user");
        }
    }
    return routes[i].handle(req);
}

/* Below which path the client finds the whole API, when the handler itself serves one address only.
 */
static const char *path_of(gf_req_t *req)
{
    const char *act;
    const gf_type_t *type = type_handler(req->api->conf, req->r->handler, &act, req->r->pool);

    if (type) {
        req->base = httpd_conf_dir(req->r)->base ? req->base : "/api";
        return apr_pstrcat(req->r->pool, type->name, "/", act, NULL);
    }
    return strncmp(req->r->uri, req->base, strlen(req->base)) == 0
                   && req->r->uri[strlen(req->base)] == '/'
               ? req->r->uri + strlen(req->base) + 1
               : "";
}

int api_route(request_rec *r, const gf_api_t *api)
{
    gf_req_t req = { .r = r, .api = api, .base = base_of(r) };
    gf_err_t *err;

    if (strcmp(r->handler, "genflow-result") == 0) {
        return api_result(r, api->conf, req.base);
    }
    req.ctx = httpd_glue_request_ctx(r, api->conf);
    err = serve(&req, path_of(&req));
    return err ? gf_reply_error(&req, err) : OK;
}

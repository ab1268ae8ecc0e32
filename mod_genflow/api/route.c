/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the handler of a request, its user, and its type. Handlers do everything else. */
#include "api/route.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "api/admin.h"
#include "api/authn.h"
#include "api/cors.h"
#include "api/legacy.h"
#include "api/metrics.h"
#include "api/place.h"
#include "base/text.h"
#include "db/gallery.h"
#include "httpd/counters.h"
#include "httpd/dir.h"
#include "httpd/server.h"
#include "httpd/glue.h"
#include "model/realm.h"
#include "model/type.h"

#define USER_MAX 255        /* characters */
#define HANDLER  "genflow-" /* the begin of a handler's name */

/* The words of api/route_table.h. */
#define GET      API_GET
#define POST     API_POST
#define PUT      API_PUT
#define DELETE   API_DELETE
#define PATCH    API_PATCH
#define ANYONE   API_ANYONE
#define COSTS    API_COSTS
#define TWO_STEP API_TWO_STEP
#define AS_JOB   API_AS_JOB
#define PENDING  API_PENDING
#define PUBLIC   API_PUBLIC
#define CREDIT   API_CREDIT
#define WRITES   API_WRITES
#define KEYS     API_KEYS
#define PRICED   API_PRICED
#define HOSTER   API_HOSTER

#define MAKE    "dryRun|names"
#define PAGE    "|limit|cursor"
#define JOBS    "type|status|user"
#define AUDIT   "user|action|admin"
#define HISTORY "type|status|preset|q|tag|since|favourite|limit|cursor|names"
#define FIND    "id|jobId|generationId|runId|run_id|refs|names"

#define ROW(methods, path, handle, flags, query) { methods, path, handle, flags, query },
#define NONE(methods, path, handle, flags, query)

static const api_route_t routes[] = {
#define ROUTE ROW
#define OLD   NONE
#define ADMIN NONE
#include "api/route_table.h"
#undef ROUTE
#undef OLD
#undef ADMIN
};

static const api_route_t old_routes[] = {
#define ROUTE NONE
#define OLD   ROW
#define ADMIN NONE
#include "api/route_table.h"
#undef ROUTE
#undef OLD
#undef ADMIN
};

static const api_route_t admin_routes[] = {
#define ROUTE NONE
#define OLD   NONE
#define ADMIN ROW
#include "api/route_table.h"
#undef ROUTE
#undef OLD
#undef ADMIN
};

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

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

    return strcmp(handler, GF_API_HANDLER) == 0 || strcmp(handler, "genflow-result") == 0
           || strcmp(handler, "genflow-admin") == 0 || api_metrics_is(handler)
           || type_handler(conf, handler, &act, scratch_pool);
}

/* The path of the <Location> that set our handler; else of the section that was merged last. */
const char *api_route_mount(const request_rec *r)
{
    const core_dir_config *location = ap_get_core_module_config(r->per_dir_config);
    const char *mount = httpd_conf_dir(r)->mount;

    if (mount) {
        return mount;
    }
    return location->d && strcmp(location->d, "/") != 0 ? location->d : "";
}

/* The path below which clients find the API: GenflowBase, else `usual`. */
const char *api_route_base(const request_rec *r, const char *usual)
{
    const char *base = httpd_conf_dir(r)->base;

    return base ? base : usual;
}

/* Sets req->user, an identity (model/realm.h); NULL: there is no user. A name that is no UTF-8, or
 * longer than that of an account, is none: the database could not hold it. */
static gf_err_t *find_user(gf_req_t *req)
{
    const char *wrong = NULL;
    const char *user = httpd_conf_user(req->r, &wrong);

    if (wrong) {
        gf_log(req->ctx, GF_LOG_ERR, APR_SUCCESS, "GF0501", "GenflowUser: %s", wrong);
        return NULL;
    }
    if (!user || !*user || gf_text_utf8(user, strlen(user)) != strlen(user)
        || gf_text_length(user) > USER_MAX) {
        return NULL;
    }
    if (!gf_realm_takes(user)) {
        gf_err_t *err = gf_err_make(req->ctx, api_legacy_not_signed_in(req->r), APR_SUCCESS,
                                    "a name with control characters");

        err->text = "The name of a user has no control characters";
        return err;
    }
    req->user = gf_realm_identity(req->conf, user, req->r->pool);
    return NULL;
}

/* The piece of a path that follows `*path`, which is moved to the next one, or to NULL. */
static const char *next_piece(const char **path, apr_size_t *length)
{
    const char *piece = *path;

    *length = strcspn(piece, "/");
    *path = piece[*length] ? piece + *length + 1 : NULL;
    return piece;
}

/* The pieces of a path up to its end `rest` (NULL: all); NULL: it ends otherwise. */
static const char *pieces_before(const char *path, const char *rest, apr_pool_t *pool)
{
    apr_size_t length = strlen(path);
    apr_size_t end = rest ? strlen(rest) + 1 : 0;

    if (end
        && (length <= end || path[length - end] != '/'
            || strcmp(path + length - end + 1, rest) != 0)) {
        return NULL;
    }
    return apr_pstrmemdup(pool, path, length - end);
}

/* Does `path` have the address `pattern`? Sets type and args as the pattern names them. */
static bool path_matches(gf_req_t *req, const char *path, const char *pattern)
{
    apr_pool_t *pool = req->r->pool;
    int args = 0;

    while (pattern && path) {
        apr_size_t mark_length;
        apr_size_t length;
        const char *mark = next_piece(&pattern, &mark_length);
        const char *piece = next_piece(&path, &length);

        if (strncmp(mark, "{type}", 6) == 0) {
            req->type = gf_type_find(req->conf, apr_pstrmemdup(pool, piece, length), pool);
            if (!req->type) {
                return false;
            }
        }
        else if (mark[0] == '{' && mark[mark_length - 2] == '+' && length > 0) {
            req->args[args] = pieces_before(piece, pattern, pool);
            if (!req->args[args++]) {
                return false;
            }
            pattern = NULL;
            path = NULL;
        }
        else if (mark[0] == '{' && length > 0) {
            req->args[args++] = apr_pstrmemdup(pool, piece, length);
        }
        else if (mark_length != length || strncmp(mark, piece, length) != 0) {
            return false;
        }
    }
    return !pattern && !path;
}

/* `methods`: all that the address takes. */
static gf_err_t *wrong_method(gf_req_t *req, apr_int64_t methods)
{
    const char *allow = "";
    int i;

    for (i = 0; i < M_INVALID; i++) {
        if (methods & (AP_METHOD_BIT << i)) {
            allow =
                apr_pstrcat(req->r->pool, allow, *allow ? ", " : "",
                            i == M_GET ? "GET, HEAD" : ap_method_name_of(req->r->pool, i), NULL);
        }
    }
    apr_table_setn(req->r->headers_out, "Allow", allow);
    return gf_err_make(req->ctx, GF_E_METHOD, APR_SUCCESS, "%s", req->r->method);
}

/* "refs" among the names of a query stands for those that ids of providers have. */
static const char *known_names(const gf_req_t *req, const char *known)
{
    const gf_ref_name_t *ref = req->ctx->conf->ref_names;
    const char *at = known ? strstr(known, "refs") : NULL;
    const char *names = known;

    if (at) {
        names =
            apr_pstrcat(req->r->pool, apr_pstrmemdup(req->r->pool, known, (apr_size_t)(at - known)),
                        at + strlen("refs|"), NULL);
    }
    for (; at && ref->name; ref++) {
        names = apr_pstrcat(req->r->pool, names, "|", ref->name, NULL);
    }
    return names;
}

/* Administration takes every word literally: what is not obeyed there is refused. */
static gf_err_t *check_query(gf_req_t *req, const char *known)
{
    gf_input_t input;

    GF_TRY(api_body_query_read(req));
    input = api_body_query_input(req);
    if (known && !input.lenient) {
        gf_input_unknown_query(&input, known_names(req, known), req->admin);
    }
    return gf_input_end(&input);
}

/* Is it served without a user? */
static bool is_open(const api_route_t *route, const gf_conf_t *conf)
{
    return (route->flags & ANYONE) || ((route->flags & PUBLIC) && conf->feed_open);
}

/* The scopes that an API key needs for it. */
static unsigned scopes_of(const gf_req_t *req, const api_route_t *route)
{
    bool reads = (route->methods & GET) && !(route->flags & WRITES);
    unsigned scopes = route->flags & KEYS ? GF_SCOPE_KEYS : reads ? GF_SCOPE_READ : GF_SCOPE_IMAGES;

    if (req->admin) {
        scopes = GF_SCOPE_ADMIN | (route->flags & KEYS ? GF_SCOPE_KEYS : 0);
    }
    return scopes;
}

/* "admin" of genflow-admin. A handler of a type stands for the API. */
static const char *room_of(const char *handler)
{
    return strncmp(handler, HANDLER, strlen(HANDLER)) == 0 ? handler + strlen(HANDLER) : "api";
}

static const char *route_name(const char *room, const char *path, apr_pool_t *pool)
{
    return apr_pstrcat(pool, room, "/", path, NULL);
}

void api_route_name_table(apr_array_header_t *names, const char *room, const api_route_t *table,
                          int count)
{
    int i;

    for (i = 0; i < count; i++) {
        APR_ARRAY_PUSH(names, const char *) = route_name(room, table[i].path, names->pool);
    }
}

void api_route_names(apr_array_header_t *names)
{
    api_route_name_table(names, "api", routes, COUNT(routes));
    api_route_name_table(names, "api", old_routes, COUNT(old_routes));
    api_route_name_table(names, "admin", admin_routes, COUNT(admin_routes));
}

static gf_err_t *call_handler(gf_req_t *req, const api_route_t *route)
{
    if (!(route->flags & ANYONE)) {
        GF_TRY(api_authn_need(req, scopes_of(req, route)));
    }
    if ((route->flags & HOSTER) && req->conf->realm) {
        gf_err_t *err = gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "not in a realm");

        err->text = "This is of the whole httpd: it is where administration has no GenflowRealm";
        return err;
    }
    req->two_step = route->flags & TWO_STEP;
    req->as_job = route->flags & AS_JOB;
    req->pending = route->flags & PENDING;
    if (route->flags & (COSTS | PRICED)) {
        GF_TRY(api_limit(req, (route->flags & PRICED) && api_body_switch(req, "dryRun")));
    }
    if (route->flags & CREDIT) {
        GF_TRY(gf_gallery_allowance(req->ctx, req->user));
    }
    return route->handle(req);
}

gf_err_t *api_route_serve(gf_req_t *req, const char *path, const api_route_t *table, int count)
{
    apr_int64_t method = AP_METHOD_BIT << req->r->method_number;
    apr_int64_t methods = 0; /* of all rows with this address */
    int i;

    for (i = 0; i < count; i++) {
        if (path_matches(req, path, table[i].path)) {
            methods |= table[i].methods;
            if (table[i].methods & method) {
                break;
            }
        }
    }
    /* a user's name could stand for a realm */
    if (!methods || (req->admin && req->args[0] && !gf_realm_takes(req->args[0]))) {
        return gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "no route %s", path);
    }
    if (i == count) {
        return wrong_method(req, methods);
    }
    httpd_visit(req->r)->route = route_name(room_of(req->r->handler), table[i].path, req->r->pool);
    if (!(table[i].flags & ANYONE) && req->r->method_number != M_GET
        && api_cors_is_foreign(req->r)) {
        const char *origin = apr_table_get(req->r->headers_in, "Origin");

        return gf_err_make(req->ctx, GF_E_CROSS_SITE, APR_SUCCESS,
                           "from a page of %s, which GenflowCorsOrigin does not name",
                           origin ? origin : "another site");
    }
    if (!(table[i].flags & ANYONE) && !req->user) {
        GF_TRY(find_user(req));
        if (!req->user && !is_open(&table[i], req->conf)) {
            return gf_err_make(req->ctx, api_legacy_not_signed_in(req->r), APR_SUCCESS, "no user");
        }
    }
    GF_TRY(check_query(req, table[i].query));
    return call_handler(req, &table[i]);
}

/* The rows that serve `path` to this request: those of older systems, or those of the API. Sets
 * *count. */
static const api_route_t *table_for(int *count, gf_req_t *req, const char *path)
{
    int i;

    for (i = 0; httpd_conf_legacy(req->r) && i < COUNT(old_routes); i++) {
        if (path_matches(req, path, old_routes[i].path)) {
            *count = COUNT(old_routes);
            return old_routes;
        }
    }
    *count = COUNT(routes);
    return routes;
}

/* The rest of the request's path after `mount`; "" for no path of ours. */
const char *api_route_below(const request_rec *r, const char *mount)
{
    apr_size_t length = strlen(mount);

    return strncmp(r->uri, mount, length) == 0 && r->uri[length] == '/' ? r->uri + length + 1 : "";
}

/* Administration: not before its door has let the request in. */
static gf_err_t *serve_admin(gf_req_t *req)
{
    req->base = api_route_base(req->r, "/api");
    req->admin = true;
    GF_TRY(api_admin_enter(req));
    return api_route_serve(req, api_route_below(req->r, api_route_mount(req->r)), admin_routes,
                           COUNT(admin_routes));
}

/* The request's path in the API; sets req->base. */
static const char *api_path(gf_req_t *req, const char *handler)
{
    const char *act;
    const gf_type_t *type = type_handler(req->conf, handler, &act, req->r->pool);
    const char *path = type ? apr_pstrcat(req->r->pool, gf_type_wire(type), "/", act, NULL)
                            : httpd_conf_path(req->r);

    if (path) { /* it is outside of the API, and needs its address */
        req->base = api_route_base(req->r, "/api");
        return path;
    }
    req->base = api_route_base(req->r, api_route_mount(req->r));
    return api_route_below(req->r, req->base);
}

static gf_err_t *serve_api(gf_req_t *req)
{
    const char *path = api_path(req, req->r->handler);
    int count;
    const api_route_t *table = table_for(&count, req, path);

    return api_route_serve(req, path, table, count);
}

bool api_route_is_anyones(request_rec *r, const gf_conf_t *conf, const char *path,
                          const api_route_t *table, int count)
{
    apr_int64_t method = AP_METHOD_BIT << r->method_number;
    gf_req_t req = { .r = r, .conf = conf };
    int i;

    for (i = 0; i < count; i++) {
        if ((table[i].methods & method) && path_matches(&req, path, table[i].path)) {
            return is_open(&table[i], conf);
        }
    }
    return false;
}

bool api_route_is_open(request_rec *r, const gf_conf_t *conf, const char *handler)
{
    gf_req_t req = { .r = r, .conf = conf };
    const api_route_t *table;
    const char *path;
    int count;

    if (strcmp(handler, GF_API_HANDLER) != 0) {
        return false;
    }
    path = api_path(&req, handler);
    table = table_for(&count, &req, path);
    return api_route_is_anyones(r, conf, path, table, count);
}

static bool leads(const api_route_t *table, int count, const char *path)
{
    int i;

    for (i = 0; i < count; i++) {
        const char *pattern = table[i].path;
        const char *rest = path;
        bool same = true;

        while (same && pattern && rest) {
            apr_size_t mark_length;
            apr_size_t length;
            const char *mark = next_piece(&pattern, &mark_length);
            const char *piece = next_piece(&rest, &length);

            same =
                length > 0
                && (mark[0] == '{' || (mark_length == length && strncmp(mark, piece, length) == 0));
        }
        if (same && !pattern && !rest) {
            return true;
        }
    }
    return false;
}

bool api_route_leads(const char *path)
{
    return leads(routes, COUNT(routes), path) || leads(old_routes, COUNT(old_routes), path);
}

gf_req_t *api_route_request(request_rec *r, const gf_api_t *api)
{
    gf_req_t *req = apr_pcalloc(r->pool, sizeof(*req)); /* a parked one outlives the handler */

    req->r = r;
    req->api = api;
    req->conf = httpd_conf_get(r->server);
    req->ctx = httpd_glue_request_ctx(r, req->conf);
    req->key = api_authn_key(r);
    return req;
}

int api_route(request_rec *r, const gf_api_t *api)
{
    gf_req_t *req = api_route_request(r, api);
    gf_err_t *err;

    err = api_place_check(req);
    if (!err && strcmp(r->handler, "genflow-result") == 0) {
        err = api_authn_need(req, GF_SCOPE_READ);
    }
    if (err) {
        return gf_reply_error(req, err);
    }
    if (strcmp(r->handler, "genflow-result") == 0) {
        return api_result(req, api_route_below(r, api_route_mount(r)));
    }
    err = strcmp(r->handler, "genflow-admin") == 0 ? serve_admin(req) : serve_api(req);
    if (err) {
        return gf_reply_error(req, err);
    }
    return req->parked ? SUSPENDED : req->status;
}

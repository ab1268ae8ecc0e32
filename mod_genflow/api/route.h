/* SPDX-License-Identifier: Apache-2.0 */
/* The way from httpd's hooks to a handler of ours (api/route.c). The fronts (front/front.c) have
 * tables of their own, which are served by the same rules. Request threads only. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/api.h"

/* The methods of a row. */
#define API_GET    (AP_METHOD_BIT << M_GET) /* and HEAD */
#define API_POST   (AP_METHOD_BIT << M_POST)
#define API_PUT    (AP_METHOD_BIT << M_PUT)
#define API_DELETE (AP_METHOD_BIT << M_DELETE)
#define API_PATCH  (AP_METHOD_BIT << M_PATCH)

/* The flags of a row, as api/route_table.h says. */
#define API_ANYONE   1U
#define API_COSTS    2U
#define API_TWO_STEP 8U
#define API_AS_JOB   16U
#define API_PENDING  32U
#define API_PUBLIC   64U
#define API_CREDIT   128U
#define API_WRITES   256U
#define API_KEYS     512U
#define API_PRICED   1024U
#define API_HOSTER   2048U

/* A row of a table of addresses: api/route_table.h documents each member. */
typedef struct api_route_t {
    apr_int64_t methods;
    const char *path;
    gf_handler_t handle;
    unsigned flags;
    const char *query; /* "limit|cursor"; NULL: anything */
} api_route_t;

/* Is this a name that SetHandler may give to us? */
bool api_route_is_ours(const gf_conf_t *conf, const char *handler, apr_pool_t *scratch_pool);

/* Does a request with this handler of ours need no user? */
bool api_route_is_open(request_rec *r, const gf_conf_t *conf, const char *handler);

/* Does the API have this path, for any type? For GenflowPath; at start-up. */
bool api_route_leads(const char *path);

/* Serves a request whose handler is ours. */
int api_route(request_rec *r, const gf_api_t *api);

/* Adds the names of all rows to `names` (const char *), as the metrics label their requests: the
 * handler's name without "genflow-", and the path: "api/{type}/generate". A name may come twice.
 * While httpd starts. */
void api_route_names(apr_array_header_t *names);

/* ---- for tables of others ---- */

/* The same of a table whose handler is genflow-<room>. */
void api_route_name_table(apr_array_header_t *names, const char *room, const api_route_t *table,
                          int count);

/* A zeroed request with r, api and ctx, in the request's pool. */
gf_req_t *api_route_request(request_rec *r, const gf_api_t *api);

/* Does the row serve this method of `path`, and without a user? */
bool api_route_is_anyones(request_rec *r, const gf_conf_t *conf, const char *path,
                          const api_route_t *table, int count);

/* Finds the row that serves `path`, checks user, page, query and rate, and calls its handler.
 * Errors: NO_ROUTE, METHOD (with Allow), CROSS_SITE, NOT_SIGNED_IN, those of the handler. */
gf_err_t *api_route_serve(gf_req_t *req, const char *path, const api_route_t *table, int count);

/* The path of the <Location> that set the handler; GenflowBase, else `usual`; and the rest of the
 * request's path after `mount`, "" for none. */
const char *api_route_mount(const request_rec *r);
const char *api_route_base(const request_rec *r, const char *usual);
const char *api_route_below(const request_rec *r, const char *mount);

#endif

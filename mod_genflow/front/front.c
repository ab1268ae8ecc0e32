/* SPDX-License-Identifier: Apache-2.0 */
/* From a handler's name to the row of its front, and errors in the front's shape. Who may call a
 * row is decided by api/route.c. */
#include "front/front.h"

#include <string.h>

#include <apr_strings.h>

#include "api/place.h"
#include "httpd/glue.h"

#define HANDLER "genflow-" /* and the front's name */

static const front_t *const fronts[] = { &front_fal, &front_openai, &front_replicate };

const front_t *front_find(const char *handler)
{
    size_t i;

    if (strncmp(handler, HANDLER, strlen(HANDLER)) != 0) {
        return NULL;
    }
    for (i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
        if (strcmp(handler + strlen(HANDLER), fronts[i]->name) == 0) {
            return fronts[i];
        }
    }
    return NULL;
}

void front_route_names(apr_array_header_t *names)
{
    size_t i;

    for (i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
        api_route_name_table(names, fronts[i]->name, fronts[i]->routes, fronts[i]->count);
    }
}

/* ---- errors ---- */

/* The generations of this request may be there: a client that repeats it has to find them. */
static bool may_retry(gf_req_t *req, const gf_err_t *err)
{
    const front_call_t *call = front_call(req);

    if (!front_fault_passes(err)) {
        return false;
    }
    if (call->count > 0) {
        return front_lost(req);
    }
    if (!call->may_exist && !gf_err_is(err, GF_E_DB_DOWN)) {
        front_refused(req);
    }
    return !call->may_exist;
}

static int send_error(gf_req_t *req, const gf_err_t *err)
{
    const front_t *front = front_call(req)->front;
    front_reply_t *reply = front_reply_make(req->r->pool, err->row->http);
    front_fault_t fault = { .err = err, .request_id = httpd_glue_request_id(req->r) };

    httpd_glue_name(req->ctx, req->r);
    gf_err_log(req->ctx, err);
    fault.may_retry = may_retry(req, err);
    if (err->retry_after) {
        apr_table_setn(reply->headers, "Retry-After", apr_itoa(req->r->pool, err->retry_after));
    }
    front->error(reply, &fault, req->r->pool);
    gf_reply_challenge(req, err);
    front_call(req)->count = 0; /* it is recorded, or cannot be */
    front_send(req, reply);
    return OK;
}

static void lose(gf_req_t *req)
{
    front_lost(req);
}

static const gf_wire_t wire = { send_error, lose };

/* ---- the request ---- */

static void begin(gf_req_t *req, const front_t *front)
{
    front_call_t *call = apr_pcalloc(req->r->pool, sizeof(*call));

    call->front = front;
    call->site.mount = api_route_mount(req->r);
    call->site.base = api_route_base(req->r, "/api");
    call->site.site = gf_reply_site(req->r);
    req->base = call->site.base;
    req->front = call;
    req->wire = &wire;
}

bool front_is_open(request_rec *r, const gf_conf_t *conf, const char *handler)
{
    const front_t *front = front_find(handler);

    return front
           && api_route_is_anyones(r, conf, api_route_below(r, api_route_mount(r)), front->routes,
                                   front->count);
}

int front_route(request_rec *r, const gf_api_t *api)
{
    const front_t *front = front_find(r->handler);
    gf_req_t *req = api_route_request(r, api);
    const char *path;
    gf_err_t *err;

    begin(req, front);
    path = api_route_below(r, front_call(req)->site.mount);
    err = api_place_check(req);
    if (!err && front->address) {
        err = front->address(&path, req);
    }
    if (!err) {
        err = api_route_serve(req, path, front->routes, front->count);
    }
    if (err) {
        api_wait_release(req);
        return gf_reply_error(req, err);
    }
    return req->parked ? SUSPENDED : OK;
}

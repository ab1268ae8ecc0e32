/* SPDX-License-Identifier: Apache-2.0 */
/* Serves the page of administration, at the address of genflow-admin itself and below page/. Its
 * files are those of GenflowStudioFolder; api/studio.c delivers them. */
#include "api/dashboard.h"

#include <string.h>

#include <apr_strings.h>

#include "api/api.h"
#include "api/route.h"
#include "api/studio.h"

#define PAGE   "admin.html"
#define FOLDER "page/"

/* A browser that visits an address names this type; programs that want JSON do not. */
static bool wants_page(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    return r->method_number == M_GET && accept && strstr(accept, "text/html");
}

/* The path of the <Location>, without or with the slash. */
static bool is_base(const request_rec *r, const char *mount)
{
    apr_size_t length = strlen(mount);

    return strncmp(r->uri, mount, length) == 0
           && (!r->uri[length] || strcmp(r->uri + length, "/") == 0);
}

static bool is_ours(const char *handler)
{
    return strcmp(handler, "genflow-admin") == 0;
}

bool api_dashboard_is(const request_rec *r, const char *handler)
{
    return is_ours(handler) && wants_page(r) && is_base(r, api_route_mount(r));
}

bool api_dashboard_has(const request_rec *r, const char *handler)
{
    return api_dashboard_is(r, handler)
           || (is_ours(handler)
               && strncmp(api_route_below(r, api_route_mount(r)), FOLDER, strlen(FOLDER)) == 0);
}

gf_err_t *api_dashboard(gf_req_t *req)
{
    request_rec *r = req->r;
    const char *mount = api_route_mount(r);

    if (!is_base(r, mount) || !wants_page(r)) {
        return gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS,
                           "no route: the page is for a browser (Accept: text/html)");
    }
    apr_table_mergen(r->err_headers_out, "Vary", "Accept");
    req->status = strcmp(r->uri, mount) == 0 ? api_studio_add_slash(r) : api_studio_send(r, PAGE);
    return NULL;
}

gf_err_t *api_dashboard_file(gf_req_t *req)
{
    req->status = api_studio_send(req->r, req->args[0]);
    return NULL;
}

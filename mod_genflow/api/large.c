/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds large responses on their way, by user. Leaves writing them to httpd/spill.c. */
#include "api/large.h"

#include <apr_strings.h>

#include "httpd/spill.h"
#include "hub/places.h"

#define AGAIN_SECONDS 1

typedef struct large_t {
    gf_place_t place;
    gf_places_t *places;
} large_t;

/* The request's pool ends when httpd has sent the response, or has given its client up. */
static apr_status_t leave(void *data)
{
    large_t *large = data;

    gf_places_leave(large->places, &large->place);
    return APR_SUCCESS;
}

static gf_err_t *take_place(gf_req_t *req)
{
    apr_pool_t *pool = req->r->pool;
    large_t *large = apr_pcalloc(pool, sizeof(*large));
    const char *user =
        req->user ? req->user : apr_pstrcat(pool, "address ", req->r->useragent_ip, NULL);
    gf_err_t *err;

    large->places = gf_hub_responses(req->api->hub);
    if (gf_places_take(large->places, &large->place, user)) {
        apr_pool_cleanup_register(pool, large, leave, apr_pool_cleanup_null);
        return NULL;
    }
    err = gf_err_make(req->ctx, GF_E_TOO_MANY_RESPONSES, APR_SUCCESS,
                      "%s has %" APR_INT64_T_FMT " unread (GenflowLimitResponses)", user,
                      req->conf->responses_user);
    err->retry_after = AGAIN_SECONDS;
    return err;
}

static bool is_large(const gf_req_t *req, apr_off_t bytes)
{
    return bytes > API_LARGE && !req->r->header_only;
}

void api_large_spill(gf_req_t *req, apr_off_t bytes)
{
    if (is_large(req, bytes)) {
        httpd_spill(req->r, req->conf, NULL, NULL);
    }
}

gf_err_t *api_large_begin(gf_req_t *req, apr_off_t bytes)
{
    if (is_large(req, bytes)) {
        GF_TRY(take_place(req));
        api_large_spill(req, bytes);
    }
    return NULL;
}

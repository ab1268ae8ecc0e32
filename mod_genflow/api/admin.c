/* SPDX-License-Identifier: Apache-2.0 */
/* The door of administration. Leaves what is administered to the files api/admin_*.c. */
#include "api/admin.h"

#include <http_request.h>

#include "api/cors.h"
#include "api/place.h"
#include "httpd/glue.h"

/* ---- the door ---- */

/* Does httpd.conf admit requests without a user here? Then a user name proves nothing. */
static bool requires_sign_in(request_rec *r)
{
    char *user = r->user;
    bool required;

    r->user = NULL;
    required = ap_some_authn_required(r);
    r->user = user;
    return required;
}

/* The user by httpd's authentication (never GenflowUser), in a <Location> of httpd.conf (the author
 * of an .htaccess is no administrator). */
gf_err_t *api_admin_enter(gf_req_t *req)
{
    request_rec *r = req->r;

    if (!r->user || !*r->user || !requires_sign_in(r) || !api_place_is_location(r)) {
        return gf_err_make(req->ctx, GF_E_ADMIN_CLOSED, APR_SUCCESS,
                           "SetHandler genflow-admin serves only who has to sign in: put AuthType, "
                           "what it needs, and `Require user NAME` into its <Location>");
    }
    if (r->method_number != M_GET && api_cors_is_foreign(r)) {
        const char *origin = apr_table_get(r->headers_in, "Origin");

        return gf_err_make(req->ctx, GF_E_ADMIN_ORIGIN, APR_SUCCESS,
                           "user=%s: %s from a page of %s", r->user, r->method,
                           origin ? origin : "another site");
    }
    if (!httpd_glue_administer(req->ctx)) {
        return gf_err_make(req->ctx, GF_E_ADMIN_CLOSED, APR_SUCCESS,
                           "SetHandler genflow-admin needs GenflowAdminDatabase: a connection as "
                           "the role that sql/apply --admin-role makes");
    }
    req->user = r->user;
    return NULL;
}

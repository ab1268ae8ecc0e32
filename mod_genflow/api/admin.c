/* SPDX-License-Identifier: Apache-2.0 */
/* The door of administration. Leaves what is administered to the files api/admin_*.c. */
#include "api/admin.h"

#include <http_request.h>

#include "api/cors.h"
#include "api/place.h"
#include "httpd/glue.h"
#include "model/realm.h"

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

const char *api_admin_whom(const gf_req_t *req, const char *name)
{
    return name ? gf_realm_identity(req->conf, name, req->r->pool)
                : gf_realm_scope(req->conf, req->r->pool);
}

void api_admin_rule_name(gf_input_t *input, const char *field, const char *name)
{
    if (name && !gf_realm_takes(name)) {
        gf_input_refuse(input, GF_E_INVALID, field, "must not have control characters");
    }
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
    api_admin_reason(req, NULL);
    return NULL;
}

void api_admin_reason(gf_req_t *req, const char *reason)
{
    gf_out_t out;

    gf_out_init(&out, req->r->pool, 128);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "admin", req->user);
    gf_out_put_string(&out, "reason", reason && *reason ? reason : NULL);
    gf_out_put_string(&out, "realm", req->conf->realm);
    gf_out_close(&out, '}');
    req->ctx->by = out.text;
}

void api_admin_reason_of(gf_req_t *req, const gf_json_t *body)
{
    const char *reason = NULL;

    gf_json_string(gf_json_get(body, "reason"), &reason);
    api_admin_reason(req, reason);
}

gf_err_t *api_admin_read_reason(gf_req_t *req)
{
    static const gf_input_field_t fields[] = { API_ADMIN_MAY_REASON, GF_INPUT_END };
    gf_json_t *body;

    if (ap_request_has_body(req->r)) {
        GF_TRY(api_body_fields(&body, req, fields, NULL));
        api_admin_reason_of(req, body);
    }
    return NULL;
}

typedef struct reason_t {
    const char *reason;
} reason_t;

gf_err_t *api_admin_need_reason(gf_req_t *req)
{
    static const gf_input_field_t fields[] = { API_ADMIN_REASON(reason_t, reason), GF_INPUT_END };
    reason_t in = { NULL };
    gf_json_t *body;

    GF_TRY(api_body_fields(&body, req, fields, &in));
    api_admin_reason(req, in.reason);
    return NULL;
}

void api_admin_rule_type(gf_input_t *input, const gf_req_t *req, const gf_type_t *type)
{
    if (type && req->conf->realm && type->conf != req->conf) {
        gf_input_refuse(input, GF_E_INVALID, "type", "is of the main server, not of this realm");
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What httpd itself refuses at an address of a front, in the shape of the front's errors. */
#include "front/front.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "api/denied.h"
#include "httpd/glue.h"
#include "httpd/server.h"

/* The error that stands for httpd's status; NULL: none does. */
static gf_err_t *error_of(gf_req_t *req)
{
    gf_err_t *err = api_denied_error(req);

    if (err || (req->r->status != HTTP_FORBIDDEN && req->r->status != HTTP_NOT_FOUND)) {
        return err;
    }
    err = gf_err_make(req->ctx, req->r->status == HTTP_FORBIDDEN ? GF_E_NOT_YOURS : GF_E_NO_ROUTE,
                      APR_SUCCESS, "by httpd");
    err->text = req->r->status == HTTP_FORBIDDEN ? "You may not use this address" : err->text;
    return err;
}

void front_denied(request_rec *r, const front_t *front)
{
    front_fault_t fault = { .may_retry = false };
    gf_req_t req = { .r = r };
    front_reply_t *reply;

    req.ctx = httpd_glue_request_ctx(r, httpd_conf_get(r->server));
    fault.err = error_of(&req);
    if (!fault.err) {
        return;
    }
    fault.request_id = httpd_glue_request_id(r);
    httpd_glue_name(req.ctx, r);
    gf_err_log(req.ctx, fault.err);
    reply = front_reply_make(r->pool, r->status);
    if (front->id_header) {
        apr_table_setn(reply->headers, front->id_header, fault.request_id);
    }
    front->error(reply, &fault, r->pool);
    api_denied_replace(r, reply->type, reply->text, reply->headers);
}

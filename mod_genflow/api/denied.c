/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that httpd's own authentication refuses get the same JSON error as every other, in place
 * of httpd's page, beside its WWW-Authenticate. */
#include "api/denied.h"

#include <apr_encode.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "api/authn.h"
#include "api/legacy.h"
#include "api/place.h"
#include "api/api.h"
#include "httpd/server.h"
#include "httpd/glue.h"

#define FILTER "GENFLOW_DENIED"

/* The expiry of a JWT by its own claim, in seconds since 1970; 0: it has none. The token is not
 * verified: only its sender sees the result. */
static double end_of(gf_ctx_t *ctx, const char *token)
{
    const char *begin = strchr(token, '.');
    const char *end = begin ? strchr(begin + 1, '.') : NULL;
    const char *text =
        end ? apr_pdecode_base64(ctx->pool, begin + 1, end - begin - 1, APR_ENCODE_BASE64URL, NULL)
            : NULL;
    double seconds = 0;
    gf_json_t *claims;

    if (text && !gf_json_parse(&claims, ctx, text, strlen(text))) {
        gf_json_number(gf_json_get(claims, "exp"), &seconds);
    }
    return seconds;
}

/* Was it an expired token? Some modules report that, others only that it is invalid. */
static bool is_expired(gf_ctx_t *ctx, request_rec *r)
{
    const char *says = apr_table_get(r->err_headers_out, "WWW-Authenticate");
    const char *sent = apr_table_get(r->headers_in, "Authorization");
    double end;

    if (!says || !strstr(says, "invalid_token") || !sent
        || ap_cstr_casecmpn(sent, "Bearer ", 7) != 0) {
        return false;
    }
    end = end_of(ctx, sent + 7);
    return ap_strcasestr(says, "expired")
           || (end > 0 && end <= (double)apr_time_sec(r->request_time));
}

/* What stands in place of httpd's page. */
typedef struct page_t {
    const char *type, *text;
    const apr_table_t *headers;
    bool is_sent;
} page_t;

/* Sends the page in its ctx, once. */
static apr_status_t replace_body(ap_filter_t *f, apr_bucket_brigade *written)
{
    page_t *page = f->ctx;
    apr_size_t length = page->text ? strlen(page->text) : 0;
    apr_bucket_alloc_t *alloc = f->c->bucket_alloc;
    apr_bucket_brigade *brigade;

    apr_brigade_cleanup(written);
    if (page->is_sent) {
        return APR_SUCCESS;
    }
    page->is_sent = true;
    brigade = apr_brigade_create(f->r->pool, alloc);
    ap_set_content_type(f->r, page->type ? page->type : "application/json");
    ap_set_content_length(f->r, (apr_off_t)length);
    apr_table_overlap(f->r->headers_out, page->headers, APR_OVERLAP_TABLES_SET);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_pool_create(page->text, length, f->r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
    return ap_pass_brigade(f->next, brigade);
}

void api_denied_register(void)
{
    ap_register_output_filter(FILTER, replace_body, NULL, AP_FTYPE_RESOURCE);
}

void api_denied_replace(request_rec *r, const char *type, const char *text,
                        const apr_table_t *headers)
{
    page_t *page = apr_pcalloc(r->pool, sizeof(*page));

    page->type = type;
    page->text = text;
    page->headers = headers;
    ap_add_output_filter(FILTER, page, r, r->connection);
}

gf_err_t *api_denied_error(gf_req_t *req)
{
    request_rec *r = req->r;
    gf_err_t *err = api_authn_refused(r, r->status);

    if (err) {
        r->status = err->row->http; /* mod_auth_basic has but 401 and 500 */
    }
    if (err || r->status != HTTP_UNAUTHORIZED) {
        return err;
    }
    return gf_err_make(req->ctx,
                       is_expired(req->ctx, r) ? GF_E_TOKEN_EXPIRED : api_legacy_not_signed_in(r),
                       APR_SUCCESS, "by httpd");
}

void api_denied(request_rec *r)
{
    gf_req_t req = { .r = r };
    gf_err_t *err;

    if (!api_place_is_location(r)) {
        return;
    }
    req.ctx = httpd_glue_request_ctx(r, httpd_conf_get(r->server));
    err = api_denied_error(&req);
    if (err) {
        api_denied_replace(r, NULL, gf_reply_error_text(&req, err), apr_table_make(r->pool, 1));
    }
}

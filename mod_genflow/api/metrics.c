/* SPDX-License-Identifier: Apache-2.0 */
/* The door of the metrics, and the response. base/metric_text.c writes the text. */
#include "api/metrics.h"

#include <http_protocol.h>
#include <http_request.h>

#include "api/place.h"
#include "base/metric_text.h"
#include "httpd/dir.h"
#include "httpd/glue.h"

#define CLOSED                                                                                  \
    "genflow-metrics is closed: put a Require of your own into the <Location> with SetHandler " \
    "genflow-metrics, such as `Require ip 10.0.0.0/8` or `Require local`"

bool api_metrics_is(const char *handler)
{
    return strcmp(handler, "genflow-metrics") == 0;
}

static void send_head(request_rec *r, const char *type)
{
    ap_set_content_type(r, type);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
}

/* An outer section's Require (of the whole site, of the document root) opens a site to all; it does
 * not say that the metrics are for all. */
static int refuse(request_rec *r)
{
    gf_ctx_t *ctx = httpd_glue_request_ctx(r, NULL);

    httpd_glue_name(ctx, r);
    gf_log(ctx, GF_LOG_ERR, APR_SUCCESS, "GF0860", "%s", CLOSED);
    r->status = HTTP_FORBIDDEN;
    send_head(r, "text/plain; charset=utf-8");
    ap_rputs(CLOSED "\n", r);
    return OK;
}

static void put(void *baton, const char *text)
{
    ap_rputs(text, baton);
}

int api_metrics(request_rec *r, const gf_api_t *api)
{
    gf_metric_format_t format = gf_metric_accepted(apr_table_get(r->headers_in, "Accept"), r->pool);

    if (!api_place_is_location(r) || !httpd_conf_dir(r)->required) {
        return refuse(r);
    }
    ap_allow_methods(r, REPLACE_ALLOW, "GET", "HEAD", NULL);
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    send_head(r, gf_metric_type(format));
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    gf_metric_write(put, r, api->metrics, format, r->pool);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The door of the metrics, and the response. base/metric_text.c writes the text. */
#include "api/metrics.h"

#include <http_protocol.h>
#include <http_request.h>
#include <mod_status.h>

#include "api/place.h"
#include "base/clock.h"
#include "base/metric_text.h"
#include "httpd/dir.h"
#include "httpd/glue.h"

#define PARTS_MAX 8
#define CLOSED                                                                                  \
    "genflow-metrics is closed: put a Require of your own into the <Location> with SetHandler " \
    "genflow-metrics, such as `Require ip 10.0.0.0/8` or `Require local`"

bool api_metrics_is(const char *handler)
{
    return strcmp(handler, "genflow-metrics") == 0;
}

/* A client reads the metrics: one child of this httpd has to read the global values. */
static void look(gf_metrics_t *metrics)
{
    apr_time_t now = gf_clock_now();

    gf_metrics_look(metrics, now);
    gf_metric_set(metrics, GF_METRIC_GLOBAL_AGE, now - gf_metrics_put_at(metrics));
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
    look(api->metrics);
    send_head(r, gf_metric_type(format));
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    gf_metric_write(put, r, api->metrics, format, r->pool);
    return OK;
}

/* ---- server-status ---- */

static void put_short(request_rec *r, const gf_metrics_t *metrics, gf_metric_t metric)
{
    const char *mean;
    const char *sum = gf_metric_sum(&mean, metrics, metric, r->pool);

    ap_rvputs(r, gf_metric_key(metric, r->pool), ": ", sum, "\n", NULL);
    if (mean) {
        ap_rvputs(r, gf_metric_key(metric, r->pool), "Mean: ", mean, "\n", NULL);
    }
}

static void put_row(request_rec *r, const gf_metrics_t *metrics, gf_metric_t metric)
{
    const char *mean;
    const char *sum = gf_metric_sum(&mean, metrics, metric, r->pool);
    const char *parts = gf_metric_parts(metrics, metric, PARTS_MAX, r->pool);

    ap_rvputs(r, "<tr><td title=\"", ap_escape_html(r->pool, gf_metric_help(metric, r->pool)),
              "\">", gf_metric_rows[metric].name, "</td><td>", sum, mean ? ", mean " : "",
              mean ? mean : "", mean ? " s" : "", "</td><td>", ap_escape_html(r->pool, parts),
              "</td></tr>\n", NULL);
}

int api_metrics_status(request_rec *r, int flags, gf_metrics_t *metrics)
{
    bool is_short = flags & AP_STATUS_SHORT;
    gf_metric_t metric;

    look(metrics);
    if (!is_short) {
        ap_rputs("<hr />\n<h2>mod_genflow " GENFLOW_VERSION "</h2>\n<table border=\"0\"><tr>"
                 "<th>Value</th><th>Sum</th><th>Parts, the greatest first</th></tr>\n",
                 r);
    }
    for (metric = 0; metric < GF_METRICS; metric++) {
        if (!gf_metric_is_known(metrics, metric)) {
            continue;
        }
        if (is_short) {
            put_short(r, metrics, metric);
        }
        else {
            put_row(r, metrics, metric);
        }
    }
    if (!is_short) {
        ap_rputs("</table>\n", r);
    }
    return OK;
}

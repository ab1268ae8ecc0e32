/* SPDX-License-Identifier: Apache-2.0 */
/* The values of base/metric.h as text: of Prometheus (version 0.0.4) and of OpenMetrics (1.0.0),
 * and for server-status. Any thread; nothing blocks. */
#ifndef GF_METRIC_TEXT_H
#define GF_METRIC_TEXT_H

#include "base/metric.h"

/* Takes a piece of the text. */
typedef void gf_metric_sink_t(void *baton, const char *text);

typedef enum gf_metric_format_t {
    GF_METRIC_PROMETHEUS,
    GF_METRIC_OPENMETRICS /* ends with # EOF; a counter's family has no _total in its name */
} gf_metric_format_t;

/* The Content-Type of a format. */
const char *gf_metric_type(gf_metric_format_t format);

/* The format that a client wants by its Accept (NULL: it sent none): OpenMetrics if it is named and
 * not wanted less than text/plain. */
gf_metric_format_t gf_metric_accepted(const char *accept, apr_pool_t *pool);

/* Writes all values. A series with several labels, and a histogram with labels, is written once it
 * is not 0; all others always. */
void gf_metric_write(gf_metric_sink_t *sink, void *baton, const gf_metrics_t *metrics,
                     gf_metric_format_t format, apr_pool_t *pool);

/* ---- for server-status ---- */

/* Is there something to show? Global values are unknown until they were read. */
bool gf_metric_is_known(const gf_metrics_t *metrics, gf_metric_t metric);

/* "GenflowHttpRequests" of "genflow_http_requests". */
const char *gf_metric_key(gf_metric_t metric, apr_pool_t *pool);

/* The sum of all series of a counter or gauge, as text in its unit; of a histogram how many were
 * observed. *mean: a histogram's mean time in seconds; NULL: it is none, or has none yet. */
const char *gf_metric_sum(const char **mean, const gf_metrics_t *metrics, gf_metric_t metric,
                          apr_pool_t *pool);

/* Its series that are not 0, "type=\"a\" 1, ...", the greatest first, at most `most`; "" without
 * labels. */
const char *gf_metric_parts(const gf_metrics_t *metrics, gf_metric_t metric, int most,
                            apr_pool_t *pool);

/* Its help, with the scope of a global value. */
const char *gf_metric_help(gf_metric_t metric, apr_pool_t *pool);

/* ---- pieces, for tests ---- */

/* A label's value or a help text with escapes: backslash, line end, and for a value the quote. */
const char *gf_metric_escape(const char *text, bool is_value, apr_pool_t *pool);

#endif

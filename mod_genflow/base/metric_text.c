/* SPDX-License-Identifier: Apache-2.0 */
/* The text of the values. Knows no single metric: the rows say all. */
#include "base/metric_text.h"

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#define BUCKETS_MAX 32
#define GLOBAL_HELP " Global: the same at every host of the site; do not add it up."

/* ---- the format ---- */

const char *gf_metric_type(gf_metric_format_t format)
{
    return format == GF_METRIC_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

static char *trimmed(char *text)
{
    char *end = text + strlen(text);

    while (apr_isspace(*text)) {
        text++;
    }
    while (end > text && apr_isspace(end[-1])) {
        *--end = '\0';
    }
    return text;
}

/* The weight that a range of Accept has, 0 to 1. */
static double weight_of(char *parameters)
{
    double weight = 1;
    char *last;
    char *one;

    for (one = apr_strtok(parameters, ";", &last); one; one = apr_strtok(NULL, ";", &last)) {
        one = trimmed(one);
        if (strncasecmp(one, "q=", 2) == 0) {
            weight = strtod(one + 2, NULL);
        }
    }
    return weight;
}

/* A range with a version that we do not have (0.0.1) is another type. */
static bool names_open_metrics(const char *type, const char *parameters)
{
    const char *version = parameters ? strstr(parameters, "version=") : NULL;

    return strcasecmp(type, "application/openmetrics-text") == 0
           && (!version || strncmp(version + strlen("version="), "1.", 2) == 0);
}

gf_metric_format_t gf_metric_accepted(const char *accept, apr_pool_t *pool)
{
    double open = 0;
    double plain = 0;
    char *last;
    char *range;

    for (range = accept ? apr_strtok(apr_pstrdup(pool, accept), ",", &last) : NULL; range;
         range = apr_strtok(NULL, ",", &last)) {
        char *parameters = strchr(range, ';');
        double weight;

        if (parameters) {
            *parameters++ = '\0';
        }
        range = trimmed(range);
        if (names_open_metrics(range, parameters)) {
            weight = parameters ? weight_of(parameters) : 1;
            open = weight > open ? weight : open;
        }
        else if (strcasecmp(range, "text/plain") == 0) {
            weight = parameters ? weight_of(parameters) : 1;
            plain = weight > plain ? weight : plain;
        }
    }
    return open > 0 && open >= plain ? GF_METRIC_OPENMETRICS : GF_METRIC_PROMETHEUS;
}

/* ---- pieces ---- */

const char *gf_metric_escape(const char *text, bool is_value, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, 2 * strlen(text) + 1);
    char *at = out;

    for (; *text; text++) {
        if (*text == '\\' || *text == '\n' || (*text == '"' && is_value)) {
            *at++ = '\\';
        }
        *at++ = (char)(*text == '\n' ? 'n' : *text);
    }
    *at = '\0';
    return out;
}

const char *gf_metric_help(gf_metric_t metric, apr_pool_t *pool)
{
    const gf_metric_row_t *row = &gf_metric_rows[metric];

    return apr_pstrcat(pool, row->help, row->scope == GF_METRIC_GLOBAL ? GLOBAL_HELP : "", NULL);
}

/* Microseconds are seconds with six digits, without zeros at the end. */
static const char *number(apr_int64_t value, gf_metric_unit_t unit, apr_pool_t *pool)
{
    apr_int64_t amount = value < 0 ? -value : value;
    char *text;
    char *end;

    if (unit != GF_METRIC_SECONDS && unit != GF_METRIC_MONEY) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, value);
    }
    text = apr_psprintf(pool, "%s%" APR_INT64_T_FMT ".%06d", value < 0 ? "-" : "",
                        amount / APR_USEC_PER_SEC, (int)(amount % APR_USEC_PER_SEC));
    for (end = text + strlen(text); end[-1] == '0'; end--) {
        end[-1] = '\0';
    }
    if (end[-1] == '.') {
        end[-1] = '\0';
    }
    return text;
}

/* `type="a",outcome="failed"`; "" without labels. */
static const char *labels_of(const gf_metrics_t *metrics, gf_metric_t metric, int series,
                             apr_pool_t *pool)
{
    const char *values[GF_METRIC_LABELS];
    const char *text = "";
    int i;

    gf_metric_values(values, metrics, metric, series);
    for (i = 0; i < GF_METRIC_LABELS && values[i]; i++) {
        text = apr_pstrcat(pool, text, *text ? "," : "",
                           gf_metric_label_name(gf_metric_rows[metric].labels[i]), "=\"",
                           gf_metric_escape(values[i], true, pool), "\"", NULL);
    }
    return text;
}

static bool is_histogram(const gf_metric_row_t *row)
{
    return row->kind >= GF_METRIC_SHORT;
}

/* Always written: without labels, or with one whose value is no catch-all. */
static bool is_plain(const gf_metrics_t *metrics, gf_metric_t metric, int series)
{
    const gf_metric_row_t *row = &gf_metric_rows[metric];
    const char *values[GF_METRIC_LABELS];

    gf_metric_values(values, metrics, metric, series);
    return !values[0]
           || (!values[1] && !is_histogram(row) && row->labels[0] != GF_LABEL_VERSION
               && strcmp(values[0], "other") != 0 && strcmp(values[0], "none") != 0);
}

/* ---- all of it ---- */

typedef struct writer_t {
    gf_metric_sink_t *sink;
    void *baton;
    const gf_metrics_t *metrics;
    gf_metric_format_t format;
    gf_metric_t metric;
    bool begun; /* the head of this metric is written */
    apr_pool_t *pool;
} writer_t;

static void put(const writer_t *writer, const char *text)
{
    writer->sink(writer->baton, text);
}

static void put_head(writer_t *writer)
{
    const gf_metric_row_t *row = &gf_metric_rows[writer->metric];
    bool is_open = writer->format == GF_METRIC_OPENMETRICS;
    const char *type = row->kind == GF_METRIC_COUNTER ? "counter"
                       : is_histogram(row)            ? "histogram"
                                                      : "gauge";
    const char *name = apr_pstrcat(
        writer->pool, row->name, row->kind == GF_METRIC_COUNTER && !is_open ? "_total" : "", NULL);

    if (!writer->begun) {
        put(writer, apr_pstrcat(writer->pool, "# HELP ", name, " ",
                                gf_metric_escape(gf_metric_help(writer->metric, writer->pool),
                                                 is_open, writer->pool),
                                "\n# TYPE ", name, " ", type, "\n", NULL));
    }
    writer->begun = true;
}

static void put_line(writer_t *writer, const char *suffix, const char *labels, const char *value)
{
    put_head(writer);
    put(writer,
        apr_pstrcat(writer->pool, gf_metric_rows[writer->metric].name, suffix, *labels ? "{" : "",
                    labels, *labels ? "}" : "", " ", value, "\n", NULL));
}

static void put_value(writer_t *writer, int series)
{
    const gf_metric_row_t *row = &gf_metric_rows[writer->metric];
    apr_int64_t value = gf_metric_read(writer->metrics, writer->metric, series);

    if (value || is_plain(writer->metrics, writer->metric, series)) {
        put_line(writer, row->kind == GF_METRIC_COUNTER ? "_total" : "",
                 labels_of(writer->metrics, writer->metric, series, writer->pool),
                 number(value, row->unit, writer->pool));
    }
}

/* The count is that of the buckets, so that they agree while others add. */
static void put_histogram(writer_t *writer, int series)
{
    const gf_metric_row_t *row = &gf_metric_rows[writer->metric];
    apr_int64_t counts[BUCKETS_MAX];
    apr_int64_t total = 0;
    int bounds_count;
    const apr_int64_t *bounds = gf_metric_bounds(&bounds_count, row->kind);
    apr_int64_t sum = gf_metric_read_histogram(counts, writer->metrics, writer->metric, series);
    const char *labels = labels_of(writer->metrics, writer->metric, series, writer->pool);
    int i;

    for (i = 0; i <= bounds_count; i++) {
        total += counts[i];
    }
    if (!total && !is_plain(writer->metrics, writer->metric, series)) {
        return;
    }
    total = 0;
    for (i = 0; i <= bounds_count; i++) {
        total += counts[i];
        put_line(writer, "_bucket",
                 apr_pstrcat(writer->pool, labels, *labels ? "," : "", "le=\"",
                             i < bounds_count ? number(bounds[i], row->unit, writer->pool) : "+Inf",
                             "\"", NULL),
                 number(total, GF_METRIC_ONE, writer->pool));
    }
    put_line(writer, "_sum", labels, number(sum, row->unit, writer->pool));
    put_line(writer, "_count", labels, number(total, GF_METRIC_ONE, writer->pool));
}

/* Before they were read, global values are no zeros: a counter would seem to jump. */
bool gf_metric_is_known(const gf_metrics_t *metrics, gf_metric_t metric)
{
    bool is_global =
        gf_metric_rows[metric].scope == GF_METRIC_GLOBAL || metric == GF_METRIC_GLOBAL_AGE;

    return !is_global || gf_metrics_put_at(metrics);
}

void gf_metric_write(gf_metric_sink_t *sink, void *baton, const gf_metrics_t *metrics,
                     gf_metric_format_t format, apr_pool_t *pool)
{
    writer_t writer = { .sink = sink, .baton = baton, .metrics = metrics, .format = format };
    int series;

    apr_pool_create(&writer.pool, pool);
    for (writer.metric = 0; writer.metric < GF_METRICS; writer.metric++) {
        writer.begun = false;
        for (series = 0; gf_metric_is_known(metrics, writer.metric)
                         && series < gf_metric_series(metrics, writer.metric);
             series++) {
            if (is_histogram(&gf_metric_rows[writer.metric])) {
                put_histogram(&writer, series);
            }
            else {
                put_value(&writer, series);
            }
            apr_pool_clear(writer.pool);
        }
    }
    apr_pool_destroy(writer.pool);
    if (format == GF_METRIC_OPENMETRICS) {
        sink(baton, "# EOF\n");
    }
}

/* ---- for server-status ---- */

const char *gf_metric_key(gf_metric_t metric, apr_pool_t *pool)
{
    char *key = apr_pstrdup(pool, gf_metric_rows[metric].name);
    char *out = key;
    const char *at;
    bool begins = true;

    for (at = key; *at; at++) {
        if (*at != '_') {
            *out++ = (char)(begins ? apr_toupper(*at) : *at);
        }
        begins = *at == '_';
    }
    *out = '\0';
    return key;
}

static apr_int64_t amount_of(apr_int64_t *time, const gf_metrics_t *metrics, gf_metric_t metric,
                             int series)
{
    apr_int64_t counts[BUCKETS_MAX];
    apr_int64_t amount = 0;
    int bounds;
    int i;

    *time = 0;
    gf_metric_bounds(&bounds, gf_metric_rows[metric].kind);
    if (!is_histogram(&gf_metric_rows[metric])) {
        return gf_metric_read(metrics, metric, series);
    }
    *time = gf_metric_read_histogram(counts, metrics, metric, series);
    for (i = 0; i <= bounds; i++) {
        amount += counts[i];
    }
    return amount;
}

/* Of ages the greatest, of all else the sum. */
static bool takes_greatest(const gf_metric_row_t *row)
{
    return row->kind == GF_METRIC_GAUGE && row->unit == GF_METRIC_SECONDS;
}

const char *gf_metric_sum(const char **mean, const gf_metrics_t *metrics, gf_metric_t metric,
                          apr_pool_t *pool)
{
    const gf_metric_row_t *row = &gf_metric_rows[metric];
    apr_int64_t amount = 0;
    apr_int64_t times = 0;
    int i;

    for (i = 0; i < gf_metric_series(metrics, metric); i++) {
        apr_int64_t time;
        apr_int64_t one = amount_of(&time, metrics, metric, i);

        amount = !takes_greatest(row) ? amount + one : one > amount ? one : amount;
        times += time;
    }
    *mean = is_histogram(row) && amount ? number(times / amount, GF_METRIC_SECONDS, pool) : NULL;
    return number(amount, is_histogram(row) ? GF_METRIC_ONE : row->unit, pool);
}

typedef struct part_t {
    apr_int64_t amount;
    int series;
} part_t;

static int by_amount(const void *one, const void *other)
{
    const part_t *a = one;
    const part_t *b = other;

    return a->amount != b->amount ? (a->amount < b->amount ? 1 : -1) : a->series - b->series;
}

const char *gf_metric_parts(const gf_metrics_t *metrics, gf_metric_t metric, int most,
                            apr_pool_t *pool)
{
    const gf_metric_row_t *row = &gf_metric_rows[metric];
    apr_array_header_t *parts = apr_array_make(pool, 16, sizeof(part_t));
    const char *text = "";
    int i;

    for (i = 0; row->labels[0] && i < gf_metric_series(metrics, metric); i++) {
        apr_int64_t time;
        apr_int64_t amount = amount_of(&time, metrics, metric, i);

        if (amount) {
            part_t *part = apr_array_push(parts);

            part->amount = amount;
            part->series = i;
        }
    }
    qsort(parts->elts, (size_t)parts->nelts, sizeof(part_t), by_amount);
    for (i = 0; i < parts->nelts && i < most; i++) {
        const part_t *part = &APR_ARRAY_IDX(parts, i, part_t);

        text = apr_pstrcat(
            pool, text, i ? ", " : "", labels_of(metrics, metric, part->series, pool), " ",
            number(part->amount, is_histogram(row) ? GF_METRIC_ONE : row->unit, pool), NULL);
    }
    return i < parts->nelts ? apr_pstrcat(pool, text, ", ...", NULL) : text;
}

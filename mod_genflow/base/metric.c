/* SPDX-License-Identifier: Apache-2.0 */
/* Values in shared memory: one word for each series, an array of words for each histogram, and
 * behind them a few words of each child. A word is added to atomically, and nothing else is shared,
 * so that a child that dies leaves nothing half done. */
#include "base/metric.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/hash.h"

#define OTHER        "other"
#define NONE         "none"
#define CHILDREN_MAX 4096
#define MS           1000

typedef volatile apr_uint64_t word_t;

const gf_metric_row_t gf_metric_rows[GF_METRICS] = {
#define GF_METRIC(symbol, name, kind, scope, unit, one, two, three, panel, help) \
    { name,                                                                      \
      GF_METRIC_##kind,                                                          \
      GF_METRIC_##scope,                                                         \
      GF_METRIC_##unit,                                                          \
      { GF_LABEL_##one, GF_LABEL_##two, GF_LABEL_##three },                      \
      help },
#include "base/metric_table.h"
#undef GF_METRIC
};

/* The values of a label: const char *, `other` last; and the same -> their place + 1. */
typedef struct label_t {
    apr_array_header_t *values;
    apr_hash_t *places;
} label_t;

typedef struct head_t {
    char names[GF_SHA256_HEX]; /* of rows and labels: whose memory it is */
    word_t looked;             /* gf_metrics_look(); times are gf_clock_now()'s */
    word_t put;                /* gf_metrics_put() */
} head_t;

struct gf_metrics_t {
    label_t labels[GF_LABELS];
    int series[GF_METRICS];
    int first[GF_METRICS]; /* its first word; of scope CHILD: its place among the child's */
    int words;
    int own; /* words of each child: its process id, then its values */
    int children;
    char names[GF_SHA256_HEX];
    head_t *head; /* NULL: no memory yet */
    word_t *word;
    word_t *child; /* this child's; NULL: it has no place, and counts for itself alone */
};

/* ---- the rows ---- */

static const apr_int64_t short_bounds[] = { 1 * MS,    2500,      5 * MS,     10 * MS,   25 * MS,
                                            50 * MS,   100 * MS,  250 * MS,   500 * MS,  1000 * MS,
                                            2500 * MS, 5000 * MS, 10000 * MS, 30000 * MS };
static const apr_int64_t long_bounds[] = { 100 * MS,   250 * MS,   500 * MS,    1000 * MS,
                                           2500 * MS,  5000 * MS,  10000 * MS,  15000 * MS,
                                           30000 * MS, 60000 * MS, 120000 * MS, 300000 * MS,
                                           600000 * MS };

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

const apr_int64_t *gf_metric_bounds(int *count, gf_metric_kind_t kind)
{
    *count = kind == GF_METRIC_SHORT  ? COUNT(short_bounds)
             : kind == GF_METRIC_LONG ? COUNT(long_bounds)
                                      : 0;
    return kind == GF_METRIC_SHORT ? short_bounds : long_bounds;
}

const char *gf_metric_label_name(gf_metric_label_t label)
{
    static const char *const names[GF_LABELS] = { [GF_LABEL_NO] = "",
                                                  [GF_LABEL_TYPE] = "type",
                                                  [GF_LABEL_PROVIDER] = "provider",
                                                  [GF_LABEL_ROUTE] = "route",
                                                  [GF_LABEL_METHOD] = "method",
                                                  [GF_LABEL_CODE] = "code",
                                                  [GF_LABEL_OUTCOME] = "outcome",
                                                  [GF_LABEL_RESULT] = "result",
                                                  [GF_LABEL_WORK] = "result",
                                                  [GF_LABEL_PHASE] = "phase",
                                                  [GF_LABEL_VERSION] = "version" };

    return names[label];
}

/* Words of one series. */
static int width_of(gf_metric_t metric)
{
    int bounds;

    gf_metric_bounds(&bounds, gf_metric_rows[metric].kind);
    return bounds ? bounds + 2 : 1; /* one without a bound, and the sum */
}

/* ---- labels ---- */

static void add_value(label_t *label, const char *value)
{
    if (!apr_hash_get(label->places, value, APR_HASH_KEY_STRING)) {
        APR_ARRAY_PUSH(label->values, const char *) = value;
        apr_hash_set(label->places, value, APR_HASH_KEY_STRING,
                     (void *)(intptr_t)label->values->nelts);
    }
}

static void make_label(gf_metrics_t *metrics, apr_pool_t *pool, gf_metric_label_t which,
                       const apr_array_header_t *names, const char *const *words)
{
    label_t *label = &metrics->labels[which];
    int i;

    label->values = apr_array_make(pool, 8, sizeof(const char *));
    label->places = apr_hash_make(pool);
    for (i = 0; names && i < names->nelts; i++) {
        add_value(label, apr_pstrdup(pool, APR_ARRAY_IDX(names, i, const char *)));
    }
    for (; *words; words++) {
        add_value(label, *words);
    }
    add_value(label, OTHER);
}

static void make_labels(gf_metrics_t *metrics, apr_pool_t *pool, const gf_metric_names_t *names)
{
    static const char *const nothing[] = { NULL };
    static const char *const none[] = { NONE, NULL };
    static const char *const methods[] = { "GET",   "HEAD",   "POST",    "PUT",
                                           "PATCH", "DELETE", "OPTIONS", NULL };
    static const char *const codes[] = { "2xx", "3xx", "4xx", "5xx", NULL };
    static const char *const outcomes[] = { "completed", "failed", "cancelled", NULL };
    static const char *const results[] = { "succeeded", "failed", "unknown", "cancelled", NULL };
    static const char *const work_results[] = { "done", "retried", "given_up", NULL };
    static const char *const phases[] = { "pending", "queued", "sending", "working", NULL };
    static const char *const versions[] = { GENFLOW_VERSION, NULL };

    make_label(metrics, pool, GF_LABEL_TYPE, names->types, nothing);
    make_label(metrics, pool, GF_LABEL_PROVIDER, names->providers, none);
    make_label(metrics, pool, GF_LABEL_ROUTE, names->routes, nothing);
    make_label(metrics, pool, GF_LABEL_METHOD, NULL, methods);
    make_label(metrics, pool, GF_LABEL_CODE, NULL, codes);
    make_label(metrics, pool, GF_LABEL_OUTCOME, NULL, outcomes);
    make_label(metrics, pool, GF_LABEL_RESULT, NULL, results);
    make_label(metrics, pool, GF_LABEL_WORK, NULL, work_results);
    make_label(metrics, pool, GF_LABEL_PHASE, NULL, phases);
    make_label(metrics, pool, GF_LABEL_VERSION, NULL, versions);
}

static int place_of(const gf_metrics_t *metrics, gf_metric_label_t which, const char *value)
{
    const label_t *label = &metrics->labels[which];
    int place =
        (int)(intptr_t)apr_hash_get(label->places, value ? value : NONE, APR_HASH_KEY_STRING);

    return place ? place - 1 : label->values->nelts - 1;
}

static int series_of(const gf_metrics_t *metrics, gf_metric_t metric,
                     const char *const values[GF_METRIC_LABELS])
{
    const gf_metric_row_t *row = &gf_metric_rows[metric];
    int series = 0;
    int i;

    for (i = 0; i < GF_METRIC_LABELS && row->labels[i]; i++) {
        series = series * metrics->labels[row->labels[i]].values->nelts
                 + place_of(metrics, row->labels[i], values[i]);
    }
    return series;
}

/* ---- making ---- */

/* Memory fits other values when each word means the same. */
static void name_memory(gf_metrics_t *metrics, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "%d %d", metrics->children, metrics->own);
    gf_metric_label_t label;
    int i;

    for (i = 0; i < GF_METRICS; i++) {
        text = apr_psprintf(pool, "%s %s:%d:%d", text, gf_metric_rows[i].name, metrics->first[i],
                            metrics->series[i]);
    }
    for (label = GF_LABEL_NO + 1; label < GF_LABELS; label++) {
        text = apr_pstrcat(pool, text, " | ",
                           apr_array_pstrcat(pool, metrics->labels[label].values, ' '), NULL);
    }
    gf_hash_sha256(metrics->names, text, strlen(text));
}

gf_metrics_t *gf_metrics_make(apr_pool_t *pool, const gf_metric_names_t *names, int children)
{
    gf_metrics_t *metrics = apr_pcalloc(pool, sizeof(*metrics));
    gf_metric_t metric;
    int i;

    make_labels(metrics, pool, names);
    metrics->own = 1;
    metrics->children = children < CHILDREN_MAX ? children : CHILDREN_MAX;
    for (metric = 0; metric < GF_METRICS; metric++) {
        const gf_metric_row_t *row = &gf_metric_rows[metric];

        metrics->series[metric] = 1;
        for (i = 0; i < GF_METRIC_LABELS && row->labels[i]; i++) {
            metrics->series[metric] *= metrics->labels[row->labels[i]].values->nelts;
        }
        if (row->scope == GF_METRIC_CHILD) {
            metrics->first[metric] = metrics->own++;
            continue;
        }
        metrics->first[metric] = metrics->words;
        metrics->words += metrics->series[metric] * width_of(metric);
    }
    name_memory(metrics, pool);
    return metrics;
}

apr_size_t gf_metrics_bytes(const gf_metrics_t *metrics)
{
    return APR_ALIGN_DEFAULT(sizeof(head_t))
           + sizeof(word_t)
                 * ((apr_size_t)metrics->words
                    + (apr_size_t)metrics->children * (apr_size_t)metrics->own);
}

bool gf_metrics_fits(const gf_metrics_t *metrics, const void *memory, apr_size_t bytes)
{
    const head_t *head = memory;

    return bytes >= gf_metrics_bytes(metrics) && strcmp(head->names, metrics->names) == 0;
}

void gf_metrics_use(gf_metrics_t *metrics, void *memory)
{
    metrics->head = memory;
    metrics->word = (word_t *)((char *)memory + APR_ALIGN_DEFAULT(sizeof(head_t)));
    if (strcmp(metrics->head->names, metrics->names) != 0) {
        memset(memory, 0, gf_metrics_bytes(metrics));
        apr_cpystrn(metrics->head->names, metrics->names, sizeof(metrics->head->names));
    }
}

/* ---- children ---- */

static word_t *child_at(const gf_metrics_t *metrics, int place)
{
    return metrics->word + metrics->words + place * metrics->own;
}

/* A number that another process uses by now counts as alive. Its place is lost, and what it holds
 * counts, until that one ends. */
static bool is_alive(apr_uint64_t pid)
{
    return pid && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

void gf_metrics_child(gf_metrics_t *metrics)
{
    apr_uint64_t own = (apr_uint64_t)getpid();
    int i, j;

    metrics->child = NULL;
    for (i = 0; i < metrics->children && !metrics->child; i++) {
        word_t *child = child_at(metrics, i);
        apr_uint64_t before = apr_atomic_read64(child);

        if ((before == own || !is_alive(before))
            && apr_atomic_cas64(child, own, before) == before) {
            metrics->child = child;
        }
    }
    for (j = 1; metrics->child && j < metrics->own; j++) {
        apr_atomic_set64(metrics->child + j, 0);
    }
}

static apr_int64_t sum_of_children(const gf_metrics_t *metrics, gf_metric_t metric)
{
    apr_int64_t sum = 0;
    int i;

    for (i = 0; i < metrics->children; i++) {
        word_t *child = child_at(metrics, i);

        if (is_alive(apr_atomic_read64(child))) {
            sum += (apr_int64_t)apr_atomic_read64(child + metrics->first[metric]);
        }
    }
    return sum;
}

/* ---- counting ---- */

/* The word of a series; NULL: there is none in this process. */
static word_t *word_of(const gf_metrics_t *metrics, gf_metric_t metric, int series)
{
    if (gf_metric_rows[metric].scope == GF_METRIC_CHILD) {
        return metrics->child ? metrics->child + metrics->first[metric] : NULL;
    }
    return metrics->word + metrics->first[metric] + series * width_of(metric);
}

void gf_metric_add(gf_metrics_t *metrics, gf_metric_t metric, apr_int64_t n, const char *one,
                   const char *two, const char *three)
{
    const char *const values[GF_METRIC_LABELS] = { one, two, three };
    word_t *word = metrics ? word_of(metrics, metric, series_of(metrics, metric, values)) : NULL;

    if (word) {
        apr_atomic_add64(word, (apr_uint64_t)n);
    }
}

void gf_metric_set(gf_metrics_t *metrics, gf_metric_t metric, apr_int64_t value)
{
    word_t *word = metrics ? word_of(metrics, metric, 0) : NULL;

    if (word) {
        apr_atomic_set64(word, (apr_uint64_t)value);
    }
}

void gf_metric_observe(gf_metrics_t *metrics, gf_metric_t metric, apr_interval_time_t time,
                       const char *one, const char *two)
{
    const char *const values[GF_METRIC_LABELS] = { one, two, NULL };
    const apr_int64_t *bounds;
    word_t *word;
    int count;
    int i = 0;

    if (!metrics) {
        return;
    }
    word = word_of(metrics, metric, series_of(metrics, metric, values));
    bounds = gf_metric_bounds(&count, gf_metric_rows[metric].kind);
    time = time > 0 ? time : 0;
    while (i < count && time > bounds[i]) {
        i++;
    }
    apr_atomic_inc64(word + i);
    apr_atomic_add64(word + count + 1, (apr_uint64_t)time);
}

/* ---- values of scope GLOBAL ---- */

void gf_metrics_look(gf_metrics_t *metrics, apr_time_t now)
{
    apr_atomic_set64(&metrics->head->looked, (apr_uint64_t)now);
}

bool gf_metrics_wants(const gf_metrics_t *metrics, apr_time_t now, apr_interval_time_t within,
                      apr_interval_time_t age)
{
    apr_time_t looked = (apr_time_t)apr_atomic_read64(&metrics->head->looked);

    return looked && now - looked < within && now - gf_metrics_put_at(metrics) >= age;
}

apr_time_t gf_metrics_put_at(const gf_metrics_t *metrics)
{
    return (apr_time_t)apr_atomic_read64(&metrics->head->put);
}

static gf_metric_t metric_named(const char *name)
{
    gf_metric_t metric = 0;

    while (metric < GF_METRICS && strcmp(gf_metric_rows[metric].name, name) != 0) {
        metric++;
    }
    return metric;
}

/* The place of a value among the words; -1: no row of scope GLOBAL has this name. */
static int word_of_value(const gf_metrics_t *metrics, const gf_metric_value_t *value)
{
    gf_metric_t metric = metric_named(value->metric);
    const char *values[GF_METRIC_LABELS];
    int i;

    if (metric == GF_METRICS || gf_metric_rows[metric].scope != GF_METRIC_GLOBAL) {
        return -1;
    }
    for (i = 0; i < GF_METRIC_LABELS; i++) {
        gf_metric_label_t label = gf_metric_rows[metric].labels[i];
        const char *text = label == GF_LABEL_TYPE       ? value->type
                           : label == GF_LABEL_PROVIDER ? value->provider
                                                        : value->word;

        values[i] = text && *text ? text : NULL;
    }
    return metrics->first[metric] + series_of(metrics, metric, values);
}

void gf_metrics_put(gf_metrics_t *metrics, const apr_array_header_t *values, apr_time_t now,
                    apr_pool_t *scratch_pool)
{
    apr_int64_t *words =
        apr_pcalloc(scratch_pool, (apr_size_t)metrics->words * sizeof(apr_int64_t));
    gf_metric_t metric;
    int i;

    for (i = 0; i < values->nelts; i++) {
        const gf_metric_value_t *value = &APR_ARRAY_IDX(values, i, gf_metric_value_t);
        int place = word_of_value(metrics, value);

        if (place >= 0) {
            words[place] += value->value;
        }
    }
    for (metric = 0; metric < GF_METRICS; metric++) {
        bool is_global = gf_metric_rows[metric].scope == GF_METRIC_GLOBAL;
        int first = metrics->first[metric];

        for (i = 0; is_global && i < metrics->series[metric]; i++) {
            apr_atomic_set64(metrics->word + first + i, (apr_uint64_t)words[first + i]);
        }
    }
    apr_atomic_set64(&metrics->head->put, (apr_uint64_t)now);
}

/* ---- reading ---- */

int gf_metric_series(const gf_metrics_t *metrics, gf_metric_t metric)
{
    return metrics->series[metric];
}

void gf_metric_values(const char *values[GF_METRIC_LABELS], const gf_metrics_t *metrics,
                      gf_metric_t metric, int series)
{
    const gf_metric_row_t *row = &gf_metric_rows[metric];
    int i;

    for (i = GF_METRIC_LABELS - 1; i >= 0; i--) {
        const apr_array_header_t *all = metrics->labels[row->labels[i]].values;

        values[i] = NULL;
        if (row->labels[i]) {
            values[i] = APR_ARRAY_IDX(all, series % all->nelts, const char *);
            series /= all->nelts;
        }
    }
}

apr_int64_t gf_metric_read(const gf_metrics_t *metrics, gf_metric_t metric, int series)
{
    return gf_metric_rows[metric].scope == GF_METRIC_CHILD
               ? sum_of_children(metrics, metric)
               : (apr_int64_t)apr_atomic_read64(word_of(metrics, metric, series));
}

apr_int64_t gf_metric_read_histogram(apr_int64_t *counts, const gf_metrics_t *metrics,
                                     gf_metric_t metric, int series)
{
    word_t *word = word_of(metrics, metric, series);
    int i;

    for (i = 0; i < width_of(metric) - 1; i++) {
        counts[i] = (apr_int64_t)apr_atomic_read64(word + i);
    }
    return (apr_int64_t)apr_atomic_read64(word + i);
}

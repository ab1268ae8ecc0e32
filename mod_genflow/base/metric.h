/* SPDX-License-Identifier: Apache-2.0 */
/* The values of base/metric_table.h, in shared memory of all children of an httpd. To count is an
 * atomic addition, without a lock: a child may be killed at any point, and at most its last
 * addition is missing. All calls but gf_metrics_make() are for any thread and do not block. */
#ifndef GF_METRIC_H
#define GF_METRIC_H

#include <stdbool.h>

#include <apr_hash.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

/* Labels, and where their values come from. Each has a last value `other`, for what is not among
 * them; one with GF_METRIC_NONE counts what has none, too. */
typedef enum gf_metric_label_t {
    GF_LABEL_NO,
    GF_LABEL_TYPE,     /* type: the configuration */
    GF_LABEL_PROVIDER, /* provider: the configuration; none */
    GF_LABEL_ROUTE,    /* route: the tables of addresses */
    GF_LABEL_METHOD,   /* method of HTTP */
    GF_LABEL_CODE,     /* code: "2xx" */
    GF_LABEL_OUTCOME,  /* outcome of a generation */
    GF_LABEL_RESULT,   /* result of an attempt */
    GF_LABEL_WORK,     /* result of a restore, removal, move or delivery */
    GF_LABEL_PHASE,    /* phase of a live generation */
    GF_LABEL_VERSION,  /* version of the module */
    GF_LABELS
} gf_metric_label_t;

typedef enum gf_metric_kind_t {
    GF_METRIC_COUNTER,
    GF_METRIC_GAUGE,
    GF_METRIC_SHORT, /* histograms: from here on */
    GF_METRIC_LONG
} gf_metric_kind_t;

typedef enum gf_metric_scope_t {
    GF_METRIC_HOST,
    GF_METRIC_CHILD,
    GF_METRIC_GLOBAL
} gf_metric_scope_t;

typedef enum gf_metric_unit_t {
    GF_METRIC_ONE,
    GF_METRIC_SECONDS,
    GF_METRIC_BYTES,
    GF_METRIC_MONEY /* counted in millionths */
} gf_metric_unit_t;

typedef enum gf_metric_t {
#define GF_METRIC(symbol, name, kind, scope, unit, one, two, three, panel, help) GF_METRIC_##symbol,
#include "base/metric_table.h"
#undef GF_METRIC
    GF_METRICS
} gf_metric_t;

#define GF_METRIC_LABELS 3

/* A row of base/metric_table.h. */
typedef struct gf_metric_row_t {
    const char *name;
    gf_metric_kind_t kind;
    gf_metric_scope_t scope;
    gf_metric_unit_t unit;
    gf_metric_label_t labels[GF_METRIC_LABELS]; /* the first GF_LABEL_NO ends them */
    const char *help;
} gf_metric_row_t;

extern const gf_metric_row_t gf_metric_rows[GF_METRICS];

/* The name of a label, as it is shown; and the bounds of a histogram's buckets in microseconds,
 * ascending, without the last one, which has none. */
const char *gf_metric_label_name(gf_metric_label_t label);
const apr_int64_t *gf_metric_bounds(int *count, gf_metric_kind_t kind);

/* The values of labels that the configuration knows: const char *. */
typedef struct gf_metric_names_t {
    apr_array_header_t *types;
    apr_array_header_t *providers;
    apr_array_header_t *routes;
} gf_metric_names_t;

typedef struct gf_metrics_t gf_metrics_t;

/* Prepares the values for these names, in `pool`, before the children start. `children`: how many
 * may live at a time. They have no memory yet. */
gf_metrics_t *gf_metrics_make(apr_pool_t *pool, const gf_metric_names_t *names, int children);

/* Bytes of shared memory that they need; and begins to use that memory. It is zeroed, unless
 * another gf_metrics_t of the same rows and names has used it before: then all values go on. */
apr_size_t gf_metrics_bytes(const gf_metrics_t *metrics);
void gf_metrics_use(gf_metrics_t *metrics, void *memory);

/* Was the memory of `bytes` bytes used for the same rows and names? */
bool gf_metrics_fits(const gf_metrics_t *metrics, const void *memory, apr_size_t bytes);

/* The child begins: a place of its own for values of scope CHILD. */
void gf_metrics_child(gf_metrics_t *metrics);

/* ---- counting; metrics NULL: nothing is counted ---- */

/* Adds to a counter, to a host's gauge, or to this child's gauge. The texts are the values of its
 * labels in their order; NULL: none, or no such label. */
void gf_metric_add(gf_metrics_t *metrics, gf_metric_t metric, apr_int64_t n, const char *one,
                   const char *two, const char *three);

/* Sets a gauge without labels. */
void gf_metric_set(gf_metrics_t *metrics, gf_metric_t metric, apr_int64_t value);

/* Adds one observation to a histogram. A negative time counts as 0. */
void gf_metric_observe(gf_metrics_t *metrics, gf_metric_t metric, apr_interval_time_t time,
                       const char *one, const char *two);

/* ---- values of scope GLOBAL ---- */

/* A value that was read: the row's name, and values of its labels; `word` is that of a label that
 * is neither type nor provider. */
typedef struct gf_metric_value_t {
    const char *metric, *type, *provider, *word;
    apr_int64_t value;
} gf_metric_value_t;

/* A client reads the metrics now. */
void gf_metrics_look(gf_metrics_t *metrics, apr_time_t now);

/* Did one within `within`, and were the global values read `age` ago or longer? */
bool gf_metrics_wants(const gf_metrics_t *metrics, apr_time_t now, apr_interval_time_t within,
                      apr_interval_time_t age);

/* The global values are these (gf_metric_value_t) from now on, and 0 where none is named; several
 * of one series are added up. One process of a host at a time. */
void gf_metrics_put(gf_metrics_t *metrics, const apr_array_header_t *values, apr_time_t now,
                    apr_pool_t *scratch_pool);

/* When they were put last; 0: not yet, and there is nothing to show. */
apr_time_t gf_metrics_put_at(const gf_metrics_t *metrics);

/* ---- reading ---- */

/* How many series a metric has, and the values of the labels of one of them: those of the row's
 * labels, the others are NULL. */
int gf_metric_series(const gf_metrics_t *metrics, gf_metric_t metric);
void gf_metric_values(const char *values[GF_METRIC_LABELS], const gf_metrics_t *metrics,
                      gf_metric_t metric, int series);

/* The value of a counter or gauge. */
apr_int64_t gf_metric_read(const gf_metrics_t *metrics, gf_metric_t metric, int series);

/* The counts of a histogram's buckets, not cumulative: as many as it has bounds, and one. Returns
 * the sum of its times. */
apr_int64_t gf_metric_read_histogram(apr_int64_t *counts, const gf_metrics_t *metrics,
                                     gf_metric_t metric, int series);

#endif

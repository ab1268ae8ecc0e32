/* SPDX-License-Identifier: Apache-2.0 */
/* The values of the metrics that the database has. */
#ifndef GF_DB_METRICS_H
#define GF_DB_METRICS_H

#include "base/metric.h"
#include "db/db.h"

/* *values: gf_metric_value_t, for gf_metrics_put(). Errors: those of gf_db_call(). Blocks. */
gf_err_t *gf_metrics_read(apr_array_header_t **values, gf_ctx_t *ctx);

#endif

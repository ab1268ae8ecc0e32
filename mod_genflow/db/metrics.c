/* SPDX-License-Identifier: Apache-2.0 */
/* One statement for all values of scope GLOBAL (sql/functions/metrics.sql). */
#include "db/metrics.h"

static const gf_sql_field_t metrics_columns[] = { GF_COLUMN(gf_metric_value_t, metric),
                                                  GF_COLUMN(gf_metric_value_t, type),
                                                  GF_COLUMN(gf_metric_value_t, provider),
                                                  GF_COLUMN(gf_metric_value_t, word),
                                                  GF_COLUMN(gf_metric_value_t, value) };

GF_STATEMENT(metrics, .function = "metrics", GF_COLUMNS(gf_metric_value_t, metrics_columns));

gf_err_t *gf_metrics_read(apr_array_header_t **values, gf_ctx_t *ctx)
{
    return gf_db_list(values, ctx, &gf_sql_metrics, NULL);
}

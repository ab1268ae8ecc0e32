/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the telling of webhooks to its SQL functions. Leaves rules to the SQL and to work/. */
#include "db/delivery.h"

#include <apr_strings.h>

#include "base/text.h"
#include "model/type.h"

gf_err_t *gf_delivery_claim(gf_job_t **jobs, gf_ctx_t *ctx, int limit, apr_interval_time_t lease)
{
    const char *args[] = { gf_db_types(ctx, NULL), apr_itoa(ctx->pool, limit),
                           gf_text_interval(ctx->pool, lease) };
    gf_rows_t *rows;
    int row;

    *jobs = NULL;
    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_DELIVERY_CLAIM, NULL, args, NULL));
    for (row = 0; row < gf_rows_count(rows); row++) {
        gf_job_t *job = gf_job_make(gf_type_find(ctx->conf, gf_rows_text(rows, row, 1), ctx->pool));

        job->id = apr_pstrdup(job->pool, gf_rows_text(rows, row, 0));
        job->user = apr_pstrdup(job->pool, gf_rows_text(rows, row, 2));
        job->tell_tries = (int)gf_rows_int(rows, row, 3);
        job->tell_time = apr_pstrdup(job->pool, gf_rows_text(rows, row, 4));
        job->next = *jobs;
        *jobs = job;
    }
    return NULL;
}

gf_err_t *gf_delivery_note(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay)
{
    const char *args[] = { job->id, delay ? gf_text_interval(ctx->pool, delay) : NULL };
    gf_rows_t *rows;

    return gf_db_call(&rows, ctx, GF_SQL_DELIVERY_NOTE, NULL, args, NULL);
}

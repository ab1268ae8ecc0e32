/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the removal of pictures to its SQL functions. Leaves rules to the SQL and to work/. */
#include "db/gf_removal.h"

#include <apr_strings.h>

#include "base/gf_text.h"
#include "model/gf_type.h"

gf_err_t *gf_removal_claim(gf_job_t **jobs, gf_ctx_t *ctx, int limit, apr_interval_time_t lease)
{
    const char *args[] = { gf_db_types(ctx), apr_itoa(ctx->pool, limit),
                           gf_text_interval(ctx->pool, lease) };
    gf_rows_t *rows;
    int row;

    *jobs = NULL;
    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_REMOVAL_CLAIM, NULL, args, NULL));
    for (row = 0; row < gf_rows_count(rows); row++) {
        gf_job_t *job = gf_job_make(gf_type_find(ctx->conf, gf_rows_text(rows, row, 1), ctx->pool));

        job->id = apr_pstrdup(job->pool, gf_rows_text(rows, row, 0));
        job->remove_url = apr_pstrdup(job->pool, gf_rows_text(rows, row, 2));
        job->media_type = apr_pstrdup(job->pool, gf_rows_text(rows, row, 3));
        job->user = "-";
        job->next = *jobs;
        *jobs = job;
    }
    return NULL;
}

gf_err_t *gf_removal_done(gf_ctx_t *ctx, const gf_job_t *job)
{
    gf_rows_t *rows;

    return gf_db_call(&rows, ctx, GF_SQL_REMOVAL_DONE, NULL, &job->id, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the second storing of pictures, and their removal, to its SQL functions. Leaves rules to the
 * SQL and to work/. */
#include "db/picture.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "model/type.h"

static gf_err_t *claim(gf_job_t **jobs, gf_ctx_t *ctx, gf_sql_t statement, int limit,
                       apr_interval_time_t lease)
{
    const char *args[] = { gf_db_types(ctx, NULL), apr_itoa(ctx->pool, limit),
                           gf_text_interval(ctx->pool, lease) };
    gf_rows_t *rows;
    int row;

    *jobs = NULL;
    GF_TRY(gf_db_call(&rows, ctx, statement, NULL, args, NULL));
    for (row = 0; row < gf_rows_count(rows); row++) {
        gf_job_t *job = gf_job_make(gf_type_find(ctx->conf, gf_rows_text(rows, row, 1), ctx->pool));
        const char *url = apr_pstrdup(job->pool, gf_rows_text(rows, row, 2));

        job->id = apr_pstrdup(job->pool, gf_rows_text(rows, row, 0));
        job->user = "-";
        job->picture_secret = apr_pstrdup(job->pool, gf_rows_text(rows, row, 4));
        if (statement == GF_SQL_RESTORE_CLAIM) {
            job->restore_url = url;
            job->restore_tries = (int)gf_rows_int(rows, row, 3);
        }
        else {
            job->remove_url = url;
            job->media_type = apr_pstrdup(job->pool, gf_rows_text(rows, row, 3));
        }
        job->next = *jobs;
        *jobs = job;
    }
    return NULL;
}

gf_err_t *gf_picture_restores(gf_job_t **jobs, gf_ctx_t *ctx, int limit, apr_interval_time_t lease)
{
    return claim(jobs, ctx, GF_SQL_RESTORE_CLAIM, limit, lease);
}

gf_err_t *gf_picture_removals(gf_job_t **jobs, gf_ctx_t *ctx, int limit, apr_interval_time_t lease)
{
    return claim(jobs, ctx, GF_SQL_REMOVAL_CLAIM, limit, lease);
}

gf_err_t *gf_picture_restored(bool *gone, gf_ctx_t *ctx, const gf_job_t *job, const char *image_url,
                              const char *result)
{
    const char *args[] = { job->id, image_url, result };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_RESTORED, job->type, args, NULL));
    *gone = strcmp(gf_rows_text(rows, 0, 0), "gone") == 0;
    return NULL;
}

gf_err_t *gf_picture_later(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay)
{
    const char *args[] = { job->id, delay ? gf_text_interval(ctx->pool, delay) : NULL };
    gf_rows_t *rows;

    return gf_db_call(&rows, ctx, GF_SQL_RESTORE_LATER, NULL, args, NULL);
}

gf_err_t *gf_picture_removed(gf_ctx_t *ctx, const gf_job_t *job)
{
    const char *args[] = { job->id, job->remove_url };
    gf_rows_t *rows;

    return gf_db_call(&rows, ctx, GF_SQL_REMOVAL_DONE, NULL, args, NULL);
}

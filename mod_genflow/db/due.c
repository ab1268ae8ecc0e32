/* SPDX-License-Identifier: Apache-2.0 */
/* Claims work on generations that have ended. Leaves the statements to db/picture.c and
 * db/delivery.c. */
#include "db/due.h"

#include "model/servers.h"

const gf_sql_field_t gf_due_params[GF_DUE_PARAMS] = { GF_PARAM(gf_due_in_t, types),
                                                      GF_PARAM(gf_due_in_t, limit),
                                                      GF_PARAM_INTERVAL(gf_due_in_t, lease),
                                                      GF_PARAM(gf_due_in_t, from) };

gf_err_t *gf_due_claim(gf_job_t **jobs, gf_ctx_t *ctx, const gf_statement_t *statement,
                       const gf_due_in_t *what)
{
    gf_due_in_t in = *what;
    gf_due_row_t row;
    gf_rows_t *rows;
    int i;

    *jobs = NULL;
    in.types = gf_db_all_types(ctx);
    GF_TRY(gf_db_call(&rows, ctx, statement, NULL, &in, NULL));
    for (i = 0; i < gf_rows_count(rows); i++) {
        gf_job_t *job = gf_job_make(NULL);

        job->user = "-";
        row.job = *job;
        GF_TRY(gf_rows_read(&row, ctx, rows, i, job->pool));
        *job = row.job;
        job->type = gf_servers_type(ctx->conf, row.type);
        job->next = *jobs;
        *jobs = job;
    }
    return NULL;
}

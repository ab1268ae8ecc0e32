/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the telling of webhooks to its SQL functions. Leaves rules to the SQL and to work/. */
#include "db/delivery.h"

#include "model/type.h"

typedef struct claim_in_t {
    const char *types;
    int limit;
    apr_interval_time_t lease;
} claim_in_t;

typedef struct claim_row_t {
    const char *type;
    gf_job_t job;
} claim_row_t;

static const gf_sql_field_t claim_params[] = { GF_PARAM(claim_in_t, types),
                                               GF_PARAM(claim_in_t, limit),
                                               GF_PARAM_INTERVAL(claim_in_t, lease) };
static const gf_sql_field_t claim_columns[] = {
    GF_COLUMN(claim_row_t, type),
    GF_COLUMN_AS("id", claim_row_t, job.id),
    GF_COLUMN_AS("user_id", claim_row_t, job.user),
    GF_COLUMN_AS("tries", claim_row_t, job.tell_tries),
    GF_COLUMN_AS("at", claim_row_t, job.tell_time),
};

GF_STATEMENT(delivery_claim, .function = "delivery_claim", GF_PARAMS(claim_params),
             GF_COLUMNS(claim_row_t, claim_columns));

gf_err_t *gf_delivery_claim(gf_job_t **jobs, gf_ctx_t *ctx, int limit, apr_interval_time_t lease)
{
    const claim_in_t in = { .types = gf_db_types(ctx, NULL), .limit = limit, .lease = lease };
    claim_row_t row;
    gf_rows_t *rows;
    int i;

    *jobs = NULL;
    GF_TRY(gf_db_call(&rows, ctx, &gf_sql_delivery_claim, NULL, &in, NULL));
    for (i = 0; i < gf_rows_count(rows); i++) {
        gf_job_t *job = gf_job_make(NULL);

        row.job = *job;
        GF_TRY(gf_rows_read(&row, ctx, rows, i, job->pool));
        *job = row.job;
        job->type = gf_type_find(ctx->conf, row.type, ctx->pool);
        job->next = *jobs;
        *jobs = job;
    }
    return NULL;
}

typedef struct note_in_t {
    const char *id;
    apr_interval_time_t delay;
} note_in_t;

static const gf_sql_field_t note_params[] = { GF_PARAM(note_in_t, id),
                                              GF_PARAM_INTERVAL_OR(note_in_t, delay, 0) };

GF_STATEMENT(delivery_note, .function = "delivery_note", .is_value = true, GF_PARAMS(note_params));

gf_err_t *gf_delivery_note(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay)
{
    const note_in_t in = { .id = job->id, .delay = delay };

    return gf_db_do(ctx, &gf_sql_delivery_note, &in);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Maps deliveries of webhooks to their SQL functions. The rules are in the SQL and in work/. */
#include "db/delivery.h"

static const gf_sql_field_t claim_columns[] = {
    GF_COLUMN(gf_due_row_t, type),
    GF_COLUMN_AS("id", gf_due_row_t, job.id),
    GF_COLUMN_AS("user_id", gf_due_row_t, job.user),
    GF_COLUMN_AS("tries", gf_due_row_t, job.delivery_attempts),
    GF_COLUMN_AS("at", gf_due_row_t, job.webhook_timestamp),
    GF_COLUMN_AS("event", gf_due_row_t, job.delivery_event),
};

GF_STATEMENT(delivery_claim, .function = "delivery_claim", GF_PARAMS(gf_due_params),
             GF_COLUMNS(gf_due_row_t, claim_columns));

gf_err_t *gf_delivery_claim(gf_job_t **jobs, gf_ctx_t *ctx, const gf_due_in_t *what)
{
    return gf_due_claim(jobs, ctx, &gf_sql_delivery_claim, what);
}

typedef struct note_in_t {
    const char *id;
    apr_interval_time_t delay;
    const char *event;
} note_in_t;

static const gf_sql_field_t note_params[] = { GF_PARAM(note_in_t, id),
                                              GF_PARAM_INTERVAL_OR(note_in_t, delay, 0),
                                              GF_PARAM(note_in_t, event) };

GF_STATEMENT(delivery_note, .function = "delivery_note", .is_value = true, GF_PARAMS(note_params));

gf_err_t *gf_delivery_note(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay)
{
    const note_in_t in = { .id = job->id, .delay = delay, .event = job->delivery_event };

    return gf_db_do(ctx, &gf_sql_delivery_note, &in);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Maps reports to their SQL functions. Leaves verifying them to provider/. */
#include "db/provider_webhook.h"

typedef struct report_in_t {
    const char *provider, *kind, *id, *token, *event, *ref, *owner;
} report_in_t;

typedef enum { REPORT_UNKNOWN, REPORT_DUPLICATE, REPORT_ENDED, REPORT_LED, REPORT_DUE } report_t;

typedef struct report_row_t {
    bool known;
    report_t outcome;
} report_row_t;

static const gf_sql_word_t report_words[] = {
    { "unknown", REPORT_UNKNOWN }, { "duplicate", REPORT_DUPLICATE },
    { "ended", REPORT_ENDED },     { "led", REPORT_LED },
    { "due", REPORT_DUE },         { NULL, GF_SQL_NO_WORD }
};
static const gf_sql_field_t known_params[] = { GF_PARAM(report_in_t, provider),
                                               GF_PARAM(report_in_t, id),
                                               GF_PARAM(report_in_t, token) };
static const gf_sql_field_t known_columns[] = { GF_COLUMN(report_row_t, known) };
static const gf_sql_field_t note_params[] = {
    GF_PARAM(report_in_t, provider), GF_PARAM(report_in_t, kind),  GF_PARAM(report_in_t, id),
    GF_PARAM(report_in_t, token),    GF_PARAM(report_in_t, event), GF_PARAM(report_in_t, ref),
    GF_PARAM(report_in_t, owner)
};
static const gf_sql_field_t note_columns[] = {
    GF_COLUMN_WORD("outcome", report_row_t, outcome, report_words),
};

GF_STATEMENT(hook_known, .function = "hook_known", .is_value = true, GF_PARAMS(known_params),
             GF_COLUMNS(report_row_t, known_columns));
GF_STATEMENT(hook, .function = "hook", .is_value = true, GF_PARAMS(note_params),
             GF_COLUMNS(report_row_t, note_columns));

gf_err_t *gf_provider_webhook_known(bool *known, gf_ctx_t *ctx, const gf_report_t *report)
{
    const report_in_t in = { .provider = report->provider->name,
                             .id = report->id,
                             .token = report->token };
    report_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_hook_known, NULL, &in));
    *known = row.known;
    return NULL;
}

gf_err_t *gf_provider_webhook_record(bool *known, gf_ctx_t *ctx, const gf_report_t *report,
                                     const char *owner)
{
    const report_in_t in = { .provider = report->provider->name,
                             .kind = report->provider->kind_name,
                             .id = report->id,
                             .token = report->token,
                             .event = report->event,
                             .ref = report->ref,
                             .owner = owner };
    report_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_hook, NULL, &in));
    *known = row.outcome != REPORT_UNKNOWN;
    return NULL;
}

typedef struct ref_in_t {
    const char *id;
    int epoch;
} ref_in_t;

typedef struct ref_row_t {
    const char *ref;
} ref_row_t;

static const gf_sql_field_t ref_params[] = { GF_PARAM(ref_in_t, id), GF_PARAM(ref_in_t, epoch) };
static const gf_sql_field_t ref_columns[] = { GF_COLUMN(ref_row_t, ref) };

GF_STATEMENT(hook_ref, .function = "hook_ref", .is_value = true, GF_PARAMS(ref_params),
             GF_COLUMNS(ref_row_t, ref_columns));

gf_err_t *gf_provider_webhook_ref(const char **ref, gf_ctx_t *ctx, const gf_job_t *job)
{
    const ref_in_t in = { .id = job->id, .epoch = job->epoch };
    ref_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_hook_ref, NULL, &in));
    *ref = row.ref;
    return NULL;
}

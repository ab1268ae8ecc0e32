/* SPDX-License-Identifier: Apache-2.0 */
/* Which column of genflow.generation is which member of the generation object. */
#include "db/generation.h"

#include <string.h>

#include <apr_strings.h>

#define VIEW(column, member) GF_COLUMN_AS(column, gf_generation_row_t, view.member)

static const gf_sql_word_t priority_words[] = { { "-1", GF_PRIORITY_LOW },
                                                { "0", GF_PRIORITY_NORMAL },
                                                { "1", GF_PRIORITY_HIGH },
                                                { NULL, GF_PRIORITY_NORMAL } };

/* clang-format off */
const gf_sql_field_t gf_generation_columns[GF_GENERATION_COUNT] = {
    GF_COLUMN_WORD("outcome", gf_generation_row_t, outcome, gf_db_owned_words),
    GF_COLUMN(gf_generation_row_t, type),
    VIEW("id", id),
    VIEW("run_id", run_id),
    VIEW("status", status),
    VIEW("preset", preset),
    VIEW("prompt", prompt),
    VIEW("source_url", source_url),
    VIEW("parameters", parameters_json),
    VIEW("seed", seed_json),
    VIEW("cost", cost_json),
    VIEW("retry_count", retry_count_json),
    VIEW("max_retries", max_retries_json),
    VIEW("provider", provider),
    VIEW("model", model),
    VIEW("provider_kind", provider_kind),
    VIEW("provider_ref", provider_ref),
    VIEW("image_url", image_url),
    VIEW("original_url", original_url),
    VIEW("persisted", persisted),
    VIEW("expires_at", expires_at),
    VIEW("fallback_used", fallback_used),
    VIEW("error_code", error_code),
    VIEW("error_message", error_message),
    VIEW("cause_code", cause_code),
    VIEW("created_at", created_at),
    VIEW("started_at", started_at),
    VIEW("finished_at", finished_at),
    VIEW("processing_ms", processing_ms_json),
    VIEW("result", result_json),
    VIEW("progress", progress_json),
    VIEW("queue_position", queue_position_json),
    VIEW("expected_seconds", expected_seconds_json),
    VIEW("logs", logs_json),
    VIEW("at", at),
    VIEW("webhook_url", webhook_url),
    GF_COLUMN_WORD("priority", gf_generation_row_t, view.priority, priority_words),
    VIEW("age_ms", age_ms),
    VIEW("started", started),
    VIEW("user_id", user),
    VIEW("visibility", visibility),
    VIEW("allow_remix", allow_remix),
    VIEW("input", input_json),
    VIEW("input_summary", input_summary_json),
};
/* clang-format on */

typedef struct get_in_t {
    const char *user, *id, *run_id, *ref, *kind;
} get_in_t;

static const gf_sql_field_t get_params[] = { GF_PARAM(get_in_t, user), GF_PARAM(get_in_t, id),
                                             GF_PARAM(get_in_t, run_id), GF_PARAM(get_in_t, ref),
                                             GF_PARAM(get_in_t, kind) };

GF_STATEMENT(get, .function = "%s_get", GF_PARAMS(get_params), GF_GENERATION_COLUMNS);

gf_err_t *gf_queue_get(gf_view_t *view, gf_ctx_t *ctx, const gf_type_t *type, const char *user,
                       const gf_find_t *find)
{
    const get_in_t in = { .user = user,
                          .id = find->id,
                          .run_id = find->run_id,
                          .ref = find->ref,
                          .kind = find->ref_kind };
    const char *what = find->id ? find->id : find->run_id ? find->run_id : find->ref;
    gf_generation_row_t row;

    memset(&row, 0, sizeof(row));
    GF_TRY(gf_db_one(&row, ctx, &gf_sql_get, type, &in));
    GF_TRY(gf_db_owned(ctx, row.outcome, GF_E_NO_GENERATION, type->name, user, what));
    *view = row.view;
    view->type = type;
    view->user = user;
    view->ref_names = ctx->conf->ref_names;
    view->thumbnail = ctx->conf->store_thumbnail;
    return NULL;
}

gf_err_t *gf_steer_status(gf_ctx_t *ctx, const char *id, const char *status)
{
    gf_err_t *err = gf_err_make(ctx, GF_E_STATUS, APR_SUCCESS, "%s is %s", id, status);

    err->extra = apr_psprintf(ctx->pool, "\"status\":\"%s\",\"generationId\":\"%s\"", status, id);
    return err;
}

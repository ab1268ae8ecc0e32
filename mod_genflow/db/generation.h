/* SPDX-License-Identifier: Apache-2.0 */
/* The composite type genflow.generation, in which SQL functions return a generation, and reading
 * one. It blocks; any thread with its own context. */
#ifndef GF_GENERATION_H
#define GF_GENERATION_H

#include "db/db.h"
#include "model/job.h"

/* A row of it. The reader of the row sets what the database does not know: view.type, and of the
 * configuration view.ref_names and view.thumbnails. */
typedef struct gf_generation_row_t {
    gf_owned_t outcome; /* other than GF_OWNED: nothing else is set */
    const char *type;   /* its name */
    gf_view_t view;
} gf_generation_row_t;

#define GF_GENERATION_VIEW(column, member) GF_COLUMN_AS(column, gf_generation_row_t, view.member)

extern const gf_sql_word_t gf_generation_priority_words[];

/* Its columns behind the outcome. */
/* clang-format off */
#define GF_GENERATION_FIELDS \
    GF_COLUMN(gf_generation_row_t, type), \
    GF_GENERATION_VIEW("id", id), \
    GF_GENERATION_VIEW("run_id", run_id), \
    GF_GENERATION_VIEW("status", status), \
    GF_GENERATION_VIEW("preset", preset), \
    GF_GENERATION_VIEW("prompt", prompt), \
    GF_GENERATION_VIEW("source_url", source_url), \
    GF_GENERATION_VIEW("parameters", parameters_json), \
    GF_GENERATION_VIEW("seed", seed_json), \
    GF_GENERATION_VIEW("cost", cost_json), \
    GF_GENERATION_VIEW("retry_count", retry_count_json), \
    GF_GENERATION_VIEW("max_retries", max_retries_json), \
    GF_GENERATION_VIEW("provider", provider), \
    GF_GENERATION_VIEW("model", model), \
    GF_GENERATION_VIEW("provider_kind", provider_kind), \
    GF_GENERATION_VIEW("provider_ref", provider_ref), \
    GF_GENERATION_VIEW("image_url", image_url), \
    GF_GENERATION_VIEW("original_url", original_url), \
    GF_GENERATION_VIEW("persisted", persisted), \
    GF_GENERATION_VIEW("expires_at", expires_at), \
    GF_GENERATION_VIEW("taken_down_at", taken_down_at), \
    GF_GENERATION_VIEW("fallback_used", fallback_used), \
    GF_GENERATION_VIEW("error_code", error_code), \
    GF_GENERATION_VIEW("error_message", error_message), \
    GF_GENERATION_VIEW("cause_code", cause_code), \
    GF_GENERATION_VIEW("created_at", created_at), \
    GF_GENERATION_VIEW("started_at", started_at), \
    GF_GENERATION_VIEW("finished_at", finished_at), \
    GF_GENERATION_VIEW("processing_ms", processing_ms_json), \
    GF_GENERATION_VIEW("result", result_json), \
    GF_GENERATION_VIEW("progress", progress_json), \
    GF_GENERATION_VIEW("queue_position", queue_position_json), \
    GF_GENERATION_VIEW("expected_seconds", expected_seconds_json), \
    GF_GENERATION_VIEW("logs", logs_json), \
    GF_GENERATION_VIEW("at", at), \
    GF_GENERATION_VIEW("webhook_url", webhook_url), \
    GF_COLUMN_WORD("priority", gf_generation_row_t, view.priority, gf_generation_priority_words), \
    GF_GENERATION_VIEW("age_ms", age_ms), \
    GF_GENERATION_VIEW("started", started), \
    GF_GENERATION_VIEW("user_id", user), \
    GF_GENERATION_VIEW("visibility", visibility), \
    GF_GENERATION_VIEW("allow_remix", allow_remix), \
    GF_COLUMN_FROM("array_to_json(tags)", "tags", gf_generation_row_t, view.tags_json), \
    GF_GENERATION_VIEW("favourite", favourite), \
    GF_GENERATION_VIEW("title", title), \
    GF_GENERATION_VIEW("input", input_json), \
    GF_GENERATION_VIEW("input_summary", input_summary_json), \
    GF_GENERATION_VIEW("row_version", row_version), \
    GF_COLUMN_FROM("result->>'color'", "color", gf_generation_row_t, view.color), \
    GF_COLUMN_FROM("coalesce(result->>'thumbnail', CASE WHEN " \
                   "result @@ '$.width * $.height > 16000000' THEN 'false' END)", \
                   "thumbnail", gf_generation_row_t, view.thumbnail)
/* clang-format on */

extern const gf_sql_field_t gf_generation_columns[];
#define GF_GENERATION_COUNT 51 /* of its columns */

/* For a GF_STATEMENT() that returns such rows. */
#define GF_GENERATION_COLUMNS                                              \
    .columns = gf_generation_columns, .column_count = GF_GENERATION_COUNT, \
    .row_size = sizeof(gf_generation_row_t)

/* Sets what a row does not have: its type, and what the configuration adds to the view. */
void gf_generation_complete(gf_view_t *view, const gf_ctx_t *ctx, const gf_type_t *type);

/* Selects a generation: by the first of these that is not NULL. Older clients know a generation
 * only by its run id or by the provider's. */
typedef struct gf_find_t {
    const char *id;
    const char *run_id;
    const char *ref;      /* the provider's id of the run */
    const char *ref_kind; /* the kind of provider that gave it; NULL: any */
} gf_find_t;

/* Reads a generation of `user`, whole, with its progress while it is live. The texts of the view
 * are in ctx->pool. Errors: NO_GENERATION, NOT_YOURS, those of gf_db_call(). */
gf_err_t *gf_queue_get(gf_view_t *view, gf_ctx_t *ctx, const gf_type_t *type, const char *user,
                       const gf_find_t *find);

/* STATUS: the act is not possible in state `status`, which the response contains. */
gf_err_t *gf_steer_status(gf_ctx_t *ctx, const char *id, const char *status);

#endif

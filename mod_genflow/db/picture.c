/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the second storing of pictures, their removal and their moves to its SQL functions. Leaves
 * rules to the SQL and to work/. */
#include "db/picture.h"

static const gf_sql_field_t restore_columns[] = {
    GF_COLUMN(gf_due_row_t, type),
    GF_COLUMN_AS("id", gf_due_row_t, job.id),
    GF_COLUMN_AS("picture_secret", gf_due_row_t, job.picture_secret),
    GF_COLUMN_AS("run_id", gf_due_row_t, job.run_id),
    GF_COLUMN_AS("url", gf_due_row_t, job.restore_url),
    GF_COLUMN_AS("tries", gf_due_row_t, job.restore_tries),
};
static const gf_sql_field_t removal_columns[] = {
    GF_COLUMN(gf_due_row_t, type),
    GF_COLUMN_AS("id", gf_due_row_t, job.id),
    GF_COLUMN_AS("picture_secret", gf_due_row_t, job.picture_secret),
    GF_COLUMN_AS("run_id", gf_due_row_t, job.run_id),
    GF_COLUMN_AS("url", gf_due_row_t, job.remove_url),
    GF_COLUMN_AS("media_type", gf_due_row_t, job.media_type),
    GF_COLUMN_AS("is_copy", gf_due_row_t, job.remove_copy),
    GF_COLUMN_AS("beside", gf_due_row_t, job.remove_beside),
};
static const gf_sql_field_t move_columns[] = {
    GF_COLUMN(gf_due_row_t, type),
    GF_COLUMN_AS("id", gf_due_row_t, job.id),
    GF_COLUMN_AS("picture_secret", gf_due_row_t, job.picture_secret),
    GF_COLUMN_AS("run_id", gf_due_row_t, job.run_id),
    GF_COLUMN_AS("url", gf_due_row_t, job.move_url),
    GF_COLUMN_AS("sha256", gf_due_row_t, job.move_sha256),
    GF_COLUMN_AS("tries", gf_due_row_t, job.move_tries),
};

GF_STATEMENT(restore_claim, .function = "restore_claim", GF_PARAMS(gf_due_params),
             GF_COLUMNS(gf_due_row_t, restore_columns));
GF_STATEMENT(removal_claim, .function = "removal_claim", GF_PARAMS(gf_due_params),
             GF_COLUMNS(gf_due_row_t, removal_columns));
GF_STATEMENT(move_claim, .function = "move_claim", GF_PARAMS(gf_due_params),
             GF_COLUMNS(gf_due_row_t, move_columns));

gf_err_t *gf_picture_restores(gf_job_t **jobs, gf_ctx_t *ctx, const gf_due_in_t *what)
{
    return gf_due_claim(jobs, ctx, &gf_sql_restore_claim, what);
}

gf_err_t *gf_picture_removals(gf_job_t **jobs, gf_ctx_t *ctx, const gf_due_in_t *what)
{
    return gf_due_claim(jobs, ctx, &gf_sql_removal_claim, what);
}

gf_err_t *gf_picture_moves(gf_job_t **jobs, gf_ctx_t *ctx, const gf_due_in_t *what)
{
    return gf_due_claim(jobs, ctx, &gf_sql_move_claim, what);
}

typedef struct picture_in_t {
    const char *id;
    const char *secret, *run_id;    /* of stray */
    const char *image_url, *result; /* of restored */
    apr_interval_time_t delay;      /* of restore_later */
    const char *url;                /* of removal_done */
    const char *color;              /* of thumbnail */
    apr_interval_time_t lease;      /* of thumbnail_claim */
} picture_in_t;

static const gf_sql_field_t restored_params[] = { GF_PARAM(picture_in_t, id),
                                                  GF_PARAM(picture_in_t, image_url),
                                                  GF_PARAM(picture_in_t, result) };
static const gf_sql_field_t stray_params[] = { GF_PARAM(picture_in_t, id),
                                               GF_PARAM(picture_in_t, secret),
                                               GF_PARAM(picture_in_t, run_id) };
static const gf_sql_field_t thumbnail_params[] = { GF_PARAM(picture_in_t, id),
                                                   GF_PARAM(picture_in_t, color) };
static const gf_sql_field_t thumbnail_claim_params[] = { GF_PARAM(picture_in_t, id),
                                                         GF_PARAM_INTERVAL(picture_in_t, lease) };
static const gf_sql_field_t later_params[] = { GF_PARAM(picture_in_t, id),
                                               GF_PARAM_INTERVAL_OR(picture_in_t, delay, 0) };
static const gf_sql_field_t removed_params[] = { GF_PARAM(picture_in_t, id),
                                                 GF_PARAM(picture_in_t, url) };

typedef struct moved_row_t {
    gf_moved_t outcome;
} moved_row_t;

static const gf_sql_word_t moved_words[] = { { "ok", GF_MOVED_DONE },
                                             { "gone", GF_MOVED_GONE },
                                             { "busy", GF_MOVED_BUSY },
                                             { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t moved_columns[] = {
    GF_COLUMN_WORD("outcome", moved_row_t, outcome, moved_words),
};

typedef struct claimed_t {
    enum { CLAIMED, CLAIMED_NOT } outcome;
} claimed_t;

static const gf_sql_word_t claimed_words[] = { { "ok", CLAIMED },
                                               { "no", CLAIMED_NOT },
                                               { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t claimed_columns[] = {
    GF_COLUMN_WORD("outcome", claimed_t, outcome, claimed_words),
};

GF_STATEMENT(restored, .function = "%s_restored", .is_value = true, GF_PARAMS(restored_params),
             GF_COLUMNS(moved_row_t, moved_columns));
GF_STATEMENT(stray, .function = "%s_stray", .is_value = true, GF_PARAMS(stray_params));
GF_STATEMENT(thumbnail, .function = "%s_thumbnail", .is_value = true, GF_PARAMS(thumbnail_params),
             GF_COLUMNS(moved_row_t, moved_columns));
GF_STATEMENT(thumbnail_claim, .function = "%s_thumbnail_claim", .is_value = true,
             GF_PARAMS(thumbnail_claim_params), GF_COLUMNS(claimed_t, claimed_columns));
GF_STATEMENT(restore_later, .function = "restore_later", .is_value = true, GF_PARAMS(later_params));
GF_STATEMENT(removal_done, .function = "removal_done", .is_value = true, GF_PARAMS(removed_params));

gf_err_t *gf_picture_restored(gf_moved_t *restored, gf_ctx_t *ctx, const gf_job_t *job,
                              const char *image_url, const char *result)
{
    const picture_in_t in = { .id = job->id, .image_url = image_url, .result = result };
    moved_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_restored, job->type, &in));
    *restored = row.outcome;
    return NULL;
}

gf_err_t *gf_picture_stray(gf_ctx_t *ctx, const gf_job_t *job)
{
    const picture_in_t in = { .id = job->id, .secret = job->picture_secret, .run_id = job->run_id };
    gf_rows_t *rows;

    return gf_db_call(&rows, ctx, &gf_sql_stray, job->type, &in, NULL);
}

gf_err_t *gf_picture_thumbnail_claim(bool *claimed, gf_ctx_t *ctx, const gf_type_t *type,
                                     const char *id, apr_interval_time_t lease)
{
    const picture_in_t in = { .id = id, .lease = lease };
    claimed_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_thumbnail_claim, type, &in));
    *claimed = row.outcome == CLAIMED;
    return NULL;
}

gf_err_t *gf_picture_thumbnail(bool *gone, gf_ctx_t *ctx, const gf_type_t *type, const char *id,
                               const char *color)
{
    const picture_in_t in = { .id = id, .color = color };
    moved_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_thumbnail, type, &in));
    *gone = row.outcome == GF_MOVED_GONE;
    return NULL;
}

gf_err_t *gf_picture_later(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay)
{
    const picture_in_t in = { .id = job->id, .delay = delay };

    return gf_db_do(ctx, &gf_sql_restore_later, &in);
}

gf_err_t *gf_picture_removed(gf_ctx_t *ctx, const gf_job_t *job)
{
    const picture_in_t in = { .id = job->id, .url = job->remove_url };

    return gf_db_do(ctx, &gf_sql_removal_done, &in);
}

/* ---- moves ---- */

typedef struct move_in_t {
    const char *id;
    const char *from, *to;         /* of moved */
    apr_interval_time_t delay;     /* of move_later */
    const char *why;               /* of move_later, move_failed */
    const char *copy, *media_type; /* of both */
} move_in_t;

static const gf_sql_field_t moved_params[] = { GF_PARAM(move_in_t, id), GF_PARAM(move_in_t, from),
                                               GF_PARAM(move_in_t, to) };
static const gf_sql_field_t move_later_params[] = {
    GF_PARAM(move_in_t, id), GF_PARAM_INTERVAL(move_in_t, delay), GF_PARAM(move_in_t, why),
    GF_PARAM(move_in_t, copy), GF_PARAM(move_in_t, media_type)
};
static const gf_sql_field_t move_failed_params[] = { GF_PARAM(move_in_t, id),
                                                     GF_PARAM(move_in_t, why),
                                                     GF_PARAM(move_in_t, copy),
                                                     GF_PARAM(move_in_t, media_type) };

GF_STATEMENT(moved, .function = "%s_moved", .is_value = true, GF_PARAMS(moved_params),
             GF_COLUMNS(moved_row_t, moved_columns));
GF_STATEMENT(move_later, .function = "move_later", .is_value = true, GF_PARAMS(move_later_params));
GF_STATEMENT(move_failed, .function = "move_failed", .is_value = true,
             GF_PARAMS(move_failed_params));

gf_err_t *gf_picture_moved(gf_moved_t *moved, gf_ctx_t *ctx, const gf_job_t *job,
                           const char *image_url)
{
    const move_in_t in = { .id = job->id, .from = job->move_url, .to = image_url };
    moved_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_moved, job->type, &in));
    *moved = row.outcome;
    return NULL;
}

gf_err_t *gf_picture_move_later(gf_ctx_t *ctx, const gf_job_t *job, apr_interval_time_t delay,
                                const char *why, const char *copy, const char *media_type)
{
    const move_in_t in = {
        .id = job->id, .delay = delay, .why = why, .copy = copy, .media_type = media_type
    };

    return gf_db_do(ctx, &gf_sql_move_later, &in);
}

gf_err_t *gf_picture_move_failed(gf_ctx_t *ctx, const gf_job_t *job, const char *why,
                                 const char *copy, const char *media_type)
{
    const move_in_t in = { .id = job->id, .why = why, .copy = copy, .media_type = media_type };

    return gf_db_do(ctx, &gf_sql_move_failed, &in);
}

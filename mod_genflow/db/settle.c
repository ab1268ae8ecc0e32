/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a generation. The SQL function captures or releases its credits, exactly once. */
#include "db/settle.h"

#include "db/generation.h"

typedef struct settle_in_t {
    const char *user; /* whose generation is returned; NULL: none is */
    const char *id;
    int epoch;
    const char *status, *provider, *model;
    bool fallback;
    const char *image_url, *original_url, *persisted, *result;
    const char *error_code, *error_message, *cause_code;
    apr_interval_time_t keeps;
} settle_in_t;

typedef struct settle_row_t {
    gf_generation_row_t generation; /* first: its fields are read as of a generation's row */
    gf_settled_t settled;
} settle_row_t;

/* Servers of the version before read the words, too: SQL still says `settled` for already_ended. */
static const gf_sql_word_t settled_words[] = { { "done", GF_SETTLED_DONE },
                                               { "same", GF_SETTLED_SAME },
                                               { "settled", GF_SETTLED_ALREADY_ENDED },
                                               { "stale", GF_SETTLED_STALE },
                                               { "unknown", GF_SETTLED_UNKNOWN },
                                               { NULL, GF_SQL_NO_WORD } };

static const gf_sql_field_t settle_params[] = {
    GF_PARAM(settle_in_t, user),
    GF_PARAM(settle_in_t, id),
    GF_PARAM(settle_in_t, epoch),
    GF_PARAM(settle_in_t, status),
    GF_PARAM(settle_in_t, provider),
    GF_PARAM(settle_in_t, model),
    GF_PARAM(settle_in_t, fallback),
    GF_PARAM(settle_in_t, image_url),
    GF_PARAM(settle_in_t, original_url),
    GF_PARAM(settle_in_t, persisted),
    GF_PARAM(settle_in_t, result),
    GF_PARAM(settle_in_t, error_code),
    GF_PARAM(settle_in_t, error_message),
    GF_PARAM(settle_in_t, cause_code),
    GF_PARAM_INTERVAL_OR(settle_in_t, keeps, 0),
};
static const gf_sql_field_t settle_columns[GF_GENERATION_COUNT] = {
    GF_COLUMN_WORD("outcome", settle_row_t, settled, settled_words), GF_GENERATION_FIELDS
};

GF_STATEMENT(settle, .function = "%s_settle_get", .has_call = true, GF_PARAMS(settle_params),
             GF_COLUMNS(settle_row_t, settle_columns));

static gf_err_t *settle(settle_row_t *row, gf_ctx_t *ctx, const gf_type_t *type,
                        const settle_in_t *in, apr_pool_t *pool)
{
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, &gf_sql_settle, type, in, NULL));
    return gf_rows_read(row, ctx, rows, 0, pool);
}

gf_err_t *gf_settle_generation(gf_settled_t *settled, gf_final_t **final, gf_ctx_t *ctx,
                               const gf_job_t *job, const gf_end_t *end)
{
    const settle_in_t in = { .user = final ? job->user : NULL,
                             .id = job->id,
                             .epoch = job->epoch,
                             .status = end->status,
                             .provider = end->choice ? end->choice->provider->name : NULL,
                             .model = end->choice ? end->choice->model : NULL,
                             .fallback = end->fallback,
                             .image_url = end->image_url,
                             .original_url = end->original_url,
                             .persisted = !end->image_url           ? NULL
                                          : end->stored_temporarily ? "false"
                                                                    : "true",
                             .result = end->result,
                             .error_code = end->error_code,
                             .error_message = end->error_message,
                             .cause_code = end->cause_code,
                             .keeps = end->url_lifetime };
    gf_final_t *made = final ? gf_final_make() : NULL;
    settle_row_t row = { .settled = GF_SETTLED_NOT };
    gf_err_t *err = settle(&row, ctx, job->type, &in, made ? made->pool : NULL);

    if (made && (err || !row.generation.view.id)) {
        gf_final_release(made);
        made = NULL;
    }
    if (made) {
        made->view = row.generation.view;
        gf_generation_complete(&made->view, ctx, job->type);
    }
    if (final) {
        *final = made;
    }
    if (!err) {
        *settled = row.settled;
    }
    return err;
}

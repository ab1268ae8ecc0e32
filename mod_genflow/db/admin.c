/* SPDX-License-Identifier: Apache-2.0 */
/* Maps administration to its SQL functions. Leaves who may ask to api/, and what it means to the
 * SQL. */
#include "db/admin.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"

#define CLEAR_AT_ONCE 200
#define BEFORE_ALL    "00000000-0000-0000-0000-000000000000"

static const char *number(gf_ctx_t *ctx, apr_int64_t value)
{
    return apr_psprintf(ctx->pool, "%" APR_INT64_T_FMT, value);
}

/* The one text that a statement answers. */
static gf_err_t *ask_text(const char **text, gf_ctx_t *ctx, gf_sql_t statement,
                          const char *const *args)
{
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, statement, NULL, args, NULL));
    *text = gf_rows_text(rows, 0, 0);
    return NULL;
}

/* ---- jobs ---- */

gf_err_t *gf_admin_jobs(apr_array_header_t **jobs, gf_ctx_t *ctx, const gf_admin_filter_t *filter)
{
    const char *args[] = { gf_db_types(ctx, filter->type), filter->status, filter->user,
                           filter->before, number(ctx, filter->limit) };
    gf_rows_t *rows;
    int row;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ADMIN_JOBS, NULL, args, NULL));
    *jobs = apr_array_make(ctx->pool, gf_rows_count(rows), sizeof(gf_admin_job_t));
    for (row = 0; row < gf_rows_count(rows); row++) {
        gf_admin_job_t *job = apr_array_push(*jobs);

        job->type = gf_type_find(ctx->conf, gf_rows_text(rows, row, 0), ctx->pool);
        job->user = gf_rows_text(rows, row, 1);
        job->id = gf_rows_text(rows, row, 2);
    }
    return NULL;
}

gf_err_t *gf_admin_cancel(gf_admin_cancelled_t *done, gf_ctx_t *ctx, const char *id)
{
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ADMIN_CANCEL, NULL, &id, NULL));
    if (strcmp(gf_rows_text(rows, 0, 0), "not_found") == 0) {
        return gf_err_make(ctx, GF_E_NO_GENERATION, APR_SUCCESS, "no generation %s", id);
    }
    done->cancelled = strcmp(gf_rows_text(rows, 0, 0), "cancelled") == 0;
    done->status = gf_rows_text(rows, 0, 1);
    done->released = gf_rows_int(rows, 0, 2);
    done->user = gf_rows_text(rows, 0, 3);
    return NULL;
}

/* A line for each generation of `text`, as admin_clear() tells them. */
static gf_err_t *log_ended(gf_ctx_t *ctx, const char *text, const char *admin)
{
    const char *list = apr_pstrcat(ctx->pool, "{\"ended\":", text, "}", NULL);
    gf_json_t *document;
    const gf_json_t *ended;
    apr_size_t i;

    GF_TRY(gf_json_parse(&document, ctx, list, strlen(list)));
    ended = gf_json_get(document, "ended");
    for (i = 0; i < gf_json_length(ended); i++) {
        const gf_json_t *one = gf_json_at(ended, i);
        const char *id = "";
        const char *type = "";
        const char *user = "";
        apr_int64_t released = 0;

        gf_json_string(gf_json_get(one, "id"), &id);
        gf_json_string(gf_json_get(one, "type"), &type);
        gf_json_string(gf_json_get(one, "user"), &user);
        gf_json_int(gf_json_get(one, "released"), &released);
        gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0721",
               "job=%s type=%s user=%s: cancelled by administrator %s, %" APR_INT64_T_FMT
               " credit%s released",
               id, type, user, admin, released, released == 1 ? "" : "s");
    }
    return NULL;
}

gf_err_t *gf_admin_clear(gf_admin_cleared_t *done, gf_ctx_t *ctx, const gf_admin_filter_t *filter,
                         const char *admin)
{
    const char *args[] = { BEFORE_ALL, number(ctx, CLEAR_AT_ONCE),
                           filter->type ? filter->type->name : NULL, filter->status, filter->user };
    apr_int64_t seen;
    gf_rows_t *rows;

    memset(done, 0, sizeof(*done));
    do {
        GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ADMIN_CLEAR, NULL, args, NULL));
        seen = gf_rows_int(rows, 0, 0);
        done->seen += seen;
        done->cancelled += gf_rows_int(rows, 0, 1);
        done->released += gf_rows_int(rows, 0, 2);
        args[0] = gf_rows_text(rows, 0, 3);
        GF_TRY(log_ended(ctx, gf_rows_text(rows, 0, 4), admin));
    } while (seen == CLEAR_AT_ONCE);
    return NULL;
}

/* ---- users and credits ---- */

gf_err_t *gf_admin_users(apr_array_header_t **users, gf_ctx_t *ctx, const char *after, int limit)
{
    const char *args[] = { NULL, after, number(ctx, limit), ctx->conf->credit_day };
    gf_rows_t *rows;
    int row;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ADMIN_USERS, NULL, args, NULL));
    *users = apr_array_make(ctx->pool, gf_rows_count(rows), sizeof(gf_admin_user_t));
    for (row = 0; row < gf_rows_count(rows); row++) {
        gf_admin_user_t *user = apr_array_push(*users);

        user->name = gf_rows_text(rows, row, 0);
        user->json = gf_rows_text(rows, row, 1);
    }
    return NULL;
}

gf_err_t *gf_admin_user(const char **json, gf_ctx_t *ctx, const char *user)
{
    const char *args[] = { user, NULL, "1", ctx->conf->credit_day };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ADMIN_USERS, NULL, args, NULL));
    *json = gf_rows_count(rows) ? gf_rows_text(rows, 0, 1) : NULL;
    return NULL;
}

gf_err_t *gf_admin_user_set(bool *found, gf_ctx_t *ctx, const char *user, const char *changes)
{
    const char *args[] = { user, changes };
    const char *outcome;

    GF_TRY(ask_text(&outcome, ctx, GF_SQL_ADMIN_USER_SET, args));
    *found = strcmp(outcome, "ok") == 0;
    return NULL;
}

gf_err_t *gf_admin_credit(const char **outcome, gf_ctx_t *ctx, const gf_admin_entry_t *entry)
{
    const char *args[] = { entry->user, number(ctx, entry->amount), entry->reason,
                           entry->reference };

    return ask_text(outcome, ctx, GF_SQL_ADMIN_CREDIT, args);
}

gf_err_t *gf_admin_refund(const char **outcome, gf_ctx_t *ctx, gf_admin_entry_t *entry)
{
    const char *args[] = { entry->generation, entry->amount ? number(ctx, entry->amount) : NULL,
                           entry->reason, entry->reference };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ADMIN_REFUND, NULL, args, NULL));
    *outcome = gf_rows_text(rows, 0, 0);
    entry->user = gf_rows_text(rows, 0, 1);
    entry->amount = gf_rows_int(rows, 0, 2);
    return NULL;
}

/* ---- figures and books ---- */

gf_err_t *gf_admin_stats(const char **json, gf_ctx_t *ctx)
{
    return ask_text(json, ctx, GF_SQL_ADMIN_STATS, NULL);
}

gf_err_t *gf_admin_check(const char **json, gf_ctx_t *ctx)
{
    return ask_text(json, ctx, GF_SQL_ADMIN_CHECK, NULL);
}

/* ---- presets ---- */

gf_err_t *gf_admin_presets(apr_array_header_t **presets, gf_ctx_t *ctx, const gf_type_t *type,
                           const char *key)
{
    const char *args[] = { type ? type->name : NULL, key };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ADMIN_PRESETS, NULL, args, NULL));
    *presets = gf_rows_texts(rows, ctx->pool);
    return NULL;
}

static gf_err_t *write_preset(const char **outcome, gf_ctx_t *ctx, gf_sql_t statement,
                              gf_admin_preset_t *preset)
{
    const char *args[] = { preset->type->name, preset->key, preset->fields };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, statement, NULL, args, NULL));
    *outcome = gf_rows_text(rows, 0, 0);
    preset->json = gf_rows_text(rows, 0, 1);
    return NULL;
}

gf_err_t *gf_admin_preset_add(const char **outcome, gf_ctx_t *ctx, gf_admin_preset_t *preset)
{
    return write_preset(outcome, ctx, GF_SQL_ADMIN_PRESET_ADD, preset);
}

gf_err_t *gf_admin_preset_edit(const char **outcome, gf_ctx_t *ctx, gf_admin_preset_t *preset)
{
    return write_preset(outcome, ctx, GF_SQL_ADMIN_PRESET_EDIT, preset);
}

gf_err_t *gf_admin_preset_delete(bool *found, gf_ctx_t *ctx, const gf_type_t *type, const char *key)
{
    const char *args[] = { type->name, key };
    const char *outcome;

    GF_TRY(ask_text(&outcome, ctx, GF_SQL_ADMIN_PRESET_DELETE, args));
    *found = strcmp(outcome, "ok") == 0;
    return NULL;
}

/* ---- breakers ---- */

gf_err_t *gf_admin_breaker_reset(int *count, gf_ctx_t *ctx, const char *provider, const char *model)
{
    const char *args[] = { provider, model };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ADMIN_BREAKER_RESET, NULL, args, NULL));
    *count = (int)gf_rows_int(rows, 0, 0);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Maps administration to its SQL functions. api/ checks who is an administrator; the SQL contains
 * the rules. */
#include "db/admin.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "model/servers.h"

#define CLEAR_AT_ONCE 200
#define BEFORE_ALL    "00000000-0000-0000-0000-000000000000"

/* ---- jobs ---- */

typedef struct jobs_in_t {
    const char *types, *status, *user, *before;
    int limit;
} jobs_in_t;

typedef struct jobs_row_t {
    const char *type, *user_id, *id;
} jobs_row_t;

static const gf_sql_field_t jobs_params[] = {
    GF_PARAM(jobs_in_t, types), GF_PARAM(jobs_in_t, status), GF_PARAM(jobs_in_t, user),
    GF_PARAM(jobs_in_t, before), GF_PARAM(jobs_in_t, limit)
};
static const gf_sql_field_t jobs_columns[] = { GF_COLUMN(jobs_row_t, type),
                                               GF_COLUMN(jobs_row_t, user_id),
                                               GF_COLUMN(jobs_row_t, id) };

GF_STATEMENT(admin_jobs, .function = "admin_jobs", GF_PARAMS(jobs_params),
             GF_COLUMNS(jobs_row_t, jobs_columns));

gf_err_t *gf_admin_jobs(apr_array_header_t **jobs, gf_ctx_t *ctx, const gf_admin_filter_t *filter)
{
    const jobs_in_t in = { .types = gf_db_types(ctx, filter->type),
                           .status = filter->status,
                           .user = filter->user,
                           .before = filter->before,
                           .limit = filter->limit };
    apr_array_header_t *rows;
    int i;

    GF_TRY(gf_db_list(&rows, ctx, &gf_sql_admin_jobs, &in));
    *jobs = apr_array_make(ctx->pool, rows->nelts, sizeof(gf_admin_job_t));
    for (i = 0; i < rows->nelts; i++) {
        const jobs_row_t *row = &APR_ARRAY_IDX(rows, i, jobs_row_t);
        gf_admin_job_t *job = apr_array_push(*jobs);

        job->type = gf_servers_type(ctx->conf, row->type);
        job->user = row->user_id;
        job->id = row->id;
    }
    return NULL;
}

typedef struct cancel_in_t {
    const char *id, *scope;
} cancel_in_t;

typedef enum { CANCELLED, CANCEL_ENDED, CANCEL_NOT_FOUND } cancel_t;

typedef struct cancel_row_t {
    cancel_t outcome;
    gf_admin_cancelled_t done;
} cancel_row_t;

static const gf_sql_word_t cancel_words[] = { { "cancelled", CANCELLED },
                                              { "ended", CANCEL_ENDED },
                                              { "not_found", CANCEL_NOT_FOUND },
                                              { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t cancel_params[] = { GF_PARAM(cancel_in_t, id),
                                                GF_PARAM(cancel_in_t, scope) };
static const gf_sql_field_t cancel_columns[] = {
    GF_COLUMN_WORD("outcome", cancel_row_t, outcome, cancel_words),
    GF_COLUMN_AS("status", cancel_row_t, done.status),
    GF_COLUMN_AS("released", cancel_row_t, done.released),
    GF_COLUMN_AS("user_id", cancel_row_t, done.user),
};

GF_STATEMENT(admin_cancel, .function = "admin_cancel", .has_by = true, .has_call = true,
             GF_PARAMS(cancel_params), GF_COLUMNS(cancel_row_t, cancel_columns));

gf_err_t *gf_admin_cancel(gf_admin_cancelled_t *done, gf_ctx_t *ctx, const char *id,
                          const char *scope)
{
    const cancel_in_t in = { .id = id, .scope = scope };
    cancel_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_cancel, NULL, &in));
    if (row.outcome == CANCEL_NOT_FOUND) {
        return gf_err_make(ctx, GF_E_NO_GENERATION, APR_SUCCESS, "no generation %s", id);
    }
    *done = row.done;
    done->cancelled = row.outcome == CANCELLED;
    return NULL;
}

/* Logs each generation of `text`, the JSON of admin_clear(). */
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

typedef struct clear_in_t {
    const char *after;
    int limit;
    const char *type, *status, *user;
} clear_in_t;

typedef struct clear_row_t {
    gf_admin_cleared_t done;
    const char *last, *ended;
} clear_row_t;

static const gf_sql_field_t clear_params[] = {
    GF_PARAM(clear_in_t, after), GF_PARAM(clear_in_t, limit), GF_PARAM(clear_in_t, type),
    GF_PARAM(clear_in_t, status), GF_PARAM(clear_in_t, user)
};
static const gf_sql_field_t clear_columns[] = {
    GF_COLUMN_AS("seen", clear_row_t, done.seen),
    GF_COLUMN_AS("cancelled", clear_row_t, done.cancelled),
    GF_COLUMN_AS("released", clear_row_t, done.released),
    GF_COLUMN(clear_row_t, last),
    GF_COLUMN(clear_row_t, ended),
};

GF_STATEMENT(admin_clear, .function = "admin_clear", .has_by = true, .has_call = true,
             GF_PARAMS(clear_params), GF_COLUMNS(clear_row_t, clear_columns));

gf_err_t *gf_admin_clear(gf_admin_cleared_t *done, gf_ctx_t *ctx, const gf_admin_filter_t *filter,
                         const char *admin)
{
    clear_in_t in = { .after = BEFORE_ALL,
                      .limit = CLEAR_AT_ONCE,
                      .type = filter->type ? filter->type->name : NULL,
                      .status = filter->status,
                      .user = filter->user };
    clear_row_t row;

    memset(done, 0, sizeof(*done));
    do {
        GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_clear, NULL, &in));
        done->seen += row.done.seen;
        done->cancelled += row.done.cancelled;
        done->released += row.done.released;
        in.after = row.last;
        GF_TRY(log_ended(ctx, row.ended, admin));
    } while (row.done.seen == CLEAR_AT_ONCE);
    return NULL;
}

/* ---- users and credits ---- */

typedef struct users_in_t {
    const char *user, *after;
    int limit;
    const char *day;
} users_in_t;

static const gf_sql_field_t users_params[] = { GF_PARAM(users_in_t, user),
                                               GF_PARAM(users_in_t, after),
                                               GF_PARAM(users_in_t, limit),
                                               GF_PARAM(users_in_t, day) };
static const gf_sql_field_t users_columns[] = { GF_COLUMN_AS("user_id", gf_admin_user_t, name),
                                                GF_COLUMN_AS("account", gf_admin_user_t, json) };

GF_STATEMENT(admin_users, .function = "admin_users", GF_PARAMS(users_params),
             GF_COLUMNS(gf_admin_user_t, users_columns));

gf_err_t *gf_admin_users(apr_array_header_t **users, gf_ctx_t *ctx, const char *scope,
                         const char *after, int limit)
{
    const users_in_t in = {
        .user = scope, .after = after, .limit = limit, .day = ctx->conf->credit_day
    };

    return gf_db_list(users, ctx, &gf_sql_admin_users, &in);
}

gf_err_t *gf_admin_user(const char **json, gf_ctx_t *ctx, const char *user)
{
    const users_in_t in = { .user = user, .limit = 1, .day = ctx->conf->credit_day };
    apr_array_header_t *users;

    GF_TRY(gf_db_list(&users, ctx, &gf_sql_admin_users, &in));
    *json = users->nelts ? APR_ARRAY_IDX(users, 0, gf_admin_user_t).json : NULL;
    return NULL;
}

typedef struct found_outcome_t {
    gf_owned_t outcome;
} found_outcome_t;

static const gf_sql_field_t found_columns[] = {
    GF_COLUMN_WORD("outcome", found_outcome_t, outcome, gf_db_owned_words),
};

static gf_err_t *call_found(bool *found, gf_ctx_t *ctx, const gf_statement_t *statement,
                            const void *in)
{
    found_outcome_t row;

    GF_TRY(gf_db_one(&row, ctx, statement, NULL, in));
    *found = row.outcome == GF_OWNED;
    return NULL;
}

typedef struct user_set_in_t {
    const char *user, *changes;
} user_set_in_t;

static const gf_sql_field_t user_set_params[] = { GF_PARAM(user_set_in_t, user),
                                                  GF_PARAM(user_set_in_t, changes) };

GF_STATEMENT(admin_user_set, .function = "admin_user_set", .is_value = true, .has_by = true,
             .has_call = true, GF_PARAMS(user_set_params),
             GF_COLUMNS(found_outcome_t, found_columns));

gf_err_t *gf_admin_user_set(bool *found, gf_ctx_t *ctx, const char *user, const char *changes)
{
    const user_set_in_t in = { .user = user, .changes = changes };

    return call_found(found, ctx, &gf_sql_admin_user_set, &in);
}

typedef struct entry_in_t {
    const char *user;  /* of credit */
    const char *scope; /* of refund, as the next: of these users alone */
    const char *id;    /* the generation */
    apr_int64_t amount;
    const char *reason, *reference;
} entry_in_t;

typedef struct entry_row_t {
    gf_entry_end_t end;
    const char *user_id; /* of refund, as the next */
    apr_int64_t amount;
} entry_row_t;

static const gf_sql_field_t credit_params[] = { GF_PARAM(entry_in_t, user),
                                                GF_PARAM(entry_in_t, amount),
                                                GF_PARAM(entry_in_t, reason),
                                                GF_PARAM(entry_in_t, reference) };
static const gf_sql_word_t entry_words[] = { { "ok", GF_ENTRY_WRITTEN },
                                             { "duplicate", GF_ENTRY_DUPLICATE },
                                             { "mismatch", GF_ENTRY_MISMATCH },
                                             { "insufficient_credits", GF_ENTRY_NO_CREDIT },
                                             { "not_charged", GF_ENTRY_NOT_CHARGED },
                                             { "refunded", GF_ENTRY_REFUNDED },
                                             { "too_much", GF_ENTRY_TOO_MUCH },
                                             { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t credit_columns[] = {
    GF_COLUMN_WORD("outcome", entry_row_t, end, entry_words),
};
static const gf_sql_field_t refund_params[] = {
    GF_PARAM(entry_in_t, id), GF_PARAM_OR(entry_in_t, amount, 0), GF_PARAM(entry_in_t, reason),
    GF_PARAM(entry_in_t, reference), GF_PARAM(entry_in_t, scope)
};
static const gf_sql_field_t refund_columns[] = {
    GF_COLUMN_WORD("outcome", entry_row_t, end, entry_words), GF_COLUMN(entry_row_t, user_id),
    GF_COLUMN(entry_row_t, amount)
};

GF_STATEMENT(admin_credit, .function = "admin_credit", .is_value = true, .has_by = true,
             .has_call = true, GF_PARAMS(credit_params), GF_COLUMNS(entry_row_t, credit_columns));
GF_STATEMENT(admin_refund, .function = "admin_refund", .has_by = true, .has_call = true,
             GF_PARAMS(refund_params), GF_COLUMNS(entry_row_t, refund_columns));

gf_err_t *gf_admin_credit(gf_entry_end_t *end, gf_ctx_t *ctx, const gf_admin_entry_t *entry)
{
    const entry_in_t in = { .user = entry->user,
                            .amount = entry->amount,
                            .reason = entry->reason,
                            .reference = entry->reference };
    entry_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_credit, NULL, &in));
    *end = row.end;
    return NULL;
}

gf_err_t *gf_admin_refund(gf_entry_end_t *end, gf_ctx_t *ctx, gf_admin_entry_t *entry)
{
    const entry_in_t in = { .id = entry->generation,
                            .scope = entry->user,
                            .amount = entry->amount,
                            .reason = entry->reason,
                            .reference = entry->reference };
    entry_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_refund, NULL, &in));
    *end = row.end;
    entry->user = row.user_id;
    entry->amount = row.amount;
    return NULL;
}

/* ---- figures and books ---- */

typedef struct json_row_t {
    const char *json;
} json_row_t;

static const gf_sql_field_t json_columns[] = { GF_COLUMN(json_row_t, json) };

GF_STATEMENT(admin_stats, .function = "admin_stats", .is_value = true,
             GF_COLUMNS(json_row_t, json_columns));
GF_STATEMENT(admin_check, .function = "admin_check", .is_value = true,
             GF_COLUMNS(json_row_t, json_columns));

static gf_err_t *call_json(const char **json, gf_ctx_t *ctx, const gf_statement_t *statement)
{
    json_row_t row;

    GF_TRY(gf_db_one(&row, ctx, statement, NULL, NULL));
    *json = row.json;
    return NULL;
}

gf_err_t *gf_admin_stats(const char **json, gf_ctx_t *ctx)
{
    return call_json(json, ctx, &gf_sql_admin_stats);
}

gf_err_t *gf_admin_check(const char **json, gf_ctx_t *ctx)
{
    return call_json(json, ctx, &gf_sql_admin_check);
}

typedef struct now_in_t {
    const char *budgets;
} now_in_t;

static const gf_sql_field_t now_params[] = { GF_PARAM(now_in_t, budgets) };
static const gf_sql_field_t now_columns[] = {
    GF_COLUMN(gf_admin_now_t, ledger),  GF_COLUMN(gf_admin_now_t, jobs),
    GF_COLUMN(gf_admin_now_t, failed),  GF_COLUMN(gf_admin_now_t, breakers),
    GF_COLUMN(gf_admin_now_t, budgets), GF_COLUMN(gf_admin_now_t, database),
    GF_COLUMN(gf_admin_now_t, hosts),   GF_COLUMN(gf_admin_now_t, faults)
};

GF_STATEMENT(admin_now, .function = "admin_now", GF_PARAMS(now_params),
             GF_COLUMNS(gf_admin_now_t, now_columns));

gf_err_t *gf_admin_now(gf_admin_now_t *now, gf_ctx_t *ctx, const char *budgets)
{
    const now_in_t in = { .budgets = budgets };

    return gf_db_one(now, ctx, &gf_sql_admin_now, NULL, &in);
}

typedef struct money_in_t {
    apr_int64_t from, to;
    const char *per, *type;
    apr_int64_t value;
} money_in_t;

typedef struct money_row_t {
    const char *rows, *provider_cost, *margin, *unsettled;
} money_row_t;

static const gf_sql_field_t money_params[] = { GF_PARAM(money_in_t, from), GF_PARAM(money_in_t, to),
                                               GF_PARAM(money_in_t, per),
                                               GF_PARAM(money_in_t, type),
                                               GF_PARAM_OR(money_in_t, value, GF_UNSET) };
static const gf_sql_field_t money_columns[] = { GF_COLUMN(money_row_t, rows),
                                                GF_COLUMN(money_row_t, provider_cost),
                                                GF_COLUMN(money_row_t, margin),
                                                GF_COLUMN(money_row_t, unsettled) };

GF_STATEMENT(admin_money, .function = "admin_money", GF_PARAMS(money_params),
             GF_COLUMNS(money_row_t, money_columns));

gf_err_t *gf_admin_money(gf_admin_money_t *money, gf_ctx_t *ctx)
{
    const money_in_t in = { .from = money->from,
                            .to = money->to,
                            .per = money->per,
                            .type = money->type ? money->type->name : NULL,
                            .value = ctx->conf->currency ? ctx->conf->credit_value : GF_UNSET };
    money_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_money, NULL, &in));
    money->rows = row.rows;
    money->provider_cost = row.provider_cost;
    money->margin = row.margin;
    money->unsettled = row.unsettled;
    return NULL;
}

/* ---- presets ---- */

typedef struct preset_in_t {
    const char *type, *key;
    const char *preset;  /* of add */
    const char *changes; /* of edit */
} preset_in_t;

typedef struct preset_row_t {
    gf_preset_end_t end;
    const char *preset;
} preset_row_t;

static const gf_sql_field_t presets_params[] = { GF_PARAM(preset_in_t, type),
                                                 GF_PARAM(preset_in_t, key) };
static const gf_sql_field_t presets_columns[] = { { .name = "preset", .kind = GF_SQL_TEXT } };
static const gf_sql_field_t add_params[] = { GF_PARAM(preset_in_t, type),
                                             GF_PARAM(preset_in_t, key),
                                             GF_PARAM(preset_in_t, preset) };
static const gf_sql_field_t edit_params[] = { GF_PARAM(preset_in_t, type),
                                              GF_PARAM(preset_in_t, key),
                                              GF_PARAM(preset_in_t, changes) };
static const gf_sql_word_t preset_words[] = {
    { "ok", GF_PRESET_WRITTEN },          { "exists", GF_PRESET_EXISTS },
    { "full", GF_PRESET_FULL },           { "parameters", GF_PRESET_TOO_LONG },
    { "not_found", GF_PRESET_NOT_FOUND }, { NULL, GF_SQL_NO_WORD }
};
static const gf_sql_field_t preset_columns[] = {
    GF_COLUMN_WORD("outcome", preset_row_t, end, preset_words), GF_COLUMN(preset_row_t, preset)
};

GF_STATEMENT(admin_presets, .function = "admin_presets", .is_value = true,
             GF_PARAMS(presets_params), GF_COLUMNS(const char *, presets_columns));
GF_STATEMENT(admin_preset_add, .function = "admin_preset_add", .has_by = true, .has_call = true,
             GF_PARAMS(add_params), GF_COLUMNS(preset_row_t, preset_columns));
GF_STATEMENT(admin_preset_edit, .function = "admin_preset_edit", .has_by = true, .has_call = true,
             GF_PARAMS(edit_params), GF_COLUMNS(preset_row_t, preset_columns));
GF_STATEMENT(admin_preset_delete, .function = "admin_preset_delete", .is_value = true,
             .has_by = true, .has_call = true, GF_PARAMS(presets_params),
             GF_COLUMNS(found_outcome_t, found_columns));

gf_err_t *gf_admin_presets(apr_array_header_t **presets, gf_ctx_t *ctx, const gf_type_t *type,
                           const char *key)
{
    const preset_in_t in = { .type = type ? type->name : NULL, .key = key };

    return gf_db_list(presets, ctx, &gf_sql_admin_presets, &in);
}

static gf_err_t *write_preset(gf_preset_end_t *end, gf_ctx_t *ctx, const gf_statement_t *statement,
                              gf_admin_preset_t *preset)
{
    const preset_in_t in = { .type = preset->type->name,
                             .key = preset->key,
                             .preset = preset->fields,
                             .changes = preset->fields };
    preset_row_t row;

    GF_TRY(gf_db_one(&row, ctx, statement, NULL, &in));
    *end = row.end;
    preset->json = row.preset;
    return NULL;
}

gf_err_t *gf_admin_preset_add(gf_preset_end_t *end, gf_ctx_t *ctx, gf_admin_preset_t *preset)
{
    return write_preset(end, ctx, &gf_sql_admin_preset_add, preset);
}

gf_err_t *gf_admin_preset_edit(gf_preset_end_t *end, gf_ctx_t *ctx, gf_admin_preset_t *preset)
{
    return write_preset(end, ctx, &gf_sql_admin_preset_edit, preset);
}

gf_err_t *gf_admin_preset_delete(bool *found, gf_ctx_t *ctx, const gf_type_t *type, const char *key)
{
    const preset_in_t in = { .type = type->name, .key = key };

    return call_found(found, ctx, &gf_sql_admin_preset_delete, &in);
}

/* ---- breakers ---- */

typedef struct reset_in_t {
    const char *provider, *model;
} reset_in_t;

typedef struct reset_row_t {
    int count;
} reset_row_t;

static const gf_sql_field_t reset_params[] = { GF_PARAM(reset_in_t, provider),
                                               GF_PARAM(reset_in_t, model) };
static const gf_sql_field_t reset_columns[] = { GF_COLUMN(reset_row_t, count) };

GF_STATEMENT(admin_breaker_reset, .function = "admin_breaker_reset", .is_value = true,
             .has_by = true, .has_call = true, GF_PARAMS(reset_params),
             GF_COLUMNS(reset_row_t, reset_columns));

gf_err_t *gf_admin_breaker_reset(int *count, gf_ctx_t *ctx, const char *provider, const char *model)
{
    const reset_in_t in = { .provider = provider, .model = model };
    reset_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_breaker_reset, NULL, &in));
    *count = row.count;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the acts of a generation's life to their SQL functions and rows to structs. Leaves rules to
 * the SQL and to work/. */
#include "db/queue.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "db/site.h"
#include "db/steer.h"
#include "model/type.h"

static const char *number(gf_ctx_t *ctx, apr_int64_t value)
{
    return apr_psprintf(ctx->pool, "%" APR_INT64_T_FMT, value);
}

static const char *bytea(gf_ctx_t *ctx, const char *hex)
{
    return hex ? apr_pstrcat(ctx->pool, "\\x", hex, NULL) : NULL;
}

/* ---- create ---- */

static gf_create_outcome_t create_outcome(const char *word)
{
    static const char *const words[] = { [GF_CREATED] = "ok",
                                         [GF_REPLAY] = "replay",
                                         [GF_MISMATCH] = "mismatch",
                                         [GF_NO_CREDIT] = "insufficient_credits",
                                         [GF_QUOTA_SPENT] = "quota_exceeded",
                                         [GF_ACCOUNT_BLOCKED] = "blocked",
                                         [GF_TOO_MANY] = "too_many",
                                         [GF_QUEUE_FULL] = "queue_full",
                                         [GF_SITE_RESTORED] = "restored" };
    int i;

    for (i = 0; i < GF_CREATE_UNKNOWN && strcmp(words[i], word) != 0; i++) {
    }
    return (gf_create_outcome_t)i;
}

/* What differs between the generations of a batch, as arrays. */
static void batch_arrays(gf_ctx_t *ctx, const gf_ask_t *ask, const char **run_ids,
                         const char **seeds)
{
    const char *runs = "";
    const char *drawn = "";
    int i;

    for (i = 0; i < ask->count; i++) {
        gf_ask_t one = gf_param_nth(ask, i, ctx->pool);

        runs = apr_pstrcat(ctx->pool, runs, i ? "," : "", one.run_id ? one.run_id : "", NULL);
        drawn = apr_pstrcat(ctx->pool, drawn, i ? "," : "", number(ctx, one.seed), NULL);
    }
    *run_ids = ask->run_id ? apr_pstrcat(ctx->pool, "{", runs, "}", NULL) : NULL;
    *seeds = apr_pstrcat(ctx->pool, "{", drawn, "}", NULL);
}

gf_err_t *gf_queue_create(gf_created_t *created, gf_ctx_t *ctx, const gf_caller_t *caller,
                          const gf_ask_t *ask, const char *owner)
{
    const char *args[] = { caller->user,
                           caller->key,
                           bytea(ctx, caller->hash),
                           ask->run_id,
                           ask->preset,
                           ask->prompt,
                           ask->source_url,
                           ask->parameters,
                           number(ctx, ask->seed),
                           number(ctx, ask->type->cost),
                           number(ctx, ask->max_retries),
                           gf_text_interval(ctx->pool, ask->pending ? ctx->conf->pending_lifetime
                                                                    : ask->type->lifetime),
                           owner,
                           gf_text_interval(ctx->pool, ctx->conf->lease),
                           ask->pending ? "false" : "true",
                           number(ctx, (int)ask->priority - GF_PRIORITY_NORMAL),
                           ctx->conf->credit_day,
                           number(ctx, ctx->conf->limit_concurrent),
                           number(ctx, ctx->conf->limit_queue),
                           number(ctx, ask->chain_pos),
                           ask->count > 1 ? ask->run_id : NULL,
                           ask->webhook_url };
    gf_sql_t statement = ask->count > 1 ? GF_SQL_CREATE_BATCH : GF_SQL_CREATE;
    gf_rows_t *rows;
    int i;

    if (ask->count > 1) {
        batch_arrays(ctx, ask, &args[3], &args[8]);
    }
    GF_TRY(gf_db_call_hold(&rows, ctx, statement, ask->type, args));
    for (i = 0; i < gf_rows_count(rows); i++) {
        created[i].outcome = create_outcome(gf_rows_text(rows, i, 0));
        created[i].id = gf_rows_text(rows, i, 1);
        created[i].epoch = (int)gf_rows_int(rows, i, 2);
        created[i].status = gf_rows_text(rows, i, 3);
        created[i].created_at = gf_rows_text(rows, i, 4);
        created[i].balance = gf_rows_int(rows, i, 5);
        created[i].held = gf_rows_int(rows, i, 6);
        created[i].picture_secret = gf_rows_text(rows, i, 7);
    }
    for (; i < ask->count; i++) { /* one row refuses all of them */
        created[i].outcome = created->outcome;
    }
    if (created->outcome == GF_CREATE_UNKNOWN) {
        return gf_err_make(ctx, GF_E_INTERNAL, APR_SUCCESS, "create answered %s",
                           gf_rows_text(rows, 0, 0));
    }
    return NULL;
}

/* ---- read ---- */

void gf_queue_view(gf_view_t *view, const gf_rows_t *rows, int row, const gf_type_t *type,
                   const char *user)
{
    const char **texts[] = { /* in the order of the statement, from column 2 */
                             &view->id,
                             &view->run_id,
                             &view->status,
                             &view->preset,
                             &view->prompt,
                             &view->source_url,
                             &view->parameters_json,
                             &view->seed_json,
                             &view->cost_json,
                             &view->retry_count_json,
                             &view->max_retries_json,
                             &view->provider,
                             &view->model,
                             &view->stability_job_id,
                             &view->aiml_job_id,
                             &view->fal_job_id,
                             &view->replicate_id,
                             &view->image_url,
                             &view->original_url,
                             NULL,
                             &view->expires_at,
                             NULL,
                             &view->error_code,
                             &view->error_message,
                             &view->cause_code,
                             &view->created_at,
                             &view->started_at,
                             &view->finished_at,
                             &view->processing_ms_json,
                             &view->result_json,
                             &view->progress_json,
                             &view->queue_position_json,
                             &view->logs_json
    };
    size_t i;

    view->type = type;
    view->user = user;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i]) {
            *texts[i] = gf_rows_text(rows, row, (int)i + 2);
        }
    }
    view->persisted = gf_rows_bool(rows, row, 21);
    view->fallback_used = gf_rows_bool(rows, row, 23);
    view->at = gf_rows_int(rows, row, 35);
    view->webhook_url = gf_rows_text(rows, row, 36);
    view->priority = (gf_priority_t)(GF_PRIORITY_NORMAL + gf_rows_int(rows, row, 37));
}

gf_err_t *gf_queue_get(gf_view_t *view, gf_ctx_t *ctx, const gf_type_t *type, const char *user,
                       const gf_find_t *find)
{
    const char *args[] = { user, find->id, find->run_id, find->ref };
    const char *const asked = find->id ? find->id : find->run_id ? find->run_id : find->ref;
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_GET, type, args, NULL));
    GF_TRY(gf_db_owned(ctx, gf_rows_text(rows, 0, 0), GF_E_NO_GENERATION, type->name, user, asked));
    gf_queue_view(view, rows, 0, type, user);
    return NULL;
}

/* ---- claim ---- */

static gf_phase_t phase_of(const char *word)
{
    return strcmp(word, "queued") == 0      ? GF_PHASE_QUEUED
           : strcmp(word, "sending") == 0   ? GF_PHASE_SENDING
           : strcmp(word, "working") == 0   ? GF_PHASE_WORKING
           : strcmp(word, "cancelled") == 0 ? GF_PHASE_CANCELLED
                                            : GF_PHASE_FAILED;
}

static gf_job_t *job_of_row(const gf_rows_t *rows, int row, const gf_type_t *type)
{
    gf_job_t *job = gf_job_make(type);
    apr_pool_t *pool = job->pool;

    job->id = apr_pstrdup(pool, gf_rows_text(rows, row, 0));
    job->epoch = (int)gf_rows_int(rows, row, 1);
    job->phase = phase_of(gf_rows_text(rows, row, 2));
    job->attempts = (int)gf_rows_int(rows, row, 3);
    job->chain_pos = (int)gf_rows_int(rows, row, 4);
    job->retries = (int)gf_rows_int(rows, row, 5);
    job->provider_ref = apr_pstrdup(pool, gf_rows_text(rows, row, 6));
    job->deadline = gf_clock_now() + gf_rows_int(rows, row, 7) * 1000;
    job->user = apr_pstrdup(pool, gf_rows_text(rows, row, 8));
    job->preset = apr_pstrdup(pool, gf_rows_text(rows, row, 9));
    job->prompt = apr_pstrdup(pool, gf_rows_text(rows, row, 10));
    job->source_url = apr_pstrdup(pool, gf_rows_text(rows, row, 11));
    job->parameters = apr_pstrdup(pool, gf_rows_text(rows, row, 12));
    job->seed = gf_rows_int(rows, row, 13);
    job->max_retries = (int)gf_rows_int(rows, row, 14);
    job->created = gf_clock_now() - gf_rows_int(rows, row, 16) * 1000;
    return job;
}

gf_err_t *gf_queue_claim(gf_job_t **jobs, gf_ctx_t *ctx, const gf_type_t *type, gf_look_t *look)
{
    const char *args[] = { look->owner,
                           number(ctx, look->limit),
                           gf_text_interval(ctx->pool, ctx->conf->lease),
                           look->from[0],
                           look->from[1],
                           look->from[2],
                           look->from[3] };
    gf_rows_t *rows;
    int row;

    *jobs = NULL;
    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_CLAIM, type, args, NULL));
    for (row = gf_rows_count(rows) - 1; row >= 0; row--) {
        gf_job_t *job = job_of_row(rows, row, type);

        job->provider = apr_pstrdup(job->pool, gf_rows_text(rows, row, 18));
        job->model = apr_pstrdup(job->pool, gf_rows_text(rows, row, 19));
        job->picture_secret = apr_pstrdup(job->pool, gf_rows_text(rows, row, 20));
        job->last_look = gf_rows_bool(rows, row, 21);
        job->next = *jobs;
        *jobs = job;
        if (gf_rows_text(rows, row, 17)) { /* backwards: the first of each lane stays */
            gf_job_begin(job, ctx);
            apr_cpystrn(look->from[gf_rows_int(rows, row, 17)], gf_rows_text(rows, row, 15),
                        sizeof(look->from[0]));
        }
    }
    return NULL;
}

/* ---- start ---- */

gf_err_t *gf_queue_start(gf_job_t **job, gf_ctx_t *ctx, const gf_type_t *type, const char *user,
                         const char *id, const char *owner)
{
    const char *args[] = { user, id, owner, gf_text_interval(ctx->pool, ctx->conf->lease),
                           gf_text_interval(ctx->pool, type->lifetime) };
    gf_rows_t *rows;
    const char *outcome;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_START, type, args, NULL));
    outcome = gf_rows_text(rows, 0, 17);
    if (strcmp(outcome, "restored") == 0) {
        return gf_site_closed(ctx);
    }
    GF_TRY(gf_db_owned(ctx, outcome, GF_E_NO_GENERATION, type->name, user, id));
    if (strcmp(outcome, "ok") != 0) {
        return gf_steer_status(ctx, id, gf_rows_text(rows, 0, 18));
    }
    *job = job_of_row(rows, 0, type);
    (*job)->picture_secret = apr_pstrdup((*job)->pool, gf_rows_text(rows, 0, 19));
    gf_job_begin(*job, ctx);
    return NULL;
}

/* ---- acts of the lease ---- */

static gf_hold_t hold_of(const gf_rows_t *rows)
{
    const char *word = gf_rows_text(rows, 0, 0);

    return strcmp(word, "ok") == 0         ? GF_HOLD_ON
           : strcmp(word, "watched") == 0  ? GF_HOLD_WATCHED
           : strcmp(word, "reported") == 0 ? GF_HOLD_REPORTED
           : strcmp(word, "open") == 0     ? GF_HOLD_OPEN
           : strcmp(word, "over") == 0     ? GF_HOLD_OPEN
           : strcmp(word, "spent") == 0    ? GF_HOLD_SPENT
           : strcmp(word, "gone") == 0     ? GF_HOLD_ENDED
                                           : GF_HOLD_LOST;
}

gf_err_t *gf_queue_attempt(gf_hold_t *hold, gf_ctx_t *ctx, const gf_job_t *job,
                           const gf_choice_t *choice, const char *token)
{
    const char *args[] = { job->id,
                           number(ctx, job->epoch),
                           number(ctx, job->attempts),
                           choice->provider->name,
                           choice->model,
                           number(ctx, job->seed),
                           token,
                           gf_text_interval(ctx->pool, ctx->conf->lease),
                           gf_text_interval(ctx->pool, choice->provider->breaker_open),
                           choice->provider->budget ? number(ctx, choice->provider->budget) : NULL,
                           number(ctx, choice->provider->price) };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ATTEMPT_BEGIN, NULL, args, NULL));
    *hold = hold_of(rows);
    return NULL;
}

gf_err_t *gf_queue_accepted(gf_hold_t *hold, gf_ctx_t *ctx, const gf_job_t *job,
                            const gf_choice_t *choice, const char *kind)
{
    const char *args[] = { job->id,
                           number(ctx, job->epoch),
                           number(ctx, job->attempts),
                           choice->provider->name,
                           kind,
                           job->provider_ref,
                           gf_text_interval(ctx->pool, ctx->conf->lease) };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ACCEPTED, job->type, args, NULL));
    *hold = hold_of(rows);
    return NULL;
}

gf_err_t *gf_queue_progress(gf_hold_t *hold, gf_ctx_t *ctx, const gf_job_t *job,
                            const gf_said_t *said)
{
    const char *args[] = { job->id, number(ctx, job->epoch),
                           said->progress < 0 ? NULL
                                              : apr_psprintf(ctx->pool, "%.3f", said->progress),
                           said->queue_position < 0 ? NULL : number(ctx, said->queue_position),
                           said->logs };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_PROGRESS, NULL, args, NULL));
    *hold = hold_of(rows);
    return NULL;
}

gf_err_t *gf_queue_requeue(gf_hold_t *hold, gf_ctx_t *ctx, const gf_job_t *job,
                           apr_interval_time_t delay, const char *outcome)
{
    /* 0 is where it begins; what is told while it lives goes by that */
    const char *args[] = { job->id,
                           number(ctx, job->epoch),
                           gf_text_interval(ctx->pool, delay),
                           number(ctx, job->chain_pos > job->begin ? job->chain_pos : 0),
                           number(ctx, job->retries),
                           outcome,
                           job->provider_ref };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_REQUEUE, NULL, args, NULL));
    *hold = hold_of(rows);
    return NULL;
}

gf_err_t *gf_queue_settle(const char **outcome, gf_ctx_t *ctx, const gf_job_t *job,
                          const gf_end_t *end)
{
    const char *args[] = { job->id,
                           number(ctx, job->epoch),
                           end->status,
                           end->choice ? end->choice->provider->name : NULL,
                           end->choice ? end->choice->model : NULL,
                           end->fallback ? "true" : "false",
                           end->image_url,
                           end->original_url,
                           !end->image_url ? NULL
                           : end->unstored ? "false"
                                           : "true",
                           end->result,
                           end->error_code,
                           end->error_message,
                           end->cause_code,
                           end->keeps ? gf_text_interval(ctx->pool, end->keeps) : NULL };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_SETTLE, job->type, args, NULL));
    *outcome = gf_rows_text(rows, 0, 0);
    return NULL;
}

/* ---- all leases of a host at once ---- */

static void lease_arrays(gf_ctx_t *ctx, const apr_array_header_t *leases, const char **ids,
                         const char **epochs)
{
    apr_array_header_t *id_texts = apr_array_make(ctx->pool, leases->nelts, sizeof(const char *));
    apr_array_header_t *epoch_texts =
        apr_array_make(ctx->pool, leases->nelts, sizeof(const char *));
    int i;

    for (i = 0; i < leases->nelts; i++) {
        const gf_lease_t *lease = &APR_ARRAY_IDX(leases, i, gf_lease_t);

        APR_ARRAY_PUSH(id_texts, const char *) = lease->id;
        APR_ARRAY_PUSH(epoch_texts, const char *) = number(ctx, lease->epoch);
    }
    *ids = apr_pstrcat(ctx->pool, "{", apr_array_pstrcat(ctx->pool, id_texts, ','), "}", NULL);
    *epochs =
        apr_pstrcat(ctx->pool, "{", apr_array_pstrcat(ctx->pool, epoch_texts, ','), "}", NULL);
}

gf_err_t *gf_queue_heartbeat(apr_array_header_t **held, gf_ctx_t *ctx,
                             const apr_array_header_t *leases)
{
    const char *args[3];
    gf_rows_t *rows;

    lease_arrays(ctx, leases, &args[0], &args[1]);
    args[2] = gf_text_interval(ctx->pool, ctx->conf->lease);
    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_HEARTBEAT, NULL, args, NULL));
    *held = gf_rows_texts(rows, ctx->pool);
    return NULL;
}

gf_err_t *gf_queue_ended(apr_array_header_t **ended, gf_ctx_t *ctx,
                         const apr_array_header_t *leases)
{
    const char *args[2];
    gf_rows_t *rows;

    lease_arrays(ctx, leases, &args[0], &args[1]);
    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_ENDED, NULL, args, NULL));
    *ended = gf_rows_texts(rows, ctx->pool);
    return NULL;
}

gf_err_t *gf_queue_hand_back(gf_ctx_t *ctx, const apr_array_header_t *leases)
{
    const char *args[2];
    gf_rows_t *rows;

    lease_arrays(ctx, leases, &args[0], &args[1]);
    return gf_db_call(&rows, ctx, GF_SQL_HAND_BACK, NULL, args, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of a host under its lease, from the intent to submit to the hand-back. The rules are
 * in the SQL functions and in work/. */
#include "db/queue.h"

#include <apr_strings.h>

#include "model/money.h"

typedef struct lease_row_t {
    gf_lease_answer_t lease;
} lease_row_t;

static const gf_sql_word_t lease_words[] = {
    { "ok", GF_LEASE_OURS },           { "watched", GF_LEASE_WATCHED },
    { "reported", GF_LEASE_REPORTED }, { "open", GF_LEASE_BREAKER_OPEN },
    { "over", GF_LEASE_BREAKER_OPEN }, { "spent", GF_LEASE_BUDGET_SPENT },
    { "gone", GF_LEASE_ENDED },        { "stale", GF_LEASE_LOST },
    { "restored", GF_LEASE_LOST },     { "unsure", GF_LEASE_UNSURE },
    { NULL, GF_SQL_NO_WORD }
};
static const gf_sql_field_t lease_columns[] = {
    GF_COLUMN_WORD("outcome", lease_row_t, lease, lease_words),
};

static gf_err_t *call_act(gf_lease_answer_t *lease, gf_ctx_t *ctx, const gf_statement_t *statement,
                          const gf_type_t *type, const void *in)
{
    lease_row_t row;

    GF_TRY(gf_db_one(&row, ctx, statement, type, in));
    *lease = row.lease;
    return NULL;
}

typedef struct attempt_in_t {
    const char *id;
    int epoch, no;
    const char *provider, *model;
    apr_int64_t seed;
    const char *hook_token;
    apr_interval_time_t lease, probe;
    apr_int64_t budget, price, provider_cost;
    const char *hash;
} attempt_in_t;

static const gf_sql_field_t attempt_params[] = {
    GF_PARAM(attempt_in_t, id),
    GF_PARAM(attempt_in_t, epoch),
    GF_PARAM(attempt_in_t, no),
    GF_PARAM(attempt_in_t, provider),
    GF_PARAM(attempt_in_t, model),
    GF_PARAM(attempt_in_t, seed),
    GF_PARAM(attempt_in_t, hook_token),
    GF_PARAM_INTERVAL(attempt_in_t, lease),
    GF_PARAM_INTERVAL(attempt_in_t, probe),
    GF_PARAM_OR(attempt_in_t, budget, 0),
    GF_PARAM(attempt_in_t, price),
    GF_PARAM(attempt_in_t, provider_cost),
    GF_PARAM(attempt_in_t, hash),
};

GF_STATEMENT(attempt_begin, .function = "attempt_begin", .is_value = true,
             GF_PARAMS(attempt_params), GF_COLUMNS(lease_row_t, lease_columns));

gf_err_t *gf_queue_attempt(gf_lease_answer_t *lease, gf_ctx_t *ctx, const gf_job_t *job,
                           const gf_choice_t *choice, const char *token)
{
    const attempt_in_t in = { .id = job->id,
                              .epoch = job->epoch,
                              .no = job->attempts,
                              .provider = choice->provider->name,
                              .model = choice->model,
                              .seed = job->seed,
                              .hook_token = token,
                              .lease = ctx->conf->lease,
                              .probe = choice->provider->breaker_open,
                              .budget = choice->provider->budget,
                              .price = choice->provider->price,
                              .provider_cost = gf_money_cost(choice),
                              .hash = job->request_hash };

    return call_act(lease, ctx, &gf_sql_attempt_begin, NULL, &in);
}

typedef struct accepted_in_t {
    const char *id;
    int epoch, no;
    const char *provider, *kind, *ref;
    apr_interval_time_t lease;
} accepted_in_t;

static const gf_sql_field_t accepted_params[] = { GF_PARAM(accepted_in_t, id),
                                                  GF_PARAM(accepted_in_t, epoch),
                                                  GF_PARAM(accepted_in_t, no),
                                                  GF_PARAM(accepted_in_t, provider),
                                                  GF_PARAM(accepted_in_t, kind),
                                                  GF_PARAM(accepted_in_t, ref),
                                                  GF_PARAM_INTERVAL(accepted_in_t, lease) };

GF_STATEMENT(accepted, .function = "%s_accepted", .is_value = true, .has_call = true,
             GF_PARAMS(accepted_params), GF_COLUMNS(lease_row_t, lease_columns));

gf_err_t *gf_queue_accepted(gf_lease_answer_t *lease, gf_ctx_t *ctx, const gf_job_t *job,
                            const gf_choice_t *choice, const char *kind)
{
    const accepted_in_t in = { .id = job->id,
                               .epoch = job->epoch,
                               .no = job->attempts,
                               .provider = choice->provider->name,
                               .kind = kind,
                               .ref = job->provider_ref,
                               .lease = ctx->conf->lease };

    return call_act(lease, ctx, &gf_sql_accepted, job->type, &in);
}

typedef struct progress_in_t {
    const char *id;
    int epoch;
    const char *progress;
    int queue_position;
    const char *logs;
} progress_in_t;

#define UNKNOWN_POSITION (-1)

static const gf_sql_field_t progress_params[] = {
    GF_PARAM(progress_in_t, id),       GF_PARAM(progress_in_t, epoch),
    GF_PARAM(progress_in_t, progress), GF_PARAM_OR(progress_in_t, queue_position, UNKNOWN_POSITION),
    GF_PARAM(progress_in_t, logs),
};

GF_STATEMENT(progress, .function = "progress", .is_value = true, GF_PARAMS(progress_params),
             GF_COLUMNS(lease_row_t, lease_columns));

gf_err_t *gf_queue_progress(gf_lease_answer_t *lease, gf_ctx_t *ctx, const gf_job_t *job,
                            const gf_progress_t *progress)
{
    const progress_in_t in = {
        .id = job->id,
        .epoch = job->epoch,
        .progress =
            progress->fraction < 0 ? NULL : apr_psprintf(ctx->pool, "%.3f", progress->fraction),
        .queue_position =
            progress->queue_position < 0 ? UNKNOWN_POSITION : progress->queue_position,
        .logs = progress->logs
    };

    return call_act(lease, ctx, &gf_sql_progress, NULL, &in);
}

typedef struct requeue_in_t {
    const char *id;
    int epoch;
    apr_interval_time_t delay;
    int chain_pos, retries;
    const char *outcome, *ref;
} requeue_in_t;

static const gf_sql_field_t requeue_params[] = {
    GF_PARAM(requeue_in_t, id),
    GF_PARAM(requeue_in_t, epoch),
    GF_PARAM_INTERVAL(requeue_in_t, delay),
    GF_PARAM(requeue_in_t, chain_pos),
    GF_PARAM(requeue_in_t, retries),
    GF_PARAM(requeue_in_t, outcome),
    GF_PARAM(requeue_in_t, ref),
};

GF_STATEMENT(requeue, .function = "requeue", .is_value = true, GF_PARAMS(requeue_params),
             GF_COLUMNS(lease_row_t, lease_columns));

gf_err_t *gf_queue_requeue(gf_lease_answer_t *lease, gf_ctx_t *ctx, const gf_job_t *job,
                           apr_interval_time_t delay, const char *outcome)
{
    /* SQL counts from 0 at the entry that the job begins with; a live generation shows a fallback
     * by that */
    const requeue_in_t in = { .id = job->id,
                              .epoch = job->epoch,
                              .delay = delay,
                              .chain_pos = job->chain_pos > job->begin ? job->chain_pos : 0,
                              .retries = job->retries,
                              .outcome = outcome,
                              .ref = job->provider_ref };

    return call_act(lease, ctx, &gf_sql_requeue, NULL, &in);
}

/* ---- all leases of a host at once ---- */

typedef struct beat_in_t {
    const char *owner;
    apr_interval_time_t lease;
    const char *ids, *epochs, *dropped, *dropped_epochs;
} beat_in_t;

typedef struct hand_back_in_t {
    const char *ids, *epochs;
} hand_back_in_t;

static const gf_sql_word_t beat_words[] = { { "held", GF_BEAT_HELD },
                                            { "lost", GF_BEAT_LOST },
                                            { "ended", GF_BEAT_ENDED },
                                            { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t heartbeat_params[] = {
    GF_PARAM(beat_in_t, owner),   GF_PARAM_INTERVAL_OR(beat_in_t, lease, 0),
    GF_PARAM(beat_in_t, ids),     GF_PARAM(beat_in_t, epochs),
    GF_PARAM(beat_in_t, dropped), GF_PARAM(beat_in_t, dropped_epochs),
};
static const gf_sql_field_t heartbeat_columns[] = {
    GF_COLUMN(gf_beat_row_t, id),
    GF_COLUMN(gf_beat_row_t, epoch),
    GF_COLUMN_WORD("outcome", gf_beat_row_t, word, beat_words),
};
static const gf_sql_field_t hand_back_params[] = { GF_PARAM(hand_back_in_t, ids),
                                                   GF_PARAM(hand_back_in_t, epochs) };

GF_STATEMENT(heartbeat, .function = "heartbeat", GF_PARAMS(heartbeat_params),
             GF_COLUMNS(gf_beat_row_t, heartbeat_columns));
GF_STATEMENT(hand_back, .function = "hand_back", .is_value = true, GF_PARAMS(hand_back_params));

/* Two arrays of Postgres. */
static void lease_arrays(const char **ids, const char **epochs, gf_ctx_t *ctx,
                         const apr_array_header_t *leases)
{
    apr_array_header_t *names = apr_array_make(ctx->pool, leases->nelts, sizeof(const char *));
    apr_array_header_t *numbers = apr_array_make(ctx->pool, leases->nelts, sizeof(const char *));
    int i;

    for (i = 0; i < leases->nelts; i++) {
        const gf_lease_t *lease = &APR_ARRAY_IDX(leases, i, gf_lease_t);

        APR_ARRAY_PUSH(names, const char *) = lease->id;
        APR_ARRAY_PUSH(numbers, const char *) = apr_itoa(ctx->pool, lease->epoch);
    }
    *ids = apr_pstrcat(ctx->pool, "{", apr_array_pstrcat(ctx->pool, names, ','), "}", NULL);
    *epochs = apr_pstrcat(ctx->pool, "{", apr_array_pstrcat(ctx->pool, numbers, ','), "}", NULL);
}

gf_err_t *gf_queue_heartbeat(apr_array_header_t **rows, gf_ctx_t *ctx, const gf_beat_t *beat)
{
    beat_in_t in = { .owner = beat->owner, .lease = beat->leads ? ctx->conf->lease : 0 };

    lease_arrays(&in.ids, &in.epochs, ctx, beat->leases);
    lease_arrays(&in.dropped, &in.dropped_epochs, ctx, beat->dropped);
    return gf_db_list(rows, ctx, &gf_sql_heartbeat, &in);
}

gf_err_t *gf_queue_hand_back(gf_ctx_t *ctx, const apr_array_header_t *leases)
{
    hand_back_in_t in;

    lease_arrays(&in.ids, &in.epochs, ctx, leases);
    return gf_db_do(ctx, &gf_sql_hand_back, &in);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Creates, claims and starts generations. Statements under a lease are in db/lease.c, the rules in
 * the SQL functions. */
#include "db/queue.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "db/site.h"
#include "model/money.h"
#include "model/servers.h"
#include "model/type.h"

/* ---- create ---- */

typedef struct create_in_t {
    const char *user, *key, *hash, *run_id, *run_ids, *preset, *prompt, *source_url, *parameters;
    const char *seeds; /* of a batch, as an array */
    apr_int64_t seed, cost;
    int max_retries;
    apr_interval_time_t lifetime;
    const char *owner;
    apr_interval_time_t lease;
    bool start;
    int priority;
    const char *day;
    apr_int64_t concurrent, queue;
    int chain_pos;
    const char *reserved, *webhook_url, *fallback_of;
    bool take, renew;
    const char *provider, *model, *hook_token; /* of the intent */
    apr_int64_t budget, price, provider_cost;
    const char *request_hash, *api_key;
} create_in_t;

static const gf_sql_word_t intent_words[] = { { "ok", GF_INTENT_RECORDED },
                                              { "watched", GF_INTENT_WATCHED },
                                              { NULL, GF_INTENT_NONE } };

static const gf_sql_word_t create_words[] = { { "ok", GF_CREATED },
                                              { "replay", GF_REPLAY },
                                              { "mismatch", GF_MISMATCH },
                                              { "insufficient_credits", GF_NO_CREDIT },
                                              { "quota_exceeded", GF_QUOTA_SPENT },
                                              { "blocked", GF_ACCOUNT_BLOCKED },
                                              { "key_spent", GF_KEY_SPENT },
                                              { "too_many", GF_TOO_MANY },
                                              { "queue_full", GF_QUEUE_FULL },
                                              { "restored", GF_SITE_RESTORED },
                                              { NULL, GF_SQL_NO_WORD } };

#define CREATE_PARAMS                                                                         \
    GF_PARAM(create_in_t, user), GF_PARAM(create_in_t, key), GF_PARAM_HEX(create_in_t, hash), \
        GF_PARAM(create_in_t, preset), GF_PARAM(create_in_t, prompt),                         \
        GF_PARAM(create_in_t, source_url), GF_PARAM(create_in_t, parameters),                 \
        GF_PARAM(create_in_t, cost), GF_PARAM(create_in_t, max_retries),                      \
        GF_PARAM_INTERVAL(create_in_t, lifetime), GF_PARAM(create_in_t, owner),               \
        GF_PARAM_INTERVAL(create_in_t, lease), GF_PARAM(create_in_t, start),                  \
        GF_PARAM(create_in_t, priority), GF_PARAM(create_in_t, day),                          \
        GF_PARAM(create_in_t, concurrent), GF_PARAM(create_in_t, queue),                      \
        GF_PARAM(create_in_t, chain_pos), GF_PARAM(create_in_t, reserved),                    \
        GF_PARAM(create_in_t, webhook_url), GF_PARAM(create_in_t, take),                      \
        GF_PARAM(create_in_t, renew), GF_PARAM(create_in_t, api_key)

static const gf_sql_field_t create_params[] = { CREATE_PARAMS,
                                                GF_PARAM(create_in_t, run_id),
                                                GF_PARAM(create_in_t, seed),
                                                GF_PARAM(create_in_t, fallback_of),
                                                GF_PARAM(create_in_t, provider),
                                                GF_PARAM(create_in_t, model),
                                                GF_PARAM(create_in_t, hook_token),
                                                GF_PARAM_OR(create_in_t, budget, 0),
                                                GF_PARAM(create_in_t, price),
                                                GF_PARAM(create_in_t, provider_cost),
                                                GF_PARAM(create_in_t, request_hash) };
static const gf_sql_field_t batch_params[] = { CREATE_PARAMS, GF_PARAM(create_in_t, run_ids),
                                               GF_PARAM(create_in_t, seeds) };

#define CREATE_COLUMNS                                                                           \
    GF_COLUMN_WORD("outcome", gf_created_t, outcome, create_words), GF_COLUMN(gf_created_t, id), \
        GF_COLUMN(gf_created_t, epoch), GF_COLUMN(gf_created_t, status),                         \
        GF_COLUMN(gf_created_t, created_at), GF_COLUMN(gf_created_t, balance),                   \
        GF_COLUMN(gf_created_t, held), GF_COLUMN(gf_created_t, picture_secret)

static const gf_sql_field_t create_columns[] = {
    CREATE_COLUMNS, GF_COLUMN_WORD("intent", gf_created_t, intent, intent_words)
};
static const gf_sql_field_t batch_columns[] = { CREATE_COLUMNS };

GF_STATEMENT(create, .function = "%s_create", .has_call = true, GF_PARAMS(create_params),
             GF_COLUMNS(gf_created_t, create_columns));
GF_STATEMENT(create_batch, .function = "%s_create_batch", .has_call = true, GF_PARAMS(batch_params),
             GF_COLUMNS(gf_created_t, batch_columns));

/* The run ids and seeds of a batch's generations, as SQL arrays. */
static void batch_arrays(create_in_t *in, gf_ctx_t *ctx, const gf_spec_t *spec)
{
    const char *runs = "";
    const char *drawn = "";
    int i;

    for (i = 0; i < spec->count; i++) {
        gf_spec_t one = gf_param_nth(spec, i, ctx->pool);

        runs = apr_pstrcat(ctx->pool, runs, i ? "," : "", one.run_id ? one.run_id : "", NULL);
        drawn = apr_psprintf(ctx->pool, "%s%s%" APR_INT64_T_FMT, drawn, i ? "," : "", one.seed);
    }
    in->run_ids = spec->run_id ? apr_pstrcat(ctx->pool, "{", runs, "}", NULL) : NULL;
    in->seeds = apr_pstrcat(ctx->pool, "{", drawn, "}", NULL);
    in->reserved = spec->run_id;
}

static create_in_t create_values(const gf_ctx_t *ctx, const gf_caller_t *caller,
                                 const gf_spec_t *spec, const gf_begin_t *begin)
{
    const gf_choice_t *choice = begin->choice;
    const create_in_t in = { .user = caller->user,
                             .key = caller->key,
                             .hash = caller->hash,
                             .run_id = spec->run_id,
                             .preset = spec->preset,
                             .prompt = spec->prompt,
                             .source_url = spec->source_url,
                             .parameters = spec->parameters,
                             .seed = spec->seed,
                             .cost = spec->cost,
                             .max_retries = spec->max_retries,
                             .lifetime =
                                 spec->pending ? ctx->conf->pending_lifetime : spec->type->lifetime,
                             .owner = begin->owner,
                             .lease = ctx->conf->lease,
                             .start = !spec->pending,
                             .priority = (int)spec->priority - GF_PRIORITY_NORMAL,
                             .day = ctx->conf->credit_day,
                             .concurrent = ctx->conf->limit_concurrent,
                             .queue = ctx->conf->limit_queue,
                             .chain_pos = spec->chain_pos,
                             .webhook_url = spec->webhook_url,
                             .take = caller->take,
                             .renew = caller->renew,
                             .fallback_of = spec->fallback_of,
                             .provider = choice ? choice->provider->name : NULL,
                             .model = choice ? choice->model : NULL,
                             .hook_token = begin->webhook_token,
                             .budget = choice ? choice->provider->budget : 0,
                             .price = choice ? choice->provider->price : 1,
                             .provider_cost = gf_money_cost(choice),
                             .request_hash = begin->request_hash,
                             .api_key = caller->api_key };

    return in;
}

gf_err_t *gf_queue_create(gf_created_t *created, gf_ctx_t *ctx, const gf_caller_t *caller,
                          const gf_spec_t *spec, const gf_begin_t *begin)
{
    create_in_t in = create_values(ctx, caller, spec, begin);
    gf_rows_t *rows;
    int i;

    if (spec->count > 1) {
        batch_arrays(&in, ctx, spec);
    }
    GF_TRY(gf_db_call_hold(&rows, ctx, spec->count > 1 ? &gf_sql_create_batch : &gf_sql_create,
                           spec->type, &in));
    for (i = 0; i < gf_rows_count(rows); i++) {
        created[i].intent = GF_INTENT_NONE;
        GF_TRY(gf_rows_read(&created[i], ctx, rows, i, NULL));
    }
    for (; i < spec->count; i++) { /* a refusal has one row for all of them */
        created[i].outcome = created->outcome;
    }
    return NULL;
}

/* ---- claim ---- */

typedef struct claim_in_t {
    const char *owner;
    int limit;
    apr_interval_time_t lease;
    const char *from;  /* where the scan of the first lane begins */
    const char *lines; /* an array: the same for the other lanes */
    bool ends;
} claim_in_t;

typedef struct claim_row_t {
    gf_job_t job;
    apr_int64_t deadline_ms, age_ms;
    int lane;           /* NO_LANE: the claim has ended the job */
    const char *due_at; /* the job's due time in that lane */
} claim_row_t;

#define NO_LANE (-1)

static const gf_sql_word_t phase_words[] = {
    { "queued", GF_PHASE_QUEUED },   { "sending", GF_PHASE_SENDING },
    { "working", GF_PHASE_WORKING }, { "cancelled", GF_PHASE_CANCELLED },
    { "failed", GF_PHASE_FAILED },   { NULL, GF_SQL_NO_WORD }
};
static const gf_sql_field_t claim_params[] = {
    GF_PARAM(claim_in_t, owner), GF_PARAM(claim_in_t, limit), GF_PARAM_INTERVAL(claim_in_t, lease),
    GF_PARAM(claim_in_t, from),  GF_PARAM(claim_in_t, lines), GF_PARAM(claim_in_t, ends)
};
static const gf_sql_field_t claim_columns[] = {
    GF_COLUMN_AS("id", claim_row_t, job.id),
    GF_COLUMN_AS("epoch", claim_row_t, job.epoch),
    GF_COLUMN_WORD("phase", claim_row_t, job.phase, phase_words),
    GF_COLUMN_AS("attempts", claim_row_t, job.attempts),
    GF_COLUMN_AS("chain_pos", claim_row_t, job.chain_pos),
    GF_COLUMN_AS("retries", claim_row_t, job.retries),
    GF_COLUMN_AS("provider", claim_row_t, job.provider),
    GF_COLUMN_AS("model", claim_row_t, job.model),
    GF_COLUMN_AS("provider_ref", claim_row_t, job.provider_ref),
    GF_COLUMN_AS("user_id", claim_row_t, job.user),
    GF_COLUMN_AS("run_id", claim_row_t, job.run_id),
    GF_COLUMN_AS("preset", claim_row_t, job.preset),
    GF_COLUMN_AS("prompt", claim_row_t, job.prompt),
    GF_COLUMN_AS("source_url", claim_row_t, job.source_url),
    GF_COLUMN_AS("parameters", claim_row_t, job.parameters),
    GF_COLUMN_AS("seed", claim_row_t, job.seed),
    GF_COLUMN_AS("cost", claim_row_t, job.cost),
    GF_COLUMN_AS("max_retries", claim_row_t, job.max_retries),
    GF_COLUMN_AS("picture_secret", claim_row_t, job.picture_secret),
    GF_COLUMN_AS("last_look", claim_row_t, job.last_look),
    GF_COLUMN_AS("request_hash", claim_row_t, job.request_hash),
    GF_COLUMN(claim_row_t, deadline_ms),
    GF_COLUMN(claim_row_t, age_ms),
    GF_COLUMN_OR(claim_row_t, lane, NO_LANE),
    GF_COLUMN(claim_row_t, due_at),
};

GF_STATEMENT(claim, .function = "%s_claim", .has_call = true, .has_again = true,
             GF_PARAMS(claim_params), GF_COLUMNS(claim_row_t, claim_columns));

gf_err_t *gf_queue_claim(gf_job_t **jobs, gf_ctx_t *ctx, const gf_type_t *type,
                         gf_claim_cursor_t *cursor)
{
    const claim_in_t in = { .owner = cursor->owner,
                            .limit = cursor->limit,
                            .lease = ctx->conf->lease,
                            .from = cursor->from[0],
                            .lines = apr_pstrcat(ctx->pool, "{", cursor->from[1], ",",
                                                 cursor->from[2], ",", cursor->from[3], "}", NULL),
                            .ends = true };
    claim_row_t row;
    gf_rows_t *rows;
    int i;

    *jobs = NULL;
    GF_TRY(gf_db_call(&rows, ctx, &gf_sql_claim, type, &in, NULL));
    for (i = gf_rows_count(rows) - 1; i >= 0; i--) {
        gf_job_t *job = gf_job_make(type);

        row.job = *job;
        GF_TRY(gf_rows_read(&row, ctx, rows, i, job->pool));
        *job = row.job;
        job->created = gf_clock_now() - row.age_ms * 1000;
        job->deadline = gf_clock_now() + row.deadline_ms * 1000;
        job->next = *jobs;
        *jobs = job;
        if (row.lane != NO_LANE) { /* the loop runs backwards, so each lane ends with its first */
            gf_job_begin(job, ctx);
            apr_cpystrn(cursor->from[row.lane], row.due_at, sizeof(cursor->from[0]));
        }
    }
    return NULL;
}

/* ---- due ---- */

typedef struct queue_due_in_t {
    const char *types, *since;
    apr_interval_time_t back, ahead;
} queue_due_in_t;

typedef struct queue_due_row_t {
    int place; /* NO_PLACE: `at` is now */
    const char *at;
    int lane;
    int wait_ms;
} queue_due_row_t;

#define NO_PLACE (-1)

static const gf_sql_field_t due_params[] = { GF_PARAM(queue_due_in_t, types),
                                             GF_PARAM(queue_due_in_t, since),
                                             GF_PARAM_INTERVAL(queue_due_in_t, back),
                                             GF_PARAM_INTERVAL(queue_due_in_t, ahead) };
static const gf_sql_field_t due_columns[] = { GF_COLUMN_OR(queue_due_row_t, place, NO_PLACE),
                                              GF_COLUMN(queue_due_row_t, at),
                                              GF_COLUMN(queue_due_row_t, lane),
                                              GF_COLUMN_OR(queue_due_row_t, wait_ms, -1) };

GF_STATEMENT(due, .function = "due", GF_PARAMS(due_params),
             GF_COLUMNS(queue_due_row_t, due_columns));

/* Where the look begins at all types and kinds, as one SQL array. */
static const char *due_since(gf_ctx_t *ctx, const gf_claim_cursor_t *cursors, int types)
{
    apr_array_header_t *since =
        apr_array_make(ctx->pool, types * GF_LANES + GF_DUE_KINDS, sizeof(const char *));
    int i;

    for (i = 0; i < types * GF_LANES; i++) {
        APR_ARRAY_PUSH(since, const char *) = cursors[i / GF_LANES].from[i % GF_LANES];
    }
    for (i = 0; i < GF_DUE_KINDS; i++) {
        APR_ARRAY_PUSH(since, const char *) = cursors[types + i].from[0];
    }
    return apr_pstrcat(ctx->pool, "{", apr_array_pstrcat(ctx->pool, since, ','), "}", NULL);
}

static void move_cursor(gf_claim_cursor_t *cursor, int lane, const char *at)
{
    if (at && lane >= 0 && lane < GF_LANES) {
        apr_cpystrn(cursor->from[lane], at, sizeof(cursor->from[lane]));
    }
}

/* Nothing is due, as far as the first row of the answer says. */
static void begin_look(gf_look_at_t *look, const queue_due_row_t *row, int places)
{
    int i;

    look->wait = row->wait_ms < 0 ? -1 : apr_time_from_msec(row->wait_ms);
    for (i = 0; i < places * GF_LANES; i++) {
        look->due[i / GF_LANES] = false;
        move_cursor(&look->cursors[i / GF_LANES], i % GF_LANES, row->at);
    }
}

gf_err_t *gf_queue_due(gf_look_at_t *look, gf_ctx_t *ctx)
{
    int types = gf_servers_types(ctx->conf)->nelts;
    const queue_due_in_t in = { .types = gf_db_all_types(ctx),
                                .since = due_since(ctx, look->cursors, types),
                                .back = look->back,
                                .ahead = look->ahead };
    queue_due_row_t row;
    gf_rows_t *rows;
    int i;

    GF_TRY(gf_db_call(&rows, ctx, &gf_sql_due, NULL, &in, NULL));
    for (i = 0; i < gf_rows_count(rows); i++) {
        GF_TRY(gf_rows_read(&row, ctx, rows, i, NULL));
        if (row.place == NO_PLACE) {
            begin_look(look, &row, types + GF_DUE_KINDS);
        }
        else if (row.place >= 0 && row.place < types + GF_DUE_KINDS) {
            look->due[row.place] = true;
            move_cursor(&look->cursors[row.place], row.lane, row.at);
        }
    }
    return NULL;
}

/* ---- start ---- */

typedef struct start_in_t {
    const char *user, *id, *owner;
    apr_interval_time_t lease, lifetime;
} start_in_t;

typedef struct start_row_t {
    gf_owned_t outcome;
    const char *status;
    gf_job_t job;
    apr_int64_t age_ms;
} start_row_t;

static const gf_sql_field_t start_params[] = { GF_PARAM(start_in_t, user), GF_PARAM(start_in_t, id),
                                               GF_PARAM(start_in_t, owner),
                                               GF_PARAM_INTERVAL(start_in_t, lease),
                                               GF_PARAM_INTERVAL(start_in_t, lifetime) };
static const gf_sql_field_t start_columns[] = {
    GF_COLUMN_WORD("outcome", start_row_t, outcome, gf_db_owned_words),
    GF_COLUMN(start_row_t, status),
    GF_COLUMN_AS("id", start_row_t, job.id),
    GF_COLUMN_AS("epoch", start_row_t, job.epoch),
    GF_COLUMN_AS("run_id", start_row_t, job.run_id),
    GF_COLUMN_AS("preset", start_row_t, job.preset),
    GF_COLUMN_AS("prompt", start_row_t, job.prompt),
    GF_COLUMN_AS("source_url", start_row_t, job.source_url),
    GF_COLUMN_AS("parameters", start_row_t, job.parameters),
    GF_COLUMN_AS("seed", start_row_t, job.seed),
    GF_COLUMN_AS("cost", start_row_t, job.cost),
    GF_COLUMN_AS("max_retries", start_row_t, job.max_retries),
    GF_COLUMN_AS("picture_secret", start_row_t, job.picture_secret),
    GF_COLUMN(start_row_t, age_ms),
};

GF_STATEMENT(start, .function = "%s_start", .has_call = true, GF_PARAMS(start_params),
             GF_COLUMNS(start_row_t, start_columns));

static gf_err_t *start_refused(gf_ctx_t *ctx, const start_row_t *row, const gf_type_t *type,
                               const char *user, const char *id)
{
    if (row->outcome == GF_OWNED_RESTORED) {
        return gf_site_closed(ctx);
    }
    GF_TRY(gf_db_owned(ctx, row->outcome, GF_E_NO_GENERATION, type->name, user, id));
    return row->outcome == GF_OWNED ? NULL : gf_steer_status(ctx, id, row->status);
}

gf_err_t *gf_queue_start(gf_job_t **job, gf_ctx_t *ctx, const gf_type_t *type, const char *user,
                         const char *id, const char *owner)
{
    const start_in_t in = { .user = user,
                            .id = id,
                            .owner = owner,
                            .lease = ctx->conf->lease,
                            .lifetime = type->lifetime };
    gf_job_t *started = gf_job_make(type);
    start_row_t row = { .job = *started };
    gf_rows_t *rows;
    gf_err_t *err = gf_db_call(&rows, ctx, &gf_sql_start, type, &in, NULL);

    err = err ? err : gf_rows_read(&row, ctx, rows, 0, started->pool);
    err = err ? err : start_refused(ctx, &row, type, user, id);
    if (err) {
        gf_job_free(started);
        return err;
    }
    *started = row.job;
    started->phase = GF_PHASE_QUEUED;
    started->user = apr_pstrdup(started->pool, user);
    started->created = gf_clock_now() - row.age_ms * 1000;
    started->deadline = gf_clock_now() + type->lifetime;
    gf_job_begin(started, ctx);
    *job = started;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Heartbeats. What a lost lease or an ended job means for a run is the matter of its rules. */
#include "work/heartbeat.h"

#include <apr_strings.h>

#define BEATS_PER_LEASE      3
#define LEASES_PER_STATEMENT 500 /* 10,000 in one take longer than a statement may */

apr_array_header_t *gf_heartbeat_leases(gf_run_t *runs, int number, apr_pool_t *pool)
{
    apr_array_header_t *leases = apr_array_make(pool, 16, sizeof(gf_lease_t));
    gf_run_t *run;

    for (run = runs; run; run = run->next) {
        if (run->kind->leased) {
            gf_lease_t *lease = apr_array_push(leases);

            lease->id = apr_pstrdup(pool, run->job->id);
            lease->epoch = run->job->epoch;
            run->heartbeat = number;
        }
    }
    return leases;
}

/* ---- on a writer ---- */

static void add_ids(apr_hash_t *set, const apr_array_header_t *ids, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < ids->nelts; i++) {
        const char *id = apr_pstrdup(pool, APR_ARRAY_IDX(ids, i, const char *));

        apr_hash_set(set, id, APR_HASH_KEY_STRING, id);
    }
}

/* Of what is not held: did it end, or does another host lead it? */
static gf_err_t *find_ended(gf_heartbeat_t *heartbeat, gf_ctx_t *ctx)
{
    apr_array_header_t *lost = apr_array_make(ctx->pool, 4, sizeof(gf_lease_t));
    apr_array_header_t *ended = lost;
    int i;

    for (i = 0; i < heartbeat->leases->nelts; i++) {
        const gf_lease_t *lease = &APR_ARRAY_IDX(heartbeat->leases, i, gf_lease_t);

        if (!apr_hash_get(heartbeat->held, lease->id, APR_HASH_KEY_STRING)) {
            APR_ARRAY_PUSH(lost, gf_lease_t) = *lease;
        }
    }
    if (lost->nelts) {
        GF_TRY(gf_queue_ended(&ended, ctx, lost));
    }
    heartbeat->ended = apr_hash_make(heartbeat->pool);
    add_ids(heartbeat->ended, ended, heartbeat->pool);
    return NULL;
}

/* Renews the leases from number `first` on, one statement's worth. */
static gf_err_t *renew_piece(gf_heartbeat_t *heartbeat, gf_ctx_t *ctx, int first)
{
    apr_array_header_t piece = *heartbeat->leases; /* a window of it, without a copy */
    apr_array_header_t *held;

    piece.elts += (apr_size_t)first * (apr_size_t)piece.elt_size;
    piece.nelts -= first;
    piece.nelts = piece.nelts < LEASES_PER_STATEMENT ? piece.nelts : LEASES_PER_STATEMENT;
    GF_TRY(gf_queue_heartbeat(&held, ctx, &piece));
    add_ids(heartbeat->held, held, heartbeat->pool);
    return NULL;
}

gf_err_t *gf_heartbeat_renew(gf_heartbeat_t *heartbeat, gf_ctx_t *ctx)
{
    int first;

    heartbeat->held = apr_hash_make(heartbeat->pool);
    for (first = 0; first < heartbeat->leases->nelts; first += LEASES_PER_STATEMENT) {
        GF_TRY(renew_piece(heartbeat, ctx, first));
    }
    return find_ended(heartbeat, ctx);
}

static void run_task(gf_task_t *task, gf_ctx_t *ctx)
{
    gf_heartbeat_t *heartbeat = (gf_heartbeat_t *)task;
    gf_err_t *err = gf_heartbeat_renew(heartbeat, ctx);

    heartbeat->succeeded = !err;
    if (err) {
        gf_err_log(ctx, err);
    }
}

/* ---- on the dispatcher ---- */

static void schedule_next(gf_heartbeat_t *heartbeat, const gf_ctx_t *ctx)
{
    heartbeat->at = gf_ctx_now(ctx) + ctx->conf->lease / BEATS_PER_LEASE;
}

void gf_heartbeat_init(gf_heartbeat_t *heartbeat, apr_pool_t *pool, const gf_ctx_t *ctx)
{
    apr_pool_create(&heartbeat->pool, pool);
    schedule_next(heartbeat, ctx);
}

void gf_heartbeat_begin(gf_heartbeat_t *heartbeat, const gf_ctx_t *ctx, gf_writers_t *writers,
                        gf_run_t *runs)
{
    schedule_next(heartbeat, ctx);
    if (!runs) {
        return;
    }
    apr_pool_clear(heartbeat->pool);
    heartbeat->number++;
    heartbeat->leases = gf_heartbeat_leases(runs, heartbeat->number, heartbeat->pool);
    heartbeat->open = true;
    heartbeat->task.run = run_task;
    gf_writers_give(writers, &heartbeat->task);
}

/* If this child has two runs of one job, it lost a lease and won it again: the lease counts for the
 * newer run, which comes first. */
static bool is_held(const gf_heartbeat_t *heartbeat, const gf_run_t *run)
{
    bool held = apr_hash_get(heartbeat->held, run->job->id, APR_HASH_KEY_STRING) != NULL;

    apr_hash_set(heartbeat->held, run->job->id, APR_HASH_KEY_STRING, NULL);
    return held;
}

gf_event_t gf_heartbeat_event(gf_heartbeat_t *heartbeat, const gf_run_t *run)
{
    if (!heartbeat->succeeded || run->heartbeat != heartbeat->number || is_held(heartbeat, run)) {
        return GF_EVENT_NONE;
    }
    return apr_hash_get(heartbeat->ended, run->job->id, APR_HASH_KEY_STRING) ? GF_EVENT_JOB_ENDED
                                                                             : GF_EVENT_LEASE_LOST;
}

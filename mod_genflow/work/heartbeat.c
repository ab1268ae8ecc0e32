/* SPDX-License-Identifier: Apache-2.0 */
/* Heartbeats. What a lost lease or an ended job means for a run is the matter of its rules. */
#include "work/heartbeat.h"

#include <apr_strings.h>

#define BEATS_PER_LEASE     3
#define NAMES_PER_STATEMENT 500 /* 10,000 in one take longer than a statement may */
#define KEY_SIZE            64

static void push_lease(apr_array_header_t *leases, const char *id, int epoch)
{
    gf_lease_t *lease = apr_array_push(leases);

    lease->id = apr_pstrdup(leases->pool, id);
    lease->epoch = epoch;
}

apr_array_header_t *gf_heartbeat_leases(gf_run_t *runs, apr_pool_t *pool)
{
    apr_array_header_t *leases = apr_array_make(pool, 16, sizeof(gf_lease_t));
    gf_run_t *run;

    for (run = runs; run; run = run->next) {
        if (run->kind->leased) {
            push_lease(leases, run->job->id, run->job->epoch);
        }
    }
    return leases;
}

/* A job may have several leases of this child, one after the other. */
static const char *lease_key(char *key, const char *id, int epoch)
{
    apr_snprintf(key, KEY_SIZE, "%s %d", id, epoch);
    return key;
}

/* ---- on a writer ---- */

static void add_words(gf_heartbeat_t *heartbeat, const apr_array_header_t *rows)
{
    char key[KEY_SIZE];
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const gf_beat_row_t *row = &APR_ARRAY_IDX(rows, i, gf_beat_row_t);
        const char *name = apr_pstrdup(heartbeat->pool, lease_key(key, row->id, row->epoch));

        apr_hash_set(heartbeat->words, name, APR_HASH_KEY_STRING,
                     apr_pmemdup(heartbeat->pool, row, sizeof(*row)));
    }
}

/* One statement: names the leases from number `first` on, as many as it takes. */
static gf_err_t *send_beat(gf_heartbeat_t *heartbeat, gf_ctx_t *ctx, int first)
{
    apr_array_header_t piece = *heartbeat->leases; /* a window of it, without a copy */
    const gf_beat_t beat = { .owner = heartbeat->owner,
                             .leads = heartbeat->leads,
                             .leases = &piece,
                             .dropped = heartbeat->dropped };
    apr_array_header_t *rows;

    piece.elts += (apr_size_t)first * (apr_size_t)piece.elt_size;
    piece.nelts -= first;
    piece.nelts = piece.nelts < NAMES_PER_STATEMENT ? piece.nelts : NAMES_PER_STATEMENT;
    GF_TRY(gf_queue_heartbeat(&rows, ctx, &beat));
    add_words(heartbeat, rows);
    return NULL;
}

gf_err_t *gf_heartbeat_renew(gf_heartbeat_t *heartbeat, gf_ctx_t *ctx)
{
    int first = 0;

    heartbeat->words = apr_hash_make(heartbeat->pool);
    do {
        GF_TRY(send_beat(heartbeat, ctx, first));
        first += NAMES_PER_STATEMENT;
    } while (first < heartbeat->leases->nelts);
    return NULL;
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

void gf_heartbeat_init(gf_heartbeat_t *heartbeat, apr_pool_t *pool, const gf_ctx_t *ctx,
                       const char *owner)
{
    heartbeat->parent = pool;
    heartbeat->owner = apr_pstrdup(pool, owner);
    apr_pool_create(&heartbeat->pool, pool);
    schedule_next(heartbeat, ctx);
}

/* Collects the leases that no heartbeat has named with success; returns whether there are runs with
 * leases at all. */
static bool collect_leases(gf_heartbeat_t *heartbeat, gf_run_t *runs)
{
    bool leads = false;
    gf_run_t *run;

    heartbeat->leases = apr_array_make(heartbeat->pool, 16, sizeof(gf_lease_t));
    for (run = runs; run; run = run->next) {
        leads = leads || run->kind->leased;
        if (run->kind->leased && !run->led) {
            push_lease(heartbeat->leases, run->job->id, run->job->epoch);
            run->named = true;
        }
    }
    return leads;
}

static void collect_dropped(gf_heartbeat_t *heartbeat)
{
    gf_dropped_t *dropped;

    heartbeat->dropping = heartbeat->drops;
    heartbeat->drops = NULL;
    heartbeat->dropped = apr_array_make(heartbeat->pool, 4, sizeof(gf_lease_t));
    for (dropped = heartbeat->dropping; dropped; dropped = dropped->next) {
        push_lease(heartbeat->dropped, dropped->lease.id, dropped->lease.epoch);
    }
}

void gf_heartbeat_begin(gf_heartbeat_t *heartbeat, const gf_ctx_t *ctx, gf_writers_t *writers,
                        gf_run_t *runs)
{
    bool had_row = heartbeat->leads;

    schedule_next(heartbeat, ctx);
    apr_pool_clear(heartbeat->pool);
    collect_dropped(heartbeat);
    heartbeat->leads = collect_leases(heartbeat, runs) || heartbeat->dropping;
    if (!heartbeat->leads && !had_row) {
        return;
    }
    heartbeat->open = true;
    heartbeat->task.run = run_task;
    gf_writers_give(writers, &heartbeat->task);
}

gf_event_t gf_heartbeat_event(const gf_heartbeat_t *heartbeat, gf_run_t *run)
{
    const gf_beat_row_t *row = NULL;
    char key[KEY_SIZE];

    if (heartbeat->succeeded && run->kind->leased && apr_hash_count(heartbeat->words)) {
        row = apr_hash_get(heartbeat->words, lease_key(key, run->job->id, run->job->epoch),
                           APR_HASH_KEY_STRING);
    }
    if (!row) {
        return GF_EVENT_NONE;
    }
    if (row->word == GF_BEAT_HELD) {
        run->led = true;
        return GF_EVENT_NONE;
    }
    return row->word == GF_BEAT_ENDED ? GF_EVENT_JOB_ENDED : GF_EVENT_LEASE_LOST;
}

void gf_heartbeat_end(gf_heartbeat_t *heartbeat)
{
    gf_dropped_t *dropped;

    heartbeat->open = false;
    heartbeat->leads = heartbeat->leads || !heartbeat->succeeded; /* the row may still be there */
    while ((dropped = heartbeat->dropping)) {
        heartbeat->dropping = dropped->next;
        if (heartbeat->succeeded) {
            apr_pool_destroy(dropped->pool);
        }
        else {
            dropped->next = heartbeat->drops;
            heartbeat->drops = dropped;
        }
    }
}

void gf_heartbeat_drop(gf_heartbeat_t *heartbeat, const gf_run_t *run)
{
    gf_dropped_t *dropped;
    apr_pool_t *pool;

    if (!run->named) {
        return; /* the lease of its claim is over by itself */
    }
    apr_pool_create(&pool, heartbeat->parent);
    dropped = apr_pcalloc(pool, sizeof(*dropped));
    dropped->pool = pool;
    dropped->lease.id = apr_pstrdup(pool, run->job->id);
    dropped->lease.epoch = run->job->epoch;
    dropped->next = heartbeat->drops;
    heartbeat->drops = dropped;
}

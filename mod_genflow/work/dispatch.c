/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: takes jobs from the hub, claims due ones, drains writers and net, wakes runs, keeps
 * leases alive, and at the end drains and hands back. Leaves every decision about a job to
 * gf_steps.c. Blocks only in its one epoll (gf_net_wait).
 *
 * Shared with other threads: the hub and the writers' queues, through their own locks; drain_time,
 * written before the hub is closed and read after. Everything else belongs to this thread. */
#include "work/dispatch.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_skiplist.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "base/clock.h"
#include "work/exchange.h"
#include "work/claim.h"
#include "work/generate.h"

#define BEATS_PER_LEASE 3
#define LONGEST_WAIT    (APR_USEC_PER_SEC)
#define KEYS_TIMEOUT    (10 * APR_USEC_PER_SEC)

/* A heartbeat for all runs, on a writer. */
typedef struct beat_t {
    gf_task_t task;
    apr_pool_t *pool;
    bool open;
    bool succeeded;
    int number;
    apr_array_header_t *leases;
    apr_hash_t *held;  /* ids still ours */
    apr_hash_t *ended; /* of the others those that have ended */
} beat_t;

struct gf_dispatch_t {
    apr_pool_t *pool; /* this thread's own */
    gf_steps_t steps; /* ctx.pool is cleared each turn */
    apr_thread_t *thread;
    apr_interval_time_t drain_time;
    gf_run_t *runs; /* the newest first */
    int count;
    int telling;          /* of them those that tell a webhook */
    apr_skiplist *alarms; /* runs with a wake time, soonest first */
    apr_time_t beat_at;
    gf_search_t search;
    bool keys_open; /* keys are being fetched */
    beat_t beat;
};

/* ---- runs ---- */

static int sooner(void *one, void *other)
{
    const gf_run_t *a = one;
    const gf_run_t *b = other;

    if (a->wake != b->wake) {
        return a->wake < b->wake ? -1 : 1;
    }
    return a == b ? 0 : a < b ? -1 : 1;
}

static void drop(gf_dispatch_t *dispatch, gf_run_t *run)
{
    if (run->previous) {
        run->previous->next = run->next;
    }
    else {
        dispatch->runs = run->next;
    }
    if (run->next) {
        run->next->previous = run->previous;
    }
    dispatch->count--;
    dispatch->telling -= run->job->tell_tries > 0;
    gf_hub_leave(dispatch->steps.hub);
    gf_job_free(run->job);
}

/* Does it wait for its provider alone: is there nothing yet that could still count? */
static bool only_waits(const gf_run_t *run)
{
    return run->wake && !run->writing && !run->msg && !run->err && !run->stored;
}

/* After every step: a run that goes on by itself gets its alarm; one that is over goes. */
static void after(gf_dispatch_t *dispatch, gf_run_t *run, gf_step_t step)
{
    if (step == GF_STEP_GOES_ON && run->ended && only_waits(run)) {
        step = gf_steps_ended(&dispatch->steps, run);
    }
    if (step == GF_STEP_OVER) {
        if (run->act == GF_ACT_REQUEUE && run->delay < dispatch->search.at - gf_clock_now()) {
            dispatch->search.at =
                gf_clock_now() + run->delay; /* nobody needs to wait for the next usual look */
        }
        drop(dispatch, run);
    }
    else if (!run->writing && run->wake) {
        if (run->poked) {
            run->poked = false;
            run->wake = gf_clock_now();
        }
        apr_skiplist_insert(dispatch->alarms, run);
    }
}

static gf_run_t *adopt(gf_dispatch_t *dispatch, gf_job_t *job)
{
    gf_run_t *run = apr_pcalloc(job->pool, sizeof(*run));

    run->job = job;
    run->next = dispatch->runs;
    if (run->next) {
        run->next->previous = run;
    }
    dispatch->runs = run;
    dispatch->count++;
    dispatch->telling += job->tell_tries > 0;
    return run;
}

static void begin(gf_dispatch_t *dispatch, gf_job_t *job)
{
    gf_run_t *run = adopt(dispatch, job);

    after(dispatch, run, gf_steps_begin(&dispatch->steps, run));
}

static void wake_runs(gf_dispatch_t *dispatch)
{
    gf_run_t *run;

    while ((run = apr_skiplist_peek(dispatch->alarms)) && run->wake <= gf_clock_now()) {
        apr_skiplist_pop(dispatch->alarms, NULL);
        run->wake = 0;
        after(dispatch, run, gf_steps_awake(&dispatch->steps, run));
    }
}

/* ---- looking for due jobs ---- */

static void search_done(gf_dispatch_t *dispatch)
{
    gf_job_t *job = gf_search_done(&dispatch->search, dispatch->steps.hub);

    while (job) {
        gf_job_t *next = job->next;

        begin(dispatch, job);
        job = next;
    }
}

/* A report came in for job `id`: whoever waits here asks now; else the job is anybody's, so ours.
 */
static void poke(gf_dispatch_t *dispatch, const char *id)
{
    gf_run_t *run = dispatch->runs;

    while (run && strcmp(run->job->id, id) != 0) {
        run = run->next;
    }
    if (!run) {
        dispatch->search.at = gf_clock_now();
    }
    else if (run->wake && !run->writing) {
        apr_skiplist_remove(dispatch->alarms, run, NULL);
        run->wake = 0;
        after(dispatch, run, gf_steps_awake(&dispatch->steps, run));
    }
    else { /* it is busy: it asks as soon as it would wait */
        run->poked = true;
    }
}

static void take_pokes(gf_dispatch_t *dispatch)
{
    char id[GF_HUB_ID];

    while (gf_hub_bg_poked(dispatch->steps.hub, id)) {
        poke(dispatch, id);
    }
}

/* ---- public keys of providers, for reports ---- */

static void keys_begin(gf_dispatch_t *dispatch)
{
    const char *url = gf_hub_bg_keys_wanted(dispatch->steps.hub);
    gf_msg_t *msg;

    if (dispatch->keys_open || !url) {
        return;
    }
    msg = gf_msg_make(gf_exchange_pool(&dispatch->steps), "GET", url);
    msg->connect_timeout = KEYS_TIMEOUT;
    msg->timeout = KEYS_TIMEOUT;
    msg->owner = &dispatch->keys_open;
    dispatch->keys_open = true;
    gf_net_start(dispatch->steps.net, msg);
}

static void keys_done(gf_dispatch_t *dispatch, const gf_msg_t *msg)
{
    bool good = msg->end == GF_MSG_ANSWERED && msg->status == 200;

    dispatch->keys_open = false;
    if (!good) {
        gf_log(&dispatch->steps.ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0414",
               "no public keys from %s: HTTP %d %s; see GenflowProviderHookKeys", msg->url,
               msg->status, msg->detail ? msg->detail : "");
    }
    gf_hub_bg_keys_put(dispatch->steps.hub, msg->url, good ? msg->text : NULL);
}

/* ---- keeping leases ---- */

static apr_array_header_t *leases_of_runs(gf_dispatch_t *dispatch, apr_pool_t *pool)
{
    apr_array_header_t *leases = apr_array_make(pool, dispatch->count + 1, sizeof(gf_lease_t));
    gf_run_t *run;

    for (run = dispatch->runs; run; run = run->next) {
        gf_lease_t *lease;

        if (run->job->restore_url || run->job->remove_url
            || run->job->tell_tries) { /* it has none, and needs none */
            continue;
        }
        lease = apr_array_push(leases);
        lease->id = apr_pstrdup(pool, run->job->id);
        lease->epoch = run->job->epoch;
        run->beat = dispatch->beat.number;
    }
    return leases;
}

static apr_hash_t *set_of(const apr_array_header_t *ids, apr_pool_t *pool)
{
    apr_hash_t *set = apr_hash_make(pool);
    int i;

    for (i = 0; i < ids->nelts; i++) {
        const char *id = apr_pstrdup(pool, APR_ARRAY_IDX(ids, i, const char *));

        apr_hash_set(set, id, APR_HASH_KEY_STRING, id);
    }
    return set;
}

/* Of what is not held: did it end, or does another host lead it? */
static gf_err_t *look_for_ends(beat_t *beat, gf_ctx_t *ctx)
{
    apr_array_header_t *lost = apr_array_make(ctx->pool, 4, sizeof(gf_lease_t));
    apr_array_header_t *ended = lost;
    int i;

    for (i = 0; i < beat->leases->nelts; i++) {
        const gf_lease_t *lease = &APR_ARRAY_IDX(beat->leases, i, gf_lease_t);

        if (!apr_hash_get(beat->held, lease->id, APR_HASH_KEY_STRING)) {
            APR_ARRAY_PUSH(lost, gf_lease_t) = *lease;
        }
    }
    if (lost->nelts) {
        GF_TRY(gf_queue_ended(&ended, ctx, lost));
    }
    beat->ended = set_of(ended, beat->pool);
    return NULL;
}

static void beat_run(gf_task_t *task, gf_ctx_t *ctx)
{
    beat_t *beat = (beat_t *)task;
    apr_array_header_t *held;
    gf_err_t *err = gf_queue_heartbeat(&held, ctx, beat->leases);

    if (!err) {
        beat->held = set_of(held, beat->pool);
        err = look_for_ends(beat, ctx);
    }
    beat->succeeded = !err;
    if (err) {
        gf_err_log(ctx, err);
    }
}

static void beat_begin(gf_dispatch_t *dispatch)
{
    beat_t *beat = &dispatch->beat;

    dispatch->beat_at = gf_clock_now() + dispatch->steps.ctx.conf->lease / BEATS_PER_LEASE;
    if (!dispatch->runs) {
        return;
    }
    apr_pool_clear(beat->pool);
    beat->number++;
    beat->leases = leases_of_runs(dispatch, beat->pool);
    beat->open = true;
    beat->task.run = beat_run;
    gf_writers_give(dispatch->steps.writers, &beat->task);
}

/* Its job has ended, somebody cancelled it: it stops now, or as soon as it would wait. */
static void stop_ended(gf_dispatch_t *dispatch, gf_run_t *run)
{
    run->ended = true;
    if (only_waits(run)) {
        apr_skiplist_remove(dispatch->alarms, run, NULL);
        after(dispatch, run, GF_STEP_GOES_ON);
    }
}

/* Is the lease of this run held still? Where two runs of one job are here, this child has won a
 * lease again that it had lost: it is held for the newer one, which is asked about first. */
static bool is_held(const beat_t *beat, const gf_run_t *run)
{
    bool held = apr_hash_get(beat->held, run->job->id, APR_HASH_KEY_STRING) != NULL;

    apr_hash_set(beat->held, run->job->id, APR_HASH_KEY_STRING, NULL);
    return held;
}

/* A lease is lost when this host slept too long. A run that only waits is dropped, another host
 * asks the provider now; one that is being sent or stored, or has something to write that found no
 * database, goes on: its success counts, its failure is refused by the epoch. */
static void beat_done(gf_dispatch_t *dispatch)
{
    beat_t *beat = &dispatch->beat;
    gf_run_t *run = dispatch->runs;

    beat->open = false;
    while (beat->succeeded && run) {
        gf_run_t *next = run->next;
        bool lost = run->beat == beat->number && !is_held(beat, run);

        if (lost && apr_hash_get(beat->ended, run->job->id, APR_HASH_KEY_STRING)) {
            stop_ended(dispatch, run);
        }
        else if (lost && only_waits(run)) {
            apr_skiplist_remove(dispatch->alarms, run, NULL);
            drop(dispatch, run);
        }
        run = next;
    }
}

/* ---- the loop ---- */

static void drain_writers(gf_dispatch_t *dispatch)
{
    gf_task_t *task;

    while ((task = gf_writers_next_done(dispatch->steps.writers))) {
        if (task == &dispatch->search.task) {
            search_done(dispatch);
        }
        else if (task == &dispatch->beat.task) {
            beat_done(dispatch);
        }
        else {
            gf_run_t *run = (gf_run_t *)task;

            after(dispatch, run, gf_steps_written(&dispatch->steps, run));
        }
    }
}

static void drain_net(gf_dispatch_t *dispatch)
{
    gf_msg_t *msg;

    while ((msg = gf_net_next_done(dispatch->steps.net))) {
        gf_run_t *run = msg->owner;

        if (msg->owner == &dispatch->keys_open) {
            keys_done(dispatch, msg);
        }
        if (!run || msg->owner == &dispatch->keys_open) { /* the others: a cancel, a removal */
            apr_pool_destroy(msg->pool);
            continue;
        }
        after(dispatch, run, gf_steps_answered(&dispatch->steps, run));
    }
}

static apr_interval_time_t until_next(const gf_dispatch_t *dispatch, bool closing)
{
    const gf_run_t *run = apr_skiplist_peek(dispatch->alarms);
    apr_time_t next = dispatch->beat_at;

    if (run && run->wake < next) {
        next = run->wake;
    }
    if (!closing && !dispatch->search.open && dispatch->search.at < next) {
        next = dispatch->search.at;
    }
    next -= gf_clock_now();
    return next < 0 ? 0 : next < LONGEST_WAIT ? next : LONGEST_WAIT;
}

static void turn(gf_dispatch_t *dispatch, bool closing)
{
    gf_job_t *job;

    gf_hub_bg_silence(dispatch->steps.hub);
    while ((job = gf_hub_bg_take(dispatch->steps.hub))) {
        begin(dispatch, job);
    }
    drain_writers(dispatch);
    drain_net(dispatch);
    wake_runs(dispatch);
    take_pokes(dispatch);
    keys_begin(dispatch);
    if (gf_hub_bg_recalled(dispatch->steps.hub)) {
        dispatch->beat_at = gf_clock_now(); /* a heartbeat tells which jobs have ended */
    }
    if (!closing && !dispatch->search.open && dispatch->search.at <= gf_clock_now()) {
        dispatch->search.telling = dispatch->telling;
        gf_search_begin(&dispatch->search, dispatch->steps.hub, dispatch->steps.writers,
                        dispatch->steps.ctx.conf, &dispatch->steps.reach);
    }
    if (!dispatch->beat.open && dispatch->beat_at <= gf_clock_now()) {
        beat_begin(dispatch);
    }
    gf_net_wait(dispatch->steps.net, until_next(dispatch, closing));
    apr_pool_clear(dispatch->steps.ctx.pool);
}

/* ---- the end ---- */

/* Takes in what the writers did last, without beginning anything new: what has ended goes, the rest
 * stays to be handed back. */
static void last_tasks(gf_dispatch_t *dispatch)
{
    gf_task_t *task;
    gf_job_t *job;

    while ((task = gf_writers_next_done(dispatch->steps.writers))) {
        gf_run_t *run = (gf_run_t *)task;

        if (task == &dispatch->search.task) {
            while ((job = dispatch->search.found)) {
                dispatch->search.found = job->next;
                adopt(dispatch, job);
            }
        }
        else if (task != &dispatch->beat.task && !run->err
                 && (run->settled || run->act == GF_ACT_REQUEUE)) {
            gf_hub_bg_publish(dispatch->steps.hub, run->job->id, GF_NEWS_ENDED);
            drop(dispatch, run);
        }
    }
    while ((job = gf_hub_bg_take(dispatch->steps.hub))) {
        adopt(dispatch, job);
    }
}

/* An intent was written and nothing sent: said so, or the next host would have to take it for sent.
 */
static void take_back_intents(gf_dispatch_t *dispatch)
{
    gf_ctx_t *ctx = &dispatch->steps.ctx;
    gf_run_t *run = dispatch->runs;

    while (run) {
        gf_run_t *next = run->next;
        gf_hold_t hold;

        if (run->act == GF_ACT_ATTEMPT && !run->provider_deadline
            && !gf_queue_requeue(&hold, ctx, run->job, 0, "not sent")) {
            drop(dispatch, run);
        }
        run = next;
    }
}

/* What still runs goes back to the queue. The writers are gone, so the statements run on this
 * thread. */
static void hand_back(gf_dispatch_t *dispatch)
{
    gf_ctx_t *ctx = &dispatch->steps.ctx;
    int count = dispatch->count;
    gf_err_t *err;

    if (count == 0) {
        return;
    }
    ctx->subject = "";
    take_back_intents(dispatch);
    err = gf_queue_hand_back(ctx, leases_of_runs(dispatch, ctx->pool));
    if (err) {
        gf_err_log(ctx, err);
    }
    gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0406", "handed %d jobs back", count);
    while (dispatch->runs) {
        gf_run_t *run = dispatch->runs;

        if (run->msg) {
            gf_net_cancel(dispatch->steps.net, run->msg);
        }
        drop(dispatch, run);
    }
}

static void *APR_THREAD_FUNC dispatch_thread(apr_thread_t *thread, void *data)
{
    gf_dispatch_t *dispatch = data;
    gf_hub_t *hub = dispatch->steps.hub;
    apr_time_t end = 0;

    (void)thread;
    while (!gf_hub_closing(hub)) {
        turn(dispatch, false);
    }
    end = gf_clock_now() + dispatch->drain_time;
    while ((dispatch->runs || dispatch->search.open) && gf_clock_now() < end) {
        turn(dispatch, true);
    }
    gf_writers_stop(dispatch->steps.writers);
    last_tasks(dispatch);
    hand_back(dispatch);
    return NULL;
}

const char *gf_dispatch_prepare(const gf_conf_t *conf, apr_pool_t *pool, apr_uid_t user,
                                apr_gid_t group)
{
    if (gf_net_init() != APR_SUCCESS) {
        return "libcurl cannot be initialised";
    }
    return gf_store_prepare(conf, pool, user, group);
}

static apr_pool_t *own_pool(const char *tag)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;

    apr_allocator_create(&allocator);
    apr_allocator_max_free_set(allocator, GF_KEPT_MAX);
    apr_pool_create_ex(&pool, NULL, NULL, allocator);
    apr_allocator_owner_set(allocator, pool);
    apr_pool_tag(pool, tag);
    return pool;
}

apr_status_t gf_dispatch_start(gf_dispatch_t **out, apr_pool_t *pool, const gf_ctx_t *ctx,
                               gf_hub_t *hub, const char *owner)
{
    apr_pool_t *own = own_pool("genflow_dispatch");
    gf_dispatch_t *dispatch = apr_pcalloc(own, sizeof(*dispatch));
    apr_status_t rv;

    dispatch->pool = own;
    dispatch->steps.ctx = *ctx;
    dispatch->steps.hub = hub;
    dispatch->steps.pool = own;
    gf_reach_init(&dispatch->steps.reach, own);
    gf_search_init(&dispatch->search, own, ctx->conf, owner);
    dispatch->beat_at = gf_clock_now() + ctx->conf->lease / BEATS_PER_LEASE;
    apr_pool_create(&dispatch->steps.ctx.pool, own);
    apr_pool_create(&dispatch->beat.pool, own);
    apr_skiplist_init(&dispatch->alarms, own);
    apr_skiplist_set_compare(dispatch->alarms, sooner, sooner);
    rv = gf_net_make(&dispatch->steps.net, own, gf_hub_bell(hub));
    if (rv == APR_SUCCESS) {
        rv = gf_writers_start(&dispatch->steps.writers, own, ctx, hub, (int)ctx->conf->writers);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&dispatch->thread, NULL, dispatch_thread, dispatch, pool);
    }
    *out = dispatch;
    return rv;
}

void gf_dispatch_drain(gf_dispatch_t *dispatch, apr_interval_time_t time)
{
    dispatch->drain_time = time;
}

void gf_dispatch_join(gf_dispatch_t *dispatch)
{
    apr_status_t rv;

    apr_thread_join(&rv, dispatch->thread);
    apr_pool_destroy(dispatch->pool);
}

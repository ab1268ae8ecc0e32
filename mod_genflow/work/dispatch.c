/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: takes jobs from the hub, claims due ones, drains writers and net, wakes runs, renews
 * leases, and at the end drains and hands back. The rules of a job's kind decide about it (run.c).
 * Blocks only in its one epoll (gf_net_wait).
 *
 * Shared with other threads: the hub and the writers' queues, through their own locks; drain_time,
 * written before the hub is closed and read after; joined. Everything else belongs to this thread.
 */
#include "work/dispatch.h"

#include <malloc.h>
#include <string.h>

#include <apr_atomic.h>
#include <apr_skiplist.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "model/servers.h"
#include "net/net.h"
#include "work/claim.h"
#include "work/heartbeat.h"
#include "work/kind.h"
#include "work/run.h"
#include "work/thumbnail.h"

#define LONGEST_WAIT (APR_USEC_PER_SEC)
#define KEYS_TIMEOUT (10 * APR_USEC_PER_SEC)
#define TRIM_FROM    256 /* runs: of fewer there is not much to give back */

struct gf_dispatch_t {
    apr_pool_t *pool; /* this thread's own */
    gf_flow_t flow;   /* ctx.pool is cleared each turn */
    gf_net_t *net;
    gf_writers_t *writers;
    gf_thumbnailer_t *thumbnailer; /* NULL: there are no thumbnails */
    apr_thread_t *thread;
    apr_interval_time_t drain_time;
    gf_run_t *runs; /* the newest first */
    int count;
    int count_most;           /* since memory was given back last */
    int counts[GF_JOB_KINDS]; /* the same by kind */
    apr_skiplist *alarms;     /* runs with a wake time, soonest first */
    gf_claim_t claim;
    gf_heartbeat_t heartbeat;
    bool keys_open;               /* keys are being fetched */
    bool rings;                   /* the hub's bell */
    volatile apr_uint32_t joined; /* no request runs any more: set by gf_dispatch_join() */
};

static apr_time_t dispatch_now(const gf_dispatch_t *dispatch)
{
    return gf_ctx_now(&dispatch->flow.ctx);
}

/* ---- runs ---- */

static int is_sooner(void *one, void *other)
{
    const gf_run_t *a = one;
    const gf_run_t *b = other;

    if (a->wake != b->wake) {
        return a->wake < b->wake ? -1 : 1;
    }
    return a == b ? 0 : a < b ? -1 : 1;
}

static void drop_run(gf_dispatch_t *dispatch, gf_run_t *run)
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
    dispatch->counts[run->job->kind]--;
    gf_hub_bg_leave(dispatch->flow.hub, run->job->id);
    gf_hub_leave(dispatch->flow.hub);
    gf_claim_has_place(&dispatch->claim);
    gf_job_free(run->job);
}

static void start_asides(gf_dispatch_t *dispatch)
{
    gf_msg_t **msg;

    while ((msg = apr_array_pop(dispatch->flow.asides))) {
        gf_net_start(dispatch->net, *msg); /* without an owner */
    }
}

static void start_pending(gf_dispatch_t *dispatch, gf_run_t *run)
{
    switch (run->pending) {
    case GF_PENDING_WRITER:
        gf_writers_give(dispatch->writers, &run->task);
        break;
    case GF_PENDING_EXCHANGE:
        gf_net_start(dispatch->net, run->msg);
        break;
    case GF_PENDING_ALARM:
        apr_skiplist_insert(dispatch->alarms, run);
        break;
    case GF_PENDING_NOTHING:
        break;
    }
}

/* After every event. */
static void after_event(gf_dispatch_t *dispatch, gf_run_t *run, gf_step_t step)
{
    start_asides(dispatch);
    if (step == GF_STEP_BEGINS) {
        start_pending(dispatch, run);
    }
    else if (step == GF_STEP_OVER) {
        if (run->due) {
            gf_claim_want(&dispatch->claim, &dispatch->flow.ctx, run->due);
        }
        else if (run->settled == GF_SETTLED_NOT) {
            gf_heartbeat_drop(&dispatch->heartbeat, run);
        }
        drop_run(dispatch, run);
    }
}

/* Something happened to a run while its alarm may be set. */
static void interrupt_alarm(gf_dispatch_t *dispatch, gf_run_t *run, gf_event_t event)
{
    bool waits = run->pending == GF_PENDING_ALARM;
    gf_step_t step;

    if (waits) {
        apr_skiplist_remove(dispatch->alarms, run, NULL);
    }
    step = gf_run_take(&dispatch->flow, run, event);
    after_event(dispatch, run, step == GF_STEP_STAYS && waits ? GF_STEP_BEGINS : step);
}

static gf_run_t *adopt_job(gf_dispatch_t *dispatch, gf_job_t *job)
{
    gf_run_t *run = gf_run_make(job, gf_kind_of(job->kind));

    run->thumbnailer = dispatch->thumbnailer;
    run->next = dispatch->runs;
    if (run->next) {
        run->next->previous = run;
    }
    dispatch->runs = run;
    dispatch->count++;
    dispatch->counts[job->kind]++;
    return run;
}

static void begin_run(gf_dispatch_t *dispatch, gf_job_t *job)
{
    gf_run_t *run = adopt_job(dispatch, job);

    after_event(dispatch, run, gf_run_begin(&dispatch->flow, run));
}

static void wake_runs(gf_dispatch_t *dispatch)
{
    gf_run_t *run;

    while ((run = apr_skiplist_peek(dispatch->alarms)) && run->wake <= dispatch_now(dispatch)) {
        apr_skiplist_pop(dispatch->alarms, NULL);
        after_event(dispatch, run, gf_run_take(&dispatch->flow, run, GF_EVENT_ALARM));
    }
}

/* ---- claims ---- */

static void claim_done(gf_dispatch_t *dispatch)
{
    gf_job_t *job = gf_claim_done(&dispatch->claim, &dispatch->flow.ctx, dispatch->flow.hub);

    while (job) {
        gf_job_t *next = job->next;

        begin_run(dispatch, job);
        job = next;
    }
}

/* A provider webhook came in for job `id`: its run here gets the event. Without a run here any
 * process may lead the job, so it may be claimed. */
static void take_webhook(gf_dispatch_t *dispatch, const char *id)
{
    gf_run_t *run = dispatch->runs;

    while (run && (!run->kind->leased || strcmp(run->job->id, id) != 0)) {
        run = run->next;
    }
    if (run) {
        interrupt_alarm(dispatch, run, GF_EVENT_WEBHOOK_RECEIVED);
    }
    else {
        gf_claim_want(&dispatch->claim, &dispatch->flow.ctx, dispatch_now(dispatch));
    }
}

static void take_webhooks(gf_dispatch_t *dispatch)
{
    char id[GF_HUB_ID];

    while (gf_hub_bg_webhook_take(dispatch->flow.hub, id)) {
        take_webhook(dispatch, id);
    }
}

/* ---- public keys of providers, for their webhooks ---- */

static void keys_begin(gf_dispatch_t *dispatch)
{
    const char *url = gf_hub_bg_keys_pending(dispatch->flow.hub);
    gf_msg_t *msg;

    if (dispatch->keys_open || !url) {
        return;
    }
    msg = gf_msg_make(gf_run_pool(&dispatch->flow), "GET", url);
    msg->connect_timeout = KEYS_TIMEOUT;
    msg->timeout = KEYS_TIMEOUT;
    msg->owner = &dispatch->keys_open;
    dispatch->keys_open = true;
    gf_net_start(dispatch->net, msg);
}

static void keys_done(gf_dispatch_t *dispatch, const gf_msg_t *msg)
{
    bool good = msg->end == GF_MSG_ANSWERED && msg->status == 200;

    dispatch->keys_open = false;
    if (!good) {
        gf_log(&dispatch->flow.ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0414",
               "no public keys from %s: HTTP %d %s; see GenflowProviderHookKeys", msg->url,
               msg->status, msg->detail ? msg->detail : "");
    }
    gf_hub_bg_keys_put(dispatch->flow.hub, msg->url, good ? msg->text : NULL);
}

/* ---- leases ---- */

static void heartbeat_done(gf_dispatch_t *dispatch)
{
    gf_run_t *run = dispatch->runs;

    while (run) {
        gf_run_t *next = run->next;
        gf_event_t event = gf_heartbeat_event(&dispatch->heartbeat, run);

        if (event == GF_EVENT_LEASE_LOST) {
            gf_metric_add(dispatch->flow.ctx.metrics, GF_METRIC_LEASES_LOST, 1, NULL, NULL, NULL);
        }
        if (event != GF_EVENT_NONE) {
            interrupt_alarm(dispatch, run, event);
        }
        run = next;
    }
    gf_heartbeat_end(&dispatch->heartbeat);
}

/* ---- the loop ---- */

static void drain_writers(gf_dispatch_t *dispatch)
{
    gf_task_t *task;

    while ((task = gf_writers_next_done(dispatch->writers))) {
        if (task == &dispatch->claim.task) {
            claim_done(dispatch);
        }
        else if (task == &dispatch->heartbeat.task) {
            heartbeat_done(dispatch);
        }
        else {
            gf_run_t *run = (gf_run_t *)task;

            after_event(dispatch, run, gf_run_take(&dispatch->flow, run, gf_run_written(run)));
        }
    }
}

static void drain_net(gf_dispatch_t *dispatch)
{
    gf_msg_t *msg;

    while ((msg = gf_net_next_done(dispatch->net))) {
        gf_run_t *run = msg->owner;

        if (msg->owner == &dispatch->keys_open) {
            keys_done(dispatch, msg);
        }
        if (!run || msg->owner == &dispatch->keys_open) { /* the others: asides */
            apr_pool_destroy(msg->pool);
            continue;
        }
        after_event(dispatch, run, gf_run_take(&dispatch->flow, run, GF_EVENT_ANSWERED));
    }
}

static apr_interval_time_t until_next(const gf_dispatch_t *dispatch, bool closing)
{
    const gf_run_t *run = apr_skiplist_peek(dispatch->alarms);
    apr_time_t next = dispatch->heartbeat.at;
    apr_time_t claim = gf_claim_next(&dispatch->claim, &dispatch->flow.ctx);

    if (run && run->wake < next) {
        next = run->wake;
    }
    if (!closing && !dispatch->claim.open && claim < next) {
        next = claim;
    }
    next -= dispatch_now(dispatch);
    return next < 0 ? 0 : next < LONGEST_WAIT ? next : LONGEST_WAIT;
}

/* Runs of many requests' threads leave holes, which the C library keeps. They go back to the system
 * when three of four runs have ended since there were most. */
static void give_memory_back(gf_dispatch_t *dispatch)
{
    if (dispatch->count > dispatch->count_most) {
        dispatch->count_most = dispatch->count;
    }
    else if (dispatch->count_most >= TRIM_FROM && dispatch->count <= dispatch->count_most / 4) {
        dispatch->count_most = dispatch->count;
#ifdef __GLIBC__
        malloc_trim(0);
#endif
    }
}

static void loop_turn(gf_dispatch_t *dispatch, bool closing)
{
    gf_flow_t *flow = &dispatch->flow;
    gf_job_t *job;

    if (dispatch->rings) {
        gf_hub_bg_silence(flow->hub);
    }
    while ((job = gf_hub_bg_take(flow->hub))) {
        begin_run(dispatch, job);
    }
    drain_writers(dispatch);
    drain_net(dispatch);
    wake_runs(dispatch);
    take_webhooks(dispatch);
    keys_begin(dispatch);
    if (gf_hub_bg_recalled(flow->hub)) {
        dispatch->heartbeat.at = dispatch_now(dispatch); /* it finds which jobs have ended */
    }
    if (gf_hub_bg_queued(flow->hub)) {
        gf_claim_want(&dispatch->claim, &dispatch->flow.ctx, dispatch_now(dispatch));
    }
    if (!closing && !dispatch->claim.open
        && gf_claim_next(&dispatch->claim, &flow->ctx) <= dispatch_now(dispatch)) {
        gf_claim_begin(&dispatch->claim, &flow->ctx, flow->hub, dispatch->writers, &flow->reach,
                       dispatch->counts[GF_JOB_DELIVER]);
    }
    if (!dispatch->heartbeat.open && dispatch->heartbeat.at <= dispatch_now(dispatch)) {
        gf_heartbeat_begin(&dispatch->heartbeat, &flow->ctx, dispatch->writers, dispatch->runs);
    }
    give_memory_back(dispatch);
    dispatch->rings = gf_net_wait(dispatch->net, until_next(dispatch, closing));
    apr_pool_clear(flow->ctx.pool);
}

/* ---- the end ---- */

/* Takes in what the writers did last, without beginning anything new: what has ended goes, the rest
 * stays to be handed back. */
static void last_tasks(gf_dispatch_t *dispatch)
{
    gf_flow_t *flow = &dispatch->flow;
    gf_task_t *task;
    gf_job_t *job;

    while ((task = gf_writers_next_done(dispatch->writers))) {
        gf_run_t *run = (gf_run_t *)task;

        if (task == &dispatch->claim.task) {
            while ((job = dispatch->claim.found)) {
                dispatch->claim.found = job->next;
                adopt_job(dispatch, job);
            }
        }
        else if (task != &dispatch->heartbeat.task && gf_run_written(run) == GF_EVENT_WRITTEN
                 && gf_run_ends(flow, run, GF_EVENT_WRITTEN)) {
            gf_run_take(flow, run, GF_EVENT_WRITTEN);
            drop_run(dispatch, run);
        }
    }
}

/* Writes the rest of a run to the database, by its kind. */
static void hand_back_runs(gf_dispatch_t *dispatch)
{
    gf_run_t *run = dispatch->runs;

    while (run) {
        gf_run_t *next = run->next;

        const gf_conf_t *before = gf_run_enter(&dispatch->flow, run);
        bool over = run->kind->hand_back && run->kind->hand_back(&dispatch->flow, run);

        dispatch->flow.ctx.conf = before;
        if (over) {
            drop_run(dispatch, run);
        }
        run = next;
    }
}

/* Live runs go back to the queue. The writers are gone, so the statements run on this thread. */
static void hand_back(gf_dispatch_t *dispatch)
{
    gf_ctx_t *ctx = &dispatch->flow.ctx;
    int count = dispatch->count;
    gf_err_t *err;

    if (count == 0) {
        return;
    }
    ctx->subject = "";
    hand_back_runs(dispatch);
    err = gf_queue_hand_back(ctx, gf_heartbeat_leases(dispatch->runs, ctx->pool));
    if (err) {
        gf_err_log(ctx, err);
    }
    gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0406", "handed %d jobs back", count);
    while (dispatch->runs) {
        gf_run_t *run = dispatch->runs;

        if (run->pending == GF_PENDING_EXCHANGE) {
            gf_net_cancel(dispatch->net, run->msg);
        }
        drop_run(dispatch, run);
    }
}

/* Hands back what is left, and at once each job that a request hands in later: a child lives until
 * its last client has gone, which may be longer than a lease. No request takes a place any more, so
 * this ends with the last place. */
static void hand_back_all(gf_dispatch_t *dispatch)
{
    gf_flow_t *flow = &dispatch->flow;
    bool is_late = false;
    gf_job_t *job;

    for (;;) {
        bool is_last = apr_atomic_read32(&dispatch->joined) != 0;

        while ((job = gf_hub_bg_take(flow->hub))) {
            adopt_job(dispatch, job);
        }
        hand_back(dispatch);
        apr_pool_clear(flow->ctx.pool);
        if (is_last || !gf_hub_bg_expects(flow->hub, 0)) {
            return;
        }
        if (!is_late) {
            gf_log(&flow->ctx, GF_LOG_INFO, APR_SUCCESS, "GF0428",
                   "the drain is over while requests make generations: each is handed back");
        }
        is_late = true;
        gf_net_wait(dispatch->net, LONGEST_WAIT);
        gf_hub_bg_silence(flow->hub);
    }
}

static void *APR_THREAD_FUNC dispatch_thread(apr_thread_t *thread, void *data)
{
    gf_dispatch_t *dispatch = data;
    gf_hub_t *hub = dispatch->flow.hub;
    apr_time_t end = 0;

    (void)thread;
    while (!gf_hub_closing(hub)) {
        loop_turn(dispatch, false);
    }
    end = dispatch_now(dispatch) + dispatch->drain_time;
    while ((dispatch->runs || dispatch->claim.open || gf_hub_bg_expects(hub, dispatch->count))
           && dispatch_now(dispatch) < end) {
        loop_turn(dispatch, true);
    }
    gf_writers_stop(dispatch->writers);
    last_tasks(dispatch);
    hand_back_all(dispatch);
    gf_thumbnailer_stop(dispatch->thumbnailer); /* last: a store may take its time */
    return NULL;
}

const char *gf_dispatch_prepare(const gf_conf_t *conf, apr_pool_t *pool, apr_uid_t user,
                                apr_gid_t group)
{
    const apr_array_header_t *confs;
    const char *wrong = NULL;
    int i;

    if (gf_net_init() != APR_SUCCESS) {
        return "libcurl cannot be initialised";
    }
    confs = gf_servers_confs(conf, pool);
    for (i = 0; !wrong && i < confs->nelts; i++) {
        const gf_conf_t *one = APR_ARRAY_IDX(confs, i, const gf_conf_t *);

        if (gf_servers_own_types(one)->nelts > 0) {
            wrong = gf_store_prepare(one, pool, user, group);
        }
    }
    return wrong;
}

static apr_pool_t *own_pool(const char *tag)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;

    apr_allocator_create(&allocator);
    apr_allocator_max_free_set(allocator, GF_POOL_RETAINED_MAX);
    apr_pool_create_ex(&pool, NULL, NULL, allocator);
    apr_allocator_owner_set(allocator, pool);
    apr_pool_tag(pool, tag);
    return pool;
}

apr_status_t gf_dispatch_start(gf_dispatch_t **out, apr_pool_t *pool, const gf_ctx_t *ctx,
                               gf_hub_t *hub, gf_turn_t *turn, const char *owner)
{
    apr_pool_t *own = own_pool("genflow_dispatch");
    gf_dispatch_t *dispatch = apr_pcalloc(own, sizeof(*dispatch));
    gf_flow_t *flow = &dispatch->flow;
    apr_status_t rv;

    dispatch->pool = own;
    flow->ctx = *ctx;
    flow->hub = hub;
    flow->pool = own;
    flow->asides = apr_array_make(own, 4, sizeof(gf_msg_t *));
    gf_reach_init(&flow->reach, own);
    gf_claim_init(&dispatch->claim, own, ctx->conf, owner, turn);
    gf_heartbeat_init(&dispatch->heartbeat, own, ctx, owner);
    apr_pool_create(&flow->ctx.pool, own);
    apr_skiplist_init(&dispatch->alarms, own);
    apr_skiplist_set_compare(dispatch->alarms, is_sooner, is_sooner);
    rv = gf_net_make(&dispatch->net, own, gf_hub_bell(hub));
    if (rv == APR_SUCCESS) {
        rv = gf_net_add_bell(dispatch->net, gf_turn_bell(turn));
    }
    if (rv == APR_SUCCESS) {
        rv = gf_writers_start(&dispatch->writers, own, ctx, hub, (int)ctx->conf->writers);
    }
    if (rv == APR_SUCCESS) {
        rv = gf_thumbnailer_start(&dispatch->thumbnailer, own, ctx, hub);
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

    apr_atomic_set32(&dispatch->joined, 1);
    gf_hub_ring(dispatch->flow.hub);
    apr_thread_join(&rv, dispatch->thread);
    apr_pool_destroy(dispatch->pool);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: takes jobs from the hub, claims due ones, drains writers and net, wakes runs, keeps
 * leases alive, and at the end drains and hands back. Leaves every decision about a job to
 * gf_steps.c. Blocks only in its one epoll (gf_net_wait).
 *
 * Shared with other threads: the hub and the writers' queues, through their own locks; drain_time,
 * written before the hub is closed and read after. Everything else belongs to this thread. */
#include "work/gf_dispatch.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_skiplist.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "db/gf_ledger.h"
#include "store/gf_store.h"
#include "work/gf_steps.h"

#define CLAIM_MAX       32 /* jobs of one look, over all types */
#define BEATS_PER_LEASE 3
#define FULL_LOOK_EVERY 8
#define TROUBLE_QUIET   (60 * APR_USEC_PER_SEC)
#define TROUBLE_SKIP    (5 * APR_USEC_PER_SEC)
#define LONGEST_WAIT    (APR_USEC_PER_SEC)

/* What went wrong with a type at the last look. */
typedef struct trouble_t {
    const gf_err_row_t *error;
    apr_time_t quiet_until; /* the same error is not logged again before */
    apr_time_t skip_until;  /* a locked or broken type must not delay the others */
} trouble_t;

/* A look for due jobs, type by type, on a writer. */
typedef struct look_t {
    gf_task_t task;
    gf_dispatch_t *dispatch;
    bool open;
    int places; /* reserved in the hub before */
    gf_job_t *found;
    int count;
    int number;               /* of the look */
    apr_interval_time_t wait; /* before the next look; 0: the usual time */
    bool blind;               /* the database was away when last looked */
    gf_look_t *types;         /* per type: where it begins */
    trouble_t *trouble;       /* per type */
} look_t;

/* A heartbeat for all runs, on a writer. */
typedef struct beat_t {
    gf_task_t task;
    apr_pool_t *pool;
    bool open;
    bool succeeded;
    int number;
    apr_array_header_t *leases;
    apr_hash_t *held; /* ids still ours */
} beat_t;

struct gf_dispatch_t {
    apr_pool_t *pool; /* this thread's own */
    gf_steps_t steps; /* ctx.pool is cleared each turn */
    const char *owner;
    apr_thread_t *thread;
    apr_interval_time_t drain_time;
    gf_run_t *runs;
    int count;
    apr_skiplist *alarms; /* runs with a wake time, soonest first */
    apr_time_t look_at;
    apr_time_t beat_at;
    look_t look;
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
    gf_hub_leave(dispatch->steps.hub);
    gf_job_free(run->job);
}

/* After every step: a run that goes on by itself gets its alarm; one that is over goes. */
static void after(gf_dispatch_t *dispatch, gf_run_t *run, gf_step_t step)
{
    if (step == GF_STEP_OVER) {
        if (run->act == GF_ACT_REQUEUE && run->delay < dispatch->look_at - apr_time_now()) {
            dispatch->look_at =
                apr_time_now() + run->delay; /* nobody needs to wait for the next usual look */
        }
        drop(dispatch, run);
    }
    else if (!run->writing && run->wake) {
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

    while ((run = apr_skiplist_peek(dispatch->alarms)) && run->wake <= apr_time_now()) {
        apr_skiplist_pop(dispatch->alarms, NULL);
        run->wake = 0;
        after(dispatch, run, gf_steps_awake(&dispatch->steps, run));
    }
}

/* ---- looking for due jobs ---- */

/* One type's due jobs. Usually the look begins where the last one found something; now and then at
 * the very beginning, for leftovers. */
static gf_err_t *look_at_type(look_t *look, gf_ctx_t *ctx, int i)
{
    gf_look_t *at = &look->types[i];
    gf_job_t *job;

    at->owner = look->dispatch->owner;
    at->limit = look->places - look->count;
    if (look->number % FULL_LOOK_EVERY == 0) {
        apr_cpystrn(at->from, "-infinity", sizeof(at->from));
    }
    GF_TRY(
        gf_queue_claim(&job, ctx, APR_ARRAY_IDX(ctx->conf->type_list, i, const gf_type_t *), at));
    while (job) {
        gf_job_t *next = job->next;

        job->next = look->found;
        look->found = job;
        look->count++;
        job = next;
    }
    return NULL;
}

/* While the database was away leases ran out that nobody could renew. Whoever holds one gets half a
 * lease's time to come back, before anybody claims. */
static bool is_back(look_t *look, gf_ctx_t *ctx)
{
    int version;

    if (!look->blind) {
        return true;
    }
    look->blind = gf_ledger_health(&version, ctx) != NULL;
    look->wait = look->blind ? 0 : ctx->conf->lease / 2;
    return false;
}

static void note_trouble(trouble_t *trouble, const gf_ctx_t *ctx, const gf_err_t *err)
{
    apr_time_t now = apr_time_now();

    trouble->skip_until = now + TROUBLE_SKIP;
    if (trouble->error != err->row || trouble->quiet_until <= now) {
        gf_err_log(ctx, err);
        trouble->error = err->row;
        trouble->quiet_until = now + TROUBLE_QUIET;
    }
}

static void look_run(gf_task_t *task, gf_ctx_t *ctx)
{
    look_t *look = (look_t *)task;
    int types = ctx->conf->type_list->nelts;
    int down = 0;
    int i;

    if (!is_back(look, ctx)) {
        return;
    }
    for (i = 0; i < types && look->count < look->places; i++) {
        trouble_t *trouble = &look->trouble[i];
        gf_err_t *err = NULL;

        if (trouble->skip_until <= apr_time_now()) {
            err = look_at_type(look, ctx, i);
        }
        if (err) {
            down += gf_err_is(err, GF_E_DB_DOWN);
            note_trouble(trouble, ctx, err);
        }
    }
    for (i = 0; down == types && i < types; i++) {
        look->trouble[i].skip_until = 0; /* it is the database, not a type */
    }
    look->blind = down == types; /* one type alone may be locked */
    look->number++;
}

static void look_begin(gf_dispatch_t *dispatch)
{
    look_t *look = &dispatch->look;

    dispatch->look_at = apr_time_now() + dispatch->steps.ctx.conf->look;
    look->places = 0;
    while (look->places < CLAIM_MAX && gf_hub_reserve(dispatch->steps.hub)) {
        look->places++;
    }
    if (look->places == 0) {
        return;
    }
    look->found = NULL;
    look->count = 0;
    look->open = true;
    look->task.run = look_run;
    gf_writers_give(dispatch->steps.writers, &look->task);
}

static void look_done(gf_dispatch_t *dispatch)
{
    look_t *look = &dispatch->look;
    gf_job_t *job = look->found;
    int spare = look->places - look->count;

    look->open = false;
    if (look->wait) {
        dispatch->look_at = apr_time_now() + look->wait;
        look->wait = 0;
    }
    else if (look->count == look->places) {
        dispatch->look_at = apr_time_now(); /* there may be more */
    }
    for (; spare > 0; spare--) {
        gf_hub_leave(dispatch->steps.hub);
    }
    while (job) {
        gf_job_t *next = job->next;

        begin(dispatch, job);
        job = next;
    }
}

/* ---- keeping leases ---- */

static apr_array_header_t *leases_of_runs(gf_dispatch_t *dispatch, apr_pool_t *pool)
{
    apr_array_header_t *leases = apr_array_make(pool, dispatch->count + 1, sizeof(gf_lease_t));
    gf_run_t *run;

    for (run = dispatch->runs; run; run = run->next) {
        gf_lease_t *lease = apr_array_push(leases);

        lease->id = apr_pstrdup(pool, run->job->id);
        lease->epoch = run->job->epoch;
        run->beat = dispatch->beat.number;
    }
    return leases;
}

static void beat_run(gf_task_t *task, gf_ctx_t *ctx)
{
    beat_t *beat = (beat_t *)task;
    apr_array_header_t *held;
    gf_err_t *err = gf_queue_heartbeat(&held, ctx, beat->leases);
    int i;

    beat->succeeded = !err;
    if (err) {
        gf_err_log(ctx, err);
        return;
    }
    for (i = 0; i < held->nelts; i++) {
        apr_hash_set(beat->held, apr_pstrdup(beat->pool, APR_ARRAY_IDX(held, i, const char *)),
                     APR_HASH_KEY_STRING, beat);
    }
}

static void beat_begin(gf_dispatch_t *dispatch)
{
    beat_t *beat = &dispatch->beat;

    dispatch->beat_at = apr_time_now() + dispatch->steps.ctx.conf->lease / BEATS_PER_LEASE;
    if (!dispatch->runs) {
        return;
    }
    apr_pool_clear(beat->pool);
    beat->number++;
    beat->leases = leases_of_runs(dispatch, beat->pool);
    beat->held = apr_hash_make(beat->pool);
    beat->open = true;
    beat->task.run = beat_run;
    gf_writers_give(dispatch->steps.writers, &beat->task);
}

/* A lease is lost when this host slept too long. A run that only waits is dropped, another host
 * asks the provider now; one that is being sent or stored goes on: its success counts, its failure
 * is refused by the epoch. */
static void beat_done(gf_dispatch_t *dispatch)
{
    beat_t *beat = &dispatch->beat;
    gf_run_t *run = dispatch->runs;

    beat->open = false;
    while (beat->succeeded && run) {
        gf_run_t *next = run->next;
        bool lost = run->beat == beat->number
                    && !apr_hash_get(beat->held, run->job->id, APR_HASH_KEY_STRING);

        if (lost && run->wake && !run->writing && !run->msg) {
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
        if (task == &dispatch->look.task) {
            look_done(dispatch);
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

        if (!run) { /* a cancel */
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
    if (!closing && !dispatch->look.open && dispatch->look_at < next) {
        next = dispatch->look_at;
    }
    next -= apr_time_now();
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
    if (!closing && !dispatch->look.open && dispatch->look_at <= apr_time_now()) {
        look_begin(dispatch);
    }
    if (!dispatch->beat.open && dispatch->beat_at <= apr_time_now()) {
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

        if (task == &dispatch->look.task) {
            while ((job = dispatch->look.found)) {
                dispatch->look.found = job->next;
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
    end = apr_time_now() + dispatch->drain_time;
    while ((dispatch->runs || dispatch->look.open) && apr_time_now() < end) {
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
    apr_size_t types = (apr_size_t)ctx->conf->type_list->nelts;
    apr_status_t rv;

    dispatch->pool = own;
    dispatch->owner = apr_pstrdup(own, owner);
    dispatch->steps.ctx = *ctx;
    dispatch->steps.hub = hub;
    dispatch->steps.pool = own;
    dispatch->look.dispatch = dispatch;
    dispatch->look.types = apr_pcalloc(own, types * sizeof(gf_look_t));
    dispatch->look.trouble = apr_pcalloc(own, types * sizeof(trouble_t));
    dispatch->beat_at = apr_time_now() + ctx->conf->lease / BEATS_PER_LEASE;
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

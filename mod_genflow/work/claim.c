/* SPDX-License-Identifier: Apache-2.0 */
/* A search runs on a writer, which owns it meanwhile; beginning and taking in are the dispatcher's.
 * Leaves what is done with a job to gf_steps.c. */
#include "work/claim.h"

#include <apr_network_io.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "db/breaker.h"
#include "db/delivery.h"
#include "db/ledger.h"
#include "db/picture.h"
#include "model/type.h"
#include "store/store.h"
#include "store/gate.h"

#define CLAIM_MAX       32 /* jobs of one search, over all types */
#define FULL_LOOK_EVERY 8
#define PICTURE_EVERY   4
#define PICTURE_LEASE   (600 * APR_USEC_PER_SEC)
#define TELLING_SHARE   4 /* receivers may be slow: at most so many of the places wait for them */
#define TROUBLE_QUIET   (60 * APR_USEC_PER_SEC)
#define TROUBLE_SKIP    (5 * APR_USEC_PER_SEC)

/* What went wrong with a type at the last look. */
typedef struct gf_trouble_t {
    const gf_err_row_t *error;
    apr_time_t quiet_until; /* the same error is not logged again before */
    apr_time_t skip_until;  /* a locked or broken type must not delay the others */
} trouble_t;

/* What the claim has ended needs nothing more than its line in the log. */
static void tell_end(gf_ctx_t *ctx, gf_job_t *job)
{
    const gf_err_row_t *timeout = gf_err_row(GF_E_TIMEOUT);

    ctx->subject = gf_job_subject(job, ctx->pool);
    if (job->phase == GF_PHASE_CANCELLED) {
        gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0421",
               "cancelled and released after %" APR_TIME_T_FMT " ms: it was not started",
               apr_time_as_msec(gf_clock_now() - job->created));
    }
    else {
        gf_log(ctx, timeout->level, APR_SUCCESS, timeout->tag,
               "failed and released after %" APR_TIME_T_FMT " ms: %s, as nobody was at work on it",
               apr_time_as_msec(gf_clock_now() - job->created), timeout->code);
    }
    ctx->subject = "";
    gf_job_free(job);
}

static void add(gf_search_t *search, gf_ctx_t *ctx, gf_job_t *job)
{
    while (job) {
        gf_job_t *next = job->next;

        if (job->phase >= GF_PHASE_FAILED) {
            tell_end(ctx, job);
        }
        else {
            job->next = search->found;
            search->found = job;
            search->count++;
        }
        job = next;
    }
}

/* The next look at the type begins at the very beginning. */
static void rewind_look(gf_look_t *at)
{
    int lane;

    for (lane = 0; lane < GF_LANES; lane++) {
        apr_cpystrn(at->from[lane], "-infinity", sizeof(at->from[lane]));
    }
}

/* One type's due jobs. Usually the look begins where the last one found something; now and then at
 * the very beginning, for leftovers. */
static gf_err_t *look_at_type(gf_search_t *search, gf_ctx_t *ctx, int i)
{
    gf_look_t *at = &search->types[i];
    gf_job_t *jobs;

    at->owner = search->owner;
    at->limit = search->places - search->count;
    if (search->number % FULL_LOOK_EVERY == 0) {
        rewind_look(at);
    }
    GF_TRY(
        gf_queue_claim(&jobs, ctx, APR_ARRAY_IDX(ctx->conf->type_list, i, const gf_type_t *), at));
    add(search, ctx, jobs);
    return NULL;
}

typedef gf_err_t *claim_t(gf_job_t **, gf_ctx_t *, int, apr_interval_time_t);

/* What is due beside generations, at most `most` of it. */
static gf_err_t *look_at_rest(gf_search_t *search, gf_ctx_t *ctx, claim_t *claim, int most,
                              apr_interval_time_t lease)
{
    int left = search->places - search->count;
    gf_job_t *jobs;

    if (most <= 0) {
        return NULL;
    }
    GF_TRY(claim(&jobs, ctx, most < left ? most : left, lease));
    add(search, ctx, jobs);
    return NULL;
}

/* Whoever dies while it tells is followed when its longest try would be over. */
static gf_err_t *look_at_deliveries(gf_search_t *search, gf_ctx_t *ctx)
{
    return look_at_rest(search, ctx, gf_delivery_claim,
                        (int)ctx->conf->jobs_max / TELLING_SHARE + 1 - search->telling,
                        ctx->conf->lease + ctx->conf->webhook_timeout);
}

static bool is_database_away(gf_ctx_t *ctx)
{
    int version;

    return gf_ledger_health(&version, ctx) != NULL;
}

/* While the database was away leases ran out that nobody could renew. Whoever holds one gets half a
 * lease's time to come back, before anybody claims. */
static bool is_back(gf_search_t *search, gf_ctx_t *ctx)
{
    if (!search->blind) {
        return true;
    }
    search->blind = is_database_away(ctx);
    search->site.due = 0; /* it may be another one */
    search->wait = search->blind ? 0 : ctx->conf->lease / 2;
    return false;
}

/* A restored database is left alone (db/site.h). Without an answer the looks below tell that the
 * database is away, and claim nothing in one that knows by itself that it was restored. */
static bool is_ours(gf_search_t *search, gf_ctx_t *ctx)
{
    gf_err_t *err = gf_site_look(&search->site, ctx);

    if (err && !gf_err_is(err, GF_E_DB_DOWN)) {
        gf_err_log(ctx, err);
        search->site.due = gf_clock_now() + TROUBLE_SKIP;
        return false;
    }
    return !search->site.restored;
}

static void note_trouble(trouble_t *trouble, const gf_ctx_t *ctx, const gf_err_t *err)
{
    apr_time_t now = gf_clock_now();

    trouble->skip_until = now + TROUBLE_SKIP;
    if (trouble->error != err->row || trouble->quiet_until <= now) {
        gf_err_log(ctx, err);
        trouble->error = err->row;
        trouble->quiet_until = now + TROUBLE_QUIET;
    }
}

/* Looks at place i: a type, or behind them the restores, the removals, the deliveries. Says whether
 * the database was away. */
static bool look_at(gf_search_t *search, gf_ctx_t *ctx, int i)
{
    trouble_t *trouble = &search->trouble[i];
    int types = ctx->conf->type_list->nelts;
    gf_err_t *err;

    if (trouble->skip_until > gf_clock_now()) {
        return trouble->error == gf_err_row(GF_E_DB_DOWN); /* it went away in the midst of a look */
    }
    if (search->count == search->places) {
        return false;
    }
    err = i < types    ? look_at_type(search, ctx, i)
          : i == types ? look_at_rest(search, ctx, gf_picture_restores, CLAIM_MAX, PICTURE_LEASE)
          : i == types + 1
              ? look_at_rest(search, ctx, gf_picture_removals, CLAIM_MAX, PICTURE_LEASE)
              : look_at_deliveries(search, ctx);
    if (err) {
        note_trouble(trouble, ctx, err);
    }
    return gf_err_is(err, GF_E_DB_DOWN);
}

/* The state of this host's store, told to all hosts and the doctor when it changes. */
static void tell_store(gf_ctx_t *ctx)
{
    const char *why = gf_gate_closed(ctx);
    char host[APRMAXHOSTLEN + 1] = "";
    gf_err_t *err;

    if (!gf_gate_tells(ctx->conf, why != NULL)) {
        return;
    }
    apr_gethostname(host, sizeof(host), ctx->pool);
    err = gf_breaker_note_store(ctx, ctx->conf->store->name, host, why);
    if (err) {
        gf_gate_untold(ctx->conf);
    }
}

static void run(gf_task_t *task, gf_ctx_t *ctx)
{
    gf_search_t *search = (gf_search_t *)task;
    int types = ctx->conf->type_list->nelts;
    int looked = 0;
    int down = 0;
    int i;

    if (!is_back(search, ctx) || !is_ours(search, ctx)) {
        return;
    }
    tell_store(ctx);
    if (ctx->conf->webhook_hosts->nelts) { /* first: they are few, and who asked waits for them */
        look_at(search, ctx, types + 2);
    }
    for (i = 0; i < types; i++) { /* each time another type is the first to be served */
        int type = (search->number + i) % types;

        looked += !search->left_out[type];
        down += !search->left_out[type] && look_at(search, ctx, type);
    }
    if (search->number % PICTURE_EVERY == 0) {
        look_at(search, ctx, types);
        look_at(search, ctx, types + 1);
    }
    for (i = 0; looked && down == looked && i < types; i++) {
        search->trouble[i].skip_until = 0; /* it is the database, not a type */
    }
    /* One type alone may be locked. Where all are left out, no type's look tells. */
    search->blind = looked ? down == looked : is_database_away(ctx);
    search->number++;
}

void gf_search_init(gf_search_t *search, apr_pool_t *pool, const gf_conf_t *conf, const char *owner)
{
    apr_size_t types = (apr_size_t)conf->type_list->nelts;
    apr_size_t i;

    search->owner = apr_pstrdup(pool, owner);
    search->types = apr_pcalloc(pool, types * sizeof(gf_look_t));
    search->left_out = apr_pcalloc(pool, types * sizeof(bool));
    search->trouble = apr_pcalloc(pool, (types + 3) * sizeof(trouble_t));
    for (i = 0; i < types; i++) {
        rewind_look(&search->types[i]); /* the first look may end before it comes to all of them */
    }
    search->task.run = run;
}

void gf_search_begin(gf_search_t *search, gf_hub_t *hub, gf_writers_t *writers,
                     const gf_conf_t *conf, const gf_reach_t *reach)
{
    int i;

    search->at = gf_clock_now() + conf->look;
    search->places = 0;
    while (search->places < CLAIM_MAX && gf_hub_reserve(hub)) {
        search->places++;
    }
    if (search->places == 0) {
        return;
    }
    for (i = 0; i < conf->type_list->nelts; i++) {
        const gf_choice_t *first =
            gf_type_choice(APR_ARRAY_IDX(conf->type_list, i, const gf_type_t *), 0);

        search->left_out[i] = first && gf_reach_wait(reach, first->provider) > 0;
    }
    search->found = NULL;
    search->count = 0;
    search->open = true;
    gf_writers_give(writers, &search->task);
}

gf_job_t *gf_search_done(gf_search_t *search, gf_hub_t *hub)
{
    int spare = search->places - search->count;

    search->open = false;
    if (search->wait) {
        search->at = gf_clock_now() + search->wait;
        search->wait = 0;
    }
    else if (search->count == search->places) {
        search->at = gf_clock_now(); /* there may be more */
    }
    for (; spare > 0; spare--) {
        gf_hub_leave(hub);
    }
    return search->found;
}

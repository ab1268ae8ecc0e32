/* SPDX-License-Identifier: Apache-2.0 */
/* A claim runs on a writer, which owns it meanwhile; beginning and taking in are the dispatcher's.
 * Leaves what is done with a job to the rules of its kind. */
#include "work/claim.h"

#include <apr_network_io.h>
#include <apr_strings.h>

#include "db/breaker.h"
#include "db/delivery.h"
#include "db/ledger.h"
#include "db/picture.h"
#include "model/type.h"
#include "store/store.h"
#include "store/gate.h"

#define CLAIM_MAX        32 /* jobs of one claim, over all types */
#define FULL_CLAIM_EVERY 8
#define PICTURE_LEASE    (600 * APR_USEC_PER_SEC)
#define DELIVERY_SHARE   4 /* receivers may be slow: at most so many of the places wait for them */
#define TROUBLE_QUIET    (60 * APR_USEC_PER_SEC)
#define TROUBLE_SKIP     (5 * APR_USEC_PER_SEC)

/* The error of a type's last claim. */
typedef struct gf_trouble_t {
    const gf_err_row_t *error;
    apr_time_t quiet_until; /* the same error is not logged again before */
    apr_time_t skip_until;  /* a locked or broken type must not delay the others */
} trouble_t;

/* A job that the claim itself has ended needs nothing more than its line in the log. */
static void log_end(gf_ctx_t *ctx, gf_job_t *job)
{
    const gf_err_row_t *timeout = gf_err_row(GF_E_TIMEOUT);

    ctx->subject = gf_job_subject(job, ctx->pool);
    if (job->phase == GF_PHASE_CANCELLED) {
        gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0421",
               "cancelled and released after %" APR_TIME_T_FMT " ms: it was not started",
               apr_time_as_msec(gf_ctx_now(ctx) - job->created));
    }
    else {
        gf_log(ctx, timeout->level, APR_SUCCESS, timeout->tag,
               "failed and released after %" APR_TIME_T_FMT " ms: %s, no process held its lease",
               apr_time_as_msec(gf_ctx_now(ctx) - job->created), timeout->code);
    }
    ctx->subject = "";
    gf_job_free(job);
}

static void add_job(gf_claim_t *claim, gf_ctx_t *ctx, gf_job_t *job)
{
    while (job) {
        gf_job_t *next = job->next;

        if (job->phase >= GF_PHASE_FAILED) {
            log_end(ctx, job);
        }
        else {
            job->next = claim->found;
            claim->found = job;
            claim->count++;
        }
        job = next;
    }
}

/* The next claim of the type begins at the very beginning. */
static void rewind_claim(gf_claim_cursor_t *at)
{
    int lane;

    for (lane = 0; lane < GF_LANES; lane++) {
        apr_cpystrn(at->from[lane], "-infinity", sizeof(at->from[lane]));
    }
}

/* One type's due jobs. Usually the claim begins where the last one found something; now and then at
 * the very beginning, for leftovers. */
static gf_err_t *claim_type(gf_claim_t *claim, gf_ctx_t *ctx, int i)
{
    gf_claim_cursor_t *at = &claim->types[i];
    gf_job_t *jobs;

    at->owner = claim->owner;
    at->limit = claim->places - claim->count;
    GF_TRY(
        gf_queue_claim(&jobs, ctx, APR_ARRAY_IDX(ctx->conf->type_list, i, const gf_type_t *), at));
    add_job(claim, ctx, jobs);
    return NULL;
}

typedef gf_err_t *statement_t(gf_job_t **, gf_ctx_t *, int, apr_interval_time_t);

/* Due jobs of another kind, at most `most`. */
static gf_err_t *claim_kind(gf_claim_t *claim, gf_ctx_t *ctx, gf_job_kind_t kind,
                            statement_t *statement, int most, apr_interval_time_t lease)
{
    int left = claim->places - claim->count;
    gf_job_t *jobs;
    gf_job_t *job;

    if (most <= 0) {
        return NULL;
    }
    GF_TRY(statement(&jobs, ctx, most < left ? most : left, lease));
    for (job = jobs; job; job = job->next) {
        job->kind = kind;
    }
    add_job(claim, ctx, jobs);
    return NULL;
}

static gf_err_t *claim_restores(gf_claim_t *claim, gf_ctx_t *ctx)
{
    return claim_kind(claim, ctx, GF_JOB_RESTORE, gf_picture_restores, CLAIM_MAX, PICTURE_LEASE);
}

static gf_err_t *claim_removals(gf_claim_t *claim, gf_ctx_t *ctx)
{
    return claim_kind(claim, ctx, GF_JOB_REMOVE, gf_picture_removals, CLAIM_MAX, PICTURE_LEASE);
}

/* The lease outlasts the longest attempt, so another host retries only after a crash. */
static gf_err_t *claim_deliveries(gf_claim_t *claim, gf_ctx_t *ctx)
{
    return claim_kind(claim, ctx, GF_JOB_DELIVER, gf_delivery_claim,
                      (int)ctx->conf->jobs_max / DELIVERY_SHARE + 1 - claim->delivering,
                      ctx->conf->lease + ctx->conf->webhook_timeout);
}

static bool is_database_away(gf_ctx_t *ctx)
{
    int version;

    return gf_ledger_health(&version, ctx) != NULL;
}

/* While the database was away leases expired that no process could renew. Their holders get half a
 * lease's time to come back before any child claims anything. */
static bool is_back(gf_claim_t *claim, gf_ctx_t *ctx)
{
    if (!gf_turn_is_blind(claim->turn)) {
        return true;
    }
    claim->site.due = 0; /* it may be another one */
    if (!is_database_away(ctx)) {
        gf_turn_hold(claim->turn, gf_ctx_now(ctx) + ctx->conf->lease / 2);
        gf_turn_set_blind(claim->turn, false);
    }
    return false;
}

/* A restored database is left alone (db/site.h). Without an answer, the claims that follow notice
 * that the database is away; in a restored one they claim nothing. */
static bool is_ours(gf_claim_t *claim, gf_ctx_t *ctx)
{
    gf_err_t *err = gf_site_check(&claim->site, ctx);

    if (err && !gf_err_is(err, GF_E_DB_DOWN)) {
        gf_err_log(ctx, err);
        claim->site.due = gf_ctx_now(ctx) + TROUBLE_SKIP;
        return false;
    }
    return !claim->site.restored;
}

static void note_trouble(trouble_t *trouble, const gf_ctx_t *ctx, const gf_err_t *err)
{
    apr_time_t now = gf_ctx_now(ctx);

    trouble->skip_until = now + TROUBLE_SKIP;
    if (trouble->error != err->row || trouble->quiet_until <= now) {
        gf_err_log(ctx, err);
        trouble->error = err->row;
        trouble->quiet_until = now + TROUBLE_QUIET;
    }
}

/* Claims at place i: a type, or after the types the restores, the removals, the deliveries. True:
 * the database was away. */
static bool claim_at(gf_claim_t *claim, gf_ctx_t *ctx, int i)
{
    trouble_t *trouble = &claim->trouble[i];
    int types = ctx->conf->type_list->nelts;
    gf_err_t *err;

    if (trouble->skip_until > gf_ctx_now(ctx)) {
        return trouble->error == gf_err_row(GF_E_DB_DOWN); /* it went away amid a claim */
    }
    if (!claim->due[i] || claim->count == claim->places) {
        return false;
    }
    err = i < types                      ? claim_type(claim, ctx, i)
          : i == types + GF_DUE_RESTORES ? claim_restores(claim, ctx)
          : i == types + GF_DUE_REMOVALS ? claim_removals(claim, ctx)
                                         : claim_deliveries(claim, ctx);
    if (err) {
        note_trouble(trouble, ctx, err);
    }
    return gf_err_is(err, GF_E_DB_DOWN);
}

/* Publishes the state of this host's store for all hosts and the doctor when it changes. */
static void publish_store(gf_ctx_t *ctx)
{
    const char *why = gf_gate_closed(ctx);
    char host[APRMAXHOSTLEN + 1] = "";
    gf_err_t *err;

    if (!gf_gate_report_due(ctx->conf, why != NULL)) {
        return;
    }
    apr_gethostname(host, sizeof(host), ctx->pool);
    err = gf_breaker_note_store(ctx, ctx->conf->store->name, host, why);
    if (err) {
        gf_gate_report_failed(ctx->conf);
    }
}

/* What a claim would find, from the cursors on. False: the database did not say. */
static bool is_known(gf_claim_t *claim, gf_ctx_t *ctx)
{
    trouble_t *trouble = &claim->trouble[ctx->conf->type_list->nelts + GF_DUE_KINDS];
    gf_err_t *err = gf_queue_due(claim->due, ctx, claim->types);

    if (err) {
        note_trouble(trouble, ctx, err);
        gf_turn_set_blind(claim->turn, gf_err_is(err, GF_E_DB_DOWN));
    }
    return err == NULL;
}

static void rewind_all(gf_claim_t *claim, int types)
{
    int i;

    for (i = 0; i < types; i++) {
        rewind_claim(&claim->types[i]);
    }
}

static void run_task(gf_task_t *task, gf_ctx_t *ctx)
{
    gf_claim_t *claim = (gf_claim_t *)task;
    int types = ctx->conf->type_list->nelts;
    int claimed = 0;
    int down = 0;
    int i;

    if (!is_back(claim, ctx) || !is_ours(claim, ctx)) {
        return;
    }
    publish_store(ctx);
    if (claim->number % FULL_CLAIM_EVERY == 0) {
        rewind_all(claim, types);
    }
    if (!is_known(claim, ctx)) {
        return;
    }
    if (ctx->conf->webhook_hosts->nelts) { /* first: they are few, and clients wait for them */
        claim_at(claim, ctx, types + GF_DUE_DELIVERIES);
    }
    for (i = 0; i < types; i++) { /* each time another type is the first to be served */
        int type = (claim->number + i) % types;
        bool claims = claim->due[type] && !claim->left_out[type];

        claimed += claims;
        down += claims && claim_at(claim, ctx, type);
    }
    claim_at(claim, ctx, types + GF_DUE_RESTORES);
    claim_at(claim, ctx, types + GF_DUE_REMOVALS);
    for (i = 0; claimed && down == claimed && i < types; i++) {
        claim->trouble[i].skip_until = 0; /* it is the database, not a type */
    }
    gf_turn_set_blind(claim->turn, claimed && down == claimed);
    claim->number++;
}

void gf_claim_init(gf_claim_t *claim, apr_pool_t *pool, const gf_conf_t *conf, const char *owner,
                   gf_turn_t *turn)
{
    apr_size_t types = (apr_size_t)conf->type_list->nelts;

    claim->owner = apr_pstrdup(pool, owner);
    claim->types = apr_pcalloc(pool, types * sizeof(gf_claim_cursor_t));
    claim->left_out = apr_pcalloc(pool, types * sizeof(bool));
    claim->due = apr_pcalloc(pool, (types + GF_DUE_KINDS) * sizeof(bool));
    claim->trouble = apr_pcalloc(pool, (types + GF_DUE_KINDS + 1) * sizeof(trouble_t));
    claim->turn = turn;
    claim->task.run = run_task;
}

void gf_claim_want(gf_claim_t *claim, apr_time_t time)
{
    if (!claim->wanted || time < claim->wanted) {
        claim->wanted = time;
    }
    if (time < claim->at) {
        claim->at = time;
    }
}

/* Is it this child's turn, or does it know of a due job? */
static bool may_begin(gf_claim_t *claim, apr_time_t now, apr_interval_time_t interval)
{
    bool wanted = claim->wanted && claim->wanted <= now && !gf_turn_is_held(claim->turn, now);

    if (!gf_turn_take(claim->turn, &claim->calls, now, interval) && !wanted) {
        return false;
    }
    claim->wanted = claim->wanted > now ? claim->wanted : 0;
    return true;
}

void gf_claim_begin(gf_claim_t *claim, const gf_ctx_t *ctx, gf_hub_t *hub, gf_writers_t *writers,
                    const gf_reach_t *reach, int delivering)
{
    const gf_conf_t *conf = ctx->conf;
    apr_time_t now = gf_ctx_now(ctx);
    int i;

    claim->at = now + conf->poll_interval;
    if (claim->wanted > now && claim->wanted < claim->at) {
        claim->at = claim->wanted;
    }
    if (!may_begin(claim, now, conf->poll_interval)) {
        return;
    }
    claim->delivering = delivering;
    claim->places = 0;
    while (claim->places < CLAIM_MAX && gf_hub_reserve(hub)) {
        claim->places++;
    }
    if (claim->places == 0) {
        gf_turn_call(claim->turn);
        return;
    }
    for (i = 0; i < conf->type_list->nelts; i++) {
        const gf_choice_t *first =
            gf_type_choice(APR_ARRAY_IDX(conf->type_list, i, const gf_type_t *), 0);

        claim->left_out[i] = first && gf_reach_wait(reach, ctx, first->provider) > 0;
    }
    claim->found = NULL;
    claim->count = 0;
    claim->open = true;
    gf_writers_give(writers, &claim->task);
}

gf_job_t *gf_claim_done(gf_claim_t *claim, const gf_ctx_t *ctx, gf_hub_t *hub)
{
    int spare = claim->places - claim->count;

    claim->open = false;
    if (claim->count == claim->places) { /* there may be more */
        gf_turn_call(claim->turn);
        gf_claim_want(claim, gf_ctx_now(ctx));
    }
    for (; spare > 0; spare--) {
        gf_hub_leave(hub);
    }
    return claim->found;
}

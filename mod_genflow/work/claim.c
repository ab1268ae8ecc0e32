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
#include "model/servers.h"
#include "model/type.h"
#include "store/store.h"
#include "store/gate.h"

#define CLAIM_MAX      32 /* jobs of one claim, over all types */
#define PICTURE_LEASE  (600 * APR_USEC_PER_SEC)
#define DELIVERY_SHARE 4 /* receivers may be slow: at most so many of the places wait for them */
#define MOVES_MAX      8 /* of one claim: no one waits for them */
#define TROUBLE_QUIET  (60 * APR_USEC_PER_SEC)
#define TROUBLE_SKIP   (5 * APR_USEC_PER_SEC)

/* Looks for jobs that are known to become due come no closer together than this. */
#define LOOKS_APART (20 * APR_TIME_C(1000))

/* A look begins so much before its cursors: as claim.sql. Each 8th one begins 8 times as far back,
 * each 64th one 64 times, and so on: however many dead rows lie there, all looks that go equally
 * far pass about as many in the long run as the nearest do. The first one begins at the very
 * beginning. */
#define BACK_LEAST (10 * APR_USEC_PER_SEC)
#define BACK_TIMES 8
#define BACK_FIRST (APR_TIME_C(3000000000) * APR_USEC_PER_SEC) /* 95 years */

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

/* One type's due jobs, from where the look found some. */
static gf_err_t *claim_type(gf_claim_t *claim, gf_ctx_t *ctx, int i)
{
    gf_claim_cursor_t *at = &claim->look.cursors[i];
    gf_job_t *jobs;

    at->owner = claim->owner;
    at->limit = claim->places - claim->count;
    GF_TRY(gf_queue_claim(&jobs, ctx,
                          APR_ARRAY_IDX(gf_servers_types(ctx->conf), i, const gf_type_t *), at));
    add_job(claim, ctx, jobs);
    return NULL;
}

typedef gf_err_t *statement_t(gf_job_t **, gf_ctx_t *, const gf_due_in_t *);

/* Due jobs on generations that have ended, at most what->limit, from where the look found some. */
static gf_err_t *claim_due(gf_claim_t *claim, gf_ctx_t *ctx, gf_due_kind_t due,
                           statement_t *statement, gf_due_in_t *what)
{
    static const gf_job_kind_t kinds[] = { [GF_DUE_RESTORES] = GF_JOB_RESTORE,
                                           [GF_DUE_REMOVALS] = GF_JOB_REMOVE,
                                           [GF_DUE_DELIVERIES] = GF_JOB_DELIVER,
                                           [GF_DUE_MOVES] = GF_JOB_MOVE };
    int left = claim->places - claim->count;
    gf_job_t *jobs;
    gf_job_t *job;

    if (what->limit <= 0) {
        return NULL;
    }
    what->limit = what->limit < left ? what->limit : left;
    what->from = claim->look.cursors[gf_servers_types(ctx->conf)->nelts + (int)due].from[0];
    GF_TRY(statement(&jobs, ctx, what));
    for (job = jobs; job; job = job->next) {
        job->kind = kinds[due];
    }
    add_job(claim, ctx, jobs);
    return NULL;
}

static gf_err_t *claim_restores(gf_claim_t *claim, gf_ctx_t *ctx)
{
    gf_due_in_t what = { .limit = CLAIM_MAX, .lease = PICTURE_LEASE };

    return claim_due(claim, ctx, GF_DUE_RESTORES, gf_picture_restores, &what);
}

static gf_err_t *claim_removals(gf_claim_t *claim, gf_ctx_t *ctx)
{
    gf_due_in_t what = { .limit = CLAIM_MAX, .lease = PICTURE_LEASE };

    return claim_due(claim, ctx, GF_DUE_REMOVALS, gf_picture_removals, &what);
}

static gf_err_t *claim_moves(gf_claim_t *claim, gf_ctx_t *ctx)
{
    gf_due_in_t what = { .limit = MOVES_MAX, .lease = PICTURE_LEASE };

    return claim_due(claim, ctx, GF_DUE_MOVES, gf_picture_moves, &what);
}

/* GenflowWebhookTimeout of all virtual hosts, the longest. */
static apr_interval_time_t longest_delivery(const gf_ctx_t *ctx)
{
    const apr_array_header_t *confs = gf_servers_confs(ctx->conf, ctx->pool);
    apr_interval_time_t longest = 0;
    int i;

    for (i = 0; i < confs->nelts; i++) {
        const gf_conf_t *conf = APR_ARRAY_IDX(confs, i, const gf_conf_t *);

        longest = conf->webhook_timeout > longest ? conf->webhook_timeout : longest;
    }
    return longest;
}

/* The lease outlasts the longest attempt, so another host retries only after a crash. */
static gf_err_t *claim_deliveries(gf_claim_t *claim, gf_ctx_t *ctx)
{
    gf_due_in_t what = { .limit = (int)ctx->conf->jobs_max / DELIVERY_SHARE + 1 - claim->delivering,
                         .lease = ctx->conf->lease + longest_delivery(ctx) };

    return claim_due(claim, ctx, GF_DUE_DELIVERIES, gf_delivery_claim, &what);
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

/* Claims at place i: a type, or after the types a gf_due_kind_t. True: the database was away. */
static bool claim_at(gf_claim_t *claim, gf_ctx_t *ctx, int i)
{
    trouble_t *trouble = &claim->trouble[i];
    int types = gf_servers_types(ctx->conf)->nelts;
    gf_err_t *err;

    if (trouble->skip_until > gf_ctx_now(ctx)) {
        return trouble->error == gf_err_row(GF_E_DB_DOWN); /* it went away amid a claim */
    }
    if (!claim->look.due[i] || claim->count == claim->places) {
        return false;
    }
    err = i < types                      ? claim_type(claim, ctx, i)
          : i == types + GF_DUE_RESTORES ? claim_restores(claim, ctx)
          : i == types + GF_DUE_REMOVALS ? claim_removals(claim, ctx)
          : i == types + GF_DUE_MOVES    ? claim_moves(claim, ctx)
                                         : claim_deliveries(claim, ctx);
    if (err) {
        note_trouble(trouble, ctx, err);
    }
    return gf_err_is(err, GF_E_DB_DOWN);
}

/* Publishes the state of a store of this host for all hosts and the doctor when it changes. */
static void publish_store(gf_ctx_t *ctx)
{
    const char *realm = ctx->conf->realm;
    const char *why = gf_gate_closed(ctx);
    char host[APRMAXHOSTLEN + 1] = "";
    const char *name;
    gf_err_t *err;

    if (!gf_gate_report_due(ctx->conf, why != NULL)) {
        return;
    }
    apr_gethostname(host, sizeof(host), ctx->pool);
    name =
        apr_pstrcat(ctx->pool, realm ? realm : "", realm ? "-" : "", ctx->conf->store->name, NULL);
    err = gf_breaker_note_store(ctx, name, host, why);
    if (err) {
        gf_gate_report_failed(ctx->conf);
    }
}

static void publish_stores(gf_ctx_t *ctx)
{
    const gf_conf_t *before = ctx->conf;
    const apr_array_header_t *confs = gf_servers_confs(before, ctx->pool);
    int i;

    for (i = 0; i < confs->nelts; i++) {
        ctx->conf = APR_ARRAY_IDX(confs, i, const gf_conf_t *);
        publish_store(ctx);
    }
    ctx->conf = before;
}

/* Does a site deliver webhooks? */
static bool has_webhooks(const gf_ctx_t *ctx)
{
    const apr_array_header_t *confs = gf_servers_confs(ctx->conf, ctx->pool);
    bool has = false;
    int i;

    for (i = 0; i < confs->nelts; i++) {
        has = has || APR_ARRAY_IDX(confs, i, const gf_conf_t *)->webhook_hosts->nelts > 0;
    }
    return has;
}

/* How far back the look of this number begins. */
static apr_interval_time_t look_back(int number)
{
    apr_interval_time_t back = BACK_LEAST;

    for (; number > 0 && number % BACK_TIMES == 0; number /= BACK_TIMES) {
        back *= BACK_TIMES;
    }
    return back;
}

/* What a claim would find, from the cursors on. False: the database did not say. A look that fails
 * may have passed more dead rows than a statement has time for: the next one passes fewer. */
static bool is_known(gf_claim_t *claim, gf_ctx_t *ctx)
{
    trouble_t *trouble = &claim->trouble[gf_servers_types(ctx->conf)->nelts + GF_DUE_KINDS];
    gf_look_at_t *look = &claim->look;
    gf_err_t *err;

    look->ahead = ctx->conf->poll_interval;
    err = gf_queue_due(look, ctx);
    if (err) {
        note_trouble(trouble, ctx, err);
        gf_turn_set_blind(claim->turn, gf_err_is(err, GF_E_DB_DOWN));
        look->back /= look->back >= BACK_TIMES * BACK_LEAST ? BACK_TIMES : 1;
        return false;
    }
    claim->next_due = look->wait < 0 ? 0 : gf_ctx_now(ctx) + look->wait;
    claim->number++;
    look->back = look_back(claim->number);
    return true;
}

static void run_task(gf_task_t *task, gf_ctx_t *ctx)
{
    gf_claim_t *claim = (gf_claim_t *)task;
    int types = gf_servers_types(ctx->conf)->nelts;
    int claimed = 0;
    int down = 0;
    int i;

    if (!is_back(claim, ctx) || !is_ours(claim, ctx)) {
        return;
    }
    publish_stores(ctx);
    if (!is_known(claim, ctx)) {
        return;
    }
    if (has_webhooks(ctx)) { /* first: they are few, and clients wait for them */
        claim_at(claim, ctx, types + GF_DUE_DELIVERIES);
    }
    for (i = 0; i < types; i++) { /* each time another type is the first to be served */
        int type = (claim->number + i) % types;
        bool claims = claim->look.due[type] && !claim->left_out[type];

        claimed += claims;
        down += claims && claim_at(claim, ctx, type);
    }
    claim_at(claim, ctx, types + GF_DUE_RESTORES);
    claim_at(claim, ctx, types + GF_DUE_REMOVALS);
    claim_at(claim, ctx, types + GF_DUE_MOVES);
    for (i = 0; claimed && down == claimed && i < types; i++) {
        claim->trouble[i].skip_until = 0; /* it is the database, not a type */
    }
    gf_turn_set_blind(claim->turn, claimed && down == claimed);
}

void gf_claim_init(gf_claim_t *claim, apr_pool_t *pool, const gf_conf_t *conf, const char *owner,
                   gf_turn_t *turn)
{
    apr_size_t types = (apr_size_t)gf_servers_types(conf)->nelts;
    apr_size_t places = types + GF_DUE_KINDS;
    apr_size_t i;

    claim->owner = apr_pstrdup(pool, owner);
    claim->left_out = apr_pcalloc(pool, types * sizeof(bool));
    claim->look.due = apr_pcalloc(pool, places * sizeof(bool));
    claim->look.cursors = apr_pcalloc(pool, places * sizeof(gf_claim_cursor_t));
    claim->look.back = BACK_FIRST;
    for (i = 0; i < places * GF_LANES; i++) {
        apr_cpystrn(claim->look.cursors[i / GF_LANES].from[i % GF_LANES], "infinity",
                    sizeof(claim->look.cursors[0].from[0]));
    }
    claim->trouble = apr_pcalloc(pool, (places + 1) * sizeof(trouble_t));
    claim->turn = turn;
    claim->task.run = run_task;
}

apr_time_t gf_claim_next(const gf_claim_t *claim, const gf_ctx_t *ctx)
{
    apr_time_t next = gf_turn_next(claim->turn, ctx->conf->poll_interval);

    return claim->full_until > next ? claim->full_until : next;
}

void gf_claim_want(const gf_claim_t *claim, const gf_ctx_t *ctx, apr_time_t due)
{
    apr_time_t soonest = gf_ctx_now(ctx) + LOOKS_APART;

    gf_turn_want(claim->turn, due > soonest ? due : soonest);
}

void gf_claim_has_place(gf_claim_t *claim)
{
    claim->full_until = 0;
}

static void leave_places(gf_hub_t *hub, int count)
{
    for (; count > 0; count--) {
        gf_hub_leave(hub);
    }
}

/* Places for what the claim may find, and the turn; false: without one of them it may not begin. */
static bool may_begin(gf_claim_t *claim, gf_hub_t *hub, apr_time_t now,
                      apr_interval_time_t interval)
{
    claim->places = 0;
    while (claim->places < CLAIM_MAX && gf_hub_reserve(hub)) {
        claim->places++;
    }
    if (claim->places == 0) {
        claim->full_until = now + interval;
        if (gf_turn_is_mine(claim->turn)) {
            gf_turn_pass(claim->turn, now);
        }
        return false;
    }
    if (!gf_turn_take(claim->turn, now, interval)) {
        leave_places(hub, claim->places);
        return false;
    }
    return true;
}

void gf_claim_begin(gf_claim_t *claim, const gf_ctx_t *ctx, gf_hub_t *hub, gf_writers_t *writers,
                    const gf_reach_t *reach, int delivering)
{
    const apr_array_header_t *types = gf_servers_types(ctx->conf);
    int i;

    if (!may_begin(claim, hub, gf_ctx_now(ctx), ctx->conf->poll_interval)) {
        return;
    }
    claim->delivering = delivering;
    claim->next_due = 0;
    for (i = 0; i < types->nelts; i++) {
        const gf_choice_t *first = gf_type_choice(APR_ARRAY_IDX(types, i, const gf_type_t *), 0);

        claim->left_out[i] = first && gf_reach_wait(reach, ctx, first->provider) > 0;
    }
    claim->found = NULL;
    claim->count = 0;
    claim->open = true;
    gf_writers_give(writers, &claim->task);
}

gf_job_t *gf_claim_done(gf_claim_t *claim, const gf_ctx_t *ctx, gf_hub_t *hub)
{
    apr_time_t now = gf_ctx_now(ctx);

    claim->open = false;
    if (claim->count == claim->places) { /* there may be more */
        gf_turn_pass(claim->turn, now);
    }
    else if (claim->next_due) {
        gf_claim_want(claim, ctx, claim->next_due);
    }
    leave_places(hub, claim->places - claim->count);
    return claim->found;
}

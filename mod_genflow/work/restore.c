/* SPDX-License-Identifier: Apache-2.0 */
/* Storing a picture once more: fetched from the provider, or copied into the folder by an earlier
 * run; retried later and later until its source is gone. Writer threads for acts, dispatcher thread
 * for all else. */
#include "work/restore.h"

#include <apr_strings.h>

#include "db/picture.h"
#include "work/count.h"
#include "work/exchange.h"
#include "work/outcome.h"
#include "work/result.h"

/* ---- acts ---- */

static void clear_files(const gf_run_t *run, gf_ctx_t *ctx)
{
    if (!run->of.restore.copy && !run->result.spool_removed) {
        apr_file_remove(run->result.spool, ctx->pool);
    }
}

/* Writes the new address to the row, which records the removal of the temporary copy. */
static gf_err_t *act_settle(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_moved_t restored;

    GF_TRY(gf_picture_restored(&restored, ctx, run->job, run->result.image_url,
                               gf_store_result(run->result.facts, ctx->pool)));
    if (restored == GF_MOVED_BUSY) {
        return NULL;
    }
    run->settled = restored == GF_MOVED_GONE ? GF_SETTLED_UNKNOWN : GF_SETTLED_DONE;
    gf_result_want_thumbnail(run, ctx);
    if (gf_result_came_late(run)) {
        gf_result_discard(run, ctx);
    }
    clear_files(run, ctx);
    return NULL;
}

static gf_err_t *act_check(gf_run_t *run, gf_ctx_t *ctx)
{
    GF_TRY(gf_result_check(run, ctx));
    if (run->result.image_url) {
        return act_settle(run, ctx);
    }
    return run->of.restore.copy ? NULL : gf_result_make_ready(run, ctx);
}

static gf_err_t *act_requeue(gf_run_t *run, gf_ctx_t *ctx)
{
    clear_files(run, ctx);
    if (run->result.uploads > 0) { /* the generation may have been deleted meanwhile */
        GF_TRY(gf_picture_stray(ctx, run->job));
    }
    return gf_picture_later(ctx, run->job, run->delay);
}

/* ---- guards and actions ---- */

static void prepare_restore(gf_flow_t *flow, gf_run_t *run)
{
    const gf_conf_t *conf = flow->ctx.conf;
    gf_job_t *job = run->job;
    const char *copy = gf_store_file(conf, job, job->restore_url, job->pool);

    run->of.restore.copy = copy;
    run->result.spool = copy ? copy : gf_store_spool(conf, job, job->pool);
    if (!copy) {
        run->result.url = job->restore_url;
    }
    else if (conf->store->put) { /* the store is that folder again */
        run->result.image_url = job->restore_url;
    }
}

static bool is_copied(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->of.restore.copy != NULL;
}

static bool is_settled(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->settled != GF_SETTLED_NOT;
}

static bool is_store_error(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return gf_err_is(run->err, GF_E_STORE);
}

/* It has an address, and a removal of a copy waits (GF_MOVED_BUSY). */
static bool has_address(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->result.image_url != NULL;
}

static void retry_later(gf_flow_t *flow, gf_run_t *run)
{
    run->delay = gf_result_retry_wait(run->job->restore_tries);
    gf_count_work(flow, GF_METRIC_RESTORES, "retried");
}

static void give_up(gf_flow_t *flow, gf_run_t *run)
{
    run->delay = 0;
    gf_count_work(flow, GF_METRIC_RESTORES, "given_up");
    gf_log(gf_run_about(flow, run), GF_LOG_WARNING, APR_SUCCESS, "GF0416",
           "restore given up: the picture is gone before the store took it: %s",
           run->job->restore_url);
}

static void report_settled(gf_flow_t *flow, gf_run_t *run)
{
    gf_count_work(flow, GF_METRIC_RESTORES, gf_result_came_late(run) ? "given_up" : "done");
    if (!gf_result_came_late(run)) {
        gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0413", "restored: %s",
               run->result.image_url);
        return;
    }
    gf_result_log_refusal(flow, run);
    gf_run_publish_end(flow, run);
}

/* ---- the table ---- */

#define IN(state) GF_IN(state)
#define ON(event) GF_ON(event)
#define WRITES    (IN(CHECK) | IN(SETTLE) | IN(REQUEUE))

static const gf_duty_t duties[GF_STATES] = {
    [GF_STATE_START] = { .by = GF_BY_ITSELF },
    [GF_STATE_FETCH] = { .by = GF_BY_NET,
                         .message = gf_exchange_fetch,
                         .read = gf_exchange_read_fetch },
    [GF_STATE_CHECK] = { .by = GF_BY_WRITER, .act = act_check },
    [GF_STATE_STORE] = { .by = GF_BY_NET,
                         .message = gf_result_upload,
                         .read = gf_result_read_upload },
    [GF_STATE_STORE_WAIT] = { .by = GF_BY_ALARM, .wait = gf_result_upload_wait },
    [GF_STATE_SETTLE] = { .by = GF_BY_WRITER, .act = act_settle },
    [GF_STATE_REQUEUE] = { .by = GF_BY_WRITER, .act = act_requeue },
    [GF_STATE_OVER] = { .by = GF_BY_ITSELF },
};

#define R(states, events, when, then, next) GF_RULE(states, events, when, then, GF_STATE_##next)
#define N(states, events, when, then, next) GF_RULE(states, events, when, then, GF_NEXT_##next)

/* clang-format off */
static const gf_rule_t rules[] = {
    R(IN(START), ON(BEGUN), is_copied, NULL, CHECK),
    R(IN(START), ON(BEGUN), NULL, NULL, FETCH),
    R(IN(FETCH), ON(ANSWERED), gf_outcome_has_address, gf_outcome_follow_redirect, FETCH),
    R(IN(FETCH), ON(ANSWERED), gf_outcome_has_file, NULL, CHECK),
    R(IN(FETCH), ON(ANSWERED), gf_outcome_is_working, retry_later, REQUEUE),
    R(IN(FETCH), ON(ANSWERED), NULL, give_up, REQUEUE),
    R(IN(CHECK) | IN(SETTLE), ON(WRITTEN), is_settled, report_settled, OVER),
    R(IN(CHECK) | IN(SETTLE), ON(WRITTEN), has_address, retry_later, REQUEUE),
    R(IN(CHECK), ON(WRITTEN), NULL, NULL, STORE),
    R(IN(STORE), ON(ANSWERED), gf_result_is_stored, gf_result_take_url, SETTLE),
    R(IN(STORE), ON(ANSWERED), gf_result_may_upload_again, NULL, STORE_WAIT),
    R(IN(STORE), ON(ANSWERED), NULL, retry_later, REQUEUE),
    R(IN(STORE_WAIT), ON(ALARM), NULL, NULL, STORE),
    R(IN(CHECK) | IN(SETTLE), ON(REFUSED), is_store_error, retry_later, REQUEUE),
    R(IN(CHECK) | IN(SETTLE), ON(REFUSED), NULL, give_up, REQUEUE),
    R(IN(REQUEUE), ON(WRITTEN) | ON(REFUSED), NULL, NULL, OVER),
    N(WRITES, ON(NO_DATABASE), NULL, gf_run_note_outage, PAUSE),
    N(WRITES, ON(ALARM), NULL, NULL, AGAIN),
};
/* clang-format on */

const gf_kind_t gf_kind_restore = { .name = "restore",
                                    .duties = duties,
                                    .rules = rules,
                                    .rule_count = sizeof(rules) / sizeof(rules[0]),
                                    .prepare = prepare_restore };

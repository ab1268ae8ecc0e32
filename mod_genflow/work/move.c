/* SPDX-License-Identifier: Apache-2.0 */
/* Moving a picture: fetched from the old store or taken from the folder, compared with what was
 * stored once, stored, and fetched from there to compare it again, so that no generation gets an
 * address that browsers cannot read. Leaves the removal of the old copy to work/remove.c, when it
 * is due. Writer threads for acts, dispatcher thread for all else. */
#include "work/move.h"

#include <string.h>

#include <apr_strings.h>

#include "db/picture.h"
#include "work/count.h"
#include "work/exchange.h"
#include "work/outcome.h"
#include "work/result.h"

/* ---- acts ---- */

/* RESULT: the picture in `file` has other bytes than `sha256` (NULL: any). */
static gf_err_t *compare(gf_ctx_t *ctx, const char *file, const char *sha256, const char *place)
{
    gf_stored_t found = { .url = NULL };

    GF_TRY(gf_store_inspect(&found, ctx, file));
    if (sha256 && strcmp(found.sha256, sha256) != 0) {
        return gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS,
                           "%s has other bytes (sha256 %s) than were stored (%s)", place,
                           found.sha256, sha256);
    }
    return NULL;
}

static void clear_files(const gf_run_t *run, gf_ctx_t *ctx)
{
    const gf_move_t *move = &run->of.move;

    apr_file_remove(move->copy, ctx->pool);
    if (!move->old && !run->result.spool_removed) {
        apr_file_remove(run->result.spool, ctx->pool);
    }
}

/* The thumbnail is made of the copy that was read back; the old file stays. */
static void want_thumbnail(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_result_t *result = &run->result;

    if (!ctx->conf->store->put) {
        if (!run->of.move.old) {
            apr_file_remove(result->spool, ctx->pool);
        }
        result->spool = run->of.move.copy;
    }
    gf_result_want_thumbnail(run, ctx);
    if (!ctx->conf->store->put && !result->spool_removed) {
        apr_file_remove(result->spool, ctx->pool);
    }
}

static gf_err_t *act_settle(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_moved_t moved;

    if (!ctx->conf->store->put) {
        GF_TRY(compare(ctx, run->of.move.copy, run->result.facts->sha256, "the copy"));
    }
    GF_TRY(gf_picture_moved(&moved, ctx, run->job, run->result.image_url));
    run->settled = moved == GF_MOVED_DONE   ? GF_SETTLED_DONE
                   : moved == GF_MOVED_GONE ? GF_SETTLED_UNKNOWN
                                            : GF_SETTLED_NOT;
    if (run->settled == GF_SETTLED_DONE) {
        want_thumbnail(run, ctx);
    }
    else if (run->settled == GF_SETTLED_UNKNOWN) {
        gf_result_discard(run, ctx);
        clear_files(run, ctx);
    }
    return NULL;
}

static gf_err_t *act_check(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *old = run->of.move.old;
    apr_finfo_t info;

    if (old && apr_stat(&info, old, APR_FINFO_TYPE, ctx->pool) != APR_SUCCESS) {
        return gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS, "the folder does not have it");
    }
    if (!run->result.image_url) {
        GF_TRY(compare(ctx, run->result.spool, run->job->move_sha256, "the picture there"));
    }
    GF_TRY(gf_result_check(run, ctx));
    if (!run->result.image_url) {
        return NULL;
    }
    if (run->job->move_sha256 && strcmp(run->result.facts->sha256, run->job->move_sha256) != 0) {
        return gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS,
                           "another picture has its name in the folder: %s", run->result.image_url);
    }
    return act_settle(run, ctx);
}

static const char *media_type_of(const gf_run_t *run)
{
    return run->result.facts ? run->result.facts->image.type : NULL;
}

static gf_err_t *act_requeue(gf_run_t *run, gf_ctx_t *ctx)
{
    clear_files(run, ctx);
    if (run->result.uploads > 0) { /* the generation may have been deleted meanwhile */
        GF_TRY(gf_picture_stray(ctx, run->job));
    }
    return gf_picture_move_later(ctx, run->job, run->delay, run->of.move.why, run->result.image_url,
                                 media_type_of(run));
}

/* In the folder the copy may be another picture, which has its name. */
static gf_err_t *act_fail(gf_run_t *run, gf_ctx_t *ctx)
{
    clear_files(run, ctx);
    return gf_picture_move_failed(ctx, run->job, run->of.move.why,
                                  ctx->conf->store->put ? NULL : run->result.image_url,
                                  media_type_of(run));
}

/* ---- exchanges ---- */

static gf_msg_t *fetch_old(gf_flow_t *flow, gf_run_t *run)
{
    return gf_exchange_stored(flow, run->result.url, run->result.spool);
}

static gf_msg_t *fetch_new(gf_flow_t *flow, gf_run_t *run)
{
    return gf_exchange_stored(flow, run->result.image_url, run->of.move.copy);
}

/* ---- guards and actions ---- */

static void prepare_move(gf_flow_t *flow, gf_run_t *run)
{
    const gf_conf_t *conf = flow->ctx.conf;
    gf_job_t *job = run->job;
    gf_move_t *move = &run->of.move;

    move->old = gf_store_file(conf, job, job->move_url, job->pool);
    move->copy = gf_store_copy(conf, job->id, job->pool);
    run->result.spool = move->old ? move->old : gf_store_spool(conf, job, job->pool);
    if (!move->old) {
        run->result.url = job->move_url;
    }
}

/* This host was not restarted since the store was changed, or it is the old one again. */
static bool is_there(const gf_flow_t *flow, const gf_run_t *run)
{
    const gf_conf_t *conf = flow->ctx.conf;

    return run->of.move.old ? conf->store->put != NULL
                            : gf_store_conf_of(conf, run->job->move_url, flow->ctx.pool) == conf;
}

static bool is_in_folder(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->of.move.old != NULL;
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

/* The folder has it, and a removal of a copy waits (GF_MOVED_BUSY). */
static bool has_address(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->result.image_url != NULL;
}

static void put_off(gf_flow_t *flow, gf_run_t *run, const char *why)
{
    run->of.move.why = apr_pstrdup(run->job->pool, why);
    run->delay = gf_result_retry_wait(run->job->move_tries);
    gf_count_work(flow, GF_METRIC_MOVES, "retried");
    gf_log(gf_run_about(flow, run), GF_LOG_WARNING, APR_SUCCESS, "GF0423",
           "not moved yet, retried in %" APR_TIME_T_FMT " s: %s: %s", apr_time_sec(run->delay),
           run->job->move_url, why);
}

static void leave_there(gf_flow_t *flow, gf_run_t *run, const char *why)
{
    run->of.move.why = apr_pstrdup(run->job->pool, why);
    gf_count_work(flow, GF_METRIC_MOVES, "given_up");
    gf_log(gf_run_about(flow, run), GF_LOG_WARNING, APR_SUCCESS, "GF0422",
           "cannot be moved and stays where it is: %s: %s", run->job->move_url, why);
}

static const char *words_of(const gf_err_t *err)
{
    return err->detail ? err->detail : err->row->text;
}

/* "what: what the answer says" */
static const char *with_detail(const gf_flow_t *flow, const char *what, const char *detail)
{
    return detail ? apr_pstrcat(flow->ctx.pool, what, ": ", detail, NULL) : what;
}

static void put_off_here(gf_flow_t *flow, gf_run_t *run)
{
    put_off(flow, run, "this host still stores there: its configuration is another one");
}

static void put_off_fetch(gf_flow_t *flow, gf_run_t *run)
{
    put_off(flow, run, with_detail(flow, "the old store does not answer", run->outcome.detail));
}

static void put_off_upload(gf_flow_t *flow, gf_run_t *run)
{
    put_off(flow, run, with_detail(flow, "the store did not take it", run->result.store.detail));
}

/* Not for its keys or its account, which an operator can mend. */
static bool is_refused(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->result.store.state == GF_STORE_REFUSED && !run->result.store.alarm;
}

static void leave_refused(gf_flow_t *flow, gf_run_t *run)
{
    leave_there(flow, run, with_detail(flow, "the store refuses it", run->result.store.detail));
}

static void put_off_reading(gf_flow_t *flow, gf_run_t *run)
{
    const char *what =
        apr_psprintf(flow->ctx.pool, "the copy cannot be read at %s", run->result.image_url);

    put_off(flow, run, with_detail(flow, what, run->outcome.detail));
}

static void put_off_act(gf_flow_t *flow, gf_run_t *run)
{
    put_off(flow, run, run->err ? words_of(run->err) : "a copy of it is being removed");
}

static void leave_missing(gf_flow_t *flow, gf_run_t *run)
{
    leave_there(flow, run,
                with_detail(flow, "the old store does not have it", run->outcome.detail));
}

static void leave_unlike(gf_flow_t *flow, gf_run_t *run)
{
    leave_there(flow, run, words_of(run->err));
}

static void report_settled(gf_flow_t *flow, gf_run_t *run)
{
    gf_count_work(flow, GF_METRIC_MOVES, gf_result_came_late(run) ? "given_up" : "done");
    if (gf_result_came_late(run)) {
        gf_result_log_refusal(flow, run);
    }
    else {
        gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0419", "moved from %s to %s",
               run->job->move_url, run->result.image_url);
    }
}

/* ---- the table ---- */

#define IN(state) GF_IN(state)
#define ON(event) GF_ON(event)
#define WRITES    (IN(CHECK) | IN(SETTLE) | IN(REQUEUE) | IN(FAIL))

static const gf_duty_t duties[GF_STATES] = {
    [GF_STATE_START] = { .by = GF_BY_ITSELF },
    [GF_STATE_FETCH] = { .by = GF_BY_NET, .message = fetch_old, .read = gf_exchange_read_fetch },
    [GF_STATE_CHECK] = { .by = GF_BY_WRITER, .act = act_check },
    [GF_STATE_STORE] = { .by = GF_BY_NET,
                         .message = gf_result_upload,
                         .read = gf_result_read_upload },
    [GF_STATE_STORE_WAIT] = { .by = GF_BY_ALARM, .wait = gf_result_upload_wait },
    [GF_STATE_READ_BACK] = { .by = GF_BY_NET,
                             .message = fetch_new,
                             .read = gf_exchange_read_fetch },
    [GF_STATE_SETTLE] = { .by = GF_BY_WRITER, .act = act_settle },
    [GF_STATE_REQUEUE] = { .by = GF_BY_WRITER, .act = act_requeue },
    [GF_STATE_FAIL] = { .by = GF_BY_WRITER, .act = act_fail },
    [GF_STATE_OVER] = { .by = GF_BY_ITSELF },
};

#define R(states, events, when, then, next) GF_RULE(states, events, when, then, GF_STATE_##next)
#define N(states, events, when, then, next) GF_RULE(states, events, when, then, GF_NEXT_##next)

/* clang-format off */
static const gf_rule_t rules[] = {
    R(IN(START), ON(BEGUN), is_there, put_off_here, REQUEUE),
    R(IN(START), ON(BEGUN), is_in_folder, NULL, CHECK),
    R(IN(START), ON(BEGUN), NULL, NULL, FETCH),
    R(IN(FETCH), ON(ANSWERED), gf_outcome_has_address, gf_outcome_follow_redirect, FETCH),
    R(IN(FETCH), ON(ANSWERED), gf_outcome_has_file, NULL, CHECK),
    R(IN(FETCH), ON(ANSWERED), gf_outcome_is_working, put_off_fetch, REQUEUE),
    R(IN(FETCH), ON(ANSWERED), NULL, leave_missing, FAIL),
    R(IN(CHECK) | IN(SETTLE), ON(WRITTEN), is_settled, report_settled, OVER),
    R(IN(CHECK), ON(WRITTEN), has_address, put_off_act, REQUEUE),
    R(IN(CHECK), ON(WRITTEN), NULL, NULL, STORE),
    R(IN(STORE), ON(ANSWERED), gf_result_is_stored, gf_result_take_url, READ_BACK),
    R(IN(STORE), ON(ANSWERED), gf_result_may_upload_again, NULL, STORE_WAIT),
    R(IN(STORE), ON(ANSWERED), is_refused, leave_refused, FAIL),
    R(IN(STORE), ON(ANSWERED), NULL, put_off_upload, REQUEUE),
    R(IN(STORE_WAIT), ON(ALARM), NULL, NULL, STORE),
    R(IN(READ_BACK), ON(ANSWERED), gf_outcome_has_file, NULL, SETTLE),
    R(IN(READ_BACK), ON(ANSWERED), NULL, put_off_reading, REQUEUE),
    R(IN(SETTLE), ON(WRITTEN), NULL, put_off_act, REQUEUE),
    R(IN(CHECK) | IN(SETTLE), ON(REFUSED), is_store_error, put_off_act, REQUEUE),
    R(IN(CHECK) | IN(SETTLE), ON(REFUSED), NULL, leave_unlike, FAIL),
    R(IN(REQUEUE) | IN(FAIL), ON(WRITTEN) | ON(REFUSED), NULL, NULL, OVER),
    N(WRITES, ON(NO_DATABASE), NULL, gf_run_note_outage, PAUSE),
    N(WRITES, ON(ALARM), NULL, NULL, AGAIN),
};
/* clang-format on */

const gf_kind_t gf_kind_move = { .name = "move",
                                 .duties = duties,
                                 .rules = rules,
                                 .rule_count = sizeof(rules) / sizeof(rules[0]),
                                 .prepare = prepare_move };

/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a generation, and the guards and actions of a provider that works, of a lost answer
 * and of ends. The beginning is in intent.c, what an answer means in outcome.c, the provider's
 * messages in attempt.c, what writers do in acts.c, the way into the store in result.c. Dispatcher
 * thread. */
#include "work/generate.h"

#include "store/gate.h"
#include "work/acts.h"
#include "work/attempt.h"
#include "work/count.h"
#include "work/exchange.h"
#include "work/intent.h"
#include "work/outcome.h"
#include "work/result.h"

static const gf_provider_t *provider_of(const gf_run_t *run)
{
    return run->of.generate.choice->provider;
}

/* ---- the provider works ---- */

static bool has_ended(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->lease == GF_LEASE_ENDED;
}

static bool is_led_elsewhere(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->lease == GF_LEASE_LOST;
}

static bool was_reported(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->lease == GF_LEASE_REPORTED;
}

static void publish_working(gf_flow_t *flow, gf_run_t *run)
{
    gf_hub_bg_publish(flow->hub, run->job->id, run->job->user, GF_NEWS_WORKING);
}

static void set_poll_wait(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->delay = provider_of(run)->poll;
}

static void publish_accepted(gf_flow_t *flow, gf_run_t *run)
{
    publish_working(flow, run);
    gf_outcome_set_poll_wait(flow, run);
}

static bool is_in_time(const gf_flow_t *flow, const gf_run_t *run)
{
    return gf_ctx_now(&flow->ctx) < run->of.generate.provider_deadline;
}

/* Once more after the deadline, too: the process may have been away, and the picture be there. */
static bool may_poll(const gf_flow_t *flow, const gf_run_t *run)
{
    const gf_generate_t *generate = &run->of.generate;

    return is_in_time(flow, run) || generate->polled_at < generate->provider_deadline;
}

static void note_poll(gf_flow_t *flow, gf_run_t *run)
{
    run->of.generate.polled_at = gf_ctx_now(&flow->ctx);
}

static void publish_and_poll(gf_flow_t *flow, gf_run_t *run)
{
    publish_working(flow, run);
    note_poll(flow, run);
}

/* run->delay, up to the deadline at the latest. */
static apr_interval_time_t provider_wait(const gf_flow_t *flow, const gf_run_t *run)
{
    apr_interval_time_t left = run->of.generate.provider_deadline - gf_ctx_now(&flow->ctx);

    left = left > 0 ? left : 0;
    return run->delay < left ? run->delay : left;
}

/* ---- the answer is lost ---- */

/* A provider may be polled by it. */
static bool has_run_id(const gf_flow_t *flow, const gf_run_t *run)
{
    return run->job->provider_ref && !gf_intent_lacks_provider(flow, run)
           && provider_of(run)->kind->poll;
}

static bool lists_runs(const gf_flow_t *flow, const gf_run_t *run)
{
    return !gf_intent_lacks_provider(flow, run) && provider_of(run)->kind->reconcile;
}

/* The loss was just noted: the list would not have it yet. */
static bool is_early(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->delay > 0;
}

static void look_up_run(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->delay = 0;
}

/* ---- after a lost lease ---- */

static bool is_past_deadline(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->job->last_look;
}

static bool is_with_provider(const gf_flow_t *flow, const gf_run_t *run)
{
    return run->job->phase == GF_PHASE_WORKING && has_run_id(flow, run);
}

/* The sender is gone, and the submission may have been paid for: it is not repeated. */
static void never_send_again(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.generate.code = GF_E_NETWORK;
}

/* ---- the store ---- */

static gf_msg_t *make_upload(gf_flow_t *flow, gf_run_t *run)
{
    return gf_attempt_extend(flow, run, gf_result_upload(flow, run));
}

/* The store's breaker is open. A strict server has no other place for a paid picture: it checked
 * the gate before the submission, and the one that the gate let through half-open tries the store.
 */
static bool must_store_temporarily(const gf_flow_t *flow, const gf_run_t *run)
{
    const gf_conf_t *conf = flow->ctx.conf;

    return run->result.facts && !conf->store_strict && !gf_gate_uploads(conf);
}

static bool may_store_temporarily(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)run;
    return !flow->ctx.conf->store_strict;
}

/* The folder did not take a picture that is at the provider's address, too. */
static bool may_stay_there(const gf_flow_t *flow, const gf_run_t *run)
{
    return gf_err_is(run->err, GF_E_STORE) && run->result.facts && run->result.original_url
           && may_store_temporarily(flow, run);
}

static void fail_store(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.generate.code = GF_E_STORE;
}

/* ---- ends ---- */

static bool is_settled(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->settled != GF_SETTLED_NOT;
}

/* The picture or its source is none, or the disk takes nothing: the generation fails. All else is a
 * bug or a broken type: the lease expires, and the deadline ends the generation. */
static bool is_fatal(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return gf_err_is(run->err, GF_E_STORE) || gf_err_is(run->err, GF_E_EMPTY)
           || gf_err_is(run->err, GF_E_RESULT) || gf_err_is(run->err, GF_E_SOURCE);
}

static void fail_by_error(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.generate.code = (gf_err_code_t)(run->err->row - gf_err_row(0));
}

static void time_out(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.generate.code = GF_E_TIMEOUT;
}

static void lack_provider(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.generate.code = GF_E_NO_PROVIDER;
}

/* The job was ended elsewhere, as by a cancel. FAIL clears up, and its settle is refused. */
static void stop_provider(gf_flow_t *flow, gf_run_t *run)
{
    gf_attempt_cancel(flow, run);
    time_out(flow, run);
}

static apr_int64_t elapsed_milliseconds(const gf_flow_t *flow, const gf_run_t *run)
{
    return apr_time_as_msec(gf_ctx_now(&flow->ctx) - run->job->created);
}

static void report_completed(gf_flow_t *flow, gf_run_t *run)
{
    if (run->settled != GF_SETTLED_DONE) {
        gf_result_log_refusal(flow, run);
    }
    else {
        gf_log(gf_run_about(flow, run), GF_LOG_NOTICE, APR_SUCCESS, "GF0405",
               "completed and charged after %" APR_INT64_T_FMT " ms%s: %s",
               elapsed_milliseconds(flow, run),
               run->state == GF_STATE_TEMPORARY ? ", stored temporarily" : "",
               run->result.image_url);
    }
    gf_run_publish_end(flow, run);
}

/* A provider that still works on what timed out is cancelled there. A process that was only away
 * may not do that: another host may lead. */
static void report_failed(gf_flow_t *flow, gf_run_t *run)
{
    const gf_generate_t *generate = &run->of.generate;
    const gf_err_row_t *row = gf_err_row(generate->code);
    bool failed = run->settled == GF_SETTLED_DONE || run->settled == GF_SETTLED_SAME;

    if (generate->code == GF_E_TIMEOUT && failed && generate->choice) {
        gf_attempt_cancel(flow, run);
    }
    if (run->settled != GF_SETTLED_DONE) {
        gf_result_log_refusal(flow, run);
    }
    else {
        gf_log(gf_run_about(flow, run), row->level < GF_LOG_NOTICE ? row->level : GF_LOG_NOTICE,
               APR_SUCCESS, row->tag,
               "failed and released after %" APR_INT64_T_FMT " ms: %s%s%s%s%s",
               elapsed_milliseconds(flow, run), row->code, generate->cause ? " after " : "",
               generate->cause ? generate->cause : "", generate->words ? ": " : "",
               generate->words ? generate->words : "");
    }
    gf_run_publish_end(flow, run);
}

static void note_due(gf_flow_t *flow, gf_run_t *run)
{
    run->due = gf_ctx_now(&flow->ctx) + run->delay;
}

/* An intent was recorded, or is just being, and nothing sent: writes that, because the next host
 * would have to assume that it was sent. */
static bool hand_back(gf_flow_t *flow, gf_run_t *run)
{
    bool intends = run->state == GF_STATE_INTENT
                   || (run->state == GF_STATE_START && gf_intent_came_along(flow, run));
    gf_lease_answer_t lease;

    return intends && !gf_queue_requeue(&lease, &flow->ctx, run->job, 0, "not sent");
}

/* ---- the table ---- */

#define IN(state) GF_IN(state)
#define ON(event) GF_ON(event)

/* The provider has answered about the run. */
#define ABOUT_RUN (IN(SENT) | IN(POLL) | IN(LIST))

/* The run waits for its provider or a source alone: there is nothing that could still count. */
#define WAITS (IN(SOURCE_WAIT) | IN(RUNNING) | IN(LOST) | IN(FETCH_WAIT))

#define WRITES                                                                              \
    (IN(ADOPT) | IN(ASSET) | IN(DRAW) | IN(INTENT) | IN(ACCEPT) | IN(PROGRESS) | IN(LOOKUP) \
     | IN(CHECK) | IN(SETTLE) | IN(TEMPORARY) | IN(REQUEUE) | IN(FAIL))

#define EXCHANGES (ABOUT_RUN | IN(SOURCE) | IN(FETCH) | IN(STORE))
#define BUSY      (WRITES | EXCHANGES)

static const gf_duty_t duties[GF_STATES] = {
    [GF_STATE_START] = { .by = GF_BY_ITSELF },
    [GF_STATE_ADOPT] = { .by = GF_BY_WRITER, .act = gf_acts_adopt, .charges = true },
    [GF_STATE_SOURCE] = { .by = GF_BY_NET,
                          .message = gf_attempt_source,
                          .read = gf_exchange_read_fetch },
    [GF_STATE_SOURCE_WAIT] = { .by = GF_BY_ALARM, .wait = gf_intent_source_wait },
    [GF_STATE_ASSET] = { .by = GF_BY_WRITER, .act = gf_acts_source },
    [GF_STATE_DRAW] = { .by = GF_BY_WRITER, .act = gf_acts_draw, .slow = true, .charges = true },
    [GF_STATE_INTENT] = { .by = GF_BY_WRITER, .act = gf_acts_intend },
    [GF_STATE_SENT] = { .by = GF_BY_NET,
                        .message = gf_attempt_submit,
                        .read = gf_attempt_read_submit },
    [GF_STATE_ACCEPT] = { .by = GF_BY_WRITER, .act = gf_acts_accept },
    [GF_STATE_RUNNING] = { .by = GF_BY_ALARM, .wait = provider_wait },
    [GF_STATE_POLL] = { .by = GF_BY_NET, .message = gf_attempt_poll, .read = gf_attempt_read_poll },
    [GF_STATE_PROGRESS] = { .by = GF_BY_WRITER, .act = gf_acts_progress },
    [GF_STATE_LOST] = { .by = GF_BY_ALARM, .wait = provider_wait },
    [GF_STATE_LOOKUP] = { .by = GF_BY_WRITER, .act = gf_acts_look_up },
    [GF_STATE_LIST] = { .by = GF_BY_NET, .message = gf_attempt_list, .read = gf_attempt_read_list },
    [GF_STATE_FETCH] = { .by = GF_BY_NET,
                         .message = gf_attempt_fetch,
                         .read = gf_attempt_read_fetch },
    [GF_STATE_FETCH_WAIT] = { .by = GF_BY_ALARM, .wait = provider_wait },
    [GF_STATE_CHECK] = { .by = GF_BY_WRITER, .act = gf_acts_check, .charges = true },
    [GF_STATE_STORE] = { .by = GF_BY_NET, .message = make_upload, .read = gf_result_read_upload },
    [GF_STATE_STORE_WAIT] = { .by = GF_BY_ALARM, .wait = gf_result_upload_wait },
    [GF_STATE_SETTLE] = { .by = GF_BY_WRITER, .act = gf_acts_settle, .charges = true },
    [GF_STATE_TEMPORARY] = { .by = GF_BY_WRITER,
                             .act = gf_acts_store_temporarily,
                             .charges = true },
    [GF_STATE_REQUEUE] = { .by = GF_BY_WRITER, .act = gf_acts_requeue },
    [GF_STATE_FAIL] = { .by = GF_BY_WRITER, .act = gf_acts_fail },
    [GF_STATE_OVER] = { .by = GF_BY_ITSELF },
};

#define R(states, events, when, then, next) GF_RULE(states, events, when, then, GF_STATE_##next)
#define N(states, events, when, then, next) GF_RULE(states, events, when, then, GF_NEXT_##next)

/* clang-format off */
static const gf_rule_t rules[] = {
    /* The beginning. */
    R(IN(START), ON(BEGUN), gf_intent_is_taken_over, NULL, ADOPT),
    R(IN(START), ON(BEGUN), gf_intent_lacks_provider, lack_provider, FAIL),
    R(IN(START), ON(BEGUN), gf_intent_is_out_of_reach, gf_intent_leave_to_others, REQUEUE),
    R(IN(START), ON(BEGUN), gf_intent_may_send_at_once, gf_intent_note_watched, SENT),
    R(IN(START), ON(BEGUN), gf_intent_came_along, gf_intent_send_nothing, REQUEUE),
    R(IN(START), ON(BEGUN), gf_intent_needs_source, NULL, SOURCE),
    R(IN(START), ON(BEGUN), gf_intent_has_asset, NULL, ASSET),
    R(IN(START), ON(BEGUN), gf_intent_draws, NULL, DRAW),
    R(IN(START), ON(BEGUN), NULL, gf_attempt_count, INTENT),

    /* After a lost lease: the picture may be stored already. */
    R(IN(ADOPT), ON(WRITTEN), is_settled, report_completed, OVER),
    R(IN(ADOPT), ON(WRITTEN), must_store_temporarily, NULL, TEMPORARY),
    R(IN(ADOPT), ON(WRITTEN), gf_result_is_checked, NULL, STORE),
    R(IN(ADOPT), ON(WRITTEN), is_past_deadline, time_out, FAIL),
    R(IN(ADOPT), ON(WRITTEN), gf_intent_lacks_provider, lack_provider, FAIL),
    R(IN(ADOPT), ON(WRITTEN), is_with_provider, note_poll, POLL),
    R(IN(ADOPT), ON(WRITTEN), lists_runs, gf_outcome_note_loss, LOST),
    R(IN(ADOPT), ON(WRITTEN), gf_outcome_may_leave, gf_outcome_leave, REQUEUE),
    R(IN(ADOPT), ON(WRITTEN), NULL, never_send_again, FAIL),

    /* The source images, one after the other. */
    R(IN(SOURCE), ON(ANSWERED), gf_outcome_has_address, gf_intent_follow_source, SOURCE),
    R(IN(SOURCE), ON(ANSWERED), gf_intent_needs_next_source, gf_intent_next_source, SOURCE),
    R(IN(SOURCE), ON(ANSWERED), gf_outcome_has_file, NULL, ASSET),
    R(IN(SOURCE), ON(ANSWERED), gf_intent_may_fetch_source_again,
      gf_intent_count_source_fetch, SOURCE_WAIT),
    R(IN(SOURCE), ON(ANSWERED), NULL, gf_intent_fail_source, FAIL),
    R(IN(SOURCE_WAIT), ON(ALARM), NULL, NULL, SOURCE),
    R(IN(ASSET), ON(WRITTEN), gf_intent_draws, NULL, DRAW),
    R(IN(ASSET), ON(WRITTEN), NULL, gf_attempt_count, INTENT),

    /* The intent is recorded, and the bytes may leave, once; or it is not, and nothing leaves. */
    R(IN(INTENT), ON(WRITTEN), gf_intent_may_send, gf_intent_note_watched, SENT),
    R(IN(INTENT), ON(WRITTEN), gf_intent_is_recorded, gf_intent_send_nothing, REQUEUE),
    R(IN(INTENT), ON(WRITTEN), gf_intent_may_skip, gf_intent_skip, REQUEUE),
    R(IN(INTENT), ON(WRITTEN), gf_intent_is_skipped, gf_intent_skip_last, FAIL),
    R(IN(INTENT), ON(WRITTEN), has_ended, stop_provider, FAIL),
    R(IN(INTENT), ON(WRITTEN), NULL, gf_run_publish_end, OVER),
    R(IN(INTENT) | IN(DRAW), ON(REFUSED), gf_intent_is_store_closed, gf_intent_wait_for_store,
      REQUEUE),

    /* Answers of the provider: a picture, ... */
    R(ABOUT_RUN, ON(ANSWERED), gf_outcome_has_text, gf_outcome_take_text, CHECK),
    R(ABOUT_RUN | IN(FETCH), ON(ANSWERED), gf_outcome_has_file, NULL, CHECK),
    R(ABOUT_RUN, ON(ANSWERED), gf_outcome_has_address, gf_outcome_take_address, FETCH),
    R(IN(FETCH), ON(ANSWERED), gf_outcome_has_address, gf_outcome_follow_redirect, FETCH),
    R(IN(FETCH), ON(ANSWERED), gf_outcome_is_working, gf_outcome_set_wait, FETCH_WAIT),

    /* ... that it works, which is recorded before it is polled, ... */
    R(ABOUT_RUN, ON(ANSWERED), gf_outcome_brings_run_id, gf_outcome_take_run_id, ACCEPT),
    R(IN(POLL), ON(ANSWERED), gf_outcome_brings_news, gf_outcome_take_news, PROGRESS),
    R(IN(POLL), ON(ANSWERED), gf_outcome_is_working, gf_outcome_set_wait, RUNNING),
    R(IN(SENT) | IN(LIST), ON(ANSWERED), gf_outcome_is_working, gf_outcome_set_wait, LOST),

    /* ... that there is more to read, ... */
    R(IN(LIST), ON(ANSWERED), gf_outcome_may_leave_listed, gf_outcome_leave, REQUEUE),
    R(IN(LIST), ON(ANSWERED), gf_outcome_is_listed_too_late, time_out, FAIL),
    R(IN(LIST), ON(ANSWERED), gf_outcome_has_more, NULL, LIST),
    R(IN(SENT) | IN(POLL), ON(ANSWERED), gf_outcome_has_more, NULL, POLL),

    /* ... nothing, so that it may have been paid for and is not sent again, ... */
    R(ABOUT_RUN, ON(ANSWERED), gf_outcome_may_be_reported, gf_outcome_note_loss, LOOKUP),
    R(ABOUT_RUN, ON(ANSWERED), gf_outcome_may_be_listed, gf_outcome_note_loss, LOST),
    R(IN(LIST), ON(ANSWERED), gf_outcome_is_absent_so_far, gf_outcome_note_absence, LOST),
    R(ABOUT_RUN, ON(ANSWERED), gf_outcome_may_leave_answered, gf_outcome_leave, REQUEUE),

    /* ... or a failure. */
    R(ABOUT_RUN, ON(ANSWERED), gf_outcome_may_retry, gf_outcome_retry, REQUEUE),
    R(ABOUT_RUN | IN(FETCH), ON(ANSWERED), gf_outcome_may_fall_back, gf_outcome_fall_back, REQUEUE),
    R(ABOUT_RUN | IN(FETCH), ON(ANSWERED), NULL, gf_outcome_fail, FAIL),

    /* The provider works. */
    R(IN(ACCEPT) | IN(PROGRESS), ON(WRITTEN), has_ended, stop_provider, FAIL),
    R(IN(ACCEPT) | IN(PROGRESS), ON(WRITTEN), is_led_elsewhere, NULL, OVER),
    R(IN(ACCEPT) | IN(PROGRESS), ON(WRITTEN), was_reported, publish_and_poll, POLL),
    R(IN(ACCEPT), ON(WRITTEN), NULL, publish_accepted, RUNNING),
    R(IN(PROGRESS), ON(WRITTEN), NULL, publish_working, RUNNING),
    R(IN(RUNNING), ON(ALARM) | ON(WEBHOOK_RECEIVED), may_poll, note_poll, POLL),
    R(IN(FETCH_WAIT), ON(ALARM) | ON(WEBHOOK_RECEIVED), may_poll, note_poll, FETCH),
    R(IN(RUNNING) | IN(FETCH_WAIT), ON(ALARM) | ON(WEBHOOK_RECEIVED), NULL, time_out, FAIL),

    /* The answer is lost: our own row may have the run's id by now, else the provider's list. */
    R(IN(LOST), ON(ALARM) | ON(WEBHOOK_RECEIVED), has_run_id, note_poll, POLL),
    R(IN(LOST), ON(ALARM) | ON(WEBHOOK_RECEIVED), is_in_time, look_up_run, LOOKUP),
    R(IN(LOST), ON(ALARM) | ON(WEBHOOK_RECEIVED), gf_outcome_may_leave, gf_outcome_leave, REQUEUE),
    R(IN(LOST), ON(ALARM) | ON(WEBHOOK_RECEIVED), NULL, time_out, FAIL),
    R(IN(LOOKUP), ON(WRITTEN), has_run_id, note_poll, POLL),
    R(IN(LOOKUP), ON(WRITTEN), is_early, NULL, LOST),
    R(IN(LOOKUP), ON(WRITTEN), lists_runs, NULL, LIST),
    R(IN(LOOKUP), ON(WRITTEN), NULL, set_poll_wait, LOST),

    /* The picture: with the folder store, DRAW and CHECK have settled already. */
    R(IN(DRAW) | IN(CHECK) | IN(SETTLE) | IN(TEMPORARY), ON(WRITTEN), is_settled,
      report_completed, OVER),
    R(IN(DRAW) | IN(CHECK), ON(WRITTEN), must_store_temporarily, NULL, TEMPORARY),
    R(IN(DRAW) | IN(CHECK), ON(WRITTEN), NULL, NULL, STORE),
    R(IN(STORE), ON(ANSWERED), gf_result_is_stored, gf_result_take_url, SETTLE),
    R(IN(STORE), ON(ANSWERED), gf_result_may_upload_again, NULL, STORE_WAIT),
    R(IN(STORE), ON(ANSWERED), may_store_temporarily, NULL, TEMPORARY),
    R(IN(STORE), ON(ANSWERED), NULL, fail_store, FAIL),
    R(IN(STORE_WAIT), ON(ALARM), NULL, NULL, STORE),
    R(IN(STORE_WAIT), ON(JOB_ENDED), NULL, fail_store, FAIL),
    R(IN(CHECK), ON(REFUSED), may_stay_there, NULL, TEMPORARY),

    /* Ends. */
    R(WRITES & ~IN(FAIL), ON(REFUSED), is_fatal, fail_by_error, FAIL),
    R(WRITES, ON(REFUSED), NULL, gf_run_publish_end, OVER),
    R(IN(FAIL), ON(WRITTEN), NULL, report_failed, OVER),
    R(IN(REQUEUE), ON(WRITTEN), NULL, note_due, OVER),

    /* Events from outside. A success in hand is finished first: it counts from every host. A
     * failure is refused by the epoch of the lease. A picture that the store has not taken is none:
     * the removal of an ended job takes its file, too. */
    R(WAITS, ON(JOB_ENDED), NULL, stop_provider, FAIL),
    R(WAITS, ON(LEASE_LOST), NULL, NULL, OVER),
    N(BUSY, ON(JOB_ENDED) | ON(WEBHOOK_RECEIVED), NULL, NULL, POSTPONE),
    N(BUSY | IN(STORE_WAIT), ON(LEASE_LOST), NULL, NULL, STAY),
    N(IN(STORE_WAIT) | IN(SOURCE_WAIT), ON(WEBHOOK_RECEIVED), NULL, NULL, STAY),
    N(WRITES, ON(NO_DATABASE), NULL, gf_run_note_outage, PAUSE),
    N(WRITES, ON(ALARM), NULL, NULL, AGAIN),
};
/* clang-format on */

const gf_kind_t gf_kind_generate = { .name = "generate",
                                     .leased = true,
                                     .duties = duties,
                                     .rules = rules,
                                     .rule_count = sizeof(rules) / sizeof(rules[0]),
                                     .prepare = gf_intent_prepare,
                                     .perform = gf_acts_perform,
                                     .count = gf_count_generate,
                                     .hand_back = hand_back };

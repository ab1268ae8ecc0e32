/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of keeping. A generation is never repeated because storing failed: the store is tried a
 * few times, then the picture stays where it is for now, and is stored in the background. Runs on
 * the dispatcher thread. */
#include "work/result.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "store/gate.h"
#include "work/exchange.h"

#define STORE_TRIES    3
#define UPLOAD_WAIT    (APR_USEC_PER_SEC / 2)    /* before an upload's second try; doubles */
#define AGAIN_WAIT     (APR_USEC_PER_SEC)        /* before a picture is stored again; doubles ... */
#define AGAIN_WAIT_MAX (apr_time_from_sec(3600)) /* ... up to this */

gf_step_t gf_keep_again(gf_steps_t *steps, gf_run_t *run)
{
    const gf_conf_t *conf = steps->ctx.conf;
    const char *copy = gf_store_file(conf, run->job, run->job->restore_url, run->job->pool);

    run->spool = gf_store_spool(conf, run->job, run->job->pool);
    if (!copy) {
        run->picture_url = run->job->restore_url;
        gf_exchange_fetch(steps, run);
        return GF_STEP_GOES_ON;
    }
    if (conf->store->put) { /* the store is that folder again */
        run->image_url = run->job->restore_url;
    }
    run->spool = copy;
    run->spool_is_copy = true;
    return gf_steps_act(steps, run, GF_ACT_KEEP);
}

gf_step_t gf_keep_looked(gf_steps_t *steps, gf_run_t *run)
{
    const gf_conf_t *conf = steps->ctx.conf;
    bool restores = run->job->restore_url != NULL; /* tries what others may not */

    /* A strict server has nowhere else to keep what was paid for. Its gate is asked before the
     * submission, and the one that it lets in half open is the one that tries the store. */
    if (!restores && !conf->store_strict && run->store_tries == 0 && !gf_gate_uploads(conf)) {
        return gf_keep_unstored(steps, run);
    }
    gf_exchange_store(steps, run);
    return GF_STEP_GOES_ON;
}

static gf_step_t stored(gf_steps_t *steps, gf_run_t *run, const gf_store_outcome_t *outcome)
{
    run->image_url = apr_pstrdup(run->job->pool, outcome->url);
    return gf_steps_act(steps, run, GF_ACT_KEEP);
}

static void log_trouble(gf_steps_t *steps, const gf_run_t *run, const gf_store_outcome_t *outcome)
{
    const gf_ctx_t *ctx = gf_steps_about(steps, run);
    const char *detail = outcome->detail ? outcome->detail : "";

    if (outcome->alarm) {
        gf_log(ctx, GF_LOG_ERR, APR_SUCCESS, "GF0410", "the store refuses our key or account: %s",
               detail);
    }
    else {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0411", "the store did not take the picture%s%s",
               detail[0] ? ": " : "", detail);
    }
}

gf_step_t gf_keep_answered(gf_steps_t *steps, gf_run_t *run)
{
    gf_msg_t *msg = run->msg;
    gf_store_outcome_t outcome;
    gf_step_t step;

    gf_exchange_read_store(&outcome, steps, run, msg->pool);
    run->msg = NULL;
    run->store_tries++;
    gf_gate_answered(gf_steps_about(steps, run), outcome.state == GF_STORE_KEPT);
    if (outcome.state == GF_STORE_KEPT) {
        step = stored(steps, run, &outcome);
    }
    else {
        bool passing = outcome.state == GF_STORE_LATER;

        log_trouble(steps, run, &outcome);
        if (passing && run->store_tries < STORE_TRIES) {
            apr_interval_time_t wait = UPLOAD_WAIT << (run->store_tries - 1);

            run->wake = gf_clock_now() + (wait > outcome.retry_after ? wait : outcome.retry_after);
            step = GF_STEP_GOES_ON;
        }
        else {
            step = run->job->restore_url ? gf_keep_later(steps, run, true)
                                         : gf_keep_unstored(steps, run);
        }
    }
    apr_pool_destroy(msg->pool);
    return step;
}

gf_step_t gf_keep_later(gf_steps_t *steps, gf_run_t *run, bool passing)
{
    int tries = run->job->restore_tries < 20 ? run->job->restore_tries : 20;
    apr_interval_time_t wait = AGAIN_WAIT << (tries - 1);

    run->delay = !passing ? 0 : wait < AGAIN_WAIT_MAX ? wait : AGAIN_WAIT_MAX;
    if (!passing) {
        gf_log(gf_steps_about(steps, run), GF_LOG_WARNING, APR_SUCCESS, "GF0416",
               "the picture is gone before it could be stored: %s", run->job->restore_url);
    }
    return gf_steps_act(steps, run, GF_ACT_LATER);
}

gf_step_t gf_keep_unstored(gf_steps_t *steps, gf_run_t *run)
{
    if (steps->ctx.conf->store_strict || run->unstored) {
        return gf_steps_fail(steps, run, GF_E_STORE, NULL);
    }
    run->unstored = true;
    return gf_steps_act(steps, run, GF_ACT_KEEP);
}

/* Asks the store to remove the picture of that type. */
static gf_step_t remove_type(gf_steps_t *steps, gf_run_t *run, const char *extension)
{
    gf_stored_t *facts = apr_pcalloc(run->job->pool, sizeof(*facts));

    facts->image.extension = extension;
    run->stored = facts;
    gf_exchange_delete(steps, run);
    return GF_STEP_GOES_ON;
}

gf_step_t gf_keep_remove(gf_steps_t *steps, gf_run_t *run)
{
    const gf_conf_t *conf = steps->ctx.conf;
    gf_job_t *job = run->job;
    bool anywhere = !job->remove_url[0];
    const char *extension =
        anywhere ? gf_image_extensions[run->remove_at] : gf_image_extension(job->media_type);

    if ((anywhere && !conf->store->remove)
        || gf_store_file(conf, job, job->remove_url, steps->ctx.pool)) {
        return gf_steps_act(steps, run, GF_ACT_REMOVED);
    }
    if (!conf->store->remove || !extension) { /* it was stored under another configuration */
        gf_log(gf_steps_about(steps, run), GF_LOG_WARNING, APR_SUCCESS, "GF0417",
               "its generation was deleted, but this store does not have it; remove it by hand: %s",
               job->remove_url);
        return gf_steps_act(steps, run, GF_ACT_REMOVED);
    }
    return remove_type(steps, run, extension);
}

gf_step_t gf_keep_removed(gf_steps_t *steps, gf_run_t *run)
{
    const gf_store_kind_t *store = steps->ctx.conf->store;
    gf_msg_t *msg = run->msg;
    bool gone = gf_exchange_read_delete(steps, run);
    int status = msg->status;

    run->msg = NULL;
    apr_pool_destroy(msg->pool);
    if (!gone) {
        gf_log(gf_steps_about(steps, run), GF_LOG_WARNING, APR_SUCCESS, "GF0418",
               "the store did not remove a picture that nobody needs (HTTP %d), it is asked again "
               "later: %s",
               status, run->job->remove_url[0] ? run->job->remove_url : run->job->id);
        return GF_STEP_OVER;
    }
    if (!run->job->remove_url[0] && !store->any_type && gf_image_extensions[++run->remove_at]) {
        return remove_type(steps, run, gf_image_extensions[run->remove_at]);
    }
    return gf_steps_act(steps, run, GF_ACT_REMOVED);
}

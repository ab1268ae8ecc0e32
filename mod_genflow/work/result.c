/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and stores the picture of a run. Leaves settling to acts.c and restore.c, and what a
 * refusal means to the rules of the kinds. */
#include "work/result.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "store/gate.h"
#include "work/exchange.h"
#include "work/thumbnail.h"

#define UPLOADS_MAX 3
#define UPLOAD_WAIT (APR_USEC_PER_SEC / 2) /* before the second upload; doubles */

#define RETRY_WAIT     (APR_USEC_PER_SEC)        /* before the second attempt; doubles ... */
#define RETRY_WAIT_MAX (apr_time_from_sec(3600)) /* ... up to this */
#define DOUBLINGS      20

/* ---- writer threads ---- */

gf_err_t *gf_result_write(gf_ctx_t *ctx, const char *path, const void *bytes, apr_size_t length)
{
    apr_file_t *file;
    apr_status_t rv =
        apr_file_open(&file, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE,
                      APR_FPROT_OS_DEFAULT, ctx->pool);

    if (rv == APR_SUCCESS) {
        rv = apr_file_write_full(file, bytes, length, NULL);
        apr_file_close(file);
    }
    return rv == APR_SUCCESS ? NULL : gf_err_make(ctx, GF_E_STORE, rv, "cannot write %s", path);
}

static gf_err_t *decode_base64(gf_run_t *run, gf_ctx_t *ctx)
{
    apr_size_t length = 0;
    const void *bytes =
        apr_pdecode_base64_binary(ctx->pool, run->result.text, APR_ENCODE_STRING, 0, &length);

    if (!bytes) {
        return gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS, "the picture's text is no base64");
    }
    return gf_result_write(ctx, run->result.spool, bytes, length);
}

static void note_facts(gf_run_t *run, const gf_stored_t *stored)
{
    run->result.facts = apr_pmemdup(run->job->pool, stored, sizeof(*stored));
    if (stored->url) {
        run->result.image_url = apr_pstrdup(run->job->pool, stored->url);
    }
}

gf_err_t *gf_result_check(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_result_t *result = &run->result;
    gf_stored_t stored = { .url = NULL };
    gf_err_t *err = NULL;

    if (result->text && !result->facts) {
        GF_TRY(decode_base64(run, ctx));
    }
    if (!result->image_url && ctx->conf->store->put) {
        err = gf_store_put(&stored, ctx, run->job, result->spool);
        result->spool_removed = !err;
    }
    else if (!result->facts) {
        err = gf_store_inspect(&stored, ctx, result->spool);
    }
    if (stored.sha256[0]) { /* it is a picture, even if it could not be put there */
        note_facts(run, &stored);
    }
    return err;
}

gf_err_t *gf_result_make_ready(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *ready = gf_store_ready(ctx->conf, run->job, ctx->pool);
    apr_status_t rv = apr_file_rename(run->result.spool, ready, ctx->pool);

    if (rv != APR_SUCCESS) {
        return gf_err_make(ctx, GF_E_STORE, rv, "cannot rename %s", run->result.spool);
    }
    run->result.spool = apr_pstrdup(run->job->pool, ready);
    return NULL;
}

void gf_result_find(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_stored_t stored = { .url = NULL };

    if (ctx->conf->store->put) {
        if (gf_store_find(&stored, ctx, run->job)) {
            note_facts(run, &stored);
        }
    }
    else if (!gf_store_inspect(&stored, ctx, gf_store_ready(ctx->conf, run->job, ctx->pool))) {
        run->result.spool = gf_store_ready(ctx->conf, run->job, run->job->pool);
        note_facts(run, &stored);
    }
}

gf_err_t *gf_result_store_temporarily(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_result_t *result = &run->result;
    gf_stored_t stored = *result->facts;

    if (result->original_url && strncmp(result->original_url, "http", 4) == 0) {
        result->image_url = result->original_url;
        return NULL;
    }
    GF_TRY(gf_store_put(&stored, ctx, run->job, result->spool));
    result->spool_removed = true;
    result->image_url = apr_pstrdup(run->job->pool, stored.url);
    return NULL;
}

void gf_result_want_thumbnail(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *file = ctx->conf->store->put ? NULL : run->result.spool;

    if (run->settled == GF_SETTLED_DONE
        && gf_thumbnailer_want(run->thumbnailer, run->job,
                               gf_store_name(run->result.facts, run->job, ctx->pool), file,
                               ctx->pool)) {
        run->result.spool_removed = true;
    }
}

void gf_result_discard(const gf_run_t *run, gf_ctx_t *ctx)
{
    const char *file = gf_store_file(ctx->conf, run->job, run->result.image_url, ctx->pool);

    if (file) {
        gf_store_fs_remove(file, ctx->pool);
    }
}

bool gf_result_came_late(const gf_run_t *run)
{
    return run->settled == GF_SETTLED_ALREADY_ENDED || run->settled == GF_SETTLED_UNKNOWN;
}

void gf_result_log_refusal(gf_flow_t *flow, const gf_run_t *run)
{
    static const char *const words[] = {
        [GF_SETTLED_SAME] = "same: it had already ended so; there is nothing to do",
        [GF_SETTLED_ALREADY_ENDED] = "already_ended: it had ended otherwise; this result is "
                                     "discarded",
        [GF_SETTLED_STALE] = "stale: another host holds the lease and ends it",
        [GF_SETTLED_UNKNOWN] = "unknown: the generation was deleted; this result is discarded"
    };

    gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0404", "settle refused: %s",
           words[run->settled]);
}

apr_interval_time_t gf_result_retry_wait(int tries)
{
    apr_interval_time_t wait = RETRY_WAIT << ((tries < DOUBLINGS ? tries : DOUBLINGS) - 1);

    return wait < RETRY_WAIT_MAX ? wait : RETRY_WAIT_MAX;
}

/* ---- the store over HTTP ---- */

static gf_store_call_t call_of(const gf_flow_t *flow, const gf_run_t *run, apr_pool_t *pool)
{
    gf_store_call_t call = gf_store_call(flow->ctx.conf, run->job, run->result.facts, pool);

    call.file = run->result.spool;
    call.taken = run->result.name_taken;
    return call;
}

gf_msg_t *gf_result_upload(gf_flow_t *flow, gf_run_t *run)
{
    gf_store_call_t call = call_of(flow, run, gf_run_pool(flow));

    return gf_exchange_limit(flow, flow->ctx.conf->store->upload(&call));
}

static void log_trouble(gf_flow_t *flow, const gf_run_t *run, const gf_store_outcome_t *outcome)
{
    const gf_ctx_t *ctx = gf_run_about(flow, run);
    const char *detail = outcome->detail ? outcome->detail : "";

    if (outcome->alarm) {
        gf_gate_refused(ctx->conf);
        gf_log(ctx, GF_LOG_ERR, APR_SUCCESS, "GF0410",
               "the store refuses our key or account: %s; check GenflowStoreKey and "
               "GenflowStoreSecret",
               detail);
    }
    else {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0411", "the store did not take the picture%s%s",
               detail[0] ? ": " : "", detail);
    }
}

void gf_result_read_upload(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool)
{
    gf_store_outcome_t *outcome = &run->result.store;
    gf_store_call_t call = call_of(flow, run, pool);

    memset(outcome, 0, sizeof(*outcome));
    if (run->msg->end == GF_MSG_ANSWERED) {
        flow->ctx.conf->store->read_upload(outcome, &call, run->msg);
    }
    else {
        outcome->state = GF_STORE_LATER; /* to send it twice is harmless */
        outcome->detail = run->msg->detail;
    }
    run->result.uploads++;
    gf_gate_answered(gf_run_about(flow, run), outcome->state == GF_STORE_STORED || outcome->taken);
    if (outcome->taken) {
        run->result.name_taken = true;
        gf_log(gf_run_about(flow, run), GF_LOG_INFO, APR_SUCCESS, "GF0724",
               "another picture has the name of this one in the store: it gets another name");
    }
    else if (outcome->state != GF_STORE_STORED) {
        log_trouble(flow, run, outcome);
    }
}

apr_interval_time_t gf_result_upload_wait(const gf_flow_t *flow, const gf_run_t *run)
{
    apr_interval_time_t wait = UPLOAD_WAIT << (run->result.uploads - 1);
    apr_interval_time_t wished = run->result.store.retry_after;

    (void)flow;
    return wait > wished ? wait : wished;
}

bool gf_result_is_stored(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->result.store.state == GF_STORE_STORED;
}

bool gf_result_may_upload_again(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->result.store.state == GF_STORE_LATER && run->result.uploads < UPLOADS_MAX;
}

bool gf_result_is_checked(const gf_flow_t *flow, const gf_run_t *run)
{
    (void)flow;
    return run->result.facts != NULL;
}

void gf_result_take_url(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->result.image_url = apr_pstrdup(run->job->pool, run->result.store.url);
}

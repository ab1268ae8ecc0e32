/* SPDX-License-Identifier: Apache-2.0 */
/* What writers do for a run: one act, one or two blocking calls, the result noted in the run.
 * Decides nothing; what follows from a result is gf_steps.c's matter. Runs on a writer thread,
 * which owns the run meanwhile. */
#include "work/gf_run.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "store/gf_store.h"

static gf_err_t *settle(gf_run_t *run, gf_ctx_t *ctx, const gf_end_t *end)
{
    const char *word;

    GF_TRY(gf_queue_settle(&word, ctx, run->job, end));
    run->settled = apr_pstrdup(run->job->pool, word);
    return NULL;
}

static void note_stored(gf_run_t *run, const gf_stored_t *stored)
{
    run->image_url = apr_pstrdup(run->job->pool, stored->url);
    run->result = gf_store_result(stored, run->job->pool);
}

static gf_err_t *complete(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_end_t end = { .status = "completed",
                     .choice = run->choice,
                     .fallback = run->job->chain_pos > 0,
                     .image_url = run->image_url,
                     .result = run->result };

    GF_TRY(settle(run, ctx, &end));
    if (strcmp(run->settled, "settled") == 0) { /* too late: it had failed */
        gf_store_remove(ctx, run->image_url);
    }
    return NULL;
}

static gf_err_t *keep(gf_run_t *run, gf_ctx_t *ctx)
{
    if (!run->image_url) {
        gf_stored_t stored;

        GF_TRY(gf_store_put(&stored, ctx, run->job, run->spool));
        note_stored(run, &stored);
    }
    return complete(run, ctx);
}

static gf_err_t *decode(gf_run_t *run, gf_ctx_t *ctx)
{
    apr_size_t length = 0;
    apr_file_t *file;
    apr_status_t rv;
    const void *bytes =
        apr_pdecode_base64_binary(ctx->pool, run->picture_text, APR_ENCODE_STRING, 0, &length);

    if (!bytes) {
        return gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS, "the picture's text is no base64");
    }
    rv = apr_file_open(&file, run->spool, APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE,
                       APR_FPROT_OS_DEFAULT, ctx->pool);
    if (rv == APR_SUCCESS) {
        rv = apr_file_write_full(file, bytes, length, NULL);
        apr_file_close(file);
    }
    if (rv != APR_SUCCESS) {
        return gf_err_make(ctx, GF_E_STORE, rv, "cannot write %s", run->spool);
    }
    return keep(run, ctx);
}

static gf_err_t *adopt_picture(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_stored_t stored;

    if (!gf_store_find(&stored, ctx, run->job)) {
        return NULL;
    }
    note_stored(run, &stored);
    return complete(run, ctx);
}

static gf_err_t *draw(gf_run_t *run, gf_ctx_t *ctx)
{
    if (!run->image_url) {
        const gf_prov_kind_t *kind = run->choice->provider->kind;
        const gf_prov_call_t call = { .provider = run->choice->provider,
                                      .model = run->choice->model,
                                      .job = run->job,
                                      .pool = ctx->pool };
        apr_status_t rv = kind->draw(&call, run->spool);

        if (rv != APR_SUCCESS) {
            return gf_err_make(ctx, GF_E_STORE, rv, "cannot draw into %s", run->spool);
        }
    }
    return keep(run, ctx);
}

/* What an attempt that failed may have left: half a picture, or one that is not to be kept. */
static void clear_spool(const gf_run_t *run, gf_ctx_t *ctx)
{
    apr_file_remove(run->spool, ctx->pool);
}

static gf_err_t *fail(gf_run_t *run, gf_ctx_t *ctx)
{
    const gf_err_row_t *row = gf_err_row(run->code);
    gf_end_t end = { .status = "failed",
                     .choice = run->choice,
                     .fallback = run->job->chain_pos > 0,
                     .error_code = row->code,
                     .error_message = row->text,
                     .cause_code = run->cause };

    clear_spool(run, ctx);
    return settle(run, ctx, &end);
}

static gf_err_t *act(gf_run_t *run, gf_ctx_t *ctx)
{
    switch (run->act) {
    case GF_ACT_ATTEMPT:
        return gf_queue_attempt(&run->hold, ctx, run->job, run->choice, NULL);
    case GF_ACT_ACCEPTED:
        return gf_queue_accepted(&run->hold, ctx, run->job, run->choice,
                                 run->choice->provider->kind->name);
    case GF_ACT_REQUEUE:
        clear_spool(run, ctx);
        return gf_queue_requeue(&run->hold, ctx, run->job, run->delay, gf_err_row(run->code)->code);
    case GF_ACT_DRAW:
        return draw(run, ctx);
    case GF_ACT_ADOPT:
        return adopt_picture(run, ctx);
    case GF_ACT_DECODE:
        return decode(run, ctx);
    case GF_ACT_KEEP:
        return keep(run, ctx);
    case GF_ACT_FAIL:
        return fail(run, ctx);
    }
    return NULL;
}

/* An error outlives the writer's pool: it goes along with the run. */
static gf_err_t *take_along(gf_run_t *run, const gf_err_t *err)
{
    gf_err_t *copy = apr_pmemdup(run->job->pool, err, sizeof(*err));

    copy->detail = apr_pstrdup(run->job->pool, err->detail);
    return copy;
}

void gf_acts_run(gf_task_t *task, gf_ctx_t *ctx)
{
    gf_run_t *run = (gf_run_t *)task;
    gf_err_t *err;

    ctx->subject = gf_job_subject(run->job, ctx->pool);
    err = act(run, ctx);
    run->err = err ? take_along(run, err) : NULL;
    ctx->subject = "";
}

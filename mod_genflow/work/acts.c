/* SPDX-License-Identifier: Apache-2.0 */
/* What writers do for a run: one act, a few blocking calls, the result noted in the run. Decides
 * nothing; what follows from a result is the matter of gf_steps.c and gf_keep.c. Runs on a writer
 * thread, which owns the run meanwhile. */
#include "work/run.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "db/asset.h"
#include "db/delivery.h"
#include "db/provider_webhook.h"
#include "db/picture.h"
#include "model/source.h"
#include "store/gate.h"

static gf_err_t *write_file(gf_ctx_t *ctx, const char *path, const void *bytes, apr_size_t length)
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

/* ---- the source picture ---- */

/* An uploaded one, as its provider takes it: a file, or a data: URI. */
static gf_err_t *source_asset(gf_run_t *run, gf_ctx_t *ctx, const char *id)
{
    gf_asset_t asset;

    GF_TRY(gf_asset_read(&asset, ctx, id));
    if (!asset.bytes) {
        return gf_err_make(ctx, GF_E_SOURCE, APR_SUCCESS, "asset %s is gone", id);
    }
    if (run->source_file) {
        return write_file(ctx, run->source_file, asset.bytes, (apr_size_t)asset.size);
    }
    run->source = apr_pstrcat(
        run->job->pool, "data:", asset.type, ";base64,",
        apr_pencode_base64_binary(ctx->pool, asset.bytes, (apr_ssize_t)asset.size, 0, NULL), NULL);
    return NULL;
}

static gf_err_t *source(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *asset = gf_source_asset_id(run->job->source_url);
    gf_stored_t facts;
    gf_err_t *err;

    if (asset) {
        GF_TRY(source_asset(run, ctx, asset));
    }
    if (!run->source_file) {
        return NULL;
    }
    err = gf_store_look_source(&facts, ctx, run->source_file);
    if (gf_err_is(err, GF_E_RESULT) || gf_err_is(err, GF_E_EMPTY)) {
        return gf_err_make(ctx, GF_E_SOURCE, APR_SUCCESS, "%s", err->detail);
    }
    run->source_type = facts.image.type;
    return err;
}

/* ---- ends ---- */

/* What this attempt wrote on the disk of this host. */
static void clear_files(const gf_run_t *run, gf_ctx_t *ctx)
{
    if (!run->spool_is_copy) {
        apr_file_remove(run->spool, ctx->pool);
    }
    if (run->source_file) {
        apr_file_remove(run->source_file, ctx->pool);
    }
}

static gf_err_t *settle(gf_run_t *run, gf_ctx_t *ctx, gf_end_t *end)
{
    const char *word;

    end->choice = run->choice;
    end->fallback = run->job->chain_pos > run->job->begin;
    GF_TRY(gf_queue_settle(&word, ctx, run->job, end));
    run->settled = apr_pstrdup(run->job->pool, word);
    return NULL;
}

bool gf_run_came_late(const gf_run_t *run)
{
    return strcmp(run->settled, "settled") == 0 || strcmp(run->settled, "unknown") == 0;
}

/* A picture that was stored again is told to its row; the copy that stood in for it goes. */
static gf_err_t *restored(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *copy = gf_store_file(ctx->conf, run->job, run->job->restore_url, ctx->pool);
    bool gone;

    GF_TRY(gf_picture_restored(&gone, ctx, run->job, run->image_url,
                               gf_store_result(run->stored, ctx->pool)));
    run->settled = gone ? "unknown" : "stored";
    if (copy && !ctx->conf->store->put) {
        apr_file_remove(copy, ctx->pool);
    }
    return NULL;
}

/* A picture that comes second is removed: from the folder here, from elsewhere by the removal that
 * settle recorded. */
static gf_err_t *complete(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_end_t end = { .status = "completed",
                     .image_url = run->image_url,
                     .original_url = run->original_url,
                     .unstored = run->unstored,
                     .keeps = run->unstored && run->image_url == run->original_url
                                  ? run->choice->provider->kind->result_life
                                  : 0,
                     .result = gf_store_result(run->stored, ctx->pool) };
    const char *copy;

    if (run->job->restore_url) {
        GF_TRY(restored(run, ctx));
    }
    else {
        GF_TRY(settle(run, ctx, &end));
    }
    copy = gf_store_file(ctx->conf, run->job, run->image_url, ctx->pool);
    if (gf_run_came_late(run) && copy) {
        apr_file_remove(copy, ctx->pool);
    }
    clear_files(run, ctx);
    return NULL;
}

static gf_err_t *fail(gf_run_t *run, gf_ctx_t *ctx)
{
    const gf_err_row_t *row = gf_err_row(run->code);
    gf_end_t end = { .status = "failed",
                     .error_code = row->code,
                     .error_message = row->text,
                     .cause_code = run->cause };

    clear_files(run, ctx);
    return settle(run, ctx, &end);
}

/* ---- keeping ---- */

static void note_facts(gf_run_t *run, const gf_stored_t *stored)
{
    run->stored = apr_pmemdup(run->job->pool, stored, sizeof(*stored));
    if (stored->url) {
        run->image_url = apr_pstrdup(run->job->pool, stored->url);
    }
}

/* The picture gets the name under which it is found should this process die while it is sent to the
 * store. */
static gf_err_t *make_ready(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *ready = gf_store_ready(ctx->conf, run->job, ctx->pool);
    apr_status_t rv = apr_file_rename(run->spool, ready, ctx->pool);

    if (rv != APR_SUCCESS) {
        return gf_err_make(ctx, GF_E_STORE, rv, "cannot rename %s", run->spool);
    }
    run->spool = apr_pstrdup(run->job->pool, ready);
    return NULL;
}

/* The store would not take it: for now it is where the provider has it, or in our folder. */
static gf_err_t *keep_for_now(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_stored_t stored = *run->stored;

    if (run->original_url && strncmp(run->original_url, "http", 4) == 0) {
        run->image_url = run->original_url;
        return NULL;
    }
    GF_TRY(gf_store_put(&stored, ctx, run->job, run->spool));
    run->image_url = apr_pstrdup(run->job->pool, stored.url);
    return NULL;
}

static gf_err_t *keep(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_stored_t stored = { .url = NULL };
    gf_err_t *err = NULL;

    if (run->unstored && !run->image_url) {
        GF_TRY(keep_for_now(run, ctx));
    }
    else if (!run->image_url && ctx->conf->store->put) {
        err = gf_store_put(&stored, ctx, run->job, run->spool);
    }
    else if (!run->stored) {
        err = gf_store_look(&stored, ctx, run->spool);
    }
    if (stored.sha256[0]) { /* it is a picture, even if it could not be put there */
        note_facts(run, &stored);
    }
    GF_TRY(err);
    if (run->image_url) {
        return complete(run, ctx);
    }
    return run->spool_is_copy ? NULL : make_ready(run, ctx);
}

static gf_err_t *decode(gf_run_t *run, gf_ctx_t *ctx)
{
    apr_size_t length = 0;
    const void *bytes;

    if (run->stored) { /* a settle that is repeated */
        return keep(run, ctx);
    }
    bytes = apr_pdecode_base64_binary(ctx->pool, run->picture_text, APR_ENCODE_STRING, 0, &length);
    if (!bytes) {
        return gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS, "the picture's text is no base64");
    }
    GF_TRY(write_file(ctx, run->spool, bytes, length));
    return keep(run, ctx);
}

/* An earlier run may have put it into the folder, or got it ready for the store. */
static gf_err_t *adopt_picture(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_stored_t stored = { .url = NULL };

    if (ctx->conf->store->put) {
        if (!gf_store_find(&stored, ctx, run->job)) {
            return NULL;
        }
        note_facts(run, &stored);
        return complete(run, ctx);
    }
    if (!gf_store_look(&stored, ctx, gf_store_ready(ctx->conf, run->job, ctx->pool))) {
        run->spool = gf_store_ready(ctx->conf, run->job, run->job->pool);
        note_facts(run, &stored);
    }
    return NULL;
}

static gf_err_t *draw(gf_run_t *run, gf_ctx_t *ctx)
{
    if (!run->stored) {
        GF_TRY(gf_gate_check(ctx, run->job->type, true));
    }
    if (!run->stored) {
        const gf_prov_call_t call = { .provider = run->choice->provider,
                                      .model = run->choice->model,
                                      .job = run->job,
                                      .source_file = run->source_file,
                                      .source_type = run->source_type,
                                      .pixels_max = ctx->conf->asset_pixels_max,
                                      .pool = ctx->pool };
        apr_status_t rv = run->choice->provider->kind->draw(&call, run->spool);

        if (rv != APR_SUCCESS) {
            return rv == APR_EINVAL && run->source_file
                       ? gf_err_make(ctx, GF_E_SOURCE, rv, "the source picture cannot be decoded")
                       : gf_err_make(ctx, GF_E_STORE, rv, "cannot draw into %s", run->spool);
        }
    }
    return keep(run, ctx);
}

/* ---- the client's webhook ---- */

/* It is told what whoever asks for the generation at GenflowPublicUrl is answered. */
static gf_err_t *tell(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *host = strstr(ctx->conf->public_url, "://") + 3;
    const char *base = host + strcspn(host, "/");
    const char *site = apr_pstrmemdup(ctx->pool, ctx->conf->public_url,
                                      (apr_size_t)(base - ctx->conf->public_url));
    gf_find_t find = { .id = run->job->id };
    gf_view_t view = { .webhook_url = NULL };
    gf_err_t *err = gf_queue_get(&view, ctx, run->job->type, run->job->user, &find);
    gf_out_t out;

    if (err && !gf_err_is(err, GF_E_NO_GENERATION)) {
        return err;
    }
    if (view.webhook_url) {
        gf_out_begin(&out, run->job->pool);
        gf_view_write(&out, &view, base, site);
        gf_out_close(&out, '}');
        run->told = out.text;
        run->webhook_url = apr_pstrdup(run->job->pool, view.webhook_url);
    }
    return NULL;
}

/* ---- one act ---- */

/* Tells the breaker how the attempt went, and the log once, until the model recovers, that it is
 * unknown. If it cannot be told, the act goes on all the same. */
static gf_err_t *note(gf_run_t *run, gf_ctx_t *ctx)
{
    const gf_provider_t *provider = run->choice->provider;
    gf_breaker_t did = GF_BREAKER_NOTED;

    if (run->went != GF_WENT_UNNOTED) {
        GF_TRY(gf_breaker_note(&did, ctx, run->choice, run->went, run->went_why));
    }
    if (run->unknown_model && (did == GF_BREAKER_OPENED || provider->breaker_open == 0)) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0407",
               "the provider does not know this model: change it in GenflowTypeProviders");
    }
    run->unknown_model = false;
    if (did == GF_BREAKER_OPENED) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0408",
               "the breaker of %s/%s opened for %" APR_TIME_T_FMT " ms: %s", provider->name,
               run->choice->model, apr_time_as_msec(provider->breaker_open), run->went_why);
    }
    else if (did == GF_BREAKER_CLOSED) {
        gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0409", "the breaker of %s/%s closed",
               provider->name, run->choice->model);
    }
    run->went = GF_WENT_UNNOTED;
    return NULL;
}

/* Once the picture is gone, from the folder by this, from another store before. */
static gf_err_t *removed(const gf_run_t *run, gf_ctx_t *ctx)
{
    const char *file = gf_store_file(ctx->conf, run->job, run->job->remove_url, ctx->pool);
    apr_status_t rv = file                      ? apr_file_remove(file, ctx->pool)
                      : run->job->remove_url[0] ? APR_SUCCESS
                                                : gf_store_clear(ctx->conf, run->job, ctx->pool);

    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        return gf_err_make(ctx, GF_E_STORE, rv, "cannot remove the picture %s", file ? file : "");
    }
    return gf_picture_removed(ctx, run->job);
}

static gf_err_t *hook_ref(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *ref;

    GF_TRY(gf_hook_ref(&ref, ctx, run->job));
    run->job->provider_ref = apr_pstrdup(run->job->pool, ref);
    return NULL;
}

static gf_err_t *act(gf_run_t *run, gf_ctx_t *ctx)
{
    switch (run->act) {
    case GF_ACT_SOURCE:
        return source(run, ctx);
    case GF_ACT_ATTEMPT:
        GF_TRY(gf_gate_check(ctx, run->job->type, true)); /* nothing is paid for in vain */
        return gf_queue_attempt(&run->hold, ctx, run->job, run->choice, run->hook_token);
    case GF_ACT_ACCEPTED:
        return gf_queue_accepted(&run->hold, ctx, run->job, run->choice,
                                 run->choice->provider->kind_name);
    case GF_ACT_PROGRESS:
        return gf_queue_progress(&run->hold, ctx, run->job, &run->said);
    case GF_ACT_HOOK_REF:
        return hook_ref(run, ctx);
    case GF_ACT_REQUEUE:
        clear_files(run, ctx);
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
    case GF_ACT_LATER:
        clear_files(run, ctx);
        return gf_picture_later(ctx, run->job, run->delay);
    case GF_ACT_REMOVED:
        return removed(run, ctx);
    case GF_ACT_TELL:
        return tell(run, ctx);
    case GF_ACT_TOLD:
        return gf_delivery_note(ctx, run->job, run->delay);
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
    gf_err_t *unnoted;
    gf_err_t *err;

    ctx->subject = gf_job_subject(run->job, ctx->pool);
    ctx->call = run->call;
    unnoted = run->went != GF_WENT_UNNOTED || run->unknown_model ? note(run, ctx) : NULL;
    err = act(run, ctx);
    if (unnoted && !gf_err_is(err, GF_E_DB_DOWN)) { /* else both come once more */
        gf_err_log(ctx, unnoted);
        run->went = GF_WENT_UNNOTED;
    }
    run->err = err ? take_along(run, err) : NULL;
    ctx->call = NULL;
    ctx->subject = "";
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The work of writers for a generation. The rules in generate.c decide what follows. Writer
 * threads. */
#include "work/acts.h"

#include <apr_encode.h>
#include <apr_strings.h>

#include "db/asset.h"
#include "db/picture.h"
#include "db/provider_webhook.h"
#include "model/source_url.h"
#include "provider/run.h"
#include "store/gate.h"
#include "work/attempt.h"
#include "work/result.h"

/* ---- the source image ---- */

/* An uploaded one, as its provider takes it: a file, or a data: URI. */
static gf_err_t *load_asset(gf_prov_source_t *source, gf_run_t *run, gf_ctx_t *ctx, const char *id,
                            apr_int64_t *bytes)
{
    gf_asset_t asset;

    GF_TRY(gf_asset_read(&asset, ctx, id));
    if (!asset.bytes) {
        return gf_err_make(ctx, GF_E_SOURCE, APR_SUCCESS, "asset %s is gone", id);
    }
    *bytes = asset.size;
    if (source->file) {
        return gf_result_write(ctx, source->file, asset.bytes, (apr_size_t)asset.size);
    }
    source->url = apr_pstrcat(
        run->job->pool, "data:", asset.type, ";base64,",
        apr_pencode_base64_binary(ctx->pool, asset.bytes, (apr_ssize_t)asset.size, 0, NULL), NULL);
    return NULL;
}

static gf_err_t *inspect_file(gf_prov_source_t *source, gf_ctx_t *ctx, apr_int64_t *bytes)
{
    gf_stored_t facts;
    gf_err_t *err = gf_store_inspect_source(&facts, ctx, source->file);

    if (gf_err_is(err, GF_E_RESULT) || gf_err_is(err, GF_E_EMPTY)) {
        return gf_err_make(ctx, GF_E_SOURCE, APR_SUCCESS, "%s", err->detail);
    }
    if (!err) {
        source->type = facts.image.type;
        *bytes = facts.bytes;
    }
    return err;
}

gf_err_t *gf_acts_source(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_generate_t *generate = &run->of.generate;
    apr_int64_t total = 0;
    int i;

    for (i = 0; i < generate->source_count; i++) {
        gf_prov_source_t *source = &generate->sources[i];
        const char *line = gf_source_nth(ctx->pool, run->job->source_url, i);
        const char *asset = gf_source_asset_id(line);
        apr_int64_t bytes = 0;

        if (asset) {
            GF_TRY(load_asset(source, run, ctx, asset, &bytes));
        }
        if (source->file) {
            GF_TRY(inspect_file(source, ctx, &bytes));
        }
        total += bytes;
        if (total > ctx->conf->asset_total) {
            return gf_err_make(ctx, GF_E_SOURCE, APR_SUCCESS,
                               "the source pictures have more bytes together than "
                               "GenflowAssetMaxTotal");
        }
    }
    return NULL;
}

/* ---- the attempt ---- */

gf_err_t *gf_acts_intend(gf_run_t *run, gf_ctx_t *ctx)
{
    gf_prov_call_t call = gf_attempt_call(ctx, run, ctx->pool);

    GF_TRY(gf_gate_check(ctx, run->job->type, true));
    run->job->request_hash = apr_pstrdup(run->job->pool, prov_run_hash(&call));
    return gf_queue_attempt(&run->lease, ctx, run->job, run->of.generate.choice,
                            run->of.generate.webhook_token);
}

gf_err_t *gf_acts_accept(gf_run_t *run, gf_ctx_t *ctx)
{
    const gf_choice_t *choice = run->of.generate.choice;

    return gf_queue_accepted(&run->lease, ctx, run->job, choice, choice->provider->kind_name);
}

gf_err_t *gf_acts_progress(gf_run_t *run, gf_ctx_t *ctx)
{
    return gf_queue_progress(&run->lease, ctx, run->job, &run->of.generate.progress);
}

gf_err_t *gf_acts_look_up(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *ref;

    GF_TRY(gf_provider_webhook_ref(&ref, ctx, run->job));
    run->job->provider_ref = apr_pstrdup(run->job->pool, ref);
    return NULL;
}

/* Files of this attempt on the disk of this host. */
static void clear_files(const gf_run_t *run, gf_ctx_t *ctx)
{
    int i;

    if (!run->result.spool_removed) {
        apr_file_remove(run->result.spool, ctx->pool);
    }
    for (i = 0; i < run->of.generate.source_count; i++) {
        if (run->of.generate.sources[i].file) {
            apr_file_remove(run->of.generate.sources[i].file, ctx->pool);
        }
    }
}

gf_err_t *gf_acts_requeue(gf_run_t *run, gf_ctx_t *ctx)
{
    clear_files(run, ctx);
    return gf_queue_requeue(&run->lease, ctx, run->job, run->delay,
                            run->of.generate.unsure ? "UNKNOWN"
                                                    : gf_err_row(run->of.generate.code)->code);
}

/* ---- ends ---- */

static gf_err_t *settle_run(gf_run_t *run, gf_ctx_t *ctx, gf_end_t *end)
{
    end->choice = run->of.generate.choice;
    end->fallback = run->job->chain_pos > run->job->begin;
    GF_TRY(gf_settle_generation(&run->settled, run->is_awaited ? &run->final : NULL, ctx, run->job,
                                end));
    if (run->final) {
        apr_pool_cleanup_register(run->job->pool, run->final, gf_final_release,
                                  apr_pool_cleanup_null);
    }
    return NULL;
}

/* Nothing came of an upload, and the generation had ended before: its removal may have come before
 * the bytes did. */
static gf_err_t *remove_stray(const gf_run_t *run, gf_ctx_t *ctx)
{
    bool stray = run->settled != GF_SETTLED_DONE && run->result.uploads > 0;

    return stray ? gf_picture_stray(ctx, run->job) : NULL;
}

/* A picture that came too late is removed: from the folder here, from elsewhere by the removal that
 * settle recorded. */
static gf_err_t *complete_run(gf_run_t *run, gf_ctx_t *ctx, bool temporary)
{
    const gf_result_t *result = &run->result;
    gf_end_t end = { .status = "completed",
                     .image_url = result->image_url,
                     .original_url = result->original_url,
                     .stored_temporarily = temporary,
                     .url_lifetime = temporary && result->image_url == result->original_url
                                         ? run->of.generate.choice->provider->kind->result_life
                                         : 0,
                     .result = gf_store_result(result->facts, ctx->pool) };

    GF_TRY(settle_run(run, ctx, &end));
    if (temporary) {
        GF_TRY(remove_stray(run, ctx));
    }
    if (gf_result_came_late(run)) {
        gf_result_discard(run, ctx);
    }
    if (!temporary) {
        gf_result_want_thumbnail(run, ctx);
    }
    clear_files(run, ctx);
    return NULL;
}

gf_err_t *gf_acts_settle(gf_run_t *run, gf_ctx_t *ctx)
{
    return complete_run(run, ctx, false);
}

gf_err_t *gf_acts_store_temporarily(gf_run_t *run, gf_ctx_t *ctx)
{
    if (!run->result.image_url) {
        GF_TRY(gf_result_store_temporarily(run, ctx));
    }
    return complete_run(run, ctx, true);
}

gf_err_t *gf_acts_check(gf_run_t *run, gf_ctx_t *ctx)
{
    GF_TRY(gf_result_check(run, ctx));
    return run->result.image_url ? complete_run(run, ctx, false) : gf_result_make_ready(run, ctx);
}

gf_err_t *gf_acts_adopt(gf_run_t *run, gf_ctx_t *ctx)
{
    if (!run->result.facts) { /* else it is a settle that is repeated */
        gf_result_find(run, ctx);
    }
    return run->result.image_url ? complete_run(run, ctx, false) : NULL;
}

gf_err_t *gf_acts_draw(gf_run_t *run, gf_ctx_t *ctx)
{
    const gf_prov_call_t call = gf_attempt_call(ctx, run, ctx->pool);
    apr_status_t rv;

    if (run->result.facts) { /* a settle that is repeated */
        return gf_acts_check(run, ctx);
    }
    GF_TRY(gf_gate_check(ctx, run->job->type, true));
    rv = call.provider->kind->draw(&call, run->result.spool);
    if (rv == APR_SUCCESS) {
        return gf_acts_check(run, ctx);
    }
    return rv == APR_EINVAL && call.source_file
               ? gf_err_make(ctx, GF_E_SOURCE, rv, "the source picture cannot be decoded")
               : gf_err_make(ctx, GF_E_STORE, rv, "cannot draw into %s", run->result.spool);
}

gf_err_t *gf_acts_fail(gf_run_t *run, gf_ctx_t *ctx)
{
    const gf_err_row_t *row = gf_err_row(run->of.generate.code);
    gf_end_t end = { .status = "failed",
                     .error_code = row->code,
                     .error_message = row->text,
                     .cause_code = run->of.generate.cause };

    clear_files(run, ctx);
    GF_TRY(settle_run(run, ctx, &end));
    return remove_stray(run, ctx);
}

/* ---- the breaker ---- */

/* Notes how the attempt went for the breaker, and logs once, until the model recovers, that it is
 * unknown. */
static gf_err_t *note_health(gf_run_t *run, gf_ctx_t *ctx)
{
    const gf_choice_t *choice = run->of.generate.choice;
    gf_health_t *health = &run->of.generate.health;
    gf_breaker_t did = GF_BREAKER_NOTED;

    if (health->went != GF_WENT_UNNOTED) {
        GF_TRY(gf_breaker_note(&did, ctx, choice, health->went, health->why));
    }
    if (health->unknown && (did == GF_BREAKER_OPENED || choice->provider->breaker_open == 0)) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0407",
               "the provider does not know this model: change it in GenflowTypeProviders");
    }
    health->unknown = false;
    if (did == GF_BREAKER_OPENED) {
        gf_metric_add(ctx->metrics, GF_METRIC_BREAKER_OPENED, 1, choice->provider->name, NULL,
                      NULL);
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0408",
               "the breaker of %s/%s opened for %" APR_TIME_T_FMT " ms: %s", choice->provider->name,
               choice->model, apr_time_as_msec(choice->provider->breaker_open), health->why);
    }
    else if (did == GF_BREAKER_CLOSED) {
        gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0409", "the breaker of %s/%s closed",
               choice->provider->name, choice->model);
    }
    health->went = GF_WENT_UNNOTED;
    return NULL;
}

gf_err_t *gf_acts_perform(gf_run_t *run, gf_ctx_t *ctx,
                          gf_err_t *(*act)(gf_run_t *run, gf_ctx_t *ctx))
{
    gf_health_t *health = &run->of.generate.health;
    bool noteworthy = health->went != GF_WENT_UNNOTED || health->unknown;
    gf_err_t *unnoted = noteworthy ? note_health(run, ctx) : NULL;
    gf_err_t *err = act(run, ctx);

    if (unnoted && !gf_err_is(err, GF_E_DB_DOWN)) { /* else both come once more */
        gf_err_log(ctx, unnoted);
        health->went = GF_WENT_UNNOTED;
    }
    return err;
}

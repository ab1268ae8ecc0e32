/* SPDX-License-Identifier: Apache-2.0 */
/* Makes jobs, and writes the one generation object of the wire. Leaves rows to db/ and transport to
 * api/. */
#include "model/job.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/memory.h"
#include "model/price.h"
#include "model/realm.h"
#include "model/servers.h"
#include "model/source_url.h"
#include "model/url.h"
#include "model/type.h"

gf_job_t *gf_job_make(const gf_type_t *type)
{
    apr_pool_t *pool = gf_memory_pool("genflow_job");
    gf_job_t *job = apr_pcalloc(pool, sizeof(*job));

    job->pool = pool;
    job->type = type;
    job->created = gf_clock_now();
    return job;
}

void gf_job_free(gf_job_t *job)
{
    apr_pool_destroy(job->pool);
}

void gf_job_begin(gf_job_t *job, gf_ctx_t *ctx)
{
    job->begin = gf_type_begin(job->type, ctx, job->parameters, job->source_url);
    job->chain_pos = job->chain_pos < job->begin ? job->begin : job->chain_pos;
}

int gf_job_next(const gf_job_t *job, gf_ctx_t *ctx, int position)
{
    const gf_price_sold_t sold = { .credits = job->cost,
                                   .parameters = job->parameters,
                                   .begin = job->begin };

    position = gf_type_next(job->type, position, job->source_url);
    while (position > job->begin && position != GF_TYPE_LOCAL && gf_type_choice(job->type, position)
           && !gf_price_pays(ctx, job->type, &sold, position)) {
        position = gf_type_next(job->type, position + 1, job->source_url);
    }
    return position;
}

const char *gf_job_subject(const gf_job_t *job, apr_pool_t *pool)
{
    if (!job->provider) {
        return apr_psprintf(pool, "job=%s type=%s user=%s: ", job->id, job->type->name, job->user);
    }
    return apr_psprintf(pool,
                        "job=%s type=%s user=%s provider=%s model=%s attempt=%d/%d: ", job->id,
                        job->type->name, job->user, job->provider, job->model, job->retries + 1,
                        job->max_retries + 1);
}

bool gf_view_waits(const gf_view_t *view)
{
    return view->queue_position_json && strcmp(view->status, "pending") == 0;
}

bool gf_view_ended(const gf_view_t *view)
{
    return strcmp(view->status, "pending") != 0 && strcmp(view->status, "processing") != 0;
}

int gf_view_poll_after(const gf_view_t *view, const gf_conf_t *conf)
{
    apr_interval_time_t wait = conf->poll_after;
    apr_interval_time_t passed = wait;

    while (passed <= view->age_ms * 1000 && wait < conf->poll_after_max) {
        wait *= 2;
        passed += wait;
    }
    wait = wait < conf->poll_after_max ? wait : conf->poll_after_max;
    return (int)((wait + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC);
}

/* An address of ours becomes absolute; a provider's is left alone. */
static const char *absolute_url(const gf_out_t *out, const char *site, const char *url)
{
    return url && url[0] == '/' ? apr_pstrcat(out->pool, site, url, NULL) : url;
}

/* A JSON array of one text, or of none. */
static const char *list_of(apr_pool_t *pool, const char *text)
{
    gf_out_t list;

    gf_out_init(&list, pool, 256);
    gf_out_open(&list, '[');
    if (text) {
        gf_out_string(&list, text);
    }
    gf_out_close(&list, ']');
    return list.text;
}

static void write_identity(gf_out_t *out, const gf_view_t *view)
{
    gf_out_put_string(out, "id", view->id);
    gf_out_put_string(out, "jobId", view->id);
    gf_out_put_string(out, "generationId", view->id);
    gf_out_put_string(out, "runId", view->run_id);
    gf_out_put_string(out, "type", gf_type_wire(view->type));
    gf_out_put_string(out, "status", view->status);
}

static void write_thumbnail(gf_out_t *out, const gf_view_t *view, const char *site)
{
    bool stored = view->persisted && view->image_url;
    const char *url =
        stored ? gf_thumbnail_url(view->thumbnails, view->image_url, view->thumbnail, out->pool)
               : NULL;

    gf_out_put_string(out, "thumbnailUrl", absolute_url(out, site, url));
    gf_out_put_string(out, "color", url ? view->color : NULL);
}

/* {"at"}, or null. The reason is the administrators'. */
static void write_takedown(gf_out_t *out, const gf_view_t *view)
{
    gf_out_put_raw(out, "takenDown",
                   view->taken_down_at
                       ? apr_pstrcat(out->pool, "{\"at\":\"", view->taken_down_at, "\"}", NULL)
                       : NULL);
}

static void write_picture(gf_out_t *out, const gf_view_t *view, const char *site)
{
    const char *url = absolute_url(out, site, view->image_url);

    gf_out_put_string(out, "imageUrl", url);
    gf_out_put_string(out, "cloudinaryUrl", url);
    if (view->thumbnails) {
        write_thumbnail(out, view, site);
    }
    gf_out_put_raw(out, "resultImages", list_of(out->pool, url));
    gf_out_put_string(out, "originalUrl", view->original_url);
    gf_out_put_string(
        out, "originalFalUrl",
        view->provider_kind && strcmp(view->provider_kind, "fal") == 0 ? view->original_url : NULL);
    gf_out_put_bool(out, "persisted", view->persisted);
    gf_out_put_string(out, "expiresAt", view->expires_at);
    gf_out_put_raw(out, "result", view->result_json);
}

static void write_provider(gf_out_t *out, const gf_view_t *view)
{
    const gf_ref_name_t *ref;

    gf_out_put_string(out, "provider", gf_servers_provider_wire(view->type->conf, view->provider));
    gf_out_put_string(out, "model", view->model);
    for (ref = view->ref_names; ref && ref->name; ref++) {
        bool known = view->provider_kind && strcmp(view->provider_kind, ref->kind) == 0;

        gf_out_put_string(out, ref->name, known ? view->provider_ref : NULL);
    }
}

static void write_request(gf_out_t *out, const gf_view_t *view, const char *base, const char *site)
{
    gf_out_put_string(out, "preset", view->preset);
    gf_out_put_string(out, "prompt", view->prompt);
    gf_out_put_string(out, "sourceUrl", gf_source_shown(out->pool, view->source_url, base, site));
    gf_out_put_raw(out, "parameters", view->parameters_json);
    gf_out_put_raw(out, "seed", view->seed_json);
    gf_out_put_string(out, "userId", gf_realm_name(view->user));
    gf_out_put_string(out, "visibility", view->visibility ? view->visibility : "private");
    gf_out_put_bool(out, "allowRemix", view->allow_remix);
}

/* What its user wrote at it. */
static void write_marks(gf_out_t *out, const gf_view_t *view)
{
    gf_out_put_raw(out, "tags", view->tags_json ? view->tags_json : "[]");
    gf_out_put_bool(out, "favourite", view->favourite);
    gf_out_put_string(out, "title", view->title);
}

static void write_place(gf_out_t *out, const gf_view_t *view)
{
    gf_out_put_raw(out, "queuePosition", view->queue_position_json);
    gf_out_put_raw(out, "expectedSeconds", view->expected_seconds_json);
}

static void write_course(gf_out_t *out, const gf_view_t *view)
{
    gf_out_put_raw(out, "estimatedCost", view->cost_json);
    gf_out_put_raw(out, "tokensUsed",
                   strcmp(view->status, "completed") == 0 ? view->cost_json : "0");
    gf_out_put_raw(out, "retryCount", view->retry_count_json);
    gf_out_put_raw(out, "maxRetries", view->max_retries_json);
    gf_out_put_bool(out, "fallbackUsed", view->fallback_used);
    write_place(out, view);
    gf_out_put_raw(out, "progress", view->progress_json);
    gf_out_put_raw(out, "logs", view->logs_json ? view->logs_json : "[]");
    gf_out_put_string(out, "errorCode", view->error_code);
    gf_out_put_string(out, "errorMessage", view->error_message);
    gf_out_put_string(out, "causeCode", view->cause_code);
    gf_out_put_string(out, "createdAt", view->created_at);
    gf_out_put_string(out, "startedAt", view->started_at);
    gf_out_put_string(out, "finishedAt", view->finished_at);
    gf_out_put_string(out, "completedAt", view->finished_at);
    gf_out_put_raw(out, "processingTime", view->processing_ms_json);
}

void gf_view_write(gf_out_t *out, const gf_view_t *view, const char *base, const char *site)
{
    write_identity(out, view);
    write_picture(out, view, site);
    write_takedown(out, view);
    write_provider(out, view);
    write_request(out, view, base, site);
    write_marks(out, view);
    write_course(out, view);
    if (!gf_view_ended(view)) {
        const char *mount = apr_pstrcat(out->pool, gf_url_path(site), base, NULL);

        gf_out_put_string(out, "pollUrl",
                          apr_pstrcat(out->pool, mount, "/", gf_type_wire(view->type),
                                      "/status?id=", view->id, NULL));
        gf_out_put_string(out, "eventsUrl",
                          apr_pstrcat(out->pool, mount, "/generation/", view->id, "/events", NULL));
    }
}

/* ---- the same as a job ---- */

#define SUMMARY_MAX 100 /* characters */

static const char *job_status(const char *status)
{
    return strcmp(status, "pending") == 0      ? "queued"
           : strcmp(status, "processing") == 0 ? "running"
           : strcmp(status, "completed") == 0  ? "succeeded"
                                               : status;
}

/* The beginning of the prompt, cut between two characters. */
static const char *summary_of(const gf_view_t *view, apr_pool_t *pool)
{
    const char *at = view->prompt ? view->prompt : "";
    const char *start = at;
    int left;

    for (left = SUMMARY_MAX; *at && left > 0; left--) {
        do {
            at++;
        } while ((*at & 0xC0) == 0x80);
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, start, (apr_size_t)(at - start)),
                       *at ? "..." : NULL, NULL);
}

static const char *input_of(const gf_out_t *out, const gf_view_t *view, const char *base,
                            const char *site)
{
    gf_out_t input;

    gf_out_init(&input, out->pool, 512);
    input.twins = out->twins;
    gf_out_open(&input, '{');
    gf_out_put_string(&input, "type", gf_type_wire(view->type));
    write_request(&input, view, base, site);
    gf_out_close(&input, '}');
    return input.text;
}

static const char *result_of(const gf_out_t *out, const gf_view_t *view, const char *site)
{
    gf_out_t result;

    if (!view->image_url) {
        return NULL;
    }
    gf_out_init(&result, out->pool, 512);
    result.twins = out->twins;
    gf_out_open(&result, '{');
    write_picture(&result, view, site);
    gf_out_close(&result, '}');
    return result.text;
}

void gf_view_write_job(gf_out_t *out, const gf_view_t *view, const char *base, const char *site)
{
    gf_out_put_string(out, "id", view->id);
    gf_out_put_string(out, "status", job_status(view->status));
    gf_out_put_string(out, "createdAt", view->created_at);
    gf_out_put_string(out, "startedAt", view->started_at);
    gf_out_put_string(out, "finishedAt", view->finished_at);
    gf_out_put_string(out, "error", view->error_message);
    gf_out_put_string(out, "errorCode", view->error_code);
    gf_out_put_string(out, "errorMessage", view->error_message);
    gf_out_put_raw(out, "retryCount", view->retry_count_json);
    gf_out_put_raw(out, "maxRetries", view->max_retries_json);
    if (gf_view_waits(view)) {
        write_place(out, view);
    }
    gf_out_put_string(out, "provider", gf_servers_provider_wire(view->type->conf, view->provider));
    gf_out_put_string(out, "model", view->model);
    if (view->input_json) { /* flat, as it was sent: its client sends it again */
        gf_out_put_raw(out, "input", view->input_json);
        gf_out_put_raw(out, "inputSummary", view->input_summary_json);
    }
    else {
        gf_out_put_raw(out, "input", input_of(out, view, base, site));
        gf_out_put_string(out, "inputSummary", summary_of(view, out->pool));
    }
    write_marks(out, view);
    gf_out_put_raw(out, "result", result_of(out, view, site));
    gf_out_put_string(out, "resultUrl", absolute_url(out, site, view->image_url));
    write_takedown(out, view);
}

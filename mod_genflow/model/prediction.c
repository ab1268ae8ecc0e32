/* SPDX-License-Identifier: Apache-2.0 */
/* Writes predictions. What clients send is read in front/replicate.c. */
#include "model/prediction.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "model/param.h"
#include "model/source_url.h"

#define FRONT    "front"     /* the member of the parameters */
#define API      "replicate" /* its member `api` */
#define NO_VALUE "hidden"    /* the version of a model that has none */
#define BAR      10          /* characters of the bar of progress */

/* ---- what the row records ---- */

const char *gf_prediction_member(const gf_prediction_t *prediction, apr_pool_t *pool)
{
    gf_out_t out;

    gf_out_init(&out, pool, 256);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "api", API);
    gf_out_put_string(&out, "model", prediction->model);
    if (prediction->version) {
        gf_out_put_string(&out, "version", prediction->version);
    }
    gf_out_put_string(&out, "mount", prediction->mount);
    if (prediction->count > 1) {
        gf_out_put_int(&out, "count", prediction->count);
    }
    if (prediction->is_one) {
        gf_out_put_bool(&out, "one", true);
    }
    if (prediction->on_start) {
        gf_out_put_bool(&out, "start", true);
    }
    if (prediction->on_end) {
        gf_out_put_bool(&out, "end", true);
    }
    gf_out_close(&out, '}');
    return out.text;
}

/* The parameters as an object; NULL: there are none. */
static gf_json_t *parameters_of(const gf_view_t *view, gf_ctx_t *ctx)
{
    const char *text = view->parameters_json;
    gf_json_t *object = NULL;

    return text && !gf_json_parse_reply(&object, ctx, text, strlen(text)) ? object : NULL;
}

bool gf_prediction_read(gf_prediction_t *prediction, gf_ctx_t *ctx, const gf_view_t *view)
{
    const gf_json_t *front = gf_json_get(parameters_of(view, ctx), FRONT);
    apr_int64_t count = 1;
    const char *api;

    prediction->model = gf_type_wire(view->type);
    if (!gf_json_string(gf_json_get(front, "api"), &api) || strcmp(api, API) != 0) {
        return false;
    }
    gf_json_string(gf_json_get(front, "model"), &prediction->model);
    gf_json_string(gf_json_get(front, "version"), &prediction->version);
    gf_json_string(gf_json_get(front, "mount"), &prediction->mount);
    gf_json_int(gf_json_get(front, "count"), &count);
    prediction->count = count >= 1 && count <= GF_BATCH_MAX ? (int)count : 1;
    gf_json_bool(gf_json_get(front, "one"), &prediction->is_one);
    gf_json_bool(gf_json_get(front, "start"), &prediction->on_start);
    gf_json_bool(gf_json_get(front, "end"), &prediction->on_end);
    return prediction->mount != NULL;
}

/* "<run id>-<number>", as gf_param_nth() has it. A retry of one of them alone has another run id.
 */
const char *gf_prediction_nth(const gf_prediction_t *prediction, const gf_view_t *view, int i,
                              apr_pool_t *pool)
{
    const char *number = view->run_id ? strrchr(view->run_id, '-') : NULL;
    apr_int64_t own;

    if (prediction->count <= 1 || !number || !gf_text_int(&own, number + 1) || own < 1
        || own > prediction->count) {
        return NULL;
    }
    return apr_psprintf(pool, "%.*s-%d", (int)(number - view->run_id), view->run_id, i + 1);
}

/* ---- texts ---- */

static bool has_status(const gf_view_t *view, const char *status)
{
    return strcmp(view->status, status) == 0;
}

/* How many have that status? */
static int count_of(const gf_view_t *views, int count, const char *status)
{
    int found = 0;

    while (count-- > 0) {
        found += has_status(&views[count], status);
    }
    return found;
}

bool gf_prediction_ended(const gf_view_t *views, int count)
{
    while (count-- > 0) {
        if (!gf_view_ended(&views[count])) {
            return false;
        }
    }
    return true;
}

const char *gf_prediction_status(const gf_view_t *views, int count, bool created)
{
    if (!gf_prediction_ended(views, count)) {
        return created || count_of(views, count, "pending") == count ? "starting" : "processing";
    }
    return count_of(views, count, "cancelled") > 0   ? "canceled"
           : count_of(views, count, "completed") > 0 ? "succeeded"
                                                     : "failed";
}

/* Of the first one that failed. */
const char *gf_prediction_error(const gf_view_t *views, int count, apr_pool_t *pool)
{
    const char *code;
    const char *text;

    if (strcmp(gf_prediction_status(views, count, false), "failed") != 0) {
        return NULL;
    }
    code = views->error_code ? views->error_code : "";
    text = views->error_message ? views->error_message : code;
    return strcmp(code, "CONTENT_FILTERED") == 0
               ? apr_pstrcat(pool, "NSFW content detected: ", text, NULL)
               : apr_pstrcat(pool, text, " (", code, ")", NULL);
}

/* "76%|#######   | 76/100": clients read the progress from such a line. */
static const char *bar_of(const gf_view_t *view, apr_pool_t *pool)
{
    double progress = view->progress_json ? strtod(view->progress_json, NULL) : -1;
    char bar[BAR + 1];
    int percent;
    int i;

    if (!(progress >= 0 && progress <= 1)) { /* also for what is no number */
        return "";
    }
    percent = (int)(progress * 100);
    for (i = 0; i < BAR; i++) {
        bar[i] = percent * BAR / 100 > i ? '#' : ' ';
    }
    bar[BAR] = '\0';
    return apr_psprintf(pool, "%3d%%|%s| %d/100\n", percent, bar, percent);
}

/* logs_json is a list of texts. */
const char *gf_prediction_logs(const gf_view_t *view, gf_ctx_t *ctx)
{
    const char *text =
        view->logs_json ? apr_pstrcat(ctx->pool, "{\"logs\":", view->logs_json, "}", NULL) : "{}";
    const char *logs = "";
    gf_json_t *document;
    gf_json_t *lines;
    apr_size_t i;

    if (!gf_json_parse_reply(&document, ctx, text, strlen(text))) {
        lines = gf_json_get(document, "logs");
        for (i = 0; i < gf_json_length(lines); i++) {
            const char *line;

            if (gf_json_string(gf_json_at(lines, i), &line)) {
                logs = apr_pstrcat(ctx->pool, logs, line, "\n", NULL);
            }
        }
    }
    return apr_pstrcat(ctx->pool, logs, bar_of(view, ctx->pool), NULL);
}

const char *gf_prediction_picture(const gf_view_t *view, const char *site, apr_pool_t *pool)
{
    const char *url = has_status(view, "completed") ? view->image_url : NULL;

    return url && url[0] == '/' ? apr_pstrcat(pool, site, url, NULL) : url;
}

/* ---- the object ---- */

/* The request as the row has it: what was dropped from it is not there. As JSON; NULL: it cannot be
 * written. */
static const char *input_of(gf_ctx_t *ctx, const gf_prediction_t *prediction, const gf_view_t *view)
{
    gf_json_t *parameters = parameters_of(view, ctx);
    apr_array_header_t *names = gf_json_names(parameters, ctx->pool);
    gf_json_t *input;
    gf_out_t out;
    int i;

    gf_out_init(&out, ctx->pool, 512);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "prompt", view->prompt);
    if (view->source_url) {
        const char *line = gf_source_nth(ctx->pool, view->source_url, 0);
        const char *id = gf_source_asset_id(line);

        gf_out_put_string(&out, "image",
                          id ? apr_pstrcat(ctx->pool, prediction->mount, "/files/", id, NULL)
                             : line);
    }
    if (prediction->count > 1) {
        gf_out_put_int(&out, "num_outputs", prediction->count);
    }
    gf_out_close(&out, '}');
    if (gf_json_parse_reply(&input, ctx, out.text, out.length)) {
        return NULL;
    }
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (strcmp(name, FRONT) != 0) {
            gf_json_add(input, name, gf_json_get(parameters, name));
        }
    }
    return gf_json_text(input);
}

/* A list of the pictures that are there, or the one; null before the end, and without any. */
static void write_output(gf_out_t *out, const gf_prediction_t *prediction, const gf_view_t *views,
                         int count, const char *site)
{
    bool succeeded = gf_prediction_ended(views, count) && count_of(views, count, "completed") > 0;
    int i;

    if (!succeeded || prediction->is_one) {
        gf_out_put_string(out, "output",
                          succeeded ? gf_prediction_picture(views, site, out->pool) : NULL);
        return;
    }
    gf_out_key(out, "output");
    gf_out_open(out, '[');
    for (i = 0; i < count; i++) {
        const char *picture = gf_prediction_picture(&views[i], site, out->pool);

        if (picture) {
            gf_out_string(out, picture);
        }
    }
    gf_out_close(out, ']');
}

/* When the first one was started, and when the last one has ended. */
static void write_times(gf_out_t *out, const gf_view_t *views, int count)
{
    const char *started = NULL;
    const char *finished = NULL;
    int i;

    for (i = 0; i < count; i++) {
        const char *begin = views[i].started_at;
        const char *end = views[i].finished_at;

        started = begin && (!started || strcmp(begin, started) < 0) ? begin : started;
        finished = end && (!finished || strcmp(end, finished) > 0) ? end : finished;
    }
    gf_out_put_string(out, "created_at", views->created_at);
    gf_out_put_string(out, "started_at", started);
    gf_out_put_string(out, "completed_at", gf_prediction_ended(views, count) ? finished : NULL);
}

/* "metrics":{"predict_time":1.5} in seconds, once it has ended: of the slowest. */
static void write_metrics(gf_out_t *out, const gf_view_t *views, int count)
{
    double longest = -1;
    int i;

    for (i = 0; i < count; i++) {
        const char *text = views[i].processing_ms_json;
        double ms = text ? strtod(text, NULL) : -1;

        longest = ms > longest ? ms : longest;
    }
    gf_out_key(out, "metrics");
    gf_out_open(out, '{');
    if (longest >= 0 && gf_prediction_ended(views, count)) {
        gf_out_put_raw(out, "predict_time", apr_psprintf(out->pool, "%.3f", longest / 1000));
    }
    gf_out_close(out, '}');
}

static void write_urls(gf_out_t *out, const gf_view_t *view, const char *mount, const char *stream)
{
    const char *get = apr_pstrcat(out->pool, mount, "/predictions/", view->id, NULL);

    gf_out_key(out, "urls");
    gf_out_open(out, '{');
    gf_out_put_string(out, "get", get);
    gf_out_put_string(out, "cancel", apr_pstrcat(out->pool, get, "/cancel", NULL));
    if (stream) {
        gf_out_put_string(out, "stream", stream);
    }
    gf_out_put_string(out, "web", get);
    gf_out_close(out, '}');
}

void gf_prediction_write(gf_out_t *out, gf_ctx_t *ctx, const gf_prediction_t *prediction,
                         const gf_view_t *views, int count, const char *site, const char *stream,
                         bool created)
{
    const char *version = prediction->version ? prediction->version : NO_VALUE;
    const char *logs = "";
    int i;

    for (i = 0; i < count; i++) {
        logs = apr_pstrcat(ctx->pool, logs, gf_prediction_logs(&views[i], ctx), NULL);
    }
    gf_out_open(out, '{');
    gf_out_put_string(out, "id", views->id);
    gf_out_put_string(out, "model", prediction->model);
    gf_out_put_string(out, "version", version);
    gf_out_put_raw(out, "input", input_of(ctx, prediction, views));
    gf_out_put_string(out, "logs", logs);
    write_output(out, prediction, views, count, site);
    gf_out_put_bool(out, "data_removed", false);
    gf_out_put_string(out, "error", gf_prediction_error(views, count, ctx->pool));
    gf_out_put_string(out, "source", "api");
    gf_out_put_string(out, "status", gf_prediction_status(views, count, created));
    write_times(out, views, count);
    write_metrics(out, views, count);
    write_urls(out, views, prediction->mount, stream);
    gf_out_close(out, '}');
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The events of a prediction: output, logs, error, done. Clients open the address without a key, so
 * it is signed (replicate_link.c). */
#include "front/replicate_route.h"

#include <string.h>

#include <apr_strings.h>

#include "api/stream.h"
#include "base/clock.h"
#include "db/prediction.h"

#define LOOK_EVERY (APR_USEC_PER_SEC / 2) /* at several generations */

/* ---- the events ---- */

typedef struct events_t {
    api_stream_t stream;
    apr_size_t logged; /* bytes of the logs that were sent */
    int sent;          /* events */
    bool must_read;    /* there is news of a row, or they were not read yet */
} events_t;

/* "event: ...", and a line of data for each line of the text: to a client a CR ends one, too. */
static const char *event_of(events_t *events, const char *name, const char *data, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "event: %s\nid: %d\n", name, ++events->sent);

    do {
        apr_size_t length = strcspn(data, "\r\n");

        text = apr_pstrcat(pool, text, "data: ", apr_pstrmemdup(pool, data, length), "\n", NULL);
        data += length;
        data += strncmp(data, "\r\n", 2) == 0 ? 2 : *data != '\0';
    } while (*data);
    return apr_pstrcat(pool, text, "\n", NULL);
}

/* What follows the end: the pictures or the error, and `done`. */
static const char *end_of(events_t *events, const gf_view_t *views, int count, gf_ctx_t *ctx)
{
    const char *site = front_call(events->stream.wait.req)->site.site;
    const char *status = gf_prediction_status(views, count, false);
    const char *error = gf_prediction_error(views, count, ctx->pool);
    const char *text = error ? event_of(events, "error", error, ctx->pool) : "";
    int i;

    for (i = 0; i < count; i++) {
        const char *picture = gf_prediction_picture(&views[i], site, ctx->pool);

        if (picture) {
            text =
                apr_pstrcat(ctx->pool, text, event_of(events, "output", picture, ctx->pool), NULL);
        }
    }
    return apr_pstrcat(ctx->pool, text,
                       event_of(events, "done",
                                error                             ? "{\"reason\":\"error\"}"
                                : strcmp(status, "canceled") == 0 ? "{\"reason\":\"canceled\"}"
                                                                  : "{}",
                                ctx->pool),
                       NULL);
}

static void send_state(events_t *events, const gf_view_t *views, int count)
{
    gf_ctx_t *ctx = &events->stream.wait.ctx;
    const char *logs = gf_prediction_logs(views, ctx);
    bool ended = gf_prediction_ended(views, count);
    apr_size_t length = strlen(logs);
    const char *text = "";

    if (length > events->logged) {
        text = event_of(events, "logs", logs + events->logged, ctx->pool);
        events->logged = length;
    }
    if (ended) {
        text = apr_pstrcat(ctx->pool, text, end_of(events, views, count, ctx), NULL);
    }
    if (*text) {
        api_stream_send(&events->stream, text);
    }
    events->stream.over = events->stream.over || ended;
}

/* Reads the rows in the memory of the step. */
static gf_err_t *read_views(gf_view_t *views, int *count, events_t *events)
{
    api_wait_t *wait = &events->stream.wait;
    const gf_find_t find = { .id = events->stream.watch.id };
    gf_prediction_t prediction = { .model = NULL };
    gf_view_t view;

    GF_TRY(gf_queue_get(&view, &wait->ctx, wait->req->type, wait->req->user, &find));
    gf_prediction_read(&prediction, &wait->ctx, &view);
    return gf_prediction_views(views, count, &wait->ctx, &prediction, &view);
}

/* Sends what is new. While the database is away the stream goes on without. The news are of the
 * first generation: of several the others are looked at. */
static void send_news(events_t *events)
{
    api_wait_t *wait = &events->stream.wait;
    gf_view_t views[GF_BATCH_MAX];
    gf_err_t *err;
    int count = 0;

    err = read_views(views, &count, events);
    events->must_read = wait->failed = gf_err_is(err, GF_E_DB_DOWN);
    if (err) {
        api_stream_log(&events->stream, err);
        events->stream.over = !wait->failed;
        return;
    }
    wait->due = 0;
    if (count > 1) {
        events->must_read = true;
        wait->due = gf_clock_now() + LOOK_EVERY;
    }
    send_state(events, views, count);
}

static gf_err_t *step_events(bool *over, api_wait_t *wait)
{
    events_t *events = (events_t *)wait;
    api_stream_t *stream = &events->stream;

    events->must_read = events->must_read || stream->watch.seen > GF_NEWS_NONE;
    api_stream_send_left(stream);
    if (api_stream_can_send(stream) && events->must_read) {
        apr_pool_clear(wait->ctx.pool);
        send_news(events);
    }
    *over = api_stream_end_step(stream);
    return NULL;
}

gf_err_t *replicate_stream(gf_req_t *req)
{
    events_t *events = apr_pcalloc(req->r->pool, sizeof(*events));
    gf_view_t views[GF_BATCH_MAX];
    int count;

    req->user = replicate_link_user(req);
    if (!req->user) {
        gf_err_t *err = gf_err_make(req->ctx, GF_E_NOT_SIGNED_IN, APR_SUCCESS,
                                    "the address of a stream is not signed, or has expired");

        err->text = "The address of these events is not signed, or has expired; get the prediction";
        return err;
    }
    GF_TRY(replicate_prediction_find(views, &count, req, req->args[0]));
    if (req->r->header_only) {
        api_stream_head(req->r);
        return NULL;
    }
    api_wait_init(&events->stream.wait, req);
    events->stream.watch.id = apr_pstrdup(req->r->pool, views->id);
    events->must_read = true;
    return api_stream_run(&events->stream, step_events);
}

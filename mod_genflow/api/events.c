/* SPDX-License-Identifier: Apache-2.0 */
/* GET generation/{id}/events: its states as server-sent events, each with its ETag as id, until it
 * has ended. A client that reconnects with Last-Event-ID does not get the same event again; 204
 * means that no more events follow. */
#include "api/wait.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>

#include "base/clock.h"
#include "httpd/glue.h"

#define SIGN_OF_LIFE (15 * APR_USEC_PER_SEC)
#define COME_BACK    2000 /* ms: after the stream has ended */
#define FULL_SECONDS 5
#define TAG_SIZE     64

typedef struct stream_t {
    api_wait_t wait;
    gf_watch_t watch;
    gf_ctx_t ctx;        /* of one step */
    char sent[TAG_SIZE]; /* state that the client has; "": none */
    apr_time_t silent_since;
    bool over;
} stream_t;

static gf_err_t *too_many_streams(gf_req_t *req)
{
    gf_err_t *err = gf_err_make(req->ctx, GF_E_WATCH_FULL, APR_SUCCESS, "%s", req->args[0]);

    err->retry_after = FULL_SECONDS;
    return err;
}

/* Proxies and caches must pass on each event at once. */
static void begin_stream(request_rec *r)
{
    ap_set_content_type(r, "text/event-stream");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "X-Accel-Buffering", "no");
    apr_table_setn(r->subprocess_env, "no-gzip", "1");
}

/* A client that is gone, or reads too slowly, ends its stream. */
static void send_text(stream_t *stream, const char *text)
{
    request_rec *r = stream->wait.req->r;

    if (ap_rputs(text, r) < 0 || ap_rflush(r) < 0 || r->connection->aborted) {
        stream->over = true;
    }
    stream->silent_since = gf_clock_now();
}

/* Sends the state, unless the client has it. */
static void send_state(stream_t *stream, const gf_view_t *view)
{
    apr_pool_t *pool = stream->ctx.pool;
    const char *tag;
    const char *text = gf_reply_text(&tag, stream->wait.req, view, pool);

    if (strcmp(tag, stream->sent) != 0) {
        apr_cpystrn(stream->sent, tag, sizeof(stream->sent));
        send_text(stream,
                  apr_pstrcat(pool, "id: ", tag, "\nevent: status\ndata: ", text, "\n\n", NULL));
    }
    stream->over = stream->over || gf_view_ended(view);
}

/* An error comes too late for an error answer: the client comes back, and gets it then. */
static void log_error(gf_req_t *req, const gf_err_t *err)
{
    httpd_glue_name(req->ctx, req->r);
    gf_err_log(req->ctx, err);
}

static gf_err_t *step_stream(bool *over, api_wait_t *wait)
{
    stream_t *stream = (stream_t *)wait;
    gf_req_t *req = wait->req;
    const gf_find_t find = { .id = stream->watch.id };
    gf_view_t view;
    gf_err_t *err;

    apr_pool_clear(stream->ctx.pool);
    if (!wait->gone) {
        err = gf_queue_get(&view, &stream->ctx, req->type, req->user, &find);
        if (err) {
            log_error(req, err);
            stream->over = true;
        }
        else {
            send_state(stream, &view);
        }
    }
    if (!stream->over && !wait->gone && gf_clock_now() - stream->silent_since >= wait->pulse) {
        send_text(stream, ":\n\n");
    }
    *over = stream->over || wait->gone || wait->is_late || wait->closing;
    return NULL;
}

static gf_err_t *run_stream(gf_req_t *req, const char *id, const char *last)
{
    request_rec *r = req->r;
    stream_t *stream = apr_pcalloc(r->pool, sizeof(*stream));

    stream->wait.req = req;
    stream->wait.waiter.watches = &stream->watch;
    stream->wait.waiter.count = 1;
    stream->wait.waiter.enough = GF_NEWS_CHANGED;
    stream->wait.deadline = gf_clock_now() + req->api->conf->events;
    stream->wait.pulse = SIGN_OF_LIFE;
    stream->wait.step = step_stream;
    stream->watch.id = apr_pstrdup(r->pool, id);
    stream->ctx = *req->ctx;
    apr_pool_create(&stream->ctx.pool, r->pool);
    apr_cpystrn(stream->sent, last ? last : "", sizeof(stream->sent));
    if (!api_wait_begin(&stream->wait)) {
        return too_many_streams(req);
    }
    begin_stream(r);
    send_text(stream, apr_psprintf(r->pool, "retry: %d\n\n", COME_BACK));
    return api_wait_run(&stream->wait);
}

gf_err_t *api_events(gf_req_t *req)
{
    request_rec *r = req->r;
    const char *last = apr_table_get(r->headers_in, "Last-Event-ID");
    const char *tag;
    gf_find_t find;
    gf_view_t view;

    GF_TRY(api_generation_find(&find, req));
    GF_TRY(gf_queue_get(&view, req->ctx, req->type, req->user, &find));
    gf_reply_text(&tag, req, &view, r->pool);
    if (gf_view_ended(&view) && last && strcmp(last, tag) == 0) {
        r->status = HTTP_NO_CONTENT;
        return NULL;
    }
    if (r->header_only) {
        begin_stream(r);
        return NULL;
    }
    return run_stream(req, view.id, last);
}

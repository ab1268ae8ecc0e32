/* SPDX-License-Identifier: Apache-2.0 */
/* GET generation/{id}/events: its states as server-sent events, each with its ETag as id, until it
 * has ended. A blocking stream: one thread, counted as a waiter. A client that reconnects with
 * Last-Event-ID does not get the same event again; 204 means that no more events follow. */
#include "api/api.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>

#include "base/clock.h"
#include "httpd/glue.h"

#define READ_INTERVAL APR_USEC_PER_SEC /* news of another process arrive no other way */
#define SIGN_OF_LIFE  (15 * APR_USEC_PER_SEC)
#define COME_BACK     2000 /* ms: after the stream has ended */
#define FULL_SECONDS  5
#define TAG_SIZE      64

typedef struct stream_t {
    gf_req_t *req;
    gf_watch_t watch;
    gf_ctx_t ctx;        /* of one reading */
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
    request_rec *r = stream->req->r;

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
    const char *text = gf_reply_text(&tag, stream->req, view, pool);

    if (strcmp(tag, stream->sent) != 0) {
        apr_cpystrn(stream->sent, tag, sizeof(stream->sent));
        send_text(stream,
                  apr_pstrcat(pool, "id: ", tag, "\nevent: status\ndata: ", text, "\n\n", NULL));
    }
    stream->over = stream->over || gf_view_ended(view);
}

/* Reads and sends until the generation has ended, the client has gone, or time is over. */
static gf_err_t *run_stream(stream_t *stream, const gf_find_t *find)
{
    gf_req_t *req = stream->req;
    gf_hub_t *hub = req->api->hub;
    apr_time_t end = gf_clock_now() + req->api->conf->events;
    gf_view_t view;
    bool gone;

    send_text(stream, apr_psprintf(req->r->pool, "retry: %d\n\n", COME_BACK));
    while (!stream->over) {
        apr_pool_clear(stream->ctx.pool);
        GF_TRY(gf_queue_get(&view, &stream->ctx, req->type, req->user, find));
        send_state(stream, &view);
        if (stream->over || gf_clock_now() >= end) {
            break;
        }
        if (gf_clock_now() - stream->silent_since >= SIGN_OF_LIFE) {
            send_text(stream, ":\n\n");
        }
        if (!stream->over) {
            stream->over = api_wait_news(&gone, req, &stream->watch, GF_NEWS_WORKING, READ_INTERVAL)
                               == GF_NEWS_CLOSING
                           || gone;
        }
        gf_hub_req_news_seen(hub, &stream->watch);
    }
    return NULL;
}

gf_err_t *api_events(gf_req_t *req)
{
    request_rec *r = req->r;
    const char *last = apr_table_get(r->headers_in, "Last-Event-ID");
    stream_t stream = { .req = req, .ctx = *req->ctx };
    const char *tag;
    gf_find_t find;
    gf_view_t view;
    gf_err_t *err;

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
    if (!gf_hub_req_watch(req->api->hub, &stream.watch, view.id, req->user)) {
        return too_many_streams(req);
    }
    begin_stream(r);
    apr_pool_create(&stream.ctx.pool, r->pool);
    apr_cpystrn(stream.sent, last ? last : "", sizeof(stream.sent));
    err = run_stream(&stream, &find);
    gf_hub_req_unwatch(req->api->hub, &stream.watch);
    if (err) { /* too late for an error answer: the client comes back, and gets it then */
        httpd_glue_name(req->ctx, r);
        gf_err_log(req->ctx, err);
    }
    return NULL;
}

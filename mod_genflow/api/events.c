/* SPDX-License-Identifier: Apache-2.0 */
/* GET generation/{id}/events: its states as server-sent events, each with its ETag as id, until it
 * has ended. A client that reconnects with Last-Event-ID does not get the same event again; 204
 * means that no more events follow. */
#include "api/wait.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "base/clock.h"
#include "db/steer.h"
#include "httpd/glue.h"

#define SIGN_OF_LIFE (15 * APR_USEC_PER_SEC)
#define COME_BACK    2000 /* ms: after the stream has ended */
#define FULL_SECONDS 5
#define TAG_SIZE     64

/* A stream keeps one event at most for a client that reads slowly: `left` is in the memory of the
 * step that made it, and the next event is read from the row when all of it is sent. */
typedef struct stream_t {
    api_wait_t wait;
    gf_watch_t watch;
    apr_bucket_brigade *brigade;
    const char *left;      /* of an event: what is still to be sent */
    apr_size_t left_bytes; /* 0: nothing */
    char sent[TAG_SIZE];   /* state that the client has, or that is left; "": none */
    apr_time_t silent_since;
    bool must_read; /* there is news of the row, or it was not read yet */
    bool over;      /* nothing follows */
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

/* Writes without a buffer of httpd's, which each connection would keep. False: the client is gone.
 */
static bool write_bytes(stream_t *stream, const char *text, apr_size_t bytes)
{
    request_rec *r = stream->wait.req->r;
    apr_bucket_alloc_t *list = r->connection->bucket_alloc;
    apr_status_t rv;

    APR_BRIGADE_INSERT_TAIL(stream->brigade, apr_bucket_transient_create(text, bytes, list));
    APR_BRIGADE_INSERT_TAIL(stream->brigade, apr_bucket_flush_create(list));
    rv = ap_pass_brigade(r->output_filters, stream->brigade);
    apr_brigade_cleanup(stream->brigade);
    return rv == APR_SUCCESS && !r->connection->aborted;
}

/* Sends what the client has room for; the rest when it has read. A stream with a thread waits for
 * the client. */
static void send_left(stream_t *stream)
{
    api_wait_t *wait = &stream->wait;
    apr_size_t bytes = stream->left_bytes;
    apr_size_t room = wait->park ? httpd_park_room(wait->park) : bytes;

    bytes = bytes < room ? bytes : room;
    if (bytes > 0) {
        stream->over = !write_bytes(stream, stream->left, bytes) || stream->over;
        stream->left += bytes;
        stream->left_bytes -= bytes;
        stream->silent_since = gf_clock_now();
    }
    wait->keeps = stream->left_bytes > 0;
    if (wait->keeps && wait->park) {
        httpd_park_ring(wait->park); /* when it has read */
    }
}

/* `text` is in the memory of the step, or of the request. Only when nothing is left. */
static void send_text(stream_t *stream, const char *text)
{
    stream->left = text;
    stream->left_bytes = strlen(text);
    send_left(stream);
}

/* Sends the state, unless the client has it. */
static void send_state(stream_t *stream, const gf_view_t *view)
{
    apr_pool_t *pool = stream->wait.ctx.pool;
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
    if (!*req->ctx->subject) {
        httpd_glue_name(req->ctx, req->r);
    }
    gf_err_log(req->ctx, err);
}

/* Reads the row and sends what is new. While the database is away the stream goes on without. */
static void send_news(stream_t *stream)
{
    api_wait_t *wait = &stream->wait;
    gf_req_t *req = wait->req;
    const gf_find_t find = { .id = stream->watch.id };
    gf_view_t view;
    gf_err_t *err = gf_queue_get(&view, &wait->ctx, req->type, req->user, &find);

    stream->must_read = wait->failed = gf_err_is(err, GF_E_DB_DOWN);
    if (err) {
        log_error(req, err);
        stream->over = !wait->failed;
    }
    else {
        send_state(stream, &view);
    }
}

/* Does a step go on with sending? */
static bool can_send(const stream_t *stream)
{
    return stream->left_bytes == 0 && !stream->over && !stream->wait.gone;
}

static gf_err_t *step_stream(bool *over, api_wait_t *wait)
{
    stream_t *stream = (stream_t *)wait;

    stream->must_read = stream->must_read || stream->watch.seen > GF_NEWS_NONE;
    if (stream->left_bytes > 0 && !wait->gone) {
        send_left(stream);
    }
    if (can_send(stream) && stream->must_read) {
        apr_pool_clear(wait->ctx.pool);
        send_news(stream);
    }
    if (can_send(stream) && gf_clock_now() - stream->silent_since >= wait->pulse) {
        send_text(stream, ":\n\n");
    }
    *over =
        (stream->over && stream->left_bytes == 0) || wait->gone || wait->is_late || wait->closing;
    return NULL;
}

static gf_err_t *run_stream(stream_t *stream, const char *last)
{
    gf_req_t *req = stream->wait.req;
    request_rec *r = req->r;

    stream->wait.waiter.watches = &stream->watch;
    stream->wait.waiter.count = 1;
    stream->wait.waiter.enough = GF_NEWS_CHANGED;
    stream->wait.deadline = gf_clock_now() + req->api->conf->events;
    stream->wait.pulse = SIGN_OF_LIFE;
    stream->wait.step = step_stream;
    stream->must_read = true;
    stream->brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
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
    stream_t *stream = apr_pcalloc(r->pool, sizeof(*stream));
    const char *tag;
    gf_find_t find;
    gf_view_t view;

    api_wait_init(&stream->wait, req);
    memset(&find, 0, sizeof(find));
    GF_TRY(gf_steer_find(&find.id, &req->type, &stream->wait.ctx, req->args[0]));
    GF_TRY(gf_queue_get(&view, &stream->wait.ctx, req->type, req->user, &find));
    gf_reply_text(&tag, req, &view, stream->wait.ctx.pool);
    if (gf_view_ended(&view) && last && strcmp(last, tag) == 0) {
        r->status = HTTP_NO_CONTENT;
        return NULL;
    }
    if (r->header_only) {
        begin_stream(r);
        return NULL;
    }
    stream->watch.id = apr_pstrdup(r->pool, view.id);
    return run_stream(stream, last);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* GET generation/{id}/events: its states as server-sent events, each with its ETag as id, until it
 * has ended. A client that reconnects with Last-Event-ID does not get the same event again; 204
 * means that no more events follow. */
#include "api/stream.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "db/steer.h"

#define TAG_SIZE 64

typedef struct events_t {
    api_stream_t stream;
    char sent[TAG_SIZE]; /* state that the client has, or that is left; "": none */
    bool must_read;      /* there is news of the row, or it was not read yet */
    bool waits;          /* it waits in our queue, where its place changes without news */
    apr_time_t read;     /* when it was read last */
} events_t;

/* Sends the state, unless the client has it. */
static void send_state(events_t *events, const gf_view_t *view)
{
    api_stream_t *stream = &events->stream;
    apr_pool_t *pool = stream->wait.ctx.pool;
    const char *tag;
    const char *text = gf_reply_text(&tag, stream->wait.req, view, pool);

    if (strcmp(tag, events->sent) != 0) {
        apr_cpystrn(events->sent, tag, sizeof(events->sent));
        api_stream_send(
            stream, apr_pstrcat(pool, "id: ", tag, "\nevent: status\ndata: ", text, "\n\n", NULL));
    }
    stream->over = stream->over || gf_view_ended(view);
}

/* Reads the row and sends what is new. While the database is away the stream goes on without. */
static void send_news(events_t *events)
{
    api_wait_t *wait = &events->stream.wait;
    gf_req_t *req = wait->req;
    const gf_find_t find = { .id = events->stream.watch.id };
    gf_view_t view;
    gf_err_t *err = gf_queue_get(&view, &wait->ctx, req->type, req->user, &find);

    events->must_read = wait->failed = gf_err_is(err, GF_E_DB_DOWN);
    events->read = gf_clock_now();
    if (err) {
        api_stream_log(&events->stream, err);
        events->stream.over = !wait->failed;
    }
    else {
        events->waits = gf_view_waits(&view);
        send_state(events, &view);
    }
}

static gf_err_t *step_events(bool *over, api_wait_t *wait)
{
    events_t *events = (events_t *)wait;
    api_stream_t *stream = &events->stream;

    events->must_read = events->must_read || stream->watch.seen > GF_NEWS_NONE
                        || (events->waits && gf_clock_now() - events->read >= wait->pulse);
    api_stream_send_left(stream);
    if (api_stream_can_send(stream) && events->must_read) {
        apr_pool_clear(wait->ctx.pool);
        send_news(events);
    }
    *over = api_stream_end_step(stream);
    return NULL;
}

gf_err_t *api_events(gf_req_t *req)
{
    request_rec *r = req->r;
    const char *last = apr_table_get(r->headers_in, "Last-Event-ID");
    events_t *events = apr_pcalloc(r->pool, sizeof(*events));
    api_wait_t *wait = &events->stream.wait;
    const char *tag;
    gf_find_t find;
    gf_view_t view;

    api_wait_init(wait, req);
    memset(&find, 0, sizeof(find));
    GF_TRY(gf_steer_find(&find.id, &req->type, &wait->ctx, req->args[0]));
    GF_TRY(gf_queue_get(&view, &wait->ctx, req->type, req->user, &find));
    gf_reply_text(&tag, req, &view, wait->ctx.pool);
    if (gf_view_ended(&view) && last && strcmp(last, tag) == 0) {
        r->status = HTTP_NO_CONTENT;
        return NULL;
    }
    if (r->header_only) {
        api_stream_head(r);
        return NULL;
    }
    events->stream.watch.id = apr_pstrdup(r->pool, view.id);
    events->must_read = true;
    apr_cpystrn(events->sent, last ? last : "", sizeof(events->sent));
    return api_stream_run(&events->stream, step_events);
}

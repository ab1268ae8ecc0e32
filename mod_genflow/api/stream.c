/* SPDX-License-Identifier: Apache-2.0 */
/* Sending events. api/events.c and api/user_events.c decide which. */
#include "api/stream.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "api/authn.h"
#include "base/clock.h"
#include "httpd/glue.h"

#define SIGN_OF_LIFE (15 * APR_USEC_PER_SEC)
#define COME_BACK    2000 /* ms: after the stream has ended */
#define FULL_SECONDS 5
#define SEND_BUFFER  32768 /* of a client: events are short */

static gf_err_t *too_many_streams(gf_req_t *req)
{
    gf_err_t *err = gf_err_make(req->ctx, GF_E_WATCH_FULL, APR_SUCCESS, "%s",
                                req->args[0] ? req->args[0] : req->user);

    err->retry_after = FULL_SECONDS;
    return err;
}

/* Proxies and caches must pass on each event at once. */
void api_stream_head(request_rec *r)
{
    ap_set_content_type(r, "text/event-stream");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "X-Accel-Buffering", "no");
    apr_table_setn(r->subprocess_env, "no-gzip", "1");
}

/* Writes without a buffer of httpd's, which each connection would keep. False: the client is gone.
 */
static bool write_bytes(api_stream_t *stream, const char *text, apr_size_t bytes)
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
static void send_some(api_stream_t *stream)
{
    api_wait_t *wait = &stream->wait;
    apr_size_t bytes = stream->left_bytes;
    apr_size_t room = wait->park ? httpd_park_room(wait->park, SEND_BUFFER) : bytes;

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

void api_stream_send_left(api_stream_t *stream)
{
    if (!stream->over && !api_authn_is_valid_still(stream->wait.req, &stream->wait.ctx)) {
        stream->over = true; /* before anything new is sent */
    }
    if (stream->left_bytes > 0 && !stream->wait.gone) {
        send_some(stream);
    }
}

bool api_stream_can_send(const api_stream_t *stream)
{
    return stream->left_bytes == 0 && !stream->over && !stream->wait.gone;
}

void api_stream_send(api_stream_t *stream, const char *text)
{
    if (!api_authn_is_valid_still(stream->wait.req, &stream->wait.ctx)) {
        stream->over = true; /* revoked while the text was read from the database */
        return;
    }
    stream->left = text;
    stream->left_bytes = strlen(text);
    send_some(stream);
}

bool api_stream_end_step(api_stream_t *stream)
{
    const api_wait_t *wait = &stream->wait;

    if (api_stream_can_send(stream) && gf_clock_now() - stream->silent_since >= wait->pulse) {
        api_stream_send(stream, ":\n\n");
    }
    return (stream->over && stream->left_bytes == 0) || wait->gone || wait->is_late
           || wait->closing;
}

void api_stream_log(api_stream_t *stream, const gf_err_t *err)
{
    gf_req_t *req = stream->wait.req;

    if (!*req->ctx->subject) {
        httpd_glue_name(req->ctx, req->r);
    }
    gf_err_log(req->ctx, err);
}

static apr_status_t count_end(void *metrics)
{
    gf_metric_add(metrics, GF_METRIC_STREAMS, -1, NULL, NULL, NULL);
    return APR_SUCCESS;
}

gf_err_t *api_stream_run(api_stream_t *stream, gf_err_t *(*step)(bool *over, api_wait_t *wait))
{
    gf_req_t *req = stream->wait.req;
    request_rec *r = req->r;

    if (!stream->wait.waiter.watches) {
        stream->wait.waiter.watches = &stream->watch;
        stream->wait.waiter.count = 1;
    }
    stream->wait.waiter.enough = GF_NEWS_CHANGED;
    stream->wait.deadline = gf_clock_now() + (stream->lasts ? stream->lasts : req->conf->events);
    stream->wait.pulse = SIGN_OF_LIFE;
    stream->wait.step = step;
    stream->brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    if (!api_wait_begin(&stream->wait)) {
        return too_many_streams(req);
    }
    gf_metric_add(req->api->metrics, GF_METRIC_STREAMS, 1, NULL, NULL, NULL);
    apr_pool_cleanup_register(r->pool, req->api->metrics, count_end, apr_pool_cleanup_null);
    api_stream_head(r);
    api_stream_send(stream,
                    stream->is_plain ? ":\n\n" : apr_psprintf(r->pool, "retry: %d\n\n", COME_BACK));
    return api_wait_run(&stream->wait);
}

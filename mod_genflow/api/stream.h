/* SPDX-License-Identifier: Apache-2.0 */
/* A response of server-sent events, on top of a wait (api/wait.h): it sends what the client has
 * room for, and keeps one event at most for a client that reads slowly. The thread of the step. */
#ifndef API_STREAM_H
#define API_STREAM_H

#include <apr_buckets.h>

#include "api/wait.h"

/* In the request's pool, zeroed, at the begin of a struct of its handler. */
typedef struct api_stream_t {
    api_wait_t wait;
    gf_watch_t watch;
    apr_bucket_brigade *brigade;
    const char *left; /* of an event: what is still to be sent */
    apr_size_t left_bytes;
    apr_time_t silent_since;
    apr_interval_time_t lasts; /* at most; 0: GenflowWatchEvents. Set by the handler */
    bool
        is_plain; /* without our `retry:` line: the client does not come back. Set by the handler */
    bool over;    /* nothing follows: set by the handler, or the client is gone */
} api_stream_t;

/* The headers of the response. */
void api_stream_head(request_rec *r);

/* Takes a place, and answers then or later. Before it api_wait_init(), and the watch is set, or
 * watches and count of the waiter are. `step`
 * as in api/wait.h. Error: WATCH_FULL, with Retry-After. */
gf_err_t *api_stream_run(api_stream_t *stream, gf_err_t *(*step)(bool *over, api_wait_t *wait));

/* A step begins: sends what is left. */
void api_stream_send_left(api_stream_t *stream);

/* Does a step go on with sending? */
bool api_stream_can_send(const api_stream_t *stream);

/* Sends a text, which is in the memory of the step or of the request; or what the client has room
 * for, and the next step goes on. Only while api_stream_can_send(). If the request's API key is not
 * valid any more, sends nothing and ends the stream. */
void api_stream_send(api_stream_t *stream, const char *text);

/* A step ends: a sign of life if it is time. Returns whether the stream is over. */
bool api_stream_end_step(api_stream_t *stream);

/* Logs an error, for which it is too late to be the answer: the client comes back. */
void api_stream_log(api_stream_t *stream, const gf_err_t *err);

#endif

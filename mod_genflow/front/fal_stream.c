/* SPDX-License-Identifier: Apache-2.0 */
/* GET .../status/stream: the states of a request as server-sent events without names, the last one
 * COMPLETED. Each shows the log lines that are new. The client does not reconnect, so the stream
 * lasts as long as a generation may. */
#include "front/fal_route.h"

#include <string.h>

#include <apr_strings.h>

#include "api/stream.h"
#include "base/clock.h"
#include "db/queue.h"
#include "model/type.h"

#define MARGIN apr_time_from_sec(60) /* after a generation's lifetime its end is written */
#define OFTEN  APR_USEC_PER_SEC      /* of several generations only one is watched */

typedef struct states_t {
    api_stream_t stream;
    front_fal_request_t request; /* its texts live as long as the request */
    const gf_type_t *types[FRONT_FAL_IMAGES_MAX];
    const char *ids[FRONT_FAL_IMAGES_MAX];
    char sent[GF_SHA256_HEX]; /* of the state that the client has; "": none */
    bool must_read;           /* there is news of the row, or it was not read yet */
    bool waits;               /* it waits in our queue, where its place changes without news */
    apr_time_t read;          /* when it was read last */
} states_t;

/* The state without its log lines: a new line alone makes an event, too. */
static void send_state(states_t *states, gf_ctx_t *ctx)
{
    char hash[GF_SHA256_HEX];
    int lines;
    const char *text = front_fal_status_text(&lines, &states->request, ctx);

    gf_hash_sha256(hash, text, strlen(text));
    states->stream.over = states->stream.over || front_fal_request_ended(&states->request);
    if (strcmp(hash, states->sent) == 0) {
        return;
    }
    api_stream_send(&states->stream, apr_pstrcat(ctx->pool, "data: ", text, "\n\n", NULL));
    if (lines != states->request.old_logs) { /* the same state without these lines is sent */
        states->request.old_logs = lines;
        text = front_fal_status_text(NULL, &states->request, ctx);
        gf_hash_sha256(hash, text, strlen(text));
    }
    memcpy(states->sent, hash, sizeof(hash));
}

/* Reads the rows and sends what is new. While the database is away the stream goes on without. */
static void send_news(states_t *states)
{
    api_wait_t *wait = &states->stream.wait;
    gf_req_t *req = wait->req;
    gf_view_t *views = apr_pcalloc(wait->ctx.pool, FRONT_FAL_IMAGES_MAX * sizeof(*views));
    gf_err_t *err = NULL;
    int i;

    for (i = 0; !err && i < states->request.count; i++) {
        const gf_find_t find = { .id = states->ids[i] };

        err = gf_queue_get(&views[i], &wait->ctx, states->types[i], req->user, &find);
        states->waits = i == 0 && !err && gf_view_waits(&views[i]);
    }
    states->must_read = wait->failed = gf_err_is(err, GF_E_DB_DOWN);
    states->read = gf_clock_now();
    if (err) {
        api_stream_log(&states->stream, err);
        states->stream.over = !wait->failed;
        return;
    }
    states->request.views = views;
    send_state(states, &wait->ctx);
}

static gf_err_t *step_states(bool *over, api_wait_t *wait)
{
    states_t *states = (states_t *)wait;
    api_stream_t *stream = &states->stream;
    apr_time_t now = gf_clock_now();

    states->must_read = states->must_read || stream->watch.seen > GF_NEWS_NONE
                        || (states->waits && now - states->read >= wait->pulse)
                        || (states->request.count > 1 && now - states->read >= OFTEN);
    api_stream_send_left(stream);
    if (api_stream_can_send(stream) && states->must_read) {
        apr_pool_clear(wait->ctx.pool);
        send_news(states);
    }
    wait->due = states->request.count > 1 ? now + OFTEN : 0;
    *over = api_stream_end_step(stream);
    return NULL;
}

gf_err_t *front_fal_stream(gf_req_t *req)
{
    states_t *states = apr_pcalloc(req->r->pool, sizeof(*states));
    front_fal_request_t *request = &states->request;
    int i;

    GF_TRY(front_fal_request_read(request, req));
    apr_table_setn(req->r->headers_out, FRONT_FAL_REQUEST_ID,
                   front_fal_request_id(request, req->r->pool));
    if (req->r->header_only) {
        api_stream_head(req->r);
        return NULL;
    }
    for (i = 0; i < request->count; i++) {
        states->ids[i] = request->views[i].id;
        states->types[i] = request->views[i].type;
        if (states->types[i]->lifetime + MARGIN > states->stream.lasts) {
            states->stream.lasts = states->types[i]->lifetime + MARGIN;
        }
    }
    states->must_read = true;
    states->stream.watch.id = states->ids[0];
    api_wait_init(&states->stream.wait, req);
    return api_stream_run(&states->stream, step_states);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a generation: a bounded blocking wait on the hub's news, with a slow reading of the
 * row for news of other processes. The caller replies. */
#include "api/api.h"

#include <poll.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "base/clock.h"
#include "db/queue.h"

#define READ_INTERVAL APR_USEC_PER_SEC       /* news of another process arrive no other way */
#define POLL_EVERY    (APR_USEC_PER_SEC / 4) /* between two checks of the client's connection */

void api_wait_prefer(gf_prefer_t *prefer, const request_rec *r)
{
    gf_prefer_read(prefer, apr_table_get(r->headers_in, "Prefer"), r->pool);
}

/* The goal of a wait. */
typedef struct goal_t {
    gf_news_t enough;
    const char *known; /* ETags that the client has: another state than these is enough; or NULL */
    apr_interval_time_t wait;
} goal_t;

static bool is_reached(gf_req_t *req, const goal_t *goal, const gf_view_t *view, gf_news_t news,
                       apr_pool_t *pool)
{
    const char *tag;

    if (gf_view_ended(view) || news >= goal->enough || !goal->known) {
        return gf_view_ended(view) || news >= goal->enough;
    }
    gf_reply_text(&tag, req, view, pool);
    return !ap_find_etag_strong(pool, goal->known, apr_pstrcat(pool, "\"", tag, "\"", NULL));
}

/* Has the client closed its side? A request of HTTP/2 has no socket of its own: mod_http2 sets
 * `aborted`, also when the client has cancelled only this request. */
static bool is_gone(const request_rec *r)
{
    conn_rec *c = r->connection;
    struct pollfd client = { .events = POLLRDHUP };
    apr_socket_t *socket;

    if (c->aborted || (c->master && c->master->aborted)) {
        return true;
    }
    socket = c->master ? NULL : ap_get_conn_socket(c);
    return socket && apr_os_sock_get(&client.fd, socket) == APR_SUCCESS && poll(&client, 1, 0) > 0;
}

gf_news_t api_wait_news(bool *gone, gf_req_t *req, gf_watch_t *watch, gf_news_t enough,
                        apr_interval_time_t timeout)
{
    apr_time_t deadline = gf_clock_now() + timeout;
    gf_news_t news = GF_NEWS_NONE;

    *gone = is_gone(req->r);
    while (!*gone) {
        apr_interval_time_t left = deadline - gf_clock_now();

        news = gf_hub_req_wait(req->api->hub, watch, enough, left < POLL_EVERY ? left : POLL_EVERY);
        if (news >= enough || left <= POLL_EVERY) {
            break;
        }
        *gone = is_gone(req->r);
    }
    return news;
}

/* Waits and reads until the goal is reached, or time is over. */
static gf_err_t *wait_and_read(gf_view_t *view, gf_req_t *req, const gf_find_t *find,
                               gf_watch_t *watch, const goal_t *goal)
{
    apr_time_t deadline = gf_clock_now() + goal->wait;
    gf_ctx_t ctx = *req->ctx; /* of one reading */
    bool gone;

    apr_pool_create(&ctx.pool, req->r->pool);
    for (;;) {
        apr_interval_time_t left = deadline - gf_clock_now();
        gf_news_t news =
            api_wait_news(&gone, req, watch, goal->known ? GF_NEWS_WORKING : goal->enough,
                          left < READ_INTERVAL ? left : READ_INTERVAL);

        if (goal->known) {
            gf_hub_req_news_seen(req->api->hub, watch);
        }
        apr_pool_clear(ctx.pool);
        GF_TRY(gf_queue_get(view, &ctx, req->type, req->user, find));
        if (gone || is_reached(req, goal, view, news, ctx.pool) || deadline <= gf_clock_now()) {
            return NULL;
        }
    }
}

gf_err_t *api_wait_view(gf_view_t *view, gf_req_t *req, const gf_find_t *find, gf_watch_t *watch,
                        gf_news_t enough, apr_interval_time_t wait)
{
    const goal_t goal = { .enough = enough, .wait = wait };

    return wait_and_read(view, req, find, watch, &goal);
}

gf_err_t *api_wait_state(gf_view_t *view, gf_req_t *req, const gf_find_t *find)
{
    const char *known = apr_table_get(req->r->headers_in, "If-None-Match");
    gf_find_t by_id = { NULL, NULL, NULL };
    goal_t goal = { .enough = GF_NEWS_ENDED };
    gf_prefer_t prefer;
    gf_watch_t watch;
    gf_err_t *err;

    api_wait_prefer(&prefer, req->r);
    goal.wait = prefer.wait;
    goal.known = known && strchr(known, '"') ? known : NULL; /* else it is a star: any state */
    GF_TRY(gf_queue_get(view, req->ctx, req->type, req->user, find));
    if (goal.wait <= 0 || is_reached(req, &goal, view, GF_NEWS_NONE, req->r->pool)
        || !gf_hub_req_watch(req->api->hub, &watch, view->id, req->user)) {
        return NULL;
    }
    by_id.id = view->id;
    err = gf_queue_get(view, req->ctx, req->type, req->user,
                       &by_id); /* it may have ended before the watch began */
    if (!err && !is_reached(req, &goal, view, GF_NEWS_NONE, req->r->pool)) {
        err = wait_and_read(view, req, &by_id, &watch, &goal);
    }
    gf_hub_req_unwatch(req->api->hub, &watch);
    return err;
}

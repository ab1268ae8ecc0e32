/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a request that waits. httpd/park.c wakes one that has no thread, the hub one that
 * has; api/lookout.c notices what other processes change. */
#include "api/wait.h"

#include <poll.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "base/clock.h"
#include "db/queue.h"

#define POLL_EVERY (APR_USEC_PER_SEC / 4) /* of the connection of a client with a thread */

void api_wait_prefer(gf_prefer_t *prefer, const request_rec *r)
{
    gf_prefer_read(prefer, apr_table_get(r->headers_in, "Prefer"), r->pool);
}

/* ---- the engine ---- */

/* Has the client of a request with a thread closed its side? A request of HTTP/2 has no socket of
 * its own: mod_http2 sets `aborted`, also when the client has cancelled only this request. */
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

static apr_time_t next_step(const api_wait_t *wait)
{
    apr_time_t pulse = wait->pulse ? gf_clock_now() + wait->pulse : wait->deadline;

    return pulse < wait->deadline ? pulse : wait->deadline;
}

/* Until there is enough news, the next step is due, or the client has gone. */
static void block(api_wait_t *wait)
{
    gf_hub_t *hub = wait->req->api->hub;
    apr_time_t due = next_step(wait);
    apr_interval_time_t left;

    do {
        left = due - gf_clock_now();
        wait->gone = is_gone(wait->req->r);
    } while (!wait->gone && left > 0
             && !gf_hub_req_wait(hub, &wait->waiter, left < POLL_EVERY ? left : POLL_EVERY));
}

/* Also when the request's pool goes: httpd closes the connection of a parked request that was not
 * woken for its Timeout. */
static apr_status_t end_watch(void *data)
{
    api_wait_t *wait = data;

    gf_hub_req_unwatch(wait->req->api->hub, &wait->waiter);
    return APR_SUCCESS;
}

/* Before the answer: the connection is as any other again. */
static void end_wait(api_wait_t *wait)
{
    apr_pool_cleanup_run(wait->req->r->pool, wait, end_watch);
    if (wait->park) {
        httpd_park_end(wait->park);
    }
}

static void take_news(api_wait_t *wait)
{
    int i;

    gf_hub_req_take(wait->req->api->hub, &wait->waiter);
    for (i = 0; i < wait->waiter.count; i++) {
        wait->closing = wait->closing || wait->waiter.watches[i].seen == GF_NEWS_CLOSING;
    }
    wait->is_late = wait->deadline <= gf_clock_now();
}

gf_err_t *api_wait_run(api_wait_t *wait)
{
    gf_req_t *req = wait->req;
    gf_err_t *err;
    bool over = false;

    for (;;) {
        take_news(wait);
        err = wait->step(&over, wait);
        if (err || over) {
            end_wait(wait);
            return err || !wait->answer ? err : wait->answer(wait);
        }
        if (wait->park) {
            gf_hub_req_sleep(req->api->hub, &wait->waiter, next_step(wait));
            req->parked = true;
            return NULL;
        }
        block(wait);
    }
}

/* A parked request goes on, in a thread of httpd. */
static int resume(request_rec *r, void *baton, bool gone)
{
    api_wait_t *wait = baton;
    gf_err_t *err;

    (void)r;
    wait->gone = gone;
    wait->req->parked = false;
    err = api_wait_run(wait);
    return err ? gf_reply_error(wait->req, err) : wait->req->parked ? SUSPENDED : OK;
}

/* httpd closes a parked connection that rests for its Timeout. */
static apr_interval_time_t pulse_of(const api_wait_t *wait)
{
    apr_interval_time_t half = wait->req->r->server->timeout / 2;

    return wait->pulse && wait->pulse < half ? wait->pulse : half;
}

bool api_wait_begin(api_wait_t *wait)
{
    gf_req_t *req = wait->req;

    wait->waiter.user = req->user;
    wait->park = httpd_park_make(req->r, req->api->conf, resume, wait);
    wait->pulse = wait->park ? pulse_of(wait) : wait->pulse;
    wait->waiter.ring = wait->park ? httpd_park_ring : NULL;
    wait->waiter.baton = wait->park;
    if (!gf_hub_req_watch(req->api->hub, &wait->waiter)) {
        if (wait->park) {
            httpd_park_end(wait->park);
        }
        return false;
    }
    apr_pool_cleanup_register(req->r->pool, wait, end_watch, apr_pool_cleanup_null);
    return true;
}

/* ---- generations ---- */

typedef struct views_wait_t {
    api_wait_t wait;
    gf_view_t *views;
    apr_pool_t **pools; /* of the reading of each view; NULL: it was not read here */
    bool *reached;
    gf_news_t enough;
    const char *known; /* ETags that the client has: another state than these is enough; or NULL */
    bool is_read;      /* the rows were read since the watches began, or are new */
    api_answer_t answer;
} views_wait_t;

static gf_err_t *read_view(views_wait_t *all, int i)
{
    gf_req_t *req = all->wait.req;
    const gf_find_t find = { .id = all->wait.waiter.watches[i].id };
    gf_ctx_t ctx = *req->ctx;

    if (all->pools[i]) {
        apr_pool_clear(all->pools[i]);
    }
    else {
        apr_pool_create(&all->pools[i], req->r->pool);
    }
    ctx.pool = all->pools[i];
    return gf_queue_get(&all->views[i], &ctx, req->type, req->user, &find);
}

static bool is_reached(const views_wait_t *all, int i)
{
    gf_req_t *req = all->wait.req;
    const gf_view_t *view = &all->views[i];
    apr_pool_t *pool = all->pools[i] ? all->pools[i] : req->r->pool;
    const char *tag;

    if (gf_view_ended(view) || all->wait.waiter.watches[i].seen >= all->enough || !all->known) {
        return gf_view_ended(view) || all->wait.waiter.watches[i].seen >= all->enough;
    }
    gf_reply_text(&tag, req, view, pool);
    return !ap_find_etag_strong(pool, all->known, apr_pstrcat(pool, "\"", tag, "\"", NULL));
}

static gf_err_t *step_views(bool *over, api_wait_t *wait)
{
    views_wait_t *all = (views_wait_t *)wait;
    bool must_read = !all->is_read || wait->is_late;
    int missing = 0;
    int i;

    for (i = 0; i < wait->waiter.count && !wait->gone; i++) {
        if (!all->reached[i] && (must_read || wait->waiter.watches[i].seen > GF_NEWS_NONE)) {
            GF_TRY(read_view(all, i));
            all->reached[i] = is_reached(all, i);
        }
        missing += !all->reached[i];
    }
    all->is_read = true;
    *over = missing == 0 || wait->is_late || wait->closing || wait->gone;
    return NULL;
}

static gf_err_t *answer_views(api_wait_t *wait)
{
    views_wait_t *all = (views_wait_t *)wait;

    return all->answer(wait->req, all->views, wait->waiter.count);
}

static views_wait_t *make_wait(gf_req_t *req, gf_view_t *views, int count, gf_news_t enough,
                               apr_interval_time_t time, api_answer_t answer)
{
    apr_pool_t *pool = req->r->pool;
    views_wait_t *all = apr_pcalloc(pool, sizeof(*all));
    gf_watch_t *watches = apr_pcalloc(pool, (apr_size_t)count * sizeof(*watches));
    int i;

    for (i = 0; i < count; i++) {
        watches[i].id = apr_pstrdup(pool, views[i].id);
    }
    all->wait.req = req;
    all->wait.waiter.watches = watches;
    all->wait.waiter.count = count;
    all->wait.waiter.enough = enough;
    all->wait.deadline = gf_clock_now() + time;
    all->wait.step = step_views;
    all->wait.answer = answer_views;
    all->views = views;
    all->pools = apr_pcalloc(pool, (apr_size_t)count * sizeof(apr_pool_t *));
    all->reached = apr_pcalloc(pool, (apr_size_t)count * sizeof(bool));
    all->enough = enough;
    all->answer = answer;
    return all;
}

gf_err_t *api_wait_views(gf_req_t *req, gf_view_t *views, gf_job_t **jobs, int count,
                         gf_news_t enough, apr_interval_time_t time, api_answer_t answer)
{
    views_wait_t *all = make_wait(req, views, count, enough, time, answer);
    bool waits;
    int i;

    all->is_read = true;
    for (i = 0; i < count; i++) {
        all->wait.waiter.watches[i].here = jobs && jobs[i];
    }
    waits = time > 0 && api_wait_begin(&all->wait);
    for (i = 0; jobs && i < count; i++) {
        if (jobs[i]) {
            gf_hub_req_submit(req->api->hub, jobs[i]);
        }
    }
    return waits ? api_wait_run(&all->wait) : answer(req, views, count);
}

gf_err_t *api_wait_state(gf_req_t *req, const gf_find_t *find, api_answer_t answer)
{
    const char *known = apr_table_get(req->r->headers_in, "If-None-Match");
    gf_view_t *view = apr_pcalloc(req->r->pool, sizeof(*view));
    views_wait_t *all;
    gf_prefer_t prefer;

    api_wait_prefer(&prefer, req->r);
    GF_TRY(gf_queue_get(view, req->ctx, req->type, req->user, find));
    all = make_wait(req, view, 1, GF_NEWS_ENDED, prefer.wait, answer);
    all->known = known && strchr(known, '"') ? known : NULL; /* else it is a star: any state */
    if (all->known) {
        all->wait.waiter.enough = GF_NEWS_CHANGED;
    }
    return prefer.wait <= 0 || is_reached(all, 0) || !api_wait_begin(&all->wait)
               ? answer(req, view, 1)
               : api_wait_run(&all->wait);
}

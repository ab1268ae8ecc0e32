/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a request that waits. httpd/park.c wakes one that has no thread, the hub one that
 * has; api/lookout.c notices what other processes change. */
#include "api/wait.h"

#include <poll.h>
#include <string.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "base/clock.h"
#include "base/inject.h"
#include "base/memory.h"
#include "db/queue.h"
#include "httpd/spill.h"
#include "hub/shortcut.h"

#define POLL_EVERY (APR_USEC_PER_SEC / 4) /* of the connection of a client with a thread */
#define READ_AGAIN APR_USEC_PER_SEC       /* after a step that could not read */

const gf_prefer_t *api_wait_prefer(gf_req_t *req)
{
    gf_prefer_read(&req->prefer, apr_table_get(req->r->headers_in, "Prefer"), req->r->pool);
    return &req->prefer;
}

/* ---- the engine ---- */

/* The memory of a step. The allocator of a connection keeps what its pools return, for as long as
 * the connection lives; memory of its own serves other requests. */

static apr_status_t end_memory(void *data)
{
    api_wait_t *wait = data;

    if (wait->ctx.pool) {
        apr_pool_destroy(wait->ctx.pool);
        wait->ctx.pool = NULL;
    }
    return APR_SUCCESS;
}

static void begin_memory(api_wait_t *wait)
{
    if (!wait->ctx.pool) {
        wait->ctx.pool = gf_memory_pool("genflow_wait");
    }
}

void api_wait_init(api_wait_t *wait, gf_req_t *req)
{
    wait->req = req;
    wait->ctx = *req->ctx;
    wait->ctx.pool = NULL;
    begin_memory(wait);
    apr_pool_cleanup_register(req->r->pool, wait, end_memory, apr_pool_cleanup_null);
}

/* Has the client of a request with a thread closed its side? A request of HTTP/2 has no socket of
 * its own: mod_http2 sets `aborted`, also when the client has cancelled only this request. */
bool api_wait_is_gone(const request_rec *r)
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
    apr_time_t now = gf_clock_now();
    apr_time_t next = wait->pulse ? now + wait->pulse : wait->deadline;

    if (wait->failed && next > now + READ_AGAIN) {
        next = now + READ_AGAIN;
    }
    if (wait->due && wait->due < next) {
        next = wait->due;
    }
    return next < wait->deadline ? next : wait->deadline;
}

/* Until there is enough news, the next step is due, or the client has gone. */
static void block(api_wait_t *wait)
{
    gf_hub_t *hub = wait->req->api->hub;
    apr_time_t due = next_step(wait);
    apr_interval_time_t left;

    do {
        left = due - gf_clock_now();
        wait->gone = api_wait_is_gone(wait->req->r);
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
        begin_memory(wait);
        take_news(wait);
        err = wait->step(&over, wait);
        if (err || over) {
            end_wait(wait);
            return err || !wait->answer ? err : wait->answer(wait);
        }
        if (!wait->keeps) {
            end_memory(wait);
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

    wait->gone = gone;
    wait->req->parked = false;
    err = api_wait_run(wait);
    return err                 ? gf_reply_error(wait->req, err)
           : wait->req->parked ? SUSPENDED
                               : httpd_spill_send(r);
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
    wait->park = httpd_park_make(req->r, req->conf, resume, wait);
    wait->pulse = wait->park ? pulse_of(wait) : wait->pulse;
    wait->waiter.ring = wait->park ? httpd_park_ring : NULL;
    wait->waiter.baton = wait->park;
    (void)GF_INJECT_OF(req->ctx, "park", "before", &req->user, 1);
    if (!gf_hub_req_watch(req->api->hub, &wait->waiter)) {
        if (wait->park) {
            httpd_park_end(wait->park);
        }
        return false;
    }
    apr_pool_cleanup_register(req->r->pool, wait, end_watch, apr_pool_cleanup_null);
    (void)GF_INJECT_OF(req->ctx, "park", "after", &req->user, 1);
    return true;
}

/* ---- generations ---- */

/* Where the texts of a view are. */
typedef enum { VIEW_OF_REQUEST, VIEW_OF_STEP, VIEW_GIVEN_BACK } view_place_t;

typedef struct views_wait_t {
    api_wait_t wait;
    gf_watch_t *watches;
    gf_view_t *views;
    gf_await_t *awaits;   /* for each */
    view_place_t *places; /* of each view */
    bool *reached;        /* there is enough news of it */
    gf_news_t enough;
    const char *known; /* ETags that the client has: another state than these is enough; or NULL */
    bool is_read;      /* the rows were read since the watches began, or are new */
    api_answer_t answer;
} views_wait_t;

/* Answers. waited: as the client prefers. */
static gf_err_t *give_answer(gf_req_t *req, const gf_view_t *views, int count, bool waited,
                             api_answer_t answer)
{
    const char *applied;
    bool ended = true;
    int i;

    for (i = 0; i < count; i++) {
        ended = ended && gf_view_ended(&views[i]);
    }
    applied = gf_prefer_applied(&req->prefer, waited || ended, ended, req->r->pool);
    if (applied) {
        apr_table_setn(req->r->headers_out, "Preference-Applied", applied);
    }
    return answer(req, views, count);
}

/* The generation as settle returned it: it ended in this child. False: the row has to be read. */
static bool take_final(views_wait_t *all, int i)
{
    gf_req_t *req = all->wait.req;
    gf_final_t *final = gf_shortcut_take(&all->awaits[i]);
    bool is_ours;

    if (!final) {
        return false;
    }
    apr_pool_cleanup_register(req->r->pool, final, gf_final_release, apr_pool_cleanup_null);
    is_ours = final->view.type == req->type && final->view.user
              && strcmp(final->view.user, req->user) == 0;
    if (is_ours) {
        all->views[i] = final->view;
        all->places[i] = VIEW_OF_REQUEST;
    }
    return is_ours;
}

/* Begins the wait for generation i, whose id lives as long as the request. */
static void begin_await(views_wait_t *all, int i)
{
    gf_req_t *req = all->wait.req;
    gf_await_t *await = &all->awaits[i];

    await->id = all->watches[i].id;
    gf_shortcut_await(gf_hub_shortcut(req->api->hub), await);
    apr_pool_cleanup_register(req->r->pool, await, gf_shortcut_leave, apr_pool_cleanup_null);
}

static gf_err_t *read_view(views_wait_t *all, int i)
{
    gf_req_t *req = all->wait.req;
    const gf_find_t find = { .id = all->watches[i].id };

    if (take_final(all, i)) {
        return NULL;
    }
    all->places[i] = VIEW_OF_STEP;
    return gf_queue_get(&all->views[i], &all->wait.ctx, req->type, req->user, &find);
}

static bool is_reached(const views_wait_t *all, int i)
{
    gf_req_t *req = all->wait.req;
    const gf_view_t *view = &all->views[i];
    apr_pool_t *pool = all->wait.ctx.pool;
    const char *tag;

    if (gf_view_ended(view) || all->watches[i].seen >= all->enough || !all->known) {
        return gf_view_ended(view) || all->watches[i].seen >= all->enough;
    }
    gf_reply_text(&tag, req, view, pool);
    return !gf_reply_knows(all->known, tag, pool);
}

/* The answer needs each view. */
static gf_err_t *read_for_answer(views_wait_t *all)
{
    int i;

    for (i = 0; i < all->wait.waiter.count; i++) {
        if (all->places[i] == VIEW_GIVEN_BACK) {
            GF_TRY(read_view(all, i));
        }
    }
    return NULL;
}

/* Before a wait. */
static void give_back(views_wait_t *all)
{
    int i;

    for (i = 0; i < all->wait.waiter.count; i++) {
        if (all->places[i] == VIEW_OF_STEP) {
            all->places[i] = VIEW_GIVEN_BACK;
        }
    }
}

/* A client that has closed its side of a parked connection gets no answer. */
static bool needs_no_answer(const api_wait_t *wait)
{
    return wait->gone && wait->park;
}

/* While the database is away a request waits on: a later step reads. */
static gf_err_t *look_at_view(views_wait_t *all, int i)
{
    gf_err_t *err = read_view(all, i);

    if (gf_err_is(err, GF_E_DB_DOWN) && !all->wait.is_late && !all->wait.closing) {
        all->places[i] = VIEW_GIVEN_BACK;
        all->wait.failed = true;
        return NULL;
    }
    all->reached[i] = !err && is_reached(all, i);
    return err;
}

static gf_err_t *step_views(bool *over, api_wait_t *wait)
{
    views_wait_t *all = (views_wait_t *)wait;
    bool must_read = !all->is_read || wait->is_late;
    int missing = 0;
    int i;

    wait->failed = false;
    for (i = 0; i < wait->waiter.count && !wait->gone; i++) {
        if (!all->reached[i] && (must_read || wait->waiter.watches[i].seen > GF_NEWS_NONE)) {
            GF_TRY(look_at_view(all, i));
        }
        missing += !all->reached[i];
    }
    all->is_read = !wait->failed;
    *over = missing == 0 || wait->is_late || wait->closing || wait->gone;
    if (!*over) {
        give_back(all);
    }
    return *over && !needs_no_answer(wait) ? read_for_answer(all) : NULL;
}

static gf_err_t *answer_views(api_wait_t *wait)
{
    views_wait_t *all = (views_wait_t *)wait;
    bool cut_off = (wait->closing || wait->gone) && !wait->is_late;

    if (needs_no_answer(wait)) {
        if (wait->req->wire) {
            wait->req->wire->lost(wait->req);
        }
        return NULL;
    }
    return give_answer(wait->req, all->views, wait->waiter.count, !cut_off, all->answer);
}

static views_wait_t *make_wait(gf_req_t *req, gf_view_t *views, int count, gf_news_t enough,
                               apr_interval_time_t time, api_answer_t answer)
{
    apr_pool_t *pool = req->r->pool;
    views_wait_t *all = (views_wait_t *)req->reserved;

    if (!all) {
        all = apr_pcalloc(pool, sizeof(*all));
        api_wait_init(&all->wait, req);
    }
    all->watches = apr_pcalloc(pool, (apr_size_t)count * sizeof(gf_watch_t));
    all->awaits = apr_pcalloc(pool, (apr_size_t)count * sizeof(gf_await_t));
    all->wait.waiter.enough = enough;
    all->wait.deadline = gf_clock_now() + time;
    all->wait.step = step_views;
    all->wait.answer = answer_views;
    all->views = views;
    all->places = apr_pcalloc(pool, (apr_size_t)count * sizeof(view_place_t));
    all->reached = apr_pcalloc(pool, (apr_size_t)count * sizeof(bool));
    all->enough = enough;
    all->answer = answer;
    return all;
}

/* Takes a place, or uses the reserved one. False: there is none. */
static bool begin_wait(views_wait_t *all, int count)
{
    gf_req_t *req = all->wait.req;

    if (req->reserved) {
        gf_hub_req_watch_more(req->api->hub, &all->wait.waiter, all->watches, count);
        req->reserved = NULL;
        return true;
    }
    all->wait.waiter.watches = all->watches;
    all->wait.waiter.count = count;
    return api_wait_begin(&all->wait);
}

bool api_wait_reserve(gf_req_t *req)
{
    views_wait_t *all = apr_pcalloc(req->r->pool, sizeof(*all));

    api_wait_init(&all->wait, req);
    if (!api_wait_begin(&all->wait)) {
        return false;
    }
    req->reserved = &all->wait;
    return true;
}

void api_wait_release(gf_req_t *req)
{
    if (req->reserved) {
        end_wait(req->reserved);
        req->reserved = NULL;
    }
}

static void submit(gf_req_t *req, gf_job_t **jobs, int count)
{
    int i;

    for (i = 0; jobs && i < count; i++) {
        if (jobs[i]) {
            gf_hub_req_submit(req->api->hub, jobs[i]);
        }
    }
}

gf_err_t *api_wait_views(gf_req_t *req, gf_view_t *views, gf_job_t **jobs, int count,
                         gf_news_t enough, apr_interval_time_t time, api_answer_t answer)
{
    views_wait_t *all;
    bool waits;
    int i;

    if (time <= 0) {
        api_wait_release(req);
        submit(req, jobs, count);
        return give_answer(req, views, count, true, answer);
    }
    all = make_wait(req, views, count, enough, time, answer);
    all->is_read = true;
    for (i = 0; i < count; i++) {
        all->watches[i].id = apr_pstrdup(req->r->pool, views[i].id);
        all->watches[i].here = jobs && jobs[i];
        begin_await(all, i);
    }
    waits = begin_wait(all, count);
    submit(req, jobs, count);
    return waits ? api_wait_run(&all->wait) : give_answer(req, views, count, false, answer);
}

gf_err_t *api_wait_state(gf_req_t *req, const gf_find_t *find, api_answer_t answer)
{
    const char *known = apr_table_get(req->r->headers_in, "If-None-Match");
    gf_view_t *view = apr_pcalloc(req->r->pool, sizeof(*view));
    const gf_prefer_t *prefer = api_wait_prefer(req);
    views_wait_t *all;

    if (prefer->wait <= 0) {
        GF_TRY(gf_queue_get(view, req->ctx, req->type, req->user, find));
        return give_answer(req, view, 1, true, answer);
    }
    all = make_wait(req, view, 1, GF_NEWS_ENDED, prefer->wait, answer);
    all->places[0] = VIEW_OF_STEP;
    GF_TRY(gf_queue_get(view, &all->wait.ctx, req->type, req->user, find));
    all->watches->id = apr_pstrdup(req->r->pool, view->id);
    all->known = known && strchr(known, '"') ? known : NULL; /* else it is a star: any state */
    if (all->known) {
        all->wait.waiter.enough = GF_NEWS_CHANGED;
    }
    if (is_reached(all, 0)) {
        return give_answer(req, view, 1, true, answer);
    }
    begin_await(all, 0);
    return begin_wait(all, 1) ? api_wait_run(&all->wait) : give_answer(req, view, 1, false, answer);
}

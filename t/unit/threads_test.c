/* SPDX-License-Identifier: Apache-2.0 */
/* hub/inbox.c, hub/news.c, hub/board.c and work/writers.c under all their threads at once: requests
 * that hold a thread and requests that are rung, a dispatcher, its writers, a lookout. Each request
 * learns of its end. `support/check --tsan` runs it with ThreadSanitizer, which sees the accesses
 * that no lock orders. */
#include <poll.h>

#include <apr_atomic.h>
#include <apr_thread_proc.h>

#include "hub/board.h"
#include "hub/hub.h"
#include "unit.h"
#include "work/writers.h"

enum { REQUESTS = 8, EACH = 200, JOBS = 6, WRITERS = 3 };

#define LONG  apr_time_from_sec(30)
#define ROUND (APR_USEC_PER_SEC / 200)

static gf_hub_t *hub;
static gf_board_t *board;
static gf_writers_t *writers;
static apr_uint32_t ended; /* requests that learned of their end */
static apr_uint32_t full;  /* times that no place was free */

/* A job on its way, which the dispatcher frees. */
typedef struct trip_t {
    gf_task_t task;
    gf_job_t job;
    char id[GF_HUB_ID];
} trip_t;

/* ---- requests ---- */

typedef struct request_t {
    gf_waiter_t waiter;
    gf_watch_t watch;
    pthread_mutex_t mutex;
    pthread_cond_t rung;
    bool is_rung;
} request_t;

static void ring(void *baton)
{
    request_t *request = baton;

    pthread_mutex_lock(&request->mutex);
    request->is_rung = true;
    pthread_cond_signal(&request->rung);
    pthread_mutex_unlock(&request->mutex);
}

static void wait_for_ring(request_t *request)
{
    pthread_mutex_lock(&request->mutex);
    while (!request->is_rung) {
        pthread_cond_wait(&request->rung, &request->mutex);
    }
    request->is_rung = false;
    pthread_mutex_unlock(&request->mutex);
}

static bool learns_of_its_end(request_t *request)
{
    apr_time_t end = gf_clock_now() + LONG;

    do {
        if (request->waiter.ring) {
            gf_hub_req_sleep(hub, &request->waiter, gf_clock_now() + 2 * ROUND);
            wait_for_ring(request);
        }
        else {
            gf_hub_req_wait(hub, &request->waiter, LONG);
        }
        gf_hub_req_take(hub, &request->waiter);
    } while (request->watch.seen < GF_NEWS_ENDED && gf_clock_now() < end);
    return request->watch.seen == GF_NEWS_ENDED;
}

static void one_request(request_t *request, const char *id)
{
    trip_t *trip = calloc(1, sizeof(*trip));

    memset(&request->watch, 0, sizeof(request->watch));
    apr_cpystrn(trip->id, id, sizeof(trip->id));
    trip->job.id = trip->id;
    trip->job.user = "user";
    request->watch.id = id;
    request->watch.here = true;
    while (!gf_hub_reserve(hub)) {
        apr_atomic_inc32(&full);
        apr_thread_yield();
    }
    if (!gf_hub_req_watch(hub, &request->waiter)) {
        abort();
    }
    gf_hub_req_submit(hub, &trip->job);
    if (learns_of_its_end(request)) {
        apr_atomic_inc32(&ended);
    }
    gf_hub_req_unwatch(hub, &request->waiter);
}

static void *APR_THREAD_FUNC request_thread(apr_thread_t *thread, void *data)
{
    int number = *(int *)data;
    request_t *request = calloc(1, sizeof(*request));
    char id[GF_HUB_ID];
    int i;

    (void)thread;
    pthread_mutex_init(&request->mutex, NULL);
    pthread_cond_init(&request->rung, NULL);
    request->waiter.user = number < REQUESTS / 2 ? "one" : "other";
    request->waiter.watches = &request->watch;
    request->waiter.count = 1;
    request->waiter.enough = GF_NEWS_WORKING;
    if (number % 2) {
        request->waiter.ring = ring;
        request->waiter.baton = request;
    }
    for (i = 0; i < EACH; i++) {
        apr_snprintf(id, sizeof(id), "job-%d-%d", number, i);
        one_request(request, id);
        gf_hub_req_recall(hub);
        gf_hub_req_webhook_received(hub, id);
    }
    pthread_cond_destroy(&request->rung);
    pthread_mutex_destroy(&request->mutex);
    free(request);
    return NULL;
}

/* ---- the background ---- */

static void run_trip(gf_task_t *task, gf_ctx_t *ctx)
{
    apr_pstrdup(ctx->pool, ((trip_t *)task)->id);
}

static void end_trip(trip_t *trip)
{
    gf_hub_bg_publish(hub, trip->id, NULL, GF_NEWS_ENDED);
    gf_hub_bg_leave(hub, trip->id);
    gf_hub_leave(hub);
    free(trip);
}

static void *APR_THREAD_FUNC dispatcher_thread(apr_thread_t *thread, void *data)
{
    struct pollfd bell = { .fd = gf_hub_bell(hub), .events = POLLIN };
    char id[GF_HUB_ID];
    gf_job_t *job;
    gf_task_t *task;

    (void)thread;
    (void)data;
    while (!gf_hub_closing(hub)) {
        poll(&bell, 1, 1000);
        gf_hub_bg_silence(hub);
        while ((job = gf_hub_bg_take(hub))) {
            trip_t *trip = (trip_t *)((char *)job - offsetof(trip_t, job));

            gf_hub_bg_publish(hub, trip->id, NULL, GF_NEWS_WORKING);
            trip->task.run = run_trip;
            gf_writers_give(writers, &trip->task);
        }
        while ((task = gf_writers_next_done(writers))) {
            end_trip((trip_t *)task);
        }
        while (gf_hub_bg_webhook_take(hub, id)) {
        }
        gf_hub_bg_recalled(hub);
    }
    return NULL;
}

static void *APR_THREAD_FUNC lookout_thread(apr_thread_t *thread, void *data)
{
    apr_uint32_t at = gf_board_end(board);
    char id[GF_HUB_ID];
    apr_uint32_t user;
    apr_pool_t *pool;
    int i;

    (void)thread;
    (void)data;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    while (gf_hub_lookout_wait(hub, ROUND)) {
        const apr_array_header_t *looks = gf_hub_lookout_next(hub, REQUESTS, pool);

        gf_hub_lookout_ring(hub);
        for (i = 0; i < looks->nelts; i++) {
            gf_hub_lookout_publish(hub, APR_ARRAY_IDX(looks, i, gf_look_t).id, "1");
        }
        gf_board_listen(board, gf_hub_lookout_listens(hub));
        gf_board_wait(board, at, ROUND);
        while (gf_board_take(board, &at, id, &user)) {
            gf_hub_lookout_publish_note(hub, id, user);
        }
        gf_board_leave(board, gf_hub_lookout_listens(hub));
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static apr_thread_t *start(apr_thread_start_t run, void *data)
{
    apr_thread_t *thread;

    ck_assert_int_eq(apr_thread_create(&thread, NULL, run, data, unit.ctx.pool), APR_SUCCESS);
    return thread;
}

START_TEST(each_request_learns_of_its_end)
{
    const gf_hub_bounds_t bounds = { JOBS, REQUESTS, REQUESTS, REQUESTS, REQUESTS };
    apr_thread_t *threads[REQUESTS + 2];
    int numbers[REQUESTS];
    apr_status_t rv;
    int i;

    board = gf_board_init(malloc(gf_board_bytes()));
    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, &bounds), APR_SUCCESS);
    gf_hub_set_board(hub, board);
    ck_assert_int_eq(gf_writers_start(&writers, unit.ctx.pool, &unit.ctx, hub, WRITERS),
                     APR_SUCCESS);
    threads[REQUESTS] = start(dispatcher_thread, NULL);
    threads[REQUESTS + 1] = start(lookout_thread, NULL);
    for (i = 0; i < REQUESTS; i++) {
        numbers[i] = i;
        threads[i] = start(request_thread, &numbers[i]);
    }
    for (i = 0; i < REQUESTS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    gf_hub_close(hub);
    apr_thread_join(&rv, threads[REQUESTS]);
    apr_thread_join(&rv, threads[REQUESTS + 1]);
    gf_writers_stop(writers);
    free(board);
    ck_assert_int_eq(ended, REQUESTS * EACH);
    ck_assert_msg(full > 0, "places were never short");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_request_learns_of_its_end,
        NULL,
    };

    return unit_run("threads", tests);
}

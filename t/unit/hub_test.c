/* SPDX-License-Identifier: Apache-2.0 */
/* hub/hub.c: jobs come out in the order in which they went in, the bell rings for them, places
 * are bounded, and news reach those who wait on other threads, once and never backwards. */
#include "hub/hub.h"

#include <poll.h>

#include <apr_atomic.h>
#include <apr_thread_proc.h>

#include "unit.h"

#define JOBS_MAX    3
#define WAITERS_MAX 4
#define LONG        apr_time_from_sec(30) /* nothing here takes as long unless it is broken */

static gf_hub_t *make_hub(void)
{
    gf_hub_t *hub = NULL;

    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, JOBS_MAX, WAITERS_MAX, WAITERS_MAX),
                     APR_SUCCESS);
    return hub;
}

static bool rings(const gf_hub_t *hub)
{
    struct pollfd bell = { .fd = gf_hub_bell(hub), .events = POLLIN };

    return poll(&bell, 1, 0) == 1;
}

/* ---- jobs ---- */

START_TEST(jobs_are_taken_in_the_order_in_which_they_came)
{
    gf_hub_t *hub = make_hub();
    gf_job_t jobs[5];
    int i;

    memset(jobs, 0, sizeof(jobs));
    ck_assert_ptr_null(gf_hub_bg_take(hub));
    for (i = 0; i < 3; i++) {
        jobs[i].next = &jobs[4]; /* whatever it was in before */
        gf_hub_req_submit(hub, &jobs[i]);
    }
    ck_assert_ptr_eq(gf_hub_bg_take(hub), &jobs[0]);
    gf_hub_req_submit(hub, &jobs[3]);
    for (i = 1; i < 4; i++) {
        ck_assert_ptr_eq(gf_hub_bg_take(hub), &jobs[i]);
        ck_assert_ptr_null(jobs[i].next);
    }
    ck_assert_ptr_null(gf_hub_bg_take(hub));
    gf_hub_req_submit(hub, &jobs[0]);
    ck_assert_ptr_eq(gf_hub_bg_take(hub), &jobs[0]);
}
END_TEST

START_TEST(the_bell_rings_until_it_is_silenced)
{
    gf_hub_t *hub = make_hub();
    gf_job_t job = { .id = "a" };
    int i;

    ck_assert(!rings(hub));
    gf_hub_bg_silence(hub);
    ck_assert_msg(!rings(hub), "silence is silent");
    gf_hub_req_submit(hub, &job);
    ck_assert_msg(rings(hub), "a job was handed in");
    ck_assert(gf_hub_bg_take(hub));
    ck_assert_msg(rings(hub), "taking is not silencing");
    for (i = 0; i < 1000; i++) {
        gf_hub_ring(hub);
    }
    gf_hub_bg_silence(hub);
    ck_assert_msg(!rings(hub), "however often it rang");
}
END_TEST

START_TEST(places_in_flight_are_bounded)
{
    gf_hub_t *hub = make_hub();
    int i;

    for (i = 0; i < JOBS_MAX; i++) {
        ck_assert_msg(gf_hub_reserve(hub), "place %d", i);
    }
    ck_assert_msg(!gf_hub_reserve(hub), "one more than allowed");
    ck_assert_msg(!gf_hub_reserve(hub), "a refusal takes no place");
    gf_hub_leave(hub);
    ck_assert(gf_hub_reserve(hub));
    ck_assert(!gf_hub_reserve(hub));
    gf_hub_leave(hub);
    gf_hub_close(hub);
    ck_assert_msg(!gf_hub_reserve(hub), "a hub that closes takes no more jobs");
}
END_TEST

/* ---- news, on one thread ---- */

START_TEST(news_reach_those_who_watch_that_job)
{
    gf_hub_t *hub = make_hub();
    gf_watch_t one, two, other;

    gf_hub_bg_publish(hub, "a", GF_NEWS_ENDED); /* nobody watches: nothing happens */
    ck_assert(gf_hub_req_watch(hub, &one, "a", "me"));
    ck_assert(gf_hub_req_watch(hub, &two, apr_pstrdup(unit.ctx.pool, "a"), "me"));
    ck_assert(gf_hub_req_watch(hub, &other, "b", "me"));
    ck_assert_int_eq(gf_hub_req_wait(hub, &one, GF_NEWS_WORKING, 0), GF_NEWS_NONE);
    gf_hub_bg_publish(hub, "a", GF_NEWS_WORKING);
    ck_assert_int_eq(gf_hub_req_wait(hub, &one, GF_NEWS_WORKING, LONG), GF_NEWS_WORKING);
    ck_assert_int_eq(gf_hub_req_wait(hub, &two, GF_NEWS_WORKING, LONG), GF_NEWS_WORKING);
    ck_assert_int_eq(gf_hub_req_wait(hub, &other, GF_NEWS_WORKING, 0), GF_NEWS_NONE);
    gf_hub_req_unwatch(hub, &one);
    gf_hub_bg_publish(hub, "a", GF_NEWS_ENDED);
    ck_assert_msg(one.news == GF_NEWS_WORKING, "it does not watch any more");
    ck_assert_int_eq(gf_hub_req_wait(hub, &two, GF_NEWS_ENDED, LONG), GF_NEWS_ENDED);
    gf_hub_req_unwatch(hub, &two);
    gf_hub_req_unwatch(hub, &other);
}
END_TEST

START_TEST(news_are_for_one_job_among_many)
{
    enum { MANY = 400 }; /* more than there can be buckets */
    gf_watch_t *watches = apr_pcalloc(unit.ctx.pool, MANY * sizeof(*watches));
    gf_hub_t *hub = NULL;
    int i, k;

    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, JOBS_MAX, MANY, MANY), APR_SUCCESS);
    for (i = 0; i < MANY; i++) {
        const char *id = apr_psprintf(unit.ctx.pool, "job %d", i);

        ck_assert(gf_hub_req_watch(hub, &watches[i], id, "me"));
    }
    for (i = 0; i < MANY; i++) {
        gf_hub_bg_publish(hub, watches[i].id, GF_NEWS_ENDED);
        for (k = i + 1; k < MANY; k++) {
            ck_assert_msg(watches[k].news == GF_NEWS_NONE, "news of job %d reached %d", i, k);
        }
    }
    for (i = 0; i < MANY; i++) {
        ck_assert_int_eq(watches[i].news, GF_NEWS_ENDED);
        gf_hub_req_unwatch(hub, &watches[i]);
    }
}
END_TEST

START_TEST(news_never_go_backwards)
{
    static const struct {
        gf_news_t published, known;
    } rows[] = {
        { GF_NEWS_WORKING, GF_NEWS_WORKING }, { GF_NEWS_ENDED, GF_NEWS_ENDED },
        { GF_NEWS_WORKING, GF_NEWS_ENDED },   { GF_NEWS_NONE, GF_NEWS_ENDED },
        { GF_NEWS_CLOSING, GF_NEWS_CLOSING }, { GF_NEWS_ENDED, GF_NEWS_CLOSING },
    };
    gf_hub_t *hub = make_hub();
    gf_watch_t watch;
    size_t i;

    ck_assert(gf_hub_req_watch(hub, &watch, "a", "me"));
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_hub_bg_publish(hub, "a", rows[i].published);
        ck_assert_int_eq(gf_hub_req_wait(hub, &watch, GF_NEWS_WORKING, 0), rows[i].known);
    }
    gf_hub_req_unwatch(hub, &watch);
}
END_TEST

START_TEST(news_that_were_seen_are_news_again)
{
    gf_hub_t *hub = make_hub();
    gf_watch_t watch;

    ck_assert(gf_hub_req_watch(hub, &watch, "a", "me"));
    gf_hub_bg_publish(hub, "a", GF_NEWS_WORKING);
    gf_hub_req_news_seen(hub, &watch);
    ck_assert_int_eq(gf_hub_req_wait(hub, &watch, GF_NEWS_WORKING, 0), GF_NEWS_NONE);
    gf_hub_bg_publish(hub, "a", GF_NEWS_WORKING);
    ck_assert_int_eq(gf_hub_req_wait(hub, &watch, GF_NEWS_WORKING, 0), GF_NEWS_WORKING);
    gf_hub_bg_publish(hub, "a", GF_NEWS_ENDED);
    gf_hub_req_news_seen(hub, &watch);
    ck_assert_int_eq(gf_hub_req_wait(hub, &watch, GF_NEWS_WORKING, 0), GF_NEWS_ENDED);
    gf_hub_req_unwatch(hub, &watch);
}
END_TEST

START_TEST(a_recall_rings_and_is_taken_once)
{
    gf_hub_t *hub = make_hub();

    ck_assert(!gf_hub_bg_recalled(hub));
    gf_hub_req_recall(hub);
    ck_assert_msg(rings(hub), "nobody would look");
    ck_assert(gf_hub_bg_recalled(hub));
    ck_assert(!gf_hub_bg_recalled(hub));
}
END_TEST

START_TEST(a_wait_ends_at_its_deadline)
{
    gf_hub_t *hub = make_hub();
    apr_time_t start = apr_time_now();
    gf_watch_t watch;

    ck_assert(gf_hub_req_watch(hub, &watch, "a", "me"));
    gf_hub_bg_publish(hub, "a", GF_NEWS_WORKING);
    ck_assert_int_eq(gf_hub_req_wait(hub, &watch, GF_NEWS_ENDED, 50000), GF_NEWS_WORKING);
    ck_assert_msg(apr_time_now() - start >= 50000, "it did not wait");
    ck_assert_int_eq(gf_hub_req_wait(hub, &watch, GF_NEWS_ENDED, -1), GF_NEWS_WORKING);
    gf_hub_req_unwatch(hub, &watch);
}
END_TEST

START_TEST(those_who_wait_are_bounded_per_user)
{
    gf_hub_t *hub = NULL;
    gf_watch_t mine[2], more, theirs;

    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, JOBS_MAX, WAITERS_MAX, 2), APR_SUCCESS);
    ck_assert(gf_hub_req_watch(hub, &mine[0], "a", "me"));
    ck_assert(gf_hub_req_watch(hub, &mine[1], "a", apr_pstrdup(unit.ctx.pool, "me")));
    ck_assert(!gf_hub_req_watch(hub, &more, "b", "me"));
    ck_assert_msg(gf_hub_req_watch(hub, &more, "b", NULL), "a second watch of one request");
    ck_assert_msg(gf_hub_req_watch(hub, &theirs, "a", "another"), "another user has a place");
    gf_hub_req_unwatch(hub, &more);
    gf_hub_req_unwatch(hub, &mine[0]);
    ck_assert_msg(gf_hub_req_watch(hub, &more, "b", "me"), "a place that was freed is there");
    gf_hub_req_unwatch(hub, &mine[1]);
    gf_hub_req_unwatch(hub, &theirs);
    gf_hub_req_unwatch(hub, &more);
}
END_TEST

START_TEST(those_who_wait_are_bounded)
{
    gf_hub_t *hub = make_hub();
    gf_watch_t watches[WAITERS_MAX], more;
    int i;

    for (i = 0; i < WAITERS_MAX; i++) {
        const char *id = apr_psprintf(unit.ctx.pool, "job %d", i);

        ck_assert_msg(gf_hub_req_watch(hub, &watches[i], id, "me"), "%d", i);
    }
    ck_assert(!gf_hub_req_watch(hub, &more, "job 0", "me"));
    gf_hub_req_unwatch(hub, &watches[2]);
    ck_assert(gf_hub_req_watch(hub, &more, "job 0", "me"));
    ck_assert(!gf_hub_req_watch(hub, &watches[2], "job 2", "me"));
    gf_hub_req_unwatch(hub, &more);
    gf_hub_req_unwatch(hub, &watches[3]); /* any order */
    gf_hub_req_unwatch(hub, &watches[0]);
    gf_hub_req_unwatch(hub, &watches[1]);
}
END_TEST

START_TEST(closing_notifies_all_waiters_and_accepts_no_new_one)
{
    gf_hub_t *hub = make_hub();
    gf_watch_t one, two, late;

    ck_assert(gf_hub_req_watch(hub, &one, "a", "me"));
    ck_assert(gf_hub_req_watch(hub, &two, "b", "me"));
    ck_assert(!gf_hub_closing(hub));
    gf_hub_close(hub);
    ck_assert(gf_hub_closing(hub));
    ck_assert_msg(rings(hub), "the dispatcher wants to know, too");
    ck_assert_int_eq(gf_hub_req_wait(hub, &one, GF_NEWS_ENDED, LONG), GF_NEWS_CLOSING);
    ck_assert_int_eq(gf_hub_req_wait(hub, &two, GF_NEWS_ENDED, LONG), GF_NEWS_CLOSING);
    ck_assert(!gf_hub_req_watch(hub, &late, "c", "me"));
    gf_hub_req_unwatch(hub, &one);
    gf_hub_req_unwatch(hub, &two);
}
END_TEST

/* ---- across threads ---- */

/* A request that waits on a thread of its own. */
typedef struct waiter_t {
    gf_hub_t *hub;
    const char *id;
    apr_thread_t *thread;
    apr_pool_t *pool;
    gf_news_t news;
} waiter_t;

static apr_uint32_t watching;

static void *APR_THREAD_FUNC await_end(apr_thread_t *thread, void *data)
{
    waiter_t *waiter = data;
    gf_watch_t watch;

    (void)thread;
    if (gf_hub_req_watch(waiter->hub, &watch, waiter->id, "me")) {
        apr_atomic_inc32(&watching);
        waiter->news = gf_hub_req_wait(waiter->hub, &watch, GF_NEWS_ENDED, LONG);
        gf_hub_req_unwatch(waiter->hub, &watch);
    }
    return NULL;
}

static void start_waiters(waiter_t *waiters, gf_hub_t *hub, const char *const *ids)
{
    apr_uint32_t i;

    watching = 0;
    for (i = 0; i < WAITERS_MAX; i++) {
        waiters[i].hub = hub;
        waiters[i].id = ids[i];
        waiters[i].news = GF_NEWS_NONE;
        apr_pool_create_unmanaged_ex(&waiters[i].pool, NULL, NULL);
        ck_assert_int_eq(
            apr_thread_create(&waiters[i].thread, NULL, await_end, &waiters[i], unit.ctx.pool),
            APR_SUCCESS);
    }
    while (apr_atomic_read32(&watching) < WAITERS_MAX) {
        apr_thread_yield();
    }
}

/* Ends them; all have to wake by the news, not by the end of their patience. */
static void end_waiters(waiter_t *waiters)
{
    apr_time_t start = apr_time_now();
    int i;

    for (i = 0; i < WAITERS_MAX; i++) {
        apr_status_t rv;

        apr_thread_join(&rv, waiters[i].thread);
        apr_pool_destroy(waiters[i].pool);
    }
    ck_assert_msg(apr_time_now() - start < LONG / 2, "somebody was not woken");
}

START_TEST(news_wake_whoever_waits_on_another_thread)
{
    static const char *const ids[WAITERS_MAX] = { "a", "b", "a", "b" };
    gf_hub_t *hub = make_hub();
    waiter_t waiters[WAITERS_MAX];
    int i;

    start_waiters(waiters, hub, ids);
    gf_hub_bg_publish(hub, "a", GF_NEWS_WORKING); /* not enough for any of them */
    gf_hub_bg_publish(hub, "a", GF_NEWS_ENDED);
    gf_hub_bg_publish(hub, "b", GF_NEWS_ENDED);
    end_waiters(waiters);
    for (i = 0; i < WAITERS_MAX; i++) {
        ck_assert_msg(waiters[i].news == GF_NEWS_ENDED, "waiter %d", i);
    }
}
END_TEST

START_TEST(closing_wakes_whoever_waits_on_another_thread)
{
    static const char *const ids[WAITERS_MAX] = { "a", "b", "c", "d" };
    gf_hub_t *hub = make_hub();
    waiter_t waiters[WAITERS_MAX];
    int i;

    start_waiters(waiters, hub, ids);
    gf_hub_close(hub);
    end_waiters(waiters);
    for (i = 0; i < WAITERS_MAX; i++) {
        ck_assert_msg(waiters[i].news == GF_NEWS_CLOSING, "waiter %d", i);
    }
}
END_TEST

/* A request thread that hands in its jobs. */
enum { SUBMITTERS = 4, EACH = 500 };

typedef struct submitter_t {
    gf_hub_t *hub;
    apr_thread_t *thread;
    gf_job_t jobs[EACH];
} submitter_t;

static void *APR_THREAD_FUNC submit_all(apr_thread_t *thread, void *data)
{
    submitter_t *submitter = data;
    int i;

    (void)thread;
    for (i = 0; i < EACH; i++) {
        gf_hub_req_submit(submitter->hub, &submitter->jobs[i]);
    }
    return NULL;
}

START_TEST(no_job_is_lost_between_threads)
{
    gf_hub_t *hub = make_hub();
    submitter_t *submitters = apr_pcalloc(unit.ctx.pool, SUBMITTERS * sizeof(*submitters));
    int last[SUBMITTERS] = { 0 };
    int taken = 0;
    int i, k;

    for (i = 0; i < SUBMITTERS; i++) {
        submitters[i].hub = hub;
        for (k = 0; k < EACH; k++) {
            submitters[i].jobs[k].attempts = i;
            submitters[i].jobs[k].epoch = k + 1;
        }
        ck_assert_int_eq(apr_thread_create(&submitters[i].thread, NULL, submit_all, &submitters[i],
                                           unit.ctx.pool),
                         APR_SUCCESS);
    }
    while (taken < SUBMITTERS * EACH) {
        gf_job_t *job = gf_hub_bg_take(hub);

        if (!job) {
            apr_thread_yield();
            continue;
        }
        ck_assert_msg(job->epoch == last[job->attempts] + 1, "the order of one request is kept");
        last[job->attempts] = job->epoch;
        taken++;
    }
    for (i = 0; i < SUBMITTERS; i++) {
        apr_status_t rv;

        apr_thread_join(&rv, submitters[i].thread);
    }
    ck_assert_ptr_null(gf_hub_bg_take(hub));
    ck_assert(rings(hub));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        jobs_are_taken_in_the_order_in_which_they_came,
        the_bell_rings_until_it_is_silenced,
        places_in_flight_are_bounded,
        news_reach_those_who_watch_that_job,
        news_are_for_one_job_among_many,
        news_never_go_backwards,
        news_that_were_seen_are_news_again,
        a_recall_rings_and_is_taken_once,
        a_wait_ends_at_its_deadline,
        those_who_wait_are_bounded,
        those_who_wait_are_bounded_per_user,
        closing_notifies_all_waiters_and_accepts_no_new_one,
        news_wake_whoever_waits_on_another_thread,
        closing_wakes_whoever_waits_on_another_thread,
        no_job_is_lost_between_threads,
        NULL,
    };

    return unit_run("hub", tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* hub/inbox.c and hub/news.c: jobs come out in the order in which they went in, the bell rings for
 * them, places are bounded, and news reach those who wait on other threads, once and never
 * backwards. */
#include "hub/hub.h"
#include "hub/shortcut.h"

#include <poll.h>

#include <apr_atomic.h>
#include <apr_thread_proc.h>

#include "base/clock.h"
#include "hub/board.h"
#include "hub/wants.h"
#include "unit.h"

#define JOBS_MAX    3
#define WAITERS_MAX 4
#define LONG        apr_time_from_sec(30) /* nothing here takes as long unless it is broken */

static gf_hub_t *make_hub(void)
{
    static const gf_hub_bounds_t bounds = { JOBS_MAX, WAITERS_MAX, WAITERS_MAX, WAITERS_MAX,
                                            WAITERS_MAX };
    gf_hub_t *hub = NULL;

    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, &bounds), APR_SUCCESS);
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

/* A request that waits for one job. */
typedef struct client_t {
    gf_waiter_t waiter;
    gf_watch_t watch;
    int rings; /* for requests without a thread */
} client_t;

static bool watch_as(gf_hub_t *hub, client_t *client, const char *id, const char *user)
{
    client->watch.id = id;
    client->waiter.user = user;
    client->waiter.watches = &client->watch;
    client->waiter.count = 1;
    client->waiter.enough = client->waiter.enough ? client->waiter.enough : GF_NEWS_WORKING;
    return gf_hub_req_watch(hub, &client->waiter);
}

static bool watch_job(gf_hub_t *hub, client_t *client, const char *id)
{
    return watch_as(hub, client, id, "me");
}

static gf_news_t news_of(gf_hub_t *hub, client_t *client)
{
    gf_hub_req_take(hub, &client->waiter);
    return client->watch.seen;
}

static void count_ring(void *baton)
{
    ((client_t *)baton)->rings++;
}

/* A request without a thread. */
static void park_client(client_t *client)
{
    client->waiter.ring = count_ring;
    client->waiter.baton = client;
}

START_TEST(news_reach_those_who_watch_that_job)
{
    gf_hub_t *hub = make_hub();
    client_t one = { .rings = 0 }, two = one, other = one;

    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_ENDED); /* no watch: nothing happens */
    ck_assert(watch_job(hub, &one, "a"));
    ck_assert(watch_job(hub, &two, apr_pstrdup(unit.ctx.pool, "a")));
    ck_assert(watch_job(hub, &other, "b"));
    ck_assert(!gf_hub_req_wait(hub, &one.waiter, 0));
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_WORKING);
    ck_assert(gf_hub_req_wait(hub, &one.waiter, LONG));
    ck_assert(gf_hub_req_wait(hub, &two.waiter, LONG));
    ck_assert(!gf_hub_req_wait(hub, &other.waiter, 0));
    ck_assert_int_eq(news_of(hub, &one), GF_NEWS_WORKING);
    gf_hub_req_unwatch(hub, &one.waiter);
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_ENDED);
    ck_assert_msg(one.watch.news < GF_NEWS_ENDED, "it does not watch any more");
    ck_assert_int_eq(news_of(hub, &two), GF_NEWS_ENDED);
    ck_assert_int_eq(news_of(hub, &other), GF_NEWS_NONE);
    gf_hub_req_unwatch(hub, &two.waiter);
    gf_hub_req_unwatch(hub, &other.waiter);
}
END_TEST

/* Each holder of an ended generation is counted: the last one frees it. */
START_TEST(an_ended_generation_reaches_those_who_wait_for_it_and_is_freed)
{
    gf_shortcut_t *shortcut = gf_hub_shortcut(make_hub());
    gf_await_t one = { .id = "a" }, two = one, three = one, other = { .id = "b" };
    gf_final_t *final = gf_final_make();
    gf_final_t *taken;

    ck_assert(!gf_shortcut_is_awaited(shortcut, "a"));
    gf_shortcut_await(shortcut, &other);
    ck_assert(!gf_shortcut_is_awaited(shortcut, "a"));
    gf_shortcut_await(shortcut, &one);
    gf_shortcut_await(shortcut, &two);
    gf_shortcut_await(shortcut, &three);
    gf_shortcut_leave(&two);
    ck_assert(gf_shortcut_is_awaited(shortcut, "a"));
    ck_assert_ptr_null(gf_shortcut_take(&one));
    gf_shortcut_give(shortcut, "a", final);
    gf_shortcut_give(shortcut, "a", final); /* they have it */
    ck_assert_uint_eq(final->holders, 3);
    taken = gf_shortcut_take(&one);
    ck_assert_ptr_eq(taken, final);
    ck_assert_ptr_null(gf_shortcut_take(&one));
    ck_assert_ptr_null(gf_shortcut_take(&other));
    gf_shortcut_leave(&one);
    gf_shortcut_leave(&three); /* it has not taken it */
    gf_shortcut_leave(&other);
    ck_assert(!gf_shortcut_is_awaited(shortcut, "a"));
    ck_assert_uint_eq(final->holders, 2);
    gf_final_release(taken);
    ck_assert_uint_eq(final->holders, 1);
    gf_final_release(final);
}
END_TEST

START_TEST(a_place_that_is_taken_is_a_job_to_come)
{
    gf_hub_t *hub = make_hub();

    ck_assert(!gf_hub_bg_expects(hub, 0));
    ck_assert(gf_hub_reserve(hub));
    ck_assert(gf_hub_bg_expects(hub, 0));
    ck_assert(!gf_hub_bg_expects(hub, 1));
    gf_hub_leave(hub);
    ck_assert(!gf_hub_bg_expects(hub, 0));
}
END_TEST

START_TEST(a_child_reaches_all_providers_until_its_dispatcher_misses_one)
{
    gf_shortcut_t *shortcut = gf_hub_shortcut(make_hub());

    ck_assert(gf_shortcut_reaches_all(shortcut));
    gf_shortcut_note_reach(shortcut, false);
    ck_assert(!gf_shortcut_reaches_all(shortcut));
    gf_shortcut_note_reach(shortcut, true);
    ck_assert(gf_shortcut_reaches_all(shortcut));
}
END_TEST

START_TEST(less_than_enough_wakes_no_request)
{
    gf_hub_t *hub = make_hub();
    client_t client = { .waiter = { .enough = GF_NEWS_ENDED } };

    ck_assert(watch_job(hub, &client, "a"));
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_WORKING);
    ck_assert(!gf_hub_req_wait(hub, &client.waiter, 0));
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_ENDED);
    ck_assert(gf_hub_req_wait(hub, &client.waiter, LONG));
    gf_hub_req_unwatch(hub, &client.waiter);
}
END_TEST

START_TEST(news_are_for_one_job_among_many)
{
    enum { MANY = 2000 }; /* more than there are buckets */
    client_t *clients = apr_pcalloc(unit.ctx.pool, MANY * sizeof(*clients));
    const gf_hub_bounds_t bounds = { JOBS_MAX, MANY, MANY, MANY, MANY };
    gf_hub_t *hub = NULL;
    int i, k;

    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, &bounds), APR_SUCCESS);
    for (i = 0; i < MANY; i++) {
        const char *id = apr_psprintf(unit.ctx.pool, "job %d", i);

        ck_assert(watch_as(hub, &clients[i], id, id));
    }
    for (i = 0; i < MANY; i += 100) {
        gf_hub_bg_publish(hub, clients[i].watch.id, NULL, GF_NEWS_ENDED);
        for (k = i + 1; k < MANY; k++) {
            ck_assert_msg(clients[k].watch.news == GF_NEWS_NONE, "news of job %d reached %d", i, k);
        }
    }
    for (i = 0; i < MANY; i++) {
        ck_assert_int_eq(clients[i].watch.news, i % 100 == 0 ? GF_NEWS_ENDED : GF_NEWS_NONE);
        gf_hub_req_unwatch(hub, &clients[i].waiter);
    }
}
END_TEST

START_TEST(one_request_watches_several_jobs)
{
    gf_hub_t *hub = make_hub();
    gf_watch_t watches[2] = { { .id = "a" }, { .id = "b" } };
    gf_waiter_t waiter = { .user = "me", .watches = watches, .count = 2, .enough = GF_NEWS_ENDED };

    ck_assert(gf_hub_req_watch(hub, &waiter));
    gf_hub_bg_publish(hub, "b", NULL, GF_NEWS_ENDED);
    ck_assert(gf_hub_req_wait(hub, &waiter, LONG));
    gf_hub_req_take(hub, &waiter);
    ck_assert_int_eq(watches[0].seen, GF_NEWS_NONE);
    ck_assert_int_eq(watches[1].seen, GF_NEWS_ENDED);
    ck_assert_msg(!gf_hub_req_wait(hub, &waiter, 0), "it has taken these news");
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_ENDED);
    ck_assert(gf_hub_req_wait(hub, &waiter, LONG));
    gf_hub_req_unwatch(hub, &waiter);
}
END_TEST

START_TEST(news_never_go_backwards)
{
    static const struct {
        gf_news_t published, known;
    } rows[] = {
        { GF_NEWS_ENDED, GF_NEWS_ENDED },   { GF_NEWS_WORKING, GF_NEWS_ENDED },
        { GF_NEWS_NONE, GF_NEWS_ENDED },    { GF_NEWS_CLOSING, GF_NEWS_CLOSING },
        { GF_NEWS_ENDED, GF_NEWS_CLOSING },
    };
    gf_hub_t *hub = make_hub();
    client_t client = { .rings = 0 };
    size_t i;

    ck_assert(watch_job(hub, &client, "a"));
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_hub_bg_publish(hub, "a", NULL, rows[i].published);
        ck_assert_int_eq(news_of(hub, &client), rows[i].known);
    }
    gf_hub_req_unwatch(hub, &client.waiter);
}
END_TEST

START_TEST(news_that_were_taken_are_news_again)
{
    gf_hub_t *hub = make_hub();
    client_t client = { .rings = 0 };

    ck_assert(watch_job(hub, &client, "a"));
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_WORKING);
    ck_assert_int_eq(news_of(hub, &client), GF_NEWS_WORKING);
    ck_assert_int_eq(news_of(hub, &client), GF_NEWS_NONE);
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_WORKING);
    ck_assert(gf_hub_req_wait(hub, &client.waiter, 0));
    ck_assert_int_eq(news_of(hub, &client), GF_NEWS_WORKING);
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_ENDED);
    ck_assert_int_eq(news_of(hub, &client), GF_NEWS_ENDED);
    ck_assert_msg(news_of(hub, &client) == GF_NEWS_ENDED, "an end stays");
    gf_hub_req_unwatch(hub, &client.waiter);
}
END_TEST

START_TEST(a_recall_rings_and_is_taken_once)
{
    gf_hub_t *hub = make_hub();

    ck_assert(!gf_hub_bg_recalled(hub));
    gf_hub_req_recall(hub);
    ck_assert_msg(rings(hub), "the dispatcher would not notice");
    ck_assert(gf_hub_bg_recalled(hub));
    ck_assert(!gf_hub_bg_recalled(hub));
}
END_TEST

START_TEST(a_wait_ends_at_its_deadline)
{
    gf_hub_t *hub = make_hub();
    apr_time_t start = apr_time_now();
    client_t client = { .waiter = { .enough = GF_NEWS_ENDED } };

    ck_assert(watch_job(hub, &client, "a"));
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_WORKING);
    ck_assert(!gf_hub_req_wait(hub, &client.waiter, 50000));
    ck_assert_msg(apr_time_now() - start >= 50000, "it did not wait");
    ck_assert(!gf_hub_req_wait(hub, &client.waiter, -1));
    gf_hub_req_unwatch(hub, &client.waiter);
}
END_TEST

START_TEST(requests_for_one_generation_leave_in_any_order)
{
    enum { MANY = 61, STEP = 17 };
    const gf_hub_bounds_t bounds = { JOBS_MAX, MANY, MANY, MANY, MANY };
    client_t *clients = apr_pcalloc(unit.ctx.pool, MANY * sizeof(*clients));
    gf_hub_t *hub = NULL;
    int gone;
    int i;

    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, &bounds), APR_SUCCESS);
    for (i = 0; i < MANY; i++) {
        park_client(&clients[i]);
        ck_assert(watch_job(hub, &clients[i], "a"));
    }
    for (gone = 1; gone <= MANY; gone++) {
        gf_hub_req_unwatch(hub, &clients[gone * STEP % MANY].waiter);
        gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_WORKING);
        for (i = gone + 1; i <= MANY; i++) {
            client_t *client = &clients[i * STEP % MANY];

            ck_assert_int_eq(client->rings, gone);
            gf_hub_req_take(hub, &client->waiter);
        }
    }
    for (i = 1; i <= MANY; i++) {
        ck_assert_int_eq(clients[i * STEP % MANY].rings, i - 1);
    }
    ck_assert_int_eq(gf_hub_lookout_next(hub, MANY, unit.ctx.pool)->nelts, 0);
}
END_TEST

/* ---- bounds ---- */

START_TEST(those_who_wait_are_bounded_per_user)
{
    const gf_hub_bounds_t bounds = { JOBS_MAX, WAITERS_MAX, 2, WAITERS_MAX, 2 };
    gf_hub_t *hub = NULL;
    client_t mine[2] = { { .rings = 0 } }, more = mine[0], theirs = mine[0];

    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, &bounds), APR_SUCCESS);
    ck_assert(watch_job(hub, &mine[0], "a"));
    ck_assert(watch_as(hub, &mine[1], "a", apr_pstrdup(unit.ctx.pool, "me")));
    ck_assert(!watch_job(hub, &more, "b"));
    ck_assert_msg(watch_as(hub, &theirs, "a", "another"), "another user has a place");
    gf_hub_req_unwatch(hub, &mine[0].waiter);
    ck_assert_msg(watch_job(hub, &more, "b"), "a place that was freed is there");
    gf_hub_req_unwatch(hub, &mine[1].waiter);
    gf_hub_req_unwatch(hub, &theirs.waiter);
    gf_hub_req_unwatch(hub, &more.waiter);
}
END_TEST

START_TEST(those_who_wait_are_bounded)
{
    gf_hub_t *hub = make_hub();
    client_t clients[WAITERS_MAX] = { { .rings = 0 } }, more = clients[0];
    int i;

    for (i = 0; i < WAITERS_MAX; i++) {
        const char *id = apr_psprintf(unit.ctx.pool, "job %d", i);

        ck_assert_msg(watch_job(hub, &clients[i], id), "%d", i);
    }
    ck_assert(!watch_job(hub, &more, "job 0"));
    gf_hub_req_unwatch(hub, &clients[2].waiter);
    ck_assert(watch_job(hub, &more, "job 0"));
    ck_assert(!watch_job(hub, &clients[2], "job 2"));
    gf_hub_req_unwatch(hub, &more.waiter);
    gf_hub_req_unwatch(hub, &clients[3].waiter); /* any order */
    gf_hub_req_unwatch(hub, &clients[0].waiter);
    gf_hub_req_unwatch(hub, &clients[1].waiter);
}
END_TEST

START_TEST(those_who_hold_a_thread_are_bounded_further)
{
    const gf_hub_bounds_t bounds = { JOBS_MAX, WAITERS_MAX, WAITERS_MAX, 2, 1 };
    gf_hub_t *hub = NULL;
    client_t mine = { .rings = 0 }, theirs = mine, more = mine, parked = mine;

    park_client(&parked);
    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, &bounds), APR_SUCCESS);
    ck_assert(watch_job(hub, &mine, "a"));
    ck_assert_msg(!watch_job(hub, &more, "a"), "a second thread of one user");
    ck_assert(watch_as(hub, &theirs, "a", "another"));
    ck_assert_msg(!watch_as(hub, &more, "a", "a third"), "a third thread");
    ck_assert_msg(watch_job(hub, &parked, "a"), "without a thread there is a place");
    gf_hub_req_unwatch(hub, &theirs.waiter);
    ck_assert(watch_as(hub, &more, "a", "a third"));
    gf_hub_req_unwatch(hub, &parked.waiter);
    gf_hub_req_unwatch(hub, &mine.waiter);
    gf_hub_req_unwatch(hub, &more.waiter);
}
END_TEST

START_TEST(closing_notifies_all_waiters_and_accepts_no_new_one)
{
    gf_hub_t *hub = make_hub();
    client_t one = { .rings = 0 }, two = one, late = one;

    park_client(&two);
    ck_assert(watch_job(hub, &one, "a"));
    ck_assert(watch_job(hub, &two, "b"));
    ck_assert(!gf_hub_closing(hub));
    gf_hub_close(hub);
    ck_assert(gf_hub_closing(hub));
    ck_assert_msg(rings(hub), "the dispatcher wants to know, too");
    ck_assert(gf_hub_req_wait(hub, &one.waiter, LONG));
    ck_assert_int_eq(news_of(hub, &one), GF_NEWS_CLOSING);
    ck_assert_int_eq(two.rings, 1);
    ck_assert_int_eq(news_of(hub, &two), GF_NEWS_CLOSING);
    ck_assert(!watch_job(hub, &late, "c"));
    ck_assert_msg(!gf_hub_lookout_wait(hub, LONG), "the lookout ends");
    gf_hub_req_unwatch(hub, &one.waiter);
    gf_hub_req_unwatch(hub, &two.waiter);
}
END_TEST

/* ---- the lookout ---- */

START_TEST(the_lookout_rings_who_is_due_once)
{
    gf_hub_t *hub = make_hub();
    client_t client = { .rings = 0 };

    park_client(&client);
    ck_assert(watch_job(hub, &client, "a"));
    gf_hub_req_sleep(hub, &client.waiter, gf_clock_now() + LONG);
    gf_hub_lookout_ring(hub);
    ck_assert_int_eq(client.rings, 0);
    gf_hub_req_sleep(hub, &client.waiter, gf_clock_now());
    gf_hub_lookout_ring(hub);
    gf_hub_lookout_ring(hub);
    ck_assert_int_eq(client.rings, 1);
    ck_assert_int_eq(news_of(hub, &client), GF_NEWS_NONE);
    gf_hub_req_unwatch(hub, &client.waiter);
}
END_TEST

/* The id of the only row that is to be read now, and the version that its watch knows; NULL: none
 * is. */
static const char *only_look(gf_hub_t *hub, const char *version)
{
    const apr_array_header_t *looks = gf_hub_lookout_next(hub, 10, unit.ctx.pool);

    ck_assert_int_le(looks->nelts, 1);
    if (looks->nelts == 1) {
        ck_assert_str_eq(APR_ARRAY_IDX(looks, 0, gf_look_t).version, version);
    }
    return looks->nelts == 1 ? APR_ARRAY_IDX(looks, 0, gf_look_t).id : NULL;
}

/* As if the last look had been so long ago. */
static void let_pass(client_t *client, apr_interval_time_t time)
{
    client->watch.looked -= time;
}

START_TEST(the_lookout_reads_what_other_processes_work_on)
{
    gf_hub_t *hub = make_hub();
    client_t here = { .watch = { .here = true } }, there = { .rings = 0 };

    ck_assert(watch_job(hub, &here, "a"));
    ck_assert(watch_job(hub, &there, "b"));
    ck_assert_str_eq(only_look(hub, ""), "b");
    ck_assert_msg(!only_look(hub, ""), "it was read just now");
    gf_hub_lookout_publish(hub, "b", "1");
    ck_assert_int_eq(news_of(hub, &there), GF_NEWS_CHANGED);
    gf_hub_lookout_publish(hub, "b", "1");
    ck_assert_msg(news_of(hub, &there) == GF_NEWS_NONE, "the same version is no news");
    let_pass(&here, APR_USEC_PER_SEC / 5);
    let_pass(&there, APR_USEC_PER_SEC / 5);
    ck_assert_str_eq(only_look(hub, "1"), "b");
    gf_hub_lookout_publish(hub, "b", "2");
    ck_assert_int_eq(news_of(hub, &there), GF_NEWS_CHANGED);
    gf_hub_lookout_publish(hub, "b", NULL);
    ck_assert_int_eq(news_of(hub, &there), GF_NEWS_ENDED);
    ck_assert_int_eq(news_of(hub, &here), GF_NEWS_NONE);
    let_pass(&here, APR_USEC_PER_SEC);
    ck_assert_msg(only_look(hub, ""), "a job of this child, once a second");
    gf_hub_bg_leave(hub, "a");
    let_pass(&here, APR_USEC_PER_SEC / 5);
    ck_assert_str_eq(only_look(hub, ""), "a");
    gf_hub_req_unwatch(hub, &here.waiter);
    gf_hub_req_unwatch(hub, &there.waiter);
}
END_TEST

#define AT_ONCE 7
#define FEW     3

/* Each is read before one is read again, also while some leave between two statements. */
START_TEST(the_lookout_takes_few_rows_at_once_and_all_in_turn)
{
    const gf_hub_bounds_t bounds = {
        .waiters = AT_ONCE, .user = AT_ONCE, .threads = AT_ONCE, .threads_user = AT_ONCE
    };
    gf_hub_t *hub = NULL;
    client_t clients[AT_ONCE];
    int seen[AT_ONCE] = { 0 };
    int round;
    int i;

    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, &bounds), APR_SUCCESS);
    memset(clients, 0, sizeof(clients));
    for (i = 0; i < AT_ONCE; i++) {
        ck_assert(watch_job(hub, &clients[i], apr_itoa(unit.ctx.pool, i)));
    }
    for (round = 0; round < AT_ONCE; round++) {
        const apr_array_header_t *looks = gf_hub_lookout_next(hub, FEW, unit.ctx.pool);

        ck_assert_int_eq(looks->nelts, FEW);
        for (i = 0; i < looks->nelts; i++) {
            int number = atoi(APR_ARRAY_IDX(looks, i, gf_look_t).id);

            seen[number]++;
            let_pass(&clients[number], APR_USEC_PER_SEC);
        }
    }
    for (i = 0; i < AT_ONCE; i++) {
        ck_assert_int_eq(seen[i], FEW);
    }
    for (i = AT_ONCE - 1; i >= 0; i--) {
        gf_hub_lookout_next(hub, 1, unit.ctx.pool);
        gf_hub_req_unwatch(hub, &clients[i].waiter);
    }
    ck_assert_int_eq(gf_hub_lookout_next(hub, FEW, unit.ctx.pool)->nelts, 0);
}
END_TEST

/* ---- users ---- */

static bool watch_user(gf_hub_t *hub, client_t *client, const char *user)
{
    client->watch.of_user = true;
    client->waiter.enough = GF_NEWS_CHANGED;
    park_client(client);
    return watch_as(hub, client, user, user);
}

START_TEST(news_of_a_job_reach_the_streams_of_its_user)
{
    gf_hub_t *hub = make_hub();
    client_t one = { .rings = 0 }, two = one, other = one, job = one;

    ck_assert(watch_user(hub, &one, "anna"));
    ck_assert(watch_user(hub, &two, apr_pstrdup(unit.ctx.pool, "anna")));
    ck_assert(watch_user(hub, &other, "bert"));
    ck_assert(watch_job(hub, &job, "anna"));
    gf_hub_bg_publish(hub, "a", "anna", GF_NEWS_WORKING);
    gf_hub_bg_publish(hub, "a", "anna", GF_NEWS_ENDED);
    ck_assert_int_eq(one.rings, 1);
    ck_assert_int_eq(news_of(hub, &one), GF_NEWS_CHANGED);
    ck_assert_int_eq(news_of(hub, &two), GF_NEWS_CHANGED);
    ck_assert_int_eq(news_of(hub, &other), GF_NEWS_NONE);
    ck_assert_msg(news_of(hub, &job) == GF_NEWS_NONE, "a job with the user's name is no user");
    gf_hub_req_publish(hub, "anna");
    ck_assert_int_eq(one.rings, 2);
    ck_assert_int_eq(news_of(hub, &one), GF_NEWS_CHANGED);
    gf_hub_bg_publish(hub, "anna", NULL, GF_NEWS_ENDED);
    ck_assert_msg(news_of(hub, &one) == GF_NEWS_NONE, "a user with the job's name is no job");
    ck_assert_int_eq(news_of(hub, &job), GF_NEWS_ENDED);
    gf_hub_close(hub);
    ck_assert_int_eq(news_of(hub, &other), GF_NEWS_CLOSING);
    gf_hub_req_unwatch(hub, &one.waiter);
    gf_hub_req_unwatch(hub, &two.waiter);
    gf_hub_req_unwatch(hub, &other.waiter);
    gf_hub_req_unwatch(hub, &job.waiter);
}
END_TEST

START_TEST(the_lookout_reads_each_user_once)
{
    gf_hub_t *hub = make_hub();
    client_t one = { .rings = 0 }, two = one;
    apr_array_header_t *users;

    ck_assert(watch_user(hub, &one, "anna"));
    ck_assert(watch_user(hub, &two, "anna"));
    ck_assert_int_eq(gf_hub_lookout_next(hub, FEW, unit.ctx.pool)->nelts, 0);
    users = gf_hub_lookout_users(hub, FEW, unit.ctx.pool);
    ck_assert_int_eq(users->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(users, 0, const char *), "anna");
    ck_assert_msg(gf_hub_lookout_users(hub, FEW, unit.ctx.pool)->nelts == 0, "so soon");
    gf_hub_req_knows(hub, &one.watch, "1");
    gf_hub_lookout_publish_user(hub, "anna", "1");
    ck_assert_msg(news_of(hub, &one) == GF_NEWS_NONE, "what the stream has read is no news");
    ck_assert_int_eq(news_of(hub, &two), GF_NEWS_CHANGED);
    gf_hub_lookout_publish_user(hub, "bert", "2");
    ck_assert_int_eq(news_of(hub, &one), GF_NEWS_NONE);
    gf_hub_lookout_publish_user(hub, "anna", "2");
    ck_assert_int_eq(news_of(hub, &one), GF_NEWS_CHANGED);
    ck_assert_int_eq(news_of(hub, &two), GF_NEWS_CHANGED);
    gf_hub_req_unwatch(hub, &one.waiter);
    gf_hub_req_unwatch(hub, &two.waiter);
}
END_TEST

/* Two children of one httpd. */
START_TEST(another_child_hears_of_a_user_over_the_board)
{
    void *memory = apr_palloc(unit.ctx.pool, gf_board_bytes());
    gf_board_t *board = gf_board_init(memory);
    gf_hub_t *here = make_hub();
    gf_hub_t *there = make_hub();
    client_t anna = { .rings = 0 }, bert = anna;
    apr_uint32_t at = gf_board_end(board);
    char id[GF_BOARD_ID];
    apr_uint32_t user;

    gf_hub_set_board(here, board);
    ck_assert(watch_user(there, &anna, "anna"));
    ck_assert(watch_user(there, &bert, "bert"));
    gf_hub_bg_publish(here, "a", "anna", GF_NEWS_ENDED);
    gf_hub_bg_publish(here, "b", NULL, GF_NEWS_ENDED);
    while (gf_board_take(board, &at, id, &user)) {
        gf_hub_lookout_publish_note(there, id, user);
    }
    ck_assert_int_eq(anna.rings, 1);
    ck_assert_int_eq(bert.rings, 0);
    gf_hub_req_unwatch(there, &anna.waiter);
    gf_hub_req_unwatch(there, &bert.waiter);
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
    client_t client = { .waiter = { .enough = GF_NEWS_ENDED } };

    (void)thread;
    if (watch_job(waiter->hub, &client, waiter->id)) {
        apr_atomic_inc32(&watching);
        gf_hub_req_wait(waiter->hub, &client.waiter, LONG);
        waiter->news = news_of(waiter->hub, &client);
        gf_hub_req_unwatch(waiter->hub, &client.waiter);
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
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_WORKING); /* not enough for any of them */
    gf_hub_bg_publish(hub, "a", NULL, GF_NEWS_ENDED);
    gf_hub_bg_publish(hub, "b", NULL, GF_NEWS_ENDED);
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

/* ---- wanted thumbnails ---- */

#define WANTS_MAX 256

static gf_want_t want_of(int number)
{
    gf_want_t want = { .has_file = false };

    apr_snprintf(want.id, sizeof(want.id), "%d", number);
    return want;
}

static bool put_want(gf_hub_t *hub, int number)
{
    const gf_want_t want = want_of(number);

    return gf_wants_put(gf_hub_wants(hub), &want);
}

START_TEST(thumbnails_are_wanted_once_and_taken_in_order)
{
    gf_hub_t *hub = make_hub();
    gf_wants_t *wants = gf_hub_wants(hub);
    gf_want_t want;
    int i;

    ck_assert_msg(!put_want(hub, 1), "no thread takes any");
    gf_wants_open(wants);
    for (i = 0; i < WANTS_MAX; i++) {
        ck_assert(put_want(hub, i));
        ck_assert_msg(!put_want(hub, i), "it waits already");
    }
    ck_assert_msg(!put_want(hub, WANTS_MAX), "too many wait");
    for (i = 0; i < WANTS_MAX; i++) {
        ck_assert(gf_wants_take(&want, wants));
        ck_assert_str_eq(want.id, want_of(i).id);
        ck_assert_msg(!put_want(hub, i), "it is being made");
    }
    ck_assert(put_want(hub, 0));
    ck_assert(put_want(hub, 1));
    gf_wants_close(wants);
    ck_assert_msg(!gf_wants_take(&want, wants), "closed");
    ck_assert(!put_want(hub, 2));
    ck_assert(gf_wants_drop(&want, wants));
    ck_assert(gf_wants_drop(&want, wants));
    ck_assert_str_eq(want.id, "1");
    ck_assert(!gf_wants_drop(&want, wants));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        jobs_are_taken_in_the_order_in_which_they_came,
        the_bell_rings_until_it_is_silenced,
        places_in_flight_are_bounded,
        news_reach_those_who_watch_that_job,
        an_ended_generation_reaches_those_who_wait_for_it_and_is_freed,
        a_place_that_is_taken_is_a_job_to_come,
        a_child_reaches_all_providers_until_its_dispatcher_misses_one,
        less_than_enough_wakes_no_request,
        one_request_watches_several_jobs,
        news_are_for_one_job_among_many,
        news_never_go_backwards,
        news_that_were_taken_are_news_again,
        a_recall_rings_and_is_taken_once,
        a_wait_ends_at_its_deadline,
        requests_for_one_generation_leave_in_any_order,
        those_who_wait_are_bounded,
        those_who_wait_are_bounded_per_user,
        those_who_hold_a_thread_are_bounded_further,
        the_lookout_rings_who_is_due_once,
        the_lookout_reads_what_other_processes_work_on,
        the_lookout_takes_few_rows_at_once_and_all_in_turn,
        news_of_a_job_reach_the_streams_of_its_user,
        the_lookout_reads_each_user_once,
        another_child_hears_of_a_user_over_the_board,
        closing_notifies_all_waiters_and_accepts_no_new_one,
        news_wake_whoever_waits_on_another_thread,
        closing_wakes_whoever_waits_on_another_thread,
        no_job_is_lost_between_threads,
        thumbnails_are_wanted_once_and_taken_in_order,
        NULL,
    };

    return unit_run("hub", tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* work/writers.c: whatever is given is run once, on another thread with a clean pool, comes back
 * and rings; a stop finishes what was given. */
#include "work/writers.h"

#include <poll.h>

#include <apr_atomic.h>
#include <apr_portable.h>
#include <apr_thread_proc.h>

#include "unit.h"

enum { TASKS = 300, WRITERS = 4 };

/* A task that remembers what happened to it. */
typedef struct note_t {
    gf_task_t task;
    apr_uint32_t runs;
    apr_uint32_t cleaned; /* how often the pool of its run was cleared */
    apr_uint32_t *gate;   /* it waits until that is not 0 */
    int order;            /* the place in which it was run */
    bool own_thread, own_pool, same_ctx;
} note_t;

static apr_os_thread_t main_thread;
static apr_uint32_t order;

static apr_status_t note_cleanup(void *data)
{
    apr_atomic_inc32(&((note_t *)data)->cleaned);
    return APR_SUCCESS;
}

static void run_note(gf_task_t *task, gf_ctx_t *ctx)
{
    note_t *note = (note_t *)task;

    while (note->gate && !apr_atomic_read32(note->gate)) {
        apr_thread_yield();
    }
    apr_atomic_inc32(&note->runs);
    note->order = (int)apr_atomic_inc32(&order);
    note->own_thread = !apr_os_thread_equal(apr_os_thread_current(), main_thread);
    note->own_pool = ctx->pool != unit.ctx.pool && !apr_pool_is_ancestor(unit.ctx.pool, ctx->pool);
    note->same_ctx =
        ctx->conf == &unit.conf && ctx->lender == &unit.lender && ctx->log == &unit.sink;
    apr_pool_cleanup_register(ctx->pool, note, note_cleanup, apr_pool_cleanup_null);
}

static gf_hub_t *hub;

static gf_writers_t *start(int count)
{
    const gf_hub_bounds_t bounds = { .jobs = 1 };
    gf_writers_t *writers = NULL;

    main_thread = apr_os_thread_current();
    order = 0;
    ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, &bounds), APR_SUCCESS);
    ck_assert_int_eq(gf_writers_start(&writers, unit.ctx.pool, &unit.ctx, hub, count), APR_SUCCESS);
    return writers;
}

static note_t *notes(int count)
{
    note_t *all = apr_pcalloc(unit.ctx.pool, (apr_size_t)count * sizeof(*all));
    int i;

    for (i = 0; i < count; i++) {
        all[i].task.run = run_note;
    }
    return all;
}

/* Waits for the bell; false: it did not ring in half a minute. */
static bool rings(void)
{
    struct pollfd bell = { .fd = gf_hub_bell(hub), .events = POLLIN };

    return poll(&bell, 1, 30000) == 1;
}

/* Drains `count` tasks as the dispatcher does: by the bell. */
static int drain(gf_writers_t *writers, int count)
{
    int done = 0;

    while (done < count) {
        ck_assert_msg(rings(), "%d of %d came back", done, count);
        gf_hub_bg_silence(hub);
        while (gf_writers_next_done(writers)) {
            done++;
        }
    }
    return done;
}

START_TEST(every_task_runs_once_and_comes_back)
{
    gf_writers_t *writers = start(WRITERS);
    note_t *all = notes(TASKS);
    int i;

    ck_assert_ptr_null(gf_writers_next_done(writers));
    for (i = 0; i < TASKS; i++) {
        gf_writers_give(writers, &all[i].task);
    }
    ck_assert_int_eq(drain(writers, TASKS), TASKS);
    ck_assert_ptr_null(gf_writers_next_done(writers));
    gf_writers_stop(writers);
    for (i = 0; i < TASKS; i++) {
        ck_assert_msg(all[i].runs == 1, "task %d ran %u times", i, all[i].runs);
    }
}
END_TEST

START_TEST(a_task_runs_elsewhere_with_the_same_context_and_a_pool_of_its_own)
{
    gf_writers_t *writers = start(1);
    note_t *note = notes(1);

    gf_writers_give(writers, &note->task);
    drain(writers, 1);
    ck_assert_msg(note->own_thread, "it ran on the thread that gave it");
    ck_assert_msg(note->own_pool, "it got the pool of the thread that started the writers");
    ck_assert_msg(note->same_ctx, "configuration, lender and log are those that were given");
    gf_writers_stop(writers);
}
END_TEST

START_TEST(the_pool_is_cleared_before_a_task_comes_back)
{
    gf_writers_t *writers = start(1);
    note_t *all = notes(3);
    int i;

    for (i = 0; i < 3; i++) {
        gf_writers_give(writers, &all[i].task);
        drain(writers, 1);
        ck_assert_msg(apr_atomic_read32(&all[i].cleaned) == 1, "task %d", i);
    }
    gf_writers_stop(writers);
}
END_TEST

START_TEST(one_writer_keeps_the_order)
{
    gf_writers_t *writers = start(1);
    note_t *all = notes(20);
    int i;

    for (i = 0; i < 20; i++) {
        gf_writers_give(writers, &all[i].task);
    }
    drain(writers, 20);
    for (i = 0; i < 20; i++) {
        ck_assert_int_eq(all[i].order, i);
    }
    gf_writers_stop(writers);
}
END_TEST

START_TEST(one_slow_task_does_not_hold_up_the_others)
{
    gf_writers_t *writers = start(2);
    note_t *all = notes(5);
    apr_uint32_t gate = 0;
    int i;

    all[0].gate = &gate;
    for (i = 0; i < 5; i++) {
        gf_writers_give(writers, &all[i].task);
    }
    drain(writers, 4);
    ck_assert_int_eq(apr_atomic_read32(&all[0].runs), 0);
    apr_atomic_set32(&gate, 1);
    drain(writers, 1);
    ck_assert_int_eq(all[0].runs, 1);
    gf_writers_stop(writers);
}
END_TEST

START_TEST(slow_tasks_take_half_of_the_writers_however_many_there_are)
{
    gf_writers_t *writers = start(WRITERS);
    note_t *slow = notes(20);
    note_t *quick = notes(TASKS);
    apr_uint32_t gate = 0;
    int i;

    for (i = 0; i < 20; i++) {
        slow[i].task.slow = true;
        slow[i].gate = &gate;
        gf_writers_give(writers, &slow[i].task);
    }
    for (i = 0; i < TASKS; i++) {
        gf_writers_give(writers, &quick[i].task);
    }
    drain(writers, TASKS);
    for (i = 0; i < TASKS; i++) {
        ck_assert_msg(quick[i].runs == 1, "quick task %d waits for slow ones", i);
    }
    quick[0].gate = quick[1].gate = &gate; /* the other half has something to do, too */
    gf_writers_give(writers, &quick[0].task);
    gf_writers_give(writers, &quick[1].task);
    apr_atomic_set32(&gate, 1);
    drain(writers, 22);
    gf_writers_stop(writers);
    for (i = 0; i < 20; i++) {
        ck_assert_msg(slow[i].runs == 1, "slow task %d ran %u times", i, slow[i].runs);
    }
}
END_TEST

START_TEST(slow_and_quick_tasks_in_any_order_are_all_done)
{
    int count;

    for (count = 1; count <= WRITERS; count++) {
        gf_writers_t *writers = start(count);
        note_t *all = notes(TASKS);
        int i;

        for (i = 0; i < TASKS; i++) {
            all[i].task.slow = i % 7 < 3;
            gf_writers_give(writers, &all[i].task);
        }
        drain(writers, TASKS / 2);
        gf_writers_stop(writers);
        for (i = 0; i < TASKS; i++) {
            ck_assert_msg(all[i].runs == 1, "%d writers: task %d ran %u times", count, i,
                          all[i].runs);
        }
    }
}
END_TEST

static void *APR_THREAD_FUNC stop(apr_thread_t *thread, void *writers)
{
    (void)thread;
    gf_writers_stop(writers);
    return NULL;
}

START_TEST(a_stop_finishes_what_was_given)
{
    gf_writers_t *writers = start(2);
    note_t *all = notes(TASKS);
    apr_uint32_t gate = 0;
    apr_thread_t *stopper;
    apr_status_t rv;
    int done = 0;
    int i;

    for (i = 0; i < TASKS; i++) {
        all[i].gate = &gate; /* so that all of them are still to do */
        gf_writers_give(writers, &all[i].task);
    }
    ck_assert_int_eq(apr_thread_create(&stopper, NULL, stop, writers, unit.ctx.pool), APR_SUCCESS);
    apr_sleep(apr_time_from_msec(50)); /* the stop comes first, if this machine is not very busy */
    apr_atomic_set32(&gate, 1);
    ck_assert_int_eq(apr_thread_join(&rv, stopper), APR_SUCCESS);
    while (gf_writers_next_done(writers)) {
        done++;
    }
    ck_assert_int_eq(done, TASKS);
    for (i = 0; i < TASKS; i++) {
        ck_assert_msg(all[i].runs == 1, "task %d ran %u times", i, all[i].runs);
    }
}
END_TEST

START_TEST(writers_without_work_stop)
{
    gf_writers_t *writers = start(WRITERS);

    gf_writers_stop(writers);
    ck_assert_ptr_null(gf_writers_next_done(writers));
}
END_TEST

START_TEST(a_task_may_be_given_again)
{
    gf_writers_t *writers = start(2);
    note_t *note = notes(1);
    int i;

    for (i = 0; i < 10; i++) {
        gf_writers_give(writers, &note->task);
        drain(writers, 1);
    }
    gf_writers_stop(writers);
    ck_assert_uint_eq(note->runs, 10);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_task_runs_once_and_comes_back,
        a_task_runs_elsewhere_with_the_same_context_and_a_pool_of_its_own,
        the_pool_is_cleared_before_a_task_comes_back,
        one_writer_keeps_the_order,
        one_slow_task_does_not_hold_up_the_others,
        slow_tasks_take_half_of_the_writers_however_many_there_are,
        slow_and_quick_tasks_in_any_order_are_all_done,
        a_stop_finishes_what_was_given,
        writers_without_work_stop,
        a_task_may_be_given_again,
        NULL,
    };

    return unit_run("writers", tests);
}

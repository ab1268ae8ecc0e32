/* SPDX-License-Identifier: Apache-2.0 */
/* work/turn.c: of several processes one claims, another one takes over when it is late, and any one
 * when it passes the turn on; a known job brings the next look forward. */
#include "work/turn.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define INTERVAL 1000
#define START    1000000

static gf_turn_t *shared_turn(void)
{
    void *memory =
        mmap(NULL, gf_turn_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    return gf_turn_init(memory, unit.ctx.pool);
}

/* May another process claim at `now`? */
static bool other_takes(gf_turn_t *turn, apr_time_t now)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        bool due = gf_turn_next(turn, INTERVAL) <= now;
        bool takes = gf_turn_take(turn, now, INTERVAL);

        _exit(due == takes ? takes : 2); /* a child sleeps until it may take the turn, not longer */
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_ne(WEXITSTATUS(status), 2);
    return WEXITSTATUS(status) == 1;
}

START_TEST(a_process_has_one_turn_in_an_interval)
{
    gf_turn_t *turn = shared_turn();

    ck_assert(gf_turn_take(turn, START, INTERVAL));
    ck_assert(!gf_turn_take(turn, START + INTERVAL - 1, INTERVAL));
    ck_assert(gf_turn_take(turn, START + INTERVAL, INTERVAL));
    ck_assert(!gf_turn_take(turn, START + INTERVAL, INTERVAL));
}
END_TEST

START_TEST(another_one_takes_over_only_when_it_is_late)
{
    gf_turn_t *turn = shared_turn();

    ck_assert(gf_turn_take(turn, START, INTERVAL));
    ck_assert(!other_takes(turn, START + INTERVAL));
    ck_assert(!other_takes(turn, START + INTERVAL * 3 / 2 - 1));
    ck_assert(other_takes(turn, START + INTERVAL * 3 / 2));
    ck_assert(!gf_turn_take(turn, START + INTERVAL * 3 / 2, INTERVAL));
}
END_TEST

/* Did the bell ring since the last call? */
static bool rang(gf_turn_t *turn)
{
    eventfd_t times;

    return eventfd_read(gf_turn_bell(turn), &times) == 0;
}

START_TEST(a_turn_that_is_passed_on_is_anybodys_and_of_one)
{
    gf_turn_t *turn = shared_turn();

    ck_assert(gf_turn_take(turn, START, INTERVAL));
    ck_assert(gf_turn_is_mine(turn));
    ck_assert(!rang(turn));
    gf_turn_pass(turn, START + 1);
    ck_assert(rang(turn));
    ck_assert(!gf_turn_is_mine(turn));
    ck_assert(other_takes(turn, START + 1));
    ck_assert(!other_takes(turn, START + 1));
    ck_assert(!gf_turn_take(turn, START + 1, INTERVAL));
    gf_turn_pass(turn, START + 2);
    ck_assert(gf_turn_take(turn, START + 2, INTERVAL));
}
END_TEST

START_TEST(a_job_that_is_due_soon_brings_the_next_look_forward)
{
    gf_turn_t *turn = shared_turn();

    ck_assert(gf_turn_take(turn, START, INTERVAL));
    gf_turn_want(turn, START + INTERVAL + 1);
    ck_assert_int_eq(gf_turn_next(turn, INTERVAL), START + INTERVAL);
    ck_assert(!rang(turn));
    gf_turn_want(turn, START + 10);
    ck_assert(rang(turn));
    gf_turn_want(turn, START + 20);
    ck_assert(!rang(turn));
    ck_assert_int_eq(gf_turn_next(turn, INTERVAL), START + 10);
    ck_assert(!gf_turn_take(turn, START + 9, INTERVAL));
    ck_assert(!other_takes(turn, START + 10));
    ck_assert(gf_turn_take(turn, START + 10, INTERVAL));
    ck_assert_int_eq(gf_turn_next(turn, INTERVAL), START + 10 + INTERVAL);
}
END_TEST

START_TEST(nothing_is_claimed_before_the_time_of_a_hold)
{
    gf_turn_t *turn = shared_turn();

    gf_turn_hold(turn, START + 10);
    gf_turn_pass(turn, START);
    ck_assert_int_eq(gf_turn_next(turn, INTERVAL), START + 10);
    ck_assert(!gf_turn_take(turn, START + 9, INTERVAL));
    ck_assert(!other_takes(turn, START + 9));
    ck_assert(gf_turn_take(turn, START + 10, INTERVAL));
}
END_TEST

START_TEST(an_outage_is_known_to_all_processes)
{
    gf_turn_t *turn = shared_turn();
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        gf_turn_set_blind(turn, true);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(gf_turn_is_blind(turn));
    gf_turn_set_blind(turn, false);
    ck_assert(!gf_turn_is_blind(turn));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_process_has_one_turn_in_an_interval,
        another_one_takes_over_only_when_it_is_late,
        a_turn_that_is_passed_on_is_anybodys_and_of_one,
        a_job_that_is_due_soon_brings_the_next_look_forward,
        nothing_is_claimed_before_the_time_of_a_hold,
        an_outage_is_known_to_all_processes,
        NULL,
    };

    return unit_run("turn", tests);
}

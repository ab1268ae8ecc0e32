/* SPDX-License-Identifier: Apache-2.0 */
/* work/turn.c: of several processes one claims, another one takes over when it is late, and all
 * come when they are called. */
#include "work/turn.h"

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
    return gf_turn_init(memory);
}

/* May another process claim at `now`? */
static bool other_takes(gf_turn_t *turn, apr_time_t now)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        apr_uint32_t calls = 0;

        _exit(gf_turn_take(turn, &calls, now, INTERVAL) ? 1 : 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status) == 1;
}

START_TEST(a_process_has_one_turn_in_an_interval)
{
    gf_turn_t *turn = shared_turn();
    apr_uint32_t calls = 0;

    ck_assert(gf_turn_take(turn, &calls, START, INTERVAL));
    ck_assert(!gf_turn_take(turn, &calls, START + INTERVAL - 1, INTERVAL));
    ck_assert(gf_turn_take(turn, &calls, START + INTERVAL, INTERVAL));
    ck_assert(!gf_turn_take(turn, &calls, START + INTERVAL, INTERVAL));
}
END_TEST

START_TEST(another_one_takes_over_only_when_it_is_late)
{
    gf_turn_t *turn = shared_turn();
    apr_uint32_t calls = 0;

    ck_assert(gf_turn_take(turn, &calls, START, INTERVAL));
    ck_assert(!other_takes(turn, START + INTERVAL));
    ck_assert(!other_takes(turn, START + INTERVAL * 3 / 2 - 1));
    ck_assert(other_takes(turn, START + INTERVAL * 3 / 2));
    ck_assert(!gf_turn_take(turn, &calls, START + INTERVAL * 3 / 2, INTERVAL));
}
END_TEST

START_TEST(a_call_reaches_each_process_once)
{
    gf_turn_t *turn = shared_turn();
    apr_uint32_t calls = 0;

    ck_assert(gf_turn_take(turn, &calls, START, INTERVAL));
    gf_turn_call(turn);
    ck_assert(other_takes(turn, START + 1));
    ck_assert(gf_turn_take(turn, &calls, START + 1, INTERVAL));
    ck_assert(!gf_turn_take(turn, &calls, START + 2, INTERVAL));
}
END_TEST

START_TEST(nothing_is_claimed_before_the_time_of_a_hold)
{
    gf_turn_t *turn = shared_turn();
    apr_uint32_t calls = 0;

    gf_turn_hold(turn, START + 10);
    gf_turn_call(turn);
    ck_assert(!gf_turn_take(turn, &calls, START + 9, INTERVAL));
    ck_assert(!other_takes(turn, START + 9));
    ck_assert(gf_turn_take(turn, &calls, START + 10, INTERVAL));
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
        a_process_has_one_turn_in_an_interval, another_one_takes_over_only_when_it_is_late,
        a_call_reaches_each_process_once,      nothing_is_claimed_before_the_time_of_a_hold,
        an_outage_is_known_to_all_processes,   NULL,
    };

    return unit_run("turn", tests);
}

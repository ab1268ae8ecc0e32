/* SPDX-License-Identifier: Apache-2.0 */
/* hub/board.c: an id that one process puts is read by all others, in order; a sleeping reader is
 * woken, a late one gets the newest, and a process that dies stops no other. */
#include "hub/board.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define WRITERS 4
#define EACH    2000
#define LONG    (30 * APR_USEC_PER_SEC)
#define SHORT   (APR_USEC_PER_SEC / 20)

static volatile apr_uint32_t own; /* does this process listen? */

static gf_board_t *shared_board(void)
{
    void *memory =
        mmap(NULL, gf_board_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    return gf_board_init(memory);
}

static pid_t put_later(gf_board_t *board, const char *id, apr_interval_time_t wait)
{
    pid_t pid = fork();

    if (pid == 0) {
        own = 0;
        apr_sleep(wait);
        gf_board_put(board, id, 0, &own);
        _exit(0);
    }
    return pid;
}

START_TEST(ids_are_read_in_order_by_each_reader)
{
    gf_board_t *board = shared_board();
    apr_uint32_t one = gf_board_end(board);
    apr_uint32_t other = one;
    char id[GF_BOARD_ID];
    apr_uint32_t user;

    gf_board_put(board, "a", 0, &own);
    gf_board_put(board, "b", 0, &own);
    ck_assert(gf_board_take(board, &one, id, &user));
    ck_assert_str_eq(id, "a");
    ck_assert(gf_board_take(board, &one, id, &user));
    ck_assert_str_eq(id, "b");
    ck_assert(!gf_board_take(board, &one, id, &user));
    ck_assert(gf_board_take(board, &other, id, &user));
    ck_assert_str_eq(id, "a");
    one = gf_board_end(board);
    ck_assert_msg(!gf_board_take(board, &one, id, &user), "who comes now reads what comes");
}
END_TEST

START_TEST(another_process_wakes_a_sleeping_reader)
{
    gf_board_t *board = shared_board();
    apr_uint32_t at = gf_board_end(board);
    apr_time_t begin = gf_clock_now();
    pid_t pid = put_later(board, "a", SHORT);
    char id[GF_BOARD_ID];
    apr_uint32_t user;

    gf_board_listen(board, &own);
    while (!gf_board_take(board, &at, id, &user) && gf_clock_now() - begin < LONG) {
        gf_board_wait(board, at, LONG);
    }
    gf_board_leave(board, &own);
    ck_assert_msg(gf_clock_now() - begin < LONG, "the sleeper was not woken");
    ck_assert_str_eq(id, "a");
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(a_wait_without_news_ends)
{
    gf_board_t *board = shared_board();
    apr_time_t begin = gf_clock_now();

    gf_board_wait(board, gf_board_end(board), SHORT);
    ck_assert(gf_clock_now() - begin < LONG);
    gf_board_put(board, "a", 0, &own);
    gf_board_wait(board, 0, LONG);
    ck_assert_msg(gf_clock_now() - begin < LONG, "there was something to take");
}
END_TEST

START_TEST(a_late_reader_gets_the_newest)
{
    gf_board_t *board = shared_board();
    apr_uint32_t at = gf_board_end(board);
    char id[GF_BOARD_ID];
    apr_uint32_t user;
    char last[GF_BOARD_ID] = "";
    int count = 0;
    int i;

    for (i = 0; i < GF_BOARD_SIZE + 10; i++) {
        gf_board_put(board, apr_itoa(unit.ctx.pool, i), 0, &own);
    }
    while (gf_board_take(board, &at, id, &user)) {
        apr_cpystrn(last, id, sizeof(last));
        count++;
    }
    ck_assert_int_eq(count, GF_BOARD_SIZE);
    ck_assert_str_eq(last, apr_itoa(unit.ctx.pool, GF_BOARD_SIZE + 9));
}
END_TEST

/* Each id that is read was put; a reader that keeps up reads nearly all. */
START_TEST(processes_that_write_together_tear_no_id)
{
    gf_board_t *board = shared_board();
    apr_uint32_t at = gf_board_end(board);
    char id[GF_BOARD_ID];
    apr_uint32_t user;
    int ended = 0;
    int count = 0;
    int i;

    for (i = 0; i < WRITERS; i++) {
        if (fork() == 0) {
            char mine[GF_BOARD_ID];
            int j;

            memset(mine, 'a' + i, sizeof(mine) - 1);
            mine[sizeof(mine) - 1] = '\0';
            for (j = 0; j < EACH; j++) {
                gf_board_put(board, mine, 0, &own);
            }
            _exit(0);
        }
    }
    while (ended < WRITERS) {
        while (gf_board_take(board, &at, id, &user)) {
            ck_assert_int_eq(strlen(id), sizeof(id) - 1);
            ck_assert_int_eq(strspn(id, (char[]){ id[0], '\0' }), sizeof(id) - 1);
            count++;
        }
        ended += waitpid(-1, NULL, WNOHANG) > 0;
    }
    ck_assert_int_gt(count, 0);
}
END_TEST

START_TEST(a_reader_that_dies_asleep_stops_no_other)
{
    gf_board_t *board = shared_board();
    apr_uint32_t at = gf_board_end(board);
    char id[GF_BOARD_ID];
    apr_uint32_t user;
    pid_t pid = fork();

    if (pid == 0) {
        gf_board_listen(board, &own);
        gf_board_wait(board, at, LONG);
        _exit(0);
    }
    apr_sleep(SHORT);
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    gf_board_put(board, "a", 0, &own);
    gf_board_wait(board, at, LONG);
    ck_assert(gf_board_take(board, &at, id, &user));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        ids_are_read_in_order_by_each_reader,
        another_process_wakes_a_sleeping_reader,
        a_wait_without_news_ends,
        a_late_reader_gets_the_newest,
        processes_that_write_together_tear_no_id,
        a_reader_that_dies_asleep_stops_no_other,
        NULL,
    };

    return unit_run("board", tests);
}

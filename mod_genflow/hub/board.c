/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of slots and a counter to sleep on, which is a futex: the one way to wait for another
 * process that needs no lock and no descriptor of each. */
#include "hub/board.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#define BEING_WRITTEN 0xFFFFFFFFu

/* number: of the id that is in the slot, counted from 1; 0: none yet. A writer that dies leaves its
 * slot BEING_WRITTEN: one id in GF_BOARD_SIZE is missed from then on. */
typedef struct slot_t {
    volatile apr_uint32_t number;
    char id[GF_BOARD_ID];
    apr_uint32_t user;
} slot_t;

struct gf_board_t {
    volatile apr_uint32_t begun;   /* ids whose slots were given out */
    volatile apr_uint32_t written; /* what readers sleep on */
    volatile apr_uint32_t readers; /* processes that listen, or died while they did */
    slot_t slots[GF_BOARD_SIZE];
};

apr_size_t gf_board_bytes(void)
{
    return sizeof(gf_board_t);
}

gf_board_t *gf_board_init(void *memory)
{
    return memset(memory, 0, sizeof(gf_board_t));
}

apr_uint32_t gf_board_end(gf_board_t *board)
{
    return apr_atomic_read32(&board->begun);
}

void gf_board_listen(gf_board_t *board, volatile apr_uint32_t *own)
{
    apr_atomic_inc32(&board->readers);
    apr_atomic_set32(own, 1);
}

void gf_board_leave(gf_board_t *board, volatile apr_uint32_t *own)
{
    apr_atomic_set32(own, 0);
    apr_atomic_dec32(&board->readers);
}

/* Do other processes listen? When in doubt, yes. */
static bool has_readers(gf_board_t *board, volatile apr_uint32_t *own)
{
    apr_uint32_t before = apr_atomic_read32(own);
    apr_uint32_t readers = apr_atomic_read32(&board->readers);

    return readers > before || apr_atomic_read32(own) != before;
}

void gf_board_put(gf_board_t *board, const char *id, apr_uint32_t user, volatile apr_uint32_t *own)
{
    apr_uint32_t number = apr_atomic_inc32(&board->begun) + 1;
    slot_t *slot = &board->slots[number % GF_BOARD_SIZE];
    apr_uint32_t before = apr_atomic_read32(&slot->number);

    if (before == BEING_WRITTEN
        || apr_atomic_cas32(&slot->number, BEING_WRITTEN, before) != before) {
        return;
    }
    apr_cpystrn(slot->id, id, sizeof(slot->id));
    slot->user = user;
    apr_atomic_set32(&slot->number, number);
    apr_atomic_inc32(&board->written);
    if (has_readers(board, own)) {
        syscall(SYS_futex, &board->written, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    }
}

void gf_board_wait(gf_board_t *board, apr_uint32_t at, apr_interval_time_t timeout)
{
    const struct timespec most = { .tv_sec = (time_t)apr_time_sec(timeout),
                                   .tv_nsec = (long)apr_time_usec(timeout) * 1000 };
    apr_uint32_t written = apr_atomic_read32(&board->written);

    if (apr_atomic_read32(&board->begun) == at) { /* else there is something to take already */
        syscall(SYS_futex, &board->written, FUTEX_WAIT, written, &most, NULL, 0);
    }
}

bool gf_board_take(gf_board_t *board, apr_uint32_t *at, char id[GF_BOARD_ID], apr_uint32_t *user)
{
    apr_uint32_t end = apr_atomic_read32(&board->begun);

    if (end - *at > GF_BOARD_SIZE) {
        *at = end - GF_BOARD_SIZE;
    }
    while (*at != end) {
        apr_uint32_t number = ++*at;
        const slot_t *slot = &board->slots[number % GF_BOARD_SIZE];

        if (apr_atomic_read32((volatile apr_uint32_t *)&slot->number) == number) {
            apr_cpystrn(id, slot->id, GF_BOARD_ID);
            *user = slot->user;
            if (apr_atomic_read32((volatile apr_uint32_t *)&slot->number) == number) {
                return true;
            }
        }
    }
    return false;
}

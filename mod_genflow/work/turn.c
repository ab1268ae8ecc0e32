/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic words in shared memory. A child takes a turn by replacing the time of the next one. */
#include "work/turn.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <apr_atomic.h>

#define NO_CHILD 0

struct gf_turn_t {
    volatile apr_uint64_t next;  /* when the next turn begins */
    volatile apr_uint64_t held;  /* no look before */
    volatile apr_uint32_t child; /* process id of the one that had the last turn; or NO_CHILD */
    volatile apr_uint32_t blind;
    int bell; /* never changes; the same number in all children, which inherit it */
};

apr_size_t gf_turn_bytes(void)
{
    return sizeof(gf_turn_t);
}

static apr_status_t close_bell(void *bell)
{
    close((int)(intptr_t)bell);
    return APR_SUCCESS;
}

gf_turn_t *gf_turn_init(void *memory, apr_pool_t *pool)
{
    gf_turn_t *turn = memset(memory, 0, sizeof(gf_turn_t));

    turn->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (turn->bell < 0) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, (void *)(intptr_t)turn->bell, close_bell,
                              apr_pool_cleanup_null);
    return turn;
}

int gf_turn_bell(const gf_turn_t *turn)
{
    return turn->bell;
}

/* Each write is a new edge for all who watch it. The number that it counts means nothing. */
static void ring(const gf_turn_t *turn)
{
    eventfd_write(turn->bell, 1);
}

bool gf_turn_is_mine(gf_turn_t *turn)
{
    return apr_atomic_read32(&turn->child) == (apr_uint32_t)getpid();
}

/* A child that had not the last turn waits for the one that had it. */
static apr_interval_time_t lateness(gf_turn_t *turn, apr_interval_time_t interval)
{
    apr_uint32_t child = apr_atomic_read32(&turn->child);

    return child == NO_CHILD || child == (apr_uint32_t)getpid() ? 0 : interval / 2;
}

apr_time_t gf_turn_next(gf_turn_t *turn, apr_interval_time_t interval)
{
    apr_time_t next = (apr_time_t)apr_atomic_read64(&turn->next) + lateness(turn, interval);
    apr_time_t held = (apr_time_t)apr_atomic_read64(&turn->held);

    return next > held ? next : held;
}

bool gf_turn_take(gf_turn_t *turn, apr_time_t now, apr_interval_time_t interval)
{
    apr_uint64_t next = apr_atomic_read64(&turn->next);

    if (gf_turn_is_held(turn, now) || now < (apr_time_t)next + lateness(turn, interval)
        || apr_atomic_cas64(&turn->next, (apr_uint64_t)(now + interval), next) != next) {
        return false;
    }
    apr_atomic_set32(&turn->child, (apr_uint32_t)getpid());
    return true;
}

/* Makes the next look no later than `time`; false: it is no sooner. */
static bool advance(gf_turn_t *turn, apr_time_t time)
{
    apr_uint64_t next = apr_atomic_read64(&turn->next);

    while (time < (apr_time_t)next) {
        apr_uint64_t found = apr_atomic_cas64(&turn->next, (apr_uint64_t)time, next);

        if (found == next) {
            return true;
        }
        next = found;
    }
    return false;
}

void gf_turn_want(gf_turn_t *turn, apr_time_t time)
{
    if (advance(turn, time)) {
        ring(turn);
    }
}

void gf_turn_pass(gf_turn_t *turn, apr_time_t now)
{
    apr_atomic_set32(&turn->child, NO_CHILD);
    advance(turn, now);
    ring(turn);
}

void gf_turn_set_blind(gf_turn_t *turn, bool blind)
{
    apr_atomic_set32(&turn->blind, blind);
}

bool gf_turn_is_blind(gf_turn_t *turn)
{
    return apr_atomic_read32(&turn->blind) != 0;
}

void gf_turn_hold(gf_turn_t *turn, apr_time_t until)
{
    apr_atomic_set64(&turn->held, (apr_uint64_t)until);
}

bool gf_turn_is_held(gf_turn_t *turn, apr_time_t now)
{
    return now < (apr_time_t)apr_atomic_read64(&turn->held);
}

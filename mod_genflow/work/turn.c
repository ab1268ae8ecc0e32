/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic words in shared memory. A child takes a turn by replacing the time of the next one. */
#include "work/turn.h"

#include <string.h>
#include <unistd.h>

#include <apr_atomic.h>

struct gf_turn_t {
    volatile apr_uint64_t next;  /* when the next turn begins */
    volatile apr_uint64_t held;  /* no claim before */
    volatile apr_uint32_t child; /* process id of the one that had the last turn */
    volatile apr_uint32_t calls;
    volatile apr_uint32_t blind;
};

apr_size_t gf_turn_bytes(void)
{
    return sizeof(gf_turn_t);
}

gf_turn_t *gf_turn_init(void *memory)
{
    return memset(memory, 0, sizeof(gf_turn_t));
}

bool gf_turn_take(gf_turn_t *turn, apr_uint32_t *calls, apr_time_t now,
                  apr_interval_time_t interval)
{
    apr_uint32_t child = (apr_uint32_t)getpid();
    apr_uint32_t called = apr_atomic_read32(&turn->calls);
    apr_uint64_t next = apr_atomic_read64(&turn->next);
    apr_interval_time_t late = apr_atomic_read32(&turn->child) == child ? 0 : interval / 2;
    bool mine;

    if (gf_turn_is_held(turn, now)) {
        return false;
    }
    mine = now >= (apr_time_t)next + late
           && apr_atomic_cas64(&turn->next, (apr_uint64_t)(now + interval), next) == next;
    if (mine) {
        apr_atomic_set32(&turn->child, child);
    }
    mine = mine || called != *calls;
    *calls = called;
    return mine;
}

void gf_turn_call(gf_turn_t *turn)
{
    apr_atomic_inc32(&turn->calls);
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

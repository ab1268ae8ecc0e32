/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the kernel's clocks, and waits by the clock of condition variables. */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

#include <apr_errno.h>

#define START apr_time_from_sec(366 * 24 * 3600) /* what the clock showed when the host started */

apr_time_t gf_clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return START + apr_time_from_sec((apr_time_t)now.tv_sec) + now.tv_nsec / 1000;
}

apr_status_t gf_clock_cond_init(pthread_cond_t *changed)
{
    pthread_condattr_t attributes;
    int rv = pthread_condattr_init(&attributes);

    if (rv == 0) {
        rv = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        rv = rv == 0 ? pthread_cond_init(changed, &attributes) : rv;
        pthread_condattr_destroy(&attributes);
    }
    return rv;
}

void gf_clock_wait(pthread_cond_t *changed, pthread_mutex_t *mutex, apr_interval_time_t timeout)
{
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    timeout += end.tv_nsec / 1000;
    end.tv_sec += (time_t)apr_time_sec(timeout);
    end.tv_nsec = (long)apr_time_usec(timeout) * 1000;
    pthread_cond_timedwait(changed, mutex, &end);
}

void gf_clock_pause(apr_interval_time_t time)
{
    struct timespec left = { (time_t)apr_time_sec(time), (long)apr_time_usec(time) * 1000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

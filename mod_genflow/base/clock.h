/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of every interval and deadline: a change of the host's date does not affect it. The
 * date itself (apr_time_now) is only for values that others read: signatures, dates of files and
 * headers. Any thread. */
#ifndef GF_CLOCK_H
#define GF_CLOCK_H

#include <pthread.h>

#include <apr_time.h>

/* Microseconds since some time before this host started, which is more than a year ago: 0 is long
 * past. The same in all processes of the host. It counts the time in which the host was suspended,
 * as the leases in the database do. */
apr_time_t gf_clock_now(void);

/* A condition variable for gf_clock_wait(): its clock is not changed with the host's date. The
 * caller ends it by pthread_cond_destroy(). */
apr_status_t gf_clock_cond_init(pthread_cond_t *changed);

/* Waits for a signal, at most for `timeout` (above 0), with `mutex` locked, as
 * pthread_cond_timedwait() does. It may return without either: check the condition again. */
void gf_clock_wait(pthread_cond_t *changed, pthread_mutex_t *mutex, apr_interval_time_t timeout);

/* Blocks this thread for about `time` (above 0). Only where nothing signals what is awaited. */
void gf_clock_pause(apr_interval_time_t time);

#endif

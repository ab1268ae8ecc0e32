/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a delivery: a client's webhook is sent the end of its generation. Neither money nor
 * the generation is touched. It has no lease: its claim outlasts the longest attempt, so another
 * host retries only after a crash.
 *
 * 2xx: delivered. 410: unsubscribed. Anything else is retried, up to 10 attempts, 5 s after the
 * first and a day before the last, or later if Retry-After says so. */
#ifndef WORK_DELIVER_H
#define WORK_DELIVER_H

#include "work/run.h"

extern const gf_kind_t gf_kind_deliver;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The request header Prefer (RFC 7240): how long a client waits. No I/O; any thread. */
#ifndef GF_PREFER_H
#define GF_PREFER_H

#include <stdbool.h>

#include <apr_pools.h>
#include <apr_time.h>

#define GF_PREFER_WAIT_MAX (600 * APR_USEC_PER_SEC)

typedef struct gf_prefer_t {
    bool given;               /* the client sent one of the next two */
    bool waits;               /* `wait`, with a number of seconds */
    bool async;               /* `respond-async` */
    apr_interval_time_t wait; /* 0 to GF_PREFER_WAIT_MAX; 0 without `wait` */
} gf_prefer_t;

/* Reads the header's value; httpd joins several headers with commas. NULL: there is none. Names
 * count in any case, values may stand in quotes, and of two preferences of one name the first
 * counts. As the RFC requires, it skips everything else: other preferences, parameters after `;`, a
 * `wait` that is no number of seconds. `pool` is for scratch only. */
void gf_prefer_read(gf_prefer_t *prefer, const char *header, apr_pool_t *pool);

/* The value of Preference-Applied, in `pool`: the preferences that the answer follows; NULL: none.
 * waited: the client got the wait that it prefers, or the end came before; ended: the answer has
 * the end. */
const char *gf_prefer_applied(const gf_prefer_t *prefer, bool waited, bool ended, apr_pool_t *pool);

#endif

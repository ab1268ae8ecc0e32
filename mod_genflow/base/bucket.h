/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets, one per name (a user, an address), in memory that processes may share. The table
 * has a fixed size and needs no lock: a bucket is one 64-bit cell. When too many names are active
 * at once, the table forgets the fullest buckets, and their names may exceed the rate. Two names
 * share a bucket once in a million. Any thread. */
#ifndef GF_BUCKET_H
#define GF_BUCKET_H

#include <apr_pools.h>
#include <apr_time.h>

#define GF_BUCKET_FINEST 1000 /* microseconds: no rate is faster than one in that time */

/* A rate limit. */
typedef struct gf_rate_t {
    apr_interval_time_t every; /* average time between two requests; 0: there is no limit */
    apr_int64_t burst;         /* requests at once after a pause */
} gf_rate_t;

typedef struct gf_buckets_t gf_buckets_t;

/* Bytes of memory that the table needs, and the table made in it, before any child uses it. The
 * memory is the caller's: httpd/limits.c takes shared memory of the parent process. */
apr_size_t gf_bucket_bytes(void);
gf_buckets_t *gf_bucket_init(void *memory, apr_pool_t *scratch_pool);

/* Takes a token out of the bucket of `name`, at time `now` (gf_clock_now()). 0: done. Else nothing
 * was taken, and the result is the time until there is a token. rate->every is not 0. A bucket that
 * was never used is full: it has rate->burst tokens. */
apr_interval_time_t gf_bucket_take(gf_buckets_t *buckets, const gf_rate_t *rate, const char *name,
                                   apr_time_t now);

/* The same without taking: 0 if there is a token, else the time until there is one. */
apr_interval_time_t gf_bucket_look(gf_buckets_t *buckets, const gf_rate_t *rate, const char *name,
                                   apr_time_t now);

/* The tokens that the bucket has. *full: the time until it is full. */
apr_int64_t gf_bucket_left(apr_interval_time_t *full, gf_buckets_t *buckets, const gf_rate_t *rate,
                           const char *name, apr_time_t now);

#endif

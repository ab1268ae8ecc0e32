/* SPDX-License-Identifier: Apache-2.0 */
/* The generic cell rate algorithm: a bucket is the instant at which it would be full again
 * ("full"), and each token taken moves that ahead by the rate's time. A cell holds that instant and
 * a tag of the name, so that one compare-and-swap changes both. Leaves what is limited to its
 * callers. */
#include "base/bucket.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "base/hash.h"

#define SETS      4096 /* of cells that a name may be in */
#define WAYS      8
#define FULL_BITS 40 /* of GF_BUCKET_FINEST: 34 years since the table was made */
#define FULL_MASK ((APR_UINT64_C(1) << FULL_BITS) - 1)
#define SALT      16 /* bytes: a client cannot choose names that collide */

struct gf_buckets_t {
    char salt[2 * SALT + 1];
    apr_time_t made;
    volatile apr_uint64_t cells[SETS][WAYS];
};

apr_size_t gf_bucket_bytes(void)
{
    return sizeof(gf_buckets_t);
}

gf_buckets_t *gf_bucket_init(void *memory, apr_pool_t *scratch_pool)
{
    gf_buckets_t *buckets = memory;

    memset(buckets, 0, sizeof(*buckets));
    apr_cpystrn(buckets->salt, gf_hash_random(scratch_pool, SALT), sizeof(buckets->salt));
    buckets->made = gf_clock_now();
    return buckets;
}

/* The first 64 bits of the name's hash. */
static apr_uint64_t hash_of(const gf_buckets_t *buckets, const char *name)
{
    char hex[GF_SHA256_HEX];

    gf_hash_texts(hex, buckets->salt, name, strlen(name));
    hex[16] = '\0';
    return strtoull(hex, NULL, 16);
}

/* The cell of that tag among the set's, as it is now; else the one whose bucket is the fullest. */
static volatile apr_uint64_t *find_cell(apr_uint64_t *found, volatile apr_uint64_t *set,
                                        apr_uint64_t tag)
{
    volatile apr_uint64_t *cell = NULL;
    int i;

    for (i = 0; i < WAYS; i++) {
        apr_uint64_t value = apr_atomic_read64(&set[i]);

        if (value >> FULL_BITS == tag) {
            *found = value;
            return &set[i];
        }
        if (!cell || (value & FULL_MASK) < (*found & FULL_MASK)) {
            cell = &set[i];
            *found = value;
        }
    }
    return cell;
}

/* Where the bucket of a name is, and the time as cells count it. */
typedef struct place_t {
    volatile apr_uint64_t *set;
    apr_uint64_t tag;
    apr_int64_t at, every;
} place_t;

static place_t find_place(gf_buckets_t *buckets, const gf_rate_t *rate, const char *name,
                          apr_time_t now)
{
    apr_uint64_t hash = hash_of(buckets, name);
    place_t place = { .set = buckets->cells[hash % SETS],
                      .tag = hash >> FULL_BITS ? hash >> FULL_BITS : 1, /* an empty cell is free */
                      .every = rate->every / GF_BUCKET_FINEST };

    place.at = now > buckets->made ? (now - buckets->made) / GF_BUCKET_FINEST : 0;
    return place;
}

/* The cell of the bucket, what it holds, and when the bucket is full: not before now. */
static volatile apr_uint64_t *read_cell(apr_uint64_t *found, apr_int64_t *full,
                                        const place_t *place)
{
    volatile apr_uint64_t *cell = find_cell(found, place->set, place->tag);

    *full = *found >> FULL_BITS == place->tag ? (apr_int64_t)(*found & FULL_MASK) : 0;
    *full = *full > place->at ? *full : place->at;
    return cell;
}

static apr_interval_time_t use(gf_buckets_t *buckets, const gf_rate_t *rate, const char *name,
                               apr_time_t now, bool take)
{
    const place_t place = find_place(buckets, rate, name, now);
    apr_int64_t room = place.every * rate->burst;
    volatile apr_uint64_t *cell;
    apr_uint64_t found;
    apr_int64_t full;

    do {
        cell = read_cell(&found, &full, &place);
        full += place.every;
        if (full - place.at > room) {
            return (full - place.at - room) * GF_BUCKET_FINEST;
        }
    } while (
        take
        && apr_atomic_cas64(cell, place.tag << FULL_BITS | ((apr_uint64_t)full & FULL_MASK), found)
               != found);
    return 0;
}

apr_interval_time_t gf_bucket_take(gf_buckets_t *buckets, const gf_rate_t *rate, const char *name,
                                   apr_time_t now)
{
    return use(buckets, rate, name, now, true);
}

apr_interval_time_t gf_bucket_look(gf_buckets_t *buckets, const gf_rate_t *rate, const char *name,
                                   apr_time_t now)
{
    return use(buckets, rate, name, now, false);
}

apr_int64_t gf_bucket_left(apr_interval_time_t *full, gf_buckets_t *buckets, const gf_rate_t *rate,
                           const char *name, apr_time_t now)
{
    const place_t place = find_place(buckets, rate, name, now);
    apr_uint64_t found;
    apr_int64_t until;
    apr_int64_t used;

    read_cell(&found, &until, &place);
    *full = (until - place.at) * GF_BUCKET_FINEST;
    used = (until - place.at + place.every - 1) / place.every;
    return used < rate->burst ? rate->burst - used : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables of places, four to a set: one for known keys, one for unknown ids. One mutex guards
 * both and is held for copies alone. */
#include "db/api_key_cache.h"

#include <string.h>

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#define WAYS          4
#define KNOWN_SETS    256
#define UNKNOWN_SETS  128
#define REFRESH_AFTER (GF_KEY_AGE * 4 / 5)

/* A place. since 0: it is free. */
typedef struct place_t {
    char id[GF_API_KEY_ID + 1];
    apr_time_t since;
    bool refreshing; /* a caller reads it again */
} place_t;

/* What a place of a known key has beside. The texts are the cache's own. */
typedef struct known_t {
    place_t place;
    gf_key_t key; /* id and user: not set */
    char *user;
    apr_size_t room; /* bytes at `user` */
} known_t;

struct gf_key_cache_t {
    apr_thread_mutex_t *mutex;
    apr_pool_t *pool; /* under the mutex */
    known_t known[KNOWN_SETS][WAYS];
    place_t unknown[UNKNOWN_SETS][WAYS];
};

apr_status_t gf_key_cache_make(gf_key_cache_t **cache, apr_pool_t *pool)
{
    apr_allocator_t *allocator;
    apr_pool_t *own;

    apr_allocator_create(&allocator); /* its own: it is used by all threads, under the mutex */
    apr_pool_create_ex(&own, pool, NULL, allocator);
    apr_allocator_owner_set(allocator, own);
    apr_pool_tag(own, "genflow_api_keys");
    *cache = apr_pcalloc(own, sizeof(**cache));
    (*cache)->pool = own;
    return apr_thread_mutex_create(&(*cache)->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
}

/* Ids are random, and a set that somebody fills on purpose holds unknown ones alone. */
static unsigned hash_of(const char *id)
{
    unsigned hash = 2166136261U;

    while (*id) {
        hash = (hash ^ (unsigned char)*id++) * 16777619U;
    }
    return hash ^ hash >> 15;
}

static bool is_of(const place_t *place, const char *id)
{
    return place->since && memcmp(place->id, id, GF_API_KEY_ID) == 0;
}

static known_t *find_known(gf_key_cache_t *cache, const char *id)
{
    known_t *set = cache->known[hash_of(id) % KNOWN_SETS];
    int i;

    for (i = 0; i < WAYS; i++) {
        if (is_of(&set[i].place, id)) {
            return &set[i];
        }
    }
    return NULL;
}

static place_t *find_unknown(gf_key_cache_t *cache, const char *id)
{
    place_t *set = cache->unknown[hash_of(id) % UNKNOWN_SETS];
    int i;

    for (i = 0; i < WAYS; i++) {
        if (is_of(&set[i], id)) {
            return &set[i];
        }
    }
    return NULL;
}

/* May the entry be used now? The first caller near its end reads it again. */
static bool is_fresh(place_t *place, apr_time_t now)
{
    apr_time_t age = now - place->since;

    if (age < 0 || age >= GF_KEY_AGE) {
        return false;
    }
    if (age < REFRESH_AFTER || place->refreshing) {
        return true;
    }
    place->refreshing = true;
    return false;
}

bool gf_key_cache_find(gf_key_t *key, gf_key_cache_t *cache, const char *id, apr_time_t now,
                       apr_pool_t *pool)
{
    known_t *known;
    place_t *place;
    bool fresh;

    apr_thread_mutex_lock(cache->mutex);
    known = find_known(cache, id);
    place = known ? &known->place : find_unknown(cache, id);
    fresh = place && is_fresh(place, now);
    if (fresh && known) {
        *key = known->key;
        key->id = id;
        key->user = apr_pstrdup(pool, known->user);
    }
    else if (fresh) {
        memset(key, 0, sizeof(*key));
        key->id = id;
    }
    apr_thread_mutex_unlock(cache->mutex);
    return fresh;
}

bool gf_key_cache_knew(gf_key_cache_t *cache, const char *id)
{
    bool knew;

    apr_thread_mutex_lock(cache->mutex);
    knew = find_known(cache, id) != NULL;
    apr_thread_mutex_unlock(cache->mutex);
    return knew;
}

/* The place of that id, or the one that was read first of its set. */
static known_t *place_for_known(gf_key_cache_t *cache, const char *id)
{
    known_t *set = cache->known[hash_of(id) % KNOWN_SETS];
    known_t *oldest = find_known(cache, id);
    int i;

    for (i = 0; i < WAYS && !(oldest && is_of(&oldest->place, id)); i++) {
        if (!oldest || set[i].place.since < oldest->place.since) {
            oldest = &set[i];
        }
    }
    return oldest;
}

static place_t *place_for_unknown(gf_key_cache_t *cache, const char *id)
{
    place_t *set = cache->unknown[hash_of(id) % UNKNOWN_SETS];
    place_t *oldest = find_unknown(cache, id);
    int i;

    for (i = 0; i < WAYS && !(oldest && is_of(oldest, id)); i++) {
        if (!oldest || set[i].since < oldest->since) {
            oldest = &set[i];
        }
    }
    return oldest;
}

static void fill_place(place_t *place, const char *id, apr_time_t since)
{
    apr_cpystrn(place->id, id, sizeof(place->id));
    place->since = since;
    place->refreshing = false;
}

/* A place that has to grow doubles its room, up to the longest name of a user: what it had is not
 * freed, and is less than what it has. */
static void set_user(gf_key_cache_t *cache, known_t *known, const char *user)
{
    apr_size_t length = strlen(user) + 1;

    if (known->room < length) {
        known->room = known->room * 2 > length ? known->room * 2 : length;
        known->user = apr_palloc(cache->pool, known->room);
    }
    memcpy(known->user, user, length);
}

void gf_key_cache_add(gf_key_cache_t *cache, const gf_key_t *key, apr_time_t since)
{
    known_t *known;

    apr_thread_mutex_lock(cache->mutex);
    if (key->known) {
        known = place_for_known(cache, key->id);
        if (!is_of(&known->place, key->id) || known->place.since <= since) {
            set_user(cache, known, key->user);
            known->key = *key;
            known->key.id = NULL;
            known->key.user = NULL;
            fill_place(&known->place, key->id, since);
        }
    }
    else {
        fill_place(place_for_unknown(cache, key->id), key->id, since);
        known = find_known(cache, key->id);
        if (known) { /* it was deleted */
            known->place.since = 0;
        }
    }
    apr_thread_mutex_unlock(cache->mutex);
}

bool gf_key_cache_take_use(gf_key_cache_t *cache, const char *id)
{
    known_t *known;
    bool taken;

    apr_thread_mutex_lock(cache->mutex);
    known = find_known(cache, id);
    taken = known && known->key.use_due;
    if (taken) {
        known->key.use_due = false;
    }
    apr_thread_mutex_unlock(cache->mutex);
    return taken;
}

void gf_key_cache_drop(gf_key_cache_t *cache, const char *id)
{
    known_t *known;

    apr_thread_mutex_lock(cache->mutex);
    known = find_known(cache, id);
    if (known) {
        known->place.since = 0;
    }
    apr_thread_mutex_unlock(cache->mutex);
}

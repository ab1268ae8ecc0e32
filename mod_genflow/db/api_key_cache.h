/* SPDX-License-Identifier: Apache-2.0 */
/* The API keys that a child has read lately, known and unknown ones, so that a request costs no
 * statement. An entry counts for GF_KEY_AGE from before it was read: what was revoked or expired is
 * refused by every child of every host after that time. Bounded: a new entry replaces the oldest of
 * its few places, an unknown key never a known one. Any thread; never blocks on the database. */
#ifndef GF_API_KEY_CACHE_H
#define GF_API_KEY_CACHE_H

#include "db/api_key.h"

#define GF_KEY_AGE apr_time_from_sec(5)

typedef struct gf_key_cache_t gf_key_cache_t;

/* For the life of `pool`, of which it makes a pool of its own only now. */
apr_status_t gf_key_cache_make(gf_key_cache_t **cache, apr_pool_t *pool);

/* Copies a fresh entry of that id to *key, its user to `pool`; false: there is none, read it. From
 * four fifths of the age on, one caller in that time gets false as well, and reads it while the
 * others use the entry. now: gf_clock_now(). */
bool gf_key_cache_find(gf_key_t *key, gf_key_cache_t *cache, const char *id, apr_time_t now,
                       apr_pool_t *pool);

/* Was that id a known key when it was read last? Also of an entry that is too old to be used. */
bool gf_key_cache_knew(gf_key_cache_t *cache, const char *id);

/* Remembers what was read, `since` before it was read. */
void gf_key_cache_add(gf_key_cache_t *cache, const gf_key_t *key, apr_time_t since);

/* True for one caller: its last use is to be recorded, and the entry says so no more. */
bool gf_key_cache_take_use(gf_key_cache_t *cache, const char *id);

/* Drops the entry: this child has just revoked the key. */
void gf_key_cache_drop(gf_key_cache_t *cache, const char *id);

#endif

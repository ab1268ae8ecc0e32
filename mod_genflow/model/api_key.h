/* SPDX-License-Identifier: Apache-2.0 */
/* What an API key looks like, and what its scopes are called:
 *
 *     gf_<12 of id>_<32 of secret><6 of checksum>      all of 0-9 A-Z a-z
 *
 * The id names the key in the database, in lists and in logs. The 32 characters are 190 random
 * bits. The checksum is the CRC-32 of all that stands before it: secret scanners recognize a key by
 * it, and a key that was mistyped or cut is refused without a statement. It keeps nobody out: only
 * the hash of the whole key does. Pure; any thread. */
#ifndef GF_MODEL_API_KEY_H
#define GF_MODEL_API_KEY_H

#include <stdbool.h>

#include <apr_pools.h>

#define GF_API_KEY_PREFIX "gf_"
#define GF_API_KEY_ID     12 /* characters of the id */
#define GF_API_KEY_LENGTH 54 /* of the whole key */

/* What a key may do; one bit each. */
typedef enum {
    GF_SCOPE_IMAGES = 1, /* create, cancel, delete: whatever changes something */
    GF_SCOPE_READ = 2,   /* look */
    GF_SCOPE_KEYS = 4,   /* make, list and revoke keys */
    GF_SCOPE_ADMIN = 8   /* call administration, where httpd admits the key's user to it */
} gf_scope_t;

/* A new key, of the operating system's random bytes, in `pool`. */
const char *gf_api_key_make(apr_pool_t *pool);

/* Does text begin like a key: prefix, id and underscore? It may be mistyped or cut. What follows
 * the id must then not be shown. NULL does not. */
bool gf_api_key_begins(const char *text);

/* Is text a whole key, of the right length and with the right checksum? NULL is not. */
bool gf_api_key_is_whole(const char *text);

/* The id of a text that begins like a key, in `pool`. */
const char *gf_api_key_id(const char *text, apr_pool_t *pool);

/* Is text the id of a key, by its form? NULL is not. */
bool gf_api_key_is_id(const char *text);

/* The scope of that name; 0: there is none. */
unsigned gf_api_key_scope(const char *name);

/* The scopes that are named in words between blanks; unknown words count for nothing. */
unsigned gf_api_key_scopes(const char *words);

/* Their names with `separator` between them, in `pool`: "images read". */
const char *gf_api_key_words(unsigned scopes, const char *separator, apr_pool_t *pool);

#endif

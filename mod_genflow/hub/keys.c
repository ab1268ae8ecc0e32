/* SPDX-License-Identifier: Apache-2.0 */
/* A set for each address; each has memory of its own, so that new keys replace the old ones. */
#include "hub/keys.h"

#include <pthread.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"

#define SETS_MAX 16
#define TEXT_MAX 65536
#define FRESH    apr_time_from_sec(24 * 3600)
#define PAUSE    apr_time_from_sec(60) /* between two fetches */

/* The public keys of one address. */
typedef struct key_set_t {
    const char *url; /* of the configuration: outlives the child */
    char *text;
    apr_pool_t *pool;   /* of text */
    apr_time_t fetched; /* when tried last; 0: never */
    apr_time_t got;
    bool is_pending;
} key_set_t;

struct gf_keys_t {
    pthread_mutex_t mutex; /* guards the sets */
    key_set_t sets[SETS_MAX];
};

static apr_status_t end_keys(void *data)
{
    gf_keys_t *keys = data;
    int i;

    pthread_mutex_destroy(&keys->mutex);
    for (i = 0; i < SETS_MAX; i++) {
        if (keys->sets[i].pool) {
            apr_pool_destroy(keys->sets[i].pool);
        }
    }
    return APR_SUCCESS;
}

apr_status_t gf_keys_make(gf_keys_t **out, apr_pool_t *pool)
{
    gf_keys_t *keys = apr_pcalloc(pool, sizeof(*keys));
    int rv = pthread_mutex_init(&keys->mutex, NULL);

    if (rv == 0) {
        apr_pool_cleanup_register(pool, keys, end_keys, apr_pool_cleanup_null);
    }
    *out = keys;
    return rv;
}

/* The set of that address; a new one takes the next free place. NULL: there are too many. */
static key_set_t *set_of(gf_keys_t *keys, const char *url)
{
    int i;

    for (i = 0; i < SETS_MAX && keys->sets[i].url; i++) {
        if (strcmp(keys->sets[i].url, url) == 0) {
            return &keys->sets[i];
        }
    }
    if (i == SETS_MAX) {
        return NULL;
    }
    keys->sets[i].url = url;
    return &keys->sets[i];
}

const char *gf_keys_get(gf_keys_t *keys, const char *url, bool newer, apr_pool_t *pool)
{
    apr_time_t now = gf_clock_now();
    const char *text = NULL;
    key_set_t *set;

    pthread_mutex_lock(&keys->mutex);
    set = set_of(keys, url);
    if (set && set->text && !newer && set->got + FRESH > now) {
        text = apr_pstrdup(pool, set->text);
    }
    else if (set && set->fetched + PAUSE <= now) {
        set->is_pending = true;
    }
    pthread_mutex_unlock(&keys->mutex);
    return text;
}

const char *gf_keys_pending(gf_keys_t *keys)
{
    const char *url = NULL;
    int i;

    pthread_mutex_lock(&keys->mutex);
    for (i = 0; i < SETS_MAX && !url; i++) {
        url = keys->sets[i].is_pending ? keys->sets[i].url : NULL;
    }
    pthread_mutex_unlock(&keys->mutex);
    return url;
}

void gf_keys_put(gf_keys_t *keys, const char *url, const char *text)
{
    key_set_t *set;

    pthread_mutex_lock(&keys->mutex);
    set = set_of(keys, url);
    set->is_pending = false;
    set->fetched = gf_clock_now();
    if (text && strlen(text) <= TEXT_MAX) {
        if (set->pool) {
            apr_pool_destroy(set->pool);
        }
        apr_pool_create_unmanaged_ex(&set->pool, NULL, NULL); /* no other thread's allocator */
        set->text = apr_pstrdup(set->pool, text);
        set->got = set->fetched;
    }
    pthread_mutex_unlock(&keys->mutex);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Those that wait for the end of a generation, by its id, and a flag. Leaves waking them to news.c,
 * and checking the owner to api/wait.c. */
#include "hub/shortcut.h"

#include <pthread.h>
#include <string.h>

#include <apr_atomic.h>

#include "hub/inside.h"

struct gf_shortcut_t {
    volatile apr_uint32_t out_of_reach; /* no lock */
    pthread_mutex_t mutex;              /* guards those that wait */
    gf_await_t *awaits[GF_HUB_BUCKETS]; /* by id */
};

static apr_status_t end_shortcut(void *data)
{
    gf_shortcut_t *shortcut = data;

    pthread_mutex_destroy(&shortcut->mutex);
    return APR_SUCCESS;
}

apr_status_t gf_shortcut_make(gf_shortcut_t **out, apr_pool_t *pool)
{
    gf_shortcut_t *shortcut = apr_pcalloc(pool, sizeof(*shortcut));
    int rv = pthread_mutex_init(&shortcut->mutex, NULL);

    if (rv == 0) {
        apr_pool_cleanup_register(pool, shortcut, end_shortcut, apr_pool_cleanup_null);
        *out = shortcut;
    }
    return rv;
}

void gf_shortcut_note_reach(gf_shortcut_t *shortcut, bool all)
{
    apr_atomic_set32(&shortcut->out_of_reach, !all);
}

bool gf_shortcut_reaches_all(gf_shortcut_t *shortcut)
{
    return !apr_atomic_read32(&shortcut->out_of_reach);
}

/* ---- the end ---- */

static gf_await_t **bucket_of(gf_shortcut_t *shortcut, const char *id)
{
    return &shortcut->awaits[gf_hub_bucket(id)];
}

void gf_shortcut_await(gf_shortcut_t *shortcut, gf_await_t *await)
{
    gf_await_t **first = bucket_of(shortcut, await->id);

    await->shortcut = shortcut;
    await->final = NULL;
    await->previous = NULL;
    pthread_mutex_lock(&shortcut->mutex);
    await->next = *first;
    if (*first) {
        (*first)->previous = await;
    }
    *first = await;
    pthread_mutex_unlock(&shortcut->mutex);
}

apr_status_t gf_shortcut_leave(void *data)
{
    gf_await_t *await = data;
    gf_shortcut_t *shortcut = await->shortcut;

    pthread_mutex_lock(&shortcut->mutex);
    *(await->previous ? &await->previous->next : bucket_of(shortcut, await->id)) = await->next;
    if (await->next) {
        await->next->previous = await->previous;
    }
    pthread_mutex_unlock(&shortcut->mutex);
    if (await->final) {
        gf_final_release(await->final);
    }
    return APR_SUCCESS;
}

bool gf_shortcut_is_awaited(gf_shortcut_t *shortcut, const char *id)
{
    const gf_await_t *await;

    pthread_mutex_lock(&shortcut->mutex);
    await = *bucket_of(shortcut, id);
    while (await && strcmp(await->id, id) != 0) {
        await = await->next;
    }
    pthread_mutex_unlock(&shortcut->mutex);
    return await != NULL;
}

void gf_shortcut_give(gf_shortcut_t *shortcut, const char *id, gf_final_t *final)
{
    gf_await_t *await;

    pthread_mutex_lock(&shortcut->mutex);
    for (await = *bucket_of(shortcut, id); await; await = await->next) {
        if (!await->final && strcmp(await->id, id) == 0) {
            gf_final_hold(final);
            await->final = final;
        }
    }
    pthread_mutex_unlock(&shortcut->mutex);
}

gf_final_t *gf_shortcut_take(gf_await_t *await)
{
    gf_final_t *final;

    pthread_mutex_lock(&await->shortcut->mutex);
    final = await->final;
    await->final = NULL;
    pthread_mutex_unlock(&await->shortcut->mutex);
    return final;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of wants for thumbnails. Leaves making them to work/thumbnail.c. */
#include "hub/wants.h"

#include <pthread.h>
#include <string.h>

#include "hub/inside.h"

#define WAITING_MAX 256 /* more than a child settles in some seconds */

struct gf_wants_t {
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t changed;
    gf_want_t ring[WAITING_MAX];
    int first;
    int count;
    char current[GF_HUB_ID]; /* the id of the one that was taken last; "": none */
    bool open;
};

static apr_status_t end_wants(void *data)
{
    gf_wants_t *wants = data;

    pthread_cond_destroy(&wants->changed);
    pthread_mutex_destroy(&wants->mutex);
    return APR_SUCCESS;
}

apr_status_t gf_wants_make(gf_wants_t **out, apr_pool_t *pool)
{
    gf_wants_t *wants = apr_pcalloc(pool, sizeof(*wants));
    int rv = pthread_mutex_init(&wants->mutex, NULL);

    rv = rv == 0 ? pthread_cond_init(&wants->changed, NULL) : rv;
    if (rv == 0) {
        apr_pool_cleanup_register(pool, wants, end_wants, apr_pool_cleanup_null);
        *out = wants;
    }
    return rv;
}

gf_wants_t *gf_hub_wants(const gf_hub_t *hub)
{
    return hub->wants;
}

static gf_want_t *want_at(gf_wants_t *wants, int place)
{
    return &wants->ring[(wants->first + place) % WAITING_MAX];
}

static bool is_known(gf_wants_t *wants, const char *id)
{
    int i;

    for (i = 0; i < wants->count; i++) {
        if (strcmp(want_at(wants, i)->id, id) == 0) {
            return true;
        }
    }
    return strcmp(wants->current, id) == 0;
}

bool gf_wants_put(gf_wants_t *wants, const gf_want_t *want)
{
    bool put = false;

    pthread_mutex_lock(&wants->mutex);
    if (wants->open && wants->count < WAITING_MAX && !is_known(wants, want->id)) {
        *want_at(wants, wants->count++) = *want;
        pthread_cond_signal(&wants->changed);
        put = true;
    }
    pthread_mutex_unlock(&wants->mutex);
    return put;
}

static void take_first(gf_want_t *want, gf_wants_t *wants)
{
    *want = *want_at(wants, 0);
    wants->first = (wants->first + 1) % WAITING_MAX;
    wants->count--;
}

bool gf_wants_take(gf_want_t *want, gf_wants_t *wants)
{
    bool open;

    pthread_mutex_lock(&wants->mutex);
    wants->current[0] = '\0';
    while (wants->open && wants->count == 0) {
        pthread_cond_wait(&wants->changed, &wants->mutex);
    }
    open = wants->open;
    if (open) {
        take_first(want, wants);
        memcpy(wants->current, want->id, sizeof(wants->current));
    }
    pthread_mutex_unlock(&wants->mutex);
    return open;
}

static void set_open(gf_wants_t *wants, bool open)
{
    pthread_mutex_lock(&wants->mutex);
    wants->open = open;
    pthread_cond_broadcast(&wants->changed);
    pthread_mutex_unlock(&wants->mutex);
}

void gf_wants_open(gf_wants_t *wants)
{
    set_open(wants, true);
}

void gf_wants_close(gf_wants_t *wants)
{
    set_open(wants, false);
}

bool gf_wants_drop(gf_want_t *want, gf_wants_t *wants)
{
    bool any;

    pthread_mutex_lock(&wants->mutex);
    any = wants->count > 0;
    if (any) {
        take_first(want, wants);
    }
    pthread_mutex_unlock(&wants->mutex);
    return any;
}

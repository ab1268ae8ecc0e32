/* SPDX-License-Identifier: Apache-2.0 */
/* Places by user, in one table. */
#include "hub/places.h"

#include <pthread.h>
#include <string.h>

#include "hub/inside.h"

struct gf_places_t {
    int most;              /* never changes */
    pthread_mutex_t mutex; /* guards all below */
    gf_place_t *taken[GF_HUB_BUCKETS];
};

static apr_status_t end_places(void *data)
{
    gf_places_t *places = data;

    pthread_mutex_destroy(&places->mutex);
    return APR_SUCCESS;
}

apr_status_t gf_places_make(gf_places_t **out, int most, apr_pool_t *pool)
{
    gf_places_t *places = apr_pcalloc(pool, sizeof(*places));
    int rv = pthread_mutex_init(&places->mutex, NULL);

    places->most = most;
    if (rv == 0) {
        apr_pool_cleanup_register(pool, places, end_places, apr_pool_cleanup_null);
        *out = places;
    }
    return rv;
}

gf_places_t *gf_hub_responses(const gf_hub_t *hub)
{
    return hub->responses;
}

bool gf_places_take(gf_places_t *places, gf_place_t *place, const char *user)
{
    gf_place_t **first = &places->taken[gf_hub_bucket(user)];
    const gf_place_t *other;
    int taken = 0;
    bool room;

    place->user = user;
    pthread_mutex_lock(&places->mutex);
    for (other = *first; other; other = other->next) {
        taken += strcmp(other->user, user) == 0;
    }
    room = taken < places->most;
    if (room) {
        place->previous = NULL;
        place->next = *first;
        if (place->next) {
            place->next->previous = place;
        }
        *first = place;
    }
    pthread_mutex_unlock(&places->mutex);
    return room;
}

void gf_places_leave(gf_places_t *places, gf_place_t *place)
{
    pthread_mutex_lock(&places->mutex);
    *(place->previous ? &place->previous->next : &places->taken[gf_hub_bucket(place->user)]) =
        place->next;
    if (place->next) {
        place->next->previous = place->previous;
    }
    pthread_mutex_unlock(&places->mutex);
}

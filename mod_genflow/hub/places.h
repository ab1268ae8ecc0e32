/* SPDX-License-Identifier: Apache-2.0 */
/* How many of one kind of thing each user has under way in this child. Any thread; one mutex, no
 * I/O while it is held. */
#ifndef HUB_PLACES_H
#define HUB_PLACES_H

#include "hub/hub.h"

typedef struct gf_places_t gf_places_t;

/* A place that is taken: in memory of the request from gf_places_take() to gf_places_leave(). */
typedef struct gf_place_t {
    const char *user; /* lives as long as the place */
    struct gf_place_t *next;
    struct gf_place_t *previous;
} gf_place_t;

/* At most `most` of one user. They end with `pool`, after all that use them. */
apr_status_t gf_places_make(gf_places_t **places, int most, apr_pool_t *pool);

/* Takes a place for `user`; false: there is none. End a true one by gf_places_leave(). */
bool gf_places_take(gf_places_t *places, gf_place_t *place, const char *user);
void gf_places_leave(gf_places_t *places, gf_place_t *place);

/* Those of the large responses that are on their way to a client (api/large.c). */
gf_places_t *gf_hub_responses(const gf_hub_t *hub);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The thumbnails that a child has still to make. Writers put those of the pictures that they have
 * stored, requests those of older pictures that they show; the thread for thumbnails
 * (work/thumbnail.c) takes one after the other. A want that finds no room is dropped, because a
 * later request has it again. One mutex, no I/O while it is held. Any thread. */
#ifndef HUB_WANTS_H
#define HUB_WANTS_H

#include "hub/hub.h"

#define GF_WANT_NAME 160 /* bytes: type, folder, id, secret, extension */

typedef struct gf_want_t {
    const gf_type_t *type; /* of the configuration */
    char id[GF_HUB_ID];
    char name[GF_WANT_NAME]; /* of the picture */
    bool has_file;           /* a copy of the picture is in the spool (gf_store_draft()) */
} gf_want_t;

typedef struct gf_wants_t gf_wants_t;

apr_status_t gf_wants_make(gf_wants_t **wants, apr_pool_t *pool);

/* A thread takes wants from now on. */
void gf_wants_open(gf_wants_t *wants);

/* False: nothing was put, because no thread takes wants, too many wait, or that picture's is
 * waiting or being made already. */
bool gf_wants_put(gf_wants_t *wants, const gf_want_t *want);

/* Waits for a want; the one taken before is done. False: closed, and nothing is taken. */
bool gf_wants_take(gf_want_t *want, gf_wants_t *wants);

/* Nothing is put any more, and gf_wants_take() ends. */
void gf_wants_close(gf_wants_t *wants);

/* Takes what waits after gf_wants_close(); false: nothing does. */
bool gf_wants_drop(gf_want_t *want, gf_wants_t *wants);

/* Those of the hub. */
gf_wants_t *gf_hub_wants(const gf_hub_t *hub);

#endif

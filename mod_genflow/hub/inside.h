/* SPDX-License-Identifier: Apache-2.0 */
/* The hub itself, for the files of this room: hub/inbox.c and hub/news.c make hub/hub.h. */
#ifndef GF_HUB_INSIDE_H
#define GF_HUB_INSIDE_H

#include "hub/hub.h"

struct gf_keys_t;     /* hub/keys.h */
struct gf_shortcut_t; /* hub/shortcut.h */

#define GF_HUB_WATCH_BUCKETS   1024
#define GF_HUB_WEBHOOK_IDS_MAX 64 /* one more is lost: the usual poll finds its job */

struct gf_hub_t {
    pthread_mutex_t mutex; /* guards all below but what says otherwise */
    int bell;
    struct gf_keys_t *keys;         /* has a lock of its own */
    struct gf_shortcut_t *shortcut; /* the same */
    struct gf_board_t *board;       /* no lock: set before the threads; NULL: no other child */
    volatile apr_uint32_t listens;  /* this process, on the board */
    gf_job_t *first;                /* inbox */
    gf_job_t *last;
    gf_hub_bounds_t bounds;
    int jobs;
    int waiting;
    int threads; /* of those, with a thread */
    gf_waiter_t *waiters;
    gf_waiter_t *ringing; /* gf_hub_lookout_ring() goes on here */
    gf_waiter_t *looking; /* gf_hub_lookout_next() goes on here; NULL: at the first one */
    gf_waiter_t *asking;  /* the same of gf_hub_lookout_users() */
    int watched_users;    /* watches of users */
    gf_watch_t *watches[GF_HUB_WATCH_BUCKETS];   /* by id */
    gf_waiter_t *of_users[GF_HUB_WATCH_BUCKETS]; /* by user */
    pthread_cond_t begun;                        /* a request waits, or the child stops */
    char webhook_ids[GF_HUB_WEBHOOK_IDS_MAX][GF_HUB_ID];
    int webhook_id_count;
    bool recalled;
    bool closing;
};

/* The child stops (hub/news.c): wakes all waiters with GF_NEWS_CLOSING, and the lookout. With the
 * mutex held. */
void gf_news_close(gf_hub_t *hub);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The hub itself, for the files of this room: hub/inbox.c and hub/news.c make hub/hub.h. One of a
 * child; it lives as long as the child's pool. Requests, the dispatcher, the lookout and the reader
 * of the board use it at the same time. */
#ifndef GF_HUB_INSIDE_H
#define GF_HUB_INSIDE_H

#include <apr_hash.h>

#include "hub/hub.h"

struct gf_keys_t;     /* hub/keys.h */
struct gf_shortcut_t; /* hub/shortcut.h */

#define GF_HUB_BUCKETS         1024 /* of each table by id or by user */
#define GF_HUB_WEBHOOK_IDS_MAX 64   /* one more is lost: the usual poll finds its job */

/* Of an id or a user. Other children compute the same: it is on the board. */
static inline apr_uint32_t gf_hub_hash(const char *text)
{
    apr_ssize_t length = APR_HASH_KEY_STRING;

    return apr_hashfunc_default(text, &length);
}

static inline apr_uint32_t gf_hub_bucket(const char *text)
{
    return gf_hub_hash(text) % GF_HUB_BUCKETS;
}

/* Nothing blocks while the mutex is held, and a walk over the waiters releases it every now and
 * then (hub/news.c). */
struct gf_hub_t {
    pthread_mutex_t mutex;  /* guards all below but what says otherwise */
    int bell;               /* an eventfd of the dispatcher: a job, a webhook or the end has come */
    struct gf_keys_t *keys; /* has a lock of its own */
    struct gf_shortcut_t *shortcut; /* the same */
    struct gf_wants_t *wants;       /* the same */
    struct gf_places_t *responses;  /* the same */
    struct gf_board_t *board;       /* no lock: set before the threads; NULL: no other child */
    struct gf_metrics_t *metrics;   /* the same; NULL: nothing is counted */
    volatile apr_uint32_t listens;  /* this process, on the board */
    /* The inbox, linked by gf_job_t.next: the dispatcher takes the first, requests add behind the
     * last. */
    gf_job_t *first;
    gf_job_t *last;

    gf_hub_bounds_t bounds; /* never changes */
    int jobs;               /* places taken: reserved, in the inbox, and with the dispatcher */
    int waiting;            /* waiters of all kinds */
    int threads;            /* of those, with a thread */

    /* All waiters in a list, in no order. The lookout goes through it in pieces, one cursor for
     * each of its tasks; a waiter that leaves moves the cursors that point to it. */
    gf_waiter_t *waiters;
    gf_waiter_t *ringing; /* gf_hub_lookout_ring() goes on here */
    gf_waiter_t *looking; /* gf_hub_lookout_next() goes on here; NULL: at the first one */
    gf_waiter_t *asking;  /* the same of gf_hub_lookout_users() */
    int watched_users;    /* watches of users */
    gf_watch_t *watches[GF_HUB_BUCKETS];   /* by id */
    gf_waiter_t *of_users[GF_HUB_BUCKETS]; /* by user */
    pthread_cond_t begun;                  /* a request waits, or the child stops */
    char webhook_ids[GF_HUB_WEBHOOK_IDS_MAX][GF_HUB_ID];
    int webhook_id_count;
    bool recalled; /* a request ended a job of this child: gf_hub_req_recall() */
    bool queued;   /* and one queued a job: gf_hub_req_queued() */
    bool closing;  /* no request begins to wait any more */
};

/* The child stops (hub/news.c): wakes all waiters with GF_NEWS_CLOSING, and the lookout. With the
 * mutex held. */
void gf_news_close(gf_hub_t *hub);

#endif

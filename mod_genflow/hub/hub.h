/* SPDX-License-Identifier: Apache-2.0 */
/* The meeting point of requests and the background inside one child. Requests hand jobs in (by
 * value: a job owns its pool) and wait for news; the dispatcher takes jobs and publishes news. News
 * are a hint that the row changed: the row is the truth. One mutex, no I/O while it is held. The
 * names contain the caller: req a request's thread, bg the dispatcher. */
#ifndef GF_HUB_H
#define GF_HUB_H

#include <pthread.h>

#include <apr_time.h>

#include "model/job.h"

typedef struct gf_hub_t gf_hub_t;

typedef enum {
    GF_NEWS_NONE,    /* nothing happened until the deadline */
    GF_NEWS_WORKING, /* a provider has it and needs time */
    GF_NEWS_ENDED,   /* it reached an end */
    GF_NEWS_CLOSING  /* this child stops: answer with what there is */
} gf_news_t;

/* One request's interest in one job; lives in the request (on its stack) from watch to unwatch. */
typedef struct gf_watch_t {
    const char *id;
    const char
        *user; /* the user whose place it takes; NULL: another watch of the request has one */
    struct gf_watch_t *next_of_users;
    gf_news_t news;
    pthread_cond_t changed;
    struct gf_watch_t *next;
} gf_watch_t;

/* Child start, before any thread. Bounds of this child: jobs_max, waiters_max, and user_max of
 * those waiters for one user. */
apr_status_t gf_hub_make(gf_hub_t **hub, apr_pool_t *pool, int jobs_max, int waiters_max,
                         int user_max);

/* The bell: a descriptor that becomes readable when there is something to take. gf_hub_ring(): any
 * thread. gf_hub_bg_silence(): makes it unreadable again. */
int gf_hub_bell(const gf_hub_t *hub);
void gf_hub_ring(gf_hub_t *hub);
void gf_hub_bg_silence(gf_hub_t *hub);

/* gf_hub_reserve(): takes a place among the jobs in flight of this child; false: full, or the child
 * is stopping. gf_hub_leave() gives the place back. */
bool gf_hub_reserve(gf_hub_t *hub);
void gf_hub_leave(gf_hub_t *hub);

/* Hands a job (with its reserved place) to the dispatcher and rings. The caller may not touch it
 * again. */
void gf_hub_req_submit(gf_hub_t *hub, gf_job_t *job);

/* The oldest job handed in, or NULL. */
gf_job_t *gf_hub_bg_take(gf_hub_t *hub);

/* Starts watching job `id` for `user`; false: too many waiters in this child, or of that user.
 * user: NULL for a further watch of the same request. Watch first, then submit or read the row:
 * then no news are missed. End a true watch by gf_hub_req_unwatch(). */
bool gf_hub_req_watch(gf_hub_t *hub, gf_watch_t *watch, const char *id, const char *user);
void gf_hub_req_unwatch(gf_hub_t *hub, gf_watch_t *watch);

/* Blocks until news of at least `enough` or for `timeout`; returns the newest news. */
gf_news_t gf_hub_req_wait(gf_hub_t *hub, gf_watch_t *watch, gf_news_t enough,
                          apr_interval_time_t timeout);

/* The request has seen the news so far: the next GF_NEWS_WORKING is news again. */
void gf_hub_req_news_seen(gf_hub_t *hub, gf_watch_t *watch);

/* Notifies all watches of `id`. */
void gf_hub_bg_publish(gf_hub_t *hub, const char *id, gf_news_t news);

#define GF_HUB_ID 40 /* bytes for the id of a generation */

/* Wakes the dispatcher for job `id`: a provider webhook for it was received. Another process may
 * lead the job. */
void gf_hub_req_webhook_received(gf_hub_t *hub, const char *id);

/* The next such id; false: no more. */
bool gf_hub_bg_webhook_take(gf_hub_t *hub, char id[GF_HUB_ID]);

/* A request ended a job that this child works on: the dispatcher checks at once which jobs are
 * still its own. bg: was the recall called since? */
void gf_hub_req_recall(gf_hub_t *hub);
bool gf_hub_bg_recalled(gf_hub_t *hub);

/* The public keys at `url`, copied into pool, while they are fresh. NULL: not here; the dispatcher
 * fetches them now unless the last fetch was less than a minute ago. `newer`: the ones at hand did
 * not fit. */
const char *gf_hub_req_keys(gf_hub_t *hub, const char *url, bool newer, apr_pool_t *pool);

/* An address whose keys are to be fetched, or NULL. gf_hub_bg_keys_put(): the fetched keys; NULL:
 * the fetch failed. */
const char *gf_hub_bg_keys_pending(gf_hub_t *hub);
void gf_hub_bg_keys_put(gf_hub_t *hub, const char *url, const char *keys);

/* This child stops taking jobs and wakes all waiters. */
void gf_hub_close(gf_hub_t *hub);

/* Has gf_hub_close() been called? */
bool gf_hub_closing(gf_hub_t *hub);

#endif

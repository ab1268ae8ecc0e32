/* SPDX-License-Identifier: Apache-2.0 */
/* The meeting point of requests and the background inside one child. Requests hand jobs in (by
 * value: a job owns its pool) and wait for news; the dispatcher takes jobs and publishes. What is
 * published is a hint that the row changed: the row is the truth. One mutex, no I/O while it is
 * held. The names say who calls: req a request's thread, bg the dispatcher. */
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
    const char *user; /* whose place it takes; NULL: one that another watch of the request has */
    struct gf_watch_t *next_of_users;
    gf_news_t news;
    pthread_cond_t changed;
    struct gf_watch_t *next;
} gf_watch_t;

/* Child start, before any thread. Bounds of this child: jobs_max, waiters_max, and user_max of
 * those waiters for one user. */
apr_status_t gf_hub_make(gf_hub_t **hub, apr_pool_t *pool, int jobs_max, int waiters_max,
                         int user_max);

/* The bell: a descriptor that becomes readable when there is something to take. ring: any thread.
 */
int gf_hub_bell(const gf_hub_t *hub);
void gf_hub_ring(gf_hub_t *hub);
void gf_hub_bg_silence(gf_hub_t *hub);

/* A place among the jobs in flight of this child; false: full, or it is stopping. Given back by
 * leave. */
bool gf_hub_reserve(gf_hub_t *hub);
void gf_hub_leave(gf_hub_t *hub);

/* Hands a job (with its reserved place) to the dispatcher and rings. The caller may not touch it
 * again. */
void gf_hub_req_submit(gf_hub_t *hub, gf_job_t *job);

/* The oldest job handed in, or NULL. */
gf_job_t *gf_hub_bg_take(gf_hub_t *hub);

/* Starts watching job `id` for `user`; false: too many wait in this child already, or too many of
 * that user. user: NULL for a further watch of the same request. Watch first, then submit or read
 * the row: nothing is missed. A true watch must be ended by unwatch. */
bool gf_hub_req_watch(gf_hub_t *hub, gf_watch_t *watch, const char *id, const char *user);
void gf_hub_req_unwatch(gf_hub_t *hub, gf_watch_t *watch);

/* Blocks until news of at least `enough` or for `timeout`; returns the newest news. */
gf_news_t gf_hub_req_wait(gf_hub_t *hub, gf_watch_t *watch, gf_news_t enough,
                          apr_interval_time_t timeout);

/* What was told so far is known: the next GF_NEWS_WORKING is news again. */
void gf_hub_req_news_seen(gf_hub_t *hub, gf_watch_t *watch);

/* Tells whoever watches `id`. */
void gf_hub_bg_publish(gf_hub_t *hub, const char *id, gf_news_t news);

#define GF_HUB_ID 40 /* bytes for the id of a generation */

/* Wakes the dispatcher for job `id`: a report about it came in. It may be led elsewhere. */
void gf_hub_req_webhook_received(gf_hub_t *hub, const char *id);

/* The next such id; false: no more. */
bool gf_hub_bg_webhook_take(gf_hub_t *hub, char id[GF_HUB_ID]);

/* A job that this child works on was ended by a request: the dispatcher looks at once which of its
 * jobs are still its own. bg: has anybody asked for that? */
void gf_hub_req_recall(gf_hub_t *hub);
bool gf_hub_bg_recalled(gf_hub_t *hub);

/* The public keys at `url`, copied into pool, as long as they are fresh. NULL: not here, but asked
 * for now, if the last try is not too near. `newer`: the ones at hand did not do. */
const char *gf_hub_req_keys(gf_hub_t *hub, const char *url, bool newer, apr_pool_t *pool);

/* An address whose keys are wanted, or NULL; put says what came of it (NULL: nothing). */
const char *gf_hub_bg_keys_pending(gf_hub_t *hub);
void gf_hub_bg_keys_put(gf_hub_t *hub, const char *url, const char *keys);

/* This child stops taking jobs; everybody who waits is told. */
void gf_hub_close(gf_hub_t *hub);

/* Has close been called? */
bool gf_hub_closing(gf_hub_t *hub);

#endif

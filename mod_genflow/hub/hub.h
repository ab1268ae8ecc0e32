/* SPDX-License-Identifier: Apache-2.0 */
/* The meeting point of requests and the background inside one child. Requests hand jobs in (by
 * value: a job owns its pool) and wait for news; the dispatcher takes jobs and publishes news. News
 * are a hint that the row changed: the row is the truth. One mutex, no I/O while it is held. The
 * names contain the caller: req a request's thread, bg the dispatcher. */
#ifndef GF_HUB_H
#define GF_HUB_H

#include <pthread.h>

#include <apr_tables.h>
#include <apr_time.h>

#include "model/job.h"

typedef struct gf_hub_t gf_hub_t;
struct gf_board_t;    /* hub/board.h */
struct gf_shortcut_t; /* hub/shortcut.h */
struct gf_metrics_t;  /* base/metric.h */

#define GF_HUB_ID      40 /* bytes for the id of a generation */
#define GF_HUB_VERSION 24 /* bytes for the version of a row */

/* What a request may learn of a job, in rising order: a waiter names what is enough to wake it. */
typedef enum {
    GF_NEWS_NONE,    /* nothing happened until the deadline */
    GF_NEWS_CHANGED, /* its row has changed: another process works on it */
    GF_NEWS_WORKING, /* a provider has it and needs time */
    GF_NEWS_ENDED,   /* it reached an end */
    GF_NEWS_CLOSING  /* this child stops: answer with what there is */
} gf_news_t;

/* The interest of a waiting request in one job, or in everything of one user. */
typedef struct gf_watch_t {
    const char *id; /* of the job; or the user's. Lives as long as the watch */
    bool of_user;

    /* The job was handed in here, so that news of it come from this child. gf_hub_bg_leave() ends
     * that. */
    bool here;
    gf_news_t seen; /* the request's copy: gf_hub_req_take() */

    /* The hub's own, under its mutex: */
    gf_news_t news;
    apr_time_t looked;            /* when its row was to be read last; 0: not yet */
    char version[GF_HUB_VERSION]; /* of the row or the user, when last read; "": not yet */
    struct gf_waiter_t *waiter;
    struct gf_watch_t *next;
    struct gf_watch_t *previous;
} gf_watch_t;

/* A request that waits for news of one or several jobs, or until a time. It lives, with its
 * watches, in memory of the request from gf_hub_req_watch() to gf_hub_req_unwatch(). */
typedef struct gf_waiter_t {
    const char *user; /* takes a place of this user */
    gf_watch_t *watches;
    int count;
    gf_news_t enough; /* less is no reason to wake the request */
    /* Wakes a request that holds no thread. Any thread, with the hub's mutex held: it may not
     * block. NULL: a thread waits in gf_hub_req_wait(). */
    void (*ring)(void *baton);
    void *baton;
    /* The hub's own: */
    apr_time_t due; /* gf_hub_req_sleep() */
    bool rung;
    pthread_cond_t changed;
    struct gf_waiter_t *next_of_users;
    struct gf_waiter_t *previous_of_users;
    struct gf_waiter_t *next;
    struct gf_waiter_t *previous;
} gf_waiter_t;

/* The bounds of a child. Waiters that hold a thread count among both kinds. */
typedef struct gf_hub_bounds_t {
    int jobs;         /* in flight */
    int waiters;      /* requests that wait */
    int user;         /* of those, of one user */
    int threads;      /* requests that hold a thread while they wait */
    int threads_user; /* of those, of one user */
    int responses;    /* large ones on their way to one user */
} gf_hub_bounds_t;

/* Child start, before any thread. The hub ends with `pool`, after all threads that use it. */
apr_status_t gf_hub_make(gf_hub_t **hub, apr_pool_t *pool, const gf_hub_bounds_t *bounds);

/* From now on the ends that gf_hub_bg_publish() publishes are put on the board of this httpd, too.
 */
void gf_hub_set_board(gf_hub_t *hub, struct gf_board_t *board);

/* From now on the places and waiters of this child are values of its metrics. */
void gf_hub_set_metrics(gf_hub_t *hub, struct gf_metrics_t *metrics);

/* The shortcuts of this child. */
struct gf_shortcut_t *gf_hub_shortcut(const gf_hub_t *hub);

/* The bell: a descriptor that becomes readable when there is something to take. gf_hub_ring(): any
 * thread. gf_hub_bg_silence(): makes it unreadable again. */
int gf_hub_bell(const gf_hub_t *hub);
void gf_hub_ring(gf_hub_t *hub);
void gf_hub_bg_silence(gf_hub_t *hub);

/* gf_hub_reserve(): takes a place among the jobs in flight of this child; false: full, or the child
 * is stopping. gf_hub_leave() gives the place back; while the child stops, it rings. */
bool gf_hub_reserve(gf_hub_t *hub);
void gf_hub_leave(gf_hub_t *hub);

/* Are more places taken than the dispatcher knows of? Then a request is about to hand a job in. */
bool gf_hub_bg_expects(gf_hub_t *hub, int known);

/* Hands a job (with its reserved place) to the dispatcher and rings. The dispatcher owns it from
 * now on: the caller may not touch it again. */
void gf_hub_req_submit(gf_hub_t *hub, gf_job_t *job);

/* The oldest job handed in, or NULL. */
gf_job_t *gf_hub_bg_take(gf_hub_t *hub);

/* Begins the watches of `waiter`, whose public members are set; false: too many requests wait in
 * this child, or of that user, or the child stops. Watch first, then submit or read the rows: then
 * no news are missed. End a true one by gf_hub_req_unwatch(). */
bool gf_hub_req_watch(gf_hub_t *hub, gf_waiter_t *waiter);
void gf_hub_req_unwatch(gf_hub_t *hub, gf_waiter_t *waiter);

/* The watches of a waiter that began without any, to keep a place for jobs that are made behind it.
 * Once, before they are submitted. The waiter's own `watches` and `count` are set here. */
void gf_hub_req_watch_more(gf_hub_t *hub, gf_waiter_t *waiter, gf_watch_t *watches, int count);

/* Copies the news of each watch to `seen`. What is less than GF_NEWS_ENDED is news again when it
 * comes again. The request's thread, before it reads the rows: news that come after are not lost.
 */
void gf_hub_req_take(gf_hub_t *hub, gf_waiter_t *waiter);

/* For a waiter with a thread: blocks until there is enough news since the last gf_hub_req_take(),
 * or for `timeout`: false. */
bool gf_hub_req_wait(gf_hub_t *hub, gf_waiter_t *waiter, apr_interval_time_t timeout);

/* A waiter without a thread: it is rung at `due` (gf_clock_now()) at the latest. */
void gf_hub_req_sleep(gf_hub_t *hub, gf_waiter_t *waiter, apr_time_t due);

/* ---- the lookout (api/lookout.c): news of other processes ---- */

/* Blocks while no request waits, then for `pause`; false: the child stops. */
bool gf_hub_lookout_wait(gf_hub_t *hub, apr_interval_time_t pause);

/* For gf_board_listen(). */
volatile apr_uint32_t *gf_hub_lookout_listens(gf_hub_t *hub);

/* Rings the waiters that are due. One thread. */
void gf_hub_lookout_ring(gf_hub_t *hub);

/* A row that is to be read. */
typedef struct gf_look_t {
    char id[GF_HUB_ID];
    char version[GF_HUB_VERSION]; /* that the watch knows; "": none */
} gf_look_t;

/* The next rows of watches that are to be read: gf_look_t, in pool. About `most` in one call, the
 * others in the next ones. A row of another process is read ten times a second as long as `most`
 * suffices, one of this child once a second. One thread. */
apr_array_header_t *gf_hub_lookout_next(gf_hub_t *hub, int most, apr_pool_t *pool);

/* The row of `id` has this version now; NULL: the generation has ended. */
void gf_hub_lookout_publish(gf_hub_t *hub, const char *id, const char *version);

/* The next users that are watched, in pool: const char *. As gf_hub_lookout_next(). */
apr_array_header_t *gf_hub_lookout_users(gf_hub_t *hub, int most, apr_pool_t *pool);

/* The rows of `user` have this version now. */
void gf_hub_lookout_publish_user(gf_hub_t *hub, const char *user, const char *version);

/* What another child has put on the board (hub/board.h). */
void gf_hub_lookout_publish_note(gf_hub_t *hub, const char *id, apr_uint32_t user);

/* This child no longer works on `id`: from now on the lookout reads its row as those of others. */
void gf_hub_bg_leave(gf_hub_t *hub, const char *id);

/* Notifies all watches of `id`, and of its user (NULL: of no user). */
void gf_hub_bg_publish(gf_hub_t *hub, const char *id, const char *user, gf_news_t news);

/* A request has changed something of `user`: notifies the watches of this child. */
void gf_hub_req_publish(gf_hub_t *hub, const char *user);

/* The request has read this version: only another one is news. */
void gf_hub_req_knows(gf_hub_t *hub, gf_watch_t *watch, const char *version);

/* Wakes the dispatcher for job `id`: a provider webhook for it was received. Another process may
 * lead the job. At most 64 ids wait: one more is dropped, and the usual poll finds its job. */
void gf_hub_req_webhook_received(gf_hub_t *hub, const char *id);

/* The next such id, copied; false: no more. */
bool gf_hub_bg_webhook_take(gf_hub_t *hub, char id[GF_HUB_ID]);

/* A request ended a job that this child works on: the dispatcher checks at once which jobs are
 * still its own. bg: was the recall called since? */
void gf_hub_req_recall(gf_hub_t *hub);
bool gf_hub_bg_recalled(gf_hub_t *hub);

/* A request has queued a job that has no place here: the dispatcher lets any child of this httpd
 * claim at once. bg: was one queued since? */
void gf_hub_req_queued(gf_hub_t *hub);
bool gf_hub_bg_queued(gf_hub_t *hub);

/* The public keys at `url`, copied into pool, while they are fresh. NULL: not here; the dispatcher
 * fetches them now unless the last fetch was less than a minute ago. `newer`: the ones at hand did
 * not fit. */
const char *gf_hub_req_keys(gf_hub_t *hub, const char *url, bool newer, apr_pool_t *pool);

/* An address whose keys are to be fetched, or NULL. gf_hub_bg_keys_put(): the fetched keys; NULL:
 * the fetch failed. */
const char *gf_hub_bg_keys_pending(gf_hub_t *hub);
void gf_hub_bg_keys_put(gf_hub_t *hub, const char *url, const char *keys);

/* This child stops taking jobs, wakes all waiters with GF_NEWS_CLOSING, and rings the bell. */
void gf_hub_close(gf_hub_t *hub);

/* Has gf_hub_close() been called? */
bool gf_hub_closing(gf_hub_t *hub);

#endif

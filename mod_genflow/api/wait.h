/* SPDX-License-Identifier: Apache-2.0 */
/* A request that waits for generations: parked without a thread where httpd can do that
 * (httpd/park.h), else in its thread. Both ways make the same steps: each time when there is news,
 * a step reads and decides; the last step is followed by the answer. */
#ifndef API_WAIT_H
#define API_WAIT_H

#include "api/api.h"
#include "httpd/park.h"

typedef struct api_wait_t api_wait_t;

/* In the request's pool, zeroed. After api_wait_init() the caller sets what stands before `keeps`,
 * in a struct of its own or not. */
struct api_wait_t {
    gf_req_t *req; /* api_wait_init() */
    /* Of one step: what it reads. Its pool has memory of its own, which is given back before the
     * request waits; after the last step it lives as long as the request. */
    gf_ctx_t ctx;
    gf_waiter_t waiter;        /* watches, count, enough */
    apr_time_t deadline;       /* by gf_clock_now(): then the step is the last one */
    apr_interval_time_t pulse; /* a step at least that often; 0: none is needed */

    /* Called first at once, then after news and when it is time. *over: the wait ends. An error
     * ends it, too, and is the answer. */
    gf_err_t *(*step)(bool *over, api_wait_t *wait);

    /* Called after the last step; NULL: there is nothing to add. */
    gf_err_t *(*answer)(api_wait_t *wait);

    /* A step sets these: the next one needs its memory, too; it could not read, and the next one
     * comes soon; the next one comes then (gf_clock_now()) at the latest, 0: by the pulse. */
    bool keeps;
    bool failed;
    apr_time_t due;

    /* Set before each step: the client has closed its side of the connection, the deadline is over,
     * this child stops. */
    bool gone;
    bool is_late;
    bool closing;
    httpd_park_t *park; /* NULL: a thread waits */
};

/* Reads the client's preferences for waiting (Prefer) into req->prefer, which it returns. */
const gf_prefer_t *api_wait_prefer(gf_req_t *req);

/* Sets req and ctx. */
void api_wait_init(api_wait_t *wait, gf_req_t *req);

/* Takes a place for `wait`; false: there is none. Then api_wait_run(), after what the watches are
 * to notice was begun. */
bool api_wait_begin(api_wait_t *wait);

/* Waits and answers, then or later: the request is over, or req->parked is set. */
gf_err_t *api_wait_run(api_wait_t *wait);

/* Takes a place for the api_wait_views() that follows, before anything is created; false: there is
 * none. api_wait_release() gives it back if none follows. */
bool api_wait_reserve(gf_req_t *req);
void api_wait_release(gf_req_t *req);

/* Has the client closed its side of the connection, or cancelled this request? */
bool api_wait_is_gone(const request_rec *r);

/* Answers with `count` generations. Before it, Preference-Applied is set. */
typedef gf_err_t *(*api_answer_t)(gf_req_t *req, const gf_view_t *views, int count);

/* Waits until each of `views`, which are in the request's pool, has ended, or there is news of
 * `enough` about it, for `time`; then answers. jobs (NULL: none): those that are handed in here,
 * once the watches have begun. Without a place it answers at once. */
gf_err_t *api_wait_views(gf_req_t *req, gf_view_t *views, gf_job_t **jobs, int count,
                         gf_news_t enough, apr_interval_time_t time, api_answer_t answer);

/* Reads the generation `find` as the client prefers: at once, or when it has ended, or after the
 * wait. With If-None-Match also when the state has changed. Then answers. */
gf_err_t *api_wait_state(gf_req_t *req, const gf_find_t *find, api_answer_t answer);

#endif

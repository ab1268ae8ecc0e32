/* SPDX-License-Identifier: Apache-2.0 */
/* A front serves another API's wire (SetHandler genflow-openai, ...). It turns a request of that
 * API into ours, and our generations into that API's responses. All waiting, holding, charging,
 * ownership and limits stay those of the API.
 *
 *   front.c      finds the front of a request and its row; errors in the front's shape
 *   request.c    the model, the generation and the form of a request
 *   denied.c     what httpd itself refuses, in that shape
 *   create.c     creates the generations of a translated body, waits, answers
 *   send.c       the only exit
 *   picture.c    stored pictures
 *   source.c     source pictures of a request
 *   wire.c, openai.c, openai_reply.c   translators: pure, without httpd
 *   openai_route.c, openai_image.c     the handlers
 *
 * Request threads only. Results live as long as the request. */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include "api/api.h"
#include "api/route.h"
#include "api/wait.h"
#include "base/hash.h"
#include "front/wire.h"
#include "model/param.h"

/* A front: SetHandler genflow-<name>. */
typedef struct front_t {
    const char *name;
    const api_route_t *routes; /* below its <Location> */
    int count;

    /* Pure: writes an error, those of httpd included, into a reply that has the error's status. */
    void (*error)(front_reply_t *reply, const front_fault_t *fault, apr_pool_t *pool);

    /* Sets *path, which is the request's address below its <Location>, to the one that it means;
     * and then r->args. NULL: each means its own. */
    gf_err_t *(*address)(const char **path, gf_req_t *req);

    /* The header of every response that has the request's id; NULL: none. */
    const char *id_header;
} front_t;

extern const front_t front_fal;
extern const front_t front_openai;
extern const front_t front_replicate;

struct front_create_t;

/* The data of a front's request: req->front. */
typedef struct front_call_t {
    const front_t *front;
    front_site_t site;
    const struct front_create_t *create; /* NULL: front_create() was not called */
    char hash[GF_SHA256_HEX];            /* of its parsed request, for lost responses */
    bool may_exist;                      /* generations may have been made that no client knows */
    const char *ids[GF_BATCH_MAX];       /* those of front_create() */
    int count;
    bool is_spilled; /* its large response goes out of a file, which ends later */
} front_call_t;

static inline front_call_t *front_call(const gf_req_t *req)
{
    return req->front;
}

/* ---- for the hooks (mod_genflow.c) ---- */

/* The front of that handler; NULL: it is none. */
const front_t *front_find(const char *handler);

/* Adds the names of all rows of all fronts: as api_route_names(). */
void front_route_names(apr_array_header_t *names);

/* Does a request with this handler need no user? */
bool front_is_open(request_rec *r, const gf_conf_t *conf, const char *handler);

/* Serves a request whose handler is that of a front. */
int front_route(request_rec *r, const gf_api_t *api);

/* As api_denied(), for an address of a front. */
void front_denied(request_rec *r, const front_t *front);

/* ---- models ---- */

/* The row of GenflowModel for that name in this <Location>, and req->type. Error: NO_MODEL. */
gf_err_t *front_model(const gf_model_t **model, gf_req_t *req, const char *name);

/* All of them: const gf_model_t *, in the order of the configuration. Never NULL. */
const apr_array_header_t *front_models(const gf_req_t *req);

/* ---- stored pictures ---- */

/* Opens the picture of a completed generation, for reading from its begin to its end. One that is
 * not in the folder store is copied from its address first, which blocks for some seconds at most.
 * Errors: INTERNAL: it is not where it was stored; PICTURE_AWAY: its store does not return it. */
gf_err_t *front_picture_open(apr_file_t **file, apr_off_t *bytes, gf_req_t *req,
                             const gf_view_t *view);

/* Its address for the client, absolute. */
const char *front_picture_url(gf_req_t *req, const gf_view_t *view);

/* ---- bodies (JSON: api_body_json(); source pictures: front/source.h) ---- */

/* Reads a form of at most `limit` bytes: *parts of gf_part_t. Errors: those of api_body_read(),
 * BAD_MULTIPART. */
gf_err_t *front_form_read(apr_array_header_t **parts, gf_req_t *req, apr_int64_t limit);

/* ---- creating ---- */

/* A translated request. It lives as long as the request. */
typedef struct front_create_t {
    const gf_model_t *model;

    /* The JSON body of a POST {type}/generate, written from parsed values only: it is what makes
     * two requests equal, with `route` and the model's name. front_create() adds presetKey and
     * model as the row of GenflowModel says. */
    const char *body;
    const char *route;  /* "images/generations" */
    bool is_retry;      /* the client marks the request as a repetition */
    bool marks_retries; /* the client would */
    bool names_batch;   /* several generations get run ids, by which each finds the others */

    /* Waits until all have ended, for `wait` and GenflowFrontWait at most; 0: answers at once.
     * must_wait: without a place to wait nothing is created; and when the time is over, the client
     * gets FRONT_LATE and comes back. Otherwise it gets an answer with live generations. */
    apr_interval_time_t wait;
    bool must_wait;

    /* `answer` begins a response that waits itself, right after the creation: live generations. A
     * place to wait is there for it. */
    bool is_stream;

    /* If the work has not begun after `start`, `unstarted` answers, as `answer` does, in place of
     * waiting on; 0: it may begin at any time. */
    apr_interval_time_t start;
    api_answer_t unstarted;

    /* Answers by front_send(). The views have ended, some maybe without a picture, or must_wait is
     * false. */
    api_answer_t answer;
} front_create_t;

/* The error of a generation without a picture; the client that repeats its request gets a new one,
 * and is told not to do that by itself. */
gf_err_t *front_failed(gf_req_t *req, const gf_view_t *view);

/* Creates the generations, or finds those whose response was lost; waits; answers then or later.
 * Errors: those of the API's own calls, WATCH_FULL. */
gf_err_t *front_create(gf_req_t *req, const front_create_t *create);

/* One generation of the user, and req->type. Error: NO_GENERATION, also for those of others. */
gf_err_t *front_view(gf_view_t *view, gf_req_t *req, const char *id);

/* ---- sending ---- */

/* Sends the reply. If it cannot be delivered, the next equal request gets the generations of
 * front_create(). Error: TOO_MANY_RESPONSES, of a GET. */
gf_err_t *front_send(gf_req_t *req, const front_reply_t *reply);

/* The headers of a reply, for one whose body is sent piece by piece; length < 0: not known. Then
 * pieces, then the end, which does for it what front_send() does. front_send_piece(): false: the
 * client is gone. Error: TOO_MANY_RESPONSES, of a GET; nothing was sent. */
gf_err_t *front_send_head(gf_req_t *req, const front_reply_t *reply, apr_off_t length);
bool front_send_piece(gf_req_t *req, const char *bytes, apr_size_t length);
void front_send_end(gf_req_t *req, bool is_delivered);

/* The response of front_create() cannot reach the client: the next equal request gets its
 * generations. False: that could not be recorded. */
bool front_lost(gf_req_t *req);

/* Nothing was made for the request, and its client may repeat it. If the client marks repetitions,
 * the next marked one does not take the generations of an equal request. */
void front_refused(gf_req_t *req);

#endif

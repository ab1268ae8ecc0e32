/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way: route.c finds the handler, the handler makes at most a few calls below
 * and ends in exactly one reply. Request threads only. Results live as long as the request. */
#ifndef GF_API_H
#define GF_API_H

#include <httpd.h>

#include "api/handlers.h"
#include "base/metric.h"
#include "base/err.h"
#include "base/json.h"
#include "db/api_key_cache.h"
#include "db/preset.h"
#include "db/queue.h"
#include "hub/hub.h"
#include "model/input.h"
#include "model/job.h"
#include "model/prefer.h"

/* Shared by the requests of a child, for its life; mod_genflow.c makes it, and it does not change.
 */
typedef struct gf_api_t {
    const gf_conf_t *conf; /* the main server's; a request has its own, gf_req_t.conf */
    gf_hub_t *hub;
    gf_preset_cache_t *presets;
    gf_key_cache_t *keys;  /* NULL: the child could not start */
    gf_buckets_t *buckets; /* of all children */
    gf_metrics_t *metrics; /* of all children */
    volatile apr_uint32_t
        *drawing;      /* threads that wait for a thumbnail, or make it (api/result.c) */
    const char *owner; /* this process, as owner of leases */
} gf_api_t;

#define GF_REQ_ARGS 3 /* {name}s that a route may have beside {type} */

struct gf_req_t;

/* How a front (front/front.h) ends its requests in place of the API. */
typedef struct gf_wire_t {
    /* Sends an error; as gf_reply_error(). */
    int (*error)(struct gf_req_t *req, const gf_err_t *err);

    /* The client of a request that waited has closed its side, and gets no answer. */
    void (*lost)(struct gf_req_t *req);
} gf_wire_t;

/* A request for us. route.c sets all but what it says; it lives in the request's pool. */
typedef struct gf_req_t {
    request_rec *r;
    gf_ctx_t *ctx;         /* pool: the request's */
    const gf_conf_t *conf; /* of the request's virtual host, also in ctx */
    const gf_api_t *api;
    const char *base;      /* where the API is mounted: "/api" */
    const char *user;      /* the authenticated user; NULL only for handlers that need none */
    const gf_key_t *key;   /* the API key that it came with; NULL: none */
    const gf_type_t *type; /* of a {type} route; of others, once the handler knows it */
    apr_table_t *query;    /* api_body_query(); NULL: not read yet */

    /* The values of {id} and the like, in the route's order, as the client wrote them: not checked.
     */
    const char *args[GF_REQ_ARGS];

    /* From the flags of the route's row, or set by a handler before it calls another file: */
    bool two_step; /* answers as the two-step calls do: 200, with the generation under "data" */
    bool as_job;   /* a generation is shown as a job */
    bool pending;  /* another call starts the generations */
    bool composed; /* an older system's body of moods: kept as `input`, answered as a job */
    bool starts;   /* starts a generation that another call has created */
    bool admin;    /* administration: takes every word literally */
    bool parked;   /* it waits without a thread (api/wait.h), and is answered later */
    gf_prefer_t prefer;          /* api_wait_prefer() */
    const gf_wire_t *wire;       /* of a front; NULL: the API's own */
    void *front;                 /* the front's own data of this request (front/front.h) */
    struct api_wait_t *reserved; /* api_wait_reserve(); NULL: no place is taken */
    const char *site;            /* NULL until it is needed: gf_reply_site(), with `twins` */
    bool twins;                  /* members have snake_case twins */
    int status; /* for httpd, once the handler has returned NULL: OK, or DECLINED to its own */
} gf_req_t;

/* Replies and returns NULL, or returns the error that becomes the reply; or sets req->parked.
 * api/handlers.h has them all. */
typedef gf_err_t *(*gf_handler_t)(gf_req_t *req);

/* ---- before the handler (api/cors.c; api/route.h) ---- */

/* Runs on a request for us before authentication: sets the CORS headers that let pages read the
 * response. DECLINED, or HTTP_NO_CONTENT: it was a preflight. */
int api_cors(request_rec *r);

/* Sets the same headers again where httpd has lost them. */
void api_cors_again(request_rec *r);

/* ---- one generation (api/generation.c) ---- */

/* Deletes the ended generation of {id} and its picture; the caller replies. Errors: NO_GENERATION,
 * NOT_YOURS, STATUS. */
gf_err_t *api_generation_remove(gf_req_t *req);

/* The generation of {id}, in any type: sets *find and req->type. Error: NO_GENERATION. */
gf_err_t *api_generation_find(gf_find_t *find, gf_req_t *req);

/* Cancels the live generation `id` of the user, of req->type; the caller replies. Errors:
 * NO_GENERATION, NOT_YOURS, STATUS. */
gf_err_t *api_generation_stop(gf_req_t *req, const char *id);

/* ---- pages of generations (api/history.c) ---- */

struct gf_page_t;

/* The words of a status in filters. */
extern const gf_prompt_word_t api_history_statuses[];

/* The cursor of the page behind this one, NULL: there is none; and the page of such a cursor:
 * after, at. False: it is no cursor. */
const char *api_history_cursor(apr_pool_t *pool, const struct gf_page_t *page);
bool api_history_read_cursor(struct gf_page_t *page, apr_pool_t *pool, const char *cursor);

/* ---- reading (api/body.c) ---- */

/* The body as text, of at most `limit` bytes; NUL-ended, in the request's pool. Blocks while the
 * client sends it. Once per request. Errors: BODY_TOO_LARGE (the connection closes after the
 * response), READ_BODY. */
gf_err_t *api_body_read(gf_req_t *req, apr_int64_t limit, const char **text, apr_size_t *length);

/* BODY_TOO_LARGE: `length` bytes were sent where `limit` are taken. */
gf_err_t *api_body_too_large(gf_req_t *req, apr_int64_t length, apr_int64_t limit);

/* The body as a JSON object, within GenflowBodyMax. Errors: those of reading, BODY_TYPE, BAD_JSON.
 */
gf_err_t *api_body_json(gf_req_t *req, gf_json_t **body, const char **text, apr_size_t *length);

/* Reads the query, before the handler begins. Errors: INVALID: not well-formed UTF-8. */
gf_err_t *api_body_query_read(gf_req_t *req);

/* A reading of `body` (model/input.h), as strict as this <Location> is configured. */
gf_input_t api_body_input(gf_req_t *req, const gf_json_t *body);

/* A reading of the query alone. */
gf_input_t api_body_query_input(gf_req_t *req);

/* Reads a body into `record` (NULL: the members are only checked). The body may have only the
 * members of `fields`, and must have the required ones. Errors: those of api_body_json(); one that
 * names every bad field. */
gf_err_t *api_body_fields(gf_json_t **body, gf_req_t *req, const gf_input_field_t *fields,
                          void *record);

/* A query argument, decoded; the last one of that name; NULL: absent. */
const char *api_body_query(gf_req_t *req, const char *name);

/* A switch of the query: it is there, and not 0. */
bool api_body_switch(gf_req_t *req, const char *name);

/* ---- parts of handlers ---- */

/* Checks the rate of the client's address and of its user, before the body of a call that costs is
 * read, gives the user their allowance, and tells the client in headers what is left. dry: the call
 * only says the price, whatever the body is, or searches; it counts in buckets of its own, ten
 * times as large. Errors: TOO_OFTEN, with Retry-After. */
gf_err_t *api_limit(gf_req_t *req, bool dry);

/* What is left of a rate limit: `remaining` of `limit` requests in `seconds`. reset: seconds until
 * all of them are there again; with none left, until the next one is. */
typedef struct api_left_t {
    apr_int64_t limit, remaining, seconds, reset;
} api_left_t;

/* That of the user's requests that cost. False: there is no limit. */
bool api_limit_left(api_left_t *left, gf_req_t *req);

/* ---- the only replies (api/reply.c) ---- */

/* Begins a response object: {"success":true,"ok":true, ... */
void gf_reply_begin(gf_out_t *out, gf_req_t *req);

/* Closes the object and sends it with the HTTP `status`. Returns NULL, so that a handler may end
 * with it. Nothing may be sent afterwards. */
gf_err_t *gf_reply_send(gf_req_t *req, gf_out_t *out, int status);

/* Closes the object and sends it with 200 and its ETag, or for a GET 304 if the client has it. The
 * ETag is a hash of the first `covered` bytes; 0: of all. What changes with time alone comes behind
 * them. Returns NULL, as gf_reply_send(). */
gf_err_t *gf_reply_tagged(gf_req_t *req, gf_out_t *out, apr_size_t covered);

/* Sends the one generation object with HTTP `status`, and while it is live with Location and
 * Retry-After. `message` (NULL: none) is for people. */
gf_err_t *gf_reply_view(gf_req_t *req, const gf_view_t *view, int status, const char *message);

/* Answers with the state of a generation: 200 with its ETag, or for a GET 304 if the client has it.
 * `count` is 1. */
gf_err_t *gf_reply_state(gf_req_t *req, const gf_view_t *view, int count);

/* The body of gf_reply_state(), made in `pool`; *tag is its ETag without quotes: a hash of the
 * state, and "-" and the place in our queue while it is there. */
const char *gf_reply_text(const char **tag, gf_req_t *req, const gf_view_t *view, apr_pool_t *pool);

/* mod_deflate marks the ETag of what it has packed, and the next request names that one. No
 * comparison would find it: this takes the mark off the request's If-None-Match. */
void gf_reply_unmark(request_rec *r);

/* Has a client that knows these ETags (If-None-Match) that state? Another place in our queue is the
 * same state: a client that waits for news waits on. */
bool gf_reply_knows(const char *known, const char *tag, apr_pool_t *pool);

/* Writes the members of a generation into an open object: in camelCase, and with req->twins also in
 * snake_case. */
void gf_reply_members(gf_out_t *out, gf_req_t *req, const gf_view_t *view);

/* Sends JSON that is no object, with 200: the plain lists of older systems. */
gf_err_t *gf_reply_list(gf_req_t *req, const char *text, apr_size_t length);

/* Scheme, host and prefix as the client sees them, for addresses of ours (api/site.c). */
const char *gf_reply_site(request_rec *r);

/* What addresses of uploaded pictures begin with on this site: absolute ones, under each name of
 * the server and with either scheme, and relative ones. NULL-ended (api/site.c). */
const char *const *gf_reply_own(gf_req_t *req);

/* Sends the error as {"success":false,"ok":false,"error":CODE,...} with its row's status, and logs
 * it once. A 401 has the challenge of httpd's authentication. Returns OK for httpd. */
int gf_reply_error(gf_req_t *req, const gf_err_t *err);

/* Gives the response of a 401 the challenge of httpd's authentication. */
void gf_reply_challenge(gf_req_t *req, const gf_err_t *err);

/* The same without sending: logs the error and returns the body, in the request's pool. */
const char *gf_reply_error_text(gf_req_t *req, const gf_err_t *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The wire of fal (queue, run, rest): its requests become the bodies of our API, our generations
 * its responses. Pure: no I/O. Everything is made in the pool of the context. Any thread.
 *
 *   fal_input.c     requests: the address that a proxied one means, the input of a model
 *   fal_reply.c     responses: places in the queue, results, errors
 *   fal_link.c      signed addresses for uploads
 */
#ifndef FRONT_FAL_H
#define FRONT_FAL_H

#include "front/wire.h"
#include "model/output.h"

#define FRONT_FAL_REQUEST_ID "x-fal-request-id"
#define FRONT_FAL_RETRYABLE  "x-fal-retryable"
#define FRONT_FAL_TIMEOUT_OF "x-fal-request-timeout-type"

#define FRONT_FAL_IMAGES_MAX 4 /* of one request, as at fal */

/* ---- requests ---- */

/* The address that x-fal-target-url names: *path is "queue/...", "run/..." or "rest/..." without
 * the query, *query what is behind its `?` (NULL: nothing). Only https addresses of the three hosts
 * of fal without user name and port have one. It is never called. Returns NULL, or the mistake for
 * the client. */
const char *front_fal_target(const char **path, const char **query, const char *url,
                             apr_pool_t *pool);

/* What the body of a submission says. */
typedef struct front_fal_input_t {
    apr_array_header_t *pictures; /* source pictures, const char *, as they were sent */
    const char *pictures_name;    /* the member that names them */
    const char *members;    /* of our body but for pictures: "\"prompt\":...,\"n\":2", or "" */
    const char *parameters; /* its member of that name, without brackets, or "" */
    int images;             /* num_images, where it is 1 to FRONT_FAL_IMAGES_MAX; else 1 */
} front_fal_input_t;

/* Reads a body. Members that fal's models know and that would change the picture, but that no
 * provider gets here, are refused; other unknown ones are dropped. Errors: INVALID. */
gf_err_t *front_fal_input_read(front_fal_input_t *input, gf_ctx_t *ctx, gf_json_t *body);

/* What stands beside the input of a submission. NULL: none. */
typedef struct front_fal_beside_t {
    const char *sources; /* members that name the pictures, without brackets */
    const char *webhook;
    const char *priority;
    const char *front; /* gf_output_member() */
} front_fal_beside_t;

/* Our body. */
const char *front_fal_input_body(const front_fal_input_t *input, const front_fal_beside_t *beside,
                                 apr_pool_t *pool);

/* `priority` of our body for x-fal-queue-priority; NULL: the type's usual one. */
const char *front_fal_priority(const char *header);

/* The seconds of x-fal-request-timeout; 0: none. False: it is malformed. */
bool front_fal_timeout(double *seconds, const char *header);

/* ---- responses ---- */

/* A request of fal's is one generation, or several (num_images) whose ids its own one joins. */
typedef struct front_fal_request_t {
    const char *app; /* owner/app: later addresses have no more of the model's name */
    const gf_view_t *views;
    int count;
    bool is_one;  /* GenflowModel output=one */
    bool logs;    /* the client wants to see them */
    int old_logs; /* so many lines it has seen already */
    const front_site_t *site;
} front_fal_request_t;

#define FRONT_FAL_ID_JOIN "_" /* between the ids of several */

/* Its id. */
const char *front_fal_request_id(const front_fal_request_t *request, apr_pool_t *pool);

/* Have all of them ended? */
bool front_fal_request_ended(const front_fal_request_t *request);

/* The reply to a submission: 200, IN_QUEUE. */
front_reply_t *front_fal_queued(const front_fal_request_t *request, gf_ctx_t *ctx);

/* The reply to a status: 202 while it lives, then 200 COMPLETED, also of one that failed. */
front_reply_t *front_fal_status(const front_fal_request_t *request, gf_ctx_t *ctx);

/* The JSON of that status. *lines (NULL: not needed) becomes the number of log lines there are. */
const char *front_fal_status_text(int *lines, const front_fal_request_t *request, gf_ctx_t *ctx);

/* The reply with the pictures, or with the error if there are none: 400 while it lives. */
front_reply_t *front_fal_result(const front_fal_request_t *request, gf_ctx_t *ctx);

/* The same as the one event of a stream, where there are pictures. */
front_reply_t *front_fal_result_event(const front_fal_request_t *request, gf_ctx_t *ctx);

/* The reply to a cancel. */
front_reply_t *front_fal_cancelled(const char *id, apr_pool_t *pool);
front_reply_t *front_fal_not_cancelled(const char *id, bool known, apr_pool_t *pool);

/* The reply to a run that has not begun in its x-fal-request-timeout. */
front_reply_t *front_fal_timed_out(const char *id, apr_pool_t *pool);

/* ---- addresses for uploads ---- */

#define FRONT_FAL_LINK_SECONDS (15 * 60) /* how long an address is valid */

/* What an address of an upload says. */
typedef struct front_fal_link_t {
    const char *id;      /* of the upload: a UUID, which names the picture afterwards */
    const char *user;    /* whose picture it will be */
    const char *expires; /* in seconds since 1970 */
} front_fal_link_t;

/* The query of its address: "user=...&expires=...&signature=...". NULL: `secret` is malformed, or
 * NULL. */
const char *front_fal_link_query(const front_fal_link_t *link, const char *secret,
                                 apr_pool_t *pool);

/* Was that query made here with this secret, and is it still valid? It takes the same time wherever
 * the signature differs. */
bool front_fal_link_is_good(const front_fal_link_t *link, const char *signature, const char *secret,
                            apr_time_t now, apr_pool_t *pool);

/* ---- errors ---- */

/* As front_t.error. "detail" is a list of fields with 422, and a text with any other status;
 * "message" is what both clients show then. */
void front_fal_error(front_reply_t *reply, const front_fault_t *fault, apr_pool_t *pool);

#endif

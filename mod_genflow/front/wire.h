/* SPDX-License-Identifier: Apache-2.0 */
/* The data that translators of fronts read and write, without httpd: unit tests drive them with
 * recorded requests. A translator does no I/O; it makes everything in the pool that it gets. Any
 * thread. */
#ifndef FRONT_WIRE_H
#define FRONT_WIRE_H

#include <apr_tables.h>

#include "base/err.h"
#include "base/json.h"
#include "base/multipart.h"
#include "model/job.h"
#include "model/model.h"

/* A response. */
typedef struct front_reply_t {
    int status;           /* of HTTP */
    const char *type;     /* media type; NULL: application/json */
    const char *text;     /* the body; NULL: there is none */
    apr_table_t *headers; /* beside Content-Type and Cache-Control */
} front_reply_t;

/* A reply with that status, and without a body. */
front_reply_t *front_reply_make(apr_pool_t *pool, int status);

/* What absolute addresses in responses begin with. */
typedef struct front_site_t {
    const char *site;  /* scheme, host and prefix: gf_reply_site() */
    const char *mount; /* path of the front's <Location>: "/openai/v1" */
    const char *base;  /* path of the API: "/api" */
} front_site_t;

/* An error on its way to a response. */
typedef struct front_fault_t {
    const gf_err_t *err;
    const char *request_id;

    /* May the client repeat the request by itself? False: that cannot help, or it could make and
     * pay for a second picture. */
    bool may_retry;
} front_fault_t;

/* Can the same request succeed later, so that a client may repeat it by itself? */
bool front_fault_passes(const gf_err_t *err);

/* The texts of an error for a client: the first bad field, NULL if there is none; and a message,
 * that of the first bad field if there is one. */
const char *front_fault_field(const gf_err_t *err);
const char *front_fault_message(const gf_err_t *err, apr_pool_t *pool);

/* The error of a generation that ended without a picture: CANCELLED, or that of its errorCode. */
gf_err_t *front_fault_of(gf_ctx_t *ctx, const gf_view_t *view);

#endif

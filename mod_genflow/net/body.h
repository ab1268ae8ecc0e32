/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request that net/net.c sends: a text, a form, or a file. */
#ifndef GF_BODY_H
#define GF_BODY_H

#include <curl/curl.h>

#include "base/msg.h"

/* It lives in the message's pool. */
typedef struct gf_body_t {
    curl_mime *mime;        /* of a form with files; else NULL */
    const char *unread;     /* a file to send that could not be opened or read to its end, ... */
    apr_status_t unread_rv; /* ... and why */
} gf_body_t;

/* Gives the body of `msg` to `easy`. Returns the header line with its content type; NULL: the
 * message's own headers name it, or there is no body. After it body->unread may be set. */
const char *gf_body_set(gf_body_t *body, CURL *easy, const gf_msg_t *msg);

/* After `easy` has ended. */
void gf_body_end(const gf_body_t *body);

#endif

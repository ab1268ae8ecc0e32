/* SPDX-License-Identifier: Apache-2.0 */
/* Responses with pictures, as OpenAI's images API sends them. Request threads only. */
#ifndef FRONT_OPENAI_IMAGE_H
#define FRONT_OPENAI_IMAGE_H

#include "front/front.h"
#include "front/openai.h"

/* A request for pictures while it is served. It lives as long as the request. */
typedef struct front_openai_call_t {
    front_create_t create; /* the first member: call->create leads here */
    front_openai_t ask;
    front_openai_shown_t shown;
} front_openai_call_t;

/* Answers with the pictures of generations that have ended (api_answer_t): as addresses or in
 * base64. Those without a picture are left out; if none has one, returns the error of the first. */
gf_err_t *front_openai_answer(gf_req_t *req, const gf_view_t *views, int count);

/* The same as server-sent events, which begin before the pictures are there (stream:true). */
gf_err_t *front_openai_stream(gf_req_t *req, const gf_view_t *views, int count);

#endif

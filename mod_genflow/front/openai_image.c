/* SPDX-License-Identifier: Apache-2.0 */
/* Sends pictures to clients of OpenAI's API. A picture in base64 goes from its file to the client
 * piece by piece. */
#include "front/openai_image.h"

#include <apr_encode.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#define PIECE 24576 /* bytes of a picture in one write; a multiple of 3 */

/* A completed generation, and its picture. */
typedef struct picture_t {
    const gf_view_t *view;
    apr_file_t *file;
    apr_off_t bytes;
} picture_t;

/* Those with a picture: picture_t. */
static apr_array_header_t *completed(gf_req_t *req, const gf_view_t *views, int count)
{
    apr_array_header_t *pictures = apr_array_make(req->r->pool, count, sizeof(picture_t));
    int i;

    for (i = 0; i < count; i++) {
        if (views[i].image_url && !views[i].error_code) {
            picture_t *picture = apr_array_push(pictures);

            picture->view = &views[i];
            picture->file = NULL;
        }
    }
    return pictures;
}

static const char *head(gf_req_t *req, const picture_t *first)
{
    const front_openai_call_t *call = (const front_openai_call_t *)front_call(req)->create;
    front_openai_facts_t facts;

    front_openai_facts(&facts, req->ctx, first->view);
    return apr_pstrcat(req->r->pool, "{",
                       front_openai_members("created", apr_time_sec(req->r->request_time), &facts,
                                            call->shown.quality, req->r->pool),
                       ",\"data\":[", NULL);
}

static gf_err_t *answer_urls(gf_req_t *req, const apr_array_header_t *pictures)
{
    front_reply_t *reply = front_reply_make(req->r->pool, HTTP_OK);
    gf_out_t out;
    int i;

    gf_out_init(&out, req->r->pool, 1024);
    for (i = 0; i < pictures->nelts; i++) {
        gf_out_open(&out, '{');
        gf_out_put_string(&out, "url",
                          front_picture_url(req, APR_ARRAY_IDX(pictures, i, picture_t).view));
        gf_out_close(&out, '}');
    }
    reply->text = apr_pstrcat(req->r->pool, head(req, &APR_ARRAY_IDX(pictures, 0, picture_t)),
                              out.text, "]}", NULL);
    return front_send(req, reply);
}

/* ---- base64 ---- */

#define BEFORE "{\"b64_json\":\""
#define AFTER  "\"}"

static apr_off_t encoded(apr_off_t bytes)
{
    return (bytes + 2) / 3 * 4;
}

/* False: the client is gone, or the file could not be read to its end; then the connection is of no
 * more use. */
static bool send_base64(gf_req_t *req, const picture_t *picture)
{
    char raw[PIECE];
    char text[PIECE / 3 * 4 + 1];
    apr_off_t left = picture->bytes;
    bool good = true;

    while (good && left > 0) {
        apr_size_t length = left < PIECE ? (apr_size_t)left : PIECE;

        good = apr_file_read_full(picture->file, raw, length, &length) == APR_SUCCESS;
        if (good) {
            left -= (apr_off_t)length;
            apr_encode_base64(text, raw, (apr_ssize_t)length, APR_ENCODE_NONE, &length);
            good = front_send_piece(req, text, strlen(text));
        }
    }
    apr_file_close(picture->file);
    return good;
}

static gf_err_t *answer_base64(gf_req_t *req, const apr_array_header_t *pictures)
{
    front_reply_t *reply = front_reply_make(req->r->pool, HTTP_OK);
    const char *text = head(req, &APR_ARRAY_IDX(pictures, 0, picture_t));
    apr_off_t length = (apr_off_t)strlen(text) + 2;
    bool good = !api_wait_is_gone(req->r);
    int i;

    for (i = 0; i < pictures->nelts; i++) {
        picture_t *picture = &APR_ARRAY_IDX(pictures, i, picture_t);

        GF_TRY(front_picture_open(&picture->file, &picture->bytes, req, picture->view));
        length += (i > 0) + (apr_off_t)strlen(BEFORE) + encoded(picture->bytes)
                  + (apr_off_t)strlen(AFTER);
    }
    GF_TRY(front_send_head(req, reply, length));
    good = front_send_piece(req, text, strlen(text)) && good;
    for (i = 0; good && i < pictures->nelts; i++) {
        const char *before = i > 0 ? "," BEFORE : BEFORE;

        good = front_send_piece(req, before, strlen(before))
               && send_base64(req, &APR_ARRAY_IDX(pictures, i, picture_t))
               && front_send_piece(req, AFTER, strlen(AFTER));
    }
    good = good && front_send_piece(req, "]}", 2);
    if (!good) {
        req->r->connection->keepalive = AP_CONN_CLOSE;
        req->r->connection->aborted = 1; /* a client with half of it may not take it for whole */
    }
    front_send_end(req, good);
    return NULL;
}

gf_err_t *front_openai_answer(gf_req_t *req, const gf_view_t *views, int count)
{
    const front_openai_call_t *call = (const front_openai_call_t *)front_call(req)->create;
    const apr_array_header_t *pictures = completed(req, views, count);

    if (pictures->nelts == 0) {
        return front_failed(req, &views[0]);
    }
    return call->ask.is_url ? answer_urls(req, pictures) : answer_base64(req, pictures);
}

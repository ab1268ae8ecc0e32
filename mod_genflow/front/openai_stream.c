/* SPDX-License-Identifier: Apache-2.0 */
/* stream:true of OpenAI's images API: a response of server-sent events. Comments while it waits, an
 * event for each picture once it is there, an error if there is none. A picture is sent piece by
 * piece, as the client has room. */
#include "front/openai_image.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include "api/stream.h"
#include "db/queue.h"
#include "httpd/glue.h"

#define PIECE  24576                  /* bytes of a picture in one write; a multiple of 3 */
#define MARGIN (5 * APR_USEC_PER_SEC) /* beyond the lifetime of the type */

/* What is to be done with a generation. */
typedef enum { WAITS, HAS_ENDED, IS_SENT } progress_t;

typedef struct pictures_t {
    api_stream_t stream; /* the first member */
    const front_openai_call_t *call;
    int count;
    gf_watch_t *watches;
    progress_t *progress; /* of each */
    gf_view_t *views;     /* of those that have ended, in the request's memory */
    int sending;          /* the one whose picture is on its way; -1: none */
    apr_file_t *file;     /* of that one */
    apr_off_t left;       /* bytes of it */
    int pictures;         /* that were sent whole */
    gf_err_t *away;       /* why one of them could not be read; NULL: all could */
    bool is_whole;        /* all was sent */
    char text[PIECE / 3 * 4 + 1];
} pictures_t;

/* ---- what there is to send ---- */

static const char *event_name(const pictures_t *all)
{
    return all->call->ask.is_edit ? "image_edit" : "image_generation";
}

/* Begins the event of a picture. */
static void begin_picture(pictures_t *all, int i)
{
    gf_req_t *req = all->stream.wait.req;
    apr_pool_t *pool = req->r->pool;
    const gf_view_t *view = &all->views[i];
    front_openai_facts_t facts;
    gf_err_t *err = front_picture_open(&all->file, &all->left, req, view);

    all->progress[i] = IS_SENT;
    if (err) {
        all->away = err;
        return;
    }
    all->sending = i;
    front_openai_facts(&facts, req->ctx, view);
    api_stream_send(
        &all->stream,
        apr_psprintf(pool,
                     "event: %s.completed\ndata: {\"type\":\"%s.completed\",%s,"
                     "\"b64_json\":\"",
                     event_name(all), event_name(all),
                     front_openai_members("created_at", apr_time_sec(req->r->request_time), &facts,
                                          all->call->shown.quality, pool)));
}

/* Sends the next piece of the picture, or the end of its event. */
static void send_piece(pictures_t *all)
{
    char raw[PIECE];
    apr_size_t length = all->left < PIECE ? (apr_size_t)all->left : PIECE;

    if (length == 0) {
        apr_file_close(all->file);
        all->sending = -1;
        all->pictures++;
        api_stream_send(&all->stream, "\"}\n\n");
        return;
    }
    if (apr_file_read_full(all->file, raw, length, &length) != APR_SUCCESS) {
        all->stream.over = true; /* half of an event: the client has to notice */
        return;
    }
    all->left -= (apr_off_t)length;
    apr_encode_base64(all->text, raw, (apr_ssize_t)length, APR_ENCODE_NONE, &length);
    api_stream_send(&all->stream, all->text);
}

static void send_error(pictures_t *all, const gf_err_t *err)
{
    gf_req_t *req = all->stream.wait.req;
    const front_fault_t fault = { .err = err, .request_id = httpd_glue_request_id(req->r) };

    api_stream_log(&all->stream, err);
    api_stream_send(&all->stream,
                    apr_pstrcat(req->r->pool, "event: error\ndata: {\"type\":\"error\",\"error\":",
                                front_openai_error_object(&fault, req->r->pool), "}\n\n", NULL));
}

/* All were sent, or have failed. For one that was not read the client repeats its request. */
static void end_all(pictures_t *all)
{
    if (all->away) {
        send_error(all, all->away);
    }
    else if (all->pictures == 0) {
        send_error(all, front_failed(all->stream.wait.req, &all->views[0]));
    }
    all->is_whole = !all->away;
    all->stream.over = true;
}

/* The first one in that state; -1: none. */
static int first_in(const pictures_t *all, progress_t progress)
{
    int i;

    for (i = 0; i < all->count; i++) {
        if (all->progress[i] == progress) {
            return i;
        }
    }
    return -1;
}

static void send_next(pictures_t *all)
{
    int i = first_in(all, HAS_ENDED);

    if (all->sending >= 0) {
        send_piece(all);
    }
    else if (i >= 0 && all->views[i].image_url && !all->views[i].error_code) {
        begin_picture(all, i);
    }
    else if (i >= 0) {
        all->progress[i] = IS_SENT;
    }
    else {
        end_all(all);
    }
}

/* ---- steps ---- */

/* Reads a generation: in the step's memory while it lives, once it has ended in the request's. */
static gf_err_t *read_one(pictures_t *all, int i)
{
    gf_req_t *req = all->stream.wait.req;
    const gf_find_t find = { .id = all->watches[i].id };
    gf_view_t view;

    GF_TRY(gf_queue_get(&view, &all->stream.wait.ctx, req->type, req->user, &find));
    if (!gf_view_ended(&view)) {
        return NULL;
    }
    GF_TRY(gf_queue_get(&all->views[i], req->ctx, req->type, req->user, &find));
    all->progress[i] = HAS_ENDED;
    return NULL;
}

/* Reads the generations that may have ended. While the database is away the stream goes on. */
static void read_news(pictures_t *all)
{
    api_wait_t *wait = &all->stream.wait;
    bool read_all = wait->failed;
    int i;

    wait->failed = false;
    for (i = 0; i < all->count; i++) {
        gf_err_t *err;

        if (all->progress[i] != WAITS || (!read_all && all->watches[i].seen == GF_NEWS_NONE)) {
            continue;
        }
        err = read_one(all, i);
        wait->failed = wait->failed || gf_err_is(err, GF_E_DB_DOWN);
        if (err) {
            api_stream_log(&all->stream, err);
            all->stream.over = !gf_err_is(err, GF_E_DB_DOWN);
        }
    }
}

/* Is there something to send? */
static bool can_send(const pictures_t *all)
{
    return api_stream_can_send(&all->stream)
           && (all->sending >= 0 || first_in(all, HAS_ENDED) >= 0 || first_in(all, WAITS) < 0);
}

static gf_err_t *step_pictures(bool *over, api_wait_t *wait)
{
    pictures_t *all = (pictures_t *)wait;

    read_news(all);
    api_stream_send_left(&all->stream);
    while (can_send(all)) {
        send_next(all);
    }
    *over = api_stream_end_step(&all->stream);
    if (*over && (!all->is_whole || all->stream.left_bytes > 0 || wait->gone)) {
        front_lost(wait->req); /* the client repeats its request */
    }
    return NULL;
}

gf_err_t *front_openai_stream(gf_req_t *req, const gf_view_t *views, int count)
{
    apr_pool_t *pool = req->r->pool;
    pictures_t *all = apr_pcalloc(pool, sizeof(*all));
    int i;

    all->call = (const front_openai_call_t *)front_call(req)->create;
    all->count = count;
    all->sending = -1;
    all->watches = apr_pcalloc(pool, (apr_size_t)count * sizeof(gf_watch_t));
    all->progress = apr_pcalloc(pool, (apr_size_t)count * sizeof(progress_t));
    all->views = apr_pcalloc(pool, (apr_size_t)count * sizeof(gf_view_t));
    for (i = 0; i < count; i++) {
        all->watches[i].id = apr_pstrdup(pool, views[i].id);
    }
    api_wait_init(&all->stream.wait, req);
    all->stream.wait.waiter.watches = all->watches;
    all->stream.wait.waiter.count = count;
    all->stream.wait.failed = true; /* nothing was read yet */
    all->stream.lasts = req->type->lifetime + MARGIN;
    all->stream.is_plain = true;
    apr_table_setn(req->r->headers_out, front_call(req)->front->id_header,
                   httpd_glue_request_id(req->r));
    return api_stream_run(&all->stream, step_pictures);
}

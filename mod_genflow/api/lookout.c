/* SPDX-License-Identifier: Apache-2.0 */
/* News that no thread of this child publishes. Two threads: what the board says does not wait for
 * an answer of the database. A job that was handed in here is published here unless its lease was
 * lost: its row is read once a second. */
#include "api/lookout.h"

#include <apr_thread_proc.h>

#include "base/clock.h"
#include "db/live.h"
#include "db/user_events.h"

#define ROUND     (APR_USEC_PER_SEC / 10)
#define LOOK_MOST 1000 /* rows in one statement: a millisecond or two of the database */

struct api_lookout_t {
    gf_ctx_t ctx; /* of the thread that reads rows */
    gf_hub_t *hub;
    gf_board_t *board;
    apr_uint32_t read; /* up to here on the board */
    apr_thread_t *of_board;
    apr_thread_t *of_rows;
    bool failed; /* the last statement, and a line says so */
};

/* Without an answer there is no news: the requests wait on. */
static bool has_failed(api_lookout_t *lookout, gf_err_t *err)
{
    if (err && !lookout->failed) {
        gf_err_log(&lookout->ctx, err);
    }
    lookout->failed = err != NULL;
    return lookout->failed;
}

static void read_rows(api_lookout_t *lookout)
{
    gf_ctx_t *ctx = &lookout->ctx;
    const apr_array_header_t *looks = gf_hub_lookout_next(lookout->hub, LOOK_MOST, ctx->pool);
    apr_array_header_t *known = apr_array_make(ctx->pool, looks->nelts + 1, sizeof(gf_live_t));
    apr_array_header_t *changed;
    int i;

    for (i = 0; i < looks->nelts; i++) {
        const gf_look_t *look = &APR_ARRAY_IDX(looks, i, gf_look_t);
        gf_live_t *row = apr_array_push(known);

        row->id = look->id;
        row->version = look->version[0] ? look->version : NULL;
    }
    if (known->nelts == 0 || has_failed(lookout, gf_live_changes(&changed, ctx, known))) {
        return;
    }
    for (i = 0; i < changed->nelts; i++) {
        const gf_live_t *row = &APR_ARRAY_IDX(changed, i, gf_live_t);

        gf_hub_lookout_publish(lookout->hub, row->id, row->version);
    }
}

/* Of users whose streams are open here. */
static void read_users(api_lookout_t *lookout)
{
    gf_ctx_t *ctx = &lookout->ctx;
    const apr_array_header_t *users = gf_hub_lookout_users(lookout->hub, LOOK_MOST, ctx->pool);
    apr_array_header_t *versions;
    int i;

    if (users->nelts == 0 || has_failed(lookout, gf_user_versions(&versions, ctx, users))) {
        return;
    }
    for (i = 0; i < versions->nelts; i++) {
        const gf_user_version_t *row = &APR_ARRAY_IDX(versions, i, gf_user_version_t);

        gf_hub_lookout_publish_user(lookout->hub, row->user, row->version);
    }
}

/* Publishes what other children of this httpd put on the board, for the length of a round. */
static void read_board(api_lookout_t *lookout)
{
    apr_time_t end = gf_clock_now() + ROUND;
    apr_interval_time_t left;
    char id[GF_BOARD_ID];
    apr_uint32_t user;

    gf_board_listen(lookout->board, gf_hub_lookout_listens(lookout->hub));
    while ((left = end - gf_clock_now()) > 0 && !gf_hub_closing(lookout->hub)) {
        gf_board_wait(lookout->board, lookout->read, left);
        while (gf_board_take(lookout->board, &lookout->read, id, &user)) {
            gf_hub_lookout_publish_note(lookout->hub, id, user);
        }
    }
    gf_board_leave(lookout->board, gf_hub_lookout_listens(lookout->hub));
}

static void *APR_THREAD_FUNC watch_board(apr_thread_t *thread, void *data)
{
    api_lookout_t *lookout = data;

    (void)thread;
    while (gf_hub_lookout_wait(lookout->hub, 0)) {
        read_board(lookout);
        gf_hub_lookout_ring(lookout->hub);
    }
    return NULL;
}

static void *APR_THREAD_FUNC watch_rows(apr_thread_t *thread, void *data)
{
    api_lookout_t *lookout = data;

    (void)thread;
    while (gf_hub_lookout_wait(lookout->hub, ROUND)) {
        read_rows(lookout);
        read_users(lookout);
        apr_pool_clear(lookout->ctx.pool);
    }
    return NULL;
}

apr_status_t api_lookout_start(api_lookout_t **out, apr_pool_t *pool, const gf_ctx_t *ctx,
                               gf_hub_t *hub, gf_board_t *board)
{
    api_lookout_t *lookout = apr_pcalloc(pool, sizeof(*lookout));
    apr_status_t rv;

    lookout->ctx = *ctx;
    lookout->hub = hub;
    lookout->board = board;
    lookout->read = gf_board_end(board);
    apr_pool_create_unmanaged_ex(&lookout->ctx.pool, NULL, NULL); /* no other thread's allocator */
    rv = apr_thread_create(&lookout->of_board, NULL, watch_board, lookout, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&lookout->of_rows, NULL, watch_rows, lookout, pool);
    }
    *out = lookout;
    return rv;
}

void api_lookout_join(api_lookout_t *lookout)
{
    apr_status_t rv;

    apr_thread_join(&rv, lookout->of_board);
    apr_thread_join(&rv, lookout->of_rows);
    apr_pool_destroy(lookout->ctx.pool);
}

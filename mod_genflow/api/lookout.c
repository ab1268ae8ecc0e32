/* SPDX-License-Identifier: Apache-2.0 */
/* News that no thread of this child publishes. A job that was handed in here is published here
 * unless its lease was lost: its row is read in one round of OWN_EVERY. */
#include "api/lookout.h"

#include <apr_hash.h>
#include <apr_thread_proc.h>

#include "base/clock.h"
#include "db/live.h"

#define ROUND     (APR_USEC_PER_SEC / 10)
#define OWN_EVERY 10

struct api_lookout_t {
    gf_ctx_t ctx;
    gf_hub_t *hub;
    gf_board_t *board;
    apr_uint32_t read; /* up to here on the board */
    apr_thread_t *thread;
    bool failed; /* the last round, and a line says so */
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

/* Returns the number of rows that the requests wait for. */
static int read_rows(api_lookout_t *lookout, bool all)
{
    gf_ctx_t *ctx = &lookout->ctx;
    const apr_array_header_t *ids = gf_hub_lookout_ids(lookout->hub, all, ctx->pool);
    apr_hash_t *versions = apr_hash_make(ctx->pool);
    apr_array_header_t *live;
    int i;

    if (ids->nelts == 0 || has_failed(lookout, gf_live_list(&live, ctx, ids))) {
        return ids->nelts;
    }
    for (i = 0; i < live->nelts; i++) {
        const gf_live_t *row = &APR_ARRAY_IDX(live, i, gf_live_t);

        apr_hash_set(versions, row->id, APR_HASH_KEY_STRING, row->version);
    }
    for (i = 0; i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);

        gf_hub_lookout_publish(lookout->hub, id, apr_hash_get(versions, id, APR_HASH_KEY_STRING));
    }
    return ids->nelts;
}

/* Publishes what other children of this httpd put on the board, for the length of a round. */
static void read_board(api_lookout_t *lookout)
{
    apr_time_t end = gf_clock_now() + ROUND;
    apr_interval_time_t left;
    char id[GF_BOARD_ID];

    while ((left = end - gf_clock_now()) > 0 && !gf_hub_closing(lookout->hub)) {
        gf_board_wait(lookout->board, lookout->read, left);
        while (gf_board_take(lookout->board, &lookout->read, id)) {
            gf_hub_lookout_publish(lookout->hub, id, NULL);
        }
    }
}

static void *APR_THREAD_FUNC look_out(apr_thread_t *thread, void *data)
{
    api_lookout_t *lookout = data;
    int rows = 0;
    int round;

    (void)thread;
    for (round = 0; gf_hub_lookout_wait(lookout->hub, rows ? 0 : ROUND); round++) {
        if (rows) {
            read_board(lookout);
        }
        rows = read_rows(lookout, round % OWN_EVERY == 0);
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
    rv = apr_thread_create(&lookout->thread, NULL, look_out, lookout, pool);
    *out = lookout;
    return rv;
}

void api_lookout_join(api_lookout_t *lookout)
{
    apr_status_t rv;

    apr_thread_join(&rv, lookout->thread);
    apr_pool_destroy(lookout->ctx.pool);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of wishes and the thread that fulfils them in turn: makes the thumbnail, then notes its
 * colour in the row. Leaves how one is made to store/thumbnail.c. */
#include "work/thumbnail.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

#include "base/log.h"
#include "db/picture.h"
#include "model/conf.h"
#include "store/store.h"
#include "store/thumbnail.h"

#define WAITING_MAX 256 /* more than a child settles in some seconds */
#define NAME_BYTES  160 /* type, folder, id, secret, extension */
#define NICE        10  /* of the thread: jobs and requests come first */

typedef struct wish_t {
    const gf_type_t *type; /* of the configuration */
    char id[40];
    char name[NAME_BYTES];
} wish_t;

struct gf_thumbnailer_t {
    apr_thread_mutex_t *mutex; /* guards all but the context */
    apr_thread_cond_t *changed;
    gf_ctx_t ctx;
    wish_t wishes[WAITING_MAX];
    int first;
    int count;
    bool stopping;
    apr_thread_t *thread;
};

/* Waits for a wish; false: it is time to end. */
static bool next_wish(wish_t *wish, gf_thumbnailer_t *thumbnailer)
{
    bool got = false;

    apr_thread_mutex_lock(thumbnailer->mutex);
    while (!thumbnailer->stopping && thumbnailer->count == 0) {
        apr_thread_cond_wait(thumbnailer->changed, thumbnailer->mutex);
    }
    if (!thumbnailer->stopping) {
        *wish = thumbnailer->wishes[thumbnailer->first];
        thumbnailer->first = (thumbnailer->first + 1) % WAITING_MAX;
        thumbnailer->count--;
        got = true;
    }
    apr_thread_mutex_unlock(thumbnailer->mutex);
    return got;
}

static void fulfil(const wish_t *wish, gf_ctx_t *ctx)
{
    char color[GF_THUMBNAIL_COLOR];
    gf_thumbnail_end_t end;
    gf_err_t *err = NULL;

    ctx->subject = apr_psprintf(ctx->pool, "job=%s type=%s: ", wish->id, wish->type->name);
    end = gf_store_thumbnail(color, ctx, wish->name);
    if (end == GF_THUMBNAIL_MADE || end == GF_THUMBNAIL_NONE) {
        err = gf_picture_thumbnail(ctx, wish->type, wish->id,
                                   end == GF_THUMBNAIL_MADE ? color : NULL);
    }
    if (err) {
        gf_log(ctx, GF_LOG_INFO, err->rv, "GF0793", "the colour of the picture was not noted: %s",
               err->detail ? err->detail : "");
    }
}

/* Linux has a priority for each thread; elsewhere the thread has that of all. */
static void be_nice(void)
{
#ifdef __linux__
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
#endif
}

static void *APR_THREAD_FUNC thumbnailer_main(apr_thread_t *thread, void *data)
{
    gf_thumbnailer_t *thumbnailer = data;
    gf_ctx_t ctx = thumbnailer->ctx;
    apr_allocator_t *allocator;
    wish_t wish;

    (void)thread;
    apr_allocator_create(&allocator);
    apr_allocator_max_free_set(allocator, GF_POOL_RETAINED_MAX);
    apr_pool_create_ex(&ctx.pool, NULL, NULL, allocator);
    apr_allocator_owner_set(allocator, ctx.pool);
    apr_pool_tag(ctx.pool, "genflow_thumbnailer");
    be_nice();
    while (next_wish(&wish, thumbnailer)) {
        fulfil(&wish, &ctx);
        apr_pool_clear(ctx.pool);
    }
    apr_pool_destroy(ctx.pool);
    return NULL;
}

apr_status_t gf_thumbnailer_start(gf_thumbnailer_t **made, apr_pool_t *pool, const gf_ctx_t *ctx)
{
    gf_thumbnailer_t *thumbnailer;
    apr_status_t rv;

    *made = NULL;
    if (!ctx->conf->thumbnails.kind || !ctx->conf->store->put) {
        return APR_SUCCESS;
    }
    thumbnailer = apr_pcalloc(pool, sizeof(*thumbnailer));
    thumbnailer->ctx = *ctx;
    rv = apr_thread_mutex_create(&thumbnailer->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&thumbnailer->changed, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&thumbnailer->thread, NULL, thumbnailer_main, thumbnailer, pool);
    }
    *made = thumbnailer;
    return rv;
}

void gf_thumbnailer_want(gf_thumbnailer_t *thumbnailer, const gf_job_t *job, const char *name)
{
    if (!thumbnailer) {
        return;
    }
    apr_thread_mutex_lock(thumbnailer->mutex);
    if (thumbnailer->count < WAITING_MAX) {
        wish_t *wish =
            &thumbnailer->wishes[(thumbnailer->first + thumbnailer->count++) % WAITING_MAX];

        wish->type = job->type;
        apr_cpystrn(wish->id, job->id, sizeof(wish->id));
        apr_cpystrn(wish->name, name, sizeof(wish->name));
        apr_thread_cond_signal(thumbnailer->changed);
    }
    apr_thread_mutex_unlock(thumbnailer->mutex);
}

void gf_thumbnailer_stop(gf_thumbnailer_t *thumbnailer)
{
    apr_status_t rv;

    if (!thumbnailer) {
        return;
    }
    apr_thread_mutex_lock(thumbnailer->mutex);
    thumbnailer->stopping = true;
    apr_thread_cond_signal(thumbnailer->changed);
    apr_thread_mutex_unlock(thumbnailer->mutex);
    apr_thread_join(&rv, thumbnailer->thread);
}

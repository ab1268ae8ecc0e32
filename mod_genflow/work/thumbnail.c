/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that fulfils the wants of its child (hub/wants.h) in turn: makes the thumbnail, then
 * notes its colour in the row. Leaves how one is made in the folder to store/thumbnail.c, and how
 * in S3 to thumbnail_object.c. */
#include "work/thumbnail.h"

#include <sys/resource.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "base/log.h"
#include "db/picture.h"
#include "hub/wants.h"
#include "model/conf.h"
#include "model/servers.h"
#include "store/store.h"
#include "store/thumbnail.h"
#include "work/thumbnail_object.h"

#define NICE 10 /* of the thread: jobs and requests come first */

struct gf_thumbnailer_t {
    gf_ctx_t ctx;
    gf_wants_t *wants;
    apr_thread_t *thread;
};

/* Of a picture in the folder. */
static gf_err_t *fulfil_here(const gf_want_t *want, gf_ctx_t *ctx)
{
    char color[GF_THUMBNAIL_COLOR];
    gf_thumbnail_end_t end = gf_store_thumbnail(color, ctx, want->name);
    bool gone;

    return end == GF_THUMBNAIL_MADE || end == GF_THUMBNAIL_NONE ? gf_picture_thumbnail(
               &gone, ctx, want->type, want->id, end == GF_THUMBNAIL_MADE ? color : NULL)
                                                                : NULL;
}

/* Cloudinary makes the thumbnail: the colour is of the bytes that were uploaded. */
static gf_err_t *fulfil_color(const gf_want_t *want, gf_ctx_t *ctx)
{
    const char *file = gf_store_draft(ctx->conf, want->name, ctx->pool);
    char color[GF_THUMBNAIL_COLOR];
    gf_stored_t facts;
    bool gone;

    return gf_store_thumbnail_draw(&facts, color, ctx, file, NULL) == GF_THUMBNAIL_MADE
               ? gf_picture_thumbnail(&gone, ctx, want->type, want->id, color)
               : NULL;
}

static void drop_file(const gf_want_t *want, const gf_ctx_t *ctx)
{
    if (want->has_file) {
        unlink(gf_store_draft(gf_servers_of_type(ctx->conf, want->type), want->name, ctx->pool));
    }
}

static void fulfil(const gf_want_t *want, gf_ctx_t *ctx)
{
    const gf_conf_t *before = ctx->conf;
    const gf_conf_t *conf = gf_servers_of_type(before, want->type);
    gf_err_t *err;

    ctx->conf = conf;
    ctx->subject = apr_psprintf(ctx->pool, "job=%s type=%s: ", want->id, want->type->name);
    err = conf->store->put         ? fulfil_here(want, ctx)
          : conf->thumbnails.place ? gf_thumbnail_object(want, ctx)
          : want->has_file         ? fulfil_color(want, ctx)
                                   : NULL;
    if (err) {
        gf_log(ctx, GF_LOG_INFO, err->rv, "GF0793", "the colour of the picture was not noted: %s",
               err->detail ? err->detail : "");
    }
    drop_file(want, ctx);
    ctx->conf = before;
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
    gf_want_t want;

    (void)thread;
    apr_allocator_create(&allocator);
    apr_allocator_max_free_set(allocator, GF_POOL_RETAINED_MAX);
    apr_pool_create_ex(&ctx.pool, NULL, NULL, allocator);
    apr_allocator_owner_set(allocator, ctx.pool);
    apr_pool_tag(ctx.pool, "genflow_thumbnailer");
    be_nice();
    while (gf_wants_take(&want, thumbnailer->wants)) {
        fulfil(&want, &ctx);
        apr_pool_clear(ctx.pool);
    }
    while (gf_wants_drop(&want, thumbnailer->wants)) {
        drop_file(&want, &ctx);
        apr_pool_clear(ctx.pool);
    }
    apr_pool_destroy(ctx.pool);
    return NULL;
}

/* Does the child make thumbnails of its pictures? */
static bool has_thumbnails(const gf_conf_t *conf)
{
    const gf_thumbnails_t *thumbnails = &conf->thumbnails;

    return thumbnails->kind
           && (conf->store->put || thumbnails->place || thumbnails->transformation);
}

apr_status_t gf_thumbnailer_start(gf_thumbnailer_t **made, apr_pool_t *pool, const gf_ctx_t *ctx,
                                  gf_hub_t *hub)
{
    const apr_array_header_t *confs = gf_servers_confs(ctx->conf, pool);
    gf_thumbnailer_t *thumbnailer;
    bool has_some = false;
    int i;

    for (i = 0; i < confs->nelts; i++) {
        has_some = has_some || has_thumbnails(APR_ARRAY_IDX(confs, i, const gf_conf_t *));
    }
    *made = NULL;
    if (!has_some) {
        return APR_SUCCESS;
    }
    thumbnailer = apr_pcalloc(pool, sizeof(*thumbnailer));
    thumbnailer->ctx = *ctx;
    thumbnailer->wants = gf_hub_wants(hub);
    gf_wants_open(thumbnailer->wants);
    *made = thumbnailer;
    return apr_thread_create(&thumbnailer->thread, NULL, thumbnailer_main, thumbnailer, pool);
}

bool gf_thumbnailer_want(gf_thumbnailer_t *thumbnailer, const gf_job_t *job, const char *name,
                         const char *file, apr_pool_t *pool)
{
    gf_want_t want = { .type = job->type };
    const gf_conf_t *conf =
        thumbnailer ? gf_servers_of_type(thumbnailer->ctx.conf, job->type) : NULL;

    if (!thumbnailer || !has_thumbnails(conf)) {
        return false;
    }
    apr_cpystrn(want.id, job->id, sizeof(want.id));
    apr_cpystrn(want.name, name, sizeof(want.name));
    want.has_file = file && rename(file, gf_store_draft(conf, want.name, pool)) == 0;
    if ((want.has_file || !file) && !gf_wants_put(thumbnailer->wants, &want) && want.has_file) {
        unlink(gf_store_draft(conf, want.name, pool));
    }
    return want.has_file;
}

void gf_thumbnailer_stop(gf_thumbnailer_t *thumbnailer)
{
    apr_status_t rv;

    if (thumbnailer) {
        gf_wants_close(thumbnailer->wants);
        apr_thread_join(&rv, thumbnailer->thread);
    }
}

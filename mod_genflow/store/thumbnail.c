/* SPDX-License-Identifier: Apache-2.0 */
/* One thumbnail: drawn into a file of the spool, which is locked meanwhile, then linked beside its
 * picture. What a process that died leaves in the spool is swept there, and locks nothing. */
#include "store/thumbnail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/hash.h"
#include "base/log.h"
#include "genflow/thumbnail.h"
#include "model/conf.h"
#include "model/thumbnail.h"
#include "store/store.h"

#define FILE_MODE 0644

/* One on its way. */
typedef struct draft_t {
    gf_ctx_t *ctx;
    const char *picture; /* paths: of the picture, ... */
    const char *path;    /* ... of the thumbnail, ... */
    const char *spool;   /* ... and of what is drawn */
    int fd;              /* of `spool`, locked */
} draft_t;

/* ---- one at a time ---- */

/* The file may be one that another thread has just linked and taken out of the spool. */
static bool is_named(const draft_t *draft)
{
    struct stat opened;
    struct stat named;

    return fstat(draft->fd, &opened) == 0 && lstat(draft->spool, &named) == 0
           && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/* Opens and locks the file in the spool. EBUSY: another has it. */
static apr_status_t begin_draft(draft_t *draft)
{
    apr_status_t rv = APR_SUCCESS;

    draft->fd = open(draft->spool, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (draft->fd < 0) {
        return errno;
    }
    if (flock(draft->fd, LOCK_EX | LOCK_NB) < 0) {
        rv = errno == EWOULDBLOCK ? APR_EBUSY : errno;
    }
    else if (!is_named(draft)) {
        rv = APR_EBUSY;
    }
    if (rv != APR_SUCCESS) {
        close(draft->fd);
    }
    return rv;
}

static void end_draft(draft_t *draft)
{
    unlink(draft->spool); /* before the lock goes */
    close(draft->fd);
}

/* ---- drawing ---- */

static apr_status_t write_all(int fd, const char *bytes, apr_size_t length)
{
    if (ftruncate(fd, 0) < 0) { /* of a process that died */
        return errno;
    }
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);

        if (count < 0 && errno != EINTR) {
            return errno;
        }
        count = count < 0 ? 0 : count;
        bytes += count;
        length -= (apr_size_t)count;
    }
    return APR_SUCCESS;
}

static gf_thumbnail_end_t log_end(const draft_t *draft, apr_status_t rv, bool none)
{
    if (rv == APR_ENOENT || rv == APR_EBUSY) {
        return GF_THUMBNAIL_GONE; /* the picture was removed meanwhile */
    }
    if (rv != APR_SUCCESS) {
        gf_log(draft->ctx, GF_LOG_WARNING, rv, "GF0792",
               "no thumbnail could be made of %s; a later request for it tries again: see that "
               "the disk has room and httpd's user may write there",
               draft->picture);
        return GF_THUMBNAIL_FAILED;
    }
    if (none) {
        gf_log(draft->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0791",
               "there is no thumbnail of %s: it cannot be decoded, is animated or has more than %d "
               "pixels; lists show the picture",
               draft->picture, GF_THUMBNAIL_PIXELS);
        return GF_THUMBNAIL_NONE;
    }
    gf_log(draft->ctx, GF_LOG_DEBUG, APR_SUCCESS, "GF0790", "thumbnail made: %s", draft->path);
    return GF_THUMBNAIL_MADE;
}

/* APR_EINVAL: there is none. */
static apr_status_t draw_bytes(gf_thumbnail_draw_t *thumbnail, char *color, gf_ctx_t *ctx,
                               const char *picture)
{
    apr_status_t rv;

    *thumbnail = (gf_thumbnail_draw_t){
        .file = picture, .pixels_max = GF_THUMBNAIL_PIXELS, .side = GF_THUMBNAIL_SIDE, .bytes = ""
    };
    rv = ctx->conf->thumbnails.kind->draw(thumbnail, ctx->pool);
    apr_snprintf(color, GF_THUMBNAIL_COLOR, "#%06x", thumbnail->color & 0xffffff);
    return rv;
}

/* Draws it and links it. Without a thumbnail an empty file is linked. */
static gf_thumbnail_end_t draw(char *color, draft_t *draft)
{
    gf_thumbnail_draw_t thumbnail;
    apr_status_t rv = draw_bytes(&thumbnail, color, draft->ctx, draft->picture);
    bool none = rv == APR_EINVAL;

    if (rv == APR_SUCCESS || none) {
        rv = write_all(draft->fd, thumbnail.bytes, none ? 0 : thumbnail.length);
        rv = rv ? rv : gf_store_fs_attach(draft->picture, draft->path, draft->spool, draft->fd);
    }
    return log_end(draft, rv, none);
}

static apr_status_t write_new(const char *path, const gf_thumbnail_draw_t *thumbnail)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    apr_status_t rv = fd < 0 ? errno : write_all(fd, thumbnail->bytes, thumbnail->length);

    if (fd >= 0) {
        close(fd);
    }
    return rv;
}

gf_thumbnail_end_t gf_store_thumbnail_draw(gf_stored_t *facts, char color[GF_THUMBNAIL_COLOR],
                                           gf_ctx_t *ctx, const char *picture, const char *file)
{
    draft_t draft = { .ctx = ctx, .picture = picture, .path = file ? file : picture };
    gf_thumbnail_draw_t thumbnail;
    apr_status_t rv = draw_bytes(&thumbnail, color, ctx, picture);
    bool none = rv == APR_EINVAL;

    if (rv == APR_SUCCESS && file) {
        rv = write_new(file, &thumbnail);
    }
    *facts = (gf_stored_t){ .image = { .type = "image/webp", .extension = "webp" },
                            .bytes = (apr_int64_t)thumbnail.length };
    gf_hash_sha256(facts->sha256, thumbnail.bytes, thumbnail.length);
    return log_end(&draft, none ? APR_SUCCESS : rv, none);
}

gf_thumbnail_end_t gf_store_thumbnail(char color[GF_THUMBNAIL_COLOR], gf_ctx_t *ctx,
                                      const char *name)
{
    const char *small = gf_thumbnail_name(name, ctx->pool);
    draft_t draft = { .ctx = ctx,
                      .picture = gf_store_fs_path(ctx->conf, name, ctx->pool),
                      .path = gf_store_fs_path(ctx->conf, small, ctx->pool),
                      .spool = apr_pstrcat(ctx->pool, ctx->conf->store_folder, "/" GF_STORE_SPOOL,
                                           strrchr(small, '/'), NULL) };
    gf_thumbnail_end_t end;
    apr_status_t rv;

    if (access(draft.picture, F_OK) < 0) {
        return GF_THUMBNAIL_GONE;
    }
    rv = begin_draft(&draft);
    if (rv != APR_SUCCESS) {
        return rv == APR_EBUSY ? GF_THUMBNAIL_BUSY : log_end(&draft, rv, false);
    }
    end = access(draft.path, F_OK) == 0 ? GF_THUMBNAIL_THERE : draw(color, &draft);
    end_draft(&draft);
    return end;
}

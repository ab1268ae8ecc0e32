/* SPDX-License-Identifier: Apache-2.0 */
/* The folder store: pictures as files that httpd serves. A picture is linked to its name, which
 * never replaces another, and survives a power cut once put_file() returns: its bytes and its name
 * are flushed, with one fsync() where the file system allows it. Runs on a writer thread. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "base/inject.h"
#include "model/thumbnail.h"

#define LOCK_TRIES 5
#define LOCK_WAIT  (2 * 1000) /* microseconds; the lock is held while a name is made */

#define EXT4_MAGIC 0xEF53 /* of statfs(2) */
#define XFS_MAGIC  0x58465342

const char *gf_store_fs_path(const gf_conf_t *conf, const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, conf->store_folder, "/", name, NULL);
}

/* Gives the bytes of a file to the disk, without a flush. 0, or the errno of what the disk refused,
 * such as ENOSPC. */
static int write_out(int fd)
{
    const unsigned all =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

    return sync_file_range(fd, 0, 0, all) == 0 ? 0 : errno;
}

static int flush(int fd)
{
    return fsync(fd) == 0 ? 0 : errno;
}

/* Of a file or folder. */
static apr_status_t flush_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    apr_status_t rv = fd < 0 ? errno : flush(fd);

    if (fd >= 0) {
        close(fd);
    }
    return rv;
}

/* Does flushing a file flush the names, too, that it got before? ext4 and XFS write a new name and
 * the file's inode in one transaction of their journal, after all earlier ones, and fsync() of the
 * file waits for it (docs/decisions/0049). Of any other file system fsync(2) promises the bytes
 * alone. */
static bool flushes_names(int fd)
{
    struct statfs info;

    return fstatfs(fd, &info) == 0 && (info.f_type == EXT4_MAGIC || info.f_type == XFS_MAGIC);
}

/* Makes the folder of a name in the store, and flushes the names of what it made. */
static apr_status_t make_folder(gf_ctx_t *ctx, const char *folder)
{
    const char *parent =
        apr_pstrmemdup(ctx->pool, folder, (apr_size_t)(strrchr(folder, '/') - folder));
    apr_status_t rv = apr_dir_make_recursive(folder, APR_FPROT_OS_DEFAULT, ctx->pool);

    rv = rv ? rv : flush_path(parent);
    return rv ? rv : flush_path(ctx->conf->store_folder);
}

static apr_status_t link_file(gf_ctx_t *ctx, const char *file, const char *path, const char *folder)
{
    apr_status_t rv = link(file, path) < 0 ? errno : APR_SUCCESS;

    if (rv == ENOENT) { /* the first picture of this folder */
        rv = make_folder(ctx, folder);
        rv = rv == APR_SUCCESS && link(file, path) < 0 ? errno : rv;
    }
    return rv;
}

/* The bytes reach the disk before the name does, so that no power cut leaves a part of a picture
 * under it. Where flushing the file flushes its name, one flush after the link serves both;
 * elsewhere the file is flushed before the link and the folder after it. A name that is there
 * already may be another process's, which has not flushed it yet: it is flushed here as well. */
static apr_status_t put_open_file(bool *existing, gf_ctx_t *ctx, const char *path, int fd,
                                  const char *file)
{
    const char *folder = apr_pstrmemdup(ctx->pool, path, (apr_size_t)(strrchr(path, '/') - path));
    bool once = flushes_names(fd);
    apr_status_t rv = once ? write_out(fd) : flush(fd);

    (void)GF_INJECT(ctx, "name", "before");
    rv = rv ? rv : link_file(ctx, file, path, folder);
    (void)GF_INJECT(ctx, "name", "after");
    *existing = rv == EEXIST;
    if (rv == APR_SUCCESS && once) {
        return flush(fd);
    }
    return rv == APR_SUCCESS || *existing ? flush_path(once ? path : folder) : rv;
}

static gf_err_t *put_file(bool *existing, gf_ctx_t *ctx, const char *name, const char *file)
{
    const char *path = gf_store_fs_path(ctx->conf, name, ctx->pool);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    apr_status_t rv = fd < 0 ? errno : put_open_file(existing, ctx, path, fd, file);

    if (fd >= 0) {
        close(fd);
    }
    return rv == APR_SUCCESS ? NULL : gf_err_make(ctx, GF_E_STORE, rv, "cannot keep %s", path);
}

/* ---- a thumbnail beside its picture ---- */

/* Locks the open picture, and makes sure that its name still names it. */
static apr_status_t lock_picture(int fd, const char *path, int how)
{
    struct stat opened;
    struct stat named;

    if (flock(fd, how | LOCK_NB) < 0) {
        return errno == EWOULDBLOCK ? APR_EBUSY : errno;
    }
    if (fstat(fd, &opened) < 0 || lstat(path, &named) < 0) {
        return errno;
    }
    return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev ? APR_SUCCESS
                                                                          : APR_ENOENT;
}

static apr_status_t link_beside(const char *picture, const char *path, const char *file)
{
    int fd = open(picture, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    apr_status_t rv = fd < 0 ? errno : lock_picture(fd, picture, LOCK_SH);

    if (rv == APR_SUCCESS && link(file, path) < 0 && errno != EEXIST) {
        rv = errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    return rv;
}

apr_status_t gf_store_fs_attach(const char *picture, const char *path, const char *file, int fd)
{
    apr_status_t rv = flushes_names(fd) ? write_out(fd) : flush(fd);

    return rv ? rv : link_beside(picture, path, file);
}

apr_status_t gf_store_fs_unlink(const char *path)
{
    return unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR ? errno : APR_SUCCESS;
}

apr_status_t gf_store_fs_remove(const char *path, apr_pool_t *pool)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    apr_status_t rv = fd < 0 ? APR_SUCCESS : lock_picture(fd, path, LOCK_EX);
    int tries;

    for (tries = 1; rv == APR_EBUSY && tries < LOCK_TRIES; tries++) {
        gf_clock_pause(LOCK_WAIT);
        rv = lock_picture(fd, path, LOCK_EX);
    }
    if (rv != APR_EBUSY) { /* a file system without locks: a thumbnail may stay, a picture not */
        rv = gf_store_fs_unlink(path);
        rv = rv ? rv : gf_store_fs_unlink(gf_thumbnail_name(path, pool));
    }
    if (fd >= 0) {
        close(fd);
    }
    return rv;
}

const gf_store_kind_t gf_store_fs = { .name = "folder", .put = put_file };

/* SPDX-License-Identifier: Apache-2.0 */
/* The folder store: pictures as files that httpd serves. A picture appears whole or not at all and
 * survives a power cut: the file is flushed, linked to its name (which never replaces another), and
 * its folder flushed. Runs on a writer thread. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>

const char *gf_store_fs_path(const gf_conf_t *conf, const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, conf->store_folder, "/", name, NULL);
}

/* Flushes a file or folder to the disk. */
static apr_status_t flush_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    apr_status_t rv = APR_SUCCESS;

    if (fd < 0 || fsync(fd) < 0) {
        rv = errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    return rv;
}

static gf_err_t *put_file(bool *existing, gf_ctx_t *ctx, const char *name, const char *file)
{
    const char *path = gf_store_fs_path(ctx->conf, name, ctx->pool);
    const char *folder = apr_pstrmemdup(ctx->pool, path, (apr_size_t)(strrchr(path, '/') - path));
    apr_status_t rv = flush_path(file);

    if (rv == APR_SUCCESS && link(file, path) < 0) {
        rv = errno;
        if (rv == ENOENT) { /* the first picture of this folder */
            rv = apr_dir_make_recursive(folder, APR_FPROT_OS_DEFAULT, ctx->pool);
            if (rv == APR_SUCCESS && link(file, path) < 0) {
                rv = errno;
            }
        }
    }
    *existing = rv == EEXIST;
    if (rv == APR_SUCCESS || *existing) {
        rv = flush_path(folder);
    }
    return rv == APR_SUCCESS ? NULL : gf_err_make(ctx, GF_E_STORE, rv, "cannot keep %s", path);
}

const gf_store_kind_t gf_store_fs = { .name = "folder", .put = put_file };

/* SPDX-License-Identifier: Apache-2.0 */
/* Inspects a result before it is stored, names it, and hands it to the store. Each kind of store is
 * a file of its own; the spool is in store/spool.c. */
#include "store/store.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_portable.h>
#include <apr_strings.h>

#include "base/json.h"
#include "model/url.h"

#define ROW(name, kind) &kind,
static const gf_store_kind_t *const kinds[] = { GF_STORE_KINDS(ROW, ROW) };
#undef ROW

#define KINDS         ((int)(sizeof(kinds) / sizeof(kinds[0])))
#define SECRET_DIGITS 32 /* of picture_secret */

#define CLOUDINARY     "https://res.cloudinary.com" /* without a host name of their own */
#define ORIGIN_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:/[]_-"

/* Most pixels, and the directive that sets them. */
typedef struct limit_t {
    const char *directive;
    apr_int64_t pixels;
} limit_t;

const gf_store_kind_t *gf_store_kind(const char *name)
{
    int i;

    for (i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i]->name, name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

/* The secret part of the name, which only the row holds before the generation has completed:
 * "<id>-<secret>". */
static const char *name_stem(const gf_job_t *job, apr_pool_t *pool)
{
    return job->picture_secret ? apr_pstrcat(pool, job->id, "-", job->picture_secret, NULL)
                               : job->id;
}

const char *gf_store_spool(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s/" GF_STORE_SPOOL "/%s.%d", conf->store_folder,
                        name_stem(job, pool), job->epoch);
}

const char *gf_store_ready(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s/" GF_STORE_SPOOL "/%s.ready", conf->store_folder,
                        name_stem(job, pool));
}

const char *gf_store_copy(const gf_conf_t *conf, const char *name, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s/" GF_STORE_SPOOL "/%s.copy", conf->store_folder, name);
}

const char *gf_store_draft(const gf_conf_t *conf, const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, conf->store_folder, "/" GF_STORE_SPOOL, strrchr(name, '/'), ".draft",
                       NULL);
}

const char *gf_store_address(const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *place = conf->store->put             ? conf->store_url
                        : gf_store_place(conf, pool) ? gf_store_place(conf, pool)
                        : conf->store_public         ? conf->store_public
                                                     : conf->store_api;

    if (!place && conf->store == &gf_store_cloudinary) {
        place = apr_pstrcat(pool, CLOUDINARY "/", conf->store_account, NULL);
    }
    return place ? apr_pstrcat(pool, place, "/", NULL) : NULL;
}

/* How much of `url` is the address of that store; 0: it is elsewhere. */
static apr_size_t address_length(const gf_conf_t *conf, const char *url, apr_pool_t *pool)
{
    const char *address = conf && conf->store ? gf_store_address(conf, pool) : NULL;

    return address && strncmp(url, address, strlen(address)) == 0 ? strlen(address) : 0;
}

const gf_conf_t *gf_store_conf_of(const gf_conf_t *conf, const char *url, apr_pool_t *pool)
{
    apr_size_t here = address_length(conf, url, pool);
    apr_size_t before = address_length(conf->store_old, url, pool);

    return before > here ? conf->store_old : here ? conf : NULL;
}

/* Two digits of the id spread the pictures over 256 folders a type. */
static const char *folder_name(const gf_job_t *job, apr_pool_t *pool)
{
    return apr_pstrcat(pool, job->type->name, "/", job->id + strlen(job->id) - 2, "/", NULL);
}

static const char *object_name(const gf_job_t *job, const char *extension, apr_pool_t *pool)
{
    return apr_pstrcat(pool, folder_name(job, pool), name_stem(job, pool), ".", extension, NULL);
}

const char *gf_store_name(const gf_stored_t *stored, const gf_job_t *job, apr_pool_t *pool)
{
    return object_name(job, stored->image.extension, pool);
}

gf_store_call_t gf_store_call(const gf_conf_t *conf, const gf_job_t *job, const gf_stored_t *stored,
                              apr_pool_t *pool)
{
    return (gf_store_call_t){ .conf = conf,
                              .name = gf_store_name(stored, job, pool),
                              .stored = stored,
                              .pool = pool,
                              .run_id = job->run_id ? job->run_id : job->id,
                              .secret = job->picture_secret };
}

/* The open picture: sets its type, size and hash; cuts off bytes after its end. */
static gf_err_t *inspect_bytes(gf_stored_t *stored, gf_ctx_t *ctx, apr_file_t *file,
                               const char *path, const limit_t *limit)
{
    gf_image_t *image = &stored->image;
    apr_finfo_t info = { .size = 0 };
    apr_os_file_t descriptor;
    apr_status_t rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);

    stored->bytes = info.size;
    apr_os_file_get(&descriptor, file);
    if (rv != APR_SUCCESS) {
        return gf_err_make(ctx, GF_E_STORE, rv, "cannot read %s", path);
    }
    if (info.size == 0) {
        return gf_err_make(ctx, GF_E_EMPTY, APR_SUCCESS, "the picture has no bytes");
    }
    if (!gf_image_probe_file(image, descriptor)) {
        return gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS,
                           "%" APR_INT64_T_FMT " bytes that are no PNG, JPEG or WebP",
                           stored->bytes);
    }
    if ((apr_int64_t)image->width * image->height > limit->pixels) {
        return gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS,
                           "%d x %d pixels are more than %s %" APR_INT64_T_FMT, image->width,
                           image->height, limit->directive, limit->pixels);
    }
    if (!image->end) {
        return gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS,
                           "%" APR_INT64_T_FMT " bytes of %s that do not reach its end",
                           stored->bytes, image->type);
    }
    if (image->end < stored->bytes) { /* cameras and programs write such bytes after a picture */
        rv = truncate(path, (off_t)image->end) < 0 ? errno : APR_SUCCESS;
        stored->bytes = image->end;
    }
    rv = rv ? rv : gf_hash_file(stored->sha256, file);
    return rv == APR_SUCCESS ? NULL : gf_err_make(ctx, GF_E_STORE, rv, "cannot read %s", path);
}

static gf_err_t *inspect_file(gf_stored_t *stored, gf_ctx_t *ctx, const char *path,
                              const limit_t *limit)
{
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, ctx->pool);
    gf_err_t *err;

    if (rv != APR_SUCCESS) {
        return gf_err_make(ctx, GF_E_STORE, rv, "cannot read %s", path);
    }
    err = inspect_bytes(stored, ctx, file, path, limit);
    apr_file_close(file);
    return err;
}

gf_err_t *gf_store_inspect(gf_stored_t *stored, gf_ctx_t *ctx, const char *path)
{
    const limit_t limit = { "GenflowStoreMaxPixels", ctx->conf->pixels_max };

    return inspect_file(stored, ctx, path, &limit);
}

gf_err_t *gf_store_inspect_source(gf_stored_t *stored, gf_ctx_t *ctx, const char *path)
{
    const limit_t limit = { "GenflowAssetMaxPixels", ctx->conf->asset_pixels_max };

    return inspect_file(stored, ctx, path, &limit);
}

static const char *public_url(const gf_conf_t *conf, const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, conf->store_url, "/", name, NULL);
}

gf_err_t *gf_store_put(gf_stored_t *stored, gf_ctx_t *ctx, const gf_job_t *job, const char *file)
{
    const char *name;
    bool existing = false;

    GF_TRY(gf_store_inspect(stored, ctx, file));
    name = gf_store_name(stored, job, ctx->pool);
    GF_TRY(gf_store_fs.put(&existing, ctx, name, file));
    if (existing) { /* an earlier run got as far as here */
        GF_TRY(gf_store_inspect(stored, ctx, gf_store_fs_path(ctx->conf, name, ctx->pool)));
    }
    stored->url = public_url(ctx->conf, name, ctx->pool);
    apr_file_remove(
        file, ctx->pool); /* a second link to the stored bytes: no other process may write there */
    return NULL;
}

bool gf_store_find(gf_stored_t *stored, gf_ctx_t *ctx, const gf_job_t *job)
{
    const char *const *extension;

    for (extension = gf_image_extensions; *extension; extension++) {
        const char *name = object_name(job, *extension, ctx->pool);

        if (!gf_store_inspect(stored, ctx, gf_store_fs_path(ctx->conf, name, ctx->pool))) {
            stored->url = public_url(ctx->conf, name, ctx->pool);
            return true;
        }
    }
    return false;
}

/* The text after `start`; NULL: it begins otherwise. */
static const char *text_behind(const char *text, const char *start)
{
    apr_size_t length = strlen(start);

    return text && strncmp(text, start, length) == 0 ? text + length : NULL;
}

/* Skips "-<secret>" if it is there. */
static const char *behind_secret(const char *text)
{
    return text && text[0] == '-' && strspn(text + 1, "0123456789abcdef") == SECRET_DIGITS
               ? text + 1 + SECRET_DIGITS
               : text;
}

bool gf_store_is_name(const char **secret, const char *name, const gf_job_t *job, apr_pool_t *pool)
{
    const char *start = text_behind(name, apr_pstrcat(pool, folder_name(job, pool), job->id, NULL));
    const char *rest = behind_secret(start);
    const char *const *extension;

    *secret = rest > start ? apr_pstrmemdup(pool, start + 1, SECRET_DIGITS) : NULL;
    rest = text_behind(rest, ".");
    for (extension = gf_image_extensions; rest && *extension; extension++) {
        if (strcmp(rest, *extension) == 0) {
            return true;
        }
    }
    return false;
}

const char *gf_store_file(const gf_conf_t *conf, const gf_job_t *job, const char *url,
                          apr_pool_t *pool)
{
    const char *name = text_behind(url, apr_pstrcat(pool, conf->store_url, "/", NULL));
    const char *secret;

    return gf_store_is_name(&secret, name, job, pool) ? gf_store_fs_path(conf, name, pool) : NULL;
}

apr_status_t gf_store_clear(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool)
{
    apr_status_t rv = apr_file_remove(gf_store_ready(conf, job, pool), pool);
    const char *const *extension;

    for (extension = gf_image_extensions; *extension; extension++) {
        const char *name = object_name(job, *extension, pool);
        apr_status_t one = gf_store_fs_remove(gf_store_fs_path(conf, name, pool), pool);

        rv = one == APR_SUCCESS ? rv : one;
    }
    return APR_STATUS_IS_ENOENT(rv) || APR_STATUS_IS_ENOTDIR(rv) ? APR_SUCCESS : rv;
}

const char *gf_store_result(const gf_stored_t *stored, apr_pool_t *pool)
{
    gf_out_t out;

    gf_out_init(&out, pool, 256);
    gf_out_open(&out, '{');
    gf_out_put_int(&out, "width", stored->image.width);
    gf_out_put_int(&out, "height", stored->image.height);
    gf_out_put_int(&out, "bytes", stored->bytes);
    gf_out_put_string(&out, "type", stored->image.type);
    gf_out_put_string(&out, "sha256", stored->sha256);
    gf_out_close(&out, '}');
    return out.text;
}

/* ---- for browsers ---- */

static const char *add_origin(const char *origins, const char *url, apr_pool_t *pool)
{
    const char *origin = url && gf_url_is_http(url) ? gf_url_origin(url, pool) : NULL;

    if (!origin || origin[strspn(origin, ORIGIN_LETTERS)]) {
        return origins;
    }
    return apr_pstrcat(pool, origins, origins[0] ? " " : "", origin, NULL);
}

static const char *origins_of(const gf_conf_t *conf, apr_pool_t *pool)
{
    const gf_store_kind_t *kind = conf->store;

    if (!kind) {
        return "";
    }
    if (kind == &gf_store_fs) {
        return add_origin("", conf->store_url, pool);
    }
    if (kind == &gf_store_cloudinary) {
        return add_origin(CLOUDINARY, conf->store_public, pool);
    }
    if (kind == &gf_store_s3 && !conf->store_public && !conf->store_api) {
        return apr_pstrcat(pool, "https://s3.", conf->store_region, ".amazonaws.com", NULL);
    }
    return add_origin("", conf->store_public ? conf->store_public : conf->store_api, pool);
}

const char *gf_store_origins(const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *origins = origins_of(conf, pool);
    const char *old = conf->store_old ? origins_of(conf->store_old, pool) : "";

    return apr_pstrcat(pool, origins, origins[0] && old[0] ? " " : "", old, NULL);
}

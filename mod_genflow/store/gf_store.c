/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at a result before it is kept, names it, and hands it to the store. Leaves how bytes are
 * kept to store_<kind>.c, and the spool to store_spool.c. */
#include "store/gf_store.h"

#include <string.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "base/gf_json.h"

static const gf_store_kind_t *const kinds[] = { &gf_store_fs, &gf_store_cloudinary, &gf_store_s3 };

#define KINDS         ((int)(sizeof(kinds) / sizeof(kinds[0])))
#define SECRET_DIGITS 32 /* of picture_secret */

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

const char *gf_store_kind_names(apr_pool_t *pool)
{
    const char *names = kinds[0]->name;
    int i;

    for (i = 1; i < KINDS; i++) {
        names = apr_pstrcat(pool, names, ", ", kinds[i]->name, NULL);
    }
    return names;
}

/* What only the row knows before the generation has completed: "<id>-<secret>". */
static const char *stem(const gf_job_t *job, apr_pool_t *pool)
{
    return job->picture_secret ? apr_pstrcat(pool, job->id, "-", job->picture_secret, NULL)
                               : job->id;
}

const char *gf_store_spool(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s/" GF_STORE_SPOOL "/%s.%d", conf->store_folder, stem(job, pool),
                        job->epoch);
}

const char *gf_store_ready(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s/" GF_STORE_SPOOL "/%s.ready", conf->store_folder,
                        stem(job, pool));
}

/* Two digits of the id spread the pictures over 256 folders a type. */
static const char *folder_name(const gf_job_t *job, apr_pool_t *pool)
{
    return apr_pstrcat(pool, job->type->name, "/", job->id + strlen(job->id) - 2, "/", NULL);
}

static const char *object_name(const gf_job_t *job, const char *extension, apr_pool_t *pool)
{
    return apr_pstrcat(pool, folder_name(job, pool), stem(job, pool), ".", extension, NULL);
}

const char *gf_store_name(const gf_stored_t *stored, const gf_job_t *job, apr_pool_t *pool)
{
    return object_name(job, stored->image.extension, pool);
}

static bool is_whole(const gf_stored_t *stored, apr_file_t *file, const unsigned char *head)
{
    unsigned char tail[GF_IMAGE_TAIL];
    apr_off_t at = stored->bytes - GF_IMAGE_TAIL;

    return at >= 0 && apr_file_seek(file, APR_SET, &at) == APR_SUCCESS
           && apr_file_read_full(file, tail, sizeof(tail), NULL) == APR_SUCCESS
           && gf_image_is_whole(&stored->image, head, tail, stored->bytes);
}

gf_err_t *gf_store_look(gf_stored_t *stored, gf_ctx_t *ctx, const char *path)
{
    unsigned char *head = apr_palloc(ctx->pool, GF_IMAGE_PROBE);
    apr_size_t length = GF_IMAGE_PROBE;
    apr_off_t start = 0;
    apr_finfo_t info;
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, ctx->pool);
    gf_err_t *err = NULL;

    if (rv != APR_SUCCESS) {
        return gf_err_make(ctx, GF_E_STORE, rv, "cannot read %s", path);
    }
    rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);
    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, head, length, &length);
    }
    stored->bytes = info.size;
    if (rv != APR_SUCCESS && !APR_STATUS_IS_EOF(rv)) {
        err = gf_err_make(ctx, GF_E_STORE, rv, "cannot read %s", path);
    }
    else if (length == 0) {
        err = gf_err_make(ctx, GF_E_EMPTY, APR_SUCCESS, "the picture has no bytes");
    }
    else if (!gf_image_probe(&stored->image, head, length)) {
        err =
            gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS,
                        "%" APR_INT64_T_FMT " bytes that are no PNG, JPEG or WebP", stored->bytes);
    }
    else if ((apr_int64_t)stored->image.width * stored->image.height > ctx->conf->pixels_max) {
        err = gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS,
                          "%d x %d pixels are more than GenflowStoreMaxPixels %" APR_INT64_T_FMT,
                          stored->image.width, stored->image.height, ctx->conf->pixels_max);
    }
    else if (!is_whole(stored, file, head)) {
        err = gf_err_make(ctx, GF_E_RESULT, APR_SUCCESS,
                          "%" APR_INT64_T_FMT " bytes of %s that do not reach its end",
                          stored->bytes, stored->image.type);
    }
    else if ((rv = apr_file_seek(file, APR_SET, &start)) != APR_SUCCESS
             || (rv = gf_hash_file(stored->sha256, file)) != APR_SUCCESS) {
        err = gf_err_make(ctx, GF_E_STORE, rv, "cannot read %s", path);
    }
    apr_file_close(file);
    return err;
}

static const char *public_url(const gf_conf_t *conf, const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, conf->store_url, "/", name, NULL);
}

gf_err_t *gf_store_put(gf_stored_t *stored, gf_ctx_t *ctx, const gf_job_t *job, const char *file)
{
    const char *name;
    bool existing = false;

    GF_TRY(gf_store_look(stored, ctx, file));
    name = gf_store_name(stored, job, ctx->pool);
    GF_TRY(gf_store_fs.put(&existing, ctx, name, file));
    if (existing) { /* an earlier run got as far as here */
        GF_TRY(gf_store_look(stored, ctx, gf_store_fs_path(ctx->conf, name, ctx->pool)));
    }
    stored->url = public_url(ctx->conf, name, ctx->pool);
    apr_file_remove(file, ctx->pool); /* a second name of the kept bytes: nobody may write there */
    return NULL;
}

bool gf_store_find(gf_stored_t *stored, gf_ctx_t *ctx, const gf_job_t *job)
{
    const char *const *extension;

    for (extension = gf_image_extensions; *extension; extension++) {
        const char *name = object_name(job, *extension, ctx->pool);

        if (!gf_store_look(stored, ctx, gf_store_fs_path(ctx->conf, name, ctx->pool))) {
            stored->url = public_url(ctx->conf, name, ctx->pool);
            return true;
        }
    }
    return false;
}

/* The rest of text behind start; NULL: it begins otherwise. */
static const char *behind(const char *text, const char *start)
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

const char *gf_store_file(const gf_conf_t *conf, const gf_job_t *job, const char *url,
                          apr_pool_t *pool)
{
    const char *name = behind(url, apr_pstrcat(pool, conf->store_url, "/", NULL));
    const char *rest = behind(name, apr_pstrcat(pool, folder_name(job, pool), job->id, NULL));
    const char *const *extension;

    rest = behind(behind_secret(rest), ".");
    for (extension = gf_image_extensions; rest && *extension; extension++) {
        if (strcmp(rest, *extension) == 0) {
            return gf_store_fs_path(conf, name, pool);
        }
    }
    return NULL;
}

apr_status_t gf_store_clear(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool)
{
    apr_status_t rv = apr_file_remove(gf_store_ready(conf, job, pool), pool);
    const char *const *extension;

    for (extension = gf_image_extensions; *extension; extension++) {
        const char *name = object_name(job, *extension, pool);
        apr_status_t one = apr_file_remove(gf_store_fs_path(conf, name, pool), pool);

        rv = one == APR_SUCCESS || APR_STATUS_IS_ENOENT(one) || APR_STATUS_IS_ENOTDIR(one) ? rv
                                                                                           : one;
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

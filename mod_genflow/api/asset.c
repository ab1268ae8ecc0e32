/* SPDX-License-Identifier: Apache-2.0 */
/* Source pictures: brought as the body itself or as the field `file` of a form, shown to their
 * owner alone, deleted. Leaves generations that use them to api/generate.c. */
#include "api/api.h"

#include <apr_encode.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include "api/large.h"
#include "api/spec.h"
#include "base/memory.h"
#include "base/multipart.h"
#include "base/text.h"
#include "db/asset.h"
#include "httpd/plugin.h"
#include "model/source.h"
#include "model/source_url.h"

#define FORM_ROOM 65536 /* what a form may have around its picture */

/* ---- POST assets ---- */

/* The field `file` of a form. */
static gf_err_t *read_form(gf_bytes_t *picture, gf_req_t *req, const char *content_type)
{
    const char *boundary = gf_multipart_boundary(req->r->pool, content_type);
    apr_int64_t limit = req->conf->asset_max;
    gf_bytes_t body;

    if (!boundary) {
        return gf_err_make(req->ctx, GF_E_BAD_MULTIPART, APR_SUCCESS, "no boundary");
    }
    GF_TRY(api_body_read(req, limit + FORM_ROOM, &body.at, &body.length));
    switch (gf_multipart_find(picture, req->r->pool, boundary, &body, "file")) {
    case GF_MULTIPART_MALFORMED:
        return gf_err_make(req->ctx, GF_E_BAD_MULTIPART, APR_SUCCESS, "%" APR_SIZE_T_FMT " bytes",
                           body.length);
    case GF_MULTIPART_ABSENT:
        return gf_err_field(req->ctx, GF_E_INVALID, "file", "is required");
    default:
        return (apr_int64_t)picture->length > limit
                   ? api_body_too_large(req, (apr_int64_t)picture->length, limit)
                   : NULL;
    }
}

static gf_err_t *read_picture(gf_bytes_t *picture, gf_req_t *req)
{
    const char *content_type = apr_table_get(req->r->headers_in, "Content-Type");
    const char *media_type = ap_field_noparam(req->r->pool, content_type ? content_type : "");

    if (ap_cstr_casecmp(media_type, "multipart/form-data") == 0) {
        return read_form(picture, req, content_type);
    }
    if (!gf_source_takes(media_type)) {
        return gf_err_make(req->ctx, GF_E_PICTURE_TYPE, APR_SUCCESS, "Content-Type %s", media_type);
    }
    return api_body_read(req, req->conf->asset_max, &picture->at, &picture->length);
}

gf_err_t *api_asset_check(gf_req_t *req, const char *field, const gf_image_t *image,
                          const void *bytes)
{
    return httpd_plugin_decodes(image, bytes, req->r->pool)
               ? NULL
               : gf_err_field(req->ctx, GF_E_SOURCE_URL, field,
                              "is damaged: the picture cannot be decoded to its end");
}

gf_err_t *api_asset_put(gf_req_t *req)
{
    apr_pool_t *pool = req->r->pool;
    gf_asset_t asset;
    gf_bytes_t picture;
    gf_image_t image;
    const char *wrong;
    const char *url;
    gf_out_t out;

    GF_TRY(read_picture(&picture, req));
    wrong = gf_source_probe(&image, req->ctx, picture.at, picture.length);
    if (wrong) {
        return gf_err_field(req->ctx, GF_E_SOURCE_URL, "file", wrong);
    }
    GF_TRY(api_asset_check(req, "file", &image, picture.at));
    picture.length = (apr_size_t)image.end; /* phones append bytes to their pictures */
    GF_TRY(gf_asset_put(&asset, req->ctx, req->user, &image,
                        apr_pencode_base64_binary(pool, (const unsigned char *)picture.at,
                                                  (apr_ssize_t)picture.length, APR_ENCODE_NONE,
                                                  NULL)));
    url =
        gf_source_shown(pool, gf_source_of_asset(pool, asset.id), req->base, gf_reply_site(req->r));
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "id", asset.id);
    gf_out_put_string(&out, "url", url);
    gf_out_put_int(&out, "width", asset.width);
    gf_out_put_int(&out, "height", asset.height);
    gf_out_put_int(&out, "bytes", (apr_int64_t)picture.length);
    gf_out_put_string(&out, "type", asset.type);
    gf_out_put_string(&out, "expiresAt", asset.expires_at);
    apr_table_setn(req->r->headers_out, "Location", url);
    return gf_reply_send(req, &out, HTTP_CREATED);
}

/* ---- GET, DELETE assets/{id} ---- */

static gf_err_t *no_asset(gf_req_t *req)
{
    return gf_err_make(req->ctx, GF_E_NO_ASSET, APR_SUCCESS, "no asset %s", req->args[0]);
}

static void send_bytes(request_rec *r, const gf_asset_t *asset, apr_pool_t *pool)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, alloc);

    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_pool_create((const char *)asset->bytes,
                                                            (apr_size_t)asset->size, pool, alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
    ap_pass_brigade(r->output_filters, brigade); /* the client has gone: no response */
}

static apr_status_t end_memory(void *pool)
{
    apr_pool_destroy(pool);
    return APR_SUCCESS;
}

/* The bytes are in memory of their own, which ends before the client has read them: they are in a
 * file by then. */
static gf_err_t *send_picture(gf_req_t *req, const gf_asset_t *asset)
{
    apr_pool_t *pool = req->r->pool;
    gf_ctx_t ctx = *req->ctx;
    gf_asset_t content;

    GF_TRY(api_large_begin(req, (apr_off_t)asset->size));
    ctx.pool = gf_memory_pool("genflow_asset");
    apr_pool_cleanup_register(pool, ctx.pool, end_memory, apr_pool_cleanup_null);
    GF_TRY(gf_asset_read(&content, &ctx, asset->id));
    if (!content.bytes) {
        return no_asset(req);
    }
    send_bytes(req->r, &content, ctx.pool);
    apr_pool_cleanup_run(pool, ctx.pool, end_memory);
    return NULL;
}

/* A browser revalidates its copy each time: the picture may be deleted, and a browser may change
 * users. */
gf_err_t *api_asset_get(gf_req_t *req)
{
    request_rec *r = req->r;
    gf_asset_t asset;
    int decided;

    if (!gf_text_is_uuid(req->args[0])) {
        return no_asset(req);
    }
    GF_TRY(gf_asset_get(&asset, req->ctx, req->user, req->args[0]));
    apr_table_setn(r->headers_out, "ETag", apr_pstrcat(r->pool, "\"", asset.sha256, "\"", NULL));
    apr_table_setn(r->headers_out, "Cache-Control", "private, no-cache");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    decided = ap_meets_conditions(r);
    if (decided != OK) {
        r->status = decided;
        return NULL;
    }
    ap_set_content_type(r, asset.type);
    ap_set_content_length(r, (apr_off_t)asset.size);
    ap_set_accept_ranges(r);
    return r->header_only ? NULL : send_picture(req, &asset);
}

gf_err_t *api_asset_delete(gf_req_t *req)
{
    gf_out_t out;

    if (!gf_text_is_uuid(req->args[0])) {
        return no_asset(req);
    }
    GF_TRY(gf_asset_delete(req->ctx, req->user, req->args[0]));
    gf_reply_begin(&out, req);
    gf_out_put_bool(&out, "deleted", true);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Source pictures that a front's request brings: as files of a form, data: URIs, addresses, or ids
 * of ours. Those that come as bytes become assets. */
#include "front/source.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "api/spec.h"
#include "db/asset.h"
#include "model/source.h"

static gf_err_t *refuse(gf_req_t *req, const char *field, const char *message)
{
    return gf_err_field(req->ctx, GF_E_SOURCE_URL, field, message);
}

static gf_err_t *store(front_sources_t *sources, gf_req_t *req, const char *field,
                       const gf_image_t *image, const void *bytes, const char *base64)
{
    gf_asset_t asset;

    GF_TRY(api_asset_check(req, field, image, bytes));
    GF_TRY(gf_asset_put(&asset, req->ctx, req->user, image, base64));
    APR_ARRAY_PUSH(sources->ids, const char *) = asset.id;
    return NULL;
}

front_sources_t *front_sources_make(gf_req_t *req)
{
    front_sources_t *sources = apr_pcalloc(req->r->pool, sizeof(*sources));

    sources->ids = apr_array_make(req->r->pool, 1, sizeof(const char *));
    return sources;
}

gf_err_t *front_sources_add_bytes(front_sources_t *sources, gf_req_t *req, const char *field,
                                  const gf_bytes_t *bytes)
{
    gf_image_t image;
    const char *wrong = gf_source_probe(&image, req->ctx, bytes->at, bytes->length);

    return wrong ? refuse(req, field, wrong)
                 : store(sources, req, field, &image, bytes->at,
                         apr_pencode_base64_binary(req->r->pool, (const unsigned char *)bytes->at,
                                                   (apr_ssize_t)image.end, APR_ENCODE_NONE, NULL));
}

gf_err_t *front_sources_add_text(front_sources_t *sources, gf_req_t *req, const char *field,
                                 const char *text)
{
    const gf_input_t input = { .ctx = req->ctx, .own = gf_reply_own(req) };
    gf_source_t source;
    const char *wrong = gf_source_read(&source, &input, field, text);

    if (wrong) {
        return refuse(req, field, wrong);
    }
    if (source.base64) {
        return store(sources, req, field, &source.image, source.bytes, source.base64);
    }
    if (source.asset_id) {
        APR_ARRAY_PUSH(sources->ids, const char *) = source.asset_id;
    }
    else if (sources->url) {
        return refuse(req, field,
                      "of several only one may be an address: send the others as files "
                      "or data: URIs");
    }
    else {
        sources->url = source.url;
    }
    return sources->url && sources->ids->nelts > 0
               ? refuse(req, field, "an address stands alone: send all as files or data: URIs")
               : NULL;
}

const char *front_sources_members(const front_sources_t *sources, apr_pool_t *pool)
{
    gf_out_t out;
    int i;

    if (!sources->url && sources->ids->nelts == 0) {
        return NULL;
    }
    gf_out_init(&out, pool, 256);
    if (sources->url) {
        gf_out_put_string(&out, "sourceUrl", sources->url);
        return out.text;
    }
    gf_out_key(&out, "sourceAssetIds");
    gf_out_open(&out, '[');
    for (i = 0; i < sources->ids->nelts; i++) {
        gf_out_string(&out, APR_ARRAY_IDX(sources->ids, i, const char *));
    }
    gf_out_close(&out, ']');
    return out.text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fal's storage: a client asks for an address, and puts the bytes there without its key. The
 * picture becomes an asset of the user who asked; the address of the picture is known before. */
#include "front/fal_route.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "api/spec.h"
#include "db/asset.h"
#include "model/realm.h"
#include "model/source.h"

#define ANY_TYPE "application/octet-stream" /* what clients send for bytes without a type */

/* ---- rest/storage/upload/initiate ---- */

/* A random UUID. */
static const char *draw_id(apr_pool_t *pool)
{
    const char *hex = gf_hash_random(pool, 16);

    return apr_psprintf(pool, "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17,
                        hex + 20);
}

/* NULL: without a secret of the site no one can distinguish our addresses from others. The one
 * before it may be known to receivers (GenflowWebhookShared), so it signs no address. */
static const char *secret_of(const gf_req_t *req)
{
    const gf_conf_t *conf = req->conf;

    return conf->webhook_shared ? NULL : conf->webhook_secret;
}

static gf_err_t *read_announcement(gf_req_t *req)
{
    gf_json_t *body;
    const char *text;
    const char *type = ANY_TYPE;
    apr_size_t length;

    GF_TRY(api_body_json(req, &body, &text, &length));
    gf_json_string(gf_json_get(body, "content_type"), &type);
    return gf_source_takes(type) || strcmp(type, ANY_TYPE) == 0
               ? NULL
               : gf_err_field(req->ctx, GF_E_INVALID, "content_type",
                              "must be image/png, image/jpeg or image/webp");
}

gf_err_t *front_fal_upload_begin(gf_req_t *req)
{
    apr_pool_t *pool = req->r->pool;
    const front_site_t *site = &front_call(req)->site;
    front_reply_t *reply = front_reply_make(pool, HTTP_OK);
    front_fal_link_t link = { .id = draw_id(pool),
                              .user = req->user,
                              .expires = apr_ltoa(pool, (long)apr_time_sec(req->r->request_time)
                                                            + FRONT_FAL_LINK_SECONDS) };
    const char *query = front_fal_link_query(&link, secret_of(req), pool);
    gf_out_t out;

    GF_TRY(read_announcement(req));
    if (!query) {
        return gf_err_make(req->ctx, GF_E_UPLOAD_CLOSED, APR_SUCCESS,
                           "GenflowWebhookSecret is not set, or GenflowWebhookShared is On");
    }
    gf_out_init(&out, pool, 512);
    gf_out_open(&out, '{');
    gf_out_put_string(
        &out, "upload_url",
        apr_pstrcat(pool, site->site, site->mount, "/upload/", link.id, "?", query, NULL));
    gf_out_put_string(&out, "file_url",
                      apr_pstrcat(pool, site->site, site->base, "/assets/", link.id, NULL));
    gf_out_close(&out, '}');
    reply->text = out.text;
    return front_send(req, reply);
}

gf_err_t *front_fal_upload_refuse(gf_req_t *req)
{
    gf_err_t *err = gf_err_make(req->ctx, GF_E_BODY_TOO_LARGE, APR_SUCCESS, "an upload in parts");

    err->text = apr_psprintf(req->r->pool,
                             "Uploads in parts (files over 90 MB) are not taken here: a picture "
                             "may have at most %" APR_INT64_T_FMT " bytes",
                             req->conf->asset_max);
    return err;
}

/* ---- upload/{id} ---- */

static gf_err_t *check_link(gf_req_t *req)
{
    const char *signature = api_body_query(req, "signature");
    front_fal_link_t link = { .id = req->args[0],
                              .user = gf_realm_identity(req->conf, api_body_query(req, "user"),
                                                        req->r->pool),
                              .expires = api_body_query(req, "expires") };
    apr_time_t now = req->r->request_time;

    if (!signature || !link.user || !gf_realm_is(req->conf, link.user) || !link.expires
        || !secret_of(req)
        || !front_fal_link_is_good(&link, signature, secret_of(req), now, req->r->pool)) {
        return gf_err_make(req->ctx, GF_E_UPLOAD_URL, APR_SUCCESS, "upload %s", req->args[0]);
    }
    req->user = link.user;
    return NULL;
}

/* By the bytes, whatever their announced type. */
gf_err_t *front_fal_upload_put(gf_req_t *req)
{
    front_reply_t *reply = front_reply_make(req->r->pool, HTTP_OK);
    gf_asset_t asset;
    gf_bytes_t picture;
    gf_image_t image;
    const char *wrong;

    GF_TRY(check_link(req));
    GF_TRY(api_limit(req, false));
    GF_TRY(api_body_read(req, req->conf->asset_max, &picture.at, &picture.length));
    wrong = gf_source_probe(&image, req->ctx, picture.at, picture.length);
    if (wrong) {
        return gf_err_field(req->ctx, GF_E_SOURCE_URL, "file", wrong);
    }
    GF_TRY(api_asset_check(req, "file", &image, picture.at));
    GF_TRY(
        gf_asset_upload(&asset, req->ctx, req->user, req->args[0], &image,
                        apr_pencode_base64_binary(req->r->pool, (const unsigned char *)picture.at,
                                                  (apr_ssize_t)image.end, APR_ENCODE_NONE, NULL)));
    reply->text = "{}";
    return front_send(req, reply);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Files of Replicate's front: our uploaded source pictures (api/asset.c). */
#include "front/replicate_route.h"

#include <string.h>

#include "base/text.h"
#include "db/asset.h"
#include "front/source.h"

#define CONTENT   "content" /* the part with the bytes; the other one is `metadata` */
#define FORM_ROOM 65536     /* what a form may have around its picture */

static gf_err_t *no_file(gf_req_t *req)
{
    gf_err_t *err = gf_err_make(req->ctx, GF_E_NO_ASSET, APR_SUCCESS, "no file");

    err->text = "There is no such file; it may have expired";
    return err;
}

static gf_err_t *send_file(gf_req_t *req, int status, const char *id)
{
    gf_asset_t asset;
    gf_err_t *err = gf_asset_get(&asset, req->ctx, req->user, id);
    gf_out_t out;

    if (gf_err_is(err, GF_E_NO_ASSET) || gf_err_is(err, GF_E_NOT_YOURS)) {
        return no_file(req);
    }
    if (err) {
        return err;
    }
    gf_out_init(&out, req->r->pool, 512);
    replicate_file_write(&out, &asset, replicate_mount(req));
    return replicate_send(req, status, out.text);
}

gf_err_t *replicate_file_create(gf_req_t *req)
{
    apr_int64_t limit = req->conf->asset_max;
    front_sources_t *sources = front_sources_make(req);
    apr_array_header_t *parts;
    int i;

    GF_TRY(front_form_read(&parts, req, limit + FORM_ROOM));
    for (i = 0; i < parts->nelts; i++) {
        const gf_part_t *part = &APR_ARRAY_IDX(parts, i, gf_part_t);

        if (strcmp(part->name, CONTENT) == 0) {
            if ((apr_int64_t)part->bytes.length > limit) {
                return api_body_too_large(req, (apr_int64_t)part->bytes.length, limit);
            }
            GF_TRY(front_sources_add_bytes(sources, req, CONTENT, &part->bytes));
            return send_file(req, HTTP_CREATED, APR_ARRAY_IDX(sources->ids, 0, const char *));
        }
    }
    return gf_err_add_field(NULL, req->ctx, CONTENT, true, "is required");
}

gf_err_t *replicate_file_get(gf_req_t *req)
{
    return gf_text_is_uuid(req->args[0]) ? send_file(req, HTTP_OK, req->args[0]) : no_file(req);
}

gf_err_t *replicate_file_delete(gf_req_t *req)
{
    gf_err_t *err = gf_text_is_uuid(req->args[0])
                        ? gf_asset_delete(req->ctx, req->user, req->args[0])
                        : no_file(req);

    if (gf_err_is(err, GF_E_NO_ASSET) || gf_err_is(err, GF_E_NOT_YOURS)) {
        return no_file(req);
    }
    return err ? err : replicate_send(req, HTTP_NO_CONTENT, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of all fronts read of a request: its model, its form, the generation it names.
 */
#include "front/front.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "db/queue.h"
#include "db/steer.h"
#include "httpd/dir.h"
#include "httpd/models.h"

const apr_array_header_t *front_models(const gf_req_t *req)
{
    const apr_array_header_t *models = httpd_conf_dir(req->r)->models;

    return models ? models : apr_array_make(req->r->pool, 1, sizeof(gf_model_t *));
}

gf_err_t *front_model(const gf_model_t **model, gf_req_t *req, const char *name)
{
    gf_err_t *err;

    *model = name ? httpd_models_find(front_models(req), name) : NULL;
    if (*model) {
        req->type = (*model)->type;
        return NULL;
    }
    err = gf_err_make(req->ctx, GF_E_NO_MODEL, APR_SUCCESS, "no GenflowModel of that name");
    name = name && gf_text_utf8(name, strlen(name)) == strlen(name) ? name : "";
    err->text = apr_pstrcat(req->r->pool, "The model '", name, "' does not exist", NULL);
    return err;
}

gf_err_t *front_view(gf_view_t *view, gf_req_t *req, const char *id)
{
    gf_find_t find = { .id = NULL };
    gf_err_t *err;

    GF_TRY(gf_steer_find(&find.id, &req->type, req->ctx, id));
    err = gf_queue_get(view, req->ctx, req->type, req->user, &find);
    return gf_err_is(err, GF_E_NOT_YOURS)
               ? gf_err_make(req->ctx, GF_E_NO_GENERATION, APR_SUCCESS, "%s of another user", id)
               : err;
}

gf_err_t *front_form_read(apr_array_header_t **parts, gf_req_t *req, apr_int64_t limit)
{
    const char *type = apr_table_get(req->r->headers_in, "Content-Type");
    const char *boundary = type ? gf_multipart_boundary(req->r->pool, type) : NULL;
    gf_bytes_t body;

    if (!boundary) {
        return gf_err_make(req->ctx, GF_E_BAD_MULTIPART, APR_SUCCESS, "no boundary");
    }
    GF_TRY(api_body_read(req, limit, &body.at, &body.length));
    *parts = gf_multipart_parts(req->r->pool, boundary, &body);
    return *parts ? NULL
                  : gf_err_make(req->ctx, GF_E_BAD_MULTIPART, APR_SUCCESS,
                                "%" APR_SIZE_T_FMT " bytes", body.length);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* SetHandler genflow-fal: its addresses, and those of requests that are in the queue. A proxied
 * request comes to the <Location> itself and names the address that it means in x-fal-target-url:
 * it is served as if it had come there, and nothing is forwarded. */
#include "front/fal_route.h"

#include <string.h>

#include <apr_strings.h>

#include "httpd/glue.h"

#define TARGET  "x-fal-target-url"
#define REQUEST "queue/{owner}/{app}/requests/{id}"

/* ---- the address ---- */

static gf_err_t *target_address(const char **path, gf_req_t *req)
{
    const char *target = apr_table_get(req->r->headers_in, TARGET);
    const char *query;
    const char *wrong;

    if (!target || **path) {
        return NULL;
    }
    wrong = front_fal_target(path, &query, target, req->r->pool);
    if (wrong) {
        return gf_err_field(req->ctx, GF_E_INVALID, TARGET, wrong);
    }
    req->r->args = query ? apr_pstrdup(req->r->pool, query) : NULL;
    return NULL;
}

/* ---- which request of the queue ---- */

/* Does the model's name begin with owner/app? */
static bool is_of_app(const char *model, const char *app)
{
    apr_size_t length = strlen(app);

    return strncmp(model, app, length) == 0 && (model[length] == '\0' || model[length] == '/');
}

/* Is the generation one of that app? The row names its model; one that was not requested here
 * belongs to the models of its type. */
static bool is_known(front_fal_request_t *request, gf_req_t *req, const gf_view_t *view)
{
    const apr_array_header_t *models = front_models(req);
    gf_output_t output;
    int i;

    if (gf_output_read(&output, req->ctx, view)) {
        request->is_one = output.is_one;
        return is_of_app(output.model, request->app);
    }
    for (i = 0; i < models->nelts; i++) {
        const gf_model_t *model = APR_ARRAY_IDX(models, i, const gf_model_t *);

        if (model->type == view->type && is_of_app(model->name, request->app)) {
            request->is_one = model->is_one;
            return true;
        }
    }
    return false;
}

static gf_err_t *no_request(gf_req_t *req)
{
    return gf_err_make(req->ctx, GF_E_NO_GENERATION, APR_SUCCESS, "no request %s of %s/%s",
                       req->args[2], req->args[0], req->args[1]);
}

gf_err_t *front_fal_request_read(front_fal_request_t *request, gf_req_t *req)
{
    apr_pool_t *pool = req->r->pool;
    gf_view_t *views = apr_pcalloc(pool, FRONT_FAL_IMAGES_MAX * sizeof(*views));
    char *rest;
    char *id = apr_strtok(apr_pstrdup(pool, req->args[2]), FRONT_FAL_ID_JOIN, &rest);

    memset(request, 0, sizeof(*request));
    request->app = apr_pstrcat(pool, req->args[0], "/", req->args[1], NULL);
    request->site = &front_call(req)->site;
    request->views = views;
    request->logs = api_body_switch(req, "logs");
    for (; id; id = apr_strtok(NULL, FRONT_FAL_ID_JOIN, &rest)) {
        if (request->count == FRONT_FAL_IMAGES_MAX) {
            return no_request(req);
        }
        GF_TRY(front_view(&views[request->count], req, id));
        if (!is_known(request, req, &views[request->count])) {
            return no_request(req);
        }
        request->count++;
    }
    return request->count > 0 ? NULL : no_request(req);
}

/* ---- status, result, cancel ---- */

static gf_err_t *status(gf_req_t *req)
{
    front_fal_request_t request;

    GF_TRY(front_fal_request_read(&request, req));
    return front_send(req, front_fal_status(&request, req->ctx));
}

static gf_err_t *result(gf_req_t *req)
{
    front_fal_request_t request;

    GF_TRY(front_fal_request_read(&request, req));
    return front_send(req, front_fal_result(&request, req->ctx));
}

/* Of several the ones that still live. */
static gf_err_t *cancel_all(bool *cancelled, gf_req_t *req, const front_fal_request_t *request)
{
    int i;

    for (*cancelled = false, i = 0; i < request->count; i++) {
        gf_err_t *err;

        req->type = request->views[i].type;
        err = api_generation_stop(req, request->views[i].id);
        if (err && !gf_err_is(err, GF_E_STATUS)) {
            return err;
        }
        *cancelled = *cancelled || !err;
    }
    return NULL;
}

static gf_err_t *cancel(gf_req_t *req)
{
    const char *id = req->args[2];
    front_fal_request_t request;
    bool cancelled;
    gf_err_t *err = front_fal_request_read(&request, req);

    if (gf_err_is(err, GF_E_NO_GENERATION)) {
        /* what stands in the address may be anything, and the reply's id is a header */
        return front_send(
            req, front_fal_not_cancelled(httpd_glue_request_id(req->r), false, req->r->pool));
    }
    GF_TRY(err);
    GF_TRY(cancel_all(&cancelled, req, &request));
    return front_send(req, cancelled ? front_fal_cancelled(id, req->r->pool)
                                     : front_fal_not_cancelled(id, true, req->r->pool));
}

/* ---- the front ---- */

static const api_route_t routes[] = {
    { API_GET, REQUEST, result, 0, NULL },
    { API_GET, REQUEST "/status", status, 0, NULL },
    { API_GET, REQUEST "/status/stream", front_fal_stream, 0, NULL },
    { API_PUT, REQUEST "/cancel", cancel, 0, NULL },
    { API_POST, "queue/{model+}", front_fal_submit, API_COSTS, NULL },
    { API_POST, "run/{model+}", front_fal_run, API_COSTS, NULL },
    { API_POST, "rest/storage/upload/initiate", front_fal_upload_begin, API_COSTS, NULL },
    { API_POST, "rest/storage/upload/initiate-multipart", front_fal_upload_refuse, 0, NULL },
    { API_PUT, "upload/{id}", front_fal_upload_put, API_ANYONE, NULL },
    { API_GET, "assets/{id}", api_asset_get, 0, NULL },
};

const front_t front_fal = { .name = "fal",
                            .routes = routes,
                            .count = sizeof(routes) / sizeof(routes[0]),
                            .error = front_fal_error,
                            .address = target_address,
                            .id_header = FRONT_FAL_REQUEST_ID };

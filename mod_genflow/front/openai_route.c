/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of OpenAI's images API. Translation is in front/openai.c. */
#include "front/front.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>

#include "front/openai.h"
#include "front/openai_image.h"
#include "front/source.h"
#include "httpd/dir.h"

#define FORM_ROOM 65536 /* what a form may have around its pictures */
#define RETRY     "x-stainless-retry-count"

/* ---- pictures ---- */

static gf_err_t *find_model(const gf_model_t **model, gf_req_t *req, const char *name)
{
    const apr_array_header_t *models = front_models(req);

    if (name || models->nelts == 0) {
        return front_model(model, req, name);
    }
    *model = APR_ARRAY_IDX(models, 0, const gf_model_t *);
    req->type = (*model)->type;
    return NULL;
}

/* The source pictures, once the rest of the request is good. */
static gf_err_t *read_sources(const char **members, gf_req_t *req, const front_openai_t *ask)
{
    front_sources_t *sources = front_sources_make(req);
    int i;

    for (i = 0; i < ask->pictures->nelts; i++) {
        const front_picture_t *picture = &APR_ARRAY_IDX(ask->pictures, i, front_picture_t);

        GF_TRY(picture->text ? front_sources_add_text(sources, req, "image", picture->text)
                             : front_sources_add_bytes(sources, req, "image", &picture->bytes));
    }
    *members = front_sources_members(sources, req->r->pool);
    return NULL;
}

static gf_err_t *create(gf_req_t *req, front_openai_call_t *call, const char *route)
{
    const char *retry = apr_table_get(req->r->headers_in, RETRY);
    front_create_t *create = &call->create;
    const char *sources;

    GF_TRY(find_model(&create->model, req, call->ask.model));
    GF_TRY(front_openai_body(&create->body, &call->shown, req->ctx, &call->ask, req->type, NULL));
    GF_TRY(read_sources(&sources, req, &call->ask));
    GF_TRY(
        front_openai_body(&create->body, &call->shown, req->ctx, &call->ask, req->type, sources));
    create->route = route;
    create->marks_retries = retry != NULL;
    create->is_retry = retry && strcmp(retry, "0") != 0;
    create->wait = req->conf->front_wait;
    create->must_wait = true;
    create->is_stream = call->ask.is_stream;
    create->answer = call->ask.is_stream ? front_openai_stream : front_openai_answer;
    return front_create(req, create);
}

static front_openai_call_t *make_call(gf_req_t *req, bool is_edit)
{
    front_openai_call_t *call = apr_pcalloc(req->r->pool, sizeof(*call));

    call->ask.is_edit = is_edit;
    call->ask.lenient = httpd_conf_lenient(req->r);
    return call;
}

static gf_err_t *read_json(front_openai_t *ask, gf_req_t *req)
{
    gf_json_t *body;
    const char *text;
    apr_size_t length;

    GF_TRY(api_body_json(req, &body, &text, &length));
    return front_openai_read(ask, req->ctx, body);
}

static gf_err_t *generations(gf_req_t *req)
{
    front_openai_call_t *call = make_call(req, false);

    GF_TRY(read_json(&call->ask, req));
    return create(req, call, "images/generations");
}

static gf_err_t *edits(gf_req_t *req)
{
    const char *type = apr_table_get(req->r->headers_in, "Content-Type");
    front_openai_call_t *call = make_call(req, true);
    apr_array_header_t *parts;

    if (type && strncasecmp(type, "multipart/", strlen("multipart/")) == 0) {
        GF_TRY(front_form_read(&parts, req, req->conf->asset_total + FORM_ROOM));
        GF_TRY(front_openai_read_form(&call->ask, req->ctx, parts));
    }
    else {
        GF_TRY(read_json(&call->ask, req));
    }
    return create(req, call, "images/edits");
}

/* ---- models ---- */

static gf_err_t *list_models(gf_req_t *req)
{
    front_reply_t *reply = front_reply_make(req->r->pool, HTTP_OK);
    const apr_array_header_t *models = front_models(req);
    gf_out_t out;
    int i;

    gf_out_init(&out, req->r->pool, 1024);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "object", "list");
    gf_out_key(&out, "data");
    gf_out_open(&out, '[');
    for (i = 0; i < models->nelts; i++) {
        front_openai_model(&out, APR_ARRAY_IDX(models, i, const gf_model_t *));
    }
    gf_out_close(&out, ']');
    gf_out_close(&out, '}');
    reply->text = out.text;
    return front_send(req, reply);
}

static gf_err_t *get_model(gf_req_t *req)
{
    front_reply_t *reply = front_reply_make(req->r->pool, HTTP_OK);
    const gf_model_t *model;
    gf_out_t out;

    GF_TRY(front_model(&model, req, req->args[0]));
    gf_out_init(&out, req->r->pool, 256);
    front_openai_model(&out, model);
    reply->text = out.text;
    return front_send(req, reply);
}

/* ---- the front ---- */

static const api_route_t routes[] = {
    { API_POST, "images/generations", generations, API_COSTS, NULL },
    { API_POST, "images/edits", edits, API_COSTS, NULL },
    { API_GET, "models", list_models, 0, NULL },
    { API_GET, "models/{model+}", get_model, 0, NULL },
};

const front_t front_openai = { .name = "openai",
                               .routes = routes,
                               .count = sizeof(routes) / sizeof(routes[0]),
                               .error = front_openai_error,
                               .id_header = "x-request-id" };

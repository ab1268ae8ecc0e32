/* SPDX-License-Identifier: Apache-2.0 */
/* Replicate's front: its addresses, and those that need no generation. */
#include "front/replicate_route.h"

#include <string.h>

#include <apr_strings.h>

#include "model/realm.h"
#include "model/webhook.h"

const char *replicate_mount(const gf_req_t *req)
{
    const front_site_t *site = &front_call(req)->site;

    return apr_pstrcat(req->r->pool, site->site, site->mount, NULL);
}

gf_err_t *replicate_send(gf_req_t *req, int status, const char *text)
{
    front_reply_t *reply = front_reply_make(req->r->pool, status);

    reply->text = text;
    return front_send(req, reply);
}

/* ---- models ---- */

static const gf_model_t *model_at(const apr_array_header_t *models, int i)
{
    return APR_ARRAY_IDX(models, i, const gf_model_t *);
}

gf_err_t *replicate_model(const gf_model_t **model, gf_req_t *req, const char *name)
{
    const apr_array_header_t *models = front_models(req);
    gf_err_t *err = front_model(model, req, name);
    int i;

    for (i = 0; err && i < models->nelts; i++) {
        if (replicate_is_named(model_at(models, i)->name, name)) {
            return front_model(model, req, model_at(models, i)->name);
        }
    }
    return err;
}

static void write_model(gf_out_t *out, const gf_req_t *req, const gf_model_t *model)
{
    const char *slash = strchr(model->name, '/');
    const char *name;
    const char *version = replicate_version(&name, model->name, out->pool);

    gf_out_open(out, '{');
    gf_out_put_string(out, "url",
                      apr_pstrcat(out->pool, replicate_mount(req), "/models/", name, NULL));
    gf_out_put_string(out, "owner",
                      slash ? apr_pstrmemdup(out->pool, name, (apr_size_t)(slash - model->name))
                            : "");
    gf_out_put_string(out, "name", slash ? name + (slash - model->name) + 1 : name);
    gf_out_put_string(out, "description", NULL);
    gf_out_put_string(out, "visibility", "public");
    gf_out_put_string(out, "github_url", NULL);
    gf_out_put_string(out, "paper_url", NULL);
    gf_out_put_string(out, "license_url", NULL);
    gf_out_put_int(out, "run_count", 0);
    gf_out_put_string(out, "cover_image_url", NULL);
    gf_out_put_raw(out, "default_example", NULL);
    gf_out_key(out, "latest_version");
    if (version) {
        gf_out_open(out, '{');
        gf_out_put_string(out, "id", version);
        gf_out_close(out, '}');
    }
    else {
        gf_out_raw(out, NULL);
    }
    gf_out_close(out, '}');
}

static gf_err_t *model_get(gf_req_t *req)
{
    const char *name = apr_pstrcat(req->r->pool, req->args[0], "/", req->args[1], NULL);
    const gf_model_t *model;
    gf_out_t out;

    GF_TRY(replicate_model(&model, req, name));
    gf_out_init(&out, req->r->pool, 512);
    write_model(&out, req, model);
    return replicate_send(req, HTTP_OK, out.text);
}

static gf_err_t *model_list(gf_req_t *req)
{
    const apr_array_header_t *models = front_models(req);
    gf_out_t out;
    int i;

    gf_out_init(&out, req->r->pool, 2048);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "previous", NULL);
    gf_out_put_string(&out, "next", NULL);
    gf_out_key(&out, "results");
    gf_out_open(&out, '[');
    for (i = 0; i < models->nelts; i++) {
        write_model(&out, req, model_at(models, i));
    }
    gf_out_close(&out, ']');
    gf_out_close(&out, '}');
    return replicate_send(req, HTTP_OK, out.text);
}

/* ---- the caller ---- */

static gf_err_t *account(gf_req_t *req)
{
    gf_out_t out;

    gf_out_init(&out, req->r->pool, 256);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "type", "user");
    gf_out_put_string(&out, "username", gf_realm_name(req->user));
    gf_out_put_string(&out, "name", gf_realm_name(req->user));
    gf_out_put_string(&out, "github_url", NULL);
    gf_out_close(&out, '}');
    return replicate_send(req, HTTP_OK, out.text);
}

/* As api/webhook.c: a secret that all users share is the site's to give. */
static gf_err_t *webhook_secret(gf_req_t *req)
{
    const char *now;
    const char *old;
    gf_out_t out;

    gf_webhook_secrets(&now, &old, req->ctx, req->user);
    if (!now || req->conf->webhook_shared) {
        return gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "%s",
                           now ? "GenflowWebhookShared is On: the site gives its one secret itself"
                               : "this server has no GenflowWebhookSecret");
    }
    gf_out_init(&out, req->r->pool, 128);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "key", now);
    gf_out_close(&out, '}');
    return replicate_send(req, HTTP_OK, out.text);
}

/* ---- the front ---- */

static const api_route_t routes[] = {
    { API_POST, "predictions", replicate_prediction_create, API_COSTS, NULL },
    { API_POST, "models/{owner}/{name}/predictions", replicate_prediction_create_by_model,
      API_COSTS, NULL },
    { API_POST, "deployments/{owner}/{name}/predictions", replicate_prediction_create_by_model,
      API_COSTS, NULL },
    { API_GET, "predictions", replicate_prediction_list, 0, NULL },
    { API_GET, "predictions/{id}", replicate_prediction_get, 0, NULL },
    { API_POST, "predictions/{id}/cancel", replicate_prediction_cancel, 0, NULL },
    { API_GET, "stream/{id}", replicate_stream, API_ANYONE, NULL },
    { API_GET, "models", model_list, 0, NULL },
    { API_GET, "models/{owner}/{name}", model_get, 0, NULL },
    { API_GET, "account", account, 0, NULL },
    { API_GET, "webhooks/default/secret", webhook_secret, API_WRITES, NULL },
    { API_POST, "files", replicate_file_create, API_COSTS, NULL },
    { API_GET, "files/{id}", replicate_file_get, 0, NULL },
    { API_DELETE, "files/{id}", replicate_file_delete, 0, NULL },
};

const front_t front_replicate = { .name = "replicate",
                                  .routes = routes,
                                  .count = sizeof(routes) / sizeof(routes[0]),
                                  .error = replicate_error,
                                  .id_header = "X-Request-Id" };

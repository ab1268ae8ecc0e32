/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions of Replicate's front: create, get, cancel, list. A prediction is a generation. */
#include "front/replicate_route.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "db/prediction.h"
#include "db/steer.h"
#include "front/source.h"

#define PAGE   100
#define ASSETS "/assets/" /* what the addresses of gf_reply_own() end with, behind the base */

/* ---- writing ---- */

/* The prediction that a view is a generation of, as this client finds it. */
static gf_prediction_t prediction_of(gf_req_t *req, const gf_view_t *view)
{
    gf_prediction_t prediction = { .model = NULL };

    gf_prediction_read(&prediction, req->ctx, view);
    prediction.mount = replicate_mount(req);
    return prediction;
}

static void write_prediction(gf_out_t *out, gf_req_t *req, const gf_view_t *views, int count,
                             bool created)
{
    gf_prediction_t prediction = prediction_of(req, views);

    gf_prediction_write(out, req->ctx, &prediction, views, count, front_call(req)->site.site,
                        replicate_link_url(req, views->id), created);
}

static gf_err_t *send_prediction(gf_req_t *req, const gf_view_t *views, int count, int status)
{
    gf_out_t out;

    gf_out_init(&out, req->r->pool, 2048);
    write_prediction(&out, req, views, count, status == HTTP_CREATED);
    return replicate_send(req, status, out.text);
}

gf_err_t *replicate_prediction_find(gf_view_t *views, int *count, gf_req_t *req, const char *id)
{
    gf_prediction_t prediction;
    gf_view_t view;

    GF_TRY(front_view(&view, req, id));
    prediction = prediction_of(req, &view);
    return gf_prediction_views(views, count, req->ctx, &prediction, &view);
}

/* ---- source pictures ---- */

/* Scheme and host of all addresses of this site, and "" for relative ones. */
static const char *const *hosts_of(gf_req_t *req)
{
    const char *const *own = gf_reply_own(req);
    apr_size_t tail = strlen(req->base) + strlen(ASSETS);
    apr_array_header_t *hosts = apr_array_make(req->r->pool, 10, sizeof(const char *));

    for (; *own; own++) {
        apr_size_t length = strlen(*own);

        APR_ARRAY_PUSH(hosts, const char *) =
            apr_pstrmemdup(req->r->pool, *own, length > tail ? length - tail : 0);
    }
    APR_ARRAY_PUSH(hosts, const char *) = NULL;
    return (const char *const *)hosts->elts;
}

/* The pictures as members of our body. Addresses of files of ours are recognised, and never
 * fetched. */
static gf_err_t *read_sources(const char **members, gf_req_t *req, const apr_array_header_t *named)
{
    front_sources_t *sources = front_sources_make(req);
    const char *const *hosts = hosts_of(req);
    int i;

    for (i = 0; i < named->nelts; i++) {
        const replicate_source_t *source = &APR_ARRAY_IDX(named, i, replicate_source_t);
        const char *id =
            replicate_file_id(source->text, front_call(req)->site.mount, hosts, req->r->pool);

        if (id && !gf_text_is_uuid(id)) {
            return gf_err_field(req->ctx, GF_E_SOURCE_URL, source->field,
                                "names no file that is there; it may have expired");
        }
        GF_TRY(front_sources_add_text(sources, req, source->field, id ? id : source->text));
    }
    *members = front_sources_members(sources, req->r->pool);
    return NULL;
}

/* ---- create ---- */

static gf_err_t *answer_created(gf_req_t *req, const gf_view_t *views, int count)
{
    return send_prediction(req, views, count, HTTP_CREATED);
}

/* A file of another user is as one that is not there. */
static gf_err_t *without_owner(gf_req_t *req, gf_err_t *err)
{
    return gf_err_is(err, GF_E_NOT_YOURS)
               ? gf_err_field(req->ctx, GF_E_SOURCE_URL, "image",
                              "names no file that is there; it may have expired")
               : err;
}

static gf_err_t *create(gf_req_t *req, const gf_model_t *model, replicate_request_t *request)
{
    front_create_t *create = apr_pcalloc(req->r->pool, sizeof(*create));
    gf_prediction_t prediction = { .mount = replicate_mount(req),
                                   .count = request->count,
                                   .is_one = model->is_one,
                                   .on_start = request->on_start,
                                   .on_end = request->on_end };
    const char *sources = NULL;

    prediction.version = replicate_version(&prediction.model, model->name, req->r->pool);
    GF_TRY(read_sources(&sources, req, request->sources));
    create->model = model;
    create->body = replicate_body(request, &prediction, sources, req->r->pool);
    create->route = "predictions";
    create->wait = replicate_wait(apr_table_get(req->r->headers_in, "Prefer"), req->r->pool);
    create->names_batch = true; /* gf_prediction_nth() */
    create->answer = answer_created;
    return without_owner(req, front_create(req, create));
}

gf_err_t *replicate_prediction_create(gf_req_t *req)
{
    replicate_request_t request;
    const gf_model_t *model;
    gf_json_t *body;
    const char *text;
    apr_size_t length;

    GF_TRY(api_body_json(req, &body, &text, &length));
    GF_TRY(replicate_request_read(&request, req->ctx, body));
    if (!request.version) {
        return gf_err_add_field(NULL, req->ctx, "version", true, "is required");
    }
    GF_TRY(replicate_model(&model, req, request.version));
    return create(req, model, &request);
}

gf_err_t *replicate_prediction_create_by_model(gf_req_t *req)
{
    const char *name = apr_pstrcat(req->r->pool, req->args[0], "/", req->args[1], NULL);
    replicate_request_t request;
    const gf_model_t *model;
    gf_json_t *body;
    const char *text;
    apr_size_t length;

    GF_TRY(replicate_model(&model, req, name));
    GF_TRY(api_body_json(req, &body, &text, &length));
    GF_TRY(replicate_request_read(&request, req->ctx, body));
    return create(req, model, &request);
}

/* ---- get, cancel, list ---- */

gf_err_t *replicate_prediction_get(gf_req_t *req)
{
    gf_view_t views[GF_BATCH_MAX];
    int count;

    GF_TRY(replicate_prediction_find(views, &count, req, req->args[0]));
    return send_prediction(req, views, count, HTTP_OK);
}

/* What has ended stays as it is. */
gf_err_t *replicate_prediction_cancel(gf_req_t *req)
{
    gf_view_t views[GF_BATCH_MAX];
    int count;
    int i;

    GF_TRY(replicate_prediction_find(views, &count, req, req->args[0]));
    for (i = 0; i < count; i++) {
        gf_err_t *err = gf_view_ended(&views[i]) ? NULL : api_generation_stop(req, views[i].id);

        if (err && !gf_err_is(err, GF_E_STATUS)) {
            return err;
        }
    }
    GF_TRY(replicate_prediction_find(views, &count, req, req->args[0]));
    return send_prediction(req, views, count, HTTP_OK);
}

static gf_err_t *read_page(gf_page_t *page, gf_req_t *req)
{
    const char *cursor = api_body_query(req, "cursor");

    memset(page, 0, sizeof(*page));
    page->user = req->user;
    page->limit = PAGE;
    if (cursor && !api_history_read_cursor(page, req->r->pool, cursor)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "cursor", "must be one of `next`");
    }
    return gf_steer_history(page, req->ctx);
}

/* One for each generation but the later ones of a prediction, which stands where its first one is.
 */
static gf_err_t *write_page(gf_out_t *out, gf_req_t *req, const gf_page_t *page)
{
    int i;

    for (i = 0; i < page->items->nelts; i++) {
        const gf_view_t *view = &APR_ARRAY_IDX(page->items, i, gf_view_t);
        gf_prediction_t prediction = prediction_of(req, view);
        gf_view_t views[GF_BATCH_MAX];
        int count;

        GF_TRY(gf_prediction_views(views, &count, req->ctx, &prediction, view));
        if (strcmp(views->id, view->id) == 0) {
            write_prediction(out, req, views, count, false);
        }
    }
    return NULL;
}

gf_err_t *replicate_prediction_list(gf_req_t *req)
{
    const char *next;
    gf_page_t page;
    gf_out_t out;

    GF_TRY(read_page(&page, req));
    next = api_history_cursor(req->r->pool, &page);
    if (next) {
        next = apr_pstrcat(req->r->pool, replicate_mount(req), "/predictions?cursor=", next, NULL);
    }
    gf_out_init(&out, req->r->pool, 8192);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "previous", NULL);
    gf_out_put_string(&out, "next", next);
    gf_out_key(&out, "results");
    gf_out_open(&out, '[');
    GF_TRY(write_page(&out, req, &page));
    gf_out_close(&out, ']');
    gf_out_close(&out, '}');
    return replicate_send(req, HTTP_OK, out.text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Submissions of fal's clients: into the queue, which answers at once, or as a run, which waits. */
#include "front/fal_route.h"

#include <string.h>

#include <apr_strings.h>

#include "front/source.h"

#define STREAM  "/stream"
#define WEBHOOK "fal_webhook"
#define TIMEOUT "x-fal-request-timeout"

/* Of one submission: front_create() has its first member. */
typedef struct submission_t {
    front_create_t create;
    const char *app;
    bool is_stream;
} submission_t;

/* ---- answers ---- */

static front_fal_request_t request_of(gf_req_t *req, const gf_view_t *views, int count)
{
    const submission_t *submission = (const submission_t *)front_call(req)->create;
    front_fal_request_t request = { .app = submission->app,
                                    .views = views,
                                    .count = count,
                                    .is_one = submission->create.model->is_one,
                                    .site = &front_call(req)->site };

    return request;
}

static gf_err_t *answer_queued(gf_req_t *req, const gf_view_t *views, int count)
{
    front_fal_request_t request = request_of(req, views, count);

    return front_send(req, front_fal_queued(&request, req->ctx));
}

/* A failure cost nothing: nobody has to find it later. */
static gf_err_t *answer_run(gf_req_t *req, const gf_view_t *views, int count)
{
    const submission_t *submission = (const submission_t *)front_call(req)->create;
    front_fal_request_t request = request_of(req, views, count);
    front_reply_t *reply = submission->is_stream ? front_fal_result_event(&request, req->ctx)
                                                 : front_fal_result(&request, req->ctx);

    if (reply->status != HTTP_OK) {
        front_call(req)->count = 0;
    }
    return front_send(req, reply);
}

/* None of them has begun in the time that the client gave: they are cancelled. If one begins just
 * now, the client's next equal request gets it. */
static gf_err_t *answer_unstarted(gf_req_t *req, const gf_view_t *views, int count)
{
    front_fal_request_t request = request_of(req, views, count);
    bool goes_on = false;
    int i;

    for (i = 0; i < count; i++) {
        gf_err_t *err = api_generation_stop(req, views[i].id);

        if (err && !gf_err_is(err, GF_E_STATUS)) {
            return err;
        }
        goes_on = goes_on || err;
    }
    if (goes_on) {
        front_lost(req);
    }
    front_call(req)->count = 0;
    return front_send(
        req, front_fal_timed_out(front_fal_request_id(&request, req->r->pool), req->r->pool));
}

/* ---- the request ---- */

/* owner/app of a model's name; NULL: it has no two pieces. */
static const char *app_of(const char *name, apr_pool_t *pool)
{
    const char *slash = strchr(name, '/');

    return slash ? apr_pstrmemdup(pool, name,
                                  (apr_size_t)(slash - name) + 1 + strcspn(slash + 1, "/"))
                 : NULL;
}

static gf_err_t *read_sources(const char **members, gf_req_t *req, const front_fal_input_t *input)
{
    front_sources_t *sources = front_sources_make(req);
    int i;

    for (i = 0; i < input->pictures->nelts; i++) {
        GF_TRY(front_sources_add_text(sources, req, input->pictures_name,
                                      APR_ARRAY_IDX(input->pictures, i, const char *)));
    }
    *members = front_sources_members(sources, req->r->pool);
    if (sources->ids->nelts == 1 && strcmp(input->pictures_name, "image_url") == 0) {
        /* an error then names image_url */
        *members = apr_pstrcat(req->r->pool, "\"sourceUrl\":\"",
                               APR_ARRAY_IDX(sources->ids, 0, const char *), "\"", NULL);
    }
    return NULL;
}

static gf_err_t *read_body(front_create_t *create, gf_req_t *req, const char *webhook)
{
    gf_output_t output = { create->model->name, create->model->is_one };
    front_fal_beside_t beside = { .webhook = webhook };
    front_fal_input_t input;
    gf_json_t *body;
    const char *text;
    apr_size_t length;

    GF_TRY(api_body_json(req, &body, &text, &length));
    GF_TRY(front_fal_input_read(&input, req->ctx, body));
    if (webhook && input.images > 1) {
        return gf_err_field(req->ctx, GF_E_INVALID, "num_images",
                            "must be 1 with fal_webhook: one is delivered for each picture");
    }
    GF_TRY(read_sources(&beside.sources, req, &input));
    beside.priority = front_fal_priority(apr_table_get(req->r->headers_in, "x-fal-queue-priority"));
    beside.front = gf_output_member(&output, req->r->pool);
    create->body = front_fal_input_body(&input, &beside, req->r->pool);
    return NULL;
}

/* The time in which the work has to begin; 0: any. */
static gf_err_t *read_timeout(apr_interval_time_t *time, gf_req_t *req)
{
    double seconds;

    if (!front_fal_timeout(&seconds, apr_table_get(req->r->headers_in, TIMEOUT))) {
        return gf_err_field(req->ctx, GF_E_INVALID, TIMEOUT,
                            "must be a number of seconds, up to 86400");
    }
    *time = (apr_interval_time_t)(seconds * APR_USEC_PER_SEC);
    return NULL;
}

static submission_t *make_submission(gf_req_t *req)
{
    return apr_pcalloc(req->r->pool, sizeof(submission_t));
}

/* The model of a run: that of the whole name, or of the name before /stream. */
static gf_err_t *find_model(submission_t *submission, gf_req_t *req)
{
    const char *name = req->args[0];
    apr_size_t length = strlen(name);
    gf_err_t *err = front_model(&submission->create.model, req, name);

    if (!gf_err_is(err, GF_E_NO_MODEL) || length <= strlen(STREAM)
        || strcmp(name + length - strlen(STREAM), STREAM) != 0) {
        return err;
    }
    submission->is_stream = true;
    return front_model(&submission->create.model, req,
                       apr_pstrmemdup(req->r->pool, name, length - strlen(STREAM)));
}

gf_err_t *front_fal_submit(gf_req_t *req)
{
    submission_t *submission = make_submission(req);
    front_create_t *create = &submission->create;
    apr_interval_time_t time;

    GF_TRY(front_model(&create->model, req, req->args[0]));
    GF_TRY(read_timeout(&time, req)); /* only a run waits, and so can notice it */
    submission->app = app_of(create->model->name, req->r->pool);
    if (!submission->app) {
        return gf_err_make(req->ctx, GF_E_NO_MODEL, APR_SUCCESS, "%s has no owner",
                           create->model->name);
    }
    GF_TRY(read_body(create, req, api_body_query(req, WEBHOOK)));
    create->route = "queue";
    create->answer = answer_queued;
    return front_create(req, create);
}

gf_err_t *front_fal_run(gf_req_t *req)
{
    submission_t *submission = make_submission(req);
    front_create_t *create = &submission->create;

    GF_TRY(find_model(submission, req));
    GF_TRY(read_timeout(&create->start, req));
    GF_TRY(read_body(create, req, NULL));
    submission->app = "";
    create->route = "run";
    create->wait = req->conf->front_wait;
    create->must_wait = true;
    create->unstarted = answer_unstarted;
    create->answer = answer_run;
    return front_create(req, create);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The generations of a translated request: the calls of api/generate.c, with a front's answers. A
 * front's client has no word for "still running", so it waits as long as it may, and comes back. */
#include "front/front.h"

#include <string.h>

#include <apr_strings.h>

#include "api/spec.h"
#include "base/clock.h"
#include "db/lost.h"
#include "db/steer.h"
#include "hub/hub.h"
#include "model/type.h"

#define FULL_SECONDS 5 /* after it a place to wait may be free */
#define RUN_ID_BYTES 16
#define TOKEN_BYTES  16
#define LATE_SECONDS 1 /* after it the client comes back */

/* So long a client's hang-up may stay unnoticed; how often its record is looked for meanwhile. */
#define NOTICE_TIME apr_time_from_msec(250)
#define NOTICE_STEP apr_time_from_msec(50)

/* ---- the body ---- */

/* The body of the request with the members that the model's row gives. */
static gf_err_t *complete_body(api_spec_body_t *body, gf_req_t *req, const front_create_t *create)
{
    const gf_model_t *model = create->model;
    gf_json_t *more;
    gf_out_t out;

    GF_TRY(gf_json_parse(&body->json, req->ctx, create->body, strlen(create->body)));
    gf_out_init(&out, req->r->pool, 256);
    gf_out_open(&out, '{');
    if (model->preset) {
        gf_out_put_string(&out, "presetKey", model->preset);
    }
    if (model->link) {
        gf_out_put_string(&out, "model", model->link);
    }
    gf_out_close(&out, '}');
    GF_TRY(gf_json_parse(&more, req->ctx, out.text, out.length));
    gf_json_add_all(body->json, more);
    body->text = gf_json_text(body->json);
    body->length = strlen(body->text);
    return NULL;
}

/* ---- the request ---- */

static bool has_key(const gf_req_t *req)
{
    return apr_table_get(req->r->headers_in, "Idempotency-Key") != NULL;
}

static gf_lost_t lost_of(const gf_req_t *req)
{
    const gf_lost_t lost = { .user = req->user, .hash = front_call(req)->hash };

    return lost;
}

/* ---- answers ---- */

static bool have_ended(const gf_view_t *views, int count)
{
    while (count-- > 0) {
        if (!gf_view_ended(&views[count])) {
            return false;
        }
    }
    return true;
}

/* The client repeats its request, and waits on. */
static gf_err_t *late(gf_req_t *req)
{
    gf_err_t *err =
        gf_err_make(req->ctx, GF_E_FRONT_LATE, APR_SUCCESS, "%s", front_call(req)->ids[0]);

    err->retry_after = LATE_SECONDS;
    return err;
}

static bool have_begun(const gf_view_t *views, int count)
{
    while (count-- > 0) {
        if (strcmp(views[count].status, "pending") != 0) {
            return true;
        }
    }
    return false;
}

static gf_err_t *answer(gf_req_t *req, const gf_view_t *views, int count);

/* The time to begin is over: the rest of the wait, if they have begun. */
static gf_err_t *answer_begun(gf_req_t *req, const gf_view_t *views, int count)
{
    const front_create_t *create = front_call(req)->create;
    gf_view_t *live;

    if (have_ended(views, count)) {
        return create->answer(req, views, count);
    }
    if (!have_begun(views, count)) {
        return create->unstarted(req, views, count);
    }
    live = apr_pmemdup(req->r->pool, views, (apr_size_t)count * sizeof(*views));
    return api_wait_views(req, live, NULL, count, GF_NEWS_ENDED,
                          req->conf->front_wait - create->start, answer);
}

static gf_err_t *answer(gf_req_t *req, const gf_view_t *views, int count)
{
    const front_create_t *create = front_call(req)->create;

    return create->must_wait && !create->is_stream && !have_ended(views, count)
               ? late(req)
               : create->answer(req, views, count);
}

/* ---- which generations ---- */

/* The response is about these. */
static void remember(gf_req_t *req, const gf_view_t *views, int count)
{
    front_call_t *call = front_call(req);

    for (call->count = 0; call->count < count; call->count++) {
        call->ids[call->count] = apr_pstrdup(req->r->pool, views[call->count].id);
    }
}

static gf_err_t *wait_for(gf_req_t *req, gf_view_t *views, gf_job_t **jobs, int count)
{
    const front_create_t *create = front_call(req)->create;
    apr_interval_time_t most = req->conf->front_wait;
    apr_interval_time_t time = create->wait < most ? create->wait : most;

    remember(req, views, count);
    if (have_ended(views, count) || create->is_stream) {
        time = 0;
    }
    if (create->start > 0 && create->start < time) {
        return api_wait_views(req, views, jobs, count, GF_NEWS_ENDED, create->start, answer_begun);
    }
    return api_wait_views(req, views, jobs, count, GF_NEWS_ENDED, time, answer);
}

/* Those that exist already. */
static gf_err_t *read_views(gf_view_t *views, gf_req_t *req, const char *const *ids, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        const gf_find_t find = { .id = ids[i] };

        GF_TRY(gf_queue_get(&views[i], req->ctx, req->type, req->user, &find));
    }
    return NULL;
}

static gf_err_t *wait_for_known(gf_req_t *req, gf_view_t *views, const gf_created_t *created,
                                int count)
{
    const char *ids[GF_BATCH_MAX];
    int i;

    for (i = 0; i < count; i++) {
        ids[i] = created[i].id;
    }
    GF_TRY(read_views(views, req, ids, count));
    return wait_for(req, views, NULL, count);
}

/* Creates them, or finds those of the caller's Idempotency-Key. */
static gf_err_t *create_new(gf_req_t *req, const gf_spec_t *spec, const gf_caller_t *caller)
{
    gf_view_t *views = apr_pcalloc(req->r->pool, GF_BATCH_MAX * sizeof(*views));
    gf_created_t created[GF_BATCH_MAX];
    gf_job_t *jobs[GF_BATCH_MAX];
    gf_begin_t begin;
    gf_err_t *err;
    int i;

    err = api_create(created, &begin, req, caller, spec);
    front_call(req)->may_exist = gf_err_is(err, GF_E_DB_DOWN) || gf_err_is(err, GF_E_INTERNAL);
    if (err) {
        return err;
    }
    if (api_create_count(created, spec->count) == 0) {
        return wait_for_known(req, views, created, spec->count);
    }
    api_create_views(views, jobs, req, spec, created, &begin);
    for (i = 0; !err && i < spec->count; i++) {
        err =
            created[i].outcome == GF_REPLAY ? read_views(&views[i], req, &created[i].id, 1) : NULL;
    }
    if (!err) {
        return wait_for(req, views, begin.owner ? jobs : NULL, spec->count);
    }
    for (i = 0; i < spec->count; i++) { /* they begin although the client gets an error */
        if (jobs[i]) {
            gf_hub_req_submit(req->api->hub, jobs[i]);
        }
    }
    return err;
}

/* Nothing can be made now; what the caller's key made before is there. */
static gf_err_t *find_closed(gf_req_t *req, const api_spec_body_t *body, gf_err_t *err)
{
    gf_view_t *views = apr_pcalloc(req->r->pool, GF_BATCH_MAX * sizeof(*views));
    gf_created_t created[GF_BATCH_MAX];
    char hash[GF_SHA256_HEX];
    gf_caller_t caller;
    int count;

    GF_TRY(api_spec_key(&caller, req, NULL));
    if (!caller.key) {
        return err;
    }
    api_spec_hash(&caller, hash, req, body);
    GF_TRY(gf_steer_made_before(created, &count, req->ctx, &caller));
    if (count == 0) {
        return err;
    }
    return created->outcome == GF_REPLAY ? wait_for_known(req, views, created, count)
                                         : api_create_refused(req, created, 0);
}

static gf_err_t *create_checked(gf_req_t *req, const api_spec_body_t *body)
{
    char hash[GF_SHA256_HEX];
    const gf_lost_t lost = lost_of(req);
    gf_caller_t caller;
    gf_err_t *err;
    gf_spec_t spec;

    err = api_spec_read(&spec, req, body);
    if (gf_err_is(err, GF_E_NO_PROVIDER) || gf_err_is(err, GF_E_STORE_CLOSED)) {
        return find_closed(req, body, err);
    }
    if (err) {
        return err;
    }
    GF_TRY(api_spec_finish(&caller, hash, req, &spec, body));
    if (front_call(req)->create->names_batch && spec.count > 1) { /* not before it is hashed */
        spec.run_id = gf_hash_random(req->r->pool, RUN_ID_BYTES);
    }
    if (!has_key(req)) { /* a marked repetition finds them by it */
        caller.key = apr_pstrcat(req->r->pool, gf_lost_keys(&lost, req->r->pool),
                                 gf_hash_random(req->r->pool, TOKEN_BYTES), NULL);
    }
    return create_new(req, &spec, &caller);
}

/* ---- lost responses ---- */

bool front_lost(gf_req_t *req)
{
    front_call_t *call = front_call(req);
    const gf_lost_t lost = lost_of(req);
    gf_err_t *err;

    if (call->count == 0 || has_key(req)) { /* the key finds them */
        return call->count > 0;
    }
    err = gf_lost_put(req->ctx, &lost, call->ids, call->count);
    if (err) {
        gf_err_log(req->ctx, err);
        return false;
    }
    gf_log(req->ctx, GF_LOG_INFO, APR_SUCCESS, "GF0774",
           "job=%s: its response did not reach the client; the next equal request of %s within 15 "
           "minutes gets it",
           call->ids[0], req->user);
    call->count = 0;
    return true;
}

void front_refused(gf_req_t *req)
{
    const front_call_t *call = front_call(req);
    const gf_lost_t lost = lost_of(req);
    gf_err_t *err;

    if (call->create && call->create->marks_retries && !has_key(req)) {
        err = gf_lost_put(req->ctx, &lost, NULL, 0);
        if (err) {
            gf_err_log(req->ctx, err);
        }
    }
}

/* Reads the generations of a record that this request holds, and keeps it. *count: how many; 0:
 * they are deleted, or another request has the record. After an error the record is there again. */
static gf_err_t *read_lost(gf_view_t *views, int *count, gf_req_t *req, const gf_lost_t *lost,
                           const apr_array_header_t *ids)
{
    gf_err_t *err = read_views(views, req, (const char *const *)ids->elts, ids->nelts);
    bool is_kept = true;

    *count = 0;
    if (err && !gf_err_is(err, GF_E_NO_GENERATION)) {
        return err;
    }
    *count = err ? 0 : ids->nelts;
    err = gf_lost_keep(&is_kept, req->ctx, lost);
    if (err) { /* the client gets them anyway; maybe the next equal request does so, too */
        gf_err_log(req->ctx, err);
    }
    if (!is_kept) {
        *count = 0;
    }
    return NULL;
}

/* Takes the generations of an equal request whose response was lost; *count is 0: there are none. A
 * client repeats its request at once, maybe before the thread or the child that it waited in has
 * noticed that it went; so, while equal ones live, a record may come yet, and the last look alone
 * finds generations without one. A client that goes meanwhile has nothing made. */
static gf_err_t *take_lost(gf_view_t *views, int *count, gf_req_t *req)
{
    bool is_retry = front_call(req)->create->is_retry;
    apr_time_t end = gf_clock_now() + NOTICE_TIME;
    bool may_come = true;
    gf_lost_t lost = lost_of(req);
    apr_array_header_t *ids;
    bool is_last;

    lost.call = gf_hash_random(req->r->pool, TOKEN_BYTES);
    for (*count = 0;;) {
        is_last = !may_come || gf_clock_now() >= end;
        GF_TRY(gf_lost_take(&ids, &may_come, req->ctx, &lost, is_retry && is_last));
        if (ids->nelts > 0) {
            GF_TRY(read_lost(views, count, req, &lost, ids));
        }
        if (*count > 0 || is_last || (ids->nelts == 0 && !may_come && !is_retry)) {
            return NULL;
        }
        if (may_come || ids->nelts > 0) {
            gf_clock_pause(NOTICE_STEP);
        }
        if (api_wait_is_gone(req->r)) {
            return gf_err_make(req->ctx, GF_E_READ_BODY, APR_SUCCESS,
                               "%s closed the connection before anything was created", req->user);
        }
    }
}

/* Waits for the generations of an equal request whose response was lost. *found: there are some. */
static gf_err_t *wait_for_lost(bool *found, gf_req_t *req)
{
    gf_view_t *views = apr_pcalloc(req->r->pool, GF_BATCH_MAX * sizeof(*views));
    int count;

    *found = false;
    if (has_key(req)) {
        return NULL;
    }
    GF_TRY(take_lost(views, &count, req));
    if (count == 0) {
        return NULL;
    }
    *found = true;
    gf_log(req->ctx, GF_LOG_INFO, APR_SUCCESS, "GF0775",
           "job=%s: a repeated request of %s waits for it", views->id, req->user);
    return wait_for(req, views, NULL, count);
}

/* ---- all of it ---- */

/* Before anything is created: a place to wait for it. */
static gf_err_t *take_place(gf_req_t *req, const front_create_t *create)
{
    gf_err_t *err;

    if (!create->must_wait || api_wait_reserve(req)) {
        return NULL;
    }
    err = gf_err_make(req->ctx, GF_E_WATCH_FULL, APR_SUCCESS, "%s", req->user);
    err->retry_after = FULL_SECONDS;
    return err;
}

gf_err_t *front_create(gf_req_t *req, const front_create_t *create)
{
    front_call_t *call = front_call(req);
    api_spec_body_t body = { .pending = false };
    bool found;
    gf_err_t *err;

    call->create = create;
    req->type = create->model->type;
    GF_TRY(complete_body(&body, req, create));
    gf_hash_texts(call->hash,
                  apr_pstrcat(req->r->pool, call->front->name, " ", create->route, " ",
                              create->model->name, NULL),
                  body.text, body.length);
    GF_TRY(take_place(req, create));
    err = wait_for_lost(&found, req);
    if (!err && !found) {
        err = create_checked(req, &body);
    }
    if (err) {
        api_wait_release(req);
    }
    return err;
}

gf_err_t *front_failed(gf_req_t *req, const gf_view_t *view)
{
    front_call(req)->count = 0; /* nothing was charged for it */
    front_call(req)->may_exist = true;
    return front_fault_of(req->ctx, view);
}

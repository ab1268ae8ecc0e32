/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of generations: the list of all users', ending one or all that live. Pictures and
 * rows stay. Leaves how one ends to the database. */
#include "api/admin.h"

#include "base/text.h"
#include "db/admin.h"

static const char *status_of(api_check_t *check)
{
    static const char *const words[] = { "pending", "processing", "completed", "failed",
                                         "cancelled" };
    const char *status = api_check_query(check, "status", 20);
    size_t i;

    for (i = 0; status && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(status, words[i]) == 0) {
            return status;
        }
    }
    if (status) {
        api_check_refuse(check, "status", false,
                         "must be pending, processing, completed, failed or cancelled");
    }
    return NULL;
}

/* One by one, each by its key: what an object is made of is known in one place. */
gf_err_t *api_admin_put_jobs(gf_out_t *out, gf_req_t *req, const apr_array_header_t *jobs,
                             int limit)
{
    int i;

    gf_out_key(out, "jobs");
    gf_out_open(out, '[');
    for (i = 0; i < jobs->nelts && i < limit; i++) {
        const gf_admin_job_t *job = &APR_ARRAY_IDX(jobs, i, gf_admin_job_t);
        gf_find_t find = { .id = job->id };
        gf_view_t view;
        gf_err_t *err = gf_queue_get(&view, req->ctx, job->type, job->user, &find);

        if (!err) {
            gf_out_open(out, '{');
            gf_view_write(out, &view, req->base, gf_reply_site(req->r));
            gf_out_put_string(out, "user", job->user);
            gf_out_close(out, '}');
        }
        else if (!gf_err_is(err, GF_E_NO_GENERATION)) { /* that one was deleted meanwhile */
            return err;
        }
    }
    gf_out_close(out, ']');
    return NULL;
}

gf_err_t *api_admin_jobs(gf_req_t *req)
{
    gf_admin_filter_t filter = { 0 };
    apr_array_header_t *jobs;
    const char *last = NULL;
    api_check_t check;
    api_page_t page;
    gf_out_t out;

    api_check_begin(&check, req);
    filter.type = api_check_type(&check);
    filter.status = status_of(&check);
    filter.user = api_check_query(&check, "user", 255);
    api_check_page(&page, &check);
    if (page.after && !gf_text_is_uuid(page.after)) {
        api_check_refuse(&check, "cursor", false, "must be the nextCursor of an answer");
    }
    GF_TRY(api_check_end(&check));
    filter.before = page.after;
    filter.limit = page.limit + 1; /* one more tells whether there is a next page */
    GF_TRY(gf_admin_jobs(&jobs, req->ctx, &filter));
    if (jobs->nelts > page.limit) {
        last = APR_ARRAY_IDX(jobs, page.limit - 1, gf_admin_job_t).id;
    }
    gf_reply_begin(&out, req);
    GF_TRY(api_admin_put_jobs(&out, req, jobs, page.limit));
    api_page_put(&out, last ? page.limit : jobs->nelts, last);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* What an empty or an ended filter would end is not what was meant. */
static void check_clear(gf_admin_filter_t *filter, api_check_t *check)
{
    static const char *const names[] = { "type", "status", "user", NULL };
    const char *const *name;

    filter->type = api_check_type(check);
    filter->status = status_of(check);
    filter->user = api_check_query(check, "user", 255);
    for (name = names; *name; name++) {
        const char *text = api_body_query(check->req, *name);

        if (text && !*text) {
            api_check_refuse(check, *name, false, "must not be empty: leave it out to clear all");
        }
    }
    if (filter->status && strcmp(filter->status, "pending") != 0
        && strcmp(filter->status, "processing") != 0) {
        api_check_refuse(check, "status", false,
                         "must be pending or processing: others have ended");
    }
}

gf_err_t *api_admin_jobs_clear(gf_req_t *req)
{
    gf_admin_filter_t filter = { 0 };
    gf_admin_cleared_t done;
    api_check_t check;
    gf_out_t out;
    bool all;

    api_check_begin(&check, req);
    check_clear(&filter, &check);
    GF_TRY(api_check_end(&check));
    all = !filter.type && !filter.status && !filter.user;
    GF_TRY(gf_admin_clear(&done, req->ctx, &filter, req->user));
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0172",
           "user=%s: cleared jobs, type=%s status=%s user=%s: %" APR_INT64_T_FMT
           " found, %" APR_INT64_T_FMT " cancelled, %" APR_INT64_T_FMT " credits released",
           req->user, filter.type ? filter.type->name : "any",
           filter.status ? filter.status : "any", filter.user ? filter.user : "any", done.seen,
           done.cancelled, done.released);
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "message", all ? "All jobs cleared" : "Jobs cleared");
    gf_out_put_int(&out, "cleared", done.seen);
    gf_out_put_int(&out, "cancelled", done.cancelled);
    gf_out_put_int(&out, "released", done.released);
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_admin_job_cancel(gf_req_t *req)
{
    const char *id = req->args[0];
    gf_admin_cancelled_t done;
    gf_out_t out;

    if (!gf_text_is_uuid(id)) {
        return gf_err_make(req->ctx, GF_E_NO_GENERATION, APR_SUCCESS, "no generation %s", id);
    }
    GF_TRY(gf_admin_cancel(&done, req->ctx, id));
    if (done.cancelled) {
        gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0722",
               "job=%s user=%s: cancelled by administrator %s, %" APR_INT64_T_FMT
               " credit%s released",
               id, done.user, req->user, done.released, done.released == 1 ? "" : "s");
    }
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "message", done.cancelled ? "Job cancelled" : "Job had ended");
    gf_out_put_string(&out, "id", id);
    gf_out_put_string(&out, "status", done.status);
    gf_out_put_bool(&out, "cancelled", done.cancelled);
    gf_out_put_int(&out, "released", done.released);
    return gf_reply_send(req, &out, HTTP_OK);
}

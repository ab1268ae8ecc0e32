/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of generations: the list of all users', ending one or all that live. Pictures and
 * rows stay. Leaves how one ends to the database. */
#include "api/admin.h"
#include "api/legacy.h"
#include "api/page.h"

#include <apr_strings.h>

#include "base/text.h"
#include "db/admin.h"
#include "httpd/dir.h"
#include "model/realm.h"

typedef struct filter_t {
    const gf_type_t *type;
    const gf_prompt_word_t *status;
    const char *user;
} filter_t;

static const gf_input_field_t filters[] = {
    { .names = { "type" }, .kind = GF_INPUT_TYPE, .offset = offsetof(filter_t, type) },
    { .names = { "status" },
      .kind = GF_INPUT_WORD,
      .words = api_history_statuses,
      .offset = offsetof(filter_t, status) },
    { .names = { "user" }, .kind = GF_INPUT_TEXT, .max = 255, .offset = offsetof(filter_t, user) },
    GF_INPUT_END
};

static void read_filter(gf_admin_filter_t *filter, gf_input_t *input)
{
    filter_t filtered = { .type = NULL };

    gf_input_read(input, filters, &filtered);
    api_admin_rule_name(input, "user", filtered.user);
    filter->type = filtered.type;
    filter->status = filtered.status ? filtered.status->word : NULL;
    filter->user = filtered.user;
}

/* Clients of an older system read jobs at this address, as at job/{id}. */
static void write_job(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    if (httpd_conf_legacy(req->r)) {
        out->twins = true;
        api_legacy_job(out, req, view);
        out->twins = false;
    }
    else {
        gf_view_write(out, view, req->base, gf_reply_site(req->r));
    }
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
            write_job(out, req, &view);
            gf_out_put_string(out, "user", gf_realm_name(job->user));
            gf_out_close(out, '}');
        }
        else if (!gf_err_is(err, GF_E_NO_GENERATION)) { /* that one was deleted meanwhile */
            return err;
        }
    }
    gf_out_close(out, ']');
    return NULL;
}

/* ?before=: only what was created before an instant. */
typedef struct instant_t {
    const char *text;
    apr_time_t at;
} instant_t;

static void rule_before(gf_input_t *input, void *record)
{
    instant_t *before = record;

    if (before->text && !gf_text_instant(&before->at, before->text)) {
        gf_input_refuse(input, GF_E_INVALID, "before",
                        "must be an instant like 2026-11-20T22:00:00Z (a + of a time zone is %%2B "
                        "in an address)");
    }
}

/* The least id of the instant, NULL without one: ids begin with the milliseconds since 1970 (as
 * genflow.id_at()). */
static const char *read_before(gf_input_t *input, apr_pool_t *pool)
{
    static const gf_input_field_t fields[] = { { .names = { "before" },
                                                 .kind = GF_INPUT_TEXT,
                                                 .offset = offsetof(instant_t, text),
                                                 .rule = rule_before },
                                               GF_INPUT_END };
    instant_t before = { NULL };
    apr_uint64_t ms;

    gf_input_read(input, fields, &before);
    if (!before.text) {
        return NULL;
    }
    ms = before.at > 0 ? (apr_uint64_t)before.at / 1000 : 0; /* nothing is older than 1970 */
    return apr_psprintf(pool, "%08x-%04x-0000-0000-000000000000", (unsigned)(ms >> 16),
                        (unsigned)(ms & 0xffff));
}

gf_err_t *api_admin_jobs(gf_req_t *req)
{
    gf_input_t input = api_body_query_input(req);
    gf_admin_filter_t filter = { 0 };
    const char *before = read_before(&input, req->r->pool);
    apr_array_header_t *jobs;
    const char *next = NULL;
    api_page_t page;
    gf_out_t out;
    int shown;

    read_filter(&filter, &input);
    api_page_read(&page, &input);
    filter.before = page.cursor ? api_page_unwrap(page.cursor, req->r->pool) : NULL;
    if (page.cursor && !gf_text_is_uuid(filter.before)) {
        api_page_refuse_cursor(&input);
    }
    GF_TRY(gf_input_end(&input));
    if (before && (!filter.before || strcmp(before, filter.before) < 0)) {
        filter.before = before;
    }
    filter.limit = (int)page.limit + 1;
    filter.user = api_admin_whom(req, filter.user);
    GF_TRY(gf_admin_jobs(&jobs, req->ctx, &filter));
    shown = api_page_shown(&page, jobs);
    if (shown < jobs->nelts) {
        next = api_page_wrap(APR_ARRAY_IDX(jobs, shown - 1, gf_admin_job_t).id, req->r->pool);
    }
    gf_reply_begin(&out, req);
    GF_TRY(api_admin_put_jobs(&out, req, jobs, shown));
    api_page_put_count(&out, shown, next);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* An empty filter, or one for generations that have ended, would clear something else than was
 * meant. */
static void check_clear(const gf_admin_filter_t *filter, gf_input_t *input)
{
    const gf_input_field_t *field;

    for (field = filters; field->names[0]; field++) {
        const char *text = gf_input_query(input->query, field->names[0]);

        if (text && !*text) {
            gf_input_refuse(input, GF_E_INVALID, field->names[0],
                            "must not be empty: leave it out to clear all");
        }
    }
    if (filter->status && strcmp(filter->status, "pending") != 0
        && strcmp(filter->status, "processing") != 0) {
        gf_input_refuse(input, GF_E_INVALID, "status",
                        "must be pending or processing: others have ended");
    }
}

gf_err_t *api_admin_jobs_clear(gf_req_t *req)
{
    gf_input_t input = api_body_query_input(req);
    gf_admin_filter_t filter = { 0 };
    gf_admin_cleared_t done;
    gf_out_t out;
    bool all;

    read_filter(&filter, &input);
    check_clear(&filter, &input);
    GF_TRY(gf_input_end(&input));
    GF_TRY(api_admin_read_reason(req));
    all = !filter.type && !filter.status && !filter.user;
    filter.user = api_admin_whom(req, filter.user);
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
    GF_TRY(api_admin_read_reason(req));
    GF_TRY(gf_admin_cancel(&done, req->ctx, id, api_admin_whom(req, NULL)));
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

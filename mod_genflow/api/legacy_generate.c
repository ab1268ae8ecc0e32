/* SPDX-License-Identifier: Apache-2.0 */
/* {type}/generate and {type}/status as older clients call them: a body that describes a picture
 * makes it, any other asks for one that was made, at either address, by GET and by POST. They know
 * it by our id, by their run id, by the provider's id, or by a name that they made of their run id,
 * and send each of these under any of the names. Making is api/generate.c. */
#include "api/legacy.h"
#include "api/wait.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "api/spec.h"
#include "base/text.h"
#include "db/queue.h"

#define ID_MAX    300          /* bytes; longer ones name nothing */
#define TEXTS_MAX 4            /* different ones that are looked for: each takes some statements */
#define NO_STATE  "neo-glitch" /* its clients read not_found from a 200 */

/* The names of a job, and those of the client's own run. Those of providers' ids are the
 * configuration's, too (gf_ref_name_t). */
static const char *const job_names[] = {
    "jobId", "job_id", "id", "generationId", "stability_job_id", "aiml_job_id", "fal_job_id", NULL
};
static const char *const run_names[] = { "runId", "run_id", NULL };

/* The text of a name, in the query or in `body` (may be NULL); NULL: it has none. */
static const char *named(gf_req_t *req, const gf_json_t *body, const char *name)
{
    const char *text = api_body_query(req, name);
    const gf_json_t *member = body && !(text && *text) ? gf_json_get(body, name) : NULL;

    if (member && !gf_json_string(member, &text)) {
        text = NULL;
    }
    return text && *text ? text : NULL;
}

static void add_text(apr_array_header_t *texts, const char *text)
{
    int i;

    for (i = 0; text && i < texts->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(texts, i, const char *), text) == 0) {
            return;
        }
    }
    if (text && texts->nelts < TEXTS_MAX) {
        APR_ARRAY_PUSH(texts, const char *) = text;
    }
}

/* What may name a job, in the order in which it is looked for. */
static apr_array_header_t *job_texts(gf_req_t *req, const gf_json_t *body)
{
    apr_array_header_t *texts = apr_array_make(req->r->pool, 4, sizeof(const char *));
    const gf_ref_name_t *ref;
    const char *const *name;

    for (name = job_names; *name; name++) {
        add_text(texts, named(req, body, *name));
    }
    for (ref = req->ctx->conf->ref_names; ref->name; ref++) {
        add_text(texts, named(req, body, ref->name));
    }
    return texts;
}

static const char *run_text(gf_req_t *req, const gf_json_t *body)
{
    const char *text = named(req, body, run_names[0]);

    return text ? text : named(req, body, run_names[1]);
}

/* ---- finding ---- */

/* One reading; *view is set if there is one of this user. *theirs: there is one of another user.
 * Errors: what is wrong beyond that. */
static gf_err_t *find_by(gf_view_t *view, gf_err_t **theirs, gf_req_t *req, const gf_find_t *find)
{
    gf_err_t *err = gf_queue_get(view, req->ctx, req->type, req->user, find);

    if (gf_err_is(err, GF_E_NOT_YOURS)) {
        *theirs = err;
        return NULL;
    }
    return gf_err_is(err, GF_E_NO_GENERATION) ? NULL : err;
}

/* "stability_<run id>" and the like: the run id; NULL: it is none. */
static const char *without_prefix(const char *text)
{
    const char *at = text;

    while (apr_islower(*at)) {
        at++;
    }
    return at > text && *at == '_' && at[1] ? at + 1 : NULL;
}

/* Finds one of this user by `text`, whatever kind of id it is. view->id stays NULL: there is none.
 */
static gf_err_t *find_text(gf_view_t *view, gf_err_t **theirs, gf_req_t *req, const char *text)
{
    const char *run = without_prefix(text);
    gf_find_t finds[5];
    int count = 0;
    int i;

    if (strlen(text) > ID_MAX) {
        return NULL;
    }
    memset(finds, 0, sizeof(finds));
    if (gf_text_is_uuid(text)) {
        finds[count++].id = text;
    }
    finds[count++].run_id = text;
    if (run) {
        finds[count++].run_id = run;
    }
    if (run && gf_text_is_uuid(run)) {
        finds[count++].id = run;
    }
    finds[count++].ref = text;
    for (i = 0; i < count && !view->id; i++) {
        GF_TRY(find_by(view, theirs, req, &finds[i]));
    }
    return NULL;
}

/* The generation that the query or `body` names, by the first of its names that is one's. Errors:
 * NO_IDENTIFIER, NO_JOB, NOT_YOURS. */
static gf_err_t *find_named(gf_view_t *view, gf_req_t *req, const gf_json_t *body)
{
    apr_array_header_t *texts = job_texts(req, body);
    const char *run = run_text(req, body);
    gf_err_t *theirs = NULL;
    int i;

    memset(view, 0, sizeof(*view));
    add_text(texts, run);
    for (i = 0; i < texts->nelts && !view->id; i++) {
        GF_TRY(find_text(view, &theirs, req, APR_ARRAY_IDX(texts, i, const char *)));
    }
    if (view->id) {
        return NULL;
    }
    if (theirs) {
        return theirs;
    }
    return texts->nelts > 0
               ? gf_err_make(req->ctx, GF_E_NO_JOB, APR_SUCCESS, "%s of %s",
                             APR_ARRAY_IDX(texts, 0, const char *), req->user)
               : gf_err_make(req->ctx, GF_E_NO_IDENTIFIER, APR_SUCCESS, "%s", req->user);
}

/* ---- answering ---- */

static const char *message_of(const gf_view_t *view)
{
    if (!gf_view_ended(view)) {
        return "Your media is being made";
    }
    if (view->taken_down_at) {
        return "The picture was taken down";
    }
    return view->image_url ? "Your media is ready" : "The generation failed; nothing was charged";
}

static gf_err_t *reply_job(gf_req_t *req, const gf_view_t *views, int count)
{
    (void)count;
    return gf_reply_view(req, views, HTTP_OK, message_of(views));
}

static gf_err_t *answer_job(gf_req_t *req, const gf_json_t *body)
{
    gf_find_t find = { NULL, NULL, NULL, NULL };
    gf_view_t view;

    GF_TRY(find_named(&view, req, body));
    find.id = view.id;
    return apr_table_get(req->r->headers_in, "Prefer") ? api_wait_state(req, &find, reply_job)
                                                       : reply_job(req, &view, 1);
}

static gf_err_t *answer_none(gf_req_t *req, const gf_json_t *body)
{
    apr_array_header_t *texts = job_texts(req, body);
    const char *text = texts->nelts > 0 ? APR_ARRAY_IDX(texts, 0, const char *) : NULL;
    gf_out_t out;

    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "id", text ? text : run_text(req, body));
    gf_out_put_string(&out, "status", "not_found");
    gf_out_put_string(&out, "message", gf_err_row(GF_E_NO_JOB)->text);
    gf_out_put_string(&out, "imageUrl", NULL);
    gf_out_put_string(&out, "cloudinaryUrl", NULL);
    gf_out_put_string(&out, "error", gf_err_row(GF_E_NO_JOB)->code);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* The body, if the request has one; NULL otherwise. */
static gf_err_t *read_body(api_spec_body_t *body, gf_req_t *req)
{
    return req->r->method_number == M_POST && ap_request_has_body(req->r)
               ? api_body_json(req, &body->json, &body->text, &body->length)
               : NULL;
}

gf_err_t *api_legacy_status(gf_req_t *req)
{
    api_spec_body_t body = { .json = NULL };
    gf_err_t *err;

    GF_TRY(read_body(&body, req));
    err = answer_job(req, body.json);
    if (gf_err_is(err, GF_E_NO_JOB) || gf_err_is(err, GF_E_NO_IDENTIFIER)) {
        if (strcmp(gf_type_wire(req->type), NO_STATE) == 0) {
            return answer_none(req, body.json);
        }
        err->extra = "\"status\":\"not_found\"";
    }
    return err;
}

static bool has_one_of(const gf_json_t *body, const char *const *names)
{
    while (*names && !gf_json_get(body, *names)) {
        names++;
    }
    return *names != NULL;
}

/* Does the body ask for a picture that was made? It names one, and describes none. Beside an id
 * that only we or a provider can have given, a preset or a source picture describes none: that is
 * how older pages save what they were given. */
static bool is_question(gf_req_t *req, const gf_json_t *body)
{
    static const char *const makes[] = { "prompt", "customPrompt", "templateId", NULL };
    static const char *const may_make[] = { "presetKey",      "preset_key", "preset",
                                            "sourceUrl",      "source_url", "sourceAssetId",
                                            "sourceAssetIds", "image",      NULL };

    if (has_one_of(body, makes)) {
        return false;
    }
    return job_texts(req, body)->nelts > 0 || (run_text(req, body) && !has_one_of(body, may_make));
}

gf_err_t *api_legacy_generate(gf_req_t *req)
{
    api_spec_body_t body = { .json = NULL };

    GF_TRY(read_body(&body, req));
    if (!body.json || is_question(req, body.json)) {
        return answer_job(req, body.json);
    }
    GF_TRY(api_limit(req, api_body_switch(req, "dryRun"))); /* a question has no limit */
    return api_generate_body(req, &body);
}

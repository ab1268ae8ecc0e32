/* SPDX-License-Identifier: Apache-2.0 */
/* GET, POST {type}/status: one generation of the caller, by id, run id or the provider's id; waits
 * if the client prefers. generation/{id}: the same by its id alone, cancelled, deleted. */
#include "api/wait.h"

#include <string.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "base/text.h"
#include "db/queue.h"
#include "db/steer.h"
#include "model/servers.h"
#include "store/store.h"

/* The names for a generation that a client may use, the first counts. An id that is no UUID can
 * only be a run id. The names of providers' ids follow after these rows. */
static const gf_input_field_t lookup_fields[] = {
    { .names = { "id", "jobId", "generationId" }, .kind = GF_INPUT_KNOWN },
    { .names = { "runId", "run_id" }, .kind = GF_INPUT_KNOWN },
    { .names = { "userId" }, .kind = GF_INPUT_KNOWN },
};
#define LOOKUPS   (sizeof(lookup_fields) / sizeof(lookup_fields[0]))
#define ID_NAMES  lookup_fields[0].names
#define RUN_NAMES lookup_fields[1].names

/* The rows of the configured kinds with them. */
static const gf_input_field_t *lookup_rows(gf_req_t *req)
{
    apr_array_header_t *rows = apr_array_make(req->r->pool, 16, sizeof(gf_input_field_t));
    const gf_ref_name_t *ref;
    apr_size_t i;

    for (i = 0; i < LOOKUPS; i++) {
        APR_ARRAY_PUSH(rows, gf_input_field_t) = lookup_fields[i];
    }
    for (ref = req->ctx->conf->ref_names; ref->name; ref++) {
        gf_input_field_t *row = apr_array_push(rows);

        row->names[0] = ref->name;
        row->kind = GF_INPUT_KNOWN;
    }
    apr_array_push(rows); /* without a name: it ends them */
    return (const gf_input_field_t *)rows->elts;
}

/* The value of the first of the names that has one; *bad becomes a name whose value is empty, or no
 * text. */
static const char *first_value(gf_req_t *req, const gf_json_t *body, const char *const *names,
                               const char **bad)
{
    for (; *names; names++) {
        const gf_json_t *member = body ? gf_json_get(body, *names) : NULL;
        const char *text = api_body_query(req, *names);

        if ((text || gf_json_string(member, &text)) && text[0]) {
            return text;
        }
        if (text || member) {
            *bad = *names;
        }
    }
    return NULL;
}

/* Refuses unknown members. */
static gf_err_t *check_members(gf_req_t *req, const gf_json_t *body, const gf_input_field_t *fields)
{
    gf_input_t input = api_body_input(req, body);

    return gf_input_all(&input, fields, NULL);
}

/* The id that a provider gave the run, under the name of its kind. */
static const char *first_ref(const char **kind, gf_req_t *req, const gf_json_t *body,
                             const char **bad)
{
    const gf_ref_name_t *ref;

    for (ref = req->ctx->conf->ref_names; ref->name; ref++) {
        const char *const names[] = { ref->name, NULL };
        const char *id = first_value(req, body, names, bad);

        if (id) {
            *kind = ref->kind;
            return id;
        }
    }
    return NULL;
}

/* The generation that is named by the query or by `body` (may be NULL). */
static gf_err_t *read_find(gf_find_t *find, gf_req_t *req, const gf_json_t *body)
{
    const char *bad = "id";

    memset(find, 0, sizeof(*find));
    find->id = first_value(req, body, ID_NAMES, &bad);
    find->run_id = first_value(req, body, RUN_NAMES, &bad);
    find->ref = first_ref(&find->ref_kind, req, body, &bad);
    if (find->id && !gf_text_is_uuid(find->id)) {
        find->run_id = find->id;
        find->id = NULL;
    }
    if (!find->id && !find->run_id && !find->ref) {
        return gf_err_field(req->ctx, GF_E_INVALID, bad,
                            "is required as text: id, jobId, runId or"
                            " the provider's id");
    }
    return NULL;
}

static bool names_one(gf_req_t *req, const gf_json_t *body)
{
    const char *bad;
    const char *kind;

    return first_value(req, body, ID_NAMES, &bad) || first_value(req, body, RUN_NAMES, &bad)
           || first_ref(&kind, req, body, &bad);
}

/* Answers with the generation that the query or `body` (may be NULL) names. */
static gf_err_t *answer_state(gf_req_t *req, const gf_json_t *body)
{
    gf_find_t find;

    GF_TRY(body ? check_members(req, body, lookup_rows(req)) : NULL);
    GF_TRY(read_find(&find, req, body));
    return api_wait_state(req, &find, gf_reply_state);
}

gf_err_t *api_generation_status(gf_req_t *req)
{
    gf_json_t *body = NULL;
    const char *text;
    apr_size_t length;

    if (req->r->method_number == M_POST && !names_one(req, NULL)) {
        GF_TRY(api_body_json(req, &body, &text, &length));
    }
    return answer_state(req, body);
}

/* ---- by its id alone ---- */

gf_err_t *api_generation_find(gf_find_t *find, gf_req_t *req)
{
    memset(find, 0, sizeof(*find));
    return gf_steer_find(&find->id, &req->type, req->ctx, req->args[0]);
}

gf_err_t *api_generation_get(gf_req_t *req)
{
    gf_find_t find;

    GF_TRY(api_generation_find(&find, req));
    return api_wait_state(req, &find, gf_reply_state);
}

gf_err_t *api_generation_stop(gf_req_t *req, const char *id)
{
    const char *owner;

    GF_TRY(gf_steer_cancel(&owner, req->ctx, req->type, req->user, id));
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0503",
           "job=%s type=%s user=%s: cancelled and released, worked on by %s", id, req->type->name,
           req->user, owner ? owner : "no process");
    if (owner && strcmp(owner, req->api->owner) == 0) {
        gf_hub_req_recall(req->api->hub); /* other processes notice at their next heartbeat */
    }
    return NULL;
}

gf_err_t *api_generation_cancel(gf_req_t *req)
{
    gf_find_t find;
    gf_view_t view;

    GF_TRY(api_generation_find(&find, req));
    GF_TRY(api_generation_stop(req, find.id));
    GF_TRY(gf_queue_get(&view, req->ctx, req->type, req->user, &find));
    return gf_reply_view(req, &view, HTTP_OK, NULL);
}

/* The picture goes at once where that is one call; the background makes sure of it. */
gf_err_t *api_generation_remove(gf_req_t *req)
{
    apr_pool_t *pool = req->r->pool;
    gf_job_t job = { .type = NULL };
    const char *url;
    const char *file;
    gf_find_t find;

    GF_TRY(api_generation_find(&find, req));
    GF_TRY(gf_steer_delete(&url, req->ctx, req->type, req->user, find.id));
    job.type = req->type;
    job.id = find.id;
    file = url ? gf_store_file(gf_servers_of_type(req->conf, req->type), &job, url, pool) : NULL;
    if (file) {
        gf_store_fs_remove(file, pool);
    }
    gf_log(req->ctx, GF_LOG_INFO, APR_SUCCESS, "GF0504", "job=%s type=%s user=%s: deleted", find.id,
           req->type->name, req->user);
    req->args[0] = find.id;
    return NULL;
}

gf_err_t *api_generation_delete(gf_req_t *req)
{
    gf_out_t out;

    GF_TRY(api_generation_remove(req));
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "id", req->args[0]);
    gf_out_put_bool(&out, "deleted", true);
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_generation_delete_media(gf_req_t *req)
{
    static const gf_input_field_t fields[] = { { .names = { "id", "mediaId" },
                                                 .kind = GF_INPUT_KNOWN },
                                               { .names = { "userId" }, .kind = GF_INPUT_KNOWN },
                                               GF_INPUT_END };
    gf_json_t *body;
    const char *bad = "id";
    const char *text;
    apr_size_t length;

    GF_TRY(api_body_json(req, &body, &text, &length));
    GF_TRY(check_members(req, body, fields));
    req->args[0] = first_value(req, body, fields[0].names, &bad);
    return req->args[0]
               ? api_generation_delete(req)
               : gf_err_field(req->ctx, GF_E_INVALID, bad, "is required as text: id or mediaId");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* GET, POST {type}/status: one generation of the caller, by id, run id or the provider's id; waits
 * if the client prefers. */
#include "api/gf_api.h"

#include "base/gf_text.h"
#include "db/gf_queue.h"

/* The names a client may use, in the order they count. An id that is no UUID can only be a run id.
 */
static const char *const id_names[] = { "id", "jobId", "generationId", NULL };
static const char *const run_names[] = { "runId", "run_id", NULL };
static const char *const ref_names[] = { "stabilityJobId", "aimlJobId", "falJobId", "replicateId",
                                         NULL };

static const char *first(gf_req_t *req, const gf_json_t *body, const char *const *names)
{
    for (; *names; names++) {
        const char *text = api_body_query(req, *names);

        if (text || (body && gf_json_string(gf_json_get(body, *names), &text))) {
            return text;
        }
    }
    return NULL;
}

/* The generation that is named by the query or by `body` (may be NULL). */
static gf_err_t *read_find(gf_find_t *find, gf_req_t *req, const gf_json_t *body)
{
    find->id = first(req, body, id_names);
    find->run_id = first(req, body, run_names);
    find->ref = first(req, body, ref_names);
    if (find->id && !gf_text_is_uuid(find->id)) {
        find->run_id = find->id;
        find->id = NULL;
    }
    if (!find->id && !find->run_id && !find->ref) {
        return gf_err_field(req->ctx, GF_E_INVALID, "id",
                            "is required: id, jobId, runId or the provider's id");
    }
    return NULL;
}

static bool names_one(gf_req_t *req, const gf_json_t *body)
{
    return first(req, body, id_names) || first(req, body, run_names) || first(req, body, ref_names);
}

bool api_generation_is_asked(gf_req_t *req, const gf_json_t *body)
{
    static const char *const makes[] = { "prompt", "presetKey", "preset_key", "preset", NULL };
    const char *const *name;

    for (name = makes; *name; name++) {
        if (gf_json_get(body, *name)) {
            return false;
        }
    }
    return names_one(req, body);
}

gf_err_t *api_generation_tell(gf_req_t *req, const gf_json_t *body)
{
    gf_find_t find;
    gf_view_t view;
    api_prefer_t prefer;

    GF_TRY(read_find(&find, req, body));
    api_watch_prefer(&prefer, req->r);
    GF_TRY(api_watch_view(&view, req, &find, NULL, GF_NEWS_ENDED, prefer.wait));
    return gf_reply_view(req, &view, HTTP_OK, NULL);
}

gf_err_t *api_generation_status(gf_req_t *req)
{
    gf_json_t *body = NULL;
    const char *text;
    apr_size_t length;

    if (req->r->method_number == M_POST && !names_one(req, NULL)) {
        GF_TRY(api_body_json(req, &body, &text, &length));
    }
    return api_generation_tell(req, body);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* AIML API: JSON in, the address of a picture out, at once. It does not deduplicate requests, but
 * its log shows by our id whether a lost one was paid. The picture of a lost answer is not
 * available: a paid run stays unknown. Pure translation; runs on the dispatcher thread. */
#include "provider/provider.h"

#include <string.h>

#include <apr_strings.h>

#include "provider/json.h"
#include "provider/run.h"

#define LOG_PAGE     "/v2/logs?period=24h&limit=100"
#define LOG_ROWS_MAX 2000 /* newest first: ours is not far */

static const char *check_section(const gf_provider_t *provider, apr_pool_t *pool)
{
    return prov_json_check(provider, pool, "https://api.aimlapi.com", "AIML_API_KEY");
}

static const prov_field_t from_picture[] = { { "prompt", "prompt" },
                                             { "source", "image_url" },
                                             { "strength", "strength" },
                                             { "seed", "seed" },
                                             { "guidance_scale", "guidance_scale" },
                                             { "num_inference_steps", "num_inference_steps" },
                                             { NULL, NULL } };

static const prov_field_t from_text[] = { { "prompt", "prompt" },
                                          { "image_size", "image_size" },
                                          { "seed", "seed" },
                                          { "guidance_scale", "guidance_scale" },
                                          { "num_inference_steps", "num_inference_steps" },
                                          { NULL, NULL } };

/* Of other models we know no more than what nearly all take. */
static const prov_field_t common[] = { { "prompt", "prompt" },
                                       { "source", "image_url" },
                                       { "strength", "strength" },
                                       { "aspect_ratio", "aspect_ratio" },
                                       { "negative_prompt", "negative_prompt" },
                                       { "seed", "seed" },
                                       { NULL, NULL } };

static const prov_model_t models[] = { { "flux/dev/image-to-image", from_picture, GF_SOURCE_MUST },
                                       { "flux/dev", from_text, GF_SOURCE_NONE },
                                       { "flux/schnell", from_text, GF_SOURCE_NONE },
                                       { "", common, GF_SOURCE_NONE } };

static bool honours(const char *model, const char *name)
{
    return prov_json_honours(prov_json_fields_of(models, model), name);
}

static const char *ratio_size(const char *model, const char *ratio)
{
    return prov_json_ratio_size(prov_json_fields_of(models, model), ratio);
}

static gf_source_use_t source_use(const char *model)
{
    return prov_json_source(models, model);
}

/* Our name for this submission, in their alphabet: the job and which attempt it is. */
static const char *request_id(const gf_prov_call_t *call)
{
    return apr_psprintf(call->pool, "%s-%d", call->job->id, call->job->attempts);
}

static gf_msg_t *make_submit(const gf_prov_call_t *call)
{
    gf_msg_t *msg = prov_json_request(
        call, "POST", apr_pstrcat(call->pool, call->provider->url, "/v1/images/generations", NULL));
    gf_out_t body;

    apr_table_setn(msg->headers, "X-Client-Request-Id", request_id(call));
    gf_out_init(&body, call->pool, 1024);
    gf_out_open(&body, '{');
    gf_out_put_string(&body, "model", call->model);
    prov_json_fields(&body, call, prov_json_fields_of(models, call->model));
    gf_out_close(&body, '}');
    prov_json_body(msg, body.text);
    return msg;
}

/* ---- after a lost answer ---- */

static gf_msg_t *request_log(const gf_prov_call_t *call, apr_int64_t offset)
{
    return prov_json_request(call, "GET",
                             apr_psprintf(call->pool, "%s" LOG_PAGE "&offset=%" APR_INT64_T_FMT,
                                          call->provider->url, offset));
}

static gf_msg_t *make_reconcile(const gf_prov_call_t *call)
{
    return request_log(call, 0);
}

/* The log's row of our request, or NULL. */
static const gf_json_t *find_row(const gf_prov_call_t *call, const gf_json_t *rows)
{
    const char *wanted = request_id(call);
    apr_size_t i;

    for (i = 0; i < gf_json_length(rows); i++) {
        const gf_json_t *row = gf_json_at(rows, i);

        if (strcmp(prov_json_text(row, "client_request_id"), wanted) == 0) {
            return row;
        }
    }
    return NULL;
}

static void read_row(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_json_t *row)
{
    const char *status = prov_json_text(row, "status");

    outcome->detail = gf_provider_detail(call->provider, call->pool, "its log has inference",
                                         prov_json_text(row, "inference_id"), status);
    if (strcmp(status, "failed") == 0) {
        prov_json_set(outcome, GF_PROV_TRANSIENT, GF_E_API); /* failed ones are not billed */
    }
    outcome->settled = strcmp(status, "succeeded") == 0; /* paid, and the picture is lost */
}

static void read_page(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_json_t *document)
{
    const gf_json_t *rows = gf_json_get(document, "data");
    const gf_json_t *row = find_row(call, rows);
    const gf_json_t *place = gf_json_get(document, "pagination");
    apr_int64_t offset = -1;
    bool more = false;

    gf_json_int(gf_json_get(place, "offset"), &offset);
    gf_json_bool(gf_json_get(place, "has_more"), &more);
    if (row) {
        read_row(outcome, call, row);
    }
    else if (more && offset >= 0 && offset < LOG_ROWS_MAX && gf_json_length(rows) > 0) {
        outcome->state = GF_PROV_NEXT;
        outcome->next = request_log(call, offset + (apr_int64_t)gf_json_length(rows));
    }
    else {
        outcome->detail = "its log does not know the request";
    }
}

/* The log is written after answers: a missing row proves nothing. */
static void read_reconcile(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    if (!prov_run_list_failed(outcome, call, msg)) {
        read_page(outcome, call, prov_json_document(call, msg));
    }
}

/* Its own form, and OpenAI's, which some of its models answer in. */
static const gf_prov_mark_t own[] = { { 400, 599, NULL, "message path requestId statusCode", NULL },
                                      PROV_JSON_OPENAI_ERROR,
                                      PROV_JSON_PICTURES,
                                      { 0 } };

const gf_prov_kind_t gf_prov_aiml = { .name = "aiml",
                                      .ref_name = "aimlJobId",
                                      .result_life = apr_time_from_sec(3600),
                                      .key_header = "Authorization",
                                      .key_prefix = "Bearer ",
                                      .check = check_section,
                                      .submit = make_submit,
                                      .read_submit = prov_json_read_answer,
                                      .own = own,
                                      .source = source_use,
                                      .honours = honours,
                                      .ratio_size = ratio_size,
                                      .reconcile = make_reconcile,
                                      .read_reconcile = read_reconcile };

/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI's images API and compatible ones: JSON in, or a form with a source picture, and a picture
 * out, at once, which may take minutes. There is no list of runs and no idempotency key: an
 * unanswered request may have been paid for, so it is not sent again. Pure translation; runs on the
 * dispatcher thread. */
#include "provider/provider.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "model/bound.h"
#include "provider/json.h"

static const char *check_section(const gf_provider_t *provider, apr_pool_t *pool)
{
    return prov_json_check(provider, pool, "https://api.openai.com/v1", "OPENAI_API_KEY");
}

/* The prompt is the first of each. */
static const prov_field_t of_gpt[] = { { "prompt", "prompt" },
                                       { "quality", "quality" },
                                       { "background", "background" },
                                       { "output_format", "output_format" },
                                       { NULL, NULL } };

static const prov_field_t of_others[] = { { "prompt", "prompt" }, { NULL, NULL } };

/* The differences between families of models. */
typedef struct family_t {
    const char *name; /* how its models' names begin */
    const prov_field_t *fields;
    const char *square, *wide, *tall; /* sizes; NULL: let it choose */
    bool formats;                     /* takes response_format; others always send base64 */
    gf_source_use_t source;
    int source_max; /* pictures of an edit */
} family_t;

static const family_t families[] = {
    { "gpt-image", of_gpt, "1024x1024", "1536x1024", "1024x1536", false, GF_SOURCE_MAY, 16 },
    { "chatgpt-image", of_gpt, "1024x1024", "1536x1024", "1024x1536", false, GF_SOURCE_MAY, 16 },
    { "dall-e-3", of_others, "1024x1024", "1792x1024", "1024x1792", true, GF_SOURCE_NONE, 1 },
    { "dall-e-2", of_others, "1024x1024", "1024x1024", "1024x1024", true, GF_SOURCE_MAY, 1 },
    { "", of_others, NULL, NULL, NULL, true, GF_SOURCE_MAY, 1 }
};

static const family_t *family_of(const char *model)
{
    const family_t *family = families;

    while (strncmp(family->name, model, strlen(family->name)) != 0) {
        family++;
    }
    return family;
}

static gf_source_use_t source_use(const char *model)
{
    return family_of(model)->source;
}

static int source_max(const char *model)
{
    return family_of(model)->source_max;
}

/* An aspect ratio chooses among the family's sizes. */
static bool honours(const char *model, const char *name)
{
    const family_t *family = family_of(model);

    return strcmp(name, "size") == 0 || (strcmp(name, "aspect_ratio") == 0 && family->square)
           || prov_json_honours(family->fields, name);
}

/* The nearest size to an aspect ratio; NULL: none. */
static const char *ratio_size(const char *model, const char *ratio)
{
    const family_t *family = family_of(model);
    const char *colon = strchr(ratio, ':');
    long width, height;

    if (!colon) {
        return NULL;
    }
    width = strtol(ratio, NULL, 10);
    height = strtol(colon + 1, NULL, 10);
    return width == height ? family->square : width > height ? family->wide : family->tall;
}

/* The size that the client names, else the nearest one to its aspect ratio; NULL: none. */
static const char *size_of(const gf_prov_call_t *call)
{
    const char *size = gf_provider_parameter(call->job, "size", call->pool);
    const char *ratio = gf_provider_parameter(call->job, "aspect_ratio", call->pool);

    if (size || !ratio) {
        return size;
    }
    size = ratio_size(call->model, ratio);
    return size && gf_bound_allows(call->job->type, size, call->pool) ? size : NULL;
}

static gf_msg_t *make_request(const gf_prov_call_t *call, const char *path)
{
    return prov_json_request(call, "POST",
                             apr_pstrcat(call->pool, call->provider->url, path, NULL));
}

/* An edit of source pictures: the same members, but as a form. Several pictures are a list. */
static gf_msg_t *make_edit(const gf_prov_call_t *call, const family_t *family)
{
    gf_msg_t *msg = make_request(call, "/images/edits");
    const prov_field_t *field;
    int i;

    gf_msg_part(msg, "model", call->model[0] ? call->model : NULL);
    gf_msg_part(msg, "prompt", call->job->prompt);
    for (field = family->fields + 1; field->ours; field++) { /* after the prompt */
        gf_msg_part(msg, field->theirs, gf_provider_parameter(call->job, field->ours, call->pool));
    }
    gf_msg_part(msg, "size", size_of(call));
    gf_msg_part(msg, "response_format", family->formats && call->model[0] ? "b64_json" : NULL);
    for (i = 0; i < call->source_count; i++) {
        gf_msg_file(msg, call->source_count > 1 ? "image[]" : "image", call->sources[i].file,
                    call->sources[i].type);
    }
    return msg;
}

static gf_msg_t *make_generation(const gf_prov_call_t *call, const family_t *family)
{
    gf_msg_t *msg = make_request(call, "/images/generations");
    const char *size = size_of(call);
    gf_out_t body;

    gf_out_init(&body, call->pool, 1024);
    gf_out_open(&body, '{');
    if (call->model[0]) {
        gf_out_put_string(&body, "model", call->model);
    }
    prov_json_fields(&body, call, family->fields);
    if (size) {
        gf_out_put_string(&body, "size", size);
    }
    if (family->formats && call->model[0]) {
        gf_out_put_string(&body, "response_format", "b64_json");
    }
    gf_out_close(&body, '}');
    prov_json_body(msg, body.text);
    return msg;
}

static gf_msg_t *make_submit(const gf_prov_call_t *call)
{
    const family_t *family = family_of(call->model);

    return call->source_file ? make_edit(call, family) : make_generation(call, family);
}

static const gf_prov_mark_t own[] = { PROV_JSON_OPENAI_ERROR, PROV_JSON_PICTURES, { 0 } };

const gf_prov_kind_t gf_prov_openai = { .name = "openai",
                                        .result_life = apr_time_from_sec(3600),
                                        .key_header = "Authorization",
                                        .key_prefix = "Bearer ",
                                        .key_path = "/models",
                                        .check = check_section,
                                        .submit = make_submit,
                                        .read_submit = prov_json_read_answer,
                                        .own = own,
                                        .source = source_use,
                                        .honours = honours,
                                        .ratio_size = ratio_size,
                                        .source_max = source_max,
                                        .source_as_file = true };

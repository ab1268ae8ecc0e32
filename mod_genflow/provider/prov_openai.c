/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI's images API and whatever speaks like it: JSON in, a picture out, at once, which may take
 * minutes. There is no list of runs and no idempotency key: what was sent and not answered can
 * never be told from what was paid, so it is not sent again. Pure translation; runs on the
 * dispatcher thread. */
#include "provider/gf_provider.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "provider/prov_json.h"

static const char *check(const gf_provider_t *provider, apr_pool_t *pool)
{
    return prov_json_check(provider, pool, "https://api.openai.com/v1", "OPENAI_API_KEY");
}

static const prov_field_t of_gpt[] = { { "prompt", "prompt" },
                                       { "quality", "quality" },
                                       { "background", "background" },
                                       { "output_format", "output_format" },
                                       { NULL, NULL } };

static const prov_field_t of_others[] = { { "prompt", "prompt" }, { NULL, NULL } };

/* What differs between families of models. */
typedef struct family_t {
    const char *name; /* how its models' names begin */
    const prov_field_t *fields;
    const char *square, *wide, *tall; /* sizes; NULL: let it choose */
    bool formats;                     /* takes response_format; others always send base64 */
    gf_source_use_t source;
} family_t;

static const family_t families[] = {
    { "gpt-image", of_gpt, "1024x1024", "1536x1024", "1024x1536", false, GF_SOURCE_MAY },
    { "chatgpt-image", of_gpt, "1024x1024", "1536x1024", "1024x1536", false, GF_SOURCE_MAY },
    { "dall-e-3", of_others, "1024x1024", "1792x1024", "1024x1792", true, GF_SOURCE_NONE },
    { "dall-e-2", of_others, "1024x1024", "1024x1024", "1024x1024", true, GF_SOURCE_NONE },
    { "", of_others, NULL, NULL, NULL, true, GF_SOURCE_NONE }
};

static const family_t *family_of(const char *model)
{
    const family_t *family = families;

    while (strncmp(family->name, model, strlen(family->name)) != 0) {
        family++;
    }
    return family;
}

static gf_source_use_t source(const char *model)
{
    return family_of(model)->source;
}

/* The size as the client names it, else the one that comes nearest to its aspect ratio; NULL: none.
 */
static const char *size_of(const gf_prov_call_t *call, const family_t *family)
{
    const char *size = gf_provider_parameter(call->job, "size", call->pool);
    const char *ratio = gf_provider_parameter(call->job, "aspect_ratio", call->pool);
    const char *colon = ratio ? strchr(ratio, ':') : NULL;
    long width, height;

    if (size || !colon) {
        return size;
    }
    width = strtol(ratio, NULL, 10);
    height = strtol(colon + 1, NULL, 10);
    return width == height ? family->square : width > height ? family->wide : family->tall;
}

/* The source pictures of an edit; data URIs are taken, too. */
static void put_source(gf_out_t *out, const char *url)
{
    gf_out_key(out, "images");
    gf_out_open(out, '[');
    gf_out_open(out, '{');
    gf_out_put_string(out, "image_url", url);
    gf_out_close(out, '}');
    gf_out_close(out, ']');
}

static gf_msg_t *submit(const gf_prov_call_t *call)
{
    const family_t *family = family_of(call->model);
    const char *picture = call->source;
    const char *size = size_of(call, family);
    gf_msg_t *msg =
        prov_json_request(call, "Bearer", "POST",
                          apr_pstrcat(call->pool, call->provider->url,
                                      picture ? "/images/edits" : "/images/generations", NULL));
    gf_out_t body;

    gf_out_init(&body, call->pool, 1024);
    gf_out_open(&body, '{');
    if (call->model[0]) {
        gf_out_put_string(&body, "model", call->model);
    }
    prov_json_fields(&body, call, family->fields);
    if (picture) {
        put_source(&body, picture);
    }
    if (size) {
        gf_out_put_string(&body, "size", size);
    }
    if (family->formats && call->model[0]) {
        gf_out_put_string(&body, "response_format", "b64_json");
    }
    gf_out_close(&body, '}');
    prov_json_body(msg, &body);
    return msg;
}

const gf_prov_kind_t gf_prov_openai = { .name = "openai",
                                        .check = check,
                                        .submit = submit,
                                        .read_submit = prov_json_read_answer,
                                        .source = source };

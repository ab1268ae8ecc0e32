/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of fal's clients. The rules of our own fields are in model/param.c; here is only what
 * has another name or form. */
#include "front/fal.h"

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "model/source_url.h"
#include "model/url.h"

/* ---- the address of a proxied request ---- */

static const struct {
    const char *host, *path;
} hosts[] = { { "queue.fal.run", "queue" }, { "fal.run", "run" }, { "rest.fal.ai", "rest" } };

static const char *path_of(const gf_url_parts_t *url)
{
    size_t i;

    for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        if (strlen(hosts[i].host) == url->authority_length
            && strncasecmp(hosts[i].host, url->authority, url->authority_length) == 0) {
            return hosts[i].path;
        }
    }
    return NULL;
}

const char *front_fal_target(const char **path, const char **query, const char *text,
                             apr_pool_t *pool)
{
    gf_url_parts_t url;
    gf_url_t checked;
    const char *wrong = gf_url_read(&checked, text, pool);
    const char *first;
    apr_size_t length;

    if (wrong) {
        return wrong;
    }
    first = gf_url_split(&url, text) && checked.https ? path_of(&url) : NULL;
    if (!first) {
        return "must begin with https://queue.fal.run/, https://fal.run/ or https://rest.fal.ai/";
    }
    length = strcspn(url.rest, "?#");
    *path = apr_pstrcat(pool, first, apr_pstrmemdup(pool, url.rest, length), NULL);
    *query = url.rest[length] == '?' ? url.rest + length + 1 : NULL;
    return NULL;
}

/* ---- headers ---- */

const char *front_fal_priority(const char *header)
{
    return header && strcasecmp(header, "low") == 0 ? "low" : NULL;
}

bool front_fal_timeout(double *seconds, const char *header)
{
    char *end;

    *seconds = 0;
    if (!header) {
        return true;
    }
    if (!apr_isdigit(*header)) {
        return false;
    }
    *seconds = strtod(header, &end);
    return *end == '\0' && *seconds > 0 && *seconds <= 86400;
}

/* ---- the input of a model ---- */

typedef enum {
    COPY,      /* stands in our body under the name of the row */
    PARAMETER, /* stands in `parameters` */
    COUNT,
    SIZE,
    PICTURE,
    PICTURES,
    REFUSE /* changes the picture, and no provider gets it here */
} member_kind_t;

/* What fal's models for pictures take. What is not here changes no picture, or belongs to one model
 * alone, and is dropped. */
static const struct {
    const char *name;
    member_kind_t kind;
    const char *ours; /* NULL: the same name */
} known[] = { { "prompt", COPY, NULL },
              { "negative_prompt", COPY, NULL },
              { "seed", COPY, NULL },
              { "strength", COPY, NULL },
              { "guidance_scale", COPY, NULL },
              { "num_inference_steps", COPY, NULL },
              { "output_format", COPY, NULL },
              { "quality", COPY, NULL },
              { "aspect_ratio", PARAMETER, NULL },
              { "background", PARAMETER, NULL },
              { "image_size", SIZE, NULL },
              { "num_images", COUNT, "n" },
              { "image_url", PICTURE, NULL },
              { "image_urls", PICTURES, NULL },
              { "mask_url", REFUSE, NULL },
              { "mask_image_url", REFUSE, NULL },
              { "control_image_url", REFUSE, NULL },
              { "controlnets", REFUSE, NULL },
              { "controlnet_unions", REFUSE, NULL },
              { "ip_adapters", REFUSE, NULL },
              { "reference_image_url", REFUSE, NULL },
              { "loras", REFUSE, NULL },
              { "embeddings", REFUSE, NULL } };

static gf_err_t *refuse(gf_ctx_t *ctx, const char *field, const char *message)
{
    return gf_err_field(ctx, GF_E_INVALID, field, message);
}

static bool is_empty(const gf_json_t *value)
{
    return gf_json_is_array(value) && gf_json_length(value) == 0;
}

static gf_err_t *add_picture(front_fal_input_t *input, gf_ctx_t *ctx, const char *name,
                             const gf_json_t *value)
{
    const char *text;

    if (!value || !gf_json_string(value, &text) || !*text) {
        return refuse(ctx, name, "must be the address of a picture, or a data: URI of one");
    }
    if (input->pictures->nelts > 0 && strcmp(input->pictures_name, name) != 0) {
        return refuse(ctx, name, "give one of image_url and image_urls only");
    }
    if (input->pictures->nelts == GF_SOURCES_MAX) {
        return refuse(ctx, name, apr_psprintf(ctx->pool, "may have %d at most", GF_SOURCES_MAX));
    }
    input->pictures_name = name;
    APR_ARRAY_PUSH(input->pictures, const char *) = text;
    return NULL;
}

static gf_err_t *add_pictures(front_fal_input_t *input, gf_ctx_t *ctx, const char *name,
                              const gf_json_t *list)
{
    apr_size_t i;

    if (!gf_json_is_array(list)) {
        return refuse(ctx, name, "must be a list of addresses or data: URIs");
    }
    for (i = 0; i < gf_json_length(list); i++) {
        GF_TRY(add_picture(input, ctx, name, gf_json_at(list, i)));
    }
    return NULL;
}

static gf_err_t *read_count(front_fal_input_t *input, gf_ctx_t *ctx, const gf_json_t *value)
{
    apr_int64_t count = 0;

    if (!gf_json_int(value, &count) || count < 1 || count > FRONT_FAL_IMAGES_MAX) {
        return refuse(
            ctx, "num_images",
            apr_psprintf(ctx->pool, "must be a whole number from 1 to %d", FRONT_FAL_IMAGES_MAX));
    }
    input->images = (int)count;
    return NULL;
}

/* The frames that all providers know, by width / height. */
static const struct {
    const char *ratio;
    double value;
} ratios[] = {
    { "1:1", 1 }, { "3:2", 3.0 / 2 }, { "2:3", 2.0 / 3 }, { "16:9", 16.0 / 9 }, { "9:16", 9.0 / 16 }
};

static const struct {
    const char *name, *ratio;
} sizes[] = {
    { "square_hd", "1:1" },      { "square", "1:1" },        { "portrait_4_3", "2:3" },
    { "portrait_16_9", "9:16" }, { "landscape_4_3", "3:2" }, { "landscape_16_9", "16:9" }
};

/* How far apart two frames are: the same for a wide pair as for the tall one. */
static double distance(double one, double other)
{
    return one > other ? one / other : other / one;
}

/* NULL: the size has no frame; the API then refuses it. */
static const char *ratio_of(const gf_json_t *size)
{
    apr_int64_t width = 0;
    apr_int64_t height = 0;
    const char *name;
    size_t best = 0;
    size_t i;

    if (gf_json_string(size, &name)) {
        for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            if (strcmp(sizes[i].name, name) == 0) {
                return sizes[i].ratio;
            }
        }
        return NULL;
    }
    if (!gf_json_int(gf_json_get(size, "width"), &width)
        || !gf_json_int(gf_json_get(size, "height"), &height) || width < 1 || height < 1) {
        return NULL;
    }
    for (i = 1; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
        double wanted = (double)width / (double)height;

        if (distance(wanted, ratios[i].value) < distance(wanted, ratios[best].value)) {
            best = i;
        }
    }
    return ratios[best].ratio;
}

/* Providers that take no size get the frame. "auto" leaves both to the provider. */
static void put_size(gf_out_t *parameters, const gf_json_t *body, gf_json_t *size)
{
    const char *text = NULL;
    const char *ratio = ratio_of(size);

    if (gf_json_string(size, &text) && strcmp(text, "auto") == 0) {
        return;
    }
    gf_out_put_raw(parameters, "image_size", gf_json_text(size));
    if (ratio && !gf_json_get(body, "aspect_ratio")) {
        gf_out_put_string(parameters, "aspect_ratio", ratio);
    }
}

static gf_err_t *read_member(front_fal_input_t *input, gf_ctx_t *ctx, gf_out_t *members,
                             gf_out_t *parameters, const gf_json_t *body, size_t row)
{
    gf_json_t *value = gf_json_get(body, known[row].name);
    const char *text;

    if (!value) {
        return NULL;
    }
    switch (known[row].kind) {
    case COPY:
        gf_out_put_raw(members, known[row].name, gf_json_text(value));
        return NULL;
    case PARAMETER:
        if (!gf_json_string(value, &text) || strcmp(text, "auto") != 0) {
            gf_out_put_raw(parameters, known[row].name, gf_json_text(value));
        }
        return NULL;
    case COUNT:
        GF_TRY(read_count(input, ctx, value));
        gf_out_put_int(members, known[row].ours, input->images);
        return NULL;
    case SIZE:
        put_size(parameters, body, value);
        return NULL;
    case PICTURE:
        return add_picture(input, ctx, known[row].name, value);
    case PICTURES:
        return add_pictures(input, ctx, known[row].name, value);
    case REFUSE:
        break;
    }
    return is_empty(value) ? NULL : refuse(ctx, known[row].name, "is not supported here");
}

gf_err_t *front_fal_input_read(front_fal_input_t *input, gf_ctx_t *ctx, gf_json_t *body)
{
    gf_out_t members;
    gf_out_t parameters;
    size_t i;

    memset(input, 0, sizeof(*input));
    input->pictures = apr_array_make(ctx->pool, 1, sizeof(const char *));
    input->images = 1;
    gf_out_init(&members, ctx->pool, 512);
    gf_out_init(&parameters, ctx->pool, 128);
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        GF_TRY(read_member(input, ctx, &members, &parameters, body, i));
    }
    input->members = members.text;
    input->parameters = parameters.text;
    return NULL;
}

static void put_parameters(gf_out_t *out, const front_fal_input_t *input, const char *front)
{
    if (!front && !*input->parameters) {
        return;
    }
    gf_out_key(out, "parameters");
    gf_out_open(out, '{');
    if (*input->parameters) {
        gf_out_raw(out, input->parameters);
    }
    if (front) {
        gf_out_put_raw(out, "front", front);
    }
    gf_out_close(out, '}');
}

const char *front_fal_input_body(const front_fal_input_t *input, const front_fal_beside_t *beside,
                                 apr_pool_t *pool)
{
    gf_out_t out;

    gf_out_init(&out, pool, 1024);
    gf_out_open(&out, '{');
    if (*input->members) {
        gf_out_raw(&out, input->members);
    }
    if (beside->sources) {
        gf_out_raw(&out, beside->sources);
    }
    put_parameters(&out, input, beside->front);
    if (beside->webhook) {
        gf_out_put_string(&out, "webhookUrl", beside->webhook);
    }
    if (beside->priority) {
        gf_out_put_string(&out, "priority", beside->priority);
    }
    gf_out_close(&out, '}');
    return out.text;
}

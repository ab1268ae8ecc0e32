/* SPDX-License-Identifier: Apache-2.0 */
/* Translates Replicate's requests, errors and files. Its routes are in front/replicate_api.c. */
#include "front/replicate.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "model/param.h"
#include "model/prefer.h"
#include "model/source_url.h"

#define PROBLEM "application/problem+json"
#define INPUT   "input."
#define FILES   "/files/"
#define DIGITS  "0123456789"

/* ---- the members of `input` ---- */

/* Names of models at Replicate differ: the first of the names that is there counts. */
typedef enum {
    IN_BODY,   /* a member of our body */
    PARAMETER, /* a member of its `parameters` */
    SEED,      /* negative: any */
    RATIO,     /* "16:9"; a word such as match_input_image is a model's own, and no ratio */
    SIZE,      /* "1024x768"; "2K" and the like are a model's own */
    FORMAT     /* jpg is jpeg */
} kind_t;

static const struct {
    const char *ours;
    kind_t kind;
    const char *theirs[4];
} members[] = {
    { "prompt", IN_BODY, { "prompt" } },
    { "n", IN_BODY, { "num_outputs", "number_of_images" } },
    { "seed", SEED, { "seed" } },
    { "negative_prompt", PARAMETER, { "negative_prompt" } },
    { "aspect_ratio", RATIO, { "aspect_ratio" } },
    { "size", SIZE, { "size" } },
    { "guidance_scale", PARAMETER, { "guidance_scale", "guidance" } },
    { "num_inference_steps", PARAMETER, { "num_inference_steps", "steps" } },
    { "strength", PARAMETER, { "prompt_strength", "strength" } },
    { "cfg_scale", PARAMETER, { "cfg_scale", "cfg" } },
    { "output_format", FORMAT, { "output_format" } },
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))

/* A source picture, or a list of them. */
static const char *const pictures[] = { "image",         "input_image",   "image_input",
                                        "input_images",  "input_image_2", "input_image_3",
                                        "input_image_4", "input_image_5", "input_image_6",
                                        "input_image_7", "input_image_8", "init_image",
                                        "image_prompt",  "control_image", "img" };

#define PICTURES (sizeof(pictures) / sizeof(pictures[0]))

/* Other names of our body, in errors. */
static const char *const renamed[][2] = {
    { "webhookUrl", "webhook" },
    { "sourceUrl", "input.image" },
    { "sourceAssetId", "input.image" },
    { "sourceAssetIds", "input.image" },
    { "image", "input.image" },
    { "presetKey", "model" },
    { "model", "model" },
    { "pixels", "input.size" },
};

/* The name of a field of our body on this wire. */
static const char *their_name(const char *ours, apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++) {
        if (strcmp(renamed[i][0], ours) == 0) {
            return renamed[i][1];
        }
    }
    for (i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i].ours, ours) == 0) {
            return apr_pstrcat(pool, INPUT, members[i].theirs[0], NULL);
        }
    }
    return ours;
}

/* ---- reading ---- */

static void refuse(gf_err_t **err, gf_ctx_t *ctx, const char *field, const char *message)
{
    bool missing = strncmp(message, "is required", strlen("is required")) == 0;

    *err = gf_err_add_field(*err, ctx, field, missing, message);
}

/* "<number><by><number>" and nothing else. */
static bool is_pair(const char *text, char by)
{
    apr_size_t first = strspn(text, DIGITS);
    apr_size_t second = text[first] == by ? strspn(text + first + 1, DIGITS) : 0;

    return first > 0 && second > 0 && !text[first + 1 + second];
}

/* The value as our body has it; NULL: it is left out. */
static const char *value_of(kind_t kind, gf_json_t *value, apr_pool_t *pool)
{
    const char *text = NULL;
    apr_int64_t number;
    gf_out_t out;

    gf_json_string(value, &text);
    if ((kind == SEED && gf_json_int(value, &number) && number < 0)
        || (kind == RATIO && text && !is_pair(text, ':'))
        || (kind == SIZE && text && !is_pair(text, 'x'))) {
        return NULL;
    }
    if (kind == FORMAT && text && strcmp(text, "jpg") == 0) {
        gf_out_init(&out, pool, 16);
        gf_out_string(&out, "jpeg");
        return out.text;
    }
    return gf_json_text(value);
}

static void read_members(replicate_request_t *request, gf_ctx_t *ctx, const gf_json_t *input)
{
    apr_int64_t count;
    gf_out_t parameters;
    gf_out_t body;
    size_t i;
    int j;

    gf_out_init(&body, ctx->pool, 512);
    gf_out_init(&parameters, ctx->pool, 256);
    for (i = 0; i < MEMBERS; i++) {
        gf_json_t *value = NULL;
        const char *text;

        for (j = 0; !value && members[i].theirs[j]; j++) {
            value = gf_json_get(input, members[i].theirs[j]);
        }
        if (strcmp(members[i].ours, "n") == 0 && gf_json_int(value, &count)) {
            request->count = count > 0 && count <= GF_BATCH_MAX ? (int)count : 0;
        }
        text = value ? value_of(members[i].kind, value, ctx->pool) : NULL;
        if (text) {
            bool inside = members[i].kind != IN_BODY && members[i].kind != SEED;

            gf_out_put_raw(inside ? &parameters : &body, members[i].ours, text);
        }
    }
    request->members = body.text;
    request->parameters = parameters.text;
}

/* `width` and `height`, where there is no `size`. */
static void read_sides(replicate_request_t *request, gf_ctx_t *ctx, const gf_json_t *input)
{
    apr_int64_t width;
    apr_int64_t height;

    if (gf_json_get(input, "size") || !gf_json_int(gf_json_get(input, "width"), &width)
        || !gf_json_int(gf_json_get(input, "height"), &height)) {
        return;
    }
    request->parameters =
        apr_psprintf(ctx->pool, "%s%s\"size\":\"%" APR_INT64_T_FMT "x%" APR_INT64_T_FMT "\"",
                     request->parameters, *request->parameters ? "," : "", width, height);
}

/* A data: URI announces the type that the client knew, which of a Buffer is none: the bytes count.
 */
static const char *picture_of(const char *text, apr_pool_t *pool)
{
    const char *comma = strncasecmp(text, "data:", 5) == 0 ? strchr(text, ',') : NULL;

    return comma ? apr_pstrcat(pool, "data:image/png;base64", comma, NULL) : text;
}

static void add_picture(gf_err_t **err, replicate_request_t *request, gf_ctx_t *ctx,
                        const char *field, const gf_json_t *value)
{
    replicate_source_t *source;
    const char *text;

    if (!gf_json_string(value, &text)) {
        refuse(err, ctx, field, "must be the address of a picture, or a data: URI");
        return;
    }
    source = apr_array_push(request->sources);
    source->field = field;
    source->text = picture_of(text, ctx->pool);
}

static void read_pictures(gf_err_t **err, replicate_request_t *request, gf_ctx_t *ctx,
                          const gf_json_t *input)
{
    size_t i;

    request->sources = apr_array_make(ctx->pool, 2, sizeof(replicate_source_t));
    for (i = 0; i < PICTURES; i++) {
        const char *field = apr_pstrcat(ctx->pool, INPUT, pictures[i], NULL);
        gf_json_t *value = gf_json_get(input, pictures[i]);
        apr_size_t j;

        if (value && !gf_json_is_array(value)) {
            add_picture(err, request, ctx, field, value);
        }
        if (gf_json_length(value) > GF_SOURCES_MAX) {
            refuse(err, ctx, field, apr_psprintf(ctx->pool, "may have %d at most", GF_SOURCES_MAX));
            continue;
        }
        for (j = 0; j < gf_json_length(value); j++) {
            add_picture(err, request, ctx, field, gf_json_at(value, j));
        }
    }
    if (gf_json_get(input, "mask")) { /* the picture would be another one without it */
        refuse(err, ctx, INPUT "mask", "is not supported: leave it out");
    }
}

/* Without a filter all events are wanted. `output` and `logs` come with the end. */
static void read_events(gf_err_t **err, replicate_request_t *request, gf_ctx_t *ctx,
                        const gf_json_t *body)
{
    static const char *const known[] = { "start", "output", "logs", "completed" };
    static const char field[] = "webhook_events_filter";
    gf_json_t *filter = gf_json_get(body, field);
    apr_size_t i;
    size_t word;

    request->on_start = request->on_end = request->webhook && !filter;
    if (filter && !gf_json_is_array(filter)) {
        refuse(err, ctx, field, "must be a list of start, output, logs, completed");
    }
    for (i = 0; i < gf_json_length(filter); i++) {
        const char *text = "";

        gf_json_string(gf_json_at(filter, i), &text);
        for (word = 0; word < 4 && strcmp(known[word], text) != 0; word++) {
        }
        if (word == 4) {
            refuse(err, ctx, field, "must be a list of start, output, logs, completed");
            return;
        }
        request->on_start = request->webhook && (request->on_start || word == 0);
        request->on_end = request->webhook && (request->on_end || word == 3);
    }
}

/* A text of the body, or NULL. */
static void read_text(gf_err_t **err, const char **text, gf_ctx_t *ctx, const gf_json_t *body,
                      const char *name)
{
    gf_json_t *value = gf_json_get(body, name);

    *text = NULL;
    if (value && (!gf_json_string(value, text) || !**text)) {
        refuse(err, ctx, name, "must be a text");
    }
}

gf_err_t *replicate_request_read(replicate_request_t *request, gf_ctx_t *ctx, const gf_json_t *body)
{
    gf_json_t *input = gf_json_get(body, "input");
    gf_err_t *err = NULL;

    memset(request, 0, sizeof(*request));
    read_text(&err, &request->version, ctx, body, "version");
    read_text(&err, &request->webhook, ctx, body, "webhook");
    read_events(&err, request, ctx, body);
    if (!input || !gf_json_is_object(input)) {
        refuse(&err, ctx, "input", input ? "must be an object" : "is required");
        return err;
    }
    read_members(request, ctx, input);
    read_sides(request, ctx, input);
    read_pictures(&err, request, ctx, input);
    if (!gf_json_get(input, "prompt") && request->sources->nelts == 0) {
        refuse(&err, ctx, INPUT "prompt", "is required");
    }
    return err;
}

/* ---- our body ---- */

const char *replicate_body(const replicate_request_t *request, const gf_prediction_t *prediction,
                           const char *sources, apr_pool_t *pool)
{
    gf_out_t out;

    gf_out_init(&out, pool, 1024);
    gf_out_open(&out, '{');
    if (*request->members) {
        gf_out_raw(&out, request->members);
    }
    if (request->webhook) {
        gf_out_put_string(&out, "webhookUrl", request->webhook);
    }
    if (sources) {
        gf_out_raw(&out, sources);
    }
    gf_out_key(&out, "parameters");
    gf_out_open(&out, '{');
    if (*request->parameters) {
        gf_out_raw(&out, request->parameters);
    }
    gf_out_put_raw(&out, "front", gf_prediction_member(prediction, pool));
    gf_out_close(&out, '}');
    gf_out_close(&out, '}');
    return out.text;
}

const char *replicate_file_id(const char *text, const char *mount, const char *const *hosts,
                              apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, mount, FILES, NULL);
    const char *id = NULL;

    for (; *hosts && !id; hosts++) {
        apr_size_t length = strlen(*hosts);

        if (strncasecmp(text, *hosts, length) == 0
            && strncmp(text + length, path, strlen(path)) == 0) {
            id = text + length + strlen(path);
        }
    }
    return id ? apr_pstrmemdup(pool, id, strcspn(id, "/?#")) : NULL;
}

apr_interval_time_t replicate_wait(const char *prefer, apr_pool_t *pool)
{
    const char *at = prefer ? prefer : "";
    gf_prefer_t read;

    gf_prefer_read(&read, prefer, pool);
    if (read.waits) {
        return read.wait;
    }
    while (*at) { /* a bare `wait`, which has no value */
        apr_size_t blanks = strspn(at, " \t,");
        apr_size_t length = strcspn(at + blanks, " \t,;=");

        at += blanks;
        if (length == 4 && strncasecmp(at, "wait", 4) == 0) {
            return REPLICATE_WAIT;
        }
        at += strcspn(at, ",");
    }
    return 0;
}

/* ---- names of models ---- */

const char *replicate_version(const char **model, const char *name, apr_pool_t *pool)
{
    const char *colon = strchr(name, ':');

    *model = colon ? apr_pstrmemdup(pool, name, (apr_size_t)(colon - name)) : name;
    return colon ? colon + 1 : NULL;
}

bool replicate_is_named(const char *listed, const char *name)
{
    const char *colon = strchr(listed, ':');
    apr_size_t length = colon ? (apr_size_t)(colon - listed) : strlen(listed);

    return strcmp(listed, name) == 0 || (colon && strcmp(colon + 1, name) == 0)
           || (colon && strlen(name) == length && strncmp(listed, name, length) == 0);
}

/* ---- files ---- */

void replicate_file_write(gf_out_t *out, const gf_asset_t *asset, const char *mount)
{
    const char *slash = strchr(asset->type, '/');

    gf_out_open(out, '{');
    gf_out_put_string(out, "id", asset->id);
    gf_out_put_string(out, "name",
                      apr_pstrcat(out->pool, asset->id, ".", slash ? slash + 1 : "bin", NULL));
    gf_out_put_string(out, "content_type", asset->type);
    gf_out_put_int(out, "size", asset->size);
    gf_out_put_string(out, "etag", asset->sha256);
    gf_out_key(out, "checksums");
    gf_out_open(out, '{');
    gf_out_put_string(out, "sha256", asset->sha256);
    gf_out_close(out, '}');
    gf_out_key(out, "metadata");
    gf_out_open(out, '{');
    gf_out_close(out, '}');
    gf_out_put_string(out, "expires_at", asset->expires_at);
    gf_out_key(out, "urls");
    gf_out_open(out, '{');
    gf_out_put_string(out, "get", apr_pstrcat(out->pool, mount, FILES, asset->id, NULL));
    gf_out_close(out, '}');
    gf_out_close(out, '}');
}

/* ---- errors ---- */

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = { { 400, "Bad request" },
                   { 401, "Unauthenticated" },
                   { 402, "Insufficient credit" },
                   { 403, "Forbidden" },
                   { 404, "Not found" },
                   { 405, "Method not allowed" },
                   { 409, "Conflict" },
                   { 413, "Request entity too large" },
                   { 415, "Unsupported media type" },
                   { 422, "Input validation failed" },
                   { 429, "Too many requests" },
                   { 503, "Service unavailable" } };
    size_t i;

    for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (titles[i].status == status) {
            return titles[i].title;
        }
    }
    return "Internal server error";
}

/* "invalid_fields":[{type,field,description}...] */
static void put_fields(gf_out_t *out, const apr_array_header_t *fields)
{
    int i;

    gf_out_key(out, "invalid_fields");
    gf_out_open(out, '[');
    for (i = 0; i < fields->nelts; i++) {
        const gf_field_error_t *field = &APR_ARRAY_IDX(fields, i, gf_field_error_t);

        gf_out_open(out, '{');
        gf_out_put_string(out, "type", field->missing ? "required" : "invalid");
        gf_out_put_string(out, "field", their_name(field->field, out->pool));
        gf_out_put_string(out, "description", field->message);
        gf_out_close(out, '}');
    }
    gf_out_close(out, ']');
}

/* What clients show: the text, and a line for each bad field. */
static const char *detail_of(const gf_err_t *err, apr_pool_t *pool)
{
    const char *detail = err->text ? err->text : err->row->text;
    int i;

    if (err->fields) {
        detail = "";
        for (i = 0; i < err->fields->nelts; i++) {
            const gf_field_error_t *field = &APR_ARRAY_IDX(err->fields, i, gf_field_error_t);

            detail = apr_pstrcat(pool, detail, "- ", their_name(field->field, pool), ": ",
                                 field->message, "\n", NULL);
        }
    }
    return detail;
}

void replicate_error(front_reply_t *reply, const front_fault_t *fault, apr_pool_t *pool)
{
    const gf_err_t *err = fault->err;
    gf_out_t out;

    reply->type = PROBLEM;
    gf_out_init(&out, pool, 512);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "type", "about:blank");
    gf_out_put_string(&out, "title", title_of(reply->status));
    gf_out_put_int(&out, "status", reply->status);
    gf_out_put_string(&out, "detail", detail_of(err, pool));
    gf_out_put_string(&out, "code", err->row->code);
    if (err->fields) {
        put_fields(&out, err->fields);
    }
    gf_out_put_string(&out, "request_id", fault->request_id);
    gf_out_close(&out, '}');
    reply->text = out.text;
}

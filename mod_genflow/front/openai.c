/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of OpenAI's images API, translated into ours. Responses are in front/openai_reply.c. */
#include "front/openai.h"

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/text.h"
#include "model/bound.h"
#include "model/prompt.h"
#include "model/source_url.h"
#include "model/type.h"

#define COUNT_MAX    10
#define PARTIALS_MAX 3
#define SIDE_MAX     65536

/* ---- requests ---- */

/* A member: JSON of a body, or the text of a form's part. */
typedef struct value_t {
    const char *name;
    gf_json_t *json;
    const char *text; /* of a form; NULL: json */
} value_t;

static gf_err_t *wrong(gf_ctx_t *ctx, const value_t *value, const char *message)
{
    return gf_err_field(ctx, GF_E_INVALID, value->name, message);
}

static gf_err_t *unsupported(gf_ctx_t *ctx, const char *name, const char *message)
{
    return gf_err_field(ctx, GF_E_UNSUPPORTED, name, message);
}

static gf_err_t *read_text(const char **text, gf_ctx_t *ctx, const value_t *value)
{
    if (value->text) {
        *text = value->text;
        return NULL;
    }
    return gf_json_string(value->json, text) ? NULL : wrong(ctx, value, "must be a text");
}

static gf_err_t *read_int(apr_int64_t *number, gf_ctx_t *ctx, const value_t *value, int min,
                          int max)
{
    bool good = value->text ? gf_text_int(number, value->text) : gf_json_int(value->json, number);

    return good && *number >= min && *number <= max
               ? NULL
               : wrong(ctx, value,
                       apr_psprintf(ctx->pool, "must be a whole number from %d to %d", min, max));
}

static gf_err_t *read_bool(bool *flag, gf_ctx_t *ctx, const value_t *value)
{
    if (value->text) {
        *flag = strcmp(value->text, "true") == 0;
        return *flag || strcmp(value->text, "false") == 0
                   ? NULL
                   : wrong(ctx, value, "must be true or false");
    }
    return gf_json_bool(value->json, flag) ? NULL : wrong(ctx, value, "must be true or false");
}

/* Is it one of `words` ("a|b|c")? */
static bool is_word(const char *words, const char *text)
{
    size_t length = strlen(text);

    for (; *words; words += strcspn(words, "|"), words += *words == '|') {
        if (strcspn(words, "|") == length && strncmp(words, text, length) == 0) {
            return true;
        }
    }
    return false;
}

static gf_err_t *read_word(const char **text, gf_ctx_t *ctx, const value_t *value,
                           const char *words)
{
    GF_TRY(read_text(text, ctx, value));
    return is_word(words, *text)
               ? NULL
               : wrong(ctx, value, apr_psprintf(ctx->pool, "must be one of %s", words));
}

/* ---- members with a meaning of their own ---- */

static gf_err_t *read_model(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    return read_text(&ask->model, ctx, value);
}

static gf_err_t *read_prompt(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    return read_text(&ask->prompt, ctx, value);
}

static gf_err_t *read_count(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    return read_int(&ask->count, ctx, value, 1, COUNT_MAX);
}

static gf_err_t *read_size(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    char *end;

    GF_TRY(read_text(&ask->size, ctx, value));
    if (strcmp(ask->size, "auto") == 0) {
        return NULL;
    }
    ask->width = apr_isdigit(ask->size[0]) ? apr_strtoi64(ask->size, &end, 10) : 0;
    if (ask->width > 0 && *end == 'x' && apr_isdigit(end[1])) {
        ask->height = apr_strtoi64(end + 1, &end, 10);
    }
    return ask->width > 0 && ask->width <= SIDE_MAX && ask->height > 0 && ask->height <= SIDE_MAX
                   && !*end
               ? NULL
               : wrong(ctx, value, "must be auto, or width and height as in 1024x1536");
}

static gf_err_t *read_quality(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    return read_text(&ask->quality, ctx, value);
}

static gf_err_t *read_format(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    return read_word(&ask->output_format, ctx, value, "png|jpeg|webp");
}

static gf_err_t *read_response(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    const char *format;

    GF_TRY(read_word(&format, ctx, value, "url|b64_json"));
    ask->is_url = strcmp(format, "url") == 0;
    return NULL;
}

static gf_err_t *read_stream(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    return read_bool(&ask->is_stream, ctx, value);
}

static gf_err_t *read_partials(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    apr_int64_t partials;

    (void)ask; /* fewer than requested are allowed */
    return read_int(&partials, ctx, value, 0, PARTIALS_MAX);
}

static gf_err_t *read_background(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    const char *background;

    (void)ask;
    GF_TRY(read_word(&background, ctx, value, "auto|opaque|transparent"));
    return strcmp(background, "transparent") == 0
               ? unsupported(ctx, value->name, "transparent is not supported")
               : NULL;
}

static gf_err_t *read_compression(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    apr_int64_t level;

    (void)ask;
    GF_TRY(read_int(&level, ctx, value, 0, 100));
    return level == 100 ? NULL : unsupported(ctx, value->name, "less than 100 is not supported");
}

static gf_err_t *refuse_mask(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    (void)ask;
    return unsupported(ctx, value->name, "is not supported: the whole picture is edited");
}

/* A hint: it may be ignored, whatever it says. */
static gf_err_t *read_hint(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    (void)ask;
    (void)ctx;
    (void)value;
    return NULL;
}

static gf_err_t *add_picture(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value,
                             gf_json_t *json)
{
    front_picture_t *picture = apr_array_push(ask->pictures);
    gf_json_t *url = gf_json_get(json, "image_url");
    gf_json_t *file = gf_json_get(json, "file_id");

    memset(picture, 0, sizeof(*picture));
    return gf_json_string(url    ? url
                          : file ? file
                                 : json,
                          &picture->text)
               ? NULL
               : wrong(ctx, value, "must be a list of {\"image_url\":\"data:... or https://...\"}");
}

static gf_err_t *read_pictures(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    apr_size_t i;

    if (value->text) {
        return wrong(ctx, value, "must be a file");
    }
    if (!gf_json_is_array(value->json)) {
        return add_picture(ask, ctx, value, value->json);
    }
    if (gf_json_length(value->json) > GF_SOURCES_MAX) {
        return wrong(ctx, value, apr_psprintf(ctx->pool, "may have %d at most", GF_SOURCES_MAX));
    }
    for (i = 0; i < gf_json_length(value->json); i++) {
        GF_TRY(add_picture(ask, ctx, value, gf_json_at(value->json, i)));
    }
    return NULL;
}

static const struct {
    const char *name;
    gf_err_t *(*read)(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value);
    bool of_edits; /* only of images/edits */
} members[] = { { "model", read_model, false },
                { "prompt", read_prompt, false },
                { "n", read_count, false },
                { "size", read_size, false },
                { "quality", read_quality, false },
                { "response_format", read_response, false },
                { "output_format", read_format, false },
                { "output_compression", read_compression, false },
                { "background", read_background, false },
                { "stream", read_stream, false },
                { "partial_images", read_partials, false },
                { "style", read_hint, false },
                { "user", read_hint, false },
                { "moderation", read_hint, false },
                { "input_fidelity", read_hint, true },
                { "mask", refuse_mask, true },
                { "image", read_pictures, true },
                { "images", read_pictures, true } };

#define MEMBERS (sizeof(members) / sizeof(members[0]))

static gf_err_t *read_member(front_openai_t *ask, gf_ctx_t *ctx, const value_t *value)
{
    size_t i;

    for (i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i].name, value->name) == 0 && (ask->is_edit || !members[i].of_edits)) {
            return members[i].read(ask, ctx, value);
        }
    }
    return ask->lenient ? NULL : wrong(ctx, value, "is not known here");
}

static void begin(front_openai_t *ask, gf_ctx_t *ctx)
{
    ask->count = 1;
    ask->pictures = apr_array_make(ctx->pool, 1, sizeof(front_picture_t));
}

static gf_err_t *end(const front_openai_t *ask, gf_ctx_t *ctx)
{
    const char *missing = !ask->prompt || !*ask->prompt               ? "prompt"
                          : ask->is_edit && ask->pictures->nelts == 0 ? "image"
                                                                      : NULL;

    return missing ? gf_err_add_field(NULL, ctx, missing, true, "is required") : NULL;
}

gf_err_t *front_openai_read(front_openai_t *ask, gf_ctx_t *ctx, const gf_json_t *body)
{
    const apr_array_header_t *names = gf_json_names(body, ctx->pool);
    int i;

    begin(ask, ctx);
    for (i = 0; i < names->nelts; i++) {
        value_t value = { .name = APR_ARRAY_IDX(names, i, const char *) };

        value.json = gf_json_get(body, value.name);
        if (value.json) { /* null is absent */
            GF_TRY(read_member(ask, ctx, &value));
        }
    }
    return end(ask, ctx);
}

/* A part that is a picture. */
static bool is_picture(const gf_part_t *part)
{
    return strcmp(part->name, "image") == 0 || strcmp(part->name, "image[]") == 0;
}

gf_err_t *front_openai_read_form(front_openai_t *ask, gf_ctx_t *ctx,
                                 const apr_array_header_t *parts)
{
    int i;

    begin(ask, ctx);
    for (i = 0; i < parts->nelts; i++) {
        const gf_part_t *part = &APR_ARRAY_IDX(parts, i, gf_part_t);
        const gf_bytes_t *bytes = &part->bytes;
        bool is_named = gf_text_utf8(part->name, strlen(part->name)) == strlen(part->name);
        value_t value = { .name = is_named ? part->name : "body" };

        if (is_picture(part) && ask->pictures->nelts < GF_SOURCES_MAX) {
            ((front_picture_t *)apr_array_push(ask->pictures))->text = NULL;
            APR_ARRAY_IDX(ask->pictures, ask->pictures->nelts - 1, front_picture_t).bytes = *bytes;
            continue;
        }
        value.text = apr_pstrmemdup(ctx->pool, bytes->at, part->file ? 0 : bytes->length);
        if (is_picture(part)) {
            value.name = "image";
            return wrong(ctx, &value,
                         apr_psprintf(ctx->pool, "may be there %d times at most", GF_SOURCES_MAX));
        }
        if (strlen(value.text) != (part->file ? 0 : bytes->length)
            || gf_text_utf8(value.text, strlen(value.text)) != strlen(value.text)) {
            return wrong(ctx, &value, "must be a text in UTF-8 without NUL characters");
        }
        GF_TRY(read_member(ask, ctx, &value));
    }
    return end(ask, ctx);
}

/* ---- our body ---- */

static gf_json_t *json_text(gf_ctx_t *ctx, const char *text)
{
    gf_json_t *object = NULL;
    gf_out_t out;

    gf_out_init(&out, ctx->pool, 64);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "v", text);
    gf_out_close(&out, '}');
    return gf_json_parse(&object, ctx, out.text, out.length) ? NULL : gf_json_get(object, "v");
}

static bool type_takes(gf_ctx_t *ctx, const gf_type_t *type, const char *name, const char *text)
{
    gf_json_t *value = json_text(ctx, text);

    return value && !gf_bound_wrong(type, name, value, ctx->pool);
}

/* How far two shapes are from each other: 1 is none, larger is farther. */
static double distance(double width, double height, const char *ratio)
{
    double of_ratio = strtod(ratio, NULL) / strtod(strchr(ratio, ':') + 1, NULL);
    double factor = width / height / of_ratio;

    return factor < 1 ? 1 / factor : factor;
}

/* The nearest aspect ratio that the type takes; NULL: it takes none. */
static const char *nearest_ratio(gf_ctx_t *ctx, const front_openai_t *ask, const gf_type_t *type)
{
    const gf_prompt_word_t *row;
    const char *nearest = NULL;

    for (row = gf_prompt_ratios; row->word; row++) {
        double far = distance((double)ask->width, (double)ask->height, row->word);

        if (type_takes(ctx, type, "aspect_ratio", row->word)
            && (!nearest || far < distance((double)ask->width, (double)ask->height, nearest))) {
            nearest = row->word;
        }
    }
    return nearest;
}

/* From the cheapest to the best. */
static const char *const qualities[] = { "low", "medium", "high" };

/* The word for a client's quality, those of older models included; -1: any. */
static int quality_of(const char *quality)
{
    return !quality                           ? -1
           : strcmp(quality, "low") == 0      ? 0
           : strcmp(quality, "medium") == 0   ? 1
           : strcmp(quality, "standard") == 0 ? 1
           : strcmp(quality, "high") == 0     ? 2
           : strcmp(quality, "hd") == 0       ? 2
                                              : -1;
}

/* The nearest quality that the type takes; of two the cheaper one. */
static const char *nearest_quality(gf_ctx_t *ctx, const front_openai_t *ask, const gf_type_t *type)
{
    int wanted = quality_of(ask->quality);
    int far;

    for (far = 0; wanted >= 0 && far <= 2; far++) {
        if (wanted - far >= 0 && type_takes(ctx, type, "quality", qualities[wanted - far])) {
            return qualities[wanted - far];
        }
        if (wanted + far <= 2 && type_takes(ctx, type, "quality", qualities[wanted + far])) {
            return qualities[wanted + far];
        }
    }
    return "auto";
}

/* Does GenflowTypeParameter name this format? Then the providers of the type can make it. */
static bool makes_format(gf_ctx_t *ctx, const gf_type_t *type, const char *format)
{
    return type_takes(ctx, type, "output_format", format)
           && !type_takes(ctx, type, "output_format", "none-of-them");
}

static gf_err_t *check_type(gf_ctx_t *ctx, const front_openai_t *ask, const gf_type_t *type)
{
    int most = type->source == GF_SOURCE_NONE ? 0 : gf_type_source_max(type);

    if (ask->output_format && strcmp(ask->output_format, "png") != 0
        && !makes_format(ctx, type, ask->output_format)) {
        return unsupported(ctx, "output_format",
                           apr_pstrcat(ctx->pool, ask->output_format, " is not supported", NULL));
    }
    if (ask->pictures->nelts > most && (most > 0 || type->source == GF_SOURCE_NONE)) {
        return unsupported(
            ctx, "image",
            most == 0 ? "is not taken by this model"
                      : apr_psprintf(ctx->pool, "may be there %d time%s at most with this model",
                                     most, most == 1 ? "" : "s"));
    }
    return NULL;
}

gf_err_t *front_openai_body(const char **body, front_openai_shown_t *shown, gf_ctx_t *ctx,
                            const front_openai_t *ask, const gf_type_t *type, const char *sources)
{
    gf_out_t out;

    GF_TRY(check_type(ctx, ask, type));
    shown->quality = nearest_quality(ctx, ask, type);
    gf_out_init(&out, ctx->pool, 1024);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "prompt", ask->prompt);
    gf_out_put_int(&out, "n", ask->count);
    if (ask->width > 0 && nearest_ratio(ctx, ask, type)) {
        gf_out_put_string(&out, "aspectRatio", nearest_ratio(ctx, ask, type));
    }
    if (quality_of(ask->quality) >= 0) {
        gf_out_put_string(&out, "quality", shown->quality);
    }
    if (ask->output_format && makes_format(ctx, type, ask->output_format)) {
        gf_out_put_string(&out, "output_format", ask->output_format);
    }
    if (sources) {
        gf_out_raw(&out, sources);
    }
    gf_out_close(&out, '}');
    *body = out.text;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of parameters: the table of all that translators send, the directive, and the checks.
 * Leaves gathering parameters to model/parameters.c. */
#include "model/bound.h"

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/text.h"
#include "model/prompt.h"

#define PIXELS      "pixels"
#define SIDE_MIN    64 /* a shorter side is billed as if it had that many pixels */
#define SIDE_MAX    65536
#define SIZE_LENGTH 11 /* characters of "65536x65536" */

typedef enum {
    IS_PIXELS, /* the bound of sizes */
    IS_SIZE,   /* width and height, in one of the forms that providers take */
    IS_NUMBER,
    IS_STEPS, /* a number of steps: a fraction is taken, and makes no sense */
    IS_WORD,  /* of a few */
    IS_FREE   /* text that costs nothing */
} kind_t;

/* Every parameter that a translator may send, beside prompt, seed and source picture. Only a
 * parameter with a row reaches a provider: the row says what it may cost. */
static const struct {
    const char *name;
    kind_t kind;
    double min, max;     /* of numbers; a type may only narrow them. max of texts: characters */
    const char *words;   /* of a type without GenflowTypeParameter for it; NULL: any */
    double min_two_step; /* of numbers in two-step bodies; 0: min */
} known[] = { { PIXELS, IS_PIXELS, 1, 1 << 30, NULL, 0 },
              { "quality", IS_WORD, 0, 0, "auto", 0 },
              { "num_inference_steps", IS_STEPS, 1, 100, NULL, 20 },
              { "strength", IS_NUMBER, 0, 1, NULL, 0.1 },
              { "guidance_scale", IS_NUMBER, 1, 20, NULL, 0 },
              { "cfg_scale", IS_NUMBER, 1, 10, NULL, 0 },
              { "control_strength", IS_NUMBER, 0, 1, NULL, 0 },
              { "fidelity", IS_NUMBER, 0, 1, NULL, 0 },
              { "aspect_ratio", IS_WORD, 0, 8, NULL, 0 },
              { "negative_prompt", IS_FREE, 0, 1000, NULL, 0 },
              { "style_preset", IS_WORD, 0, 40, NULL, 0 },
              { "output_format", IS_WORD, 0, 8, NULL, 0 },
              { "background", IS_WORD, 0, 0, NULL, 0 },
              { "image_size", IS_SIZE, 0, 0, NULL, 0 },
              { "size", IS_SIZE, 0, 0, NULL, 0 } };

#define KNOWN ((int)(sizeof(known) / sizeof(known[0])))

/* The sizes that have names at providers. */
static const struct {
    const char *name;
    int width, height;
} sizes[] = { { "square_hd", 1024, 1024 },    { "square", 512, 512 },
              { "portrait_4_3", 768, 1024 },  { "portrait_16_9", 576, 1024 },
              { "landscape_4_3", 1024, 768 }, { "landscape_16_9", 1024, 576 } };

static int row_of(const char *name)
{
    int i;

    for (i = 0; i < KNOWN && strcmp(known[i].name, name) != 0; i++) {
    }
    return i < KNOWN ? i : -1;
}

static const gf_bound_t *bound_of(const gf_type_t *type, const char *name)
{
    int i;

    for (i = 0; type && type->bounds && i < type->bounds->nelts; i++) {
        const gf_bound_t *bound = &APR_ARRAY_IDX(type->bounds, i, gf_bound_t);

        if (strcmp(bound->name, name) == 0) {
            return bound;
        }
    }
    return NULL;
}

const char *gf_bound_name(int i)
{
    return i < KNOWN ? known[i].name : NULL;
}

/* ---- the directive ---- */

gf_bound_takes_t gf_bound_takes(const char *name)
{
    int row = row_of(name);

    switch (row < 0 ? IS_FREE : known[row].kind) {
    case IS_PIXELS:
        return GF_BOUND_PIXELS;
    case IS_NUMBER:
    case IS_STEPS:
        return GF_BOUND_NUMBERS;
    case IS_WORD:
        return GF_BOUND_WORDS;
    case IS_SIZE:
    case IS_FREE:
        break;
    }
    return GF_BOUND_NOTHING;
}

const char *gf_bound_listed(apr_pool_t *pool)
{
    const char *listed = "";
    int i;

    for (i = 0; i < KNOWN; i++) {
        if (gf_bound_takes(known[i].name) != GF_BOUND_NOTHING) {
            listed = apr_pstrcat(pool, listed, i ? ", " : "", known[i].name, NULL);
        }
    }
    return listed;
}

/* "a|b|c": none of them empty. */
static bool are_words(const char *text)
{
    while (*text && *text != '|') {
        text += strcspn(text, "|");
        if (!*text) {
            return true;
        }
        text++;
    }
    return false;
}

bool gf_bound_number(double *number, const char *text)
{
    char *end;

    *number = strtod(text, &end);
    return apr_isdigit(text[0]) && *end == '\0' && *number <= GF_BOUND_NUMBER_MAX;
}

static const char *read_words(gf_bound_t *bound, int row, const char *text, apr_pool_t *pool)
{
    gf_out_t out;

    if (!are_words(text)) {
        return "needs a name and words a|b|c, or a name, min, default and max";
    }
    if (known[row].kind != IS_WORD) {
        return apr_psprintf(pool, "%s takes min, default and max", bound->name);
    }
    bound->words = apr_pstrdup(pool, text);
    if (strncmp(text, "auto", strcspn(text, "|")) == 0 && strcspn(text, "|") == 4) {
        return NULL; /* what providers do by themselves: it need not be sent */
    }
    gf_out_init(&out, pool, 32);
    gf_out_string(&out, apr_pstrmemdup(pool, text, strcspn(text, "|")));
    bound->usual = out.text;
    return NULL;
}

static const char *read_numbers(gf_bound_t *bound, int row, char *const argv[], apr_pool_t *pool)
{
    bool pixels = known[row].kind == IS_PIXELS;
    double usual;

    if (known[row].kind == IS_WORD) {
        return apr_psprintf(pool, "%s takes words: a|b|c", bound->name);
    }
    if (pixels && strcmp(argv[2], "-") != 0) {
        return "pixels has no default: write -, as in `pixels 1 - 4194304`";
    }
    if (!gf_bound_number(&bound->min, argv[1]) || !gf_bound_number(&bound->max, argv[3])
        || !gf_bound_number(&usual, pixels ? argv[1] : argv[2]) || bound->min > usual
        || usual > bound->max) {
        return "min, default and max must be numbers, min <= default <= max";
    }
    if (bound->min < known[row].min || bound->max > known[row].max) {
        return apr_psprintf(pool, "%s must be from %g to %g", bound->name, known[row].min,
                            known[row].max);
    }
    bound->usual = pixels ? NULL : gf_json_of_number(usual, pool);
    return NULL;
}

const char *gf_bound_read(gf_bound_t *bound, int argc, char *const argv[], apr_pool_t *pool)
{
    int row = argc > 0 ? row_of(argv[0]) : -1;

    memset(bound, 0, sizeof(*bound));
    if (argc > 0 && gf_bound_takes(argv[0]) == GF_BOUND_NOTHING) {
        return apr_psprintf(pool, "the name must be one of %s", gf_bound_listed(pool));
    }
    if (argc != 2 && argc != 4) {
        return "needs a name and words a|b|c, or a name, min, default and max";
    }
    bound->name = known[row].name;
    return argc == 2 ? read_words(bound, row, argv[1], pool) : read_numbers(bound, row, argv, pool);
}

/* ---- sizes ---- */

/* "1024x1536" */
static bool read_sides(const char *text, apr_int64_t *width, apr_int64_t *height)
{
    apr_size_t first = strspn(text, "0123456789");
    const char *second = text + first + 1;

    if (first == 0 || first > 5 || text[first] != 'x' || !*second || strlen(second) > 5
        || second[strspn(second, "0123456789")]) {
        return false;
    }
    *width = apr_atoi64(text);
    *height = apr_atoi64(second);
    return true;
}

static bool read_named(const char *text, apr_int64_t *width, apr_int64_t *height)
{
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (strcmp(sizes[i].name, text) == 0) {
            *width = sizes[i].width;
            *height = sizes[i].height;
            return true;
        }
    }
    return false;
}

/* image_size: a name, or exactly {"width","height"}; other forms are refused because their meaning
 * is unknown. size: "1024x1536". */
static bool read_size(apr_int64_t *width, apr_int64_t *height, const char *name, gf_json_t *value,
                      apr_pool_t *pool)
{
    const char *text;

    if (gf_json_string(value, &text)) {
        return strcmp(name, "size") == 0 ? read_sides(text, width, height)
                                         : read_named(text, width, height);
    }
    return strcmp(name, "size") != 0 && gf_json_is_object(value)
           && gf_json_names(value, pool)->nelts == 2
           && gf_json_int(gf_json_get(value, "width"), width)
           && gf_json_int(gf_json_get(value, "height"), height);
}

/* Width x height as it is billed; 0: it is no size. */
static double pixels_of(const char *name, gf_json_t *value, apr_pool_t *pool)
{
    apr_int64_t width, height;

    if (!read_size(&width, &height, name, value, pool) || width < 1 || height < 1
        || width > SIDE_MAX || height > SIDE_MAX) {
        return 0;
    }
    return (double)(width < SIDE_MIN ? SIDE_MIN : width)
           * (double)(height < SIDE_MIN ? SIDE_MIN : height);
}

bool gf_bound_is_honoured(const gf_choice_t *choice, const char *name)
{
    int row = row_of(name);

    return choice && row >= 0 && choice->honours & (1U << row);
}

/* NULL, or the mistake. */
static const char *wrong_pixels(const gf_type_t *type, double pixels, apr_pool_t *pool)
{
    const gf_bound_t *bound = bound_of(type, PIXELS);
    double min = bound ? bound->min : 1;
    double max = bound ? bound->max : GF_BOUND_PIXELS_MAX;

    return pixels >= min && pixels <= max
               ? NULL
               : apr_psprintf(pool, "must have %.0f to %.0f pixels", min, max);
}

static double pixels_of_sides(const char *sides)
{
    apr_int64_t width, height;

    return sides && read_sides(sides, &width, &height) ? (double)width * (double)height : 0;
}

bool gf_bound_allows(const gf_type_t *type, const char *sides, apr_pool_t *pool)
{
    return !wrong_pixels(type, pixels_of_sides(sides), pool);
}

/* Of the size that the entry makes of an aspect ratio; 0: it makes none. */
static double pixels_of_ratio(const gf_choice_t *choice, const char *ratio)
{
    return choice && choice->provider->kind->ratio_size
               ? pixels_of_sides(choice->provider->kind->ratio_size(choice->model, ratio))
               : 0;
}

/* What a request names for an aspect ratio, within the bounds or not. */
static double ratio_pixels(const gf_type_t *type, const gf_choice_t *choice, gf_json_t *parameters,
                           apr_pool_t *pool)
{
    gf_json_t *value = gf_json_get(parameters, "aspect_ratio");
    const char *ratio;

    return value && gf_bound_passes(type, "aspect_ratio", value, pool)
                   && gf_json_string(value, &ratio)
               ? pixels_of_ratio(choice, ratio)
               : 0;
}

/* A size that the entry gets, which then has no use for the ratio. */
static bool has_size(const gf_type_t *type, const gf_choice_t *choice, gf_json_t *parameters,
                     apr_pool_t *pool)
{
    int i;

    for (i = 0; i < KNOWN; i++) {
        gf_json_t *value = known[i].kind == IS_SIZE ? gf_json_get(parameters, known[i].name) : NULL;

        if (value && gf_bound_passes(type, known[i].name, value, pool)
            && gf_bound_is_honoured(choice, known[i].name)) {
            return true;
        }
    }
    return false;
}

const char *gf_bound_wrong_ratio(const gf_type_t *type, const gf_choice_t *choice,
                                 gf_json_t *parameters, apr_pool_t *pool)
{
    double pixels = ratio_pixels(type, choice, parameters, pool);

    return pixels > 0 && !has_size(type, choice, parameters, pool)
               ? wrong_pixels(type, pixels, pool)
               : NULL;
}

double gf_bound_pixels(const gf_type_t *type, const gf_choice_t *choice, bool honoured,
                       gf_json_t *parameters, apr_pool_t *pool)
{
    double most = 0;
    double ratio;
    int i;

    for (i = 0; i < KNOWN; i++) {
        gf_json_t *value = known[i].kind == IS_SIZE ? gf_json_get(parameters, known[i].name) : NULL;

        if (value && gf_bound_passes(type, known[i].name, value, pool)) {
            double pixels = pixels_of(known[i].name, value, pool);
            bool sent = gf_bound_is_honoured(choice, known[i].name);

            most = pixels > most && (sent || !honoured) ? pixels : most;
        }
    }
    if (has_size(type, choice, parameters, pool)) {
        return most;
    }
    ratio = ratio_pixels(type, choice, parameters, pool);
    return ratio > most && !wrong_pixels(type, ratio, pool) ? ratio : most;
}

static const char *wrong_size(const gf_type_t *type, const char *name, gf_json_t *value,
                              apr_pool_t *pool)
{
    const char *text;
    double pixels;

    if (strcmp(name, "size") == 0 && gf_json_string(value, &text) && strcmp(text, "auto") == 0) {
        return NULL;
    }
    pixels = pixels_of(name, value, pool);
    if (pixels <= 0) {
        return strcmp(name, "size") == 0
                   ? "must be auto, or width and height as in 1024x1536"
                   : "must be square_hd, square, portrait_4_3, portrait_16_9, landscape_4_3, "
                     "landscape_16_9, or an object of width and height";
    }
    return wrong_pixels(type, pixels, pool);
}

/* ---- checks ---- */

static const char *wrong_word(const char *words, const gf_json_t *value, apr_pool_t *pool)
{
    const char *text;

    return !words || (gf_json_string(value, &text) && gf_text_is_listed(words, text))
               ? NULL
               : apr_psprintf(pool, "must be one of %s", words);
}

static const char *wrong_number(const gf_bound_t *bound, const gf_json_t *value, apr_pool_t *pool)
{
    double number;

    return !bound
                   || (gf_json_number(value, &number) && number >= bound->min
                       && number <= bound->max)
               ? NULL
               : apr_psprintf(pool, "must be a number from %g to %g", bound->min, bound->max);
}

const char *gf_bound_wrong(const gf_type_t *type, const char *name, gf_json_t *value,
                           apr_pool_t *pool)
{
    const gf_bound_t *bound = bound_of(type, name);
    int row = row_of(name);

    switch (row < 0 ? IS_FREE : known[row].kind) {
    case IS_SIZE:
        return wrong_size(type, name, value, pool);
    case IS_WORD:
        return wrong_word(bound ? bound->words : known[row].words, value, pool);
    case IS_NUMBER:
    case IS_STEPS:
        return wrong_number(bound, value, pool);
    case IS_PIXELS:
    case IS_FREE:
        break;
    }
    return NULL;
}

static const char *wrong_range(int row, const gf_json_t *value, bool two_step, apr_pool_t *pool)
{
    double min = two_step && known[row].min_two_step > 0 ? known[row].min_two_step : known[row].min;
    double number;

    return gf_json_number(value, &number) && number >= min && number <= known[row].max
               ? NULL
               : apr_psprintf(pool, "must be a number from %g to %g", min, known[row].max);
}

static const char *wrong_length(int row, const gf_json_t *value, apr_pool_t *pool)
{
    const char *text;

    return known[row].max == 0
                   || (gf_json_string(value, &text)
                       && (double)gf_text_length(text) <= known[row].max)
               ? NULL
               : apr_psprintf(pool, "must be a text of at most %g characters", known[row].max);
}

const char *gf_bound_refuses(const gf_type_t *type, const char *name, gf_json_t *value,
                             bool two_step, apr_pool_t *pool)
{
    int row = row_of(name);
    kind_t kind = row < 0 ? IS_PIXELS : known[row].kind;
    const char *wrong = kind == IS_NUMBER || kind == IS_STEPS
                            ? wrong_range(row, value, two_step, pool)
                        : kind == IS_WORD || kind == IS_FREE ? wrong_length(row, value, pool)
                                                             : NULL;

    return wrong ? wrong : gf_bound_wrong(type, name, value, pool);
}

/* ---- the view ---- */

/* Not an aspect ratio of which the first entry makes a size beyond the bounds. */
static bool is_offered(const gf_bound_view_t *view, const gf_type_t *type, const char *word,
                       apr_pool_t *pool)
{
    bool is_ratio = strcmp(view->name, "aspect_ratio") == 0;
    double pixels = is_ratio && type->chain && type->chain->nelts > 0
                        ? pixels_of_ratio(&APR_ARRAY_IDX(type->chain, 0, gf_choice_t), word)
                        : 0;

    return pixels <= 0 || !wrong_pixels(type, pixels, pool);
}

static void look_at_words(gf_bound_view_t *view, const gf_type_t *type, const char *words,
                          apr_pool_t *pool)
{
    apr_array_header_t *values = apr_array_make(pool, 4, sizeof(const char *));

    while (*words) {
        apr_size_t length = strcspn(words, "|");
        const char *word = apr_pstrmemdup(pool, words, length);

        if (is_offered(view, type, word, pool)) {
            APR_ARRAY_PUSH(values, const char *) = word;
        }
        words += length + (words[length] == '|');
    }
    view->kind = "choice";
    view->values = values;
}

/* A text of any words within its length, and the usual ones of aspect_ratio. */
static void look_at_text(gf_bound_view_t *view, const gf_type_t *type, int row, apr_pool_t *pool)
{
    const gf_prompt_word_t *ratio = gf_prompt_ratios;
    apr_array_header_t *values;

    view->kind = "text";
    view->max = known[row].max;
    if (strcmp(view->name, "aspect_ratio") == 0) {
        values = apr_array_make(pool, 8, sizeof(const char *));
        for (; ratio->word; ratio++) {
            if (is_offered(view, type, ratio->word, pool)) {
                APR_ARRAY_PUSH(values, const char *) = ratio->word;
            }
        }
        view->values = values;
    }
}

/* size is a text like 1024x1536; image_size has names, of which those count whose pixels the type
 * allows. */
static void look_at_size(gf_bound_view_t *view, const gf_type_t *type, apr_pool_t *pool)
{
    const gf_bound_t *bound = bound_of(type, PIXELS);
    bool named = strcmp(view->name, "size") != 0;
    apr_array_header_t *values = apr_array_make(pool, 8, sizeof(const char *));
    size_t i;

    view->kind = named ? "choice" : "text";
    view->max = named ? 0 : SIZE_LENGTH;
    view->values = values;
    if (!named) {
        APR_ARRAY_PUSH(values, const char *) = "auto";
    }
    for (i = 0; named && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        double pixels = (double)sizes[i].width * sizes[i].height;

        if (pixels >= (bound ? bound->min : 1)
            && pixels <= (bound ? bound->max : GF_BOUND_PIXELS_MAX)) {
            APR_ARRAY_PUSH(values, const char *) = sizes[i].name;
        }
    }
}

bool gf_bound_look(gf_bound_view_t *view, int i, const gf_type_t *type, apr_pool_t *pool)
{
    const gf_bound_t *bound = bound_of(type, known[i].name);
    const char *words = bound && bound->words ? bound->words : known[i].words;

    memset(view, 0, sizeof(*view));
    view->name = known[i].name;
    view->usual = bound ? bound->usual : NULL;
    switch (known[i].kind) {
    case IS_PIXELS:
        return false;
    case IS_SIZE:
        look_at_size(view, type, pool);
        break;
    case IS_NUMBER:
    case IS_STEPS:
        view->kind = known[i].kind == IS_STEPS ? "integer" : "number";
        view->min = bound ? bound->min : known[i].min;
        view->max = bound ? bound->max : known[i].max;
        break;
    case IS_WORD:
        if (words) {
            look_at_words(view, type, words, pool);
            break;
        }
        look_at_text(view, type, i, pool);
        break;
    case IS_FREE:
        look_at_text(view, type, i, pool);
        break;
    }
    return strcmp(view->kind, "choice") != 0 || view->values->nelts > 1;
}

bool gf_bound_passes(const gf_type_t *type, const char *name, gf_json_t *value, apr_pool_t *pool)
{
    return row_of(name) >= 0 && !gf_bound_wrong(type, name, value, pool);
}

gf_err_t *gf_bound_fill(gf_json_t *parameters, gf_ctx_t *ctx, const gf_type_t *type)
{
    int i;

    for (i = 0; type->bounds && i < type->bounds->nelts; i++) {
        const gf_bound_t *bound = &APR_ARRAY_IDX(type->bounds, i, gf_bound_t);
        const char *text;
        gf_json_t *usual;

        if (bound->usual) {
            text = apr_pstrcat(ctx->pool, "{\"usual\":", bound->usual, "}", NULL);
            GF_TRY(gf_json_parse(&usual, ctx, text, strlen(text)));
            gf_json_add(parameters, bound->name, gf_json_get(usual, "usual"));
        }
    }
    return NULL;
}

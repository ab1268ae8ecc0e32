/* SPDX-License-Identifier: Apache-2.0 */
/* Prices: the terms of GenflowTypePrice, read when httpd starts, the first one that holds, and the
 * chain entries that a price pays for. */
#include "model/price.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "model/bound.h"
#include "model/type.h"

#define CREDITS_MAX 1000000
#define SIGNS       "<>="

typedef enum { IS_LESS, IS_AT_MOST, IS_EQUAL, IS_AT_LEAST, IS_MORE } sign_t;

/* name, sign, value: "pixels>1048576", "quality=high|medium", "model=stability/sd3". */
typedef struct term_t {
    const char *text; /* as it is configured */
    const char *name;
    sign_t sign;
    const char *words; /* "a|b|c"; NULL: a number */
    double number;
} term_t;

/* ---- the directive ---- */

static bool read_sign(sign_t *sign, const char *text, apr_size_t *length)
{
    *length = strspn(text, SIGNS);
    *sign = *text == '<'   ? (*length == 2 ? IS_AT_MOST : IS_LESS)
            : *text == '>' ? (*length == 2 ? IS_AT_LEAST : IS_MORE)
                           : IS_EQUAL;
    return *length == 1 || (*length == 2 && *text != '=' && text[1] == '=');
}

static bool is_model(const char *name)
{
    return strcmp(name, "model") == 0;
}

static bool is_count(const char *name)
{
    return strcmp(name, "n") == 0;
}

static const char *read_value(term_t *term, const char *value, apr_pool_t *pool)
{
    bool words = is_model(term->name) || gf_bound_takes(term->name) == GF_BOUND_WORDS;

    if (words && term->sign != IS_EQUAL) {
        return apr_psprintf(pool, "%s takes =, as in %s=%s", term->name, term->name,
                            is_model(term->name) ? "stability/sd3" : "high|medium");
    }
    if (words) {
        term->words = value;
        return NULL;
    }
    return gf_bound_number(&term->number, value)
               ? NULL
               : apr_psprintf(pool, "%s takes a number from 0 to %d", term->name,
                              GF_BOUND_NUMBER_MAX);
}

static const char *read_term(term_t *term, const char *text, apr_pool_t *pool)
{
    apr_size_t length = strcspn(text, SIGNS);
    apr_size_t signs;

    memset(term, 0, sizeof(*term));
    term->text = apr_pstrdup(pool, text);
    term->name = apr_pstrmemdup(pool, text, length);
    if (!is_model(term->name) && !is_count(term->name)
        && gf_bound_takes(term->name) == GF_BOUND_NOTHING) {
        return apr_psprintf(pool, "`%s`: a term begins with n, model, %s", text,
                            gf_bound_listed(pool));
    }
    if (!read_sign(&term->sign, text + length, &signs) || !text[length + signs]) {
        return apr_psprintf(pool, "`%s`: a term is a name, one of = < <= > >=, and a value", text);
    }
    return read_value(term, term->text + length + signs, pool);
}

const char *gf_price_read(gf_price_t *price, int argc, char *const argv[], apr_pool_t *pool)
{
    int i;

    if (argc < 2) {
        return "needs credits and at least one term, as in `4 quality=high pixels>1048576`";
    }
    if (!gf_text_int(&price->credits, argv[0]) || price->credits < 0
        || price->credits > CREDITS_MAX) {
        return apr_psprintf(pool, "credits must be 0 to %d", CREDITS_MAX);
    }
    price->terms = apr_array_make(pool, argc - 1, sizeof(term_t));
    for (i = 1; i < argc; i++) {
        const char *wrong = read_term(apr_array_push(price->terms), argv[i], pool);

        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}

/* ---- models ---- */

static const char *name_of(const gf_choice_t *choice, apr_pool_t *pool)
{
    return choice->model[0]
               ? apr_pstrcat(pool, gf_provider_wire(choice->provider), "/", choice->model, NULL)
               : gf_provider_wire(choice->provider);
}

/* Some of a type's chain entries may have been left out, for want of a key: their prices stay. */
static bool is_entry(const gf_type_t *type, const char *name)
{
    int i;

    for (i = 0; i < type->chain_text->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(type->chain_text, i, const char *), name) == 0) {
            return true;
        }
    }
    return type->fallback && strcmp(type->fallback, name) == 0;
}

static const char *wrong_models(const gf_type_t *type, const term_t *term, apr_pool_t *pool)
{
    char *words = apr_pstrdup(pool, term->words);
    char *state;
    char *word = apr_strtok(words, "|", &state);

    for (; word; word = apr_strtok(NULL, "|", &state)) {
        if (!is_entry(type, word)) {
            return apr_psprintf(pool,
                                "<GenflowType %s>: GenflowTypePrice names model=%s, which is none "
                                "of GenflowTypeProviders: %s",
                                gf_type_wire(type), word,
                                apr_array_pstrcat(pool, type->chain_text, ' '));
        }
    }
    return NULL;
}

const char *gf_price_wrong(const gf_type_t *type, apr_pool_t *pool)
{
    const char *wrong = NULL;
    int i, j;

    for (i = 0; type->prices && i < type->prices->nelts && !wrong; i++) {
        const gf_price_t *price = &APR_ARRAY_IDX(type->prices, i, gf_price_t);

        for (j = 0; j < price->terms->nelts && !wrong; j++) {
            const term_t *term = &APR_ARRAY_IDX(price->terms, j, term_t);

            wrong = is_model(term->name) ? wrong_models(type, term, pool) : NULL;
        }
    }
    return wrong;
}

/* ---- the price ---- */

static bool compares(const term_t *term, double number)
{
    switch (term->sign) {
    case IS_LESS:
        return number < term->number;
    case IS_AT_MOST:
        return number <= term->number;
    case IS_AT_LEAST:
        return number >= term->number;
    case IS_MORE:
        return number > term->number;
    case IS_EQUAL:
        break;
    }
    return number >= term->number && number <= term->number;
}

/* What the terms compare of a request. */
typedef struct request_t {
    const gf_type_t *type;
    gf_json_t *parameters;
    const gf_choice_t *choice; /* with which it begins; NULL: no entry fits */
    const char *model;         /* as GenflowTypeProviders has it; "": no entry fits */
    int count;
} request_t;

/* A bound from above is a discount: the model that the request begins with has to get it. */
static bool needs_honour(const term_t *term)
{
    return term->sign == IS_LESS || term->sign == IS_AT_MOST;
}

/* A value that neither the request nor a default gives fulfils no term. Neither does a value that
 * no provider gets. */
static bool holds(const term_t *term, const request_t *request, apr_pool_t *pool)
{
    gf_json_t *value;
    const char *word;
    double number;

    if (is_model(term->name)) {
        return gf_text_is_listed(term->words, request->model);
    }
    if (is_count(term->name)) {
        return compares(term, request->count);
    }
    if (gf_bound_takes(term->name) == GF_BOUND_PIXELS) {
        number = gf_bound_pixels(request->type, request->choice, needs_honour(term),
                                 request->parameters, pool);
        return number > 0 && compares(term, number);
    }
    value = gf_json_get(request->parameters, term->name);
    if (!value || !gf_bound_passes(request->type, term->name, value, pool)
        || (needs_honour(term) && !gf_bound_is_honoured(request->choice, term->name))) {
        return false;
    }
    return term->words ? gf_json_string(value, &word) && gf_text_is_listed(term->words, word)
                       : gf_json_number(value, &number) && compares(term, number);
}

static bool all_hold(const gf_price_t *price, const request_t *request, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < price->terms->nelts; i++) {
        if (!holds(&APR_ARRAY_IDX(price->terms, i, term_t), request, pool)) {
            return false;
        }
    }
    return true;
}

/* Its parameters and number of pictures are set by the caller. */
static void look_at_entry(request_t *request, int position, apr_pool_t *pool)
{
    request->choice = gf_type_choice(request->type, position);
    request->model = request->choice ? name_of(request->choice, pool) : "";
}

static apr_int64_t credits_of(const request_t *request, apr_pool_t *pool)
{
    const gf_type_t *type = request->type;
    int i;

    for (i = 0; i < type->prices->nelts; i++) {
        const gf_price_t *price = &APR_ARRAY_IDX(type->prices, i, gf_price_t);

        if (all_hold(price, request, pool)) {
            return price->credits;
        }
    }
    return type->cost;
}

gf_err_t *gf_price_of(apr_int64_t *credits, gf_ctx_t *ctx, const gf_type_t *type,
                      const gf_price_wish_t *wish)
{
    request_t request = { .type = type, .count = wish->count };
    int position = wish->chain_pos;

    *credits = type->cost;
    if (!type->prices) {
        return NULL;
    }
    if (position <= 0) {
        position = gf_type_begin(type, ctx, wish->parameters, wish->source_url);
    }
    look_at_entry(&request, position, ctx->pool);
    GF_TRY(gf_json_parse(&request.parameters, ctx, wish->parameters, strlen(wish->parameters)));
    *credits = credits_of(&request, ctx->pool);
    return NULL;
}

bool gf_price_pays(gf_ctx_t *ctx, const gf_type_t *type, const gf_price_sold_t *sold, int position)
{
    request_t first = { .type = type };
    request_t next = { .type = type };
    bool all = true;        /* it pays whatever their number was */
    bool consistent = true; /* ... whatever it was by the price */
    bool known = false;

    if (!type->prices) {
        return true;
    }
    if (gf_json_parse(&first.parameters, ctx, sold->parameters, strlen(sold->parameters))) {
        return false;
    }
    next.parameters = first.parameters;
    look_at_entry(&first, sold->begin, ctx->pool);
    look_at_entry(&next, position, ctx->pool);
    for (first.count = 1; first.count <= GF_BATCH_MAX; first.count++) {
        bool pays, may_be = credits_of(&first, ctx->pool) == sold->credits;

        next.count = first.count;
        pays = credits_of(&next, ctx->pool) <= sold->credits;
        all = all && pays;
        consistent = consistent && (pays || !may_be);
        known = known || may_be;
    }
    return known ? consistent : all;
}

void gf_price_put_terms(gf_out_t *out, const gf_price_t *price)
{
    int i;

    gf_out_open(out, '[');
    for (i = 0; i < price->terms->nelts; i++) {
        gf_out_string(out, APR_ARRAY_IDX(price->terms, i, term_t).text);
    }
    gf_out_close(out, ']');
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of generation/create. Leaves those that it shares with {type}/generate to
 * model/param.c.
 */
#include "model/twostep.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

#define WORDS_MAX 500

static const char *const type_names[] = { "type", NULL };
static const char *const model_names[] = { "model", NULL };
static const char *const words_names[] = { "customPrompt", "prompt", NULL };

/* The two lists of pictures: how many there may be. */
static const struct {
    const char *names[2];
    int min, max;
} lists[] = { { { "productImages", NULL }, 1, 5 }, { { "modelImages", NULL }, 0, 3 } };

/* What a generation gets where neither client nor preset say otherwise. */
static const char usual[] = "{\"guidance_scale\":7.5,\"num_inference_steps\":50,\"strength\":0.8}";

static void check_type(gf_form_t *form)
{
    const apr_array_header_t *types = form->ctx->conf->type_list;
    const char *listed = "";
    const char *name;
    int i;

    if (!gf_form_text(form, type_names, &name)) {
        if (!gf_form_member(form, type_names)) {
            gf_form_missing(form, type_names[0]);
        }
        return;
    }
    for (i = 0; i < types->nelts; i++) {
        listed = apr_pstrcat(form->ctx->pool, listed, i ? ", " : "",
                             APR_ARRAY_IDX(types, i, const gf_type_t *)->name, NULL);
    }
    gf_form_refuse(form, GF_E_INVALID, type_names[0], "must be one of %s", listed);
}

/* A list of addresses; sets how many, and the first. */
static void check_list(gf_form_t *form, size_t which, int *count, const char **first)
{
    const char *field = lists[which].names[0];
    gf_json_t *list = gf_form_member(form, lists[which].names);
    int given = (int)gf_json_length(list);
    int i;

    if (!list) {
        if (lists[which].min > 0) {
            gf_form_missing(form, field);
        }
        return;
    }
    if (!gf_json_is_array(list) || given < lists[which].min || given > lists[which].max) {
        gf_form_refuse(form, GF_E_INVALID, field, "must be a list of %d to %d addresses",
                       lists[which].min, lists[which].max);
        return;
    }
    for (i = given - 1; i >= 0; i--) {
        gf_json_t *value = gf_json_at(list, (apr_size_t)i);
        const char *url = NULL;
        const char *wrong = value && gf_json_string(value, &url)
                                ? gf_source_wrong_url(form->ctx, url)
                                : "must be a text without NUL characters";

        if (wrong) {
            gf_form_refuse(form, GF_E_INVALID, field, "number %d %s", i + 1, wrong);
        }
        *first = url;
    }
    *count = given;
}

static void check_texts(gf_form_t *form, gf_wish_t *wish)
{
    if (gf_form_text(form, words_names, &wish->custom)
        && gf_text_length(wish->custom) > WORDS_MAX) {
        gf_form_refuse(form, GF_E_INVALID, words_names[0], "must have at most %d characters",
                       WORDS_MAX);
    }
}

/* A link of the type's chain; where the type is not known, any may be. */
static void check_model(gf_form_t *form, const char *source_url)
{
    const gf_type_t *type = form->type;
    const char *model;

    if (gf_form_text(form, model_names, &model) && type->chain
        && gf_type_model(type, model, source_url) < 0) {
        gf_form_refuse(form, GF_E_INVALID, model_names[0], "must be one of %s",
                       gf_type_models(type, source_url, form->ctx->pool));
    }
}

void gf_order_check(gf_form_t *form, gf_ask_t *ask, gf_wish_t *wish)
{
    /* Where the type is not known, its bounds are not either: nothing more is refused for them. */
    static const gf_type_t any = { .retries = APR_INT16_MAX,
                                   .source = GF_SOURCE_MAY,
                                   .priority_max = GF_PRIORITY_HIGH };
    const char *product = NULL;
    const char *person;

    if (!form->type) {
        check_type(form);
        form->type = &any;
    }
    check_list(form, 0, &wish->product_images, &product);
    check_list(form, 1, &wish->model_images, &person);
    check_texts(form, wish);
    if (form->type->source != GF_SOURCE_NONE) {
        ask->source_url = ask->source.url = product;
    }
    check_model(form, ask->source_url);
}

gf_err_t *gf_order_fill(const gf_form_t *form, gf_json_t *parameters)
{
    gf_json_t *defaults;
    size_t i;

    GF_TRY(gf_json_parse(&defaults, form->ctx, usual, sizeof(usual) - 1));
    gf_json_add_all(parameters, defaults);
    gf_json_add(parameters, "model", gf_form_member(form, model_names));
    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        gf_json_add(parameters, lists[i].names[0], gf_form_member(form, lists[i].names));
    }
    return NULL;
}

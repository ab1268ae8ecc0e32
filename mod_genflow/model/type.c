/* SPDX-License-Identifier: Apache-2.0 */
/* Finds types, presets and entries of chains. Leaves directives to httpd/conf.c. */
#include "model/type.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "model/servers.h"
#include "model/source_url.h"

const gf_type_t *gf_type_find(const gf_conf_t *conf, const char *name, apr_pool_t *scratch_pool)
{
    char *hyphens;
    char *at;

    if (!strchr(name, '_')) {
        return apr_hash_get(conf->types, name, APR_HASH_KEY_STRING);
    }
    hyphens = apr_pstrdup(scratch_pool, name);
    for (at = hyphens; *at; at++) {
        if (*at == '_') {
            *at = '-';
        }
    }
    return apr_hash_get(conf->types, hyphens, APR_HASH_KEY_STRING);
}

const gf_choice_t *gf_type_choice(const gf_type_t *type, int position)
{
    return position == GF_TYPE_LOCAL       ? type->local
           : position < type->chain->nelts ? &APR_ARRAY_IDX(type->chain, position, gf_choice_t)
                                           : NULL;
}

static int most_sources(const gf_choice_t *choice)
{
    return choice->source == GF_SOURCE_NONE ? 0 : choice->source_max > 1 ? choice->source_max : 1;
}

/* What draws here at a user's request takes the first picture: it fits any number. */
static bool fits(const gf_choice_t *choice, int position, int pictures)
{
    if (pictures == 0) {
        return choice->source != GF_SOURCE_MUST;
    }
    return choice->source != GF_SOURCE_NONE
           && (pictures <= most_sources(choice) || position == GF_TYPE_LOCAL);
}

int gf_type_next(const gf_type_t *type, int position, const char *source_url)
{
    const gf_choice_t *choice;

    int pictures = gf_source_count(source_url);

    while ((choice = gf_type_choice(type, position)) && !fits(choice, position, pictures)) {
        position++;
    }
    return position;
}

/* ---- entries by the names of their models ---- */

static const char *name_of(const gf_choice_t *choice)
{
    return choice->model[0] ? choice->model : gf_provider_wire(choice->provider);
}

static bool is_named(const gf_choice_t *choice, const char *model)
{
    const char *provider = gf_provider_wire(choice->provider);
    size_t length = strlen(provider);

    return strcmp(name_of(choice), model) == 0
           || (strncmp(model, provider, length) == 0 && model[length] == '/'
               && strcmp(model + length + 1, choice->model) == 0);
}

int gf_type_source_max(const gf_type_t *type)
{
    int most = 0;
    int i;

    for (i = 0; i < type->chain->nelts; i++) {
        int takes = most_sources(&APR_ARRAY_IDX(type->chain, i, gf_choice_t));

        most = takes > most ? takes : most;
    }
    return most;
}

int gf_type_model(const gf_type_t *type, const char *model, const char *source_url)
{
    int position = gf_type_next(type, 0, source_url);
    const gf_choice_t *choice;

    while ((choice = gf_type_choice(type, position)) && !is_named(choice, model)) {
        position = gf_type_next(type, position + 1, source_url);
    }
    return choice ? position : -1;
}

const char *gf_type_models(const gf_type_t *type, const char *source_url, apr_pool_t *pool)
{
    int position = gf_type_next(type, 0, source_url);
    const char *listed = "";
    const gf_choice_t *choice;

    while ((choice = gf_type_choice(type, position))) {
        listed = apr_pstrcat(pool, listed, listed[0] ? ", " : "", name_of(choice), NULL);
        position = gf_type_next(type, position + 1, source_url);
    }
    return listed;
}

int gf_type_begin(const gf_type_t *type, gf_ctx_t *ctx, const char *parameters,
                  const char *source_url)
{
    const char *model;
    gf_json_t *json;
    int position = -1;

    if (strstr(parameters, "\"model\"") /* most have none */
        && !gf_json_parse(&json, ctx, parameters, strlen(parameters))
        && gf_json_string(gf_json_get(json, "model"), &model)) {
        position = gf_type_model(type, model, source_url);
    }
    return position < 0 ? gf_type_next(type, 0, source_url) : position;
}

const gf_provider_t *gf_type_provider(const gf_conf_t *conf, const char *name,
                                      apr_pool_t *scratch_pool)
{
    const gf_provider_t *own =
        conf->realm
            ? apr_hash_get(conf->providers, apr_pstrcat(scratch_pool, conf->realm, "-", name, NULL),
                           APR_HASH_KEY_STRING)
            : NULL;

    return own ? own : apr_hash_get(conf->providers, name, APR_HASH_KEY_STRING);
}

const char *gf_type_resolve(gf_type_t *type, const gf_conf_t *conf, apr_pool_t *pool)
{
    int i;

    if (type->chain_text->nelts == 0) {
        return apr_psprintf(
            pool,
            "<GenflowType %s>: GenflowTypeProviders is missing: name at least one provider, "
            "as in `GenflowTypeProviders stability/sd3 local`",
            gf_type_wire(type));
    }
    if (type->chain_text->nelts > GF_TYPE_CHAIN_MAX) {
        return apr_psprintf(pool,
                            "<GenflowType %s>: GenflowTypeProviders names more than %d providers",
                            gf_type_wire(type), GF_TYPE_CHAIN_MAX);
    }
    type->chain = apr_array_make(pool, type->chain_text->nelts, sizeof(gf_choice_t));
    for (i = 0; i < type->chain_text->nelts; i++) {
        const char *text = APR_ARRAY_IDX(type->chain_text, i, const char *);
        const char *slash = strchr(text, '/');
        const char *name = slash ? apr_pstrmemdup(pool, text, (apr_size_t)(slash - text)) : text;
        gf_choice_t *choice = apr_array_push(type->chain);

        choice->provider = gf_type_provider(conf, name, pool);
        choice->model = slash ? slash + 1 : "";
        if (!choice->provider) {
            return apr_psprintf(
                pool,
                "<GenflowType %s>: GenflowTypeProviders names `%s`, but there is no "
                "<GenflowProvider %s>",
                gf_type_wire(type), text, name);
        }
    }
    return NULL;
}

const char *gf_type_source(gf_type_t *type, apr_pool_t *pool)
{
    bool takes = gf_type_choice(type, gf_type_next(type, 0, "picture")) != NULL;
    bool does_without = gf_type_choice(type, gf_type_next(type, 0, NULL)) != NULL;
    bool wrong =
        type->source == GF_SOURCE_MUST ? !takes : type->source == GF_SOURCE_NONE && !does_without;

    if (type->chain->nelts == 0) {
        return NULL;
    }
    if (wrong) {
        return apr_psprintf(pool,
                            "<GenflowType %s>: no model of GenflowTypeProviders fits "
                            "GenflowTypeSource %s: %s",
                            gf_type_wire(type), takes ? "none" : "required",
                            takes ? "each of them needs a source picture" : "none takes one");
    }
    if (type->source == GF_SOURCE_MAY) {
        type->source = !takes ? GF_SOURCE_NONE : !does_without ? GF_SOURCE_MUST : GF_SOURCE_MAY;
    }
    return NULL;
}

const gf_type_t *gf_type_two_step(const gf_conf_t *conf)
{
    int i;

    for (i = 0; i < conf->type_list->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(conf->type_list, i, const gf_type_t *);

        if (type->two_step) {
            return type;
        }
    }
    return NULL;
}

const char *gf_type_only_two_step(const gf_conf_t *conf, apr_pool_t *pool)
{
    const apr_array_header_t *types = gf_servers_own_types(conf);
    const gf_type_t *first = NULL;
    int i;

    for (i = 0; i < types->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(types, i, const gf_type_t *);

        if (type->two_step && !first) {
            first = type;
        }
        else if (type->two_step) {
            return apr_psprintf(pool,
                                "GenflowTypeTwoStep On stands in <GenflowType %s> and <GenflowType "
                                "%s>: one at most",
                                gf_type_wire(first), gf_type_wire(type));
        }
    }
    return NULL;
}

const gf_preset_t *gf_type_preset(const gf_presets_t *presets, const char *key)
{
    int i;

    for (i = 0; i < presets->list->nelts; i++) {
        const gf_preset_t *preset = &APR_ARRAY_IDX(presets->list, i, gf_preset_t);

        if (strcmp(preset->key, key) == 0) {
            return preset;
        }
    }
    return NULL;
}

const gf_preset_t *gf_type_preset_on(const gf_presets_t *presets, const char *category)
{
    const gf_preset_t *first = NULL;
    int i;

    for (i = 0; i < presets->list->nelts; i++) {
        const gf_preset_t *preset = &APR_ARRAY_IDX(presets->list, i, gf_preset_t);

        if (preset->is_on && strcmp(preset->category, category) == 0) {
            return preset;
        }
        if (preset->is_on && !first) {
            first = preset;
        }
    }
    return first;
}

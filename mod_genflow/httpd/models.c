/* SPDX-License-Identifier: Apache-2.0 */
/* Reads GenflowModel and resolves its types. front/ serves the names. */
#include "httpd/models.h"

#include <string.h>

#include <apr_strings.h>

#include "model/type.h"

#define NAME_MAX_LENGTH 200
#define WHAT            "GenflowModel "

/* "gpt-image-1", "owner/name", "owner/name:version": pieces of an address, none of them empty or
 * of dots alone. */
static bool is_name(const char *name)
{
    const char *at = name;

    while (*at) {
        size_t length = strcspn(at, "/");

        if (length == 0 || strspn(at, ".") >= length) {
            return false;
        }
        at += length;
        if (*at == '/' && !*++at) {
            return false;
        }
    }
    return *name && strlen(name) <= NAME_MAX_LENGTH
           && !name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                 "._:/-")];
}

/* The value of "key=value" if it is that key and not empty; NULL: it is not. */
static const char *value_of(const char *text, const char *key)
{
    size_t length = strlen(key);

    return strncmp(text, key, length) == 0 && text[length] == '=' && text[length + 1]
               ? text + length + 1
               : NULL;
}

/* One option after name and type. False: it is none. */
static bool read_option(gf_model_t *model, const char *text)
{
    const char *preset = value_of(text, "preset");
    const char *link = value_of(text, "link");
    const char *output = value_of(text, "output");

    if (preset) {
        model->preset = preset;
    }
    else if (link && strchr(link, '/')) {
        model->link = link;
    }
    else if (output && (strcmp(output, "one") == 0 || strcmp(output, "list") == 0)) {
        model->is_one = strcmp(output, "one") == 0;
    }
    else {
        return false;
    }
    return true;
}

const char *httpd_models_read(gf_model_t *model, apr_pool_t *pool, int argc, char *const argv[])
{
    int i;

    if (argc < 2) {
        return WHAT "needs a name and a type";
    }
    model->name = argv[0];
    model->type_name = argv[1];
    if (!is_name(model->name)) {
        return apr_psprintf(pool,
                            WHAT "%s: must be pieces of A-Z a-z 0-9 . _ : - with / between them, "
                                 "at most %d characters",
                            model->name, NAME_MAX_LENGTH);
    }
    for (i = 2; i < argc; i++) {
        if (!read_option(model, argv[i])) {
            return apr_psprintf(pool,
                                WHAT "%s: %s: must be preset=KEY, link=PROVIDER/MODEL, output=list "
                                     "or output=one",
                                model->name, argv[i]);
        }
    }
    return NULL;
}

apr_array_header_t *httpd_models_merge(apr_pool_t *pool, apr_array_header_t *around,
                                       apr_array_header_t *inside)
{
    apr_array_header_t *all;
    int i;

    if (!around || !inside) {
        return inside ? inside : around;
    }
    all = apr_array_copy(pool, inside);
    for (i = 0; i < around->nelts; i++) {
        gf_model_t *model = APR_ARRAY_IDX(around, i, gf_model_t *);

        if (!httpd_models_find(inside, model->name)) {
            APR_ARRAY_PUSH(all, gf_model_t *) = model;
        }
    }
    return all;
}

static bool has_link(const gf_type_t *type, const char *link)
{
    int i;

    for (i = 0; i < type->chain_text->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(type->chain_text, i, const char *), link) == 0) {
            return true;
        }
    }
    return false;
}

const char *httpd_models_finish(const gf_conf_t *conf, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < conf->models->nelts; i++) {
        gf_model_t *model = APR_ARRAY_IDX(conf->models, i, gf_model_t *);

        model->type = gf_type_find(conf, model->type_name, pool);
        if (!model->type) {
            return apr_psprintf(pool, "%s: " WHAT "%s %s: there is no <GenflowType %s>",
                                model->where, model->name, model->type_name, model->type_name);
        }
        if (model->link && !has_link(model->type, model->link)) {
            return apr_psprintf(pool,
                                "%s: " WHAT "%s %s link=%s: GenflowTypeProviders of this type does "
                                "not name it",
                                model->where, model->name, model->type_name, model->link);
        }
    }
    return NULL;
}

const gf_model_t *httpd_models_find(const apr_array_header_t *models, const char *name)
{
    int i;

    for (i = 0; models && i < models->nelts; i++) {
        const gf_model_t *model = APR_ARRAY_IDX(models, i, const gf_model_t *);

        if (strcmp(model->name, name) == 0) {
            return model;
        }
    }
    return NULL;
}

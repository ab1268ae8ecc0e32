/* SPDX-License-Identifier: Apache-2.0 */
/* The names of members, and what is told of others. Leaves what members mean to model/param.c,
 * model/twostep.c and model/source.c, which read them. */
#include "model/known.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

#define NAME_SHOWN 64 /* bytes of a stranger's name */

/* In both bodies. `userId` is ignored: who asks is whoever signed in. `parameters` and
 * `generationMeta` are the client's own. */
#define COMMON                                                                                     \
    "prompt", "customPrompt", "presetKey", "preset_key", "preset", "n", "numberOfImages", "runId", \
        "run_id", "webhookUrl", "webhook_url", "maxRetries", "max_retries", "priority", "style",   \
        "quality", "aspectRatio", "seed", "parameters", "strength", "guidance_scale",              \
        "num_inference_steps", "cfg_scale", "control_strength", "fidelity", "aspect_ratio",        \
        "negative_prompt", "style_preset", "output_format", "templateId", "generationMeta",        \
        "userId", "type", "model"
#define SOURCE \
    "sourceUrl", "source_url", "imageUrl", "image_url", "sourceAssetId", "source_asset_id", "image"
#define LISTS "productImages", "modelImages"

const char *const gf_known_one_step[] = { COMMON, SOURCE, NULL };
const char *const gf_known_two_step[] = { COMMON, LISTS, NULL };
const char *const gf_known_config[] = { COMMON, SOURCE, LISTS, NULL };

static bool is_listed(const char *name, const char *const *known)
{
    for (; *known; known++) {
        if (strcmp(name, *known) == 0) {
            return true;
        }
    }
    return false;
}

const char *gf_known_hint(const char *name, const char *const *known, apr_pool_t *pool)
{
    const char *near = gf_text_nearest(name, known);

    return near ? apr_psprintf(pool, "is not known here; did you mean %s?", near)
                : "is not known here: leave it out";
}

apr_array_header_t *gf_known_strangers(const gf_json_t *object, const char *const *known,
                                       apr_pool_t *pool)
{
    const apr_array_header_t *names = gf_json_names(object, pool);
    apr_array_header_t *strangers = apr_array_make(pool, 2, sizeof(const char *));
    int i;

    for (i = 0; i < names->nelts && strangers->nelts < GF_KNOWN_TOLD; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (!is_listed(name, known)) {
            apr_size_t length = gf_text_utf8(name, strnlen(name, NAME_SHOWN));

            APR_ARRAY_PUSH(strangers, const char *) = apr_pstrmemdup(pool, name, length);
        }
    }
    return strangers;
}

void gf_known_check(gf_form_t *form, const gf_json_t *object, const char *prefix,
                    const char *const *known)
{
    apr_pool_t *pool = form->ctx->pool;
    const apr_array_header_t *strangers = gf_known_strangers(object, known, pool);
    int i;

    for (i = 0; i < strangers->nelts; i++) {
        const char *name = APR_ARRAY_IDX(strangers, i, const char *);

        gf_form_refuse(form, GF_E_INVALID, apr_pstrcat(pool, prefix, name, NULL), "%s",
                       gf_known_hint(name, known, pool));
    }
    form->strangers = form->strangers || strangers->nelts > 0;
}

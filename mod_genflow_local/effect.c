/* SPDX-License-Identifier: Apache-2.0
 *
 * From a source picture to a PNG file: read, repainted by an effect, packed. Runs on whatever
 * thread calls; all memory is in a subpool, to which gd's is tied.
 */
#include "mod_genflow_local/effect.h"

#include <string.h>

#include <apr_strings.h>

#include "mod_genflow_local/photo.h"
#include "mod_genflow_local/scene.h"

/* The effect at strength 0, of PL_ONE. */
#define SHARE_LEAST 88

static const struct {
    const char *name; /* the model in a chain: local/glitch */
    pl_effect_t *apply;
} EFFECTS[] = { { "glitch", pl_glitch_apply }, { "mask", pl_mask_apply },
                { "ghibli", pl_ghibli_apply }, { "film", pl_film_apply },
                { "oil", pl_painting_apply },  { "", pl_painting_apply } };

static pl_effect_t *effect_of(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(EFFECTS) / sizeof(EFFECTS[0]); i++) {
        if (strcmp(EFFECTS[i].name, name) == 0) {
            return EFFECTS[i].apply;
        }
    }
    return NULL;
}

bool local_effect_exists(const char *name)
{
    return effect_of(name) != NULL;
}

const char *local_effect_names(apr_pool_t *pool)
{
    const char *names = EFFECTS[0].name;
    size_t i;

    for (i = 1; EFFECTS[i].name[0]; i++) {
        names = apr_pstrcat(pool, names, ", ", EFFECTS[i].name, NULL);
    }
    return names;
}

static apr_status_t make_effect(const local_wish_t *wish, const char *path, apr_pool_t *pool)
{
    const char *preset = wish->preset != NULL ? wish->preset : "";
    const pl_wish_t inner = {
        .key = pl_key(wish->prompt, preset, wish->seed),
        .preset = preset,
        .words = { preset, wish->prompt },
        .share = SHARE_LEAST + (PL_ONE - SHARE_LEAST) * pl_clamp(wish->strength, 0, 100) / 100
    };
    pl_effect_t *apply =
        effect_of(wish->effect); /* an old chain may name an effect that no longer exists */
    pl_plane_t *plane;
    apr_status_t rv = pl_source_read(&plane, wish, pool);

    if (rv == APR_SUCCESS) {
        rv = (apply ? apply : pl_painting_apply)(plane, &inner, pool);
    }
    return rv == APR_SUCCESS ? pl_png_write(plane, path, pool) : rv;
}

apr_status_t local_effect(const local_wish_t *wish, const char *path, apr_pool_t *scratch_pool)
{
    apr_pool_t *pool;
    apr_status_t rv = apr_pool_create(&pool, scratch_pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = make_effect(wish, path, pool);
    apr_pool_destroy(pool);
    return rv;
}

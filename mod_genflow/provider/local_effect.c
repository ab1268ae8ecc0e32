/* SPDX-License-Identifier: Apache-2.0
 *
 * From a source picture to a PNG file: read, repainted by the effect of the generation type,
 * packed. Runs on whatever thread calls; all memory is in a subpool, to which gd's is tied.
 */
#include "provider/local_effect.h"

#include <string.h>

#include "provider/local_photo.h"
#include "provider/local_scene.h"

/* What the least strength still does, of PL_ONE. */
#define SHARE_LEAST 88

static const struct {
    const char *type;
    pl_effect_t *apply;
} EFFECTS[] = { { "neo-glitch", pl_glitch_apply },
                { "emotion-mask", pl_mask_apply },
                { "ghibli-reaction", pl_ghibli_apply },
                { "presets", pl_film_apply },
                { "custom-prompt", pl_film_apply } };

static pl_effect_t *effect_of(const char *type)
{
    size_t i;

    for (i = 0; i < sizeof(EFFECTS) / sizeof(EFFECTS[0]); i++) {
        if (strcmp(EFFECTS[i].type, type) == 0) {
            return EFFECTS[i].apply;
        }
    }
    return pl_painting_apply;
}

static apr_status_t make(const prov_local_wish_t *wish, const char *path, apr_pool_t *pool)
{
    const char *preset = wish->preset != NULL ? wish->preset : "";
    const pl_wish_t inner = {
        .key = pl_key(wish->prompt, preset, wish->seed),
        .preset = preset,
        .words = { preset, wish->prompt },
        .share = SHARE_LEAST + (PL_ONE - SHARE_LEAST) * pl_clamp(wish->strength, 0, 100) / 100
    };
    pl_plane_t *plane;
    apr_status_t rv = pl_source_read(&plane, wish->source, wish->pixels_max, pool);

    if (rv == APR_SUCCESS) {
        rv = effect_of(wish->type)(plane, &inner, pool);
    }
    return rv == APR_SUCCESS ? pl_png_write(plane, path, pool) : rv;
}

apr_status_t prov_local_effect(const prov_local_wish_t *wish, const char *path,
                               apr_pool_t *scratch_pool)
{
    apr_pool_t *pool;
    apr_status_t rv = apr_pool_create(&pool, scratch_pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = make(wish, path, pool);
    apr_pool_destroy(pool);
    return rv;
}

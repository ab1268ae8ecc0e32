/* SPDX-License-Identifier: Apache-2.0
 *
 * The effect of neo-glitch: night falls over the source picture in one of the drawn scenes'
 * palettes, its edges light up as neon, and a screen that glitches shows it. The presets visor and
 * tattoos add theirs, scanlines an old screen; bloom and screen are those of the drawn scenes.
 */
#include "mod_genflow_local/photo.h"
#include "mod_genflow_local/scene.h"

/* Where on the way from dark to light the night's five colours stand. */
static const int NIGHT_STOPS[5] = { 0, 1000, 2100, 3200, PL_FULL };

static void look_decide(pl_look_t *look, const pl_plane_t *plane, const pl_wish_t *wish)
{
    apr_uint64_t dice = pl_dice_of(wish->key, PL_DICE_LOOK);
    pl_face_t face;

    pl_face_find(&face, plane);
    *look = (pl_look_t){ .key = wish->key,
                         .palette = pl_palette(&dice),
                         .preset = pl_preset(wish->preset),
                         .unrest = pl_clamp(wish->share * 3 / 2, 0, PL_ONE) };
    look->horizon = plane->h;
    look->visor = (pl_box_t){ face.x, (face.y - face.ry / 16) * PL_SUB, face.rx * 5 / 4,
                              face.ry * PL_SUB / 4 };
    look->sun_x = face.x; /* what the tracery rings */
    look->sun_y = face.y;
    look->sun_r = face.ry * 3 / 4;
}

static pl_ink_t night_ink(const pl_palette_t *palette, int luma)
{
    const apr_uint32_t inks[5] = { palette->sky[0], palette->sky[1], palette->sky[2],
                                   palette->sky[3], palette->sun[0] };
    int i = 0;

    while (i < 3 && luma >= NIGHT_STOPS[i + 1]) {
        i++;
    }
    return pl_ink_mix(pl_ink(inks[i]), pl_ink(inks[i + 1]),
                      (luma - NIGHT_STOPS[i]) * PL_ONE / (NIGHT_STOPS[i + 1] - NIGHT_STOPS[i]));
}

static void night_fall(pl_plane_t *plane, const pl_look_t *look, int share)
{
    static const pl_grade_t CRISP = { .colour = 330, .contrast = 150 };
    int x, y;

    pl_grade(plane, &CRISP);
    for (y = 0; y < plane->h; y++) {
        const apr_uint16_t *light = plane->light + 3 * (apr_size_t)y * plane->w;

        for (x = 0; x < plane->w; x++, light += 3) {
            int luma = pl_clamp(pl_luma(light), 0, PL_FULL);

            pl_cover(plane, x, y, night_ink(look->palette, luma), share * 3 / 4);
        }
    }
}

/* Each edge in the neon of its neighbourhood. */
static void neon_light(pl_plane_t *plane, const unsigned char *edges, const pl_look_t *look,
                       int share)
{
    apr_uint64_t key = pl_dice_of(look->key, PL_DICE_SIGNS);
    int wide = pl_span(plane, 260);
    int x, y;

    for (y = 0; y < plane->h; y++) {
        for (x = 0; x < plane->w; x++, edges++) {
            int line = pl_clamp(*edges - 44, 0, PL_ONE) * share / PL_ONE;

            if (line > 0) {
                int n = pl_noise(key, x * 256 / wide, y * 256 / wide);
                const apr_uint32_t *neon = look->palette->neon;
                pl_ink_t ink =
                    pl_ink_mix(pl_ink(neon[0]), pl_ink(neon[1]), pl_clamp((n - 96) * 4, 0, PL_ONE));

                pl_glow(plane, x, y, ink, line);
            }
        }
    }
}

/* Blocks that hang: pieces of rows from elsewhere, in one colour. */
static void blocks_tear(pl_plane_t *plane, const pl_look_t *look)
{
    apr_uint64_t dice = pl_dice_of(look->key, PL_DICE_GLITTER);
    int count = look->preset == PL_SCANLINES ? 26 : 15;
    int i;

    for (i = 0; i < count * look->unrest / PL_ONE; i++) {
        pl_ink_t ink = pl_ink(look->palette->neon[pl_roll(&dice, 0, 3)]);
        pl_box_t box = { pl_roll(&dice, -plane->w / 10, plane->w), pl_roll(&dice, 0, plane->h - 1),
                         pl_span(plane, pl_roll(&dice, 20, 210)),
                         pl_span(plane, pl_roll(&dice, 2, 13)) };

        pl_fill(plane, box, ink, pl_roll(&dice, 30, 120));
    }
}

apr_status_t pl_glitch_apply(pl_plane_t *plane, const pl_wish_t *wish, apr_pool_t *pool)
{
    apr_status_t rv = pl_paint(plane, pl_span(plane, 3), pool); /* or grain would light up */
    unsigned char *edges = rv == APR_SUCCESS ? pl_edges_make(plane, pool) : NULL;
    pl_look_t look;

    if (edges == NULL) {
        return rv != APR_SUCCESS ? rv : APR_ENOMEM;
    }
    look_decide(&look, plane, wish);
    night_fall(plane, &look, wish->share);
    neon_light(plane, edges, &look, look.preset == PL_TATTOOS ? wish->share * 2 : wish->share);
    if (look.preset == PL_VISOR) {
        pl_visor_paint(plane, &look);
    }
    if (look.preset == PL_TATTOOS) {
        pl_tracery_paint(plane, &look);
    }
    blocks_tear(plane, &look);
    rv = pl_bloom(plane, pool);
    return rv == APR_SUCCESS ? pl_screen_show(plane, &look, pool) : rv;
}

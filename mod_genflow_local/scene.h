/* SPDX-License-Identifier: Apache-2.0
 *
 * What the painters of the `local` provider's picture share: the look, decided by draw.c
 * before the first stroke, and who paints what. For this folder alone. A painter changes nothing
 * but the plane.
 */
#ifndef LOCAL_SCENE_H
#define LOCAL_SCENE_H

#include <stdbool.h>

#include "mod_genflow_local/plane.h"

/* Colours as 0xRRGGBB. */
typedef struct pl_palette_t {
    apr_uint32_t sky[4];  /* zenith to horizon */
    apr_uint32_t sun[2];  /* its top, its foot */
    apr_uint32_t haze;    /* what distance fades to */
    apr_uint32_t wall;    /* the nearest buildings */
    apr_uint32_t lamp[2]; /* windows */
    apr_uint32_t neon[4]; /* signs, lines */
} pl_palette_t;

/* What a picture may show: its preset, then what the dice choose among. */
typedef enum { PL_BASE, PL_VISOR, PL_TATTOOS, PL_SCANLINES } pl_preset_e;
typedef enum { PL_SUN, PL_MOON, PL_ECLIPSE } pl_disc_e;
typedef enum { PL_GRID, PL_WATER, PL_STREET } pl_ground_e;
typedef enum { PL_TOWER, PL_TORII, PL_PAGODA } pl_landmark_e;

/* The subjects that throw dice (pl_dice_of()). A number that changes gives other pictures for the
 * same words and seed. */
enum {
    PL_DICE_LOOK = 1,
    PL_DICE_SKY,
    PL_DICE_STARS,
    PL_DICE_DISC,
    PL_DICE_BEAMS,
    PL_DICE_RIDGE,
    PL_DICE_CITY,
    PL_DICE_SIGNS,
    PL_DICE_TRAFFIC,
    PL_DICE_GROUND,
    PL_DICE_GLITTER,
    PL_DICE_TRACERY,
    PL_DICE_GLITCH
};

/* All decisions about a picture. draw.c makes them; the painters only read them. */
typedef struct pl_look_t {
    apr_uint64_t key;            /* the hash of prompt, preset and seed */
    const pl_palette_t *palette; /* constant */
    pl_preset_e preset;
    pl_disc_e disc;
    pl_ground_e ground;
    pl_landmark_e landmark;

    /* In pixels: the first row of the ground, middle and radius of the disc, whichever it is. */
    int horizon;
    int sun_x;
    int sun_y;
    int sun_r;

    int ridges;  /* rows of mountains, 0 to 2 */
    int beams;   /* searchlights, 0 to 4 */
    int signs;   /* towers that carry one, of sixteen */
    int density; /* towers without a gap to the next, percent */

    /* The visor's middle and half its sides; y and h in sixteenths of a pixel. */
    pl_box_t visor;
    int unrest; /* how much the screen glitches, of PL_ONE */
} pl_look_t;

/* draw.c: the hash of the words and the seed that decides a look. NULL is as "". It is no
 * cryptographic hash: two requests may get the same picture. */
apr_uint64_t pl_key(const char *prompt, const char *preset, apr_uint64_t seed);

/* draw.c: one of the palettes, by the next number of the dice. */
const pl_palette_t *pl_palette(apr_uint64_t *dice);

/* draw.c: the preset of that name, with or without `neo_tokyo_` before it; PL_BASE for all others,
 * and for NULL. */
pl_preset_e pl_preset(const char *word);

/* scene.c: the whole scene, before lens and screen: calls the painters below. `pool` is for
 * scratch. APR_ENOMEM without memory. */
apr_status_t pl_scene_paint(pl_plane_t *plane, const pl_look_t *look, apr_pool_t *pool);

/* city.c: what stands on the horizon, far to near. */
void pl_city_paint(pl_plane_t *plane, const pl_look_t *look);

/* ground.c: mirrors what stands above the horizon, so it comes last. */
void pl_ground_paint(pl_plane_t *plane, const pl_look_t *look);

/* neon.c: a lit tube; a sign that fills `box` with glyphs thrown by `dice`; what the
 * presets visor and tattoos add above the horizon. */
void pl_tube(pl_plane_t *plane, const pl_stroke_t *stroke, pl_ink_t ink);
void pl_sign(pl_plane_t *plane, const pl_look_t *look, apr_uint64_t *dice, pl_box_t box);
void pl_visor_paint(pl_plane_t *plane, const pl_look_t *look);
void pl_tracery_paint(pl_plane_t *plane, const pl_look_t *look);

/* screen.c: makes of a finished plane what a screen shows, with fringes, scanlines, glitches and
 * dark corners: nothing brighter than PL_FULL. `pool` is for scratch. APR_ENOMEM without memory. */
apr_status_t pl_screen_show(pl_plane_t *plane, const pl_look_t *look, apr_pool_t *pool);

#endif

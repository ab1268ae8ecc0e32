/* SPDX-License-Identifier: Apache-2.0
 *
 * The ground of the `local` provider's picture: it mirrors all that stands above the horizon, so it
 * is painted last. Water bends the mirror and glitters; street and grid have lines in perspective.
 */
#include "mod_genflow_local/scene.h"

/* Floor positions count in 1/CELL of a cell. */
#define CELL 4096

/* Lines of which a pixel spans more than this have faded away. */
#define FADE 1400

/* One row of the floor. */
typedef struct floor_t {
    int far;          /* how far away */
    int along;        /* cover of a line that runs along the row */
    int half;         /* half a line's thickness, in sixteenths of a pixel */
    apr_int64_t side; /* of a cell a pixel, with eight bits of fraction */
    apr_int64_t lean; /* how much that changes from row to row */
} floor_t;

/* A sine, near enough for water: `turn` in 1/1024 of a round, result -PL_ONE..PL_ONE. */
static int wave_at(int turn)
{
    int half = turn & 511;
    int up = half * (512 - half) / 256;

    return (turn & 512) != 0 ? -up : up;
}

/* The scene mirrored `down` rows below the horizon, tinted by the sun: bent on water, drawn long
 * by wet asphalt. */
static pl_ink_t mirrored_ink(const pl_plane_t *plane, const pl_look_t *look, int x, int down)
{
    bool water = look->ground == PL_WATER;
    int bend = water ? 3 : 1;
    int far = look->horizon * 40 / (down + 8);
    int shift = wave_at(far * 24 + x * 512 / plane->w) + wave_at(far * 67 - x * 3 + 8192);
    int row = look->horizon - 1 - down * 3 / 2;
    pl_ink_t sum = { 0, 0, 0 };
    int i, luma;

    row += wave_at(far * 51 + x * 2) * bend * (down + 6) / 16000;
    x = pl_clamp(x + shift * bend * (down + 12) / 20000, 0, plane->w - 1);
    for (i = 0; i < 4; i++) {
        int y = pl_clamp(row - i - i * (water ? 2 : 5) * down / 160, 0, look->horizon - 1);
        const apr_uint16_t *at = plane->light + 3 * ((apr_size_t)y * plane->w + x);

        sum.r += at[0];
        sum.g += at[1];
        sum.b += at[2];
    }
    sum = pl_ink_scale(sum, PL_ONE / 4);
    luma = (sum.r + sum.g + sum.b) / 3 * PL_ONE / PL_FULL;
    return pl_ink_mix(sum, pl_ink_scale(pl_ink(look->palette->sun[1]), luma), 90);
}

/* Cover of a line where a position meets a whole cell; a pixel spans `per` of a cell. */
static int line_share(int at, int per, int half)
{
    int off = at & (CELL - 1);

    if (per > FADE) {
        return 0;
    }
    off = off < CELL / 2 ? off : CELL - off;
    off = off * PL_SUB / (per > 0 ? per : 1);
    return pl_clamp((half + PL_SUB / 2 - off) * 16, 0, PL_ONE) * (FADE - per) / FADE;
}

static floor_t floor_at(const pl_plane_t *plane, const pl_look_t *look, int down)
{
    int deep = plane->h - look->horizon;
    floor_t floor;

    floor.half = pl_span(plane, 14 + 18 * down / deep);
    floor.far = (int)((apr_int64_t)deep * CELL * 5 / (2 * down + 1));
    floor.along = line_share(floor.far, floor.far / (2 * down + 1) * 2, floor.half);
    floor.side = (apr_int64_t)floor.far * 256 * 6 / (deep * 5);
    floor.lean = floor.side * 2 / (2 * down + 1);
    return floor;
}

/* Lines at one pixel, `off` from under the sun: a grid, or a street's kerbs and its crossing. */
static int floor_share(const floor_t *floor, pl_ground_e ground, int off)
{
    int away = off < 0 ? -off : off;
    int out = (int)(away * floor->side / 256);
    int side = off < 0 ? CELL - out % CELL : out;
    int step = (int)(floor->side / 256);
    int lean = (int)(away * floor->lean / 256);
    int across;

    if (ground == PL_WATER) {
        return 0;
    }
    if (ground == PL_STREET && floor->far / CELL == 4 && out < 6 * CELL) {
        return side % CELL < CELL / 2 ? 90 : 0;
    }
    across = line_share(side, lean > step ? lean : step, floor->half);
    if (ground == PL_STREET) {
        return out > CELL * 11 / 2 && out < CELL * 13 / 2 ? across / 2 : 0;
    }
    return floor->along > across ? floor->along : across;
}

static void floor_paint(pl_plane_t *plane, const pl_look_t *look)
{
    const pl_palette_t *palette = look->palette;
    pl_ink_t deep_ink = pl_ink_mix(pl_ink(palette->wall), pl_ink(palette->sky[1]), 90);
    pl_ink_t line = pl_ink(palette->neon[look->ground == PL_GRID ? 1 : 0]);
    apr_uint64_t key = pl_dice_of(look->key, PL_DICE_GROUND);
    int deep = plane->h - look->horizon;
    int puddle = PL_ONE;
    int x, down;

    for (down = 0; down < deep; down++) {
        floor_t floor = floor_at(plane, look, down);
        int wet = 210 - 120 * down / deep;
        int far = look->horizon * 1800 / (down + 12);

        for (x = 0; x < plane->w; x++) {
            int lines = floor_share(&floor, look->ground, x - look->sun_x);
            pl_ink_t ink = mirrored_ink(plane, look, x, down);

            if (x % 4 == 0 && look->ground != PL_WATER) {
                puddle = 110 + pl_noise(key, x * 3, far) * 5 / 8;
            }
            ink = pl_ink_mix(deep_ink, ink, wet * puddle / PL_ONE);
            pl_cover(plane, x, look->horizon + down, ink, PL_ONE);
            if (lines > 0) {
                pl_glow(plane, x, look->horizon + down, line, lines);
            }
        }
    }
}

/* The sun's path over the water: dashes of its light, denser and shorter towards it. */
static void glitter_paint(pl_plane_t *plane, const pl_look_t *look)
{
    const pl_palette_t *palette = look->palette;
    apr_uint64_t dice = pl_dice_of(look->key, PL_DICE_GLITTER);
    pl_ink_t ink = pl_ink_mix(pl_ink(palette->sun[0]), pl_ink(palette->sun[1]), 120);
    int deep = plane->h - look->horizon;
    int dash, i;

    for (dash = 0; dash < 420; dash++) {
        int most = deep * pl_roll(&dice, 0, 1000) / 1000;
        int down = most * pl_roll(&dice, 20, 1000) / 1000;
        int reach = look->sun_r * (deep + down) / deep * pl_roll(&dice, 10, 100) / 100;
        int x = look->sun_x + pl_roll(&dice, -reach, reach);
        int half = pl_span(plane, 4 + 40 * down / deep) * pl_roll(&dice, 40, 100) / 100;
        int shine = pl_roll(&dice, 30, 150) * (deep - down) / deep;

        for (i = -half; i <= half; i++) {
            int fade = shine * (half - (i < 0 ? -i : i)) / (half + 1);

            pl_glow(plane, x + i, look->horizon + down, ink, fade);
        }
    }
}

/* Light that lies on the horizon: a hair of it bright, and mist above and below. */
static void horizon_glow(pl_plane_t *plane, const pl_look_t *look)
{
    const pl_palette_t *palette = look->palette;
    pl_ink_t mist = pl_ink_mix(pl_ink(palette->haze), pl_ink(palette->sun[1]), 80);
    int reach = plane->h / 9;
    int x, y;

    for (y = look->horizon - reach; y < look->horizon + reach && y < plane->h; y++) {
        int off = y < look->horizon ? look->horizon - y : y - look->horizon;
        int share = (reach - off) * (reach - off) * 70 / (reach * reach) + (off < 2 ? 70 : 0);

        for (x = 0; x < plane->w; x++) {
            pl_glow(plane, x, y, mist, share);
        }
    }
}

void pl_ground_paint(pl_plane_t *plane, const pl_look_t *look)
{
    floor_paint(plane, look);
    if (look->ground == PL_WATER) {
        glitter_paint(plane, look);
    }
    horizon_glow(plane, look);
}

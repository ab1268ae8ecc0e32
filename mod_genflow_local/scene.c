/* SPDX-License-Identifier: Apache-2.0
 *
 * The scene of the `local` provider's picture, back to front: sky with clouds and halo, stars,
 * searchlights, the disc, mountains. City, neon and ground are painted by the files of their names.
 */
#include "mod_genflow_local/scene.h"

/* Where the sky's four colours stand, from zenith to horizon. */
static const int SKY_STOPS[4] = { 0, 96, 176, 244 };

static pl_ink_t sky_ink(const pl_palette_t *palette, int down)
{
    int i = 0;

    down = pl_clamp(down, 0, SKY_STOPS[3]);
    while (i < 2 && down >= SKY_STOPS[i + 1]) {
        i++;
    }
    return pl_ink_mix(pl_ink(palette->sky[i]), pl_ink(palette->sky[i + 1]),
                      (down - SKY_STOPS[i]) * PL_ONE / (SKY_STOPS[i + 1] - SKY_STOPS[i]));
}

/* How near the disc is: PL_ONE in its middle, a quarter at its edge, and on towards nothing. */
static int halo_at(const pl_look_t *look, int x, int y)
{
    apr_int64_t dx = x - look->sun_x;
    apr_int64_t dy = y - look->sun_y;
    apr_int64_t square = (apr_int64_t)look->sun_r * look->sun_r;
    int near = (int)(square * PL_ONE / (square + dx * dx + dy * dy));

    return near * near / PL_ONE;
}

/* Long drawn-out clouds, thickest half-way down. */
static int cloud_at(const pl_plane_t *plane, apr_uint64_t key, int x, int y, int down)
{
    int wide = pl_span(plane, 300);
    int high = pl_span(plane, 64);
    int n = pl_noise(key, x * 256 / wide, y * 256 / high) * 4
            + pl_noise(key + 1, x * 640 / wide, y * 560 / high) * 2
            + pl_noise(key + 2, x * 1500 / wide, y * 1200 / high);
    int thick = pl_clamp(n / 7 - 100, 0, 90);
    int weight = down < 150 ? down : (256 - down) * 150 / 106;

    return thick * weight * 11 / 1024;
}

/* All of this is smooth, so a quarter of the size is enough. */
static apr_status_t sky_paint(pl_plane_t *plane, const pl_look_t *look, apr_pool_t *pool)
{
    pl_plane_t *quarter = pl_plane_make(plane->w / 4 + 1, plane->h / 4 + 1, pool);
    pl_ink_t sun = pl_ink(look->palette->sun[1]);
    pl_ink_t haze = pl_ink(look->palette->haze);
    apr_uint64_t key = pl_dice_of(look->key, PL_DICE_SKY);
    int x, y;

    if (quarter == NULL) {
        return APR_ENOMEM;
    }
    for (y = 0; y < quarter->h; y++) {
        int down = pl_clamp((4 * y + 2) * PL_ONE / look->horizon, 0, PL_ONE);
        pl_ink_t ink = sky_ink(look->palette, down);

        for (x = 0; x < quarter->w; x++) {
            int halo = halo_at(look, 4 * x + 2, 4 * y + 2);
            int cloud = cloud_at(plane, key, 4 * x + 2, 4 * y + 2, down);

            pl_cover(quarter, x, y, ink, PL_ONE);
            pl_cover(quarter, x, y, pl_ink_mix(haze, sun, halo * 2), cloud);
            pl_glow(quarter, x, y, sun, halo * 5 / 8);
        }
    }
    pl_spread(plane, quarter);
    return APR_SUCCESS;
}

static void paint_twinkle(pl_plane_t *plane, pl_box_t star, pl_ink_t ink, int shine)
{
    int i;

    for (i = 1; i <= star.w; i++) {
        int fade = shine * (star.w + 1 - i) / (star.w + 1) * 2 / 3;

        pl_glow(plane, star.x - i, star.y, ink, fade);
        pl_glow(plane, star.x + i, star.y, ink, fade);
        pl_glow(plane, star.x, star.y - i, ink, fade);
        pl_glow(plane, star.x, star.y + i, ink, fade);
    }
}

/* Fewer and fainter towards horizon and disc; one in nine twinkles as a small cross. */
static void stars_paint(pl_plane_t *plane, const pl_look_t *look)
{
    apr_uint64_t dice = pl_dice_of(look->key, PL_DICE_STARS);
    int count = plane->w / 4 * (look->horizon / 4) / 34;
    int i;

    for (i = 0; i < count; i++) {
        int x = pl_roll(&dice, 0, plane->w - 1);
        int y = pl_roll(&dice, 0, look->horizon - 1);
        int shine = pl_roll(&dice, 20, 200);
        pl_ink_t ink = pl_ink_mix(pl_ink(0xffffff), pl_ink(look->palette->neon[i % 4]), 90);

        shine = shine * pl_roll(&dice, 30, PL_ONE) / PL_ONE;
        shine = shine * (look->horizon - y) / look->horizon;
        if (halo_at(look, x, y) > 50) {
            continue;
        }
        pl_glow(plane, x, y, ink, i % 9 == 0 ? 2 * shine : shine);
        if (i % 9 == 0) {
            paint_twinkle(plane, (pl_box_t){ x, y, pl_span(plane, 5), 0 }, ink, shine);
        }
    }
}

/* Searchlights from behind the city, fading as they rise. */
static void beams_paint(pl_plane_t *plane, const pl_look_t *look)
{
    apr_uint64_t dice = pl_dice_of(look->key, PL_DICE_BEAMS);
    int high = look->horizon * 9 / 10;
    int beam, up, off;

    for (beam = 0; beam < look->beams; beam++) {
        pl_ink_t ink = pl_ink(look->palette->neon[pl_roll(&dice, 0, 3)]);
        int foot = pl_roll(&dice, plane->w / 10, plane->w * 9 / 10);
        int lean = pl_roll(&dice, -110, 110);

        for (up = 0; up < high; up++) {
            int half = up / 14 + 2;
            int fade = 52 * (high - up) / high;
            int x = foot + up * lean / PL_ONE;

            for (off = -half; off <= half; off++) {
                int soft = half - (off < 0 ? -off : off);

                pl_glow(plane, x + off, look->horizon - 1 - up, ink, fade * soft / half);
            }
        }
    }
}

/* How much of the sun's row `y` is left by the dark stripes, which widen towards its foot. */
static int stripe_share(const pl_look_t *look, int y)
{
    int pitch = look->sun_r * 2 * PL_SUB / 13;
    int start = (look->sun_y - look->sun_r / 3) * PL_SUB;
    int down = y * PL_SUB + PL_SUB / 2 - start;
    int gap, off;

    if (down < 0 || pitch < 3 * PL_SUB) {
        return PL_ONE;
    }
    gap = pitch / 8 + pitch * (down / pitch) / 13;
    off = down % pitch - pitch / 2;
    off = (off < 0 ? -off : off) - gap / 2;
    return pl_clamp((off + PL_SUB / 2) * 16, 0, PL_ONE);
}

/* A pale moon: soft seas, and a night side that hides in the sky. */
static pl_ink_t moon_ink(const pl_look_t *look, apr_uint64_t key, int dx, int dy)
{
    pl_ink_t pale = pl_ink(look->palette->sun[0]);
    pl_ink_t day = pl_ink_mix(pale, pl_ink(0xffffff), 100);
    pl_ink_t sea = pl_ink_mix(pale, pl_ink(look->palette->sky[2]), 130);
    int r = look->sun_r;
    int u = (dx + 2 * r) * PL_ONE / r;
    int v = (dy + 2 * r) * PL_ONE / r;
    int n = (pl_noise(key, u * 2, v * 2) * 8 + pl_noise(key + 1, u * 5, v * 5) * 4
             + pl_noise(key + 2, u * 12, v * 12) * 2 + pl_noise(key + 3, u * 29, v * 29))
            / 15;
    int night = (dx * 3 + dy * 2 + r) * 80 / r;

    day = pl_ink_mix(day, sea, pl_clamp((n - 96) * 4, 0, 230));
    return pl_ink_mix(day, pl_ink(look->palette->sky[1]), pl_clamp(night, 0, 225));
}

/* Round an eclipse: a thin ring of light, with one pearl where the sun breaks through. */
static void corona_glow(pl_plane_t *plane, const pl_look_t *look, int x, int y)
{
    pl_ink_t ink = pl_ink(look->palette->sun[0]);
    int r = look->sun_r;
    int dx = x - look->sun_x;
    int dy = y - look->sun_y;
    int off = (dx * dx + dy * dy - r * r) * PL_SUB / (2 * r);
    int soft = r * PL_SUB / 12;
    int pearl_x = dx - r * 7 / 10;
    int pearl_y = dy + r * 7 / 10;
    int pearl = r * r * 2 / (pearl_x * pearl_x + pearl_y * pearl_y + r * r / 200 + 1);
    int ring;

    off = off < 0 ? -4 * off : off;
    ring = soft * PL_ONE / (soft + off * 3);
    ring = ring * ring / PL_ONE * ring / PL_ONE;
    pl_glow(plane, x, y, ink, pl_clamp((ring - 2) * 5 / 3, 0, 1024));
    pl_glow(plane, x, y, ink, pl_clamp(pearl * 3 - 8, 0, 900));
}

static void disc_paint(pl_plane_t *plane, const pl_look_t *look)
{
    const pl_palette_t *palette = look->palette;
    apr_uint64_t key = pl_dice_of(look->key, PL_DICE_DISC);
    int r = look->sun_r;
    int reach = look->disc == PL_ECLIPSE ? 2 * r : r + 1;
    int x, y;

    for (y = look->sun_y - reach; y <= look->sun_y + reach && y < look->horizon; y++) {
        int dy = y - look->sun_y;
        int down = (dy + r) * PL_ONE / (2 * r);
        pl_ink_t sun = pl_ink_mix(pl_ink(palette->sun[0]), pl_ink(palette->sun[1]), down);
        int left = look->disc == PL_SUN ? stripe_share(look, y) : PL_ONE;

        for (x = look->sun_x - reach; x <= look->sun_x + reach; x++) {
            int dx = x - look->sun_x;
            int inside = (r * r - dx * dx - dy * dy) * PL_ONE / (2 * r);
            int share = pl_clamp(inside + PL_ONE / 2, 0, PL_ONE);

            if (look->disc == PL_ECLIPSE) {
                pl_cover(plane, x, y, pl_ink(palette->sky[0]), share);
                corona_glow(plane, look, x, y);
            }
            else if (share > 0 && look->disc == PL_MOON) {
                pl_cover(plane, x, y, moon_ink(look, key, dx, dy), share);
            }
            else if (share > 0) {
                pl_cover(plane, x, y, sun, share * left / PL_ONE);
            }
        }
    }
}

/* Mountains: their line from noise, feet in the haze, edge lit. Row 0 is the nearest. */
static void ridge_paint(pl_plane_t *plane, const pl_look_t *look, int row)
{
    const pl_palette_t *palette = look->palette;
    apr_uint64_t key = pl_dice_of(look->key, PL_DICE_RIDGE) + (apr_uint64_t)row * 16;
    pl_ink_t haze = pl_ink(palette->haze);
    pl_ink_t rock = pl_ink_mix(pl_ink(palette->wall), pl_ink(palette->sky[2]), 90 + 60 * row);
    int wide = pl_span(plane, 190 + 60 * row);
    int most = look->horizon * (22 + 12 * row) / 100;
    int x, y;

    for (x = 0; x < plane->w; x++) {
        int n = pl_noise(key, x * 256 / wide, 0) * 8 + pl_noise(key + 1, x * 700 / wide, 0) * 4
                + pl_noise(key + 2, x * 1700 / wide, 0) * 2 + pl_noise(key + 3, x * 5000 / wide, 0);
        int fine = look->horizon * PL_SUB - most * n / 15 * PL_SUB / PL_ONE;
        int top = fine / PL_SUB;
        int near = halo_at(look, x, top);

        pl_cover(plane, x, top, rock, (PL_SUB - fine % PL_SUB) * 16);
        for (y = top + 1; y < look->horizon; y++) {
            int down = (y - top) * PL_ONE / (look->horizon - top + 1);
            int rim = pl_clamp(PL_ONE - (y - top) * 90, 0, PL_ONE);

            pl_cover(plane, x, y, pl_ink_mix(rock, haze, down * 130 / PL_ONE), PL_ONE);
            pl_glow(plane, x, y, pl_ink(palette->neon[0]), rim * (40 + near) / 400);
        }
    }
}

apr_status_t pl_scene_paint(pl_plane_t *plane, const pl_look_t *look, apr_pool_t *pool)
{
    apr_status_t rv = sky_paint(plane, look, pool);
    int row;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    stars_paint(plane, look);
    beams_paint(plane, look);
    disc_paint(plane, look);
    for (row = look->ridges - 1; row >= 0; row--) {
        ridge_paint(plane, look, row);
    }
    pl_city_paint(plane, look);
    if (look->preset == PL_VISOR) {
        pl_visor_paint(plane, look);
    }
    if (look->preset == PL_TATTOOS) {
        pl_tracery_paint(plane, look);
    }
    pl_ground_paint(plane, look);
    return APR_SUCCESS;
}

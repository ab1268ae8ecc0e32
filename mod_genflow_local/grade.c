/* SPDX-License-Identifier: Apache-2.0
 *
 * The light and colours of a source picture: ramps, grades, vignette, light leaks, grain, and where
 * its face is. Leaves brushes and edges to paint.c.
 */
#include "mod_genflow_local/photo.h"

#define HALF (PL_FULL / 2)

/* Skin, as cameras see it in all of its shades: redder than it is green, not by too much. */
#define SKIN_MIN 3  /* percent of the picture that must be skin for a face to be there */
#define SKIN_MAX 55 /* beyond, it is sand or wood */

pl_ink_t pl_ramp(const pl_ramp_t *ramp, int luma)
{
    luma = pl_clamp(luma, 0, PL_FULL);
    if (luma < HALF) {
        return pl_ink_mix(pl_ink(ramp->dark), pl_ink(ramp->mid), luma * PL_ONE / HALF);
    }
    return pl_ink_mix(pl_ink(ramp->mid), pl_ink(ramp->light), (luma - HALF) * PL_ONE / HALF);
}

/* Darker below the middle, brighter above: the smooth step, a share of it. */
static int contrast_light(int light, int share)
{
    int u = pl_clamp(light, 0, PL_FULL);
    int step = u * u / PL_FULL * (3 * PL_FULL - 2 * u) / PL_FULL;

    return light + (step - light) * share / PL_ONE;
}

static int ink_luma(pl_ink_t ink)
{
    return (ink.r * 77 + ink.g * 150 + ink.b * 29) / 256;
}

void pl_grade(pl_plane_t *plane, const pl_grade_t *grade)
{
    pl_ink_t shadow = pl_ink(grade->shadow);
    pl_ink_t shine = pl_ink(grade->shine);
    int to_dark[3] = { shadow.r, shadow.g, shadow.b };
    int to_light[3] = { shine.r, shine.g, shine.b };
    apr_uint16_t *light = plane->light;
    apr_size_t count = (apr_size_t)plane->w * (apr_size_t)plane->h;
    apr_size_t i;
    int c;

    for (c = 0; c < 3; c++) { /* only the colour: graded light keeps its brightness */
        to_dark[c] -= ink_luma(shadow);
        to_light[c] -= ink_luma(shine);
    }
    for (i = 0; i < count; i++, light += 3) {
        int luma = pl_clamp(pl_luma(light), 0, PL_FULL);
        int up = luma * PL_ONE / PL_FULL;
        int down = PL_ONE - up;

        for (c = 0; c < 3; c++) {
            int v = luma + (light[c] - luma) * grade->colour / PL_ONE;

            v = contrast_light(v, grade->contrast);
            v += (PL_FULL - v) * grade->lift / PL_ONE;
            v += to_dark[c] * (down * down / PL_ONE) / PL_ONE * grade->tint / PL_ONE;
            v += to_light[c] * (up * up / PL_ONE) / PL_ONE * grade->tint / PL_ONE;
            light[c] = (apr_uint16_t)pl_clamp(v, 0, PL_MOST);
        }
    }
}

void pl_vignette(pl_plane_t *plane, int share)
{
    apr_uint16_t *light = plane->light;
    int x, y, c;

    for (y = 0; y < plane->h; y++) {
        int v = (2 * y - plane->h) * PL_ONE / plane->h;

        for (x = 0; x < plane->w; x++, light += 3) {
            int u = (2 * x - plane->w) * PL_ONE / plane->w;
            int off = (u * u + v * v) / (2 * PL_ONE);
            int left = PL_ONE - off * off / PL_ONE * share / PL_ONE;

            for (c = 0; c < 3; c++) {
                light[c] = (apr_uint16_t)(light[c] * left / PL_ONE);
            }
        }
    }
}

void pl_leak(pl_plane_t *plane, int x, int y, pl_ink_t ink, int share)
{
    apr_int64_t reach = plane->w > plane->h ? plane->w : plane->h;
    int at_x, at_y;

    reach = reach * reach / 5;
    for (at_y = 0; at_y < plane->h; at_y++) {
        for (at_x = 0; at_x < plane->w; at_x++) {
            apr_int64_t dx = at_x - x;
            apr_int64_t dy = at_y - y;
            int near = (int)(reach * PL_ONE / (reach + dx * dx + dy * dy));

            pl_glow(plane, at_x, at_y, ink, near * near / PL_ONE * near / PL_ONE * share / PL_ONE);
        }
    }
}

/* Film: finest where it is neither dark nor bright. */
void pl_grain(pl_plane_t *plane, apr_uint64_t key, int share)
{
    apr_size_t count = (apr_size_t)plane->w * (apr_size_t)plane->h;
    apr_uint16_t *light = plane->light;
    apr_uint64_t bits = 0;
    apr_size_t i;
    int c;

    for (i = 0; i < count; i++, light += 3, bits >>= 16) {
        int luma, off, speck;

        if (i % 4 == 0) {
            bits = pl_dice_next(&key);
        }
        luma = pl_clamp(pl_luma(light), 0, PL_FULL);
        speck = (int)(bits & 0xff) + (int)(bits >> 8 & 0xff) - (PL_ONE - 1);
        off = luma > HALF ? luma - HALF : HALF - luma;
        speck = speck * share / PL_ONE * (PL_FULL - off) / PL_FULL;
        for (c = 0; c < 3; c++) {
            light[c] = (apr_uint16_t)pl_clamp(light[c] + speck * 4, 0, PL_MOST);
        }
    }
}

void pl_soften(pl_plane_t *plane)
{
    const int knee = PL_FULL * 7 / 8;
    const int room = PL_FULL - knee;
    apr_size_t count = 3 * (apr_size_t)plane->w * (apr_size_t)plane->h;
    apr_size_t i;

    for (i = 0; i < count; i++) {
        int over = plane->light[i] - knee;

        if (over > 0) {
            plane->light[i] = (apr_uint16_t)(knee + over * room / (over + room));
        }
    }
}

/* ---- the face ---- */

static bool is_skin(const apr_uint16_t *light)
{
    int r = light[0] / 16;
    int g = light[1] / 16;
    int b = light[2] / 16;
    int y = (r * 77 + g * 150 + b * 29) / 256;
    int cr = (r - y) * 183 / 256;
    int cb = (b - y) * 144 / 256;

    return y > 40 && cr > 7 && cr < 46 && cb < 2 && cb > -52 && r > g && g > b - 12;
}

/* Portraits have it a little above the middle. */
static void face_guess(pl_face_t *face, const pl_plane_t *plane)
{
    int side = plane->w < plane->h ? plane->w : plane->h;

    face->x = plane->w / 2;
    face->y = plane->h * 45 / 100;
    face->rx = side * 29 / 100;
    face->ry = side * 38 / 100;
}

/* The middle and the spread of all skin, the more central the more of it. */
void pl_face_find(pl_face_t *face, const pl_plane_t *plane)
{
    int side = plane->w < plane->h ? plane->w : plane->h;
    apr_int64_t count = 0, n = 0, sx = 0, sy = 0, sxx = 0, syy = 0;
    int x, y;

    face_guess(face, plane);
    for (y = 0; y < plane->h; y += 2) {
        for (x = 0; x < plane->w; x += 2) {
            int dx = x - face->x;
            int dy = y - face->y;
            int near = PL_ONE
                       - (int)(((apr_int64_t)dx * dx + (apr_int64_t)dy * dy) * PL_ONE
                               / ((apr_int64_t)side * side / 2));

            if (is_skin(plane->light + 3 * ((apr_size_t)y * plane->w + x))) {
                count++;
                near = near > 16 ? near : 16;
                n += near;
                sx += (apr_int64_t)near * x;
                sy += (apr_int64_t)near * y;
                sxx += (apr_int64_t)near * x * x;
                syy += (apr_int64_t)near * y * y;
            }
        }
    }
    count = count * 400 / ((apr_int64_t)plane->w * plane->h);
    if (count < SKIN_MIN || count > SKIN_MAX) {
        return;
    }
    face->x = (int)(sx / n);
    face->y = (int)(sy / n);
    face->rx = pl_root((apr_uint64_t)(sxx / n - (sx / n) * (sx / n))) * 17 / 10;
    face->ry = pl_root((apr_uint64_t)(syy / n - (sy / n) * (sy / n))) * 18 / 10;
    face->rx = pl_clamp(face->rx, side * 14 / 100, side * 36 / 100);
    face->ry = pl_clamp(face->ry, face->rx * 12 / 10, face->rx * 15 / 10);
    face->ry = pl_clamp(face->ry, 1, plane->h * 46 / 100);
    face->x = pl_clamp(face->x, face->rx, plane->w - face->rx);
    face->y = pl_clamp(face->y, face->ry, plane->h - face->ry);
}

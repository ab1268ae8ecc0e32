/* SPDX-License-Identifier: Apache-2.0
 *
 * How a mark of the `local` provider's picture is made: dice, noise, boxes, strokes, enlarging.
 * What to draw with them is left to the painters, scene.c and those it calls.
 */
#include "mod_genflow_local/plane.h"

#define GOLDEN APR_UINT64_C(0x9e3779b97f4a7c15)

/* How far outside the plane a stroke may start, in pixels. */
#define MARGIN 8192

/* Cells in the longest row that pl_spread() takes. */
#define CELLS_MAX (2048 / 4 + 1)

static apr_uint64_t mix_bits(apr_uint64_t v)
{
    v = (v ^ (v >> 30)) * APR_UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * APR_UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

apr_uint64_t pl_dice_of(apr_uint64_t key, int subject)
{
    return mix_bits(key + GOLDEN * (apr_uint64_t)subject);
}

apr_uint64_t pl_dice_next(apr_uint64_t *dice)
{
    *dice += GOLDEN;
    return mix_bits(*dice);
}

int pl_roll(apr_uint64_t *dice, int lo, int hi)
{
    if (hi <= lo) {
        return lo;
    }
    return lo + (int)((pl_dice_next(dice) >> 16) % (apr_uint64_t)(hi - lo + 1));
}

static int noise_corner(apr_uint64_t key, int x, int y)
{
    return (int)(mix_bits(key + GOLDEN * (apr_uint64_t)(x * 4099 + y)) >> 56);
}

int pl_noise(apr_uint64_t key, int x, int y)
{
    int cell_x = x / 256;
    int cell_y = y / 256;
    int in_x = x % 256;
    int in_y = y % 256;
    int top, foot;

    in_x = in_x * in_x * (768 - 2 * in_x) / 65536;
    in_y = in_y * in_y * (768 - 2 * in_y) / 65536;
    top = noise_corner(key, cell_x, cell_y) * (256 - in_x)
          + noise_corner(key, cell_x + 1, cell_y) * in_x;
    foot = noise_corner(key, cell_x, cell_y + 1) * (256 - in_x)
           + noise_corner(key, cell_x + 1, cell_y + 1) * in_x;
    return (top / 256 * (256 - in_y) + foot / 256 * in_y) / 256;
}

int pl_root(apr_uint64_t square)
{
    apr_uint64_t bit = APR_UINT64_C(1) << 40;
    apr_uint64_t root = 0;

    while (bit != 0) {
        if (square >= root + bit) {
            square -= root + bit;
            root = root / 2 + bit;
        }
        else {
            root /= 2;
        }
        bit /= 4;
    }
    return (int)root;
}

pl_plane_t *pl_plane_make(int w, int h, apr_pool_t *pool)
{
    pl_plane_t *plane = apr_pcalloc(pool, sizeof(*plane));

    if (plane == NULL) {
        return NULL;
    }
    plane->w = w;
    plane->h = h;
    plane->light = apr_pcalloc(pool, 3 * (apr_size_t)w * (apr_size_t)h * sizeof(*plane->light));
    return plane->light != NULL ? plane : NULL;
}

int pl_span(const pl_plane_t *plane, int share)
{
    int span = (plane->w < plane->h ? plane->w : plane->h) * share / 1024;

    return span > 1 ? span : 1;
}

void pl_fill(pl_plane_t *plane, pl_box_t box, pl_ink_t ink, int share)
{
    int right = pl_clamp(box.x + box.w, 0, plane->w);
    int foot = pl_clamp(box.y + box.h, 0, plane->h);
    int x, y;

    for (y = box.y > 0 ? box.y : 0; y < foot; y++) {
        for (x = box.x > 0 ? box.x : 0; x < right; x++) {
            pl_cover(plane, x, y, ink, share);
        }
    }
}

/* The pixel that holds a fine position; also left of and above the plane. */
static int pixel_of(int fine)
{
    return (fine + MARGIN * PL_SUB) / PL_SUB - MARGIN;
}

/* Walks a stroke that is wider than high (`steep`: with x and y exchanged) from left to right, a
 * pixel at a time; across, cover falls off with the distance from its middle. */
static void walk_stroke(pl_plane_t *plane, const pl_stroke_t *stroke, pl_ink_t ink,
                        pl_touch_t *touch, int steep)
{
    int run = stroke->x1 - stroke->x0;
    int rise = stroke->y1 - stroke->y0;
    apr_int64_t square = (apr_int64_t)run * run + (apr_int64_t)rise * rise;
    int length = pl_root((apr_uint64_t)square);
    int reach = (int)((apr_int64_t)(stroke->half + PL_SUB / 2) * length / run);
    int last = pixel_of(stroke->x1);
    int at, side;

    for (at = pixel_of(stroke->x0); at <= last; at++) {
        int along = pl_clamp(at * PL_SUB + PL_SUB / 2 - stroke->x0, 0, run);
        int middle = stroke->y0 + (int)((apr_int64_t)rise * along / run);

        for (side = pixel_of(middle - reach); side <= pixel_of(middle + reach); side++) {
            int off = side * PL_SUB + PL_SUB / 2 - middle;
            int share;

            off = (int)((apr_int64_t)(off < 0 ? -off : off) * run / length);
            share = pl_clamp((stroke->half + PL_SUB / 2 - off) * 16, 0, PL_ONE);
            if (share > 0) {
                touch(plane, steep ? side : at, steep ? at : side, ink, share);
            }
        }
    }
}

void pl_stroke(pl_plane_t *plane, const pl_stroke_t *stroke, pl_ink_t ink, pl_touch_t *touch)
{
    pl_stroke_t level = *stroke;
    int dx = stroke->x1 - stroke->x0;
    int dy = stroke->y1 - stroke->y0;
    int steep = (dy < 0 ? -dy : dy) > (dx < 0 ? -dx : dx);

    if (dx == 0 && dy == 0) {
        return;
    }
    if (steep) {
        level = (pl_stroke_t){ stroke->y0, stroke->x0, stroke->y1, stroke->x1, stroke->half };
    }
    if (level.x1 < level.x0) {
        level = (pl_stroke_t){ level.x1, level.y1, level.x0, level.y0, level.half };
    }
    walk_stroke(plane, &level, ink, touch, steep);
}

/* Widens one row of cells to `w` pixels. `cells` has one more on its left than the quarter, and two
 * more on its right. A cell's middle lies between its second and third pixel. */
static void spread_row(apr_uint16_t *row, int w, const int *cells)
{
    int x;

    for (x = 0; x < w; x++) {
        const int *left = cells + (2 * x + 5) / 8 * 3;
        int part = (2 * x + 5) % 8;

        row[0] = pl_sum(row[0], (left[0] * (8 - part) + left[3] * part) / 64);
        row[1] = pl_sum(row[1], (left[1] * (8 - part) + left[4] * part) / 64);
        row[2] = pl_sum(row[2], (left[2] * (8 - part) + left[5] * part) / 64);
        row += 3;
    }
}

static const apr_uint16_t *row_of(const pl_plane_t *plane, int y)
{
    return plane->light + 3 * (apr_size_t)plane->w * pl_clamp(y, 0, plane->h - 1);
}

void pl_spread(pl_plane_t *plane, const pl_plane_t *quarter)
{
    int cells[3 * (CELLS_MAX + 3)];
    int edge = 3 * quarter->w;
    int y, i;

    for (y = 0; y < plane->h; y++) {
        const apr_uint16_t *above = row_of(quarter, (2 * y + 5) / 8 - 1);
        const apr_uint16_t *below = row_of(quarter, (2 * y + 5) / 8);
        int part = (2 * y + 5) % 8;

        for (i = 0; i < edge; i++) {
            cells[i + 3] = above[i] * (8 - part) + below[i] * part;
        }
        for (i = 0; i < 3; i++) {
            cells[i] = cells[i + 3];
            cells[edge + 3 + i] = cells[edge + i];
            cells[edge + 6 + i] = cells[edge + i];
        }
        spread_row(plane->light + 3 * (apr_size_t)y * plane->w, plane->w, cells);
    }
}

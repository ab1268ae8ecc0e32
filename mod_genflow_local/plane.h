/* SPDX-License-Identifier: Apache-2.0
 *
 * The drawing tools of the `local` provider's picture: dice, noise, inks, and a plane of light with
 * marks to put on it. For this folder alone. Integers throughout, so that every compiler and
 * every processor paint alike; nothing is kept between calls.
 */
#ifndef LOCAL_PLANE_H
#define LOCAL_PLANE_H

#include <apr_errno.h>
#include <apr_pools.h>

/* Light of one channel: PL_FULL is as bright as a screen gets, what is brighter blooms. PL_MOST is
 * the brightest that a plane holds: sums stop there. */
#define PL_FULL 4080
#define PL_MOST 60000

/* A share, as of colour or cover, is 0..PL_ONE. */
#define PL_ONE 256

/* Positions finer than a pixel count in sixteenths. */
#define PL_SUB 16

/* A colour as light of three channels, 0..PL_FULL each, as pl_ink() makes it. */
typedef struct pl_ink_t {
    int r;
    int g;
    int b;
} pl_ink_t;

/* Rows of light from the top, three channels a pixel: red, green, blue. Both live in the pool of
 * pl_plane_make(). */
typedef struct pl_plane_t {
    int w;
    int h;
    apr_uint16_t *light;
} pl_plane_t;

/* A rectangle in pixels from its left top corner; it may reach over the plane's edges. */
typedef struct pl_box_t {
    int x;
    int y;
    int w;
    int h;
} pl_box_t;

/* A stroke between two points, all in sixteenths of a pixel. */
typedef struct pl_stroke_t {
    int x0;
    int y0;
    int x1;
    int y1;
    int half; /* half its thickness */
} pl_stroke_t;

/* Dice are splitmix64. Each subject takes its own from the picture's key, so that a change in one
 * leaves the others as they were. */
apr_uint64_t pl_dice_of(apr_uint64_t key, int subject);

/* The next number of the dice. */
apr_uint64_t pl_dice_next(apr_uint64_t *dice);

/* One of lo..hi, both included; lo, without a throw, if there is nothing between. */
int pl_roll(apr_uint64_t *dice, int lo, int hi);

/* Soft noise, 0..PL_ONE - 1; `x` and `y` are not negative, 1/256 of the noise's cells. */
int pl_noise(apr_uint64_t key, int x, int y);

/* The whole root of a square below 2^42, rounded down. */
int pl_root(apr_uint64_t square);

/* A dark plane of w x h pixels in `pool`, 6 bytes each; NULL without memory. */
pl_plane_t *pl_plane_make(int w, int h, apr_pool_t *pool);

/* A length of `share` / 1024 of the plane's shorter side, at least 1 pixel. */
int pl_span(const pl_plane_t *plane, int share);

/* Marks. What lies outside the plane is left out. `share` is how much of the ink counts. A stroke
 * has soft edges; `touch` is pl_cover or pl_glow. A stroke without length leaves no mark.
 * pl_spread() adds the light of a plane of a quarter of the size, smoothly enlarged; the quarter is
 * at most 513 pixels wide. */
typedef void pl_touch_t(pl_plane_t *plane, int x, int y, pl_ink_t ink, int share);
void pl_fill(pl_plane_t *plane, pl_box_t box, pl_ink_t ink, int share);
void pl_stroke(pl_plane_t *plane, const pl_stroke_t *stroke, pl_ink_t ink, pl_touch_t *touch);
void pl_spread(pl_plane_t *plane, const pl_plane_t *quarter);

/* screen.c: what is too bright spills over, as a narrow glow and a wide one. `pool` is for scratch:
 * two planes of a quarter of the size. APR_ENOMEM without memory. */
apr_status_t pl_bloom(pl_plane_t *plane, apr_pool_t *pool);

/* png.c: the plane as PNG in the new file `path`; what is brighter than PL_FULL is cut
 * off. APR_EEXIST: something stands there, and is left alone. No file stays behind after an error.
 */
apr_status_t pl_png_write(const pl_plane_t *plane, const char *path, apr_pool_t *pool);

/* png.c: the plane as gd's picture, which goes with `pool`; NULL without memory. */
struct gdImageStruct *pl_gd_image(const pl_plane_t *plane, apr_pool_t *pool);

/* The rest is what every pixel passes through: here, for the compiler to unfold. */

static inline int pl_clamp(int value, int lo, int hi)
{
    return value < lo ? lo : value > hi ? hi : value;
}

/* The ink of a colour 0xRRGGBB. */
static inline pl_ink_t pl_ink(apr_uint32_t rgb)
{
    return (pl_ink_t){ (int)(rgb >> 16 & 0xff) * 16, (int)(rgb >> 8 & 0xff) * 16,
                       (int)(rgb & 0xff) * 16 };
}

/* A darker ink, or beyond PL_ONE a brighter one. */
static inline pl_ink_t pl_ink_scale(pl_ink_t ink, int share)
{
    return (pl_ink_t){ ink.r * share / PL_ONE, ink.g * share / PL_ONE, ink.b * share / PL_ONE };
}

/* From `from` (share 0) to `to` (PL_ONE); a share outside of that is cut to it. */
static inline pl_ink_t pl_ink_mix(pl_ink_t from, pl_ink_t to, int share)
{
    int most = pl_clamp(share, 0, PL_ONE);
    int rest = PL_ONE - most;

    return (pl_ink_t){ (from.r * rest + to.r * most) / PL_ONE,
                       (from.g * rest + to.g * most) / PL_ONE,
                       (from.b * rest + to.b * most) / PL_ONE };
}

/* Light with `more` added, which is not negative, up to PL_MOST. */
static inline apr_uint16_t pl_sum(int light, int more)
{
    return (apr_uint16_t)(light + more < PL_MOST ? light + more : PL_MOST);
}

/* Lays ink over a pixel: PL_ONE hides what was there. The share is 0..PL_ONE. */
static inline void pl_cover(pl_plane_t *plane, int x, int y, pl_ink_t ink, int share)
{
    if (x >= 0 && y >= 0 && x < plane->w && y < plane->h) {
        apr_uint16_t *at = plane->light + 3 * ((apr_size_t)y * plane->w + x);
        unsigned most = (unsigned)share;
        unsigned rest = PL_ONE - most;

        at[0] = (apr_uint16_t)((at[0] * rest + (unsigned)ink.r * most) / PL_ONE);
        at[1] = (apr_uint16_t)((at[1] * rest + (unsigned)ink.g * most) / PL_ONE);
        at[2] = (apr_uint16_t)((at[2] * rest + (unsigned)ink.b * most) / PL_ONE);
    }
}

/* Adds light to a pixel; a share beyond PL_ONE is brighter than the ink. */
static inline void pl_glow(pl_plane_t *plane, int x, int y, pl_ink_t ink, int share)
{
    if (x >= 0 && y >= 0 && x < plane->w && y < plane->h) {
        apr_uint16_t *at = plane->light + 3 * ((apr_size_t)y * plane->w + x);

        at[0] = pl_sum(at[0], ink.r * share / PL_ONE);
        at[1] = pl_sum(at[1], ink.g * share / PL_ONE);
        at[2] = pl_sum(at[2], ink.b * share / PL_ONE);
    }
}

#endif

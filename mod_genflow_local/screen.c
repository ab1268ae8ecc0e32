/* SPDX-License-Identifier: Apache-2.0
 *
 * How the light of the `local` provider's picture reaches the eye: it blooms, and passes row by row
 * through a lens with colour fringes and a screen with scanlines, glitches and dark corners.
 */
#include "mod_genflow_local/scene.h"

#include <string.h>

/* Light below this does not spill over. */
#define BLOOM_FROM (PL_FULL * 5 / 8)

/* What the screen's edges lose, each way. */
#define VIGNETTE 66

/* Light in, light on the screen: a little more up to the knee, then ever flatter up to white. */
#define CURVE_SIZE 1024
#define CURVE_STEP 8
#define CURVE_GAIN 280
#define CURVE_KNEE (PL_FULL * 4 / 5)
#define CURVE_TOP  (PL_FULL * 8 / 5)

/* How a row is disturbed: moved by `shift` pixels, red and blue torn apart by `split`. */
typedef struct glitch_t {
    int shift;
    int split;
} glitch_t;

typedef struct screen_t {
    apr_uint16_t curve[CURVE_SIZE];
    glitch_t *rows;
    int *fringe;   /* per column: how far the lens pulls red and blue apart */
    int *shade;    /* per column: what the vignette leaves, of PL_ONE */
    int scan_high; /* rows from one scanline to the next */
    int scan_deep; /* light that a scanline takes, of PL_ONE */
} screen_t;

/* Runs a box of 2 * radius + 1 along one row or column (`stride` in pixels) of one channel. */
static void blur_line(apr_uint16_t *light, int count, int stride, int radius, apr_uint16_t *copy)
{
    apr_uint32_t sum = 0;
    int i;

    for (i = 0; i < count; i++) {
        copy[i] = light[3 * (apr_size_t)i * stride];
    }
    for (i = -radius; i <= radius; i++) {
        sum += copy[pl_clamp(i, 0, count - 1)];
    }
    for (i = 0; i < count; i++) {
        light[3 * (apr_size_t)i * stride] = (apr_uint16_t)(sum / (apr_uint32_t)(2 * radius + 1));
        sum += copy[pl_clamp(i + radius + 1, 0, count - 1)];
        sum -= copy[pl_clamp(i - radius, 0, count - 1)];
    }
}

/* Two boxes each way come near enough to a round blur. */
static void blur_plane(pl_plane_t *plane, int radius, apr_uint16_t *copy)
{
    int turn, c, i;

    for (turn = 0; turn < 2; turn++) {
        for (c = 0; c < 3; c++) {
            apr_uint16_t *light = plane->light + c;

            for (i = 0; i < plane->h; i++) {
                blur_line(light + 3 * (apr_size_t)i * plane->w, plane->w, 1, radius, copy);
            }
            for (i = 0; i < plane->w; i++) {
                blur_line(light + 3 * (apr_size_t)i, plane->h, plane->w, radius, copy);
            }
        }
    }
}

/* How much one channel of 4 x 4 pixels is brighter than BLOOM_FROM. */
static int bright_of(const apr_uint16_t *light, int w)
{
    int sum = 0;
    int i, j;

    for (j = 0; j < 4; j++) {
        for (i = 0; i < 4; i++) {
            sum += light[3 * i] > BLOOM_FROM ? light[3 * i] - BLOOM_FROM : 0;
        }
        light += 3 * w;
    }
    return sum / 16;
}

/* The bright parts of the picture at a quarter of its size. */
static void bright_gather(pl_plane_t *quarter, const pl_plane_t *plane)
{
    apr_uint16_t *bright = quarter->light;
    int x, y, c;

    for (y = 0; y < quarter->h; y++) {
        const apr_uint16_t *light = plane->light + 3 * (apr_size_t)(4 * y) * plane->w;

        for (x = 0; x < quarter->w; x++) {
            for (c = 0; c < 3; c++) {
                *bright++ = (apr_uint16_t)bright_of(light + 12 * x + c, plane->w);
            }
        }
    }
}

/* A narrow glow about each lamp, and a wide one over its whole quarter of the town. */
apr_status_t pl_bloom(pl_plane_t *plane, apr_pool_t *pool)
{
    pl_plane_t *narrow = pl_plane_make(plane->w / 4, plane->h / 4, pool);
    pl_plane_t *wide = pl_plane_make(plane->w / 4, plane->h / 4, pool);
    apr_uint16_t *copy = apr_palloc(pool, (apr_size_t)(plane->w + plane->h) * sizeof(*copy));
    apr_size_t i, count;

    if (narrow == NULL || wide == NULL || copy == NULL) {
        return APR_ENOMEM;
    }
    count = 3 * (apr_size_t)narrow->w * (apr_size_t)narrow->h;
    bright_gather(narrow, plane);
    blur_plane(narrow, pl_span(plane, 2), copy);
    memcpy(wide->light, narrow->light, count * sizeof(*wide->light));
    blur_plane(wide, pl_span(plane, 11), copy);
    for (i = 0; i < count; i++) {
        narrow->light[i] = (apr_uint16_t)(narrow->light[i] * 5 / 16 + wide->light[i] * 5 / 16);
    }
    pl_spread(plane, narrow);
    return APR_SUCCESS;
}

/* Bands of rows slip to either side in turn; the preset scanlines has more of them, and wilder. */
static void glitch_decide(screen_t *screen, const pl_plane_t *plane, const pl_look_t *look)
{
    apr_uint64_t dice = pl_dice_of(look->key, PL_DICE_GLITCH);
    bool wild = look->preset == PL_SCANLINES;
    int bands = wild ? pl_roll(&dice, 13, 18) : pl_roll(&dice, 4, 6);
    int i, y;

    for (i = 0; i < bands; i++) {
        int high = pl_span(plane, pl_roll(&dice, 3, wild ? 26 : 16));
        int top = pl_roll(&dice, plane->h / 12, plane->h - high);
        int shift = pl_span(plane, pl_roll(&dice, 6, wild ? 52 : 26)) * look->unrest / PL_ONE;
        int split = pl_span(plane, pl_roll(&dice, 3, wild ? 12 : 5)) * look->unrest / PL_ONE;

        for (y = top; y < top + high && y < plane->h; y++) {
            screen->rows[y].shift = i % 2 == 0 ? shift : -shift;
            screen->rows[y].split = split;
        }
    }
}

static apr_uint16_t curve_at(int light)
{
    int room, left;

    light = light * CURVE_GAIN / PL_ONE;
    if (light <= CURVE_KNEE) {
        return (apr_uint16_t)light;
    }
    room = pl_clamp((CURVE_TOP - light) * PL_ONE / (CURVE_TOP - CURVE_KNEE), 0, PL_ONE);
    left = room * room / PL_ONE * room / PL_ONE * room / PL_ONE;
    return (apr_uint16_t)(PL_FULL - (PL_FULL - CURVE_KNEE) * left / PL_ONE);
}

static int vignette_at(int at, int side)
{
    int off = (2 * at - side) * PL_ONE / side;

    return PL_ONE - off * off / PL_ONE * VIGNETTE / PL_ONE;
}

static screen_t *screen_make(const pl_plane_t *plane, const pl_look_t *look, apr_pool_t *pool)
{
    screen_t *screen = apr_palloc(pool, sizeof(*screen));
    int most = pl_span(plane, 2);
    int i;

    if (screen == NULL) {
        return NULL;
    }
    screen->rows = apr_pcalloc(pool, (apr_size_t)plane->h * sizeof(*screen->rows));
    screen->fringe = apr_palloc(pool, (apr_size_t)plane->w * sizeof(*screen->fringe));
    screen->shade = apr_palloc(pool, (apr_size_t)plane->w * sizeof(*screen->shade));
    if (screen->rows == NULL || screen->fringe == NULL || screen->shade == NULL) {
        return NULL;
    }
    for (i = 0; i < CURVE_SIZE; i++) {
        screen->curve[i] = curve_at(i * CURVE_STEP);
    }
    for (i = 0; i < plane->w; i++) {
        screen->fringe[i] = (2 * i - plane->w) * most / plane->w;
        screen->shade[i] = vignette_at(i, plane->w);
    }
    screen->scan_high = pl_span(plane, look->preset == PL_SCANLINES ? 6 : 4);
    screen->scan_deep = (look->preset == PL_SCANLINES ? 96 : 22) * look->unrest / PL_ONE;
    glitch_decide(screen, plane, look);
    return screen;
}

static apr_uint16_t lit_of(const screen_t *screen, unsigned light)
{
    light /= CURVE_STEP;
    return screen->curve[light < CURVE_SIZE ? light : CURVE_SIZE - 1];
}

static unsigned over_of(unsigned light)
{
    return light > PL_FULL ? light - PL_FULL : 0;
}

/* Row `y` as it is seen, back onto the plane by way of `row`. What a channel has too much of
 * whitens the others, as it does in a bright tube. */
static void show_row(pl_plane_t *plane, const screen_t *screen, int y, apr_uint16_t *row)
{
    apr_uint16_t *light = plane->light + 3 * (apr_size_t)y * plane->w;
    const glitch_t *glitch = &screen->rows[y];
    int shade = vignette_at(y, plane->h);
    int last = plane->w - 1;
    int x;

    if (screen->scan_high > 1 && y % screen->scan_high == 0) {
        shade = shade * (PL_ONE - screen->scan_deep) / PL_ONE;
    }
    for (x = 0; x <= last; x++) {
        int split = glitch->split + screen->fringe[x];
        int at = x + glitch->shift;
        unsigned dim = (unsigned)(shade * screen->shade[x]) / PL_ONE;
        unsigned r = light[3 * pl_clamp(at - split, 0, last)] * dim / PL_ONE;
        unsigned g = light[3 * pl_clamp(at, 0, last) + 1] * dim / PL_ONE;
        unsigned b = light[3 * pl_clamp(at + split, 0, last) + 2] * dim / PL_ONE;
        unsigned over = (over_of(r) + over_of(g) + over_of(b)) / 4;

        row[3 * x] = lit_of(screen, r + over);
        row[3 * x + 1] = lit_of(screen, g + over);
        row[3 * x + 2] = lit_of(screen, b + over);
    }
    memcpy(light, row, 3 * (apr_size_t)plane->w * sizeof(*row));
}

apr_status_t pl_screen_show(pl_plane_t *plane, const pl_look_t *look, apr_pool_t *pool)
{
    screen_t *screen = screen_make(plane, look, pool);
    apr_uint16_t *row = apr_palloc(pool, 3 * (apr_size_t)plane->w * sizeof(*row));
    int y;

    if (screen == NULL || row == NULL) {
        return APR_ENOMEM;
    }
    for (y = 0; y < plane->h; y++) {
        show_row(plane, screen, y, row);
    }
    return APR_SUCCESS;
}

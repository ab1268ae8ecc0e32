/* SPDX-License-Identifier: Apache-2.0
 *
 * How a source picture turns into a painting: a brush that flattens what lies between edges, the
 * edges themselves, and the way back by halves. Leaves colours to grade.c.
 */
#include "mod_genflow_local/photo.h"

#include <string.h>

/* ---- the brush ---- */

/* What lies above and left of a pixel, modulo 2^32: differences over a brush are exact. */
typedef struct sum_t {
    apr_uint32_t c[3];
    apr_uint32_t luma;
    apr_uint32_t square; /* of luma */
} sum_t;

#define REACH_MAX 15                  /* 16 x 16 squares of luma still fit */
#define ROWS      (2 * REACH_MAX + 2) /* of sums, in a ring */

typedef struct brush_t {
    sum_t *rows[ROWS];
    int reach;
    int w;
    int h;
} brush_t;

static sum_t *row_at(const brush_t *brush, int y)
{
    return brush->rows[y % ROWS];
}

/* Row y + 1 of the sums from row y of the plane. */
static void sum_row(brush_t *brush, const pl_plane_t *plane, int y)
{
    const apr_uint16_t *light = plane->light + 3 * (apr_size_t)y * plane->w;
    const sum_t *above = row_at(brush, y);
    sum_t *row = row_at(brush, y + 1);
    sum_t run;
    int x;

    memset(&run, 0, sizeof(run));
    row[0] = run;
    for (x = 1; x <= plane->w; x++, light += 3) {
        apr_uint32_t luma = (apr_uint32_t)pl_clamp(pl_luma(light), 0, PL_FULL);

        run.c[0] += light[0];
        run.c[1] += light[1];
        run.c[2] += light[2];
        run.luma += luma;
        run.square += luma * luma;
        row[x].c[0] = above[x].c[0] + run.c[0];
        row[x].c[1] = above[x].c[1] + run.c[1];
        row[x].c[2] = above[x].c[2] + run.c[2];
        row[x].luma = above[x].luma + run.luma;
        row[x].square = above[x].square + run.square;
    }
}

/* A window of the brush, and what it weighs: the evener, the more. */
static apr_uint64_t brush_window(apr_uint32_t mean[3], const brush_t *brush, int x0, int y0, int x1,
                                 int y1)
{
    const sum_t *top = row_at(brush, y0);
    const sum_t *foot = row_at(brush, y1);
    apr_uint32_t n = (apr_uint32_t)((x1 - x0) * (y1 - y0));
    apr_uint32_t luma = foot[x1].luma - foot[x0].luma - top[x1].luma + top[x0].luma;
    apr_uint32_t square = foot[x1].square - foot[x0].square - top[x1].square + top[x0].square;
    apr_uint64_t uneven;
    int i;

    luma = luma * 16 / n;
    uneven = ((apr_uint64_t)square * 256 / n - (apr_uint64_t)luma * luma) / 65536 + 4;
    for (i = 0; i < 3; i++) {
        mean[i] = (foot[x1].c[i] - foot[x0].c[i] - top[x1].c[i] + top[x0].c[i]) / n;
    }
    return (APR_UINT64_C(1) << 36) / (uneven * uneven);
}

static void paint_pixel(apr_uint16_t *light, const brush_t *brush, int x, int y)
{
    int left = x > brush->reach ? x - brush->reach : 0;
    int top = y > brush->reach ? y - brush->reach : 0;
    int right = x + brush->reach < brush->w ? x + brush->reach + 1 : brush->w;
    int foot = y + brush->reach < brush->h ? y + brush->reach + 1 : brush->h;
    apr_uint32_t mean[4][3];
    apr_uint64_t weight[4];
    apr_uint64_t all;
    int i;

    weight[0] = brush_window(mean[0], brush, left, top, x + 1, y + 1);
    weight[1] = brush_window(mean[1], brush, x, top, right, y + 1);
    weight[2] = brush_window(mean[2], brush, left, y, x + 1, foot);
    weight[3] = brush_window(mean[3], brush, x, y, right, foot);
    all = weight[0] + weight[1] + weight[2] + weight[3];
    for (i = 0; i < 3; i++) {
        light[i] = (apr_uint16_t)((mean[0][i] * weight[0] + mean[1][i] * weight[1]
                                   + mean[2][i] * weight[2] + mean[3][i] * weight[3])
                                  / all);
    }
}

apr_status_t pl_paint(pl_plane_t *plane, int radius, apr_pool_t *pool)
{
    apr_size_t size = ((apr_size_t)plane->w + 1) * sizeof(sum_t);
    brush_t brush = { { NULL }, pl_clamp(radius, 1, REACH_MAX), plane->w, plane->h };
    int summed = 0;
    int x, y, i;

    for (i = 0; i < ROWS; i++) {
        brush.rows[i] = apr_pcalloc(pool, size);
        if (brush.rows[i] == NULL) {
            return APR_ENOMEM;
        }
    }
    for (y = 0; y < plane->h; y++) {
        apr_uint16_t *light = plane->light + 3 * (apr_size_t)y * plane->w;

        while (summed < plane->h && summed <= y + brush.reach) {
            sum_row(&brush, plane, summed++);
        }
        for (x = 0; x < plane->w; x++, light += 3) {
            paint_pixel(light, &brush, x, y);
        }
    }
    return APR_SUCCESS;
}

/* ---- edges ---- */

unsigned char *pl_edges_make(const pl_plane_t *plane, apr_pool_t *pool)
{
    apr_size_t count = (apr_size_t)plane->w * (apr_size_t)plane->h;
    unsigned char *edges = apr_pcalloc(pool, count);
    apr_uint16_t *luma = apr_palloc(pool, count * sizeof(*luma));
    apr_size_t i;
    int x, y;

    if (edges == NULL || luma == NULL) {
        return NULL;
    }
    for (i = 0; i < count; i++) {
        luma[i] = (apr_uint16_t)pl_luma(plane->light + 3 * i);
    }
    for (y = 1; y < plane->h - 1; y++) {
        const apr_uint16_t *row = luma + (apr_size_t)y * plane->w;

        for (x = 1; x < plane->w - 1; x++) {
            const apr_uint16_t *at = row + x;
            const apr_uint16_t *up = at - plane->w;
            const apr_uint16_t *down = at + plane->w;
            int dx = up[1] + 2 * at[1] + down[1] - up[-1] - 2 * at[-1] - down[-1];
            int dy = down[-1] + 2 * down[0] + down[1] - up[-1] - 2 * up[0] - up[1];
            int steep = ((dx < 0 ? -dx : dx) + (dy < 0 ? -dy : dy)) / 24;

            edges[at - luma] = (unsigned char)pl_clamp(steep, 0, PL_ONE - 1);
        }
    }
    return edges;
}

void pl_outline(pl_plane_t *plane, const unsigned char *edges, pl_ink_t ink, int share)
{
    int x, y;

    for (y = 0; y < plane->h; y++) {
        for (x = 0; x < plane->w; x++, edges++) {
            int line = pl_clamp((*edges - 40) * 2, 0, PL_ONE);

            pl_cover(plane, x, y, ink, line * share / PL_ONE);
        }
    }
}

/* ---- the way back ---- */

pl_plane_t *pl_copy(const pl_plane_t *plane, apr_pool_t *pool)
{
    pl_plane_t *copy = pl_plane_make(plane->w, plane->h, pool);

    if (copy != NULL) {
        memcpy(copy->light, plane->light,
               3 * (apr_size_t)plane->w * (apr_size_t)plane->h * sizeof(*plane->light));
    }
    return copy;
}

void pl_mix(pl_plane_t *plane, const pl_plane_t *was, int share)
{
    apr_size_t count = 3 * (apr_size_t)plane->w * (apr_size_t)plane->h;
    unsigned most = (unsigned)pl_clamp(share, 0, PL_ONE);
    apr_size_t i;

    for (i = 0; i < count; i++) {
        plane->light[i] =
            (apr_uint16_t)((plane->light[i] * most + was->light[i] * (PL_ONE - most)) / PL_ONE);
    }
}

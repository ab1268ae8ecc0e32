/* SPDX-License-Identifier: Apache-2.0
 *
 * The effect of presets and custom-prompt: the source picture on film. Which stock, where light
 * leaked in and how coarse the grain is, the words decide.
 */
#include "mod_genflow_local/photo.h"

#define SUBJECT 111 /* of dice */

typedef struct stock_t {
    pl_grade_t grade;
    apr_uint32_t leak; /* 0xRRGGBB */
    int grain;
    int dark; /* of its corners */
} stock_t;

static const stock_t STOCKS[] = {
    /* teal and orange */
    { { 0x0b4a5c, 0xffb36b, 230, 300, 120, 6 }, 0xff8a3c, 12, 120 },
    /* faded summer */
    { { 0x4a3f6b, 0xffd9a0, 200, 215, 20, 44 }, 0xffb07a, 16, 60 },
    /* rose and forest */
    { { 0x123f33, 0xffb9c6, 220, 290, 90, 10 }, 0xff6f9c, 12, 100 },
    /* blue hour */
    { { 0x102a6e, 0xbfd4ff, 240, 240, 100, 8 }, 0x6f8cff, 14, 130 },
    /* golden hour */
    { { 0x5c2410, 0xffd36e, 230, 310, 70, 12 }, 0xffc04a, 10, 90 },
    /* silver, toned */
    { { 0x2a2436, 0xf3e6d2, 200, 40, 150, 8 }, 0xd8c8ff, 24, 130 },
    /* crossed in the lab */
    { { 0x1a2f7a, 0xe8ff8a, 240, 340, 130, 14 }, 0xff5f7a, 14, 110 },
    /* plum and mint */
    { { 0x47104f, 0xc2ffe0, 220, 280, 80, 14 }, 0xb06bff, 12, 90 },
};

#define STOCK_COUNT ((int)(sizeof(STOCKS) / sizeof(STOCKS[0])))

apr_status_t pl_film_apply(pl_plane_t *plane, const pl_wish_t *wish, apr_pool_t *pool)
{
    apr_uint64_t dice = pl_dice_of(wish->key, SUBJECT);
    const stock_t *stock = &STOCKS[pl_roll(&dice, 0, STOCK_COUNT - 1)];
    int side = pl_roll(&dice, 0, 1);
    int edge = pl_roll(&dice, -10, 110);
    int strength = pl_roll(&dice, 110, 190);
    pl_plane_t *was = pl_copy(plane, pool);
    apr_status_t rv;

    if (was == NULL) {
        return APR_ENOMEM;
    }
    pl_grade(plane, &stock->grade);
    pl_leak(plane, side == 1 ? plane->w * 21 / 20 : -plane->w / 20, plane->h * edge / 100,
            pl_ink(stock->leak), strength);
    rv = pl_bloom(plane, pool);
    pl_vignette(plane, stock->dark);
    pl_grain(plane, pl_dice_of(wish->key, SUBJECT + 1), stock->grain);
    pl_mix(plane, was, wish->share);
    pl_soften(plane);
    return rv;
}

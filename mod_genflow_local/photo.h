/* SPDX-License-Identifier: Apache-2.0
 *
 * What the effects of the `local` provider share: how a source becomes a plane, the tools to
 * repaint it, and who does what for which effect. For this folder alone.
 */
#ifndef LOCAL_PHOTO_H
#define LOCAL_PHOTO_H

#include <stdbool.h>

#include "mod_genflow_local/plane.h"
#include "mod_genflow_local/wish.h"

/* ---- the source ---- */

/* source.c: the source that the wish names, upright as its Exif says, over white where it is
 * transparent, scaled down to wish->side_max. The plane and gd's picture live in `pool`. Checks the
 * file by wish->look() before gd decodes it. APR_EINVAL: it cannot be used; anything else: memory
 * or the disk. Any number of threads may read at a time. */
apr_status_t pl_source_read(pl_plane_t **plane, const local_wish_t *wish, apr_pool_t *pool);

/* ---- tools ---- */

/* Colours by brightness: from dark by way of mid, at half of PL_FULL, to light. */
typedef struct pl_ramp_t {
    apr_uint32_t dark; /* 0xRRGGBB */
    apr_uint32_t mid;
    apr_uint32_t light;
} pl_ramp_t;

/* How colours are graded. Shares of PL_ONE; 0 leaves alone, but `colour` is what is left of the
 * colours themselves: beyond PL_ONE they grow. */
typedef struct pl_grade_t {
    apr_uint32_t shadow; /* 0xRRGGBB: where dark goes */
    apr_uint32_t shine;  /* where light goes */
    int tint;            /* how far each goes there */
    int colour;
    int contrast;
    int lift; /* how much brighter black gets */
} pl_grade_t;

/* The probable place of the face: where there is skin, else where portraits have one. */
typedef struct pl_face_t {
    int x;
    int y;
    int rx;
    int ry;
} pl_face_t;

/* ---- paint.c ---- */

/* Paints the plane anew with a brush that stops at edges; a radius outside of 1 to 15 pixels is cut
 * to that. `pool` is for scratch. APR_ENOMEM without memory. */
apr_status_t pl_paint(pl_plane_t *plane, int radius, apr_pool_t *pool);

/* How much of an edge each pixel is, 0..PL_ONE - 1, row after row, in `pool`; 0 along the border.
 * NULL without memory. */
unsigned char *pl_edges_make(const pl_plane_t *plane, apr_pool_t *pool);

/* Lays ink along the edges of that plane. */
void pl_outline(pl_plane_t *plane, const unsigned char *edges, pl_ink_t ink, int share);

/* A copy of the plane in `pool`; NULL without memory. */
pl_plane_t *pl_copy(const pl_plane_t *plane, apr_pool_t *pool);

/* Brings back what the plane was: `share` is what stays of today's. Both have one size. */
void pl_mix(pl_plane_t *plane, const pl_plane_t *was, int share);

/* ---- grade.c ---- */

/* The ramp's ink for a brightness. */
pl_ink_t pl_ramp(const pl_ramp_t *ramp, int luma);
void pl_grade(pl_plane_t *plane, const pl_grade_t *grade);

/* Darkens towards the corners. */
void pl_vignette(pl_plane_t *plane, int share);

/* Adds light that falls off around a point, which may be outside of the plane. */
void pl_leak(pl_plane_t *plane, int x, int y, pl_ink_t ink, int share);

/* Adds film grain from the dice `key`, the most in middle brightness. */
void pl_grain(pl_plane_t *plane, apr_uint64_t key, int share);

/* Bends what is brighter than 7/8 of PL_FULL so that nothing is brighter than PL_FULL. */
void pl_soften(pl_plane_t *plane);
void pl_face_find(pl_face_t *face, const pl_plane_t *plane);

/* The brightness of a pixel, in units of light. */
static inline int pl_luma(const apr_uint16_t *light)
{
    return (light[0] * 77 + light[1] * 150 + light[2] * 29) / 256;
}

/* ---- effects ---- */

/* What an effect gets besides the plane. */
typedef struct pl_wish_t {
    apr_uint64_t key;     /* the hash of prompt, preset and seed */
    const char *preset;   /* "": none */
    const char *words[2]; /* preset and prompt, which are searched for moods */
    int share;            /* how much of the effect, of PL_ONE */
} pl_wish_t;

/* An effect repaints the plane, and changes nothing else. `pool` is for scratch. APR_ENOMEM without
 * memory. A new effect is a row of EFFECTS in effect.c, too. */
typedef apr_status_t pl_effect_t(pl_plane_t *plane, const pl_wish_t *wish, apr_pool_t *pool);
pl_effect_t pl_glitch_apply;   /* glitch.c */
pl_effect_t pl_mask_apply;     /* mask.c */
pl_effect_t pl_ghibli_apply;   /* ghibli.c */
pl_effect_t pl_film_apply;     /* film.c */
pl_effect_t pl_painting_apply; /* ghibli.c */

#endif

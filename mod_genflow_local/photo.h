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

/* source.c: the source that the wish names, upright, in working size. APR_EINVAL: it cannot be
 * used; anything else: memory or the disk. */
apr_status_t pl_source_read(pl_plane_t **plane, const local_wish_t *wish, apr_pool_t *pool);

/* ---- tools ---- */

/* From dark by way of mid to light. */
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

/* paint.c. pl_paint() paints the plane anew with a brush of that radius (1 to 15) that
 * keeps to edges. pl_edges_make(): how much of an edge each pixel is, 0..PL_ONE - 1, row after row;
 * NULL without memory. pl_outline() lays ink along them. pl_mix() brings back what `plane` was. */
apr_status_t pl_paint(pl_plane_t *plane, int radius, apr_pool_t *pool);
unsigned char *pl_edges_make(const pl_plane_t *plane, apr_pool_t *pool);
void pl_outline(pl_plane_t *plane, const unsigned char *edges, pl_ink_t ink, int share);
pl_plane_t *pl_copy(const pl_plane_t *plane, apr_pool_t *pool);
void pl_mix(pl_plane_t *plane, const pl_plane_t *was, int share);

/* grade.c. pl_soften() bends what is brighter than PL_FULL back below it. */
pl_ink_t pl_ramp(const pl_ramp_t *ramp, int luma);
void pl_grade(pl_plane_t *plane, const pl_grade_t *grade);
void pl_vignette(pl_plane_t *plane, int share);
void pl_leak(pl_plane_t *plane, int x, int y, pl_ink_t ink, int share);
void pl_grain(pl_plane_t *plane, apr_uint64_t key, int share);
void pl_soften(pl_plane_t *plane);
void pl_face_find(pl_face_t *face, const pl_plane_t *plane);

static inline int pl_luma(const apr_uint16_t *light)
{
    return (light[0] * 77 + light[1] * 150 + light[2] * 29) / 256;
}

/* ---- effects ---- */

typedef struct pl_wish_t {
    apr_uint64_t key;     /* the hash of prompt, preset and seed */
    const char *preset;   /* "": none */
    const char *words[2]; /* preset and prompt, which are searched for moods */
    int share;            /* how much of the effect, of PL_ONE */
} pl_wish_t;

/* An effect repaints the plane. APR_ENOMEM without memory. */
typedef apr_status_t pl_effect_t(pl_plane_t *plane, const pl_wish_t *wish, apr_pool_t *pool);
pl_effect_t pl_glitch_apply;   /* glitch.c */
pl_effect_t pl_mask_apply;     /* mask.c */
pl_effect_t pl_ghibli_apply;   /* ghibli.c */
pl_effect_t pl_film_apply;     /* film.c */
pl_effect_t pl_painting_apply; /* ghibli.c */

#endif

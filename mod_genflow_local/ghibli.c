/* SPDX-License-Identifier: Apache-2.0
 *
 * The painterly effects: the source picture as a hand would paint it for an animated film, in soft
 * colours under a warm light. For ghibli-reaction its presets tears, shock and sparkle add what
 * such films add then; for all types without an effect of their own it is the painting alone.
 */
#include "mod_genflow_local/photo.h"

#include <string.h>

#define SUBJECT 101 /* of dice; the drawn scenes have theirs below */

static const pl_grade_t MEADOW = {
    .shadow = 0x2c5f8a, .shine = 0xffe2a8, .tint = 120, .colour = 330, .contrast = 56, .lift = 26
};
static const pl_grade_t RAIN = {
    .shadow = 0x24508f, .shine = 0xcfe6ff, .tint = 170, .colour = 270, .contrast = 40, .lift = 30
};

/* ---- the painting ---- */

static apr_status_t painting_make(pl_plane_t *plane, const pl_grade_t *grade, apr_pool_t *pool)
{
    apr_status_t rv = pl_paint(plane, pl_span(plane, 8), pool);
    unsigned char *edges;

    if (rv == APR_SUCCESS) {
        rv = pl_paint(plane, pl_span(plane, 5), pool);
    }
    edges = rv == APR_SUCCESS ? pl_edges_make(plane, pool) : NULL;
    if (edges == NULL) {
        return rv != APR_SUCCESS ? rv : APR_ENOMEM;
    }
    pl_grade(plane, grade);
    pl_outline(plane, edges, pl_ink(0x2a1c22), 120);
    return APR_SUCCESS;
}

/* Warm light from one of the upper corners. */
static void sun_shine(pl_plane_t *plane, const pl_wish_t *wish)
{
    apr_uint64_t dice = pl_dice_of(wish->key, SUBJECT);
    int x = pl_roll(&dice, 0, 1) == 1 ? plane->w * 9 / 10 : plane->w / 10;

    pl_leak(plane, x, -plane->h / 12, pl_ink(0xffd9a0), 84);
}

/* ---- what the presets add ---- */

/* A star of four points. */
static void paint_sparkle(pl_plane_t *plane, int x, int y, int reach, pl_ink_t ink)
{
    int dx, dy;

    for (dy = -reach; dy <= reach; dy++) {
        for (dx = -reach; dx <= reach; dx++) {
            int near = reach * reach / 90 + 1;
            int cross = (dx * dx < dy * dy ? dx * dx : dy * dy) * 40 / near + 1;
            int far = reach - (dx < 0 ? -dx : dx) - (dy < 0 ? -dy : dy);

            if (far > 0) {
                pl_glow(plane, x + dx, y + dy, ink, pl_clamp(900 * far / reach / cross, 0, 900));
            }
        }
    }
}

static void sparkles_paint(pl_plane_t *plane, const pl_wish_t *wish, const pl_face_t *face)
{
    apr_uint64_t dice = pl_dice_of(wish->key, SUBJECT + 1);
    int i;

    for (i = 0; i < 34; i++) {
        int x = pl_roll(&dice, 0, plane->w - 1);
        int y = pl_roll(&dice, 0, plane->h - 1);
        int big = pl_roll(&dice, 0, 5) == 0;
        pl_ink_t ink = pl_ink(pl_roll(&dice, 0, 2) == 0 ? 0xffc8e8 : 0xfff4cc);

        paint_sparkle(plane, x, y,
                      pl_span(plane, big ? pl_roll(&dice, 34, 58) : pl_roll(&dice, 9, 24)), ink);
    }
}

/* Lines that rush to the face, from all sides. */
static void shock_paint(pl_plane_t *plane, const pl_wish_t *wish, const pl_face_t *face)
{
    apr_uint64_t dice = pl_dice_of(wish->key, SUBJECT + 2);
    int far = plane->w + plane->h;
    int i;

    for (i = 0; i < 190; i++) {
        int u = pl_roll(&dice, -1000, 1000);
        int v = pl_roll(&dice, -1000, 1000);
        int length = pl_root((apr_uint64_t)(u * u + v * v)) + 1;
        int start = pl_roll(&dice, 145, 250);
        pl_stroke_t line;
        int share;

        line.x0 = (face->x + face->rx * u / length * start / 100) * PL_SUB;
        line.y0 = (face->y + face->ry * v / length * start / 100) * PL_SUB;
        line.x1 = (face->x + far * u / length) * PL_SUB;
        line.y1 = (face->y + far * v / length) * PL_SUB;
        line.half = pl_span(plane, 1) * pl_roll(&dice, 6, 22);
        share = pl_roll(&dice, 0, 3);
        pl_stroke(plane, &line, pl_ink(share == 0 ? 0x20182c : 0xfff8ec), pl_cover);
    }
}

/* Big drops that roll from where the eyes are. */
static void drop_paint(pl_plane_t *plane, int x, int y, int r)
{
    int dx, dy;

    for (dy = -3 * r; dy <= r; dy++) {
        for (dx = -r; dx <= r; dx++) {
            int half = dy > 0 ? r : r * (3 * r + dy) / (3 * r);
            int off = dx * dx + (dy > 0 ? dy * dy : 0);
            int glint = (dx + r / 3) * (dx + r / 3) + (dy + r / 4) * (dy + r / 4);

            if (half > 0 && off <= half * half) {
                int rim = off * PL_ONE / (half * half);

                pl_cover(plane, x + dx, y + dy, pl_ink_mix(pl_ink(0xbfe4ff), pl_ink(0x5aa8ee), rim),
                         150 + rim / 4);
            }
            if (glint * 12 < r * r) {
                pl_cover(plane, x + dx, y + dy, pl_ink(0xffffff), 235);
            }
        }
    }
}

static void tears_paint(pl_plane_t *plane, const pl_wish_t *wish, const pl_face_t *face)
{
    apr_uint64_t dice = pl_dice_of(wish->key, SUBJECT + 3);
    int side, i;

    for (side = -1; side <= 1; side += 2) {
        int x = face->x + side * face->rx * 2 / 5;
        int y = face->y + face->ry / 20;

        for (i = 0; i < 3; i++) {
            y += face->ry * pl_roll(&dice, 16, 30) / 100;
            x += side * face->rx * pl_roll(&dice, 0, 9) / 100;
            drop_paint(plane, x, y, face->rx * pl_roll(&dice, 7, 11) / 100 + 2);
        }
    }
}

static const struct {
    const char *name; /* at the preset's end */
    const pl_grade_t *grade;
    void (*paint)(pl_plane_t *plane, const pl_wish_t *wish, const pl_face_t *face);
} PRESETS[] = { { "tears", &RAIN, tears_paint },
                { "shock", &MEADOW, shock_paint },
                { "sparkle", &MEADOW, sparkles_paint } };

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* ---- effects ---- */

apr_status_t pl_ghibli_apply(pl_plane_t *plane, const pl_wish_t *wish, apr_pool_t *pool)
{
    size_t count = sizeof(PRESETS) / sizeof(PRESETS[0]);
    pl_plane_t *was = pl_copy(plane, pool);
    apr_status_t rv;
    pl_face_t face;
    size_t i = 0;

    if (was == NULL) {
        return APR_ENOMEM;
    }
    while (i < count && !ends_in(wish->preset, PRESETS[i].name)) {
        i++;
    }
    pl_face_find(&face, plane);
    rv = painting_make(plane, i < count ? PRESETS[i].grade : &MEADOW, pool);
    if (rv == APR_SUCCESS) {
        sun_shine(plane, wish);
        rv = pl_bloom(plane, pool);
    }
    pl_mix(plane, was, wish->share);
    if (i < count) {
        PRESETS[i].paint(plane, wish, &face);
    }
    pl_soften(plane);
    return rv;
}

apr_status_t pl_painting_apply(pl_plane_t *plane, const pl_wish_t *wish, apr_pool_t *pool)
{
    static const pl_grade_t STUDIO = {
        .shadow = 0x33415c, .shine = 0xffe9c9, .tint = 90, .colour = 290, .contrast = 70, .lift = 8
    };
    pl_plane_t *was = pl_copy(plane, pool);
    apr_status_t rv = was != NULL ? painting_make(plane, &STUDIO, pool) : APR_ENOMEM;

    if (rv == APR_SUCCESS) {
        sun_shine(plane, wish);
        pl_vignette(plane, 70);
        pl_mix(plane, was, wish->share);
        pl_soften(plane);
    }
    return rv;
}

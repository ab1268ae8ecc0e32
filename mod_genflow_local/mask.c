/* SPDX-License-Identifier: Apache-2.0
 *
 * The effect of emotion-mask: the face as a mask in the inks of an emotion, before a ground in its
 * gestures. Emotions are looked for in preset and prompt; two of them divide mask and ground.
 */
#include "mod_genflow_local/photo.h"

#include <ctype.h>
#include <string.h>

#define SUBJECT 121 /* of dice */
#define LEVELS  5   /* of light on the mask */

typedef enum { RAYS, RAIN, SLASHES, RINGS, ORBS } gesture_e;

typedef struct emotion_t {
    const char *stems[6]; /* of its words; NULL-ended */
    pl_ramp_t inks;
    gesture_e gesture;
} emotion_t;

static const emotion_t EMOTIONS[] = {
    { { "joy", "happ", "smil", "laugh", "delight" }, { 0x5a1a0c, 0xff8420, 0xfff0a6 }, RAYS },
    { { "sad", "sorrow", "grief", "tear", "melanchol" }, { 0x081238, 0x2f6ccc, 0xd2ecff }, RAIN },
    { { "ang", "rage", "fury", "furious", "mad" }, { 0x2a0206, 0xd2121e, 0xffc890 }, SLASHES },
    { { "fear", "scare", "terror", "anxi", "panic" }, { 0x0c0824, 0x5a3fb8, 0xc8ffd8 }, RINGS },
    { { "surpris", "shock", "wonder", "awe" }, { 0x32084e, 0xff3fa0, 0xfff07a }, RAYS },
    { { "love", "passion", "tender", "romanc" }, { 0x3a0626, 0xe8407a, 0xffdbe4 }, ORBS },
    { { "peace", "calm", "seren", "hope" }, { 0x062e30, 0x2fa58c, 0xe8fff0 }, RINGS },
    { { "disgust", "envy", "jealous" }, { 0x101d06, 0x6f9a1e, 0xe9ffb0 }, SLASHES },
    { { "nostalg", "memor", "longing" }, { 0x2b1a10, 0xb0804a, 0xffeccb }, ORBS },
    { { "lonel", "distan", "isolat" }, { 0x10161f, 0x5f7890, 0xe6eef4 }, RAIN },
    { { "strength", "conf", "power", "brave", "pride" }, { 0x241002, 0xe0941a, 0xfff4c2 }, RAYS },
    { { "vulner", "shy", "fragil" }, { 0x2a1430, 0xb684c0, 0xfdeaff }, ORBS },
};

#define EMOTION_COUNT ((int)(sizeof(EMOTIONS) / sizeof(EMOTIONS[0])))

/* ---- which emotions ---- */

/* Does a word begin here with this stem? */
static bool begins_with(const char *at, const char *text, const char *stem)
{
    if (at > text && isalpha((unsigned char)at[-1])) {
        return false;
    }
    while (*stem != '\0' && tolower((unsigned char)*at) == *stem) {
        at++;
        stem++;
    }
    return *stem == '\0';
}

static const emotion_t *emotion_at(const char *at, const char *text)
{
    int i, j;

    for (i = 0; i < EMOTION_COUNT; i++) {
        for (j = 0; EMOTIONS[i].stems[j] != NULL; j++) {
            if (begins_with(at, text, EMOTIONS[i].stems[j])) {
                return &EMOTIONS[i];
            }
        }
    }
    return NULL;
}

/* The first two that the words name; the same one twice if there is but one, by dice if none. */
static void emotions_find(const emotion_t *found[2], const pl_wish_t *wish)
{
    apr_uint64_t dice = pl_dice_of(wish->key, SUBJECT);
    const char *at;
    int i;

    found[0] = found[1] = NULL;
    for (i = 0; i < 2 && found[0] == NULL; i++) {
        for (at = wish->words[i]; *at != '\0' && found[1] == NULL; at++) {
            const emotion_t *emotion = emotion_at(at, wish->words[i]);

            if (emotion != NULL && emotion != found[0]) {
                found[found[0] != NULL] = emotion;
            }
        }
    }
    if (found[0] == NULL) {
        found[0] = &EMOTIONS[pl_roll(&dice, 0, EMOTION_COUNT - 1)];
    }
    if (found[1] == NULL) {
        found[1] = found[0];
    }
}

/* ---- the ground ---- */

static void rays_paint(pl_plane_t *plane, const pl_face_t *face, apr_uint64_t *dice, pl_ink_t ink)
{
    int far = plane->w + plane->h;
    int i;

    for (i = 0; i < 60; i++) {
        int u = pl_roll(dice, -1000, 1000);
        int v = pl_roll(dice, -1000, 1000);
        int length = pl_root((apr_uint64_t)(u * u + v * v)) + 1;
        pl_stroke_t ray = { face->x * PL_SUB, face->y * PL_SUB,
                            (face->x + far * u / length) * PL_SUB,
                            (face->y + far * v / length) * PL_SUB,
                            pl_span(plane, pl_roll(dice, 1, 9)) * PL_SUB / 2 };

        pl_stroke(plane, &ray, pl_ink_scale(ink, pl_roll(dice, 30, 90)), pl_glow);
    }
}

static void rain_paint(pl_plane_t *plane, const pl_face_t *face, apr_uint64_t *dice, pl_ink_t ink)
{
    int i;

    for (i = 0; i < 220; i++) {
        int x = pl_roll(dice, 0, plane->w) * PL_SUB;
        int y = pl_roll(dice, -plane->h / 5, plane->h) * PL_SUB;
        int fall = pl_span(plane, pl_roll(dice, 40, 210)) * PL_SUB;
        pl_stroke_t drop = { x, y, x - fall / 12, y + fall, pl_span(plane, 2) * PL_SUB / 3 };

        pl_stroke(plane, &drop, pl_ink_scale(ink, pl_roll(dice, 30, 120)), pl_glow);
    }
}

static void slashes_paint(pl_plane_t *plane, const pl_face_t *face, apr_uint64_t *dice,
                          pl_ink_t ink)
{
    int i;

    for (i = 0; i < 46; i++) {
        int x = pl_roll(dice, -plane->w / 4, plane->w) * PL_SUB;
        int y = pl_roll(dice, 0, plane->h * 5 / 4) * PL_SUB;
        int reach = pl_span(plane, pl_roll(dice, 120, 620)) * PL_SUB;
        pl_stroke_t slash = { x, y, x + reach, y - reach * pl_roll(dice, 50, 90) / 100,
                              pl_span(plane, pl_roll(dice, 2, 13)) * PL_SUB / 2 };

        pl_stroke(plane, &slash, pl_ink_scale(ink, pl_roll(dice, 40, 130)), pl_glow);
    }
}

static void rings_paint(pl_plane_t *plane, const pl_face_t *face, apr_uint64_t *dice, pl_ink_t ink)
{
    int step = pl_span(plane, pl_roll(dice, 52, 76));
    int wave = pl_span(plane, 5);
    int x, y;

    for (y = 0; y < plane->h; y++) {
        for (x = 0; x < plane->w; x++) {
            apr_int64_t dx = x - face->x;
            apr_int64_t dy = (apr_int64_t)(y - face->y) * face->rx / face->ry;
            int r = pl_root((apr_uint64_t)(dx * dx + dy * dy)) % step;
            int line = wave - (r < step / 2 ? r : step - r);

            if (line > 0) {
                pl_glow(plane, x, y, ink, 90 * line / wave);
            }
        }
    }
}

static void orbs_paint(pl_plane_t *plane, const pl_face_t *face, apr_uint64_t *dice, pl_ink_t ink)
{
    int i, dx, dy;

    for (i = 0; i < 46; i++) {
        int x = pl_roll(dice, 0, plane->w);
        int y = pl_roll(dice, 0, plane->h);
        int r = pl_span(plane, pl_roll(dice, 12, 62));
        int shine = pl_roll(dice, 18, 70);

        for (dy = -r; dy <= r; dy++) {
            for (dx = -r; dx <= r; dx++) {
                int off = (dx * dx + dy * dy) * PL_ONE / (r * r);

                if (off < PL_ONE) {
                    pl_glow(plane, x + dx, y + dy, ink, shine * (120 + off) / 300);
                }
            }
        }
    }
}

static void (*const GESTURES[])(pl_plane_t *plane, const pl_face_t *face, apr_uint64_t *dice,
                                pl_ink_t ink) = { rays_paint, rain_paint, slashes_paint,
                                                  rings_paint, orbs_paint };

/* ---- the mask ---- */

/* How far out of the mask a pixel is: PL_ONE on its rim. It narrows towards the chin. */
static int out_of(const pl_face_t *face, int x, int y)
{
    int v = (y - face->y) * PL_ONE / face->ry;
    int wide = v > 0 ? face->rx * (PL_ONE - v * v / PL_ONE / 3) / PL_ONE : face->rx;
    int u = wide > 0 ? pl_clamp((x - face->x) * PL_ONE / wide, -2000, 2000) : 2000;

    v = pl_clamp(v, -2000, 2000);
    return (u * u + v * v) / PL_ONE;
}

/* Light in few steps with soft borders. */
static int stepped_luma(int luma)
{
    int wide = PL_FULL / LEVELS;
    int step = luma / wide;
    int in = (luma - step * wide) * PL_ONE / wide;

    in = pl_clamp((in - 108) * 6, 0, PL_ONE);
    return pl_clamp((step * PL_ONE + in) * PL_FULL / (LEVELS * PL_ONE), 0, PL_FULL);
}

/* The darkest and the lightest that the face has, but for a few percent. */
static void range_find(int range[2], const pl_plane_t *plane, const pl_face_t *face)
{
    int bins[PL_ONE] = { 0 };
    int count = 0, sum = 0;
    int x, y, i;

    for (y = 0; y < plane->h; y += 2) {
        for (x = 0; x < plane->w; x += 2) {
            if (out_of(face, x, y) < PL_ONE) {
                const apr_uint16_t *at = plane->light + 3 * ((apr_size_t)y * plane->w + x);

                bins[pl_clamp(pl_luma(at) / 16, 0, PL_ONE - 1)]++;
                count++;
            }
        }
    }
    range[0] = range[1] = -1;
    for (i = 0; i < PL_ONE; i++) {
        sum += bins[i];
        if (range[0] < 0 && sum * 25 > count) {
            range[0] = i * 16;
        }
        if (range[1] < 0 && sum * 25 >= count * 24) {
            range[1] = i * 16;
        }
    }
    range[0] = range[0] < 0 ? 0 : range[0];
    range[1] = range[1] < range[0] + 320 ? range[0] + 320 : range[1];
}

/* Which of two emotions rules at `x`: 0 is the left one, PL_ONE the right one. */
static int side_of(const pl_plane_t *plane, const pl_face_t *face, int x)
{
    return pl_clamp((x - face->x) * PL_ONE / pl_span(plane, 8) + PL_ONE / 2, 0, PL_ONE);
}

/* Ground and mask as inks; what the picture shows stays visible in both. */
static void inks_lay(pl_plane_t *plane, const pl_face_t *face, const emotion_t *const found[2])
{
    int range[2];
    int x, y;

    range_find(range, plane, face);
    for (y = 0; y < plane->h; y++) {
        const apr_uint16_t *light = plane->light + 3 * (apr_size_t)y * plane->w;

        for (x = 0; x < plane->w; x++, light += 3) {
            int luma = pl_clamp((pl_luma(light) - range[0]) * (PL_FULL / 16)
                                    / ((range[1] - range[0]) / 16),
                                0, PL_FULL);
            int out = out_of(face, x, y);
            int inside = pl_clamp((PL_ONE + 20 - out) * 6, 0, PL_ONE);
            int tone = (stepped_luma(luma) * inside + luma * 6 / 16 * (PL_ONE - inside)) / PL_ONE;
            pl_ink_t left = pl_ramp(&found[0]->inks, tone);
            pl_ink_t right = pl_ramp(&found[1]->inks, tone);

            pl_cover(plane, x, y, pl_ink_mix(left, right, side_of(plane, face, x)), PL_ONE);
        }
    }
}

/* The gestures stay behind the mask: what they drew over it is taken back. */
static apr_status_t ground_paint(pl_plane_t *plane, const pl_face_t *face,
                                 const emotion_t *const found[2], const pl_wish_t *wish,
                                 apr_pool_t *pool)
{
    pl_plane_t *sides[2];
    int i, x, y;

    for (i = 0; i < 2; i++) {
        apr_uint64_t dice = pl_dice_of(wish->key, SUBJECT + 1);

        if (i == 1 && found[1] == found[0]) {
            sides[1] = sides[0];
            break;
        }
        sides[i] = pl_plane_make(plane->w, plane->h, pool);
        if (sides[i] == NULL) {
            return APR_ENOMEM;
        }
        GESTURES[found[i]->gesture](sides[i], face, &dice, pl_ink(found[i]->inks.mid));
    }
    for (y = 0; y < plane->h; y++) {
        for (x = 0; x < plane->w; x++) {
            apr_size_t at = 3 * ((apr_size_t)y * plane->w + x);
            int side = side_of(plane, face, x);
            int outside = pl_clamp((out_of(face, x, y) - PL_ONE) * 3, 0, PL_ONE);
            const apr_uint16_t *l = sides[0]->light + at;
            const apr_uint16_t *r = sides[1]->light + at;
            pl_ink_t left = { l[0], l[1], l[2] };
            pl_ink_t right = { r[0], r[1], r[2] };

            pl_glow(plane, x, y, pl_ink_mix(left, right, side), outside);
        }
    }
    return APR_SUCCESS;
}

/* A lit rim, and a seam between two emotions. */
static void rim_paint(pl_plane_t *plane, const pl_face_t *face, const emotion_t *const found[2])
{
    int x, y;

    for (y = 0; y < plane->h; y++) {
        for (x = 0; x < plane->w; x++) {
            int out = out_of(face, x, y);
            int rim = 22 - (out < PL_ONE + 12 ? PL_ONE + 12 - out : out - PL_ONE - 12);
            int seam = found[0] != found[1] && out < PL_ONE
                           ? pl_span(plane, 2) * 2 - (x < face->x ? face->x - x : x - face->x)
                           : 0;
            pl_ink_t ink = pl_ink(found[x > face->x]->inks.light);

            if (rim > 0) {
                pl_glow(plane, x, y, ink, rim * 11);
            }
            if (seam > 0) {
                pl_glow(plane, x, y, ink, pl_clamp(seam * 60, 0, 200));
            }
        }
    }
}

apr_status_t pl_mask_apply(pl_plane_t *plane, const pl_wish_t *wish, apr_pool_t *pool)
{
    pl_plane_t *was = pl_copy(plane, pool);
    const emotion_t *found[2];
    unsigned char *edges;
    pl_face_t face;
    apr_status_t rv;

    if (was == NULL) {
        return APR_ENOMEM;
    }
    pl_face_find(&face, plane);
    emotions_find(found, wish);
    rv = pl_paint(plane, pl_span(plane, 6), pool);
    edges = rv == APR_SUCCESS ? pl_edges_make(plane, pool) : NULL;
    if (edges == NULL) {
        return rv != APR_SUCCESS ? rv : APR_ENOMEM;
    }
    inks_lay(plane, &face, found);
    pl_outline(plane, edges, pl_ink(found[0]->inks.dark), 200);
    pl_vignette(plane, 150);
    rv = ground_paint(plane, &face, found, wish, pool);
    rim_paint(plane, &face, found);
    pl_mix(plane, was, wish->share);
    if (rv == APR_SUCCESS) {
        rv = pl_bloom(plane, pool);
    }
    pl_soften(plane);
    return rv;
}

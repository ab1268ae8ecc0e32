/* SPDX-License-Identifier: Apache-2.0
 *
 * What glows in the `local` provider's picture: tubes, signs, and what the presets visor and
 * tattoos are about. city.c hangs the signs, screen.c lets light bloom.
 */
#include "mod_genflow_local/scene.h"

/* Strokes as x0 y0 x1 y1 on a field of 0..8: kana-like, but no real words. */
static const char *const GLYPHS[] = {
    "0171 7154 4345 4528",      "7035 4348",
    "4042 0282 0204 8275 7538", "1171 4147 0787",
    "0282 8278 4034 3408",      "1272 0585 4058",
    "3004 3181 8156 5628",      "1171 7177 0787",
    "0383 2125 6165 6538",      "3038 3365",
    "0383 4045 4528",           "1171 7177 7717 1711",
    "1171 7177 7717 1711 1474", "4048 0308 8388 0888",
    "1272 7276 7616 1612 4048", "2272 4248 0585 2288",
    "0181 4148 0484 0888",      "2028 2068 6845 0383",
    "0282 4048 4408 4488",      "2017 5053 5383 6348",
};

#define GLYPH_COUNT ((int)(sizeof(GLYPHS) / sizeof(GLYPHS[0])))
#define GLYPH_FIELD 8

/* A sign this thin is only a lit bar. */
#define SIGN_MIN 8

/* Bundles of wires on each side of the sun's middle. */
#define BUNDLES 3

typedef struct ring_t {
    int x;
    int y;
    int r;
    int half; /* half its line, in sixteenths of a pixel */
    int gap;  /* open above and below its middle, this far to each side */
} ring_t;

/* A conductor that leaves the ring round the sun: level, slanting, level again, to a pad. Distances
 * are from the sun's middle, down and to either side. */
typedef struct wire_t {
    int y;
    int bend; /* where the slant begins */
    int rise; /* height of the slant, negative if up */
    int end;
} wire_t;

void pl_tube(pl_plane_t *plane, const pl_stroke_t *stroke, pl_ink_t ink)
{
    pl_stroke_t wide = *stroke;
    pl_stroke_t core = *stroke;

    wide.half = stroke->half * 3 + PL_SUB / 2;
    core.half = stroke->half / 2;
    pl_stroke(plane, &wide, pl_ink_scale(ink, 60), pl_glow);
    pl_stroke(plane, stroke, ink, pl_cover);
    pl_stroke(plane, &core, pl_ink_mix(ink, pl_ink(0xffffff), 150), pl_glow);
}

/* One glyph in the square `box`. */
static void glyph_paint(pl_plane_t *plane, pl_box_t box, const char *glyph, pl_ink_t ink)
{
    int unit = box.w * PL_SUB / GLYPH_FIELD;
    int left = box.x * PL_SUB;
    int top = box.y * PL_SUB;
    pl_stroke_t stroke;

    stroke.half = pl_clamp(box.w * PL_SUB / 24, PL_SUB / 2, 4 * PL_SUB);
    while (glyph != NULL) {
        stroke.x0 = left + (glyph[0] - '0') * unit;
        stroke.y0 = top + (glyph[1] - '0') * unit;
        stroke.x1 = left + (glyph[2] - '0') * unit;
        stroke.y1 = top + (glyph[3] - '0') * unit;
        pl_tube(plane, &stroke, ink);
        glyph = glyph[4] == ' ' ? glyph + 5 : NULL;
    }
}

static void frame_paint(pl_plane_t *plane, pl_box_t box, pl_ink_t ink)
{
    int half = pl_span(plane, 1) * PL_SUB / 2;
    int left = box.x * PL_SUB;
    int top = box.y * PL_SUB;
    int right = (box.x + box.w) * PL_SUB;
    int foot = (box.y + box.h) * PL_SUB;

    pl_tube(plane, &(pl_stroke_t){ left, top, right, top, half }, ink);
    pl_tube(plane, &(pl_stroke_t){ right, top, right, foot, half }, ink);
    pl_tube(plane, &(pl_stroke_t){ right, foot, left, foot, half }, ink);
    pl_tube(plane, &(pl_stroke_t){ left, foot, left, top, half }, ink);
}

void pl_sign(pl_plane_t *plane, const pl_look_t *look, apr_uint64_t *dice, pl_box_t box)
{
    int which = pl_roll(dice, 0, 3);
    pl_ink_t ink = pl_ink(look->palette->neon[which]);
    pl_ink_t other = pl_ink(look->palette->neon[(which + pl_roll(dice, 1, 3)) % 4]);
    bool filled = pl_roll(dice, 0, 4) == 0;
    bool lying = box.w > box.h;
    int side = (lying ? box.h : box.w) * 5 / 8;
    int step = side * 5 / 4;
    int count, rest, i;

    filled = filled || (lying ? box.h : box.w) < SIGN_MIN;
    pl_fill(plane, box, pl_ink_scale(ink, filled ? 215 : 28), 236);
    frame_paint(plane, box, filled ? ink : other);
    if ((lying ? box.h : box.w) < SIGN_MIN) {
        return;
    }
    count = (lying ? box.w : box.h) / step;
    rest = (lying ? box.w : box.h) - count * step + step - side;
    for (i = 0; i < count; i++) {
        const char *glyph = GLYPHS[pl_roll(dice, 0, GLYPH_COUNT - 1)];
        int along = rest / 2 + i * step;
        int across = ((lying ? box.h : box.w) - side) / 2;
        pl_box_t at = { box.x + (lying ? along : across), box.y + (lying ? across : along), side,
                        side };

        glyph_paint(plane, at, glyph, filled ? pl_ink_scale(other, 300) : ink);
    }
}

static void ring_paint(pl_plane_t *plane, const ring_t *ring, pl_ink_t ink)
{
    int r = ring->r;
    int reach = r + ring->half / PL_SUB + 2;
    int x, y;

    for (y = -reach; y <= reach; y++) {
        for (x = -reach; x <= reach; x++) {
            int off = (x * x + y * y - r * r) * PL_SUB / (2 * r);
            int share = (ring->half + PL_SUB / 2 - (off < 0 ? -off : off)) * 16;

            if (share > 0 && (x < 0 ? -x : x) >= ring->gap) {
                pl_cover(plane, ring->x + x, ring->y + y, ink, pl_clamp(share, 0, PL_ONE));
            }
        }
    }
}

/* A wire, and its mirror image on the other side of the sun. */
static void wire_paint(pl_plane_t *plane, const pl_look_t *look, const wire_t *wire, int r,
                       pl_ink_t ink)
{
    int start = pl_root((apr_uint64_t)pl_clamp(r * r - wire->y * wire->y, 0, r * r));
    int run = wire->rise < 0 ? -wire->rise : wire->rise;
    const int xs[4] = { start, wire->bend, wire->bend + run, wire->end };
    const int ys[4] = { wire->y, wire->y, wire->y + wire->rise, wire->y + wire->rise };
    int i, side;

    for (side = -1; side <= 1; side += 2) {
        ring_t pad = { 0, look->sun_y + ys[3], pl_span(plane, 4), PL_SUB, 0 };

        for (i = 0; i < 3; i++) {
            pl_stroke_t leg;

            leg.x0 = (look->sun_x + side * xs[i]) * PL_SUB + PL_SUB / 2;
            leg.x1 = (look->sun_x + side * xs[i + 1]) * PL_SUB + PL_SUB / 2;
            leg.y0 = (look->sun_y + ys[i]) * PL_SUB + PL_SUB / 2;
            leg.y1 = (look->sun_y + ys[i + 1]) * PL_SUB + PL_SUB / 2;
            leg.half = pl_span(plane, 2) * PL_SUB / 2;
            pl_tube(plane, &leg, ink);
        }
        pad.x = look->sun_x + side * (wire->end + pad.r);
        ring_paint(plane, &pad, pl_ink_scale(ink, 330));
    }
}

/* Three rings round the sun, and bundles of wires that fan out from the outermost: the higher and
 * the lower ones slant first and furthest, so that none cross. */
void pl_tracery_paint(pl_plane_t *plane, const pl_look_t *look)
{
    apr_uint64_t dice = pl_dice_of(look->key, PL_DICE_TRACERY);
    int r = look->sun_r * 136 / 100;
    int step = pl_span(plane, 11);
    int bundle, i;

    for (bundle = -BUNDLES; bundle <= BUNDLES; bundle++) {
        int outer = bundle < 0 ? -bundle : bundle;
        int wires = pl_roll(&dice, 3, 4);
        int bend = r + step * (2 + 3 * (BUNDLES - outer) + pl_roll(&dice, 0, 2));
        int run = step * (outer * 5 + pl_roll(&dice, 0, 2));
        pl_ink_t ink = pl_ink(look->palette->neon[pl_roll(&dice, 0, 3)]);

        for (i = 0; i < wires; i++) {
            wire_t wire;

            wire.y = r * bundle * 2 / 7 + (i - wires / 2) * step;
            wire.bend = bend + (bundle < 0 ? i : wires - i) * step * 2 / 5;
            wire.rise = bundle < 0 ? -run : run;
            wire.end = wire.bend + run + step * pl_roll(&dice, 3, 16);
            wire_paint(plane, look, &wire, r, ink);
        }
    }
    for (i = 0; i < 3; i++) {
        ring_t ring = { look->sun_x, look->sun_y, look->sun_r * (116 + 10 * i) / 100, PL_SUB, 0 };

        if (i == 1) {
            ring.gap = ring.r / 3;
            ring.half = PL_SUB * 3 / 2;
        }
        ring_paint(plane, &ring, pl_ink_scale(pl_ink(look->palette->neon[i]), 310));
    }
}

/* The visor's upper and lower edge in column `x`, in fine rows; false beside it. */
static bool visor_edges(int edges[2], const pl_look_t *look, int x)
{
    int off = x - look->visor.x;
    int u = (off < 0 ? -off : off) * PL_ONE / look->visor.w; /* 0 in the middle, PL_ONE outside */
    int half = look->visor.h;
    int sag = half * (u * u / PL_ONE) / PL_ONE / 3;
    int middle = look->visor.y + sag;

    if (u >= PL_ONE) {
        return false;
    }
    edges[0] = middle - half + half * pl_clamp(u - 226, 0, 30) / 50;
    edges[1] =
        middle + half - half * pl_clamp(u - 196, 0, 60) / 60 - half * pl_clamp(40 - u, 0, 20) / 36;
    return true;
}

/* Its glass at one pixel, `down` from upper to lower edge: dark, the city mirrored in it, a strip
 * of light along it, a slanted glare, and more light towards its edges. */
static void visor_glass(pl_plane_t *plane, const pl_look_t *look, int x, int y, int down)
{
    const pl_palette_t *palette = look->palette;
    int off = x < look->visor.x ? look->visor.x - x : x - look->visor.x;
    int end = PL_ONE - off * 2 * PL_ONE / plane->w;
    int rim = down < PL_ONE / 2 ? PL_ONE / 2 - down : down - PL_ONE / 2;
    int strip = pl_clamp(PL_ONE - (rim - 8) * 5, 0, PL_ONE);
    int slant = (x + y / 2) * 1024 / plane->w % 512;
    int row = look->horizon * (48 + down * 51 / PL_ONE) / 100;
    const apr_uint16_t *at = plane->light + 3 * ((apr_size_t)row * plane->w + (plane->w - 1 - x));
    pl_ink_t city = { at[0], at[1], at[2] };
    pl_ink_t tint =
        pl_ink_mix(pl_ink(palette->neon[1]), pl_ink(palette->neon[0]), x * PL_ONE / plane->w);

    strip = strip * strip / PL_ONE * strip / PL_ONE;
    pl_cover(plane, x, y, pl_ink_scale(tint, 40), 205);
    pl_glow(plane, x, y, city, 150);
    pl_glow(plane, x, y, tint, 30 + rim * rim / 150 + strip * (end + 60) / 300);
    if (rim < 9) {
        pl_glow(plane, x, y, pl_ink(0xffffff), end * 3 / 4);
    }
    if (slant > 80 && slant < 190 && (slant < 140 || slant > 156)) {
        pl_glow(plane, x, y, pl_ink(0xffffff), 26);
    }
}

/* The rim over one column, from where the edges were to where they are. */
static void visor_rim(pl_plane_t *plane, const pl_look_t *look, int x, const int last[2],
                      const int edges[2])
{
    int half = pl_span(plane, 3) * PL_SUB / 2;
    int i;

    for (i = 0; i < 2; i++) {
        pl_stroke_t rim = { x * PL_SUB, last[i], (x + 1) * PL_SUB, edges[i], half };
        pl_ink_t ink = pl_ink(look->palette->neon[1 - i]);

        pl_stroke(plane, &rim, pl_ink_mix(ink, pl_ink(0xffffff), 90), pl_cover);
    }
}

void pl_visor_paint(pl_plane_t *plane, const pl_look_t *look)
{
    int last[2] = { 0, 0 };
    int edges[2];
    int x, y;

    for (x = 0; x < plane->w; x++) {
        bool inside = visor_edges(edges, look, x);

        if (!inside && last[1] == 0) {
            continue;
        }
        if (last[1] == 0) { /* the rim begins in one point and ends in one */
            last[0] = last[1] = edges[0];
        }
        if (!inside) {
            edges[0] = edges[1] = last[0];
        }
        visor_rim(plane, look, x, last, edges);
        if (!inside) {
            return;
        }
        for (y = edges[0] / PL_SUB + 1; y < edges[1] / PL_SUB; y++) {
            int down = (y * PL_SUB + PL_SUB / 2 - edges[0]) * PL_ONE / (edges[1] - edges[0] + 1);

            visor_glass(plane, look, x, y, pl_clamp(down, 0, PL_ONE));
        }
        last[0] = edges[0];
        last[1] = edges[1];
    }
}

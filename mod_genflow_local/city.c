/* SPDX-License-Identifier: Apache-2.0
 *
 * The city of the `local` provider's picture: three rows of towers, far to near, with windows,
 * signs and traffic, and one landmark. Sky behind and ground before it are painted elsewhere.
 */
#include "mod_genflow_local/scene.h"

/* A row of towers; widths in 1/1024 of the shorter side, heights in percent of the horizon's. */
typedef struct row_t {
    int haze; /* how far its walls fade */
    int w_min;
    int w_max;
    int h_min;
    int h_max;
    int centre; /* percent of its height left where the sun stands */
    int cell;   /* a window with its wall, in the widths' unit */
    int lit;    /* lit windows, percent */
} row_t;

static const row_t ROWS[] = {
    { 150, 22, 58, 14, 46, 45, 6, 28 },
    { 90, 40, 92, 14, 58, 26, 8, 36 },
    { 14, 70, 132, 20, 88, 10, 10, 42 },
};

enum { ROW_FAR, ROW_MIDDLE, ROW_NEAR };

typedef enum { ROOF_FLAT, ROOF_STEPS, ROOF_SLANT, ROOF_MASTS, ROOF_CROWN } roof_e;
typedef enum { WINDOW_BANDS, WINDOW_SLITS, WINDOW_PLAIN, WINDOW_PLAINER } window_e;

typedef struct tower_t {
    pl_box_t body;
    pl_ink_t wall;
    pl_ink_t foot; /* its wall where the mist begins */
    pl_ink_t rim;  /* light on the side of the sun */
    bool rim_left;
    int cell;
    int lit;
} tower_t;

static void fill_box(pl_plane_t *plane, pl_box_t box, pl_ink_t ink)
{
    pl_fill(plane, box, ink, PL_ONE);
}

static void body_paint(pl_plane_t *plane, const tower_t *tower)
{
    pl_box_t body = tower->body;
    int shade_x = tower->rim_left ? body.x + body.w * 5 / 8 : body.x;
    int rim_w = pl_span(plane, 2);
    int rim_x = tower->rim_left ? body.x : body.x + body.w - rim_w;
    int i;

    for (i = 0; i < body.h; i++) {
        int down = i * PL_ONE / body.h;
        int y = body.y + i;
        pl_ink_t ink = pl_ink_mix(tower->wall, tower->foot, down * down / PL_ONE);

        fill_box(plane, (pl_box_t){ body.x, y, body.w, 1 }, ink);
        fill_box(plane, (pl_box_t){ shade_x, y, body.w * 3 / 8, 1 }, pl_ink_scale(ink, 176));
        pl_fill(plane, (pl_box_t){ rim_x, y, rim_w, 1 }, tower->rim, 150 - down / 2);
    }
    pl_fill(plane, (pl_box_t){ body.x, body.y, body.w, rim_w }, tower->rim, 110);
}

/* A mast with a crossbar, and a red light on its tip. */
static void mast_paint(pl_plane_t *plane, const tower_t *tower, int x, int high)
{
    int thin = pl_span(plane, 2);
    int tip = tower->body.y - high;

    fill_box(plane, (pl_box_t){ x, tip, thin, high }, tower->wall);
    fill_box(plane, (pl_box_t){ x - thin, tip + high / 2, 3 * thin, thin }, tower->wall);
    fill_box(plane, (pl_box_t){ x, tip, thin, thin }, pl_ink_scale(pl_ink(0xff3040), 400));
    pl_fill(plane, (pl_box_t){ x - 1, tip - 1, thin + 2, thin + 2 }, pl_ink(0xff3040), 120);
}

static void steps_paint(pl_plane_t *plane, const tower_t *tower, int high)
{
    tower_t top = *tower;
    int i;

    top.foot = top.wall;
    for (i = 1; i <= 2; i++) {
        top.body.x += top.body.w / 6;
        top.body.y -= high / i;
        top.body.w = top.body.w * 2 / 3;
        top.body.h = high / i + 1;
        body_paint(plane, &top);
    }
    mast_paint(plane, &top, top.body.x + top.body.w / 2, high);
}

static void roof_paint(pl_plane_t *plane, const pl_look_t *look, const tower_t *tower,
                       apr_uint64_t *dice)
{
    pl_box_t body = tower->body;
    roof_e roof = (roof_e)pl_roll(dice, ROOF_FLAT, ROOF_CROWN);
    int high = body.w * pl_roll(dice, 20, 50) / 100;
    int thin = pl_span(plane, 2);
    int i;

    switch (roof) {
    case ROOF_STEPS:
        steps_paint(plane, tower, high);
        break;
    case ROOF_SLANT:
        for (i = 0; i < body.w; i++) {
            int up = high * (tower->rim_left ? body.w - i : i) / body.w;

            fill_box(plane, (pl_box_t){ body.x + i, body.y - up, 1, up }, tower->wall);
            pl_fill(plane, (pl_box_t){ body.x + i, body.y - up, 1, thin }, tower->rim, 130);
        }
        break;
    case ROOF_MASTS:
        mast_paint(plane, tower, body.x + body.w / 3, high * 2);
        mast_paint(plane, tower, body.x + body.w * 2 / 3, high);
        break;
    case ROOF_CROWN:
        for (i = 1; i < 4; i++) {
            pl_fill(plane, (pl_box_t){ body.x, body.y + i * tower->cell, body.w, thin },
                    pl_ink(look->palette->neon[high % 4]), 250 - 60 * i);
        }
        break;
    case ROOF_FLAT:
        break;
    }
}

/* Floors are dark, dim or busy as a whole; within one, every window has its own light. */
static void windows_paint(pl_plane_t *plane, const pl_look_t *look, const tower_t *tower,
                          apr_uint64_t *dice)
{
    pl_box_t body = tower->body;
    window_e window = (window_e)pl_roll(dice, WINDOW_BANDS, WINDOW_PLAINER);
    int cell = tower->cell;
    int wall = cell / 3 + 1;
    int wide = window == WINDOW_BANDS ? 2 * cell : cell;
    int high = window == WINDOW_SLITS ? cell * 9 / 4 : cell * 3 / 2;
    int left = body.x + wall + (body.w - 2 * wall) % wide / 2;
    pl_ink_t lamp = pl_ink(look->palette->lamp[pl_roll(dice, 0, 2) / 2]);
    int x, y;

    for (y = body.y + 2 * wall; y + high < body.y + body.h; y += high) {
        int floor = pl_roll(dice, 0, 9);
        int lit = floor < 3 ? tower->lit / 4 : floor == 9 ? 85 : tower->lit;
        int fade = PL_ONE - (y - body.y) * 130 / body.h;

        for (x = left; x + wide <= body.x + body.w; x += wide) {
            int bright = pl_roll(dice, 40, PL_ONE);
            pl_box_t pane = { x, y, wide - wall, high - wall - (window == WINDOW_BANDS) };

            bright = pl_roll(dice, 0, 99) < lit ? bright : 14;
            pl_fill(plane, pane, lamp, bright * fade / PL_ONE);
        }
    }
}

/* A sign on the tower: upright on its wall, standing out over an edge, or lying on its roof. */
static void sign_hang(pl_plane_t *plane, const pl_look_t *look, const tower_t *tower,
                      apr_uint64_t *dice)
{
    pl_box_t body = tower->body;
    int thick = pl_span(plane, pl_roll(dice, 26, 42));
    int along = thick * pl_roll(dice, 25, 55) / 10;
    int room = body.h - along;
    int down = pl_roll(dice, 6, 50);
    pl_box_t box = { body.x - thick / 3, body.y + room * down / 100, thick, along };

    if (pl_roll(dice, 0, 3) == 0) {
        int post = pl_span(plane, 3);

        along = body.w * 7 / 8;
        box = (pl_box_t){ body.x + body.w / 16, body.y - thick * 5 / 4, along, thick };
        fill_box(plane, (pl_box_t){ box.x + along / 5, box.y + thick, post, thick / 4 },
                 tower->wall);
        fill_box(plane, (pl_box_t){ box.x + along * 4 / 5, box.y + thick, post, thick / 4 },
                 tower->wall);
    }
    else if (room < along / 4) {
        return;
    }
    else if (pl_roll(dice, 0, 1) != 0) {
        box.x = body.x + body.w - thick * 2 / 3;
    }
    pl_sign(plane, look, dice, box);
}

/* A lit tube down the edge of a tower. */
static void edge_paint(pl_plane_t *plane, const pl_look_t *look, const tower_t *tower,
                       apr_uint64_t *dice)
{
    pl_box_t body = tower->body;
    int inset = pl_span(plane, 5);
    int x = (tower->rim_left ? body.x + inset : body.x + body.w - inset) * PL_SUB;
    int foot = body.y + body.h * pl_roll(dice, 40, 90) / 100;
    pl_stroke_t tube = { x, (body.y + inset) * PL_SUB, x, foot * PL_SUB,
                         pl_span(plane, 2) * PL_SUB / 2 };

    pl_tube(plane, &tube, pl_ink(look->palette->neon[pl_roll(dice, 0, 2)]));
}

/* A tower at `x`; it steps back before the sun. */
static tower_t tower_make(const pl_plane_t *plane, const pl_look_t *look, const row_t *row,
                          apr_uint64_t *dice, int x)
{
    const pl_palette_t *palette = look->palette;
    pl_ink_t haze = pl_ink(palette->haze);
    tower_t tower;
    int off;

    tower.body.x = x;
    tower.body.w = pl_span(plane, pl_roll(dice, row->w_min, row->w_max));
    off = x + tower.body.w / 2 - look->sun_x;
    tower.rim_left = off > 0;
    off = pl_clamp((off < 0 ? -off : off) * 200 / plane->w, 0, 100);
    tower.body.h = look->horizon * pl_roll(dice, row->h_min, row->h_max) / 100;
    tower.body.h = tower.body.h * (row->centre + (100 - row->centre) * off / 100) / 100;
    tower.body.y = look->horizon - tower.body.h;

    tower.wall = pl_ink_mix(pl_ink(palette->wall), pl_ink(palette->sky[1]), pl_roll(dice, 0, 90));
    tower.wall = pl_ink_mix(tower.wall, haze, row->haze);
    tower.foot = pl_ink_mix(tower.wall, haze, 60 + row->haze / 2);
    tower.rim = pl_ink_mix(tower.wall, pl_ink(palette->sun[1]), 190);
    tower.cell = pl_span(plane, row->cell + pl_roll(dice, 0, 3));
    tower.cell = tower.cell < 2 ? 2 : tower.cell;
    tower.lit = row->lit;
    return tower;
}

static void row_paint(pl_plane_t *plane, const pl_look_t *look, int which)
{
    const row_t *row = &ROWS[which];
    apr_uint64_t dice = pl_dice_of(look->key, PL_DICE_CITY) + (apr_uint64_t)which;
    apr_uint64_t sign_dice = pl_dice_of(look->key, PL_DICE_SIGNS) + (apr_uint64_t)which;
    int x = -pl_roll(&dice, 0, pl_span(plane, row->w_max));

    while (x < plane->w) {
        tower_t tower = tower_make(plane, look, row, &dice, x);

        x += tower.body.w;
        if (pl_roll(&dice, 0, 99) >= look->density) {
            x += tower.body.w / 2;
        }
        if (tower.body.h < 2) {
            continue;
        }
        body_paint(plane, &tower);
        roof_paint(plane, look, &tower, &dice);
        windows_paint(plane, look, &tower, &dice);
        if (which == ROW_NEAR && pl_roll(&sign_dice, 0, 4) == 0) {
            edge_paint(plane, look, &tower, &sign_dice);
        }
        if (which != ROW_FAR && pl_roll(&sign_dice, 0, 15) < look->signs) {
            sign_hang(plane, look, &tower, &sign_dice);
        }
    }
}

/* Mist before the next row of towers. */
static void mist_paint(pl_plane_t *plane, const pl_look_t *look, int share)
{
    int reach = look->horizon * 30 / 100;
    int i;

    for (i = 0; i < reach; i++) {
        int thin = share * (reach - i) / reach * (reach - i) / reach;

        pl_fill(plane, (pl_box_t){ 0, look->horizon - i, plane->w, 1 }, pl_ink(look->palette->haze),
                thin);
    }
}

/* Craft on their way between the towers, each with its tail of light. */
static void traffic_paint(pl_plane_t *plane, const pl_look_t *look)
{
    apr_uint64_t dice = pl_dice_of(look->key, PL_DICE_TRAFFIC);
    int craft, i, j;

    for (craft = pl_roll(&dice, 3, 8); craft > 0; craft--) {
        int tail = pl_span(plane, pl_roll(&dice, 30, 130));
        int way = pl_roll(&dice, 0, 1) != 0 ? 1 : -1;
        int x = pl_roll(&dice, 0, plane->w - 1);
        int y = look->horizon * pl_roll(&dice, 20, 88) / 100;
        int thick = pl_span(plane, pl_roll(&dice, 1, 3));
        pl_ink_t ink = pl_ink(look->palette->neon[pl_roll(&dice, 0, 3)]);

        for (i = 0; i < tail; i++) {
            int fade = (tail - i) * (tail - i) * 200 / (tail * tail);

            for (j = 0; j < thick; j++) {
                pl_glow(plane, x - way * i, y + j, ink, fade);
            }
        }
        fill_box(plane, (pl_box_t){ x, y, thick + 1, thick }, pl_ink_scale(pl_ink(0xffffff), 300));
    }
}

/* Half the lattice tower's width `up` its height (0 foot, PL_ONE tip). */
static int lattice_half(int base, int up)
{
    int rest = PL_ONE - up;

    return base * (rest * rest / PL_ONE * 7 + rest * 2) / (9 * PL_ONE) + base / 40;
}

/* A tower of crossed beams with two decks and a spire. */
static void lattice_paint(pl_plane_t *plane, const pl_look_t *look, int x)
{
    const pl_palette_t *palette = look->palette;
    pl_ink_t ink = pl_ink_mix(pl_ink(palette->sun[1]), pl_ink(palette->sun[0]), 90);
    int foot = look->horizon * PL_SUB;
    int high = foot * 80 / 100;
    int half = pl_span(plane, 2) * PL_SUB / 2;
    int middle = x * PL_SUB;
    int i, side;

    for (i = 0; i < 14; i++) {
        int y0 = foot - high * i / 16;
        int y1 = foot - high * (i + 1) / 16;
        int low = lattice_half(high / 5, i * PL_ONE / 16);
        int top = lattice_half(high / 5, (i + 1) * PL_ONE / 16);

        for (side = -1; side <= 1; side += 2) {
            pl_stroke_t leg = { middle + side * low, y0, middle + side * top, y1, half };
            pl_stroke_t cross = { middle + side * low, y0, middle - side * top, y1, half };

            pl_stroke(plane, &leg, ink, pl_cover);
            pl_stroke(plane, &cross, pl_ink_scale(ink, 150), pl_cover);
        }
        if (i == 5 || i == 10) {
            int deck = low / PL_SUB + pl_span(plane, 5);

            fill_box(plane, (pl_box_t){ x - deck, y0 / PL_SUB, 2 * deck, pl_span(plane, 8) },
                     pl_ink(palette->lamp[0]));
        }
    }
    pl_stroke(plane, &(pl_stroke_t){ middle, foot - high * 14 / 16, middle, foot - high, half },
              ink, pl_cover);
}

/* A gate before the sun: leaning pillars, a beam, and a lintel that turns up at its ends. */
static void torii_paint(pl_plane_t *plane, const pl_look_t *look, int x)
{
    const pl_palette_t *palette = look->palette;
    int high = look->horizon * 30 / 100;
    int half = high * 5 / 8;
    int top = look->horizon - high;
    pl_ink_t wood = pl_ink_mix(pl_ink(palette->wall), pl_ink(palette->sun[1]), 64);
    pl_ink_t edge = pl_ink_mix(pl_ink(palette->sun[1]), pl_ink(palette->sun[0]), 90);
    int i, side;

    for (side = -1; side <= 1; side += 2) {
        pl_stroke_t pillar = { (x + side * half * 11 / 16) * PL_SUB, look->horizon * PL_SUB,
                               (x + side * half * 10 / 16) * PL_SUB, top * PL_SUB,
                               high * PL_SUB / 22 };

        pl_stroke(plane, &pillar, wood, pl_cover);
        pillar.x0 += pillar.half;
        pillar.x1 += pillar.half;
        pillar.half = PL_SUB / 2;
        pl_stroke(plane, &pillar, edge, pl_cover);
    }
    fill_box(plane, (pl_box_t){ x - half * 13 / 16, top + high / 4, half * 13 / 8, high / 14 },
             wood);
    for (i = -half; i <= half; i++) {
        int y = top - high * i / half * i / half / 9;

        fill_box(plane, (pl_box_t){ x + i, y, 1, high / 8 }, wood);
        pl_fill(plane, (pl_box_t){ x + i, y, 1, pl_span(plane, 2) }, edge, 220);
    }
    fill_box(plane, (pl_box_t){ x - high / 24, top + high / 8, high / 12, high / 8 }, wood);
}

/* One roof of the pagoda, eaves turned up, over a lit room. */
static void tier_paint(pl_plane_t *plane, const pl_look_t *look, pl_box_t tier)
{
    pl_ink_t wood = pl_ink_scale(pl_ink(look->palette->wall), 170);
    int half = tier.w / 2;
    int reach = half * 5 / 4;
    int roof = tier.h * 3 / 8;
    int thin = pl_span(plane, 2);
    int i;

    fill_box(plane, (pl_box_t){ tier.x - half * 5 / 8, tier.y, half * 5 / 4, tier.h }, wood);
    pl_fill(plane, (pl_box_t){ tier.x - half / 2, tier.y + roof, half, tier.h / 3 },
            pl_ink(look->palette->lamp[0]), 190);
    for (i = -half / 2; i < half / 2; i += tier.h / 8 + 2) {
        fill_box(plane, (pl_box_t){ tier.x + i, tier.y + roof, pl_span(plane, 3), tier.h / 3 },
                 wood);
    }
    for (i = -reach; i <= reach; i++) {
        int out = (i < 0 ? -i : i) * PL_ONE / reach;
        int y = tier.y + roof * pl_clamp(out * 3 / 2, 0, PL_ONE) / PL_ONE
                - roof * out / PL_ONE * out / PL_ONE / 2;

        fill_box(plane, (pl_box_t){ tier.x + i, y, 1, roof - roof * out / PL_ONE / 2 }, wood);
        pl_fill(plane, (pl_box_t){ tier.x + i, y, 1, thin }, pl_ink(look->palette->neon[2]), 200);
    }
}

static void pagoda_paint(pl_plane_t *plane, const pl_look_t *look, int x)
{
    int high = look->horizon * 11 / 100;
    int y = look->horizon;
    int thin = pl_span(plane, 3);
    int i;

    for (i = 0; i < 5; i++) {
        y -= high - i * high / 16;
        tier_paint(plane, look, (pl_box_t){ x, y, high * (15 - 2 * i) / 8, high });
    }
    fill_box(plane, (pl_box_t){ x - thin / 2, y - high, thin, high },
             pl_ink_scale(pl_ink(look->palette->wall), 170));
}

void pl_city_paint(pl_plane_t *plane, const pl_look_t *look)
{
    int aside = look->sun_x > plane->w / 2 ? plane->w / 4 : plane->w * 3 / 4;

    row_paint(plane, look, ROW_FAR);
    mist_paint(plane, look, 130);
    traffic_paint(plane, look);
    row_paint(plane, look, ROW_MIDDLE);
    if (look->landmark == PL_TOWER) {
        lattice_paint(plane, look, aside);
    }
    mist_paint(plane, look, 100);
    row_paint(plane, look, ROW_NEAR);
    if (look->landmark == PL_TORII) {
        torii_paint(plane, look, look->sun_x);
    }
    if (look->landmark == PL_PAGODA) {
        pagoda_paint(plane, look, aside);
    }
}

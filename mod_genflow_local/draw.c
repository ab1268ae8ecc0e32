/* SPDX-License-Identifier: Apache-2.0
 *
 * From words to a PNG file: the hash of prompt, preset and seed decides the look here, then
 * scene.c paints it as light, screen.c shows it on a screen, and
 * png.c packs it. Runs on whatever thread calls; all memory is in a subpool.
 */
#include "mod_genflow_local/draw.h"

#include <string.h>

#include "mod_genflow_local/scene.h"

#define FNV_START APR_UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME APR_UINT64_C(0x100000001b3)

static const pl_palette_t PALETTES[] = {
    /* magenta and cyan */
    { { 0x05031a, 0x1c0a47, 0x6a1478, 0xff4f9a },
      { 0xfff27a, 0xff2e88 },
      0x8c2480,
      0x0a0620,
      { 0xffd98a, 0x7df0ff },
      { 0xff2fa0, 0x22e6ff, 0xb14bff, 0xfff27a } },
    /* orange and violet */
    { { 0x090416, 0x2a0e4f, 0x8a2463, 0xff8a3c },
      { 0xfff3b0, 0xff4d3d },
      0x96354f,
      0x0d0720,
      { 0xffc978, 0xffe9c4 },
      { 0xff8a2d, 0xc04bff, 0xff3d7f, 0x5ad1ff } },
    /* teal and pink */
    { { 0x020b18, 0x06303f, 0x0f6d78, 0xff9ec4 },
      { 0xffe9c8, 0xff5aa5 },
      0x2b7f8c,
      0x041219,
      { 0xffe0b0, 0x9dfff0 },
      { 0xff5fb0, 0x2effd5, 0x7db4ff, 0xffd36e } },
    /* acid green */
    { { 0x010a0c, 0x052c2c, 0x10754f, 0xd2ff6b },
      { 0xfbffd6, 0x2ff2a0 },
      0x1b7d5c,
      0x03110f,
      { 0xe8ffb0, 0xffd08a },
      { 0x9dff3c, 0xff3df0, 0x00ffc3, 0xf5ff7a } },
    /* ice and ultraviolet */
    { { 0x02041a, 0x0a1a52, 0x3440b8, 0x9ad8ff },
      { 0xe6fbff, 0x8a4dff },
      0x3b4fb0,
      0x050822,
      { 0xd6f4ff, 0xffc6e6 },
      { 0xff4fd8, 0x5ab8ff, 0xa06bff, 0xe6faff } },
    /* crimson and gold */
    { { 0x0a0309, 0x340a1e, 0x9c1430, 0xffb347 },
      { 0xfff2b3, 0xff2a2a },
      0x8a1c34,
      0x10040c,
      { 0xffd27a, 0xff9a6a },
      { 0xff3347, 0xffc23d, 0xff6fae, 0x4de1ff } },
    /* cherry blossom at dusk */
    { { 0x0a0a28, 0x2a2468, 0x9a4f9e, 0xffc2d9 },
      { 0xfff6ea, 0xff8fc0 },
      0x8d5fae,
      0x0e0d2c,
      { 0xffe3c2, 0xc9d8ff },
      { 0xff7ac0, 0x7fd8ff, 0xc79bff, 0xffe79a } },
    /* electric blue and amber */
    { { 0x01081a, 0x02224d, 0x0a62a8, 0xffb85c },
      { 0xfff5c2, 0xff7a2e },
      0x1b5c96,
      0x030c1e,
      { 0xffc56b, 0xa8e4ff },
      { 0x21c8ff, 0xff9a2e, 0xff4a8d, 0x8affea } },
};

#define PALETTE_COUNT ((int)(sizeof(PALETTES) / sizeof(PALETTES[0])))

/* The sun is what people expect; now and then it is another. */
static const pl_disc_e DISCS[] = { PL_SUN, PL_SUN, PL_SUN, PL_MOON, PL_ECLIPSE };

/* FNV-1a over a word and the zero at its end, so that "ab" "c" and "a" "bc" differ. */
static apr_uint64_t key_add(apr_uint64_t key, const char *word)
{
    const unsigned char *p = (const unsigned char *)(word != NULL ? word : "");

    do {
        key = (key ^ *p) * FNV_PRIME;
    } while (*p++ != '\0');
    return key;
}

apr_uint64_t pl_key(const char *prompt, const char *preset, apr_uint64_t seed)
{
    apr_uint64_t key = FNV_START;
    int i;

    key = key_add(key, prompt);
    key = key_add(key, preset);
    for (i = 0; i < 64; i += 8) {
        key = (key ^ (seed >> i & 0xff)) * FNV_PRIME;
    }
    return pl_dice_next(&key);
}

const pl_palette_t *pl_palette(apr_uint64_t *dice)
{
    return &PALETTES[pl_roll(dice, 0, PALETTE_COUNT - 1)];
}

pl_preset_e pl_preset(const char *word)
{
    static const char FAMILY[] = "neo_tokyo_";

    if (word == NULL) {
        return PL_BASE;
    }
    if (strncmp(word, FAMILY, sizeof(FAMILY) - 1) == 0) {
        word += sizeof(FAMILY) - 1;
    }
    if (strcmp(word, "visor") == 0) {
        return PL_VISOR;
    }
    if (strcmp(word, "tattoos") == 0) {
        return PL_TATTOOS;
    }
    if (strcmp(word, "scanlines") == 0) {
        return PL_SCANLINES;
    }
    return PL_BASE;
}

static void look_decide(pl_look_t *look, const local_scene_t *scene)
{
    int side = scene->width < scene->height ? scene->width : scene->height;
    apr_uint64_t dice;
    int lift;

    look->key = pl_key(scene->prompt, scene->preset, scene->seed);
    look->preset = pl_preset(scene->preset);
    look->unrest = PL_ONE;
    dice = pl_dice_of(look->key, PL_DICE_LOOK);
    look->palette = pl_palette(&dice);
    look->horizon = scene->height * pl_roll(&dice, 60, 68) / 100;
    look->visor = (pl_box_t){ scene->width / 2, look->horizon * PL_SUB * 30 / 100,
                              scene->width * 46 / 100, look->horizon * PL_SUB * 12 / 100 };
    look->sun_x = scene->width * pl_roll(&dice, 30, 70) / 100;
    look->sun_r = side * pl_roll(&dice, 150, 225) / 1000;
    look->disc = DISCS[pl_roll(&dice, 0, (int)(sizeof(DISCS) / sizeof(DISCS[0])) - 1)];
    lift = look->disc == PL_SUN ? pl_roll(&dice, 85, 130) : pl_roll(&dice, 130, 162);
    look->sun_y = look->horizon - look->sun_r * lift / 100;
    look->ground = (pl_ground_e)pl_roll(&dice, PL_GRID, PL_STREET);
    look->landmark = (pl_landmark_e)pl_roll(&dice, PL_TOWER, PL_PAGODA);
    look->ridges = pl_roll(&dice, 0, 2);
    look->beams = pl_roll(&dice, 0, 4);
    look->signs = pl_roll(&dice, 4, 13);
    look->density = pl_roll(&dice, 65, 100);
}

static apr_status_t draw_scene(const local_scene_t *scene, const char *path, apr_pool_t *pool)
{
    pl_plane_t *plane = pl_plane_make(scene->width, scene->height, pool);
    pl_look_t look;
    apr_status_t rv;

    if (plane == NULL) {
        return APR_ENOMEM;
    }
    look_decide(&look, scene);
    rv = pl_scene_paint(plane, &look, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = pl_bloom(plane, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = pl_screen_show(plane, &look, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return pl_png_write(plane, path, pool);
}

apr_status_t local_draw(const local_scene_t *scene, const char *path, apr_pool_t *scratch_pool)
{
    apr_pool_t *pool;
    apr_status_t rv;

    if (scene->width < LOCAL_SIDE_MIN || scene->width > LOCAL_SIDE_MAX
        || scene->height < LOCAL_SIDE_MIN || scene->height > LOCAL_SIDE_MAX) {
        return APR_EINVAL;
    }
    rv = apr_pool_create(&pool, scratch_pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = draw_scene(scene, path, pool);
    apr_pool_destroy(pool);
    return rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The local provider: draws a picture from prompt, preset and seed, or repaints a source picture.
 * Same input, same bytes; no key, no network, no cost, so a lost run is simply made again. Leaves
 * the drawing to draw.c, the repainting to effect.c. Runs on a writer thread.
 */
#include "mod_genflow_local/kind.h"

#include <stdlib.h>

#include <apr_strings.h>

#include "mod_genflow_local/draw.h"
#include "mod_genflow_local/effect.h"
#include "mod_genflow_local/thumbnail.h"

#define SIDE 768

#define STRENGTH 70 /* percent of an effect, unless the job sets it */

/* The shapes that a client may choose, all about as large. */
static const struct {
    const char *ratio;
    int width, height;
} shapes[] = { { "1:1", SIDE, SIDE }, { "16:9", 1024, 576 }, { "9:16", 576, 1024 },
               { "3:2", 936, 624 },   { "2:3", 624, 936 },   { "4:3", 880, 660 },
               { "3:4", 660, 880 } };

static const gf_prov_host_t *host;

static void set_host(const gf_prov_host_t *given)
{
    host = given;
}

static apr_status_t draw_scene(const gf_prov_call_t *call, const char *path)
{
    const gf_prov_job_t job = host->job(call);
    const char *ratio = host->parameter(call, "aspect_ratio");
    local_scene_t scene = { .prompt = job.prompt,
                            .preset = job.preset ? job.preset : "base",
                            .seed = (apr_uint64_t)job.seed,
                            .width = SIDE,
                            .height = SIDE };
    size_t i;

    for (i = 0; ratio && i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (apr_strnatcmp(shapes[i].ratio, ratio) == 0) {
            scene.width = shapes[i].width;
            scene.height = shapes[i].height;
        }
    }
    return local_draw(&scene, path, call->pool);
}

/* The decoder is given what mod_genflow finds sound, and no more pixels than the site allows. */
static bool may_decode(gf_image_t *image, int descriptor)
{
    return host->probe_image(image, descriptor) && host->image_is_plain(image);
}

static apr_status_t repaint_source(const gf_prov_call_t *call, const char *path)
{
    const gf_prov_job_t job = host->job(call);
    const char *strength = host->parameter(call, "strength");
    local_wish_t wish = { .source = call->source_file,
                          .look = may_decode,
                          .pixels_max = call->pixels_max,
                          .effect = call->model,
                          .prompt = job.prompt,
                          .preset = job.preset,
                          .seed = (apr_uint64_t)job.seed,
                          .strength = STRENGTH };

    if (strength) {
        wish.strength = (int)(strtod(strength, NULL) * 100 + 0.5);
    }
    return local_effect(&wish, path, call->pool);
}

static apr_status_t draw_picture(const gf_prov_call_t *call, const char *path)
{
    return call->source_file ? repaint_source(call, path) : draw_scene(call, path);
}

static apr_status_t draw_thumbnail(gf_thumbnail_draw_t *thumbnail, apr_pool_t *pool)
{
    return local_thumbnail(thumbnail, may_decode, pool);
}

static gf_source_use_t source_use(const char *model)
{
    return GF_SOURCE_MAY;
}

static bool honours(const char *model, const char *name)
{
    return strcmp(name, "aspect_ratio") == 0 || strcmp(name, "strength") == 0;
}

static const char *check_model(const char *model, apr_pool_t *pool)
{
    return local_effect_exists(model)
               ? NULL
               : apr_pstrcat(pool, "there is no such effect: take one of ",
                             local_effect_names(pool), ", or `local` alone", NULL);
}

const gf_prov_kind_t local_kind = { .name = "local",
                                    .begin = set_host,
                                    .check_model = check_model,
                                    .source = source_use,
                                    .honours = honours,
                                    .source_as_file = true,
                                    .draw = draw_picture,
                                    .decodes = local_decodes };

const gf_thumbnail_kind_t local_thumbnails = { .name = "local", .draw = draw_thumbnail };

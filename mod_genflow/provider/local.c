/* SPDX-License-Identifier: Apache-2.0 */
/* The local provider: draws a picture from prompt, preset and seed, or repaints a source picture.
 * Same input, same bytes; no key, no network, no cost, so a lost run is simply made again. Leaves
 * the drawing to provider/local_draw.c, the repainting to provider/local_effect.c. Runs on a writer
 * thread.
 */
#include "provider/provider.h"

#include <stdlib.h>

#include <apr_strings.h>

#include "provider/local_draw.h"
#include "provider/local_effect.h"

#define SIDE 768

#define STRENGTH 70 /* percent of an effect, unless the job says otherwise */

/* The shapes a client may ask for, all about as large. */
static const struct {
    const char *ratio;
    int width, height;
} shapes[] = { { "1:1", SIDE, SIDE }, { "16:9", 1024, 576 }, { "9:16", 576, 1024 },
               { "3:2", 936, 624 },   { "2:3", 624, 936 },   { "4:3", 880, 660 },
               { "3:4", 660, 880 } };

static apr_status_t draw_scene(const gf_prov_call_t *call, const char *path)
{
    const gf_job_t *job = call->job;
    apr_pool_t *scratch_pool = call->pool;
    const char *ratio = gf_provider_parameter(job, "aspect_ratio", scratch_pool);
    prov_local_scene_t scene = { .prompt = job->prompt,
                                 .preset = job->preset ? job->preset : "base",
                                 .seed = (apr_uint64_t)job->seed,
                                 .width = SIDE,
                                 .height = SIDE };
    size_t i;

    for (i = 0; ratio && i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (apr_strnatcmp(shapes[i].ratio, ratio) == 0) {
            scene.width = shapes[i].width;
            scene.height = shapes[i].height;
        }
    }
    return prov_local_draw(&scene, path, scratch_pool);
}

static apr_status_t repaint(const gf_prov_call_t *call, const char *path)
{
    const gf_job_t *job = call->job;
    const char *strength = gf_provider_parameter(job, "strength", call->pool);
    prov_local_wish_t wish = { .source = call->source_file,
                               .pixels_max = call->pixels_max,
                               .type = job->type->name,
                               .prompt = job->prompt,
                               .preset = job->preset,
                               .seed = (apr_uint64_t)job->seed,
                               .strength = STRENGTH };

    if (strength) {
        wish.strength = (int)(strtod(strength, NULL) * 100 + 0.5);
    }
    return prov_local_effect(&wish, path, call->pool);
}

static apr_status_t draw(const gf_prov_call_t *call, const char *path)
{
    return call->source_file ? repaint(call, path) : draw_scene(call, path);
}

static gf_source_use_t source(const char *model)
{
    return GF_SOURCE_MAY;
}

const gf_prov_kind_t gf_prov_local = {
    .name = "local", .source = source, .source_as_file = true, .draw = draw
};

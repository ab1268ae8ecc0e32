/* SPDX-License-Identifier: Apache-2.0 */
/* model/bound.c: bounds of what costs money, and the gate of the translators: nothing beyond
 * them, and nothing undeclared, reaches a provider. */
#include "model/bound.h"

#include "parts.h"
#include "provider.h"

static gf_json_t *value_of(const char *json)
{
    return gf_json_get(unit_json(apr_pstrcat(unit.ctx.pool, "{\"v\":", json, "}", NULL)), "v");
}

/* A type with these bounds: the arguments of the directive, with blanks between them. */
static gf_type_t *type_with(const char *const *lines)
{
    gf_type_t *type = apr_pcalloc(unit.ctx.pool, sizeof(*type));

    type->bounds = apr_array_make(unit.ctx.pool, 2, sizeof(gf_bound_t));
    for (; *lines; lines++) {
        gf_bound_t *bound = apr_array_push(type->bounds);
        char **argv;
        int argc;

        apr_tokenize_to_argv(*lines, &argv, unit.ctx.pool);
        for (argc = 0; argv[argc]; argc++) {
        }
        ck_assert_pstr_eq(gf_bound_read(bound, argc, argv, unit.ctx.pool), NULL);
    }
    return type;
}

START_TEST(sizes_are_bounded_in_every_form)
{
    static const struct {
        const char *name, *json;
        bool good;
    } rows[] = { { "image_size", "\"square_hd\"", true },
                 { "image_size", "\"auto\"", false },
                 { "image_size", "{\"width\":2048,\"height\":2048}", true },
                 { "image_size", "{\"width\":2049,\"height\":2048}", false },
                 { "image_size", "{\"width\":65536,\"height\":64}", true },
                 { "image_size", "{\"width\":65536,\"height\":1}", true },
                 { "image_size", "{\"width\":65537,\"height\":1}", false },
                 { "image_size", "{\"width\":2048.0,\"height\":1}", false },
                 { "image_size", "{\"width\":1e3,\"height\":1}", false },
                 { "image_size", "{\"width\":\"1024\",\"height\":1024}", false },
                 { "image_size", "{\"width\":1024,\"height\":1024,\"steps\":null}", false },
                 { "image_size", "\"1024x1024\"", false },
                 { "image_size", "4096", false },
                 { "size", "\"auto\"", true },
                 { "size", "\"1024x1536\"", true },
                 { "size", "\"2048x2049\"", false },
                 { "size", "\"0x1024\"", false },
                 { "size", "\"1024x1024 \"", false },
                 { "size", "\"x1024\"", false },
                 { "size", "\"1024x\"", false },
                 { "size", "{\"width\":1,\"height\":1}", false },
                 { "size", "\"square\"", false } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *wrong =
            gf_bound_wrong(NULL, rows[i].name, value_of(rows[i].json), unit.ctx.pool);

        ck_assert_msg(!wrong == rows[i].good, "%s %s: %s", rows[i].name, rows[i].json,
                      wrong ? wrong : "taken");
    }
}
END_TEST

START_TEST(a_type_has_bounds_of_its_own)
{
    static const char *const lines[] = { "pixels 262144 - 1048576", "quality low|medium",
                                         "num_inference_steps 10 20 30", NULL };
    static const struct {
        const char *name, *json;
        bool good, good_elsewhere;
    } rows[] = { { "image_size", "\"square\"", true, true },
                 { "image_size", "{\"width\":511,\"height\":512}", false, true },
                 { "size", "\"1025x1024\"", false, true },
                 { "quality", "\"low\"", true, false },
                 { "quality", "\"lo\"", false, false },
                 { "quality", "\"low|medium\"", false, false },
                 { "quality", "\"\"", false, false },
                 { "quality", "\"auto\"", false, true },
                 { "quality", "[\"auto\"]", false, false },
                 { "num_inference_steps", "10", true, true },
                 { "num_inference_steps", "30.0", true, true },
                 { "num_inference_steps", "9.9", false, true },
                 { "num_inference_steps", "31", false, true } };
    gf_type_t *type = type_with(lines);
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_json_t *value = value_of(rows[i].json);

        ck_assert_msg(!gf_bound_wrong(type, rows[i].name, value, unit.ctx.pool) == rows[i].good,
                      "%s %s", rows[i].name, rows[i].json);
        ck_assert_msg(!gf_bound_wrong(NULL, rows[i].name, value, unit.ctx.pool)
                          == rows[i].good_elsewhere,
                      "%s %s elsewhere", rows[i].name, rows[i].json);
    }
}
END_TEST

START_TEST(defaults_fill_what_is_left_open)
{
    static const char *const lines[] = { "pixels 1 - 1048576", "quality low|medium",
                                         "num_inference_steps 10 20 30", NULL };
    gf_json_t *none = unit_json("{}");
    gf_json_t *some = unit_json("{\"quality\":\"medium\"}");

    ck_assert_ptr_null(gf_bound_fill(none, &unit.ctx, type_with(lines)));
    ck_assert_str_eq(gf_json_text(none), "{\"quality\":\"low\",\"num_inference_steps\":20}");
    ck_assert_ptr_null(gf_bound_fill(some, &unit.ctx, type_with(lines)));
    ck_assert_str_eq(gf_json_text(some), "{\"quality\":\"medium\",\"num_inference_steps\":20}");
}
END_TEST

/* A body of JSON or of parts, whichever the translator makes. */
static const char *sent_text(const gf_msg_t *msg)
{
    return msg->body ? msg->body : parts_of(msg);
}

START_TEST(nothing_beyond_its_bounds_reaches_a_provider)
{
    static const struct {
        const gf_prov_kind_t *kind;
        const char *model;
    } rows[] = {
        { &gf_prov_fal, "fal-ai/fast-sdxl" }, { &gf_prov_fal, "fal-ai/any/model" },
        { &gf_prov_aiml, "flux/dev" },        { &gf_prov_aiml, "another" },
        { &gf_prov_openai, "gpt-image-1" },   { &gf_prov_openai, "dall-e-3" },
        { &gf_prov_openai, "another" },       { &gf_prov_replicate, "black-forest-labs/flux-dev" },
        { &gf_prov_replicate, "any/model" },  { &gf_prov_stability, "sd3" },
        { &gf_prov_stability, "core" }
    };
    static const char beyond[] =
        "{\"image_size\":{\"width\":14142,\"height\":14142},\"size\":\"14142x14142\","
        "\"quality\":\"high\",\"num_images\":14142,\"n\":14142,\"upscale\":14142}";
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        scene_t *made = scene(rows[i].kind, "https://api.example.test", rows[i].model);
        const char *text;

        made->job.parameters = beyond;
        text = sent_text(rows[i].kind->submit(&made->call));
        ck_assert_msg(!strstr(text, "14142") && !strstr(text, "high"), "%s: %s", rows[i].model,
                      text);
    }
}
END_TEST

/* A value of each parameter that a client may choose. */
static const struct {
    const char *name, *json;
} chosen[] = { { "quality", "\"auto\"" },
               { "num_inference_steps", "25" },
               { "strength", "0.3" },
               { "guidance_scale", "7" },
               { "cfg_scale", "5" },
               { "control_strength", "0.9" },
               { "fidelity", "0.25" },
               { "aspect_ratio", "\"16:9\"" },
               { "negative_prompt", "\"rain\"" },
               { "style_preset", "\"anime\"" },
               { "output_format", "\"jpeg\"" },
               { "background", "\"opaque\"" },
               { "image_size", "\"portrait_4_3\"" },
               { "size", "\"640x960\"" } };

static const char *sent_with(const gf_prov_kind_t *kind, const char *model, const char *parameters,
                             bool has_source)
{
    static const gf_prov_source_t source = { "https://a.example.test/p.png", "/tmp/p.png",
                                             "image/png" };
    scene_t *made = scene(kind, "https://api.example.test", model);

    made->job.parameters = parameters;
    if (has_source) {
        made->call.source = source.url;
        made->call.source_file = source.file;
        made->call.source_type = source.type;
        made->call.sources = &source;
        made->call.source_count = 1;
    }
    return sent_text(kind->submit(&made->call));
}

START_TEST(a_kind_honours_what_it_sends)
{
    static const struct {
        const gf_prov_kind_t *kind;
        const char *model;
    } rows[] = { { &gf_prov_fal, "fal-ai/fast-sdxl" },
                 { &gf_prov_fal, "fal-ai/gpt-image-1/edit-image" },
                 { &gf_prov_fal, "fal-ai/nano-banana/edit" },
                 { &gf_prov_fal, "fal-ai/ghiblify" },
                 { &gf_prov_fal, "any/model" },
                 { &gf_prov_aiml, "flux/dev" },
                 { &gf_prov_aiml, "flux/dev/image-to-image" },
                 { &gf_prov_aiml, "another" },
                 { &gf_prov_openai, "gpt-image-1" },
                 { &gf_prov_openai, "dall-e-2" },
                 { &gf_prov_openai, "dall-e-3" },
                 { &gf_prov_openai, "another" },
                 { &gf_prov_replicate, "black-forest-labs/flux-dev" },
                 { &gf_prov_replicate, "google/nano-banana" },
                 { &gf_prov_replicate, "any/model" },
                 { &gf_prov_stability, "sd3" },
                 { &gf_prov_stability, "sd3-large-turbo" },
                 { &gf_prov_stability, "ultra" },
                 { &gf_prov_stability, "structure" },
                 { &gf_prov_stability, "control/style" },
                 { &gf_prov_stability, "core" } };
    size_t i, j;

    ck_assert_ptr_null(gf_bound_name((int)UNIT_COUNT(chosen) + 1)); /* all of them, and pixels */
    for (i = 0; i < UNIT_COUNT(rows) * UNIT_COUNT(chosen); i++) {
        const gf_prov_kind_t *kind = rows[i / UNIT_COUNT(chosen)].kind;
        const char *model = rows[i / UNIT_COUNT(chosen)].model;
        const char *name = chosen[i % UNIT_COUNT(chosen)].name;
        const char *given = apr_psprintf(unit.ctx.pool, "{\"%s\":%s}", name,
                                         chosen[i % UNIT_COUNT(chosen)].json);
        bool changes = false;

        for (j = 0; j < 2; j++) {
            changes = changes
                      || strcmp(sent_with(kind, model, given, j == 1),
                                sent_with(kind, model, "{}", j == 1))
                             != 0;
        }
        ck_assert_msg(changes == kind->honours(model, name), "%s %s: %s", kind->name, model, name);
    }
}
END_TEST

START_TEST(what_nobody_declared_does_not_pass)
{
    scene_t *made = scene(&gf_prov_openai, "https://api.example.test", "any");

    made->job.parameters = "{\"upscale\":4,\"pixels\":5,\"background\":\"opaque\"}";
    ck_assert_ptr_null(gf_provider_parameter(&made->job, "upscale", unit.ctx.pool));
    ck_assert_str_eq(gf_provider_parameter(&made->job, "background", unit.ctx.pool), "opaque");
    ck_assert(!gf_bound_passes(&made->type, "upscale", value_of("4"), unit.ctx.pool));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        sizes_are_bounded_in_every_form,    a_type_has_bounds_of_its_own,
        defaults_fill_what_is_left_open,    nothing_beyond_its_bounds_reaches_a_provider,
        a_kind_honours_what_it_sends,       what_nobody_declared_does_not_pass,
        NULL,
    };

    return unit_run("bound", tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* model/param.c and model/parameters.c: the body of a generate call, in one step or in two. What is
 * taken is bounded and whole, and its parameters are JSON. */
#define FUZZ_NAME "body"

#include "fuzz.h"
#include "model/param.h"

static void fuzz_one(void)
{
    gf_type_t type = { .name = "neo-glitch", .retries = 3, .prompt_min = 3, .prompt_max = 200 };
    gf_presets_t presets = { .list = apr_array_make(fuzz.ctx.pool, 1, sizeof(gf_preset_t)) };
    unsigned how = fuzz_byte();
    gf_param_t form = { .input = { .ctx = &fuzz.ctx }, .type = &type, .presets = &presets };
    gf_json_t *body = NULL, *parameters = NULL;
    gf_spec_t spec;
    size_t length;
    char *text = fuzz_rest(&length);

    APR_ARRAY_PUSH(presets.list, gf_preset_t) = (gf_preset_t){ .key = "base",
                                                               .category = "day",
                                                               .prompt = "Neo Tokyo night",
                                                               .parameters = "{\"strength\": 0.3}",
                                                               .is_on = true };
    type.source = how & 2 ? GF_SOURCE_MAY : GF_SOURCE_NONE;
    type.chain = apr_array_make(fuzz.ctx.pool, 1, sizeof(gf_choice_t));
    if (!gf_json_parse(&body, &fuzz.ctx, text, length)) {
        form.input.body = body;
        form.two_step = how & 1;
        if (!gf_param_check(&spec, &form)) {
            FUZZ_HOLDS(spec.prompt && gf_text_length(spec.prompt) <= 200);
            FUZZ_HOLDS(gf_text_utf8(spec.prompt, strlen(spec.prompt)) == strlen(spec.prompt));
            FUZZ_HOLDS(spec.count >= 1 && spec.count <= 10);
            FUZZ_HOLDS(
                !gf_json_parse(&parameters, &fuzz.ctx, spec.parameters, strlen(spec.parameters)));
        }
    }
    free(text);
}

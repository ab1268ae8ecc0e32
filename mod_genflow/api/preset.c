/* SPDX-License-Identifier: Apache-2.0 */
/* GET presets: the presets of a type, those of this week or (all=1) all that are active. Leaves
 * which are on to the database. */
#include "api/preset.h"

void api_preset_put(gf_out_t *out, const gf_preset_t *preset, const gf_type_t *type)
{
    gf_out_open(out, '{');
    gf_out_put_raw(out, "id", preset->id);
    if (type) {
        gf_out_put_string(out, "type", gf_type_wire(type));
    }
    gf_out_put_string(out, "key", preset->key);
    gf_out_put_string(out, "label", preset->label);
    gf_out_put_string(out, "description", preset->description);
    gf_out_put_string(out, "category", preset->category);
    gf_out_put_string(out, "prompt", preset->prompt);
    gf_out_put_string(out, "negativePrompt", preset->negative_prompt);
    gf_out_put_raw(out, "strength", preset->strength);
    gf_out_put_raw(out, "rotationIndex", preset->rotation_index);
    gf_out_put_raw(out, "week", preset->week);
    gf_out_put_bool(out, "isActive", preset->is_active);
    if (type) {
        gf_out_put_bool(out, "available", preset->is_on);
        gf_out_put_string(out, "availableAt", preset->available_at);
    }
    gf_out_close(out, '}');
}

gf_err_t *api_preset_list(gf_req_t *req)
{
    static const gf_input_field_t fields[] = { { .names = { "type" }, .kind = GF_INPUT_TYPE },
                                               GF_INPUT_END };
    const gf_type_t *type = gf_type_find(req->conf, API_PRESET_USUAL_TYPE, req->r->pool);
    gf_input_t input = api_body_query_input(req);
    bool is_all = api_body_switch(req, "all");
    gf_presets_t presets;
    int active = 0;
    int on = 0;
    gf_out_t out;
    int i;

    gf_input_read(&input, fields, &type);
    if (!type) {
        gf_input_missing(&input, "type", "is required");
    }
    GF_TRY(gf_input_end(&input));
    GF_TRY(gf_preset_read(&presets, req->ctx, req->api->presets, type));
    gf_reply_begin(&out, req);
    gf_out_key(&out, "data");
    gf_out_open(&out, '{');
    gf_out_key(&out, "presets");
    gf_out_open(&out, '[');
    for (i = 0; i < presets.list->nelts; i++) {
        const gf_preset_t *preset = &APR_ARRAY_IDX(presets.list, i, gf_preset_t);

        if (preset->is_on || (is_all && preset->is_active)) {
            api_preset_put(&out, preset, type);
        }
        active += preset->is_active && (preset->week || !type->preset_window);
        on += preset->is_on;
    }
    gf_out_close(&out, ']');
    gf_out_put_int(&out, "currentWeek", presets.week);
    gf_out_put_int(&out, "totalAvailable", on);
    gf_out_key(&out, "rotationInfo");
    gf_out_open(&out, '{');
    gf_out_put_int(&out, "totalPresetsInSystem", active);
    gf_out_put_int(&out, "presetsPerWeek", type->preset_window ? type->preset_window : active);
    gf_out_close(&out, '}');
    gf_out_close(&out, '}');
    return gf_reply_tagged(req, &out, 0);
}

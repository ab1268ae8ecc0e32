/* SPDX-License-Identifier: Apache-2.0 */
/* The presets as front ends of older systems read them (GenflowLegacyNames On): in an object, as
 * get-presets, or as plain lists, under names that begin with preset. Which are on is the matter of
 * the database. */
#include "api/preset.h"

#include <apr_strings.h>

static gf_err_t *read_presets(gf_presets_t *presets, const gf_type_t **type, gf_req_t *req)
{
    const char *name = api_body_query(req, "type");

    *type = gf_type_find(req->conf, name ? name : API_PRESET_USUAL_TYPE, req->r->pool);
    return *type ? gf_preset_read(presets, req->ctx, req->api->presets, *type)
                 : gf_err_field(req->ctx, GF_E_INVALID, "type", "is no type of pictures here");
}

gf_err_t *api_legacy_preset_get(gf_req_t *req)
{
    const gf_type_t *type;
    gf_presets_t presets;
    apr_int64_t weeks = 1;
    int active = 0;
    int rotating = 0;
    int on = 0;
    gf_out_t out;
    int i;

    GF_TRY(read_presets(&presets, &type, req));
    gf_reply_begin(&out, req);
    gf_out_key(&out, "data");
    gf_out_open(&out, '{');
    gf_out_key(&out, "presets");
    gf_out_open(&out, '[');
    for (i = 0; i < presets.list->nelts; i++) {
        const gf_preset_t *preset = &APR_ARRAY_IDX(presets.list, i, gf_preset_t);
        apr_int64_t week = preset->week ? apr_atoi64(preset->week) : 0;

        if (preset->is_on) {
            api_preset_put(&out, preset, NULL);
        }
        weeks = week > weeks ? week : weeks;
        active += preset->is_active;
        rotating += preset->is_active && preset->week != NULL;
        on += preset->is_on;
    }
    gf_out_close(&out, ']');
    gf_out_put_int(&out, "currentWeek", presets.week);
    gf_out_put_int(&out, "totalAvailable", on);
    gf_out_key(&out, "rotationInfo");
    gf_out_open(&out, '{');
    gf_out_put_int(&out, "totalPresetsInSystem", rotating ? rotating : active);
    gf_out_put_int(&out, "weeksInCycle", weeks);
    gf_out_put_int(&out, "presetsPerWeek", type->preset_window ? type->preset_window : active);
    gf_out_close(&out, '}');
    gf_out_close(&out, '}');
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- plain lists ---- */

static void put_row(gf_out_t *out, const gf_preset_t *preset)
{
    gf_out_open(out, '{');
    gf_out_put_raw(out, "id", preset->id);
    gf_out_put_string(out, "presetKey", preset->key);
    gf_out_put_string(out, "presetName", preset->label);
    gf_out_put_string(out, "presetDescription", preset->description);
    gf_out_put_string(out, "presetCategory", preset->category);
    gf_out_put_string(out, "presetPrompt", preset->prompt);
    gf_out_put_string(out, "presetNegativePrompt", preset->negative_prompt);
    gf_out_put_raw(out, "presetStrength", preset->strength);
    gf_out_put_raw(out, "presetRotationIndex", preset->rotation_index);
    gf_out_put_raw(out, "presetWeek", preset->week);
    gf_out_put_bool(out, "isActive", preset->is_active);
    gf_out_put_bool(out, "isCurrentlyAvailable", preset->is_on);
    gf_out_close(out, '}');
}

static gf_err_t *send_list(gf_req_t *req, bool all)
{
    const gf_type_t *type;
    gf_presets_t presets;
    gf_out_t out;
    int i;

    GF_TRY(read_presets(&presets, &type, req));
    gf_out_init(&out, req->r->pool, 4096);
    gf_out_open(&out, '[');
    for (i = 0; i < presets.list->nelts; i++) {
        const gf_preset_t *preset = &APR_ARRAY_IDX(presets.list, i, gf_preset_t);

        if (all || preset->is_on) {
            put_row(&out, preset);
        }
    }
    gf_out_close(&out, ']');
    return gf_reply_list(req, out.text, out.length);
}

gf_err_t *api_legacy_preset_all(gf_req_t *req)
{
    return send_list(req, true);
}

gf_err_t *api_legacy_preset_week(gf_req_t *req)
{
    return send_list(req, false);
}

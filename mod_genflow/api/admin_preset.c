/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of presets: the rows themselves, active or not, to see, add, edit and delete.
 * Children remember presets for a few seconds (db/preset.h): so long an edit takes to show. */
#include "api/admin.h"

#include "db/admin.h"
#include "model/type.h"

#define USUAL_TYPE     "presets" /* without ?type=, for one preset */
#define PARAMETERS_MAX 2000
#define ROTATION_MAX   1000000

static const api_field_t fields[] = { { "label", API_TEXT, 1, 100, true },
                                      { "description", API_TEXT, 0, 500, false },
                                      { "category", API_TEXT, 1, 50, true },
                                      { "prompt", API_TEXT, 0, 2000, true },
                                      { "negativePrompt", API_TEXT, 0, 1000, false },
                                      { "strength", API_NUMBER, 0, 1, false },
                                      { "parameters", API_OBJECT, 0, PARAMETERS_MAX, false },
                                      { "rotationIndex", API_INT, 0, ROTATION_MAX, false },
                                      { "week", API_INT, 1, 53, false },
                                      { "isActive", API_BOOL, 0, 0, false },
                                      { NULL, API_BOOL, 0, 0, false } };

static const gf_type_t *type_of_query(api_check_t *check)
{
    const gf_req_t *req = check->req;
    const gf_type_t *type = api_check_type(check);

    if (!type && check->errors->nelts == 0) {
        type = gf_type_find(req->api->conf, USUAL_TYPE, req->r->pool);
        if (!type) {
            api_check_refuse(check, "type", true, "is required");
        }
    }
    return type;
}

static gf_err_t *no_preset(const gf_req_t *req, const gf_type_t *type)
{
    return gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "no preset %s of %s", req->args[0],
                       type->name);
}

gf_err_t *api_admin_presets(gf_req_t *req)
{
    apr_array_header_t *presets;
    const gf_type_t *type;
    api_check_t check;
    gf_out_t out;
    int i;

    api_check_begin(&check, req);
    type = api_check_type(&check);
    GF_TRY(api_check_end(&check));
    GF_TRY(gf_admin_presets(&presets, req->ctx, type, NULL));
    gf_reply_begin(&out, req);
    gf_out_key(&out, "presets");
    gf_out_open(&out, '[');
    for (i = 0; i < presets->nelts; i++) {
        gf_out_raw(&out, APR_ARRAY_IDX(presets, i, const char *));
    }
    gf_out_close(&out, ']');
    gf_out_put_int(&out, "count", presets->nelts);
    return gf_reply_send(req, &out, HTTP_OK);
}

static gf_err_t *send_preset(gf_req_t *req, const char *json, int status)
{
    gf_out_t out;

    gf_reply_begin(&out, req);
    gf_out_put_raw(&out, "preset", json);
    return gf_reply_send(req, &out, status);
}

gf_err_t *api_admin_preset(gf_req_t *req)
{
    apr_array_header_t *presets;
    const gf_type_t *type;
    api_check_t check;

    api_check_begin(&check, req);
    type = type_of_query(&check);
    GF_TRY(api_check_end(&check));
    GF_TRY(gf_admin_presets(&presets, req->ctx, type, req->args[0]));
    return presets->nelts ? send_preset(req, APR_ARRAY_IDX(presets, 0, const char *), HTTP_OK)
                          : no_preset(req, type);
}

/* Logs and ends an edit. */
static gf_err_t *end_edit(gf_req_t *req, const gf_admin_preset_t *preset, const char *outcome,
                          int status)
{
    if (strcmp(outcome, "exists") == 0) {
        return gf_err_field(req->ctx, GF_E_INVALID, "key", "is of a preset that is there; edit it");
    }
    if (strcmp(outcome, "full") == 0) {
        return gf_err_field(req->ctx, GF_E_INVALID, "type", "has as many presets as it may have");
    }
    if (strcmp(outcome, "parameters") == 0) {
        return gf_err_field(req->ctx, GF_E_INVALID, "parameters", "must be shorter");
    }
    if (strcmp(outcome, "not_found") == 0) {
        return no_preset(req, preset->type);
    }
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0175", "user=%s: wrote the preset %s of %s: %s",
           req->user, preset->key, preset->type->name, preset->fields);
    return send_preset(req, preset->json, status);
}

gf_err_t *api_admin_preset_add(gf_req_t *req)
{
    static const api_field_t names[] = { { "type", API_TEXT, 1, 40, true },
                                         { "key", API_TOKEN, 1, 64, true },
                                         { NULL, API_BOOL, 0, 0, false } };
    gf_admin_preset_t preset = { 0 };
    const char *type_name = NULL;
    const char *outcome;
    api_check_t check;
    gf_json_t *body;
    const char *text;
    apr_size_t length;

    api_check_begin(&check, req);
    GF_TRY(api_body_json(req, &body, &text, &length));
    api_check_fields(&check, body, names, true);
    api_check_fields(&check, body, fields, true);
    api_check_strangers(&check, body, fields, names);
    if (gf_json_string(gf_json_get(body, "type"), &type_name)) {
        preset.type = gf_type_find(req->api->conf, type_name, req->r->pool);
        if (!preset.type) {
            api_check_refuse(&check, "type", false, "is no type of this site");
        }
    }
    GF_TRY(api_check_end(&check));
    gf_json_string(gf_json_get(body, "key"), &preset.key);
    preset.fields = gf_json_text(body);
    GF_TRY(gf_admin_preset_add(&outcome, req->ctx, &preset));
    return end_edit(req, &preset, outcome, HTTP_CREATED);
}

gf_err_t *api_admin_preset_edit(gf_req_t *req)
{
    gf_admin_preset_t preset = { .key = req->args[0] };
    const char *outcome;
    api_check_t check;
    gf_json_t *body;
    const char *text;
    apr_size_t length;

    api_check_begin(&check, req);
    GF_TRY(api_body_json(req, &body, &text, &length));
    preset.type = type_of_query(&check);
    api_check_fields(&check, body, fields, false);
    api_check_strangers(&check, body, fields, NULL);
    GF_TRY(api_check_end(&check));
    preset.fields = gf_json_text(body);
    GF_TRY(gf_admin_preset_edit(&outcome, req->ctx, &preset));
    return end_edit(req, &preset, outcome, HTTP_OK);
}

gf_err_t *api_admin_preset_delete(gf_req_t *req)
{
    const gf_type_t *type;
    api_check_t check;
    gf_out_t out;
    bool found;

    api_check_begin(&check, req);
    type = type_of_query(&check);
    GF_TRY(api_check_end(&check));
    GF_TRY(gf_admin_preset_delete(&found, req->ctx, type, req->args[0]));
    if (!found) {
        return no_preset(req, type);
    }
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0176", "user=%s: deleted the preset %s of %s",
           req->user, req->args[0], type->name);
    gf_reply_begin(&out, req);
    gf_out_put_bool(&out, "deleted", true);
    return gf_reply_send(req, &out, HTTP_OK);
}

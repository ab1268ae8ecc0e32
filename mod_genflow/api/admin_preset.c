/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of presets: the rows themselves, active or not, to see, add, edit and delete.
 * Children remember presets for a few seconds (db/preset.h): so long an edit takes to show. */
#include "api/admin.h"

#include "db/admin.h"
#include "model/type.h"

#define USUAL_TYPE     "presets" /* without ?type=, for one preset */
#define PARAMETERS_MAX 2000
#define ROTATION_MAX   1000000

/* The database reads the body itself. */
static const gf_input_field_t fields[] = {
    { .names = { "label" }, .kind = GF_INPUT_TEXT, .min = 1, .max = 100, .required = true },
    { .names = { "description" }, .kind = GF_INPUT_TEXT, .max = 500 },
    { .names = { "category" }, .kind = GF_INPUT_TEXT, .min = 1, .max = 50, .required = true },
    { .names = { "prompt" }, .kind = GF_INPUT_TEXT, .max = 2000, .required = true },
    { .names = { "negativePrompt" }, .kind = GF_INPUT_TEXT, .max = 1000 },
    { .names = { "strength" }, .kind = GF_INPUT_NUMBER, .max = 1 },
    { .names = { "parameters" }, .kind = GF_INPUT_OBJECT, .max = PARAMETERS_MAX },
    { .names = { "rotationIndex" }, .kind = GF_INPUT_INT, .max = ROTATION_MAX },
    { .names = { "week" }, .kind = GF_INPUT_INT, .min = 1, .max = 53 },
    { .names = { "isActive" }, .kind = GF_INPUT_BOOL },
    API_ADMIN_MAY_REASON,
    GF_INPUT_END
};

/* ?type=, or the usual type; NULL: refused. */
static const gf_type_t *type_of_query(gf_input_t *input, const gf_req_t *req)
{
    static const gf_input_field_t row[] = { { .names = { "type" }, .kind = GF_INPUT_TYPE },
                                            GF_INPUT_END };
    const gf_type_t *type = gf_type_find(req->conf, USUAL_TYPE, req->r->pool);

    gf_input_read(input, row, &type);
    api_admin_rule_type(input, req, type);
    if (!type && !gf_input_refused(input, "type")) {
        gf_input_missing(input, "type", "is required");
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
    static const gf_input_field_t row[] = { { .names = { "type" }, .kind = GF_INPUT_TYPE },
                                            GF_INPUT_END };
    gf_input_t input = api_body_query_input(req);
    const gf_type_t *type = NULL; /* all */
    apr_array_header_t *presets;
    gf_out_t out;
    int i;

    gf_input_read(&input, row, &type);
    api_admin_rule_type(&input, req, type);
    if (!type && req->conf->realm) {
        gf_input_missing(&input, "type", "is required in a realm");
    }
    GF_TRY(gf_input_end(&input));
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
    gf_input_t input = api_body_query_input(req);
    const gf_type_t *type = type_of_query(&input, req);
    apr_array_header_t *presets;

    GF_TRY(gf_input_end(&input));
    GF_TRY(gf_admin_presets(&presets, req->ctx, type, req->args[0]));
    return presets->nelts ? send_preset(req, APR_ARRAY_IDX(presets, 0, const char *), HTTP_OK)
                          : no_preset(req, type);
}

/* Logs and ends an edit. */
static gf_err_t *end_edit(gf_req_t *req, const gf_admin_preset_t *preset, gf_preset_end_t end,
                          int status)
{
    if (end == GF_PRESET_EXISTS) {
        return gf_err_field(req->ctx, GF_E_INVALID, "key", "is of a preset that is there; edit it");
    }
    if (end == GF_PRESET_FULL) {
        return gf_err_field(req->ctx, GF_E_INVALID, "type", "has as many presets as it may have");
    }
    if (end == GF_PRESET_TOO_LONG) {
        return gf_err_field(req->ctx, GF_E_INVALID, "parameters", "must be shorter");
    }
    if (end == GF_PRESET_NOT_FOUND) {
        return no_preset(req, preset->type);
    }
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0175", "user=%s: wrote the preset %s of %s: %s",
           req->user, preset->key, preset->type->name, preset->fields);
    return send_preset(req, preset->json, status);
}

gf_err_t *api_admin_preset_add(gf_req_t *req)
{
    static const gf_input_field_t names[] = { { .names = { "type" },
                                                .kind = GF_INPUT_TYPE,
                                                .required = true,
                                                .offset = offsetof(gf_admin_preset_t, type) },
                                              { .names = { "key" },
                                                .kind = GF_INPUT_TOKEN,
                                                .max = 64,
                                                .required = true,
                                                .offset = offsetof(gf_admin_preset_t, key) },
                                              GF_INPUT_END };
    static const gf_input_field_t *const tables[] = { names, fields, NULL };
    gf_admin_preset_t preset = { 0 };
    gf_input_t input;
    gf_preset_end_t end;
    gf_json_t *body;
    const char *text;
    apr_size_t length;

    GF_TRY(api_body_json(req, &body, &text, &length));
    input = api_body_input(req, body);
    gf_input_read(&input, names, &preset);
    api_admin_rule_type(&input, req, preset.type);
    gf_input_read(&input, fields, NULL);
    gf_input_unknown(&input, tables);
    GF_TRY(gf_input_end(&input));
    preset.fields = gf_json_text(body);
    api_admin_reason_of(req, body);
    GF_TRY(gf_admin_preset_add(&end, req->ctx, &preset));
    return end_edit(req, &preset, end, HTTP_CREATED);
}

gf_err_t *api_admin_preset_edit(gf_req_t *req)
{
    static const gf_input_field_t *const tables[] = { fields, NULL };
    gf_admin_preset_t preset = { .key = req->args[0] };
    gf_input_t input = api_body_query_input(req);
    gf_preset_end_t end;
    gf_json_t *body;
    const char *text;
    apr_size_t length;

    GF_TRY(api_body_json(req, &body, &text, &length));
    preset.type = type_of_query(&input, req);
    input.query = NULL;
    input.body = body;
    input.partial = true;
    gf_input_read(&input, fields, NULL);
    gf_input_unknown(&input, tables);
    GF_TRY(gf_input_end(&input));
    preset.fields = gf_json_text(body);
    api_admin_reason_of(req, body);
    GF_TRY(gf_admin_preset_edit(&end, req->ctx, &preset));
    return end_edit(req, &preset, end, HTTP_OK);
}

gf_err_t *api_admin_preset_delete(gf_req_t *req)
{
    gf_input_t input = api_body_query_input(req);
    const gf_type_t *type = type_of_query(&input, req);
    gf_out_t out;
    bool found;

    GF_TRY(gf_input_end(&input));
    GF_TRY(api_admin_read_reason(req));
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

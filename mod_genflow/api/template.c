/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: saved, listed, deleted, and read for the requests that name them. Leaves what their
 * members mean to the checks of a request. */
#include "api/page.h"
#include "api/spec.h"

#include <apr_strings.h>

#include "base/text.h"
#include "db/template.h"
#include "model/param.h"
#include "model/type.h"

#define NAME_MAX_LENGTH 100
#define CONFIG_MAX      8192

/* ---- use ---- */

gf_err_t *api_template_read(const gf_json_t **config, const char **type, gf_req_t *req,
                            const gf_json_t *body)
{
    gf_err_code_t code = req->two_step ? GF_E_FIELDS : GF_E_INVALID;
    const gf_json_t *given = gf_json_get(body, "templateId");
    gf_template_t template;
    gf_json_t *parsed;
    const char *id;
    gf_err_t *err;

    *config = NULL;
    *type = NULL;
    if (!given) {
        return NULL;
    }
    if (!gf_json_string(given, &id) || !gf_text_is_uuid(id)) {
        return gf_err_field(req->ctx, code, "templateId", "must be the id of a template");
    }
    err = gf_template_get(&template, req->ctx, req->user, id);
    if (gf_err_is(err, GF_E_NO_TEMPLATE)) {
        return gf_err_field(req->ctx, code, "templateId", "names no template that is there");
    }
    if (!err) {
        err = gf_json_parse(&parsed, req->ctx, template.config, strlen(template.config));
    }
    if (!err) {
        *config = parsed;
        *type = template.type;
    }
    return err;
}

/* ---- GET templates ---- */

static void put_template(gf_out_t *out, const gf_template_t *template)
{
    gf_out_put_string(out, "id", template->id);
    gf_out_put_string(out, "name", template->name);
    gf_out_put_string(out, "type", template->type);
    gf_out_put_raw(out, "config", template->config);
    gf_out_put_string(out, "createdAt", template->created_at);
}

gf_err_t *api_template_list(gf_req_t *req)
{
    gf_input_t input = api_body_query_input(req);
    apr_array_header_t *list;
    api_page_t page;
    gf_out_t out;
    int shown;
    int i;

    api_page_read(&page, &input);
    if (page.cursor && !gf_text_is_uuid(page.cursor)) {
        api_page_refuse_cursor(&input);
    }
    GF_TRY(gf_input_end(&input));
    GF_TRY(gf_template_list(&list, req->ctx, req->user, page.cursor, (int)page.limit + 1));
    shown = api_page_shown(&page, list);
    gf_reply_begin(&out, req);
    gf_out_key(&out, "items");
    gf_out_open(&out, '[');
    for (i = 0; i < shown; i++) {
        gf_out_open(&out, '{');
        put_template(&out, &APR_ARRAY_IDX(list, i, gf_template_t));
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, ']');
    api_page_put(&out,
                 shown < list->nelts ? APR_ARRAY_IDX(list, shown - 1, gf_template_t).id : NULL);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- POST templates ---- */

typedef struct put_t {
    const char *name;
    const gf_type_t *type;
    gf_json_t *config;
} put_t;

static void rule_config(gf_input_t *input, void *record)
{
    const put_t *put = record;

    gf_input_unknown_in(input, put->config, "config.", gf_param_config);
}

static const gf_input_field_t fields[] = {
    { .names = { "name" },
      .kind = GF_INPUT_TEXT,
      .min = 1,
      .max = NAME_MAX_LENGTH,
      .required = true,
      .offset = offsetof(put_t, name) },
    { .names = { "type" }, .kind = GF_INPUT_TYPE, .offset = offsetof(put_t, type) },
    { .names = { "config" },
      .kind = GF_INPUT_OBJECT,
      .max = CONFIG_MAX,
      .required = true,
      .offset = offsetof(put_t, config),
      .rule = rule_config },
    { .names = { "userId" }, .kind = GF_INPUT_KNOWN },
    GF_INPUT_END
};

gf_err_t *api_template_put(gf_req_t *req)
{
    gf_template_t template = { .type = NULL };
    put_t put = { .type = NULL };
    gf_input_t input;
    gf_json_t *body;
    const char *text;
    apr_size_t length;
    gf_out_t out;
    bool taken;

    GF_TRY(api_body_json(req, &body, &text, &length));
    input = api_body_input(req, body);
    input.all = GF_E_FIELDS;
    GF_TRY(gf_input_all(&input, fields, &put));
    template.name = put.name;
    template.type = put.type ? put.type->name : NULL;
    template.config = gf_json_text(put.config);
    GF_TRY(gf_template_put(&template, &taken, req->ctx, req->user));
    if (taken) {
        return gf_err_field(req->ctx, GF_E_FIELDS, "name", "is that of another template of yours");
    }
    template.type = put.type ? gf_type_wire(put.type) : NULL;
    gf_reply_begin(&out, req);
    put_template(&out, &template);
    return gf_reply_send(req, &out, HTTP_CREATED);
}

/* ---- DELETE templates/{id} ---- */

gf_err_t *api_template_delete(gf_req_t *req)
{
    gf_out_t out;

    if (!gf_text_is_uuid(req->args[0])) {
        return gf_err_make(req->ctx, GF_E_NO_TEMPLATE, APR_SUCCESS, "no template of that id");
    }
    GF_TRY(gf_template_delete(req->ctx, req->user, req->args[0]));
    gf_reply_begin(&out, req);
    gf_out_put_bool(&out, "deleted", true);
    return gf_reply_send(req, &out, HTTP_OK);
}

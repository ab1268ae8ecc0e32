/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: saved, listed, deleted, and read for the requests that name them. Leaves what their
 * members mean to the checks of a request. */
#include "api/spec.h"

#include <apr_strings.h>

#include "base/text.h"
#include "db/template.h"
#include "httpd/dir.h"
#include "model/known.h"
#include "model/type.h"

#define NAME_MAX_LENGTH 100
#define CONFIG_MAX      8192
#define LIST_USUAL      50
#define LIST_MAX        100

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
    const char *cursor = api_body_query(req, "cursor");
    const char *text = api_body_query(req, "limit");
    apr_int64_t limit = LIST_USUAL;
    apr_array_header_t *list;
    gf_out_t out;
    bool more;
    int i;

    if (cursor && !gf_text_is_uuid(cursor)) {
        return gf_err_field(req->ctx, GF_E_FIELDS, "cursor", "must be a nextCursor");
    }
    if (text && (!gf_text_int(&limit, text) || limit < 1 || limit > LIST_MAX)) {
        return gf_err_field(req->ctx, GF_E_FIELDS, "limit", "must be a whole number from 1 to 100");
    }
    GF_TRY(gf_template_list(&list, req->ctx, req->user, cursor, (int)limit + 1));
    more = list->nelts > limit;
    gf_reply_begin(&out, req);
    gf_out_key(&out, "items");
    gf_out_open(&out, '[');
    for (i = 0; i < list->nelts && i < limit; i++) {
        gf_out_open(&out, '{');
        put_template(&out, &APR_ARRAY_IDX(list, i, gf_template_t));
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, ']');
    gf_out_put_bool(&out, "hasMore", more);
    gf_out_put_string(&out, "nextCursor",
                      more ? APR_ARRAY_IDX(list, limit - 1, gf_template_t).id : NULL);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- POST templates ---- */

static void check_name(gf_form_t *form, gf_template_t *template)
{
    static const char *const names[] = { "name", NULL };

    if (!gf_form_text(form, names, &template->name)) {
        if (!gf_form_member(form, names)) {
            gf_form_missing(form, names[0]);
        }
    }
    else if (!template->name[0] || gf_text_length(template->name) > NAME_MAX_LENGTH) {
        gf_form_refuse(form, GF_E_FIELDS, names[0], "must have 1 to %d characters",
                       NAME_MAX_LENGTH);
    }
}

static void check_type(gf_form_t *form, gf_template_t *template)
{
    static const char *const names[] = { "type", NULL };
    const gf_type_t *type;

    if (gf_form_text(form, names, &template->type)) {
        type = gf_type_find(form->ctx->conf, template->type, form->ctx->pool);
        if (!type) {
            gf_form_refuse(form, GF_E_FIELDS, names[0], "is no type of this site");
        }
        template->type = type ? type->name : NULL;
    }
}

static void check_config(gf_form_t *form, gf_template_t *template)
{
    static const char *const names[] = { "config", NULL };
    gf_json_t *config = gf_form_member(form, names);

    if (!config) {
        gf_form_missing(form, names[0]);
        return;
    }
    template->config = gf_json_text(config);
    if (!gf_json_is_object(config) || strlen(template->config) > CONFIG_MAX
        || !gf_json_is_moderate(config)) {
        gf_form_refuse(form, GF_E_FIELDS, names[0],
                       "must be an object of at most %d bytes, without NUL characters and without "
                       "numbers beyond 1e15 or below 1e-15",
                       CONFIG_MAX);
    }
    else if (!form->lenient) {
        gf_known_check(form, config, "config.", gf_known_config);
    }
}

gf_err_t *api_template_put(gf_req_t *req)
{
    static const char *const known[] = { "name", "type", "config", "userId", NULL };
    gf_form_t form = { .ctx = req->ctx, .two_step = true };
    gf_template_t template = { .type = NULL };
    gf_json_t *body;
    const char *text;
    apr_size_t length;
    gf_out_t out;
    bool taken;

    GF_TRY(api_body_json(req, &body, &text, &length));
    form.body = body;
    form.lenient = httpd_conf_lenient(req->r);
    gf_form_begin(&form);
    if (!form.lenient) {
        gf_known_check(&form, body, "", known);
    }
    check_name(&form, &template);
    check_type(&form, &template);
    check_config(&form, &template);
    GF_TRY(gf_form_end(&form));
    GF_TRY(gf_template_put(&template, &taken, req->ctx, req->user));
    if (taken) {
        return gf_err_field(req->ctx, GF_E_FIELDS, "name", "is that of another template of yours");
    }
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

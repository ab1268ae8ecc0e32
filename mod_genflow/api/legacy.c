/* SPDX-License-Identifier: Apache-2.0 */
/* What requests and replies of older systems have in common. */
#include "api/legacy.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "db/preset.h"
#include "httpd/dir.h"
#include "model/param.h"
#include "model/realm.h"
#include "model/type.h"

#define TWO_STEP "generat" /* generate, generation/create, generations: the third system's */

bool api_legacy_plain(const gf_req_t *req, const char *media)
{
    const char *header = apr_table_get(req->r->headers_in, "Authorization");

    return httpd_conf_legacy(req->r) && (!*media || ap_cstr_casecmp(media, "text/plain") == 0)
           && header && ap_cstr_casecmpn(header, "Bearer", 6) == 0 && apr_isspace(header[6]);
}

gf_err_code_t api_legacy_not_signed_in(const request_rec *r)
{
    const char *path = httpd_conf_legacy(r) ? httpd_conf_path(r) : NULL;

    return path && strncmp(path, TWO_STEP, strlen(TWO_STEP)) != 0 ? GF_E_NOT_SIGNED_IN_OLD
                                                                  : GF_E_NOT_SIGNED_IN;
}

bool api_legacy_waits(const gf_req_t *req)
{
    return httpd_conf_legacy(req->r) && !req->two_step && !req->as_job;
}

/* ---- requests ---- */

/* Times and names of senders are no members that the API reads, but for these two. */
static bool differs(const char *name)
{
    return strcmp(name, "userId") == 0 || strcmp(name, "generationMeta") == 0;
}

static void put_member(gf_out_t *out, const gf_input_field_t *field, const gf_json_t *body)
{
    const char *const *name;

    for (name = field->names; *name; name++) {
        gf_json_t *value = gf_json_get(body, *name);

        if (value) {
            gf_out_put_raw(out, field->names[0], gf_json_text(value));
            return;
        }
    }
}

const char *api_legacy_text(const gf_req_t *req, const gf_json_t *body)
{
    const gf_input_field_t *const *table;
    const gf_input_field_t *field;
    gf_out_t out;

    gf_out_init(&out, req->r->pool, 1024);
    for (table = gf_param_config; *table; table++) {
        for (field = *table; field->names[0]; field++) {
            if (!differs(field->names[0])) {
                put_member(&out, field, body);
            }
        }
    }
    return out.text;
}

/* ---- replies ---- */

/* They know the thumbnails of Cloudinary alone. */
static const gf_thumbnails_t *thumbnails_of(const gf_req_t *req, const gf_view_t *view)
{
    return req->conf->thumbnails.transformation ? view->thumbnails : NULL;
}

void api_legacy_members(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    const gf_ref_name_t *ref;
    gf_view_t shown = *view;

    shown.ref_names = NULL;
    shown.thumbnails = thumbnails_of(req, view);
    if (strcmp(view->status, "cancelled") == 0 && !req->two_step) {
        shown.status = "failed"; /* they would go on asking */
    }
    gf_view_write(out, &shown, req->base, req->site);
    for (ref = req->ctx->conf->ref_names; ref->name; ref++) {
        bool known = view->provider_ref && view->provider_kind
                     && strcmp(view->provider_kind, ref->kind) == 0;

        gf_out_put_string(out, ref->name, known ? view->provider_ref : view->id);
    }
}

void api_legacy_job(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    gf_view_t shown = *view;

    shown.thumbnails = thumbnails_of(req, view);
    if (strcmp(view->status, "cancelled") == 0) {
        shown.status = "failed"; /* they would go on polling */
        shown.error_message = view->error_message ? view->error_message : "The job was cancelled";
    }
    gf_view_write_job(out, &shown, req->base, gf_reply_site(req->r));
}

/* "presetInfo":{...} of a preset that is a row. */
static void put_preset(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    gf_presets_t presets;
    const gf_preset_t *preset;

    if (!view->preset || gf_preset_read(&presets, req->ctx, req->api->presets, view->type)) {
        return;
    }
    preset = gf_type_preset(&presets, view->preset);
    if (!preset) {
        return;
    }
    gf_out_key(out, "presetInfo");
    gf_out_open(out, '{');
    gf_out_put_string(out, "name", preset->label);
    gf_out_put_string(out, "description", preset->description);
    gf_out_put_string(out, "category", preset->category);
    gf_out_put_raw(out, "week", preset->week);
    gf_out_put_raw(out, "rotationIndex", preset->rotation_index);
    gf_out_close(out, '}');
}

void api_legacy_more(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    bool is_aiml = view->provider_kind && strcmp(view->provider_kind, "aiml") == 0;

    gf_out_put_string(out, "mediaId", view->id);
    gf_out_put_string(out, "aimlModel", is_aiml ? view->model : NULL);
    gf_out_put_int(out, "attemptCount", apr_atoi64(view->retry_count_json) + 1);
    gf_out_put_string(out, "error", view->error_message);
    gf_out_put_string(out, "details", view->cause_code ? view->cause_code : view->error_code);
    gf_out_put_string(
        out, "jobAge",
        apr_psprintf(req->r->pool, "%" APR_INT64_T_FMT "s", (apr_int64_t)view->age_ms / 1000));
    gf_out_key(out, "generationMeta");
    gf_out_open(out, '{');
    gf_out_put_string(out, "userId", gf_realm_name(view->user));
    gf_out_put_string(out, "prompt", view->prompt);
    gf_out_close(out, '}');
    if (strcmp(gf_type_wire(view->type), "custom-prompt") == 0) {
        gf_out_put_string(out, "customPrompt", view->prompt);
    }
    put_preset(out, req, view);
}

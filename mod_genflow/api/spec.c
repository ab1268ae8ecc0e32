/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a body that requests generations: body, template and type become a checked gf_spec_t with
 * its key and its source picture. The rules of fields are in model/param.c. */
#include "api/spec.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "api/legacy.h"
#include "db/asset.h"
#include "httpd/dir.h"
#include "model/param.h"
#include "model/source.h"
#include "model/source_url.h"
#include "model/type.h"

#define KEY_MAX 255

/* The header is a string of RFC 8941, "k"; without its quotes it is the same key. A key stays
 * quoted if it could not be written without quotes: key_of() would read them as quotes, or the
 * blank as that of a batch's numbered keys. Sets *key, to NULL if it is malformed. */
static void read_key(const char **key, const char *text, apr_pool_t *pool)
{
    const char *start = text;
    char *plain = apr_pstrdup(pool, text);
    apr_size_t length = 0;

    *key = gf_text_is_printable(text, KEY_MAX) ? text : NULL;
    if (*text != '"') {
        return;
    }
    *key = NULL;
    for (text++; *text >= ' ' && *text <= '~' && *text != '"'; text++) {
        if (*text == '\\' && *++text != '"' && *text != '\\') {
            return;
        }
        plain[length++] = *text;
    }
    plain[length] = '\0';
    if (*text == '"' && !text[1] && length > 0 && length <= KEY_MAX) {
        bool is_quoted = *plain == '"' || strchr(plain, ' ');

        *key = !is_quoted ? plain : strlen(start) <= KEY_MAX ? start : NULL;
    }
}

gf_err_t *api_spec_key(gf_caller_t *caller, gf_req_t *req, const char *own)
{
    const char *text = apr_table_get(req->r->headers_in, "Idempotency-Key");
    const char *key = NULL;

    if (text) {
        read_key(&key, text, req->r->pool);
    }
    if (text && !key) {
        return gf_err_field(req->ctx, GF_E_INVALID, "Idempotency-Key",
                            "must be 1 to 255 printable characters without spaces, or a quoted "
                            "string as RFC 8941 has it");
    }
    caller->user = req->user;
    caller->take = httpd_conf_legacy(req->r);
    caller->renew = false;
    caller->api_key = req->key ? req->key->id : NULL;
    caller->key = key ? apr_pstrcat(req->r->pool, "key:", key, NULL) : own;
    return NULL;
}

/* The key that makes the call harmless to repeat: the client's, else its run id, else one of ours
 * (which still guards a statement that is sent twice). */
static gf_err_t *choose_key(gf_caller_t *caller, gf_req_t *req, const gf_spec_t *spec)
{
    apr_pool_t *pool = req->r->pool;

    GF_TRY(api_spec_key(caller, req,
                        spec->run_id ? apr_pstrcat(pool, "run:", spec->run_id, NULL) : NULL));
    caller->renew =
        caller->take && spec->run_id && strncmp(caller->key, "run:", strlen("run:")) == 0;
    if (!caller->key) {
        caller->key = apr_pstrcat(pool, "own:", gf_hash_random(pool, 16), NULL);
    }
    return NULL;
}

/* ---- the source pictures, where they are ours ---- */

/* An uploaded one: is it there, and the user's? Its id gets the spelling of the row. *bytes: its
 * size. */
static gf_err_t *find_asset(apr_int64_t *bytes, gf_req_t *req, gf_source_t *source)
{
    gf_asset_t asset;
    gf_err_t *err = gf_asset_get(&asset, req->ctx, req->user, source->asset_id);

    if (gf_err_is(err, GF_E_NO_ASSET)) {
        return gf_err_field(req->ctx, GF_E_SOURCE_URL, source->field,
                            "names no picture that is there; it may have expired");
    }
    if (!err) {
        source->asset_id = asset.id;
        *bytes = asset.size;
    }
    return err;
}

/* Before anything is held. What is still to be fetched is measured then (work/acts.c). */
static gf_err_t *find_assets(gf_req_t *req, gf_spec_t *spec)
{
    apr_int64_t limit = req->conf->asset_total;
    apr_int64_t total = 0;
    int i;

    for (i = 0; spec->sources && i < spec->sources->nelts; i++) {
        gf_source_t *source = &APR_ARRAY_IDX(spec->sources, i, gf_source_t);
        apr_int64_t bytes = source->base64 ? (apr_int64_t)source->image.end : 0;

        if (source->asset_id) {
            GF_TRY(find_asset(&bytes, req, source));
        }
        total += bytes;
        if (total > limit) {
            return gf_err_field(
                req->ctx, GF_E_SOURCE_URL, source->field,
                apr_psprintf(req->r->pool,
                             "the source pictures may have at most %" APR_INT64_T_FMT
                             " bytes together",
                             limit));
        }
    }
    spec->source_url = gf_source_lines(req->r->pool, spec->sources);
    return NULL;
}

/* Those in the body become uploaded ones, so that nothing large is in the row. Of two steps the row
 * then shows the addresses of all. */
static gf_err_t *store_images(gf_req_t *req, gf_spec_t *spec)
{
    const char *shown[GF_SOURCES_MAX];
    gf_asset_t asset;
    int i;

    for (i = 0; spec->sources && i < spec->sources->nelts; i++) {
        gf_source_t *source = &APR_ARRAY_IDX(spec->sources, i, gf_source_t);

        if (source->base64) {
            GF_TRY(api_asset_check(req, source->field, &source->image, source->bytes));
            GF_TRY(gf_asset_put(&asset, req->ctx, req->user, &source->image, source->base64));
            source->asset_id = asset.id;
        }
        shown[i] = source->url
                       ? source->url
                       : apr_pstrcat(req->r->pool, req->base, "/assets/", source->asset_id, NULL);
    }
    spec->source_url = gf_source_lines(req->r->pool, spec->sources);
    return spec->two_step ? gf_param_name_pictures(spec, req->ctx, shown) : NULL;
}

/* ---- the body ---- */

/* The type of a body whose address names none, and its set of fields: those of a one-step body if
 * it names a type and has no pictures of products. */
static void choose_type(gf_req_t *req, gf_param_t *param, const char *of_template, bool pending)
{
    static const char *const type_names[] = { "type", NULL };
    static const char *const image_names[] = { "productImages", NULL };
    const gf_conf_t *conf = req->conf;
    gf_json_t *value = gf_input_member(&param->input, type_names);
    const char *name = value ? NULL : of_template;

    if (value) {
        gf_json_string(value, &name);
    }
    req->type = name                   ? gf_type_find(conf, name, req->r->pool)
                : value || of_template ? NULL
                                       : gf_type_two_step(conf);
    param->two_step = pending || !name || !req->type || gf_input_member(&param->input, image_names);
}

static gf_err_t *check_body(gf_spec_t *spec, gf_req_t *req, const api_spec_body_t *body)
{
    gf_presets_t presets = { .list = apr_array_make(req->r->pool, 1, sizeof(gf_preset_t)) };
    gf_param_t param = { .input = api_body_input(req, body->json),
                         .presets = &presets,
                         .old = httpd_conf_legacy(req->r) };
    const char *of_template;

    GF_TRY(api_template_read(&param.input.fallback, &of_template, req, body->json));
    if (!req->type) {
        choose_type(req, &param, of_template, body->pending);
    }
    param.type = req->type;
    param.composed = req->composed;
    param.input.lenient = param.input.lenient || req->composed;
    if (param.type) {
        GF_TRY(api_start_open(req));
        GF_TRY(gf_preset_read(&presets, req->ctx, req->api->presets, param.type));
    }
    return gf_param_check(spec, &param);
}

gf_err_t *api_spec_read(gf_spec_t *spec, gf_req_t *req, const api_spec_body_t *body)
{
    GF_TRY(check_body(spec, req, body));
    spec->pending = body->pending;
    if (spec->pending && spec->count > 1) {
        return gf_err_field(req->ctx, GF_E_FIELDS, "n",
                            "must be 1: each is created and started by calls of its own; "
                            "generate without generationId makes several at once");
    }
    return find_assets(req, spec);
}

void api_spec_hash(gf_caller_t *caller, char hash[GF_SHA256_HEX], const gf_req_t *req,
                   const api_spec_body_t *body)
{
    const char *act = body->pending ? "create" : req->two_step ? "generate" : NULL;
    const char *text = caller->take ? api_legacy_text(req, body->json) : body->text;

    caller->hash = hash;
    gf_hash_texts(
        hash, act ? apr_pstrcat(req->r->pool, act, " ", req->type->name, NULL) : req->type->name,
        text, caller->take ? strlen(text) : body->length);
}

gf_err_t *api_spec_finish(gf_caller_t *caller, char hash[GF_SHA256_HEX], gf_req_t *req,
                          gf_spec_t *spec, const api_spec_body_t *body)
{
    GF_TRY(choose_key(caller, req, spec));
    GF_TRY(store_images(req, spec));
    api_spec_hash(caller, hash, req, body);
    return NULL;
}

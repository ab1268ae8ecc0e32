/* SPDX-License-Identifier: Apache-2.0 */
/* Galleries as front ends of older systems ask for them (GenflowLegacyNames On): a user's own
 * pictures, everybody's public ones, publishing, deleting, and saving what is stored already. Rules
 * are in sql/functions/gallery.sql. */
#include "api/api.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>

#include "base/text.h"
#include "db/gallery.h"
#include "db/steer.h"
#include "model/realm.h"
#include "model/source_url.h"
#include "model/type.h"
#include "model/url.h"

#define LIMIT_MAX   100
#define LIMIT_ASKED 1000 /* older clients ask for more rows than they get */
#define LIMIT_USUAL 50
#define OFFSET_OPEN 10000 /* of GF_GALLERY_OFFSET_MAX, without sign-in */
#define TAGS_MAX    100
#define TAGS_BYTES  8192 /* of all, as the row has them */
#define META_MAX    8192
#define URL_MAX     2000
#define VARIATIONS  GF_BATCH_MAX

/* ---- the words of older clients for types ---- */

static const struct type_word_t {
    const char *word, *type; /* NULL type: all types */
} type_words[] = { { "all", NULL },
                   { "image", NULL },
                   { "preset", "presets" },
                   { "custom", "custom-prompt" },
                   { "emotion", "emotion-mask" },
                   { "emotionmask", "emotion-mask" },
                   { "ghibli", "ghibli-reaction" },
                   { "ghiblireact", "ghibli-reaction" },
                   { "neo", "neo-glitch" },
                   { "neotokyoglitch", "neo-glitch" },
                   { NULL, NULL } };

typedef struct window_t {
    apr_int64_t limit, offset;
    const char *type;
} window_t;

static const gf_input_field_t window_fields[] = {
    { .names = { "limit" },
      .kind = GF_INPUT_INT,
      .min = 1,
      .max = LIMIT_ASKED,
      .offset = offsetof(window_t, limit) },
    { .names = { "offset" },
      .kind = GF_INPUT_INT,
      .min = 0,
      .max = GF_GALLERY_OFFSET_MAX,
      .offset = offsetof(window_t, offset) },
    { .names = { "type" }, .kind = GF_INPUT_TEXT, .offset = offsetof(window_t, type) },
    GF_INPUT_END
};

static void find_type(gf_gallery_t *gallery, gf_input_t *input, const char *word)
{
    const struct type_word_t *known = type_words;

    while (known->word && strcmp(known->word, word) != 0) {
        known++;
    }
    if (known->word && !known->type) {
        return;
    }
    gallery->type =
        gf_type_find(input->ctx->conf, known->word ? known->type : word, input->ctx->pool);
    if (!gallery->type) {
        gf_input_refuse(input, GF_E_INVALID, "type", "is no type of pictures here");
    }
}

/* The page that the query asks for, or the body of a POST. */
static gf_err_t *read_window(gf_gallery_t *gallery, gf_req_t *req)
{
    window_t window = { .limit = LIMIT_USUAL };
    gf_input_t input = api_body_query_input(req);
    gf_json_t *body = NULL;
    const char *text;
    apr_size_t length;

    if (req->r->method_number == M_POST) {
        GF_TRY(api_body_json(req, &body, &text, &length));
    }
    input.body = body;
    input.loose = true;
    input.lenient = true;
    gf_input_read(&input, window_fields, &window);
    if (window.type) {
        find_type(gallery, &input, window.type);
    }
    gallery->offset = window.offset;
    gallery->limit = window.limit < LIMIT_MAX ? window.limit : LIMIT_MAX;
    return gf_input_end(&input);
}

/* ---- items ---- */

static const char *picture_of(gf_req_t *req, const gf_view_t *view)
{
    const char *url = view->image_url;

    return url && url[0] == '/' ? apr_pstrcat(req->r->pool, gf_reply_site(req->r), url, NULL) : url;
}

static void put_item(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    const char *url = picture_of(req, view);

    gf_out_put_string(out, "id", view->id);
    gf_out_put_string(out, "userId", gf_realm_name(view->user));
    gf_out_put_string(out, "finalUrl", url);
    gf_out_put_string(out, "imageUrl", url);
    gf_out_put_string(out, "mediaType", "image");
    gf_out_put_string(out, "prompt", view->prompt);
    gf_out_put_string(out, "presetKey", view->preset);
    gf_out_put_string(out, "status", "ready");
    gf_out_put_bool(out, "isPublic", view->visibility && strcmp(view->visibility, "public") == 0);
    gf_out_put_bool(out, "allowRemix", view->allow_remix);
    gf_out_put_string(out, "createdAt", view->created_at);
    gf_out_put_string(out, "type", gf_type_wire(view->type));
}

static void put_own(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    put_item(out, req, view);
    gf_out_put_string(out, "runId", view->run_id);
    gf_out_put_string(
        out, "sourceUrl",
        gf_source_shown(req->r->pool, view->source_url, req->base, gf_reply_site(req->r)));
    gf_out_key(out, "metadata");
    gf_out_open(out, '{');
    gf_out_put_string(out, "presetKey", view->preset);
    gf_out_put_string(out, "presetType", gf_type_wire(view->type));
    gf_out_put_string(out, "quality", "high");
    gf_out_put_raw(out, "generationTime", view->processing_ms_json);
    gf_out_put_string(out, "modelVersion", view->model);
    gf_out_close(out, '}');
}

/* Of a picture that others may not remix, its source image stays its owner's. */
static void put_public(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    const char *source = view->source_url ? gf_source_nth(out->pool, view->source_url, 0) : NULL;
    bool is_shown = view->allow_remix && source && !gf_source_asset_id(source);

    put_item(out, req, view);
    gf_out_put_string(out, "sourceUrl", is_shown ? source : NULL);
    gf_out_key(out, "user");
    gf_out_open(out, '{');
    gf_out_put_string(out, "id", view->user);
    gf_out_put_string(out, "name", NULL);
    gf_out_close(out, '}');
}

static gf_err_t *send_gallery(gf_req_t *req, gf_gallery_t *gallery)
{
    apr_int64_t least;
    gf_out_t out;
    int i;

    GF_TRY(gf_gallery_read(gallery, req->ctx));
    gf_reply_begin(&out, req);
    gf_out_key(&out, "items");
    gf_out_open(&out, '[');
    for (i = 0; i < gallery->items->nelts; i++) {
        const gf_view_t *view = &APR_ARRAY_IDX(gallery->items, i, gf_view_t);

        gf_out_open(&out, '{');
        if (gallery->user) {
            put_own(&out, req, view);
        }
        else {
            put_public(&out, req, view);
        }
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, ']');
    least = gallery->items->nelts ? gallery->offset + gallery->items->nelts + gallery->more : 0;
    gf_out_put_int(&out, "total", gallery->total > least ? gallery->total : least);
    gf_out_put_bool(&out, "hasMore", gallery->more);
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_legacy_media_list(gf_req_t *req)
{
    gf_gallery_t gallery = { .user = req->user };

    GF_TRY(read_window(&gallery, req));
    return send_gallery(req, &gallery);
}

/* Public pictures, of one type or of all. The cost of a page grows with its offset. */
static gf_err_t *send_feed(gf_req_t *req, const gf_type_t *type)
{
    gf_gallery_t gallery = { .viewer =
                                 req->user ? req->user : gf_realm_scope(req->conf, req->r->pool) };

    GF_TRY(read_window(&gallery, req));
    if (!req->user && gallery.offset > OFFSET_OPEN) {
        return gf_err_field(req->ctx, GF_E_INVALID, "offset",
                            "must be at most 10000 without sign-in");
    }
    gallery.type = type ? type : gallery.type;
    return send_gallery(req, &gallery);
}

gf_err_t *api_legacy_media_feed(gf_req_t *req)
{
    return send_feed(req, NULL);
}

gf_err_t *api_legacy_media_neo_feed(gf_req_t *req)
{
    const gf_type_t *type = gf_type_find(req->conf, "neo-glitch", req->r->pool);

    return type ? send_feed(req, type)
                : gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "no neo-glitch here");
}

/* ---- one picture ---- */

/* The id under one of these names, in the query or in a body. */
static gf_err_t *read_id(const char **id, gf_json_t **body, gf_req_t *req, const char *const *names)
{
    const char *const *name = names;
    const char *text;
    apr_size_t length;

    *body = NULL;
    *id = NULL;
    for (; *name && !*id; name++) {
        *id = api_body_query(req, *name);
    }
    if (!*id || ap_request_has_body(req->r)) {
        GF_TRY(api_body_json(req, body, &text, &length));
    }
    for (name = names; *name && !*id; name++) {
        gf_json_string(gf_json_get(*body, *name), id);
    }
    return *id && **id ? NULL
                       : gf_err_field(req->ctx, GF_E_INVALID, names[0], "is required as text");
}

gf_err_t *api_legacy_media_delete(gf_req_t *req)
{
    static const char *const names[] = { "mediaId", "id", NULL };
    gf_json_t *body;
    gf_out_t out;

    GF_TRY(read_id(&req->args[0], &body, req, names));
    GF_TRY(api_generation_remove(req));
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "message", "Media deleted successfully");
    gf_out_put_string(&out, "deletedId", req->args[0]);
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_legacy_media_publish(gf_req_t *req)
{
    static const char *const names[] = { "assetId", "mediaId", "id", NULL };
    gf_mark_t mark = { NULL, NULL, NULL, NULL };
    gf_json_t *body;
    gf_json_t *member;
    bool publish;
    bool remix;
    gf_find_t find;
    gf_out_t out;

    GF_TRY(read_id(&req->args[0], &body, req, names));
    if (!body || !gf_json_bool(gf_json_get(body, "publish"), &publish)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "publish", "is required: true or false");
    }
    member = gf_json_get(body, "allowRemix");
    if (member && !gf_json_bool(member, &remix)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "allowRemix", "must be true or false");
    }
    mark.visibility = publish ? "public" : "private";
    mark.remix = !member ? NULL : remix ? "t" : "f";
    GF_TRY(api_generation_find(&find, req));
    GF_TRY(gf_gallery_mark(req->ctx, req->user, find.id, &mark));
    gf_log(req->ctx, GF_LOG_INFO, APR_SUCCESS, "GF0427", "job=%s type=%s user=%s: %s", find.id,
           req->type->name, req->user, publish ? "published" : "no longer public");
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "message", publish ? "Published" : "Unpublished");
    gf_out_put_int(&out, "updatedCount", 1);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- what is stored already is saved ---- */

/* The addresses under which a row may have `url`: with and without our scheme and host. */
static const char *urls_of(gf_req_t *req, const char *url)
{
    const char *site = gf_reply_site(req->r);
    apr_size_t length = strlen(site);
    bool is_ours = strncmp(url, site, length) == 0 && url[length] == '/';
    const char *texts[2] = { url, is_ours ? url + length : NULL };

    return gf_text_array(req->r->pool, texts, is_ours ? 2 : 1);
}

static gf_err_t *read_tags(const char **tags, gf_req_t *req, const gf_json_t *value)
{
    const char *texts[TAGS_MAX];
    apr_size_t count = gf_json_length(value);
    apr_size_t i;

    *tags = NULL;
    if (!value) {
        return NULL;
    }
    if (!gf_json_is_array(value) || count > TAGS_MAX) {
        return gf_err_field(req->ctx, GF_E_INVALID, "tags", "must be a list of at most 100 texts");
    }
    for (i = 0; i < count; i++) {
        gf_json_t *tag = gf_json_at(value, i);

        if (!tag || !gf_json_string(tag, &texts[i]) || gf_text_length(texts[i]) > 64
            || gf_text_has_control(texts[i])) {
            return gf_err_field(req->ctx, GF_E_INVALID, "tags",
                                "must be texts of at most 64 characters");
        }
    }
    *tags = gf_text_array(req->r->pool, texts, (int)count);
    return strlen(*tags) <= TAGS_BYTES
               ? NULL
               : gf_err_field(req->ctx, GF_E_INVALID, "tags", "must have at most 8 KB together");
}

static gf_err_t *read_visibility(gf_mark_t *mark, gf_req_t *req, const gf_json_t *body)
{
    gf_json_t *said = gf_json_get(body, "visibility");
    gf_json_t *flag = gf_json_get(body, "isPublic");
    const char *word = NULL;
    bool is_public;

    if (said
        && (!gf_json_string(said, &word)
            || (strcmp(word, "public") != 0 && strcmp(word, "private") != 0))) {
        return gf_err_field(req->ctx, GF_E_INVALID, "visibility", "must be public or private");
    }
    if (flag && !gf_json_bool(flag, &is_public)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "isPublic", "must be true or false");
    }
    mark->visibility = word ? word : flag ? (is_public ? "public" : "private") : NULL;
    return NULL;
}

/* What `body` says about the picture beside its address. */
static gf_err_t *read_mark(gf_mark_t *mark, gf_req_t *req, const gf_json_t *body)
{
    gf_json_t *meta = gf_json_get(body, "meta");
    gf_json_t *remix = gf_json_get(body, "allowRemix");
    bool may;

    memset(mark, 0, sizeof(*mark));
    GF_TRY(read_visibility(mark, req, body));
    GF_TRY(read_tags(&mark->tags, req, gf_json_get(body, "tags")));
    if (remix && !gf_json_bool(remix, &may)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "allowRemix", "must be true or false");
    }
    mark->remix = !remix ? NULL : may ? "t" : "f";
    if (meta
        && (!gf_json_is_object(meta) || !gf_json_is_moderate(meta)
            || strlen(gf_json_text(meta)) > META_MAX)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "meta", "must be an object of at most 8 KB");
    }
    mark->meta = meta ? gf_json_text(meta) : NULL;
    return NULL;
}

/* The first member of these names that is a text. */
static gf_err_t *read_url(const char **url, gf_req_t *req, const gf_json_t *body,
                          const char *const *names)
{
    const char *const *name;

    *url = NULL;
    for (name = names; *name && !*url; name++) {
        gf_json_string(gf_json_get(body, *name), url);
    }
    return *url && **url && strlen(*url) <= URL_MAX
               ? NULL
               : gf_err_field(req->ctx, GF_E_INVALID, names[0], "is required: an address");
}

static const char *const url_names[] = { "finalUrl",      "final_url", "imageUrl", "image_url",
                                         "cloudinaryUrl", "url",       NULL };

/* A picture to be saved. */
typedef struct saved_t {
    gf_find_t find;
    const gf_type_t *type;
    gf_mark_t mark;
} saved_t;

/* The user's own picture at the address in `body`, and the marks of `body`. */
static gf_err_t *find_one(saved_t *saved, gf_req_t *req, const gf_json_t *body)
{
    const char *url;

    memset(saved, 0, sizeof(*saved));
    GF_TRY(read_url(&url, req, body, url_names));
    GF_TRY(read_mark(&saved->mark, req, body));
    GF_TRY(gf_gallery_find(&req->args[0], req->ctx, req->user, urls_of(req, url)));
    if (!req->args[0]) {
        return gf_err_make(req->ctx, GF_E_NO_GENERATION, APR_SUCCESS, "no picture at that address");
    }
    GF_TRY(api_generation_find(&saved->find, req));
    saved->type = req->type;
    return NULL;
}

/* Sets the marks; the view is the one after it. */
static gf_err_t *save_one(gf_view_t *view, gf_req_t *req, const saved_t *saved)
{
    req->type = saved->type;
    GF_TRY(gf_gallery_mark(req->ctx, req->user, saved->find.id, &saved->mark));
    return gf_queue_get(view, req->ctx, req->type, req->user, &saved->find);
}

static void put_saved(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    gf_out_put_string(out, "id", view->id);
    gf_out_put_string(out, "final_url", picture_of(req, view));
    gf_out_put_string(out, "finalUrl", picture_of(req, view));
    gf_out_put_string(out, "media_type", "image");
    gf_out_put_string(out, "created_at", view->created_at);
}

gf_err_t *api_legacy_media_save(gf_req_t *req)
{
    gf_view_t views[VARIATIONS];
    saved_t saved[VARIATIONS];
    gf_json_t *body;
    gf_json_t *list;
    const char *text;
    apr_size_t length;
    apr_size_t count;
    gf_out_t out;
    apr_size_t i;

    GF_TRY(api_body_json(req, &body, &text, &length));
    list = gf_json_get(body, "variations");
    count = list ? gf_json_length(list) : 1;
    if (list && (!gf_json_is_array(list) || count < 1 || count > VARIATIONS)) {
        return gf_err_field(req->ctx, GF_E_INVALID, "variations", "must be a list of 1 to 10");
    }
    for (i = 0; i < count; i++) {
        gf_json_t *one = list ? gf_json_at(list, i) : body;

        if (!gf_json_is_object(one)) {
            return gf_err_field(req->ctx, GF_E_INVALID, "variations", "must be a list of objects");
        }
        GF_TRY(find_one(&saved[i], req, one));
    }
    for (i = 0; i < count; i++) { /* all of them are there */
        GF_TRY(save_one(&views[i], req, &saved[i]));
    }
    gf_reply_begin(&out, req);
    put_saved(&out, req, &views[0]);
    gf_out_key(&out, "items");
    gf_out_open(&out, '[');
    for (i = 0; i < count; i++) {
        gf_out_open(&out, '{');
        put_saved(&out, req, &views[i]);
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, ']');
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_legacy_media_save_neo(gf_req_t *req)
{
    saved_t saved;
    gf_view_t view;
    gf_json_t *body;
    const char *text;
    apr_size_t length;
    gf_out_t out;

    GF_TRY(api_body_json(req, &body, &text, &length));
    GF_TRY(find_one(&saved, req, body));
    GF_TRY(save_one(&view, req, &saved));
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "mediaId", view.id);
    gf_out_put_string(&out, "status", view.status);
    put_saved(&out, req, &view);
    return gf_reply_send(req, &out, HTTP_OK);
}

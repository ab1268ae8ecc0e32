/* SPDX-License-Identifier: Apache-2.0 */
/* PATCH generation/{id}: the tags, the title and the heart that its user gives a generation. Leaves
 * what it is, costs and does alone: there is no state in which it may not be edited. */
#include "api/api.h"

#include <string.h>

#include "base/text.h"
#include "db/steer.h"

#define TAGS_MAX  10
#define TAG_MAX   40 /* characters */
#define TITLE_MAX 200

typedef struct patch_t {
    gf_json_t *tags;
    gf_json_t *title;
    bool favourite;
    gf_edit_t edit;
} patch_t;

/* A text of at most `max` characters, without the blanks around it; NULL: it is none. */
static const char *read_line(gf_json_t *value, apr_int64_t max, apr_pool_t *pool)
{
    const char *text;

    if (!value || !gf_json_string(value, &text)) {
        return NULL;
    }
    text = gf_text_trim(pool, text);
    return (apr_int64_t)gf_text_length(text) <= max && !gf_text_has_control(text) ? text : NULL;
}

static bool is_among(const char *text, const char *const *texts, apr_size_t count)
{
    while (count > 0 && strcmp(text, texts[count - 1]) != 0) {
        count--;
    }
    return count > 0;
}

static void rule_tags(gf_input_t *input, void *record)
{
    patch_t *patch = record;
    apr_size_t count = gf_json_length(patch->tags);
    const char *tags[TAGS_MAX];
    apr_size_t i;

    if (!patch->tags) {
        return;
    }
    if (!gf_json_is_array(patch->tags) || count > TAGS_MAX) {
        gf_input_refuse(input, GF_E_INVALID, "tags", "must be a list of at most %d texts",
                        TAGS_MAX);
        return;
    }
    for (i = 0; i < count; i++) {
        tags[i] = read_line(gf_json_at(patch->tags, i), TAG_MAX, input->ctx->pool);
        if (!tags[i] || !*tags[i]) {
            gf_input_refuse(input, GF_E_INVALID, "tags",
                            "must be texts of 1 to %d characters, none of them a control character",
                            TAG_MAX);
            return;
        }
        if (is_among(tags[i], tags, i)) {
            gf_input_refuse(input, GF_E_INVALID, "tags", "must not have a tag twice");
            return;
        }
    }
    patch->edit.tags = gf_text_array(input->ctx->pool, tags, (int)count);
}

static void rule_favourite(gf_input_t *input, void *record)
{
    static const char *const names[] = { "favourite", NULL };
    patch_t *patch = record;

    if (gf_input_member(input, names)) {
        patch->edit.favourite = patch->favourite ? "t" : "f";
    }
}

/* Has the body a member `name` that is null? It is absent to the reader of fields. */
static bool is_null(const gf_input_t *input, const char *name)
{
    const apr_array_header_t *names = gf_json_names(input->body, input->ctx->pool);
    int i;

    for (i = 0; i < names->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(names, i, const char *), name) == 0) {
            return !gf_json_get(input->body, name);
        }
    }
    return false;
}

static void rule_title(gf_input_t *input, void *record)
{
    patch_t *patch = record;

    if (!patch->title) {
        patch->edit.titled = is_null(input, "title");
        return;
    }
    patch->edit.title = read_line(patch->title, TITLE_MAX, input->ctx->pool);
    patch->edit.titled = true;
    if (!patch->edit.title) {
        gf_input_refuse(input, GF_E_INVALID, "title",
                        "must be null, or a text of at most %d characters, none of them a control "
                        "character",
                        TITLE_MAX);
    }
    else if (!*patch->edit.title) {
        patch->edit.title = NULL;
    }
}

static const gf_input_field_t fields[] = { { .names = { "tags" },
                                             .kind = GF_INPUT_JSON,
                                             .offset = offsetof(patch_t, tags),
                                             .rule = rule_tags },
                                           { .names = { "favourite" },
                                             .kind = GF_INPUT_BOOL,
                                             .offset = offsetof(patch_t, favourite),
                                             .rule = rule_favourite },
                                           { .names = { "title" },
                                             .kind = GF_INPUT_JSON,
                                             .offset = offsetof(patch_t, title),
                                             .rule = rule_title },
                                           GF_INPUT_END };

gf_err_t *api_edit(gf_req_t *req)
{
    patch_t patch = { .tags = NULL };
    gf_find_t find;
    gf_json_t *body;
    gf_view_t view;

    GF_TRY(api_body_fields(&body, req, fields, &patch));
    GF_TRY(api_generation_find(&find, req));
    GF_TRY(gf_steer_edit(req->ctx, req->type, req->user, find.id, &patch.edit));
    gf_hub_req_publish(req->api->hub, req->user);
    GF_TRY(gf_queue_get(&view, req->ctx, req->type, req->user, &find));
    return gf_reply_view(req, &view, HTTP_OK, NULL);
}

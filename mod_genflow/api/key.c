/* SPDX-License-Identifier: Apache-2.0 */
/* API keys of a user: made, listed, revoked. The key is in one response, that to its making, and
 * nowhere else. Authentication is in api/authn.c, rules in sql/functions/api_keys.sql. */
#include "api/key.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "api/admin.h"
#include "api/authn.h"
#include "api/page.h"
#include "base/text.h"
#include "db/api_key_cache.h"
#include "httpd/dir.h"
#include "model/realm.h"
#include "model/servers.h"
#include "model/type.h"

#define NAME_MAX_LENGTH    100
#define USER_MAX           255
#define BUDGET_MAX         1000000000000
#define EXPIRES_MAX_LENGTH 40
#define USUAL_SCOPES       (GF_SCOPE_IMAGES | GF_SCOPE_READ)

/* ---- POST keys ---- */

typedef struct make_t {
    gf_new_key_t key;
    apr_uint64_t types; /* the same as key.types, by gf_key_t */

    /* As they are sent; NULL: absent. */
    gf_json_t *scope_list, *type_list, *budget;
} make_t;

static void rule_scopes(gf_input_t *input, void *record)
{
    make_t *make = record;
    const gf_json_t *list = make->scope_list;
    apr_size_t count = gf_json_length(list);
    apr_size_t i;

    if (!list) {
        return;
    }
    make->key.scopes = 0;
    for (i = 0; i < count; i++) {
        const char *name;
        unsigned scope = gf_json_string(gf_json_at(list, i), &name) ? gf_api_key_scope(name) : 0;

        if (!scope) {
            make->key.scopes = 0;
            break;
        }
        make->key.scopes |= scope;
    }
    if (!make->key.scopes) {
        gf_input_refuse(input, GF_E_INVALID, "scopes",
                        "must be an array of images, read, keys and admin, at least one of them");
    }
}

static void rule_types(gf_input_t *input, void *record)
{
    make_t *make = record;
    const gf_json_t *list = make->type_list;
    apr_size_t count = gf_json_length(list);
    const char *text = "";
    apr_size_t i;

    if (!list) {
        return;
    }
    make->types = 0;
    for (i = 0; i < count; i++) {
        const char *name;
        const gf_type_t *type = gf_json_string(gf_json_at(list, i), &name)
                                    ? gf_type_find(input->ctx->conf, name, input->ctx->pool)
                                    : NULL;

        if (!type) {
            count = 0;
            break;
        }
        if (!(make->types >> type->index & 1)) {
            text = apr_pstrcat(input->ctx->pool, text, *text ? "," : "", type->name, NULL);
            make->types |= APR_UINT64_C(1) << type->index;
        }
    }
    if (count == 0) {
        gf_input_refuse(input, GF_E_INVALID, "types",
                        "must be an array of names of types, at least one of them");
    }
    make->key.types = apr_pstrcat(input->ctx->pool, "{", text, "}", NULL);
}

static void rule_expires(gf_input_t *input, void *record)
{
    const make_t *make = record;
    apr_time_t instant;

    if (make->key.expires && !gf_text_instant(&instant, make->key.expires)) {
        gf_input_refuse(input, GF_E_INVALID, "expiresAt",
                        "must be an instant like 2030-01-31T12:00:00Z");
    }
}

/* {"credits":100,"per":"day"}, or a number: in total. */
static void rule_budget(gf_input_t *input, void *record)
{
    make_t *make = record;
    const gf_json_t *value = make->budget;
    const char *per = "total";
    const gf_json_t *credits = value;

    if (!value) {
        return;
    }
    if (gf_json_is_object(value)) {
        const apr_array_header_t *members = gf_json_names(value, input->ctx->pool);

        credits = gf_json_get(value, "credits");
        if (gf_json_get(value, "per") && !gf_json_string(gf_json_get(value, "per"), &per)) {
            credits = NULL;
        }
        if (members->nelts > 1 + (gf_json_get(value, "per") != NULL)) {
            credits = NULL; /* what is not obeyed must not look as if it were */
        }
    }
    if (!gf_json_int(credits, &make->key.budget) || make->key.budget < 0
        || make->key.budget > BUDGET_MAX
        || (strcmp(per, "day") != 0 && strcmp(per, "total") != 0)) {
        gf_input_refuse(input, GF_E_INVALID, "budget",
                        "must be a number of credits, or {\"credits\": number, \"per\": \"day\" or "
                        "\"total\"}");
    }
    make->key.per = per;
}

static const gf_input_field_t fields[] = { { .names = { "name" },
                                             .kind = GF_INPUT_TEXT,
                                             .min = 1,
                                             .max = NAME_MAX_LENGTH,
                                             .required = true,
                                             .offset = offsetof(make_t, key.name) },
                                           { .names = { "scopes" },
                                             .kind = GF_INPUT_JSON,
                                             .offset = offsetof(make_t, scope_list),
                                             .rule = rule_scopes },
                                           { .names = { "types" },
                                             .kind = GF_INPUT_JSON,
                                             .offset = offsetof(make_t, type_list),
                                             .rule = rule_types },
                                           { .names = { "expiresAt" },
                                             .kind = GF_INPUT_TEXT,
                                             .min = 1,
                                             .max = EXPIRES_MAX_LENGTH,
                                             .offset = offsetof(make_t, key.expires),
                                             .rule = rule_expires },
                                           { .names = { "budget" },
                                             .kind = GF_INPUT_JSON,
                                             .offset = offsetof(make_t, budget),
                                             .rule = rule_budget },
                                           GF_INPUT_END };

static void rule_user(gf_input_t *input, void *record)
{
    api_admin_rule_name(input, "user", ((const make_t *)record)->key.user);
}

/* Of administration alone. */
static const gf_input_field_t user_fields[] = { { .names = { "user" },
                                                  .kind = GF_INPUT_TEXT,
                                                  .min = 1,
                                                  .max = USER_MAX,
                                                  .required = true,
                                                  .offset = offsetof(make_t, key.user),
                                                  .rule = rule_user },
                                                GF_INPUT_END };

/* Of users: older clients send it along. */
static const gf_input_field_t own_fields[] = { { .names = { "userId" }, .kind = GF_INPUT_KNOWN },
                                               GF_INPUT_END };

/* Of administration alone. */
static const gf_input_field_t reason_fields[] = { API_ADMIN_MAY_REASON, GF_INPUT_END };

static gf_err_t *read_body(make_t *make, gf_req_t *req)
{
    const gf_input_field_t *more = make->key.user ? own_fields : user_fields;
    const gf_input_field_t *reason = req->admin ? reason_fields : NULL;
    const gf_input_field_t *const tables[] = { more, fields, reason, NULL };
    gf_input_t input;
    gf_json_t *body;
    const char *text;
    apr_size_t length;

    GF_TRY(api_body_json(req, &body, &text, &length));
    input = api_body_input(req, body);
    gf_input_read(&input, more, make);
    gf_input_read(&input, fields, make);
    if (reason) {
        gf_input_read(&input, reason, NULL);
        api_admin_reason_of(req, body);
    }
    gf_input_unknown(&input, tables);
    return gf_input_end(&input);
}

/* A key gives nothing away that it does not have: no scope, no type, no budget to escape from. */
static gf_err_t *check_maker(const gf_req_t *req, const make_t *make)
{
    const gf_key_t *maker = req->key;

    if (!maker) {
        return NULL;
    }
    GF_TRY(api_authn_need(req, make->key.scopes));
    if (maker->has_budget || maker->expires || (make->types & ~maker->types)) {
        gf_err_t *err = gf_err_make(req->ctx, GF_E_KEY_SCOPE, APR_SUCCESS,
                                    "API key %s is limited itself", maker->id);

        err->text = "A key with a budget or an expiry makes no keys, and one for some types none "
                    "for others";
        return err;
    }
    return NULL;
}

static gf_err_t *not_made(gf_req_t *req, gf_key_end_t end, const gf_new_key_t *key)
{
    switch (end) {
    case GF_KEY_MADE:
        return NULL;
    case GF_KEY_PAST:
        return gf_err_field(req->ctx, GF_E_INVALID, "expiresAt", "must be in the future");
    case GF_KEY_ADMIN:
        return gf_err_field(req->ctx, GF_E_INVALID, "scopes",
                            "must not have admin: administration makes such keys");
    default:
        return gf_err_make(req->ctx, GF_E_KEYS_FULL, APR_SUCCESS, "%s", key->user);
    }
}

/* The words of `text` as a JSON array; NULL: null. */
static void put_words(gf_out_t *out, const char *name, const char *text)
{
    char *words = apr_pstrdup(out->pool, text);
    char *state = NULL;
    char *word;

    if (!text) {
        gf_out_put_raw(out, name, NULL);
        return;
    }
    gf_out_key(out, name);
    gf_out_open(out, '[');
    for (word = apr_strtok(words, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        gf_out_string(out, word);
    }
    gf_out_close(out, ']');
}

static void put_budget(gf_out_t *out, const char *credits, const char *per, const char *spent)
{
    if (!credits) {
        gf_out_put_raw(out, "budget", NULL);
        return;
    }
    gf_out_key(out, "budget");
    gf_out_open(out, '{');
    gf_out_put_raw(out, "credits", credits);
    gf_out_put_string(out, "per", per);
    gf_out_put_raw(out, "spent", spent);
    gf_out_close(out, '}');
}

void api_key_put_row(gf_out_t *out, const gf_key_row_t *row, bool user)
{
    gf_out_put_string(out, "id", row->id);
    if (user) {
        gf_out_put_string(out, "user", gf_realm_name(row->user));
    }
    gf_out_put_string(out, "name", row->name);
    put_words(out, "scopes", row->scopes);
    put_words(out, "types", row->types);
    put_budget(out, row->budget, row->per, row->spent);
    gf_out_put_string(out, "createdBy", row->created_by);
    gf_out_put_string(out, "createdAt", row->created_at);
    gf_out_put_string(out, "expiresAt", row->expires_at);
    gf_out_put_string(out, "revokedAt", row->revoked_at);
    gf_out_put_string(out, "lastUsedAt", row->used_at);
}

/* "{a,b}" as "a b". */
static const char *type_words(const char *array, apr_pool_t *pool)
{
    char *text = array ? apr_pstrmemdup(pool, array + 1, strlen(array) - 2) : NULL;
    char *at = text;

    while (at && (at = strchr(at, ','))) {
        *at = ' ';
    }
    return text;
}

static gf_err_t *answer_made(gf_req_t *req, const gf_new_key_t *key, const char *text)
{
    apr_pool_t *pool = req->r->pool;
    const gf_key_row_t row = { .id = key->id,
                               .user = key->user,
                               .name = key->name,
                               .scopes = gf_api_key_words(key->scopes, " ", pool),
                               .types = gf_servers_types_wire(req->conf,
                                                              type_words(key->types, pool), pool),
                               .budget = key->budget == GF_KEY_NO_BUDGET
                                             ? NULL
                                             : apr_psprintf(pool, "%" APR_INT64_T_FMT, key->budget),
                               .per = key->per,
                               .spent = "0",
                               .created_by = key->by,
                               .created_at = key->created_at,
                               .expires_at = key->expires_at };
    gf_out_t out;

    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "key", text);
    api_key_put_row(&out, &row, req->admin);
    return gf_reply_send(req, &out, HTTP_CREATED);
}

gf_err_t *api_key_make(gf_req_t *req, const char *user)
{
    make_t make = { .key = { .user = user,
                             .scopes = USUAL_SCOPES,
                             .budget = GF_KEY_NO_BUDGET,
                             .by = req->key ? req->key->id : NULL },
                    .types = GF_KEY_ALL_TYPES };
    const char *text = gf_api_key_make(req->r->pool);
    char hash[GF_SHA256_HEX];
    gf_key_end_t end;
    gf_err_t *err;

    GF_TRY(read_body(&make, req));
    if (!user) {
        make.key.user = gf_realm_identity(req->conf, make.key.user, req->r->pool);
    }
    GF_TRY(check_maker(req, &make));
    gf_hash_sha256(hash, text, strlen(text));
    make.key.id = gf_api_key_id(text, req->r->pool);
    make.key.hash = hash;
    err = gf_key_put(&end, req->ctx, &make.key, req->admin);
    if (gf_err_is(err, GF_E_INVALID) && make.key.expires) {
        return gf_err_field(req->ctx, GF_E_INVALID, "expiresAt", "is no day of any calendar");
    }
    err = err ? err : not_made(req, end, &make.key);
    if (err) {
        return err;
    }
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0754",
           "user=%s: made the API key %s of %s with the scopes %s", req->user, make.key.id,
           make.key.user, gf_api_key_words(make.key.scopes, " ", req->r->pool));
    return answer_made(req, &make.key, text);
}

/* The name under which this request's user signs in: with a key of it, GenflowUser must yield the
 * user of this request. With `GenflowUser "site-%{REMOTE_USER}"` that is what httpd authenticated;
 * with an expression that reads no REMOTE_USER it is the user itself. */
static const char *name_of(gf_req_t *req)
{
    request_rec *r = req->r;
    char *authenticated = r->user;
    const char *wrong = NULL;
    const char *user;

    r->user = apr_pstrdup(r->pool, gf_realm_name(req->user));
    user = httpd_conf_user(r, &wrong);
    r->user = authenticated;
    return authenticated && gf_realm_takes(authenticated) && user
                   && strcmp(user, gf_realm_name(req->user)) != 0
               ? gf_realm_identity(req->conf, authenticated, r->pool)
               : req->user;
}

gf_err_t *api_key_add(gf_req_t *req)
{
    return api_key_make(req, name_of(req));
}

/* ---- GET keys ---- */

gf_err_t *api_key_list(gf_req_t *req)
{
    gf_input_t input = api_body_query_input(req);
    apr_array_header_t *list;
    api_page_t page;
    gf_out_t out;
    int shown;
    int i;

    api_page_read(&page, &input);
    if (page.cursor && !gf_api_key_is_id(page.cursor)) {
        api_page_refuse_cursor(&input);
    }
    GF_TRY(gf_input_end(&input));
    GF_TRY(gf_key_list(&list, req->ctx, name_of(req), page.cursor, (int)page.limit + 1, false));
    shown = api_page_shown(&page, list);
    gf_reply_begin(&out, req);
    gf_out_key(&out, "items");
    gf_out_open(&out, '[');
    for (i = 0; i < shown; i++) {
        gf_out_open(&out, '{');
        api_key_put_row(&out, &APR_ARRAY_IDX(list, i, gf_key_row_t), false);
        gf_out_close(&out, '}');
    }
    gf_out_close(&out, ']');
    api_page_put(&out,
                 shown < list->nelts ? APR_ARRAY_IDX(list, shown - 1, gf_key_row_t).id : NULL);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- DELETE keys/{id} ---- */

gf_err_t *api_key_revoke_answer(gf_req_t *req, const char *user)
{
    const char *id = req->args[0];
    bool found = false;
    gf_out_t out;

    if (gf_api_key_is_id(id)) {
        GF_TRY(gf_key_revoke(&found, req->ctx, user, id, req->admin));
    }
    if (!found) {
        return gf_err_make(req->ctx, GF_E_NO_KEY, APR_SUCCESS, "no API key of that id");
    }
    gf_key_cache_drop(req->api->keys, id);
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0755", "user=%s: revoked the API key %s",
           req->user, id);
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "id", id);
    gf_out_put_bool(&out, "revoked", true);
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_key_revoke(gf_req_t *req)
{
    return api_key_revoke_answer(req, name_of(req));
}

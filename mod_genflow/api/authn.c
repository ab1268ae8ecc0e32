/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the key of a request and decides by it. db/api_key_cache.c remembers what keys were read;
 * which scope a route needs is in api/route.c. */
#include "api/authn.h"

#include <string.h>

#include <ap_provider.h>
#include <apr_encode.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "api/legacy.h"
#include "api/place.h"
#include "base/clock.h"
#include "db/api_key_cache.h"
#include "httpd/counters.h"
#include "httpd/glue.h"
#include "httpd/limits.h"
#include "httpd/server.h"
#include "model/realm.h"

/* What this request learned here. */
typedef struct seen_t {
    const char *sent;       /* its Authorization header, where another stands in its place */
    gf_key_t *key;          /* NULL: it has none */
    gf_err_t *refused;      /* by authentication; NULL: it was not refused */
    gf_err_t *out_of_scope; /* by Require genflow-scope */
    bool invalid;           /* a key was sent, and is not valid */
} seen_t;

static seen_t *seen_of(request_rec *r)
{
    httpd_visit_t *visit = httpd_visit(r);

    if (!visit->authn) {
        visit->authn = apr_pcalloc(r->pool, sizeof(seen_t));
    }
    return visit->authn;
}

/* NULL: nothing. */
static const seen_t *seen_before(const request_rec *r)
{
    const httpd_visit_t *visit = ap_get_module_config(r->request_config, &genflow_module);

    return visit ? visit->authn : NULL;
}

const gf_key_t *api_authn_key(const request_rec *r)
{
    for (; r; r = r->prev ? r->prev : r->main) {
        const seen_t *seen = seen_before(r);

        if (seen && seen->key) {
            return seen->key;
        }
    }
    return NULL;
}

gf_err_t *api_authn_refused(const request_rec *r, int status)
{
    const seen_t *seen = seen_before(r);

    if (seen && seen->refused) {
        return seen->refused;
    }
    return seen && seen->out_of_scope && status == HTTP_FORBIDDEN ? seen->out_of_scope : NULL;
}

/* ---- the header ---- */

/* The rest of `text` after the scheme `name` and its blanks; NULL: it is another scheme. */
static const char *after_scheme(const char *text, const char *name, apr_pool_t *pool)
{
    apr_size_t length = strlen(name);
    const char *end;

    if (!text || ap_cstr_casecmpn(text, name, length) != 0 || text[length] != ' ') {
        return NULL;
    }
    for (text += length; *text == ' '; text++) {
    }
    for (end = text + strlen(text); end > text && end[-1] == ' '; end--) {
    }
    return apr_pstrmemdup(pool, text, (apr_size_t)(end - text));
}

/* The Authorization header that was sent; NULL: none. */
static const char *sent_header(const request_rec *r)
{
    const request_rec *at;

    for (at = r; at; at = at->prev ? at->prev : at->main) {
        const seen_t *seen = seen_before(at);

        if (seen && seen->sent) {
            return seen->sent;
        }
    }
    return apr_table_get(r->headers_in, "Authorization");
}

/* name:password of a Basic header; NULL: it is none such. */
static char *basic_pair(const char *text, apr_pool_t *pool)
{
    const char *coded = after_scheme(text, "Basic", pool);

    return coded ? (char *)apr_pdecode_base64(pool, coded, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL)
                 : NULL;
}

void api_authn_hide(request_rec *r)
{
    const apr_size_t shown = strlen(GF_API_KEY_PREFIX) + GF_API_KEY_ID + 1;
    const char *header = sent_header(r);
    char *pair = header ? basic_pair(header, r->pool) : NULL;
    apr_size_t length = pair ? strcspn(pair, ":") : 0;

    if (length <= shown || !gf_api_key_begins(pair) || pair[shown - 1] != '_') {
        return;
    }
    seen_of(r)->sent = header;
    memset(pair + shown, '*', length - shown);
    apr_table_setn(
        r->headers_in, "Authorization",
        apr_pstrcat(r->pool, "Basic ",
                    apr_pencode_base64(r->pool, pair, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL),
                    NULL));
}

void api_authn_restore(request_rec *r)
{
    const char *header = sent_header(r);

    if (header) {
        apr_table_setn(r->headers_in, "Authorization", header);
    }
}

/* ---- reading ---- */

/* The user name of a Basic header whose password is empty; NULL: it is none such. */
static const char *lone_user(const char *text, apr_pool_t *pool)
{
    char *pair = basic_pair(text, pool);
    apr_size_t length = pair ? strlen(pair) : 0;

    if (length < 2 || pair[length - 1] != ':') {
        return NULL;
    }
    pair[length - 1] = '\0';
    return pair;
}

/* Moves a key out of `api-key`, which programs that httpd starts would get in their environment, to
 * where another look finds it. */
static void move_header(request_rec *r, const char *key)
{
    apr_table_unset(r->headers_in, "api-key");
    if (!apr_table_get(r->headers_in, "Authorization")) {
        apr_table_setn(r->headers_in, "Authorization", apr_pstrcat(r->pool, "Bearer ", key, NULL));
    }
}

/* What the request brings as its key; NULL: nothing. */
static const char *sent_key(request_rec *r)
{
    static const char *const schemes[] = { "Bearer", "Key", "Token", NULL };
    const char *sent = sent_header(r);
    const char *alone = apr_table_get(r->headers_in, "api-key");
    const char *key = lone_user(sent, r->pool);
    int i;

    for (i = 0; !key && schemes[i]; i++) {
        key = after_scheme(sent, schemes[i], r->pool);
    }
    if (alone && *alone) {
        key = key ? key : alone;
        move_header(r, alone);
    }
    return key && *key ? key : NULL;
}

/* ---- deciding ---- */

/* Each realm has keys, and limits, of its own. */
static const char *key_bucket(request_rec *r)
{
    const char *realm = httpd_conf_get(r->server)->realm;

    return apr_pstrcat(r->pool, "key ", httpd_limits_address(r), realm ? " " : NULL, realm, NULL);
}

/* One more key that is not valid counts against the client's address. */
static void count_unknown(request_rec *r, const gf_api_t *api)
{
    gf_bucket_take(api->buckets, &httpd_conf_get(r->server)->limit_key, key_bucket(r),
                   gf_clock_now());
}

/* TOO_OFTEN, if so many keys of that address were not valid that no more are looked for. */
static gf_err_t *check_rate(request_rec *r, gf_ctx_t *ctx, const gf_api_t *api)
{
    apr_interval_time_t wait = gf_bucket_look(api->buckets, &httpd_conf_get(r->server)->limit_key,
                                              key_bucket(r), gf_clock_now());
    gf_err_t *err;

    if (!wait) {
        return NULL;
    }
    err = gf_err_make(ctx, GF_E_TOO_OFTEN, APR_SUCCESS, "unknown API keys of address %s",
                      httpd_limits_address(r));
    err->retry_after = (int)(apr_time_sec(wait - 1) + 1);
    return err;
}

/* The key of that id, remembered or read. Errors: TOO_OFTEN, those of the database. */
static gf_err_t *find_key(gf_key_t *key, request_rec *r, gf_ctx_t *ctx, const gf_api_t *api,
                          const char *id)
{
    apr_time_t now = gf_clock_now();

    if (gf_key_cache_find(key, api->keys, id, now, ctx->pool)) {
        return NULL;
    }
    if (r && !gf_key_cache_knew(api->keys, id)) { /* another client of the address may use it up */
        GF_TRY(check_rate(r, ctx, api));
    }
    GF_TRY(gf_key_read(key, ctx, id));
    gf_key_cache_add(api->keys, key, now);
    return NULL;
}

static bool has_ended(const gf_key_t *key)
{
    return key->expires && key->expires <= gf_clock_now();
}

bool api_authn_is_valid_still(const gf_req_t *req, gf_ctx_t *ctx)
{
    const gf_key_t *key = api_authn_key(req->r);
    gf_key_t now = { .known = false };

    return !key || find_key(&now, NULL, ctx, req->api, key->id)
           || (now.known && !now.revoked && !has_ended(&now));
}

/* The error of a key that is not valid; `why` is for the client, `what` for the log. */
static gf_err_t *invalid(request_rec *r, gf_ctx_t *ctx, const char *what, const char *id,
                         const char *why)
{
    bool expired = strcmp(what, "expired") == 0;
    gf_err_t *err = gf_err_make(ctx, expired ? GF_E_TOKEN_EXPIRED : api_legacy_not_signed_in(r),
                                APR_SUCCESS, "API key %s: %s", id, what);

    err->text = why;
    return err;
}

/* Is that a valid key? Compares hashes of the whole key: the time does not depend on the number of
 * characters that are right. Errors: NOT_SIGNED_IN, TOKEN_EXPIRED, those of find_key(). */
static gf_err_t *verify(gf_key_t *key, request_rec *r, gf_ctx_t *ctx, const gf_api_t *api,
                        const char *text)
{
    char hash[GF_SHA256_HEX];
    const char *id;

    if (!gf_api_key_begins(text)) {
        return invalid(r, ctx, "of no known form", "(none)",
                       "This is no API key of this site; keys begin with " GF_API_KEY_PREFIX);
    }
    id = gf_api_key_id(text, r->pool);
    if (!gf_api_key_is_whole(text)) {
        return invalid(r, ctx, "mistyped or cut", id,
                       "This API key is mistyped or cut: its checksum is wrong");
    }
    GF_TRY(find_key(key, r, ctx, api, id));
    gf_hash_sha256(hash, text, GF_API_KEY_LENGTH);
    if (!key->known || !gf_hash_equal(hash, key->hash, sizeof(hash))) {
        return invalid(r, ctx, "unknown", id, "There is no such API key");
    }
    if (!gf_realm_is(ctx->conf, key->user)) {
        return invalid(r, ctx, "unknown", id, "There is no such API key");
    }
    if (key->revoked) {
        return invalid(r, ctx, "revoked", id, "This API key was revoked");
    }
    if (has_ended(key)) {
        return invalid(r, ctx, "expired", id, "This API key has expired");
    }
    return NULL;
}

/* Its last use, at most once a minute. A failure costs the entry alone. */
static void record_use(const gf_key_t *key, gf_ctx_t *ctx, const gf_api_t *api)
{
    gf_err_t *err;

    if (key->use_due && gf_key_cache_take_use(api->keys, key->id)) {
        err = gf_key_used(ctx, key->id);
        if (err) {
            gf_err_log(ctx, err);
        }
    }
}

/* Sets the user of a valid key, or what the request is refused for. */
static gf_err_t *authenticate(request_rec *r, const gf_api_t *api, const char *text,
                              const char *user)
{
    gf_ctx_t *ctx = httpd_glue_request_ctx(r, httpd_conf_get(r->server));
    gf_key_t *key = apr_pcalloc(r->pool, sizeof(*key));
    seen_t *seen = seen_of(r);
    gf_err_t *err;

    if (!api->keys) {
        return gf_err_make(ctx, GF_E_INTERNAL, APR_SUCCESS,
                           "API keys need a <GenflowType>, and a child that could start");
    }
    err = verify(key, r, ctx, api, text);
    if (!err && user && strcmp(user, gf_realm_name(key->user)) != 0) {
        err = invalid(r, ctx, "of another user", key->id, "This API key is another user's");
    }
    if (err && err->row->http == HTTP_UNAUTHORIZED) {
        seen->invalid = true;
        count_unknown(r, api);
    }
    if (!err) {
        record_use(key, ctx, api);
        r->user = apr_pstrdup(r->pool, gf_realm_name(key->user));
        apr_table_setn(r->notes, "genflow_key", key->id);
        seen->key = key;
    }
    return err;
}

/* Refuses the request. Where the reply is not ours (api/denied.c), the log has the reason at least.
 */
static void refuse(request_rec *r, gf_err_t *err)
{
    gf_ctx_t *ctx = httpd_glue_request_ctx(r, httpd_conf_get(r->server));

    seen_of(r)->refused = err;
    if (!api_place_is_location(r)) {
        httpd_glue_name(ctx, r);
        gf_err_log(ctx, err);
    }
    if (err->retry_after) {
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, err->retry_after));
    }
}

int api_authn_check(request_rec *r, const gf_api_t *api)
{
    const char *type = ap_auth_type(r);
    gf_ctx_t *ctx;
    const char *text;
    gf_err_t *err;

    if (!type || ap_cstr_casecmp(type, API_AUTHN_TYPE) != 0) {
        return DECLINED;
    }
    r->ap_auth_type = apr_pstrdup(r->pool, API_AUTHN_TYPE);
    text = sent_key(r);
    if (text) {
        err = authenticate(r, api, text, NULL);
    }
    else {
        ctx = httpd_glue_request_ctx(r, httpd_conf_get(r->server));
        err = gf_err_make(ctx, api_legacy_not_signed_in(r), APR_SUCCESS, "no API key");
    }
    if (!err) {
        return OK;
    }
    refuse(r, err);
    if (err->row->http == HTTP_UNAUTHORIZED) {
        ap_note_auth_failure(r);
    }
    return err->row->http;
}

/* A quoted string as RFC 9110 has it. */
static const char *quoted(const char *text, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "\"", ap_escape_quotes(pool, text), "\"", NULL);
}

int api_authn_challenge(request_rec *r, const char *type)
{
    const seen_t *seen = seen_before(r);
    const char *realm = ap_auth_name(r);
    const char *reason = "";

    if (!type || ap_cstr_casecmp(type, API_AUTHN_TYPE) != 0) {
        return DECLINED;
    }
    if (seen && seen->invalid) {
        reason = apr_pstrcat(
            r->pool, ", error=\"invalid_token\", error_description=",
            quoted(seen->refused && seen->refused->text ? seen->refused->text : "not valid",
                   r->pool),
            NULL);
    }
    apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                   apr_pstrcat(r->pool, "Bearer realm=", quoted(realm ? realm : "genflow", r->pool),
                               reason, NULL));
    return OK;
}

/* ---- AuthBasicProvider genflow ---- */

/* `user` is what api_authn_hide() left of a key. */
authn_status api_authn_password(request_rec *r, const gf_api_t *api, const char *user,
                                const char *password)
{
    bool in_user = gf_api_key_begins(user);
    const char *text = gf_api_key_begins(password) ? password
                       : in_user && !*password     ? lone_user(sent_header(r), r->pool)
                                                   : NULL;
    gf_err_t *err;

    if (!text) {
        return AUTH_USER_NOT_FOUND;
    }
    err = authenticate(r, api, text, text == password ? user : NULL);
    if (!err) {
        return AUTH_GRANTED;
    }
    refuse(r, err);
    return err->row->http == HTTP_UNAUTHORIZED ? AUTH_DENIED : AUTH_GENERAL_ERROR;
}

/* ---- Require genflow-scope ---- */

const char *api_authn_parse_scopes(const void **scopes, const char *words, apr_pool_t *pool)
{
    unsigned *parsed = apr_palloc(pool, sizeof(*parsed));
    const char *word;

    *parsed = 0;
    while (*(word = ap_getword_conf(pool, &words))) {
        unsigned scope = gf_api_key_scope(word);

        if (!scope) {
            return apr_psprintf(pool,
                                "Require " API_AUTHN_SCOPE " %s: must be images, read, keys or "
                                "admin",
                                word);
        }
        *parsed |= scope;
    }
    *scopes = parsed;
    return *parsed ? NULL
                   : "Require " API_AUTHN_SCOPE " needs a scope: images, read, keys or admin";
}

static gf_err_t *lacks_scope(gf_ctx_t *ctx, const gf_key_t *key, unsigned scopes)
{
    const char *words = gf_api_key_words(scopes, " ", ctx->pool);
    gf_err_t *err = gf_err_make(ctx, GF_E_KEY_SCOPE, APR_SUCCESS, "API key %s lacks %s",
                                key ? key->id : "(none)", words);

    err->extra = apr_pstrcat(ctx->pool, "\"scope\":\"", words, "\"", NULL);
    return err;
}

authz_status api_authn_check_scopes(request_rec *r, const void *scopes)
{
    const gf_key_t *key = api_authn_key(r);

    if (!r->user) {
        return AUTHZ_DENIED_NO_USER;
    }
    if (key && (key->scopes & *(const unsigned *)scopes)) {
        return AUTHZ_GRANTED;
    }
    seen_of(r)->out_of_scope = lacks_scope(httpd_glue_request_ctx(r, httpd_conf_get(r->server)),
                                           key, *(const unsigned *)scopes);
    return AUTHZ_DENIED;
}

/* ---- what a route needs ---- */

gf_err_t *api_authn_need(const gf_req_t *req, unsigned scopes)
{
    return req->key && (req->key->scopes & scopes) != scopes
               ? lacks_scope(req->ctx, req->key, scopes & ~req->key->scopes)
               : NULL;
}

gf_err_t *api_authn_need_type(const gf_req_t *req, const gf_type_t *type)
{
    return req->key && !(req->key->types >> type->index & 1)
               ? gf_err_make(req->ctx, GF_E_KEY_TYPE, APR_SUCCESS, "API key %s: not for %s",
                             req->key->id, type->name)
               : NULL;
}

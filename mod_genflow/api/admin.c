/* SPDX-License-Identifier: Apache-2.0 */
/* The door of administration, and what its handlers share: checking fields, pages. Leaves what is
 * administered to api_admin_*.c. */
#include "api/admin.h"

#include "api/route.h"

#include <stdarg.h>

#include <apr_encode.h>
#include <apr_strings.h>
#include <http_request.h>

#include "api/cors.h"
#include "base/text.h"
#include "httpd/glue.h"
#include "model/known.h"
#include "model/type.h"

#define PAGE_USUAL 50
#define PAGE_MAX   100
#define FIELDS_MAX 16

/* ---- the door ---- */

/* Does httpd.conf let somebody in here without a name? Then whatever name there is says nothing. */
static bool asks_for_sign_in(request_rec *r)
{
    char *user = r->user;
    bool asks;

    r->user = NULL;
    asks = ap_some_authn_required(r);
    r->user = user;
    return asks;
}

/* A name from httpd's own authentication alone (never GenflowUser), in a <Location> of httpd.conf
 * (whoever may write an .htaccess is no administrator). */
gf_err_t *api_admin_enter(gf_req_t *req)
{
    request_rec *r = req->r;

    if (!r->user || !*r->user || !asks_for_sign_in(r) || !api_route_is_placed(r)) {
        return gf_err_make(req->ctx, GF_E_ADMIN_CLOSED, APR_SUCCESS,
                           "SetHandler genflow-admin serves only who has to sign in: put AuthType, "
                           "what it needs, and `Require user NAME` into its <Location>");
    }
    if (r->method_number != M_GET && api_cors_is_foreign(r)) {
        const char *origin = apr_table_get(r->headers_in, "Origin");

        return gf_err_make(req->ctx, GF_E_ADMIN_ORIGIN, APR_SUCCESS,
                           "user=%s: %s from a page of %s", r->user, r->method,
                           origin ? origin : "another site");
    }
    if (!httpd_glue_administer(req->ctx)) {
        return gf_err_make(req->ctx, GF_E_ADMIN_CLOSED, APR_SUCCESS,
                           "SetHandler genflow-admin needs GenflowAdminDatabase: a connection as "
                           "the role that sql/apply --admin-role makes");
    }
    req->user = r->user;
    return NULL;
}

/* ---- fields ---- */

void api_check_begin(api_check_t *check, gf_req_t *req)
{
    check->req = req;
    check->errors = apr_array_make(req->r->pool, 4, sizeof(gf_field_error_t));
}

void api_check_refuse(api_check_t *check, const char *field, bool missing, const char *format, ...)
{
    gf_field_error_t *error = apr_array_push(check->errors);
    va_list args;

    error->field = field;
    error->missing = missing;
    va_start(args, format);
    error->message = apr_pvsprintf(check->req->r->pool, format, args);
    va_end(args);
}

gf_err_t *api_check_end(const api_check_t *check)
{
    gf_err_t *err;

    if (check->errors->nelts == 0) {
        return NULL;
    }
    err =
        gf_err_make(check->req->ctx, GF_E_INVALID, APR_SUCCESS, "%d bad fields, the first is %s",
                    check->errors->nelts, APR_ARRAY_IDX(check->errors, 0, gf_field_error_t).field);
    err->fields = check->errors;
    return err;
}

static bool is_text(gf_json_t *value, apr_int64_t min, apr_int64_t max)
{
    const char *text;
    apr_int64_t length;

    if (!gf_json_string(value, &text)) {
        return false;
    }
    length = (apr_int64_t)gf_text_length(text);
    return length >= min && length <= max;
}

/* What `value` should be, or NULL if it is that. */
static const char *wrong_field(apr_pool_t *pool, gf_json_t *value, const api_field_t *field)
{
    const char *text;
    apr_int64_t whole;
    double number;
    bool truth;

    switch (field->kind) {
    case API_TEXT:
        return is_text(value, field->min, field->max)
                   ? NULL
                   : apr_psprintf(pool,
                                  "must be a text of %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                                  " characters, none of them NUL",
                                  field->min, field->max);
    case API_TOKEN:
        return gf_json_string(value, &text) && gf_text_is_token(text, (apr_size_t)field->max)
                   ? NULL
                   : apr_psprintf(
                       pool, "must be 1 to %" APR_INT64_T_FMT " characters of A-Z a-z 0-9 . _ : -",
                       field->max);
    case API_UUID:
        return gf_json_string(value, &text) && gf_text_is_uuid(text) ? NULL : "must be an id";
    case API_INT:
        return gf_json_int(value, &whole) && whole >= field->min && whole <= field->max
                   ? NULL
                   : apr_psprintf(pool,
                                  "must be a whole number from %" APR_INT64_T_FMT
                                  " to %" APR_INT64_T_FMT,
                                  field->min, field->max);
    case API_NUMBER:
        return gf_json_number(value, &number) && number >= (double)field->min
                       && number <= (double)field->max && gf_json_is_moderate(value)
                   ? NULL
                   : apr_psprintf(pool,
                                  "must be a number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT,
                                  field->min, field->max);
    case API_BOOL:
        return gf_json_bool(value, &truth) ? NULL : "must be true or false";
    default:
        return gf_json_is_object(value) && gf_json_is_moderate(value)
                       && strlen(gf_json_text(value)) <= (apr_size_t)field->max
                   ? NULL
                   : apr_psprintf(pool,
                                  "must be an object of at most %" APR_INT64_T_FMT
                                  " bytes, without NUL characters and extreme numbers",
                                  field->max);
    }
}

void api_check_fields(api_check_t *check, const gf_json_t *body, const api_field_t *fields,
                      bool whole)
{
    for (; fields->name; fields++) {
        gf_json_t *value = gf_json_get(body, fields->name);
        const char *wrong = value ? wrong_field(check->req->r->pool, value, fields) : NULL;

        if (wrong) {
            api_check_refuse(check, fields->name, false, "%s", wrong);
        }
        else if (!value && fields->required && whole) {
            api_check_refuse(check, fields->name, true, "is required");
        }
    }
}

/* A member that nobody knows is a slip of the pen: `amout` would give back all. */
void api_check_strangers(api_check_t *check, const gf_json_t *body, const api_field_t *fields,
                         const api_field_t *more)
{
    const char *known[FIELDS_MAX + 1];
    const apr_array_header_t *strangers;
    int count = 0;
    int i;

    for (; fields->name && count < FIELDS_MAX; fields++) {
        known[count++] = fields->name;
    }
    for (; more && more->name && count < FIELDS_MAX; more++) {
        known[count++] = more->name;
    }
    known[count] = NULL;
    strangers = gf_known_strangers(body, known, check->req->r->pool);
    for (i = 0; i < strangers->nelts; i++) {
        const char *name = APR_ARRAY_IDX(strangers, i, const char *);

        api_check_refuse(check, name, false, "%s", gf_known_hint(name, known, check->req->r->pool));
    }
}

gf_err_t *api_check_body(gf_json_t **body, api_check_t *check, const api_field_t *fields)
{
    const char *text;
    apr_size_t length;

    GF_TRY(api_body_json(check->req, body, &text, &length));
    api_check_fields(check, *body, fields, true);
    api_check_strangers(check, *body, fields, NULL);
    return NULL;
}

const char *api_check_query(api_check_t *check, const char *name, apr_size_t max)
{
    const char *text = api_body_query(check->req, name);

    if (!text || !*text) {
        return NULL;
    }
    if (gf_text_length(text) > max) {
        api_check_refuse(check, name, false,
                         "must be a text of at most %" APR_SIZE_T_FMT " characters", max);
        return NULL;
    }
    return text;
}

const gf_type_t *api_check_type(api_check_t *check)
{
    const char *name = api_check_query(check, "type", 40);
    const gf_type_t *type =
        name ? gf_type_find(check->req->api->conf, name, check->req->r->pool) : NULL;

    if (name && !type) {
        api_check_refuse(check, "type", false, "is no type of this site");
    }
    return type;
}

/* ---- pages ---- */

void api_check_page(api_page_t *page, api_check_t *check)
{
    apr_pool_t *pool = check->req->r->pool;
    const char *limit = api_body_query(check->req, "limit");
    const char *cursor = api_body_query(check->req, "cursor");
    apr_int64_t number = PAGE_USUAL;
    apr_size_t length = 0;

    if (limit && (!gf_text_int(&number, limit) || number < 1 || number > PAGE_MAX)) {
        api_check_refuse(check, "limit", false, "must be a whole number from 1 to %d", PAGE_MAX);
    }
    page->limit = (int)number;
    page->after =
        cursor ? apr_pdecode_base64(pool, cursor, APR_ENCODE_STRING, APR_ENCODE_BASE64URL, &length)
               : NULL;
    if (cursor
        && (!page->after || length == 0 || strlen(page->after) != length
            || gf_text_utf8(page->after, length) != length)) {
        api_check_refuse(check, "cursor", false, "must be the nextCursor of an answer");
    }
}

void api_page_put(gf_out_t *out, int count, const char *last)
{
    gf_out_put_int(out, "count", count);
    gf_out_put_string(out, "nextCursor",
                      last ? apr_pencode_base64(out->pool, last, APR_ENCODE_STRING,
                                                APR_ENCODE_BASE64URL | APR_ENCODE_NOPADDING, NULL)
                           : NULL);
}

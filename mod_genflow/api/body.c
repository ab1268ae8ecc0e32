/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a request brings: body within a limit, JSON, query arguments. Leaves their meaning
 * to the handlers. */
#include "api/api.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "api/legacy.h"
#include "base/text.h"
#include "httpd/dir.h"

#define READ_PIECE 65536

gf_err_t *api_body_too_large(gf_req_t *req, apr_int64_t length, apr_int64_t limit)
{
    gf_err_t *err =
        gf_err_make(req->ctx, GF_E_BODY_TOO_LARGE, APR_SUCCESS,
                    "%" APR_INT64_T_FMT " bytes, the limit is %" APR_INT64_T_FMT, length, limit);

    err->extra = apr_psprintf(req->r->pool, "\"limit\":%" APR_INT64_T_FMT, limit);
    req->r->connection->keepalive = AP_CONN_CLOSE; /* rather than read the rest */
    return err;
}

/* The buffer that grows with the body. */
typedef struct gathered_t {
    char *text;
    apr_size_t length;
    apr_size_t size;
    apr_int64_t limit;
} gathered_t;

static gf_err_t *gather_bytes(gathered_t *all, gf_req_t *req, const char *data, apr_size_t length)
{
    if ((apr_int64_t)(all->length + length) > all->limit) {
        return api_body_too_large(req, (apr_int64_t)(all->length + length), all->limit);
    }
    if (all->length + length > all->size) {
        apr_size_t size = (all->length + length) * 2;
        char *text = apr_palloc(req->r->pool, size + 1);

        memcpy(text, all->text, all->length);
        all->text = text;
        all->size = size;
    }
    memcpy(all->text + all->length, data, length);
    all->length += length;
    return NULL;
}

/* Takes one brigade in; *end is set at the end of the body. */
static gf_err_t *gather_brigade(gathered_t *all, gf_req_t *req, apr_bucket_brigade *brigade,
                                bool *end)
{
    apr_bucket *bucket;

    for (bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade) && !*end;
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t length;
        apr_status_t rv;

        if (APR_BUCKET_IS_EOS(bucket)) {
            *end = true;
        }
        else if (!APR_BUCKET_IS_METADATA(bucket)) {
            rv = apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ);
            if (rv != APR_SUCCESS) {
                return gf_err_make(req->ctx, GF_E_READ_BODY, rv, "reading the body");
            }
            GF_TRY(gather_bytes(all, req, data, length));
        }
    }
    return NULL;
}

gf_err_t *api_body_read(gf_req_t *req, apr_int64_t limit, const char **text, apr_size_t *length)
{
    request_rec *r = req->r;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    const char *announced = apr_table_get(r->headers_in, "Content-Length");
    gathered_t all = { .size = 1024, .limit = limit };
    bool end = false;

    if (announced && apr_atoi64(announced) > limit) {
        return api_body_too_large(req, apr_atoi64(announced), limit);
    }
    if (announced && apr_atoi64(announced) > 1024) {
        all.size = (apr_size_t)apr_atoi64(announced);
    }
    all.text = apr_palloc(r->pool, all.size + 1);
    while (!end) {
        apr_status_t rv = ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES,
                                         APR_BLOCK_READ, READ_PIECE);

        if (rv != APR_SUCCESS) {
            r->connection->keepalive = AP_CONN_CLOSE;
            return gf_err_make(req->ctx, GF_E_READ_BODY, rv, "reading the body");
        }
        GF_TRY(gather_brigade(&all, req, brigade, &end));
        apr_brigade_cleanup(brigade);
    }
    all.text[all.length] = '\0';
    *text = all.text;
    *length = all.length;
    return NULL;
}

gf_err_t *api_body_json(gf_req_t *req, gf_json_t **body, const char **text, apr_size_t *length)
{
    const char *type = apr_table_get(req->r->headers_in, "Content-Type");
    const char *media = ap_field_noparam(req->r->pool, type ? type : "");

    /* Without a Content-Type the request may be cross-site: browsers send it without a preflight.
     */
    if ((*media ? ap_cstr_casecmp(media, "application/json") != 0 : ap_request_has_body(req->r))
        && !api_legacy_plain(req, media)) {
        return gf_err_make(req->ctx, GF_E_BODY_TYPE, APR_SUCCESS, "Content-Type %s", media);
    }
    GF_TRY(api_body_read(req, req->conf->body_max, text, length));
    return gf_json_parse(body, req->ctx, *text, *length);
}

/* + and %XX as forms have them; false: not well-formed, not UTF-8, or a NUL. */
static bool decode_form(char *text)
{
    return ap_unescape_urlencoded(text) == OK && gf_text_utf8(text, strlen(text)) == strlen(text);
}

gf_err_t *api_body_query_read(gf_req_t *req)
{
    char *pair = apr_pstrdup(req->r->pool, req->r->args ? req->r->args : "");
    char *next;

    req->query = apr_table_make(req->r->pool, 4);
    for (; pair; pair = next) {
        char *value = NULL;
        bool named;

        if ((next = strchr(pair, '&'))) {
            *next++ = '\0';
        }
        if ((value = strchr(pair, '='))) {
            *value++ = '\0';
        }
        named = decode_form(pair);
        if (!named || (value && !decode_form(value))) {
            return gf_err_field(req->ctx, GF_E_INVALID, named ? pair : "query",
                                "must be UTF-8, encoded as forms are: %XX, and + for a blank");
        }
        apr_table_addn(req->query, pair, value ? value : "");
    }
    return NULL;
}

gf_input_t api_body_input(gf_req_t *req, const gf_json_t *body)
{
    gf_input_t input = { .ctx = req->ctx, .body = body };

    input.lenient = !req->admin && httpd_conf_lenient(req->r);
    input.own = body && !req->admin ? gf_reply_own(req) : NULL;
    return input;
}

gf_input_t api_body_query_input(gf_req_t *req)
{
    gf_input_t input = api_body_input(req, NULL);

    input.query = req->query;
    return input;
}

gf_err_t *api_body_fields(gf_json_t **body, gf_req_t *req, const gf_input_field_t *fields,
                          void *record)
{
    gf_input_t input;
    const char *text;
    apr_size_t length;

    GF_TRY(api_body_json(req, body, &text, &length));
    input = api_body_input(req, *body);
    return gf_input_all(&input, fields, record);
}

const char *api_body_query(gf_req_t *req, const char *name)
{
    return gf_input_query(req->query, name);
}

bool api_body_switch(gf_req_t *req, const char *name)
{
    const char *value = api_body_query(req, name);

    return value && strcmp(value, "0") != 0;
}

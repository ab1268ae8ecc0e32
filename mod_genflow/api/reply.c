/* SPDX-License-Identifier: Apache-2.0 */
/* The only exit: JSON responses, errors in their one format, headers. Handlers decide the content.
 */
#include "api/api.h"

#include <string.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "api/large.h"
#include "api/legacy.h"
#include "base/hash.h"
#include "base/text.h"
#include "httpd/dir.h"
#include "httpd/glue.h"
#include "hub/wants.h"
#include "model/servers.h"
#include "model/url.h"

#define ANSWER_BYTES 2048
#define TAG_BYTES    32
#define OLDER        (60 * APR_USEC_PER_SEC)
#define PACKED       "-gzip\"" /* the end of an ETag */

void gf_reply_begin(gf_out_t *out, gf_req_t *req)
{
    gf_out_begin(out, req->r->pool);
}

static void send_text(gf_req_t *req, const char *text, apr_size_t length, int status,
                      const char *caching)
{
    request_rec *r = req->r;

    api_large_spill(req, (apr_off_t)length);
    r->status = status;
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)length);
    apr_table_setn(r->headers_out, "Cache-Control", caching);
    apr_table_unset(r->err_headers_out, "X-Content-Type-Options"); /* as a page has it */
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_rwrite(text, (int)length, r);
}

static void send_out(gf_req_t *req, gf_out_t *out, int status)
{
    gf_out_close(out, '}');
    send_text(req, out->text, out->length, status, "no-store");
}

gf_err_t *gf_reply_send(gf_req_t *req, gf_out_t *out, int status)
{
    send_out(req, out, status);
    return NULL;
}

gf_err_t *gf_reply_list(gf_req_t *req, const char *text, apr_size_t length)
{
    send_text(req, text, length, HTTP_OK, "no-store");
    return NULL;
}

/* The child that settled the generation makes the thumbnail of its picture, as soon as it can. */
static bool is_older(const gf_req_t *req, const gf_view_t *view)
{
    apr_time_t finished;

    return view->finished_at && gf_text_instant(&finished, view->finished_at)
           && req->r->request_time - finished > OLDER;
}

/* An older picture in S3 that is shown without a thumbnail: the background makes it. */
static void want_thumbnail(gf_req_t *req, const gf_view_t *view)
{
    const gf_thumbnails_t *thumbnails = &gf_servers_of_type(req->conf, view->type)->thumbnails;
    const char *name = view->persisted && view->image_url
                           ? gf_thumbnail_lacks(thumbnails, view->image_url, view->thumbnail)
                           : NULL;
    gf_want_t want = { .type = view->type };

    if (name && strlen(name) < sizeof(want.name) && is_older(req, view)) {
        apr_cpystrn(want.id, view->id, sizeof(want.id));
        apr_cpystrn(want.name, name, sizeof(want.name));
        gf_wants_put(gf_hub_wants(req->api->hub), &want);
    }
}

void gf_reply_members(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    if (!req->site) {
        const char *names = api_body_query(req, "names");

        req->site = gf_reply_site(req->r);
        req->twins = httpd_conf_legacy(req->r) || (names && strcmp(names, "both") == 0);
    }
    out->twins = req->twins;
    if (httpd_conf_legacy(req->r)) {
        if (req->as_job) {
            api_legacy_job(out, req, view);
        }
        else {
            api_legacy_members(out, req, view);
        }
    }
    else if (req->as_job) {
        gf_view_write_job(out, view, req->base, req->site);
    }
    else {
        gf_view_write(out, view, req->base, req->site);
    }
    out->twins = false;
    want_thumbnail(req, view);
}

/* For a running generation: where to poll, and when. */
static void say_where(gf_req_t *req, const gf_view_t *view)
{
    if (!gf_view_ended(view)) {
        apr_table_setn(req->r->headers_out, "Location",
                       apr_pstrcat(req->r->pool, gf_url_path(gf_reply_site(req->r)), req->base, "/",
                                   gf_type_wire(view->type), "/status?id=", view->id, NULL));
        apr_table_setn(req->r->headers_out, "Retry-After",
                       apr_itoa(req->r->pool, gf_view_poll_after(view, req->conf)));
    }
}

/* The same hint in the body. It changes with time and not with the state, so no ETag covers it. */
static void put_poll_after(gf_out_t *out, gf_req_t *req, const gf_view_t *view)
{
    out->twins = req->twins;
    if (!gf_view_ended(view)) {
        gf_out_put_int(out, "retryAfter", gf_view_poll_after(view, req->conf));
    }
    out->twins = false;
}

/* For the access log (conf/genflow-log.conf). */
static void note_view(request_rec *r, const gf_view_t *view)
{
    apr_table_set(r->notes, "genflow_id", view->id);
    apr_table_setn(r->notes, "genflow_type", view->type->name);
    apr_table_set(r->notes, "genflow_outcome", view->status);
    if (view->provider) {
        apr_table_set(r->notes, "genflow_provider", view->provider);
    }
    if (view->cost_json) {
        apr_table_set(r->notes, "genflow_cost", view->cost_json);
    }
}

gf_err_t *gf_reply_view(gf_req_t *req, const gf_view_t *view, int status, const char *message)
{
    gf_out_t out;

    note_view(req->r, view);
    gf_reply_begin(&out, req);
    if (req->two_step) {
        gf_out_key(&out, "data");
        gf_out_open(&out, '{');
    }
    gf_reply_members(&out, req, view);
    put_poll_after(&out, req, view);
    if (message) {
        gf_out_put_string(&out, "message", message);
    }
    if (httpd_conf_legacy(req->r) && !req->as_job) {
        api_legacy_more(&out, req, view);
    }
    if (req->two_step) {
        gf_out_close(&out, '}');
    }
    say_where(req, view);
    return gf_reply_send(req, &out, status);
}

const char *gf_reply_text(const char **tag, gf_req_t *req, const gf_view_t *view, apr_pool_t *pool)
{
    char hash[GF_SHA256_HEX];
    gf_view_t state = *view;
    gf_out_t out;

    if (gf_view_waits(view)) {
        state.queue_position_json = NULL;
        state.expected_seconds_json = NULL;
    }
    gf_out_begin(&out, pool);
    gf_reply_members(&out, req, &state);
    gf_hash_sha256(hash, out.text, out.length);
    *tag = apr_pstrmemdup(pool, hash, TAG_BYTES);
    if (gf_view_waits(view)) {
        *tag = apr_pstrcat(pool, *tag, "-", view->queue_position_json, NULL);
        gf_out_begin(&out, pool);
        gf_reply_members(&out, req, view);
    }
    put_poll_after(&out, req, view);
    gf_out_close(&out, '}');
    return out.text;
}

void gf_reply_unmark(request_rec *r)
{
    const char *known = apr_table_get(r->headers_in, "If-None-Match");
    const char *mark;

    while (known && (mark = strstr(known, PACKED))) {
        known = apr_pstrcat(r->pool, apr_pstrmemdup(r->pool, known, (apr_size_t)(mark - known)),
                            mark + strlen(PACKED) - 1, NULL);
        apr_table_setn(r->headers_in, "If-None-Match", known);
    }
}

bool gf_reply_knows(const char *known, const char *tag, apr_pool_t *pool)
{
    const char *place = strchr(tag, '-');

    return place ? strstr(known, apr_pstrcat(pool, "\"",
                                             apr_pstrmemdup(pool, tag, (apr_size_t)(place - tag)),
                                             "-", NULL))
                       != NULL
                 : ap_find_etag_strong(pool, known, apr_pstrcat(pool, "\"", tag, "\"", NULL));
}

/* Sends a body under its ETag, or for a GET 304 if the client has it. */
static void send_state(gf_req_t *req, const char *text, apr_size_t length, const char *tag)
{
    static const char *const caching = "private, no-cache"; /* stored, and revalidated each time */
    request_rec *r = req->r;
    int decided;

    apr_table_setn(r->headers_out, "ETag", apr_pstrcat(r->pool, "\"", tag, "\"", NULL));
    decided = r->method_number == M_GET ? ap_meets_conditions(r) : OK;
    if (decided != OK) {
        apr_table_setn(r->headers_out, "Cache-Control", caching);
        r->status = decided;
        return;
    }
    send_text(req, text, length, HTTP_OK, caching);
}

gf_err_t *gf_reply_state(gf_req_t *req, const gf_view_t *view, int count)
{
    const char *tag;
    const char *text = gf_reply_text(&tag, req, view, req->r->pool);

    (void)count;
    note_view(req->r, view);
    say_where(req, view);
    send_state(req, text, strlen(text), tag);
    return NULL;
}

gf_err_t *gf_reply_tagged(gf_req_t *req, gf_out_t *out, apr_size_t covered)
{
    char hash[GF_SHA256_HEX];

    gf_hash_sha256(hash, out->text, covered ? covered : out->length);
    hash[TAG_BYTES] = '\0';
    gf_out_close(out, '}');
    send_state(req, out->text, out->length, hash);
    return NULL;
}

/* "validationErrors":[{field,message}...] and "missingFields":[...] */
static void put_fields(gf_out_t *out, const apr_array_header_t *fields)
{
    int i;

    gf_out_key(out, "validationErrors");
    gf_out_open(out, '[');
    for (i = 0; i < fields->nelts; i++) {
        const gf_field_error_t *field = &APR_ARRAY_IDX(fields, i, gf_field_error_t);

        gf_out_open(out, '{');
        gf_out_put_string(out, "field", field->field);
        gf_out_put_string(out, "message", field->message);
        gf_out_close(out, '}');
    }
    gf_out_close(out, ']');
    gf_out_key(out, "missingFields");
    gf_out_open(out, '[');
    for (i = 0; i < fields->nelts; i++) {
        if (APR_ARRAY_IDX(fields, i, gf_field_error_t).missing) {
            gf_out_string(out, APR_ARRAY_IDX(fields, i, gf_field_error_t).field);
        }
    }
    gf_out_close(out, ']');
}

/* The member `error`: the code; or what older front ends show to people. */
static const char *shown_error(gf_req_t *req, const gf_err_t *err)
{
    if (req->as_job && httpd_conf_legacy(req->r) && gf_err_is(err, GF_E_NO_GENERATION)) {
        return "Job not found";
    }
    return err->error ? err->error : err->row->code;
}

const char *gf_reply_error_text(gf_req_t *req, const gf_err_t *err)
{
    request_rec *r = req->r;
    gf_out_t out;

    httpd_glue_name(req->ctx, r);
    gf_err_log(req->ctx, err);
    gf_out_init(&out, r->pool, ANSWER_BYTES);
    gf_out_open(&out, '{');
    gf_out_put_bool(&out, "success", false);
    gf_out_put_bool(&out, "ok", false);
    gf_out_put_string(&out, "error", shown_error(req, err));
    gf_out_put_string(&out, "code", err->row->code);
    gf_out_put_string(&out, "message", err->text ? err->text : err->row->text);
    if (err->fields) {
        put_fields(&out, err->fields);
    }
    gf_out_put_string(&out, "requestId", httpd_glue_request_id(r));
    if (err->extra) {
        gf_out_raw(&out, err->extra); /* members, already JSON */
    }
    gf_out_close(&out, '}');
    return out.text;
}

void gf_reply_challenge(gf_req_t *req, const gf_err_t *err)
{
    request_rec *r = req->r;

    if (err->row->http == HTTP_UNAUTHORIZED && ap_auth_type(r)) {
        ap_note_auth_failure(r);
        apr_table_setn(r->headers_out, "WWW-Authenticate",
                       apr_table_get(r->err_headers_out, "WWW-Authenticate"));
    }
}

int gf_reply_error(gf_req_t *req, const gf_err_t *err)
{
    request_rec *r = req->r;
    const char *text;

    if (req->wire) {
        return req->wire->error(req, err);
    }
    text = gf_reply_error_text(req, err);
    if (err->retry_after) {
        apr_table_setn(r->headers_out, "Retry-After", apr_itoa(r->pool, err->retry_after));
    }
    gf_reply_challenge(req, err);
    apr_table_unset(r->headers_out, "ETag"); /* of the response that it stands for */
    send_text(req, text, strlen(text), err->row->http, "no-store");
    return OK;
}

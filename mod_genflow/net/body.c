/* SPDX-License-Identifier: Apache-2.0 */
/* Files are read while they are sent. A form of texts is written here as one text; only one with
 * files is left to curl. */
#include "net/body.h"

#include <string.h>

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "base/hash.h"

/* ---- a file is sent ---- */

/* It lives in the message's pool, and so does its descriptor. */
typedef struct source_t {
    gf_body_t *body;
    const char *path;
    apr_file_t *file;
    apr_off_t bytes; /* when it was opened: so many are promised, so many are sent */
    apr_off_t sent;
} source_t;

static void note_unread(gf_body_t *body, const char *path, apr_status_t rv)
{
    body->unread = path;
    body->unread_rv = rv;
}

static source_t *open_source(gf_body_t *body, const char *path, apr_pool_t *pool)
{
    source_t *source = apr_pcalloc(pool, sizeof(*source));
    apr_finfo_t info = { .size = 0 };
    apr_status_t rv =
        apr_file_open(&source->file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, source->file);
    }
    if (rv != APR_SUCCESS) {
        note_unread(body, path, rv);
    }
    source->body = body;
    source->path = path;
    source->bytes = info.size;
    return source;
}

static size_t on_read(char *bytes, size_t size, size_t count, void *baton)
{
    source_t *source = baton;
    apr_off_t left = source->bytes - source->sent;
    apr_size_t length = size * count;
    apr_status_t rv;

    if ((apr_off_t)length > left) {
        length = (apr_size_t)left;
    }
    if (length == 0) {
        return 0;
    }
    rv = apr_file_read(source->file, bytes, &length);
    if (rv != APR_SUCCESS) { /* also its end: it was longer */
        note_unread(source->body, source->path, rv);
        return CURL_READFUNC_ABORT;
    }
    source->sent += (apr_off_t)length;
    return length;
}

/* curl sends from the start once more when a reused connection closed during the request. */
static int on_seek(void *baton, curl_off_t offset, int origin)
{
    source_t *source = baton;
    apr_off_t to = offset;

    if (origin != SEEK_SET || apr_file_seek(source->file, APR_SET, &to) != APR_SUCCESS) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    source->sent = to;
    return CURL_SEEKFUNC_OK;
}

static void set_upload(gf_body_t *body, CURL *easy, const gf_msg_t *msg)
{
    source_t *source = open_source(body, msg->upload, msg->pool);

    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)source->bytes);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, source);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, source);
}

/* ---- a form with files ---- */

static void add_file(gf_body_t *body, curl_mimepart *mime, const gf_msg_part_t *part,
                     apr_pool_t *pool)
{
    source_t *source = open_source(body, part->file, pool);

    curl_mime_data_cb(mime, source->bytes, on_read, on_seek, NULL, source);
    curl_mime_filename(mime, apr_filepath_name_get(part->file));
    curl_mime_type(mime, part->type);
}

static void set_mime(gf_body_t *body, CURL *easy, const gf_msg_t *msg)
{
    int i;

    body->mime = curl_mime_init(easy);
    for (i = 0; i < msg->parts->nelts; i++) {
        const gf_msg_part_t *part = &APR_ARRAY_IDX(msg->parts, i, gf_msg_part_t);
        curl_mimepart *mime = curl_mime_addpart(body->mime);

        curl_mime_name(mime, part->name);
        if (part->file) {
            add_file(body, mime, part, msg->pool);
        }
        else {
            curl_mime_data(mime, part->text, CURL_ZERO_TERMINATED);
        }
    }
    curl_easy_setopt(easy, CURLOPT_MIMEPOST, body->mime);
}

/* ---- a form of texts ---- */

#define BOUNDARY_BYTES 16 /* that are random: no text contains it */
#define PART_BEGIN     "\r\nContent-Disposition: form-data; name=\""
#define PART_TEXT      "\"\r\n\r\n"

static bool has_file(const apr_array_header_t *parts)
{
    int i;

    for (i = 0; i < parts->nelts; i++) {
        if (APR_ARRAY_IDX(parts, i, gf_msg_part_t).file) {
            return true;
        }
    }
    return false;
}

static char *append(char *at, const char *text)
{
    apr_size_t length = strlen(text);

    memcpy(at, text, length + 1);
    return at + length;
}

static const char *form_text(const apr_array_header_t *parts, const char *boundary,
                             apr_pool_t *pool)
{
    apr_size_t mark = strlen(boundary) + 4; /* with dashes and the end of a line */
    apr_size_t bytes = mark + 3;
    char *text;
    char *at;
    int i;

    for (i = 0; i < parts->nelts; i++) {
        const gf_msg_part_t *part = &APR_ARRAY_IDX(parts, i, gf_msg_part_t);

        bytes +=
            mark + strlen(PART_BEGIN) + strlen(PART_TEXT) + strlen(part->name) + strlen(part->text);
    }
    text = at = apr_palloc(pool, bytes);
    for (i = 0; i < parts->nelts; i++) {
        const gf_msg_part_t *part = &APR_ARRAY_IDX(parts, i, gf_msg_part_t);

        at = append(append(at, "--"), boundary);
        at = append(append(append(at, PART_BEGIN), part->name), PART_TEXT);
        at = append(append(at, part->text), "\r\n");
    }
    append(append(append(at, "--"), boundary), "--\r\n");
    return text;
}

/* Curl's own form of the same takes 9 kB more for as long as the exchange lasts. */
static const char *set_form(CURL *easy, const gf_msg_t *msg)
{
    const char *boundary = gf_hash_random(msg->pool, BOUNDARY_BYTES);
    const char *text = form_text(msg->parts, boundary, msg->pool);

    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(text));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, text);
    return apr_pstrcat(msg->pool, "Content-Type: multipart/form-data; boundary=", boundary, NULL);
}

/* ---- a body ---- */

const char *gf_body_set(gf_body_t *body, CURL *easy, const gf_msg_t *msg)
{
    if (msg->upload) {
        set_upload(body, easy, msg);
    }
    else if (msg->parts && has_file(msg->parts)) {
        set_mime(body, easy, msg);
    }
    else if (msg->parts) {
        return set_form(easy, msg);
    }
    else if (msg->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(msg->body));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, msg->body);
    }
    return NULL;
}

void gf_body_end(const gf_body_t *body)
{
    curl_mime_free(body->mime);
}

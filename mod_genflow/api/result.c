/* SPDX-License-Identifier: Apache-2.0 */
/* GET of a stored picture from the folder store (SetHandler genflow-result), or of its thumbnail.
 * Neither ever changes under its name, but it may be removed: caches may show it for
 * GenflowStoreCacheTime. Ranges and conditions are httpd's own. A thumbnail that is not there yet
 * is made by the first request for it. */
#include "api/api.h"

#include <string.h>

#include <apr_atomic.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "base/clock.h"
#include "base/image.h"
#include "db/picture.h"
#include "httpd/glue.h"
#include "model/servers.h"
#include "store/store.h"
#include "store/thumbnail.h"

#define NOT_FOR_NOW "no-store"
#define DRAWING_MAX 4                       /* threads of a child that make thumbnails, or wait */
#define DRAWING     (2 * APR_USEC_PER_SEC)  /* for another thread or process, at most ... */
#define LOOK        (20 * APR_TIME_C(1000)) /* ... and so often */
#define ID_DIGITS   36

/* A file to send. */
typedef struct api_file_t {
    apr_file_t *file;
    const char *name;
    const char *cache; /* Cache-Control */
} api_file_t;

/* type/xx/id.ext, and nothing else: no dot files, no way up, no spool. */
static bool is_picture_name(const char *name)
{
    int slashes = 0;
    int dots = 0;

    for (; *name; name++) {
        slashes += *name == '/';
        dots += *name == '.';
        if (!apr_islower(*name) && !apr_isdigit(*name) && *name != '-' && *name != '/'
            && !(*name == '.' && slashes == 2)) {
            return false;
        }
    }
    return slashes == 2 && dots == 1;
}

static const char *type_of(const char *name)
{
    const char *extension = strrchr(name, '.') + 1;

    return strcmp(extension, "png") == 0    ? "image/png"
           : strcmp(extension, "jpg") == 0  ? "image/jpeg"
           : strcmp(extension, "webp") == 0 ? "image/webp"
                                            : NULL;
}

/* False: there is no such file, or only the mark that there can be none. */
static bool open_file(api_file_t *opened, gf_req_t *req, const char *name)
{
    request_rec *r = req->r;

    *opened = (api_file_t){ .name = name, .cache = gf_store_caching(req->ctx->conf, r->pool) };
    return apr_file_open(&opened->file, gf_store_fs_path(req->ctx->conf, name, r->pool),
                         APR_FOPEN_READ | APR_FOPEN_SENDFILE_ENABLED, 0, r->pool)
               == APR_SUCCESS
           && apr_file_info_get(&r->finfo, APR_FINFO_NORM, opened->file) == APR_SUCCESS
           && r->finfo.size > 0;
}

/* ---- the first request for a thumbnail ---- */

static void note_color(gf_req_t *req, const char *name, const char *color)
{
    apr_pool_t *pool = req->r->pool;
    const char *slash = strchr(name, '/');
    const gf_type_t *type =
        gf_servers_type(req->conf, apr_pstrmemdup(pool, name, (apr_size_t)(slash - name)));
    const char *id = apr_pstrndup(pool, strrchr(name, '/') + 1, ID_DIGITS);
    bool gone;
    gf_err_t *err = type ? gf_picture_thumbnail(&gone, req->ctx, type, id, color) : NULL;

    if (err) {
        gf_log(req->ctx, GF_LOG_INFO, err->rv, "GF0794",
               "the colour of a picture was not noted: %s", err->detail ? err->detail : "");
    }
}

/* Makes the thumbnail of the picture `name`, or waits for the thread that does. */
static gf_thumbnail_end_t make_thumbnail(gf_req_t *req, const char *name)
{
    apr_time_t until = gf_clock_now() + DRAWING;
    char color[GF_THUMBNAIL_COLOR];
    gf_thumbnail_end_t end;

    httpd_glue_name(req->ctx, req->r);
    end = gf_store_thumbnail(color, req->ctx, name);
    while (end == GF_THUMBNAIL_BUSY && gf_clock_now() < until) {
        gf_clock_pause(LOOK);
        end = gf_store_thumbnail(color, req->ctx, name);
    }
    if (end == GF_THUMBNAIL_MADE || end == GF_THUMBNAIL_NONE) {
        note_color(req, name, end == GF_THUMBNAIL_MADE ? color : NULL);
    }
    return end;
}

/* A few threads of a child may be busy with it; BUSY without a place. */
static gf_thumbnail_end_t bounded_thumbnail(gf_req_t *req, const char *name)
{
    volatile apr_uint32_t *drawing = req->api->drawing;
    gf_thumbnail_end_t end = GF_THUMBNAIL_BUSY;

    if (apr_atomic_inc32(drawing) < DRAWING_MAX) {
        end = make_thumbnail(req, name);
    }
    apr_atomic_dec32(drawing);
    return end;
}

/* The picture with that name, whatever its type. */
static const char *picture_of(gf_req_t *req, const char *stem)
{
    const char *const *extension;

    for (extension = gf_image_extensions; *extension; extension++) {
        const char *name = apr_pstrcat(req->r->pool, stem, ".", *extension, NULL);
        api_file_t opened;

        if (open_file(&opened, req, name)) {
            apr_file_close(opened.file);
            return name;
        }
    }
    return NULL;
}

/* While there is no thumbnail for now, the picture itself stands in for it. */
static bool open_thumbnail(api_file_t *opened, gf_req_t *req, const char *name)
{
    const char *stem = NULL;
    const char *picture = NULL;
    bool is_there = false;

    if (req->ctx->conf->thumbnails.kind && !opened->file
        && gf_thumbnail_is_name(&stem, name, req->r->pool)) {
        picture = picture_of(req, stem);
    }
    if (!picture) {
        return false;
    }
    switch (bounded_thumbnail(req, picture)) {
    case GF_THUMBNAIL_MADE:
    case GF_THUMBNAIL_THERE:
        return open_file(opened, req, name);
    case GF_THUMBNAIL_BUSY:
    case GF_THUMBNAIL_FAILED:
        is_there = open_file(opened, req, picture);
        opened->cache = NOT_FOR_NOW;
        return is_there;
    case GF_THUMBNAIL_NONE:
    case GF_THUMBNAIL_GONE:
        break;
    }
    return false;
}

/* ---- the response ---- */

static int send_file(request_rec *r, apr_file_t *file)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);

    apr_brigade_insert_file(brigade, file, 0, r->finfo.size, r->pool);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(r->connection->bucket_alloc));
    return ap_pass_brigade(r->output_filters, brigade) == APR_SUCCESS || r->connection->aborted
               ? OK
               : HTTP_INTERNAL_SERVER_ERROR;
}

/* Pictures of the site's own types, and of the main server's, by the configuration that stored
 * them. Those of another virtual host are not there, even in the same folder. */
static bool enter_store(gf_req_t *req, const char *name)
{
    const char *type = apr_pstrmemdup(req->r->pool, name, (apr_size_t)(strchr(name, '/') - name));
    const gf_type_t *shown = gf_servers_shown_type(req->conf, type);

    req->ctx->conf = gf_servers_of_type(req->conf, shown);
    return shown || !gf_servers_type(req->conf, type);
}

int api_result(gf_req_t *req, const char *name)
{
    request_rec *r = req->r;
    api_file_t opened;
    int refused;

    ap_allow_methods(r, REPLACE_ALLOW, "GET", "HEAD", NULL);
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (!is_picture_name(name) || !type_of(name) || !enter_store(req, name)
        || (!open_file(&opened, req, name) && !open_thumbnail(&opened, req, name))) {
        return HTTP_NOT_FOUND;
    }
    ap_set_content_type(r, type_of(opened.name));
    ap_set_content_length(r, r->finfo.size);
    ap_update_mtime(r, r->finfo.mtime);
    ap_set_last_modified(r);
    ap_set_etag(r);
    ap_set_accept_ranges(r);
    apr_table_setn(r->headers_out, "Cache-Control", opened.cache);
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    refused = ap_meets_conditions(r);
    return refused != OK ? refused : send_file(r, opened.file);
}

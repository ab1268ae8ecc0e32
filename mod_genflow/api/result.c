/* SPDX-License-Identifier: Apache-2.0 */
/* GET of a stored picture from the folder store (SetHandler genflow-result). A picture never
 * changes under its name, so it may be cached for ever; ranges and conditions are httpd's own. */
#include "api/api.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "store/store.h"

#define FOREVER "public, max-age=31536000, immutable"

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

static int send_file(request_rec *r, apr_file_t *file)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);

    apr_brigade_insert_file(brigade, file, 0, r->finfo.size, r->pool);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(r->connection->bucket_alloc));
    return ap_pass_brigade(r->output_filters, brigade) == APR_SUCCESS || r->connection->aborted
               ? OK
               : HTTP_INTERNAL_SERVER_ERROR;
}

int api_result(request_rec *r, const gf_conf_t *conf, const char *name)
{
    apr_file_t *file;
    int refused;

    ap_allow_methods(r, REPLACE_ALLOW, "GET", "HEAD", NULL);
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (!is_picture_name(name) || !type_of(name)
        || apr_file_open(&file, gf_store_fs_path(conf, name, r->pool),
                         APR_FOPEN_READ | APR_FOPEN_SENDFILE_ENABLED, 0, r->pool)
               != APR_SUCCESS
        || apr_file_info_get(&r->finfo, APR_FINFO_NORM, file) != APR_SUCCESS) {
        return HTTP_NOT_FOUND;
    }
    ap_set_content_type(r, type_of(name));
    ap_set_content_length(r, r->finfo.size);
    ap_update_mtime(r, r->finfo.mtime);
    ap_set_last_modified(r);
    ap_set_etag(r);
    ap_set_accept_ranges(r);
    apr_table_setn(r->headers_out, "Cache-Control", FOREVER);
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    refused = ap_meets_conditions(r);
    return refused != OK ? refused : send_file(r, file);
}

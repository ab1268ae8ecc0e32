/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the file for a request of the page, and leaves its delivery to httpd's default handler:
 * ETag, ranges, HEAD and filters are as for every file. httpd/studio.c has the list of files. */
#include "api/studio.h"

#include <string.h>

#include <apr_file_info.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include "api/route.h"
#include "httpd/dir.h"
#include "httpd/server.h"
#include "httpd/studio.h"
#include "model/url.h"

#define INDEX "index.html"
#define ADMIN "admin" /* the begin of the names of what api/dashboard.c serves */

/* The files have no version in their names: a browser asks each time, and gets 304. */
#define CACHING "no-cache"

bool api_studio_is(const char *handler)
{
    return strcmp(handler, "genflow-studio") == 0;
}

void api_studio_headers(request_rec *r)
{
    const httpd_studio_t *studio = httpd_conf_get(r->server)->studio;

    if (studio) {
        apr_table_setn(r->err_headers_out, "Content-Security-Policy", studio->policy);
    }
    apr_table_setn(r->err_headers_out, "Cross-Origin-Opener-Policy", "same-origin");
    apr_table_setn(r->err_headers_out, "Permissions-Policy",
                   "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), "
                   "usb=()");
    apr_table_setn(r->err_headers_out, "Referrer-Policy", "same-origin");
    apr_table_setn(r->err_headers_out, "X-Content-Type-Options", "nosniff");
}

/* ---- config.json ---- */

/* An address of this host, with the prefix under which a proxy serves us. */
static const char *with_prefix(request_rec *r, const char *address)
{
    return address[0] == '/' || !address[0]
               ? apr_pstrcat(r->pool, gf_url_path(gf_reply_site(r)), address, NULL)
               : address;
}

static void put_languages(gf_out_t *out, const apr_array_header_t *languages)
{
    int i;

    gf_out_key(out, "languages");
    gf_out_open(out, '[');
    for (i = 0; i < languages->nelts; i++) {
        gf_out_string(out, APR_ARRAY_IDX(languages, i, const char *));
    }
    gf_out_close(out, ']');
}

static void put_links(gf_out_t *out, request_rec *r, const apr_table_t *links)
{
    const apr_array_header_t *all = links ? apr_table_elts(links) : NULL;
    int i;

    gf_out_key(out, "links");
    gf_out_open(out, '{');
    for (i = 0; all && i < all->nelts; i++) {
        const apr_table_entry_t *link = &APR_ARRAY_IDX(all, i, apr_table_entry_t);

        gf_out_put_string(out, link->key, with_prefix(r, link->val));
    }
    gf_out_close(out, '}');
}

static int send_config(request_rec *r, const httpd_studio_t *studio)
{
    const httpd_dir_t *dir = httpd_conf_dir(r);
    gf_req_t req = { .r = r };
    gf_out_t out;

    gf_out_init(&out, r->pool, 512);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "base", with_prefix(r, dir->studio_api ? dir->studio_api : "/api"));
    put_languages(&out, studio->languages);
    gf_out_put_string(&out, "title", dir->studio_title);
    gf_out_put_string(&out, "logo", dir->studio_logo ? with_prefix(r, dir->studio_logo) : NULL);
    put_links(&out, r, dir->studio_links);
    gf_reply_tagged(&req, &out, 0);
    return OK;
}

/* ---- files ---- */

/* From here on the request is one for this file. */
static int hand_over(request_rec *r, const httpd_studio_file_t *file)
{
    if (apr_stat(&r->finfo, file->path, APR_FINFO_MIN | APR_FINFO_LINK, r->pool) != APR_SUCCESS
        || r->finfo.filetype != APR_REG) {
        return HTTP_NOT_FOUND; /* it was removed, or replaced by a link */
    }
    r->filename = apr_pstrdup(r->pool, file->path);
    r->path_info = apr_pstrdup(r->pool, "");
    ap_set_content_type(r, file->type);
    apr_table_setn(r->headers_out, "Cache-Control", CACHING);
    return DECLINED;
}

int api_studio_send(request_rec *r, const char *name)
{
    const httpd_studio_t *studio = httpd_conf_get(r->server)->studio;
    const httpd_studio_file_t *file;

    if (studio && strcmp(name, "config.json") == 0) {
        return send_config(r, studio);
    }
    file = studio ? apr_hash_get(studio->files, name, APR_HASH_KEY_STRING) : NULL;
    return file ? hand_over(r, file) : HTTP_NOT_FOUND;
}

/* The path below the <Location>; where only a <LocationMatch> sets the handler, GenflowBase is
 * needed. */
static const char *mount_of(const request_rec *r)
{
    const char *mount = httpd_conf_dir(r)->mount;

    return mount ? mount : api_route_base(r, api_route_mount(r));
}

int api_studio_add_slash(request_rec *r)
{
    const char *name = strrchr(r->uri, '/') + 1;

    apr_table_setn(r->headers_out, "Location",
                   apr_pstrcat(r->pool, ap_os_escape_path(r->pool, name, 0), "/",
                               r->args ? "?" : "", r->args ? r->args : "", NULL));
    return HTTP_MOVED_PERMANENTLY;
}

int api_studio(request_rec *r)
{
    const char *mount = mount_of(r);
    const char *name = api_route_below(r, mount);

    ap_allow_methods(r, REPLACE_ALLOW, "GET", "HEAD", NULL);
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (strcmp(r->uri, mount) == 0) {
        return api_studio_add_slash(r);
    }
    name = strcmp(r->uri + strlen(mount), "/") == 0 ? INDEX : name;
    return strncmp(name, ADMIN, strlen(ADMIN)) == 0 ? HTTP_NOT_FOUND : api_studio_send(r, name);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Our address for clients, for addresses in responses: GenflowPublicUrl; else the headers of a
 * proxy that mod_remoteip trusts; else the request's own host. */
#include "api/api.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>

#include "httpd/server.h"
#include "model/url.h"

#define HOST_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-[]"
#define PATH_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~/-"

/* Did the request come from a proxy whose headers mod_remoteip trusts? Then the client's address
 * differs from the peer's. After a PROXY line it differs, too, but then the headers are the
 * client's own. mod_remoteip stores the data of that line with its connection, which is the master
 * of an HTTP/2 stream's. */
static bool is_by_proxy(const request_rec *r)
{
    module *remoteip = ap_find_linked_module("mod_remoteip.c");
    const conn_rec *connection = r->connection;
    bool has_line = false;

    for (; remoteip && connection; connection = connection->master) {
        has_line = has_line || ap_get_module_config(connection->conn_config, remoteip);
    }
    return remoteip && r->useragent_addr != r->connection->client_addr && !has_line;
}

/* The last value of a header: the nearest proxy wrote it, earlier ones may be the client's. */
static char *last_of(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_in, name);
    const char *comma = value ? strrchr(value, ',') : NULL;
    char *last = value ? apr_pstrdup(r->pool, comma ? comma + 1 : value) : NULL;

    if (last) {
        apr_collapse_spaces(last, last);
    }
    return last;
}

static bool has_only(const char *text, const char *letters)
{
    return text && *text && !text[strspn(text, letters)];
}

/* The path before our own under which the proxy serves us; "" for none. */
static const char *prefix_of(request_rec *r)
{
    char *prefix = last_of(r, "X-Forwarded-Prefix");
    size_t length = prefix ? strlen(prefix) : 0;

    if (!has_only(prefix, PATH_LETTERS) || prefix[0] != '/' || prefix[1] == '/') {
        return "";
    }
    while (length > 0 && prefix[length - 1] == '/') {
        prefix[--length] = '\0';
    }
    return prefix;
}

static const char *site_by_proxy(request_rec *r)
{
    const char *scheme = last_of(r, "X-Forwarded-Proto");
    const char *host = last_of(r, "X-Forwarded-Host");

    if (!scheme
        || (ap_cstr_casecmp(scheme, "http") != 0 && ap_cstr_casecmp(scheme, "https") != 0)) {
        scheme = ap_http_scheme(r);
    }
    if (!has_only(host, HOST_LETTERS)) {
        gf_url_parts_t parts;

        gf_url_split(&parts, ap_construct_url(r->pool, "", r));
        host = parts.authority;
    }
    return apr_pstrcat(r->pool, scheme, "://", host, prefix_of(r), NULL);
}

const char *gf_reply_site(request_rec *r)
{
    const char *public_url = httpd_conf_get(r->server)->public_url;
    const char *origin = public_url ? gf_url_origin(public_url, r->pool) : NULL;

    if (origin) {
        return origin;
    }
    return is_by_proxy(r) ? site_by_proxy(r) : ap_construct_url(r->pool, "", r);
}

/* ---- addresses of uploaded pictures ---- */

/* `url` with the path of uploaded pictures, under both schemes: a proxy may speak TLS for us. */
static void add_own(apr_array_header_t *own, gf_req_t *req, const char *url)
{
    static const char *const schemes[] = { "https", "http" };
    gf_url_parts_t parts;
    size_t i;

    if (!gf_url_split(&parts, url)) {
        return;
    }
    for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        APR_ARRAY_PUSH(own, const char *) =
            apr_psprintf(req->r->pool, "%s://%.*s%s%s/assets/", schemes[i],
                         (int)parts.authority_length, parts.authority, gf_url_path(url), req->base);
    }
}

static void add_names(apr_array_header_t *own, gf_req_t *req, const apr_array_header_t *names)
{
    int i;

    for (i = 0; names && i < names->nelts; i++) {
        add_own(own, req,
                apr_pstrcat(req->r->pool, "https://", APR_ARRAY_IDX(names, i, char *), NULL));
    }
}

const char *const *gf_reply_own(gf_req_t *req)
{
    const server_rec *server = req->r->server;
    const char *site = gf_reply_site(req->r);
    apr_array_header_t *own = apr_array_make(req->r->pool, 10, sizeof(const char *));

    add_own(own, req, site);
    if (server->server_hostname) {
        add_own(own, req, apr_pstrcat(req->r->pool, "https://", server->server_hostname, NULL));
    }
    add_names(own, req, server->names);
    APR_ARRAY_PUSH(own, const char *) =
        apr_pstrcat(req->r->pool, gf_url_path(site), req->base, "/assets/", NULL);
    APR_ARRAY_PUSH(own, const char *) = apr_pstrcat(req->r->pool, req->base, "/assets/", NULL);
    APR_ARRAY_PUSH(own, const char *) = NULL;
    return (const char *const *)own->elts;
}

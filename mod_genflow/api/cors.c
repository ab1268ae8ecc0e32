/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages of other sites may read our responses (GenflowCorsOrigin). The headers are set before
 * authentication, and in err_headers_out: so every response has them, also httpd's own errors, a
 * 304 or a stream. */
#include "api/cors.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "api/api.h"
#include "httpd/dir.h"
#include "httpd/server.h"
#include "model/url.h"

#define ALLOWED_METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"
#define ALLOWED_HEADERS \
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer"
#define ALLOWED_OLD ALLOWED_HEADERS ", X-App-Key, X-Idempotency-Key"
#define EXPOSED                                                                                 \
    "ETag, Idempotency-Replayed, Location, Preference-Applied, RateLimit, RateLimit-Policy, "   \
    "Retry-After, retry-after-ms, x-fal-request-id, x-fal-request-timeout-type, x-request-id, " \
    "x-should-retry"
#define ASKED_HEADERS "Access-Control-Request-Headers"
#define ASKED_METHOD  "Access-Control-Request-Method"
#define MAX_AGE       "7200" /* seconds; browsers do not remember longer */

/* The value of Access-Control-Allow-Origin for a page of `origin`; NULL: none. */
static const char *allowed_origin(const apr_array_header_t *origins, const char *origin)
{
    int i;

    for (i = 0; i < origins->nelts; i++) {
        const char *one = APR_ARRAY_IDX(origins, i, const char *);

        if (strcmp(one, "*") == 0 || strcmp(one, origin) == 0) {
            return one;
        }
    }
    return NULL;
}

/* ---- requests that change something ---- */

/* A browser adds cookies and passwords (Basic, Digest) to the requests of another site's page. It
 * adds no token: a request with a token comes from its owner. */
static bool carries_token(const request_rec *r)
{
    static const char *const schemes[] = { "Bearer", "Key", "Token" };
    const char *header = apr_table_get(r->headers_in, "Authorization");
    size_t i;

    for (i = 0; header && i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t length = strlen(schemes[i]);

        if (strncasecmp(header, schemes[i], length) == 0 && apr_isspace(header[length])) {
            return true;
        }
    }
    return false;
}

/* Is `origin` that of the address `url`? A proxy in front of us may have ended TLS: then only the
 * hosts can be the same. */
static bool is_of(const char *origin, const char *url, bool scheme_too)
{
    gf_url_parts_t page;
    gf_url_parts_t ours;

    return gf_url_split(&page, origin) && gf_url_split(&ours, url) && !*page.rest
           && (!scheme_too
               || (page.scheme_length == ours.scheme_length
                   && strncasecmp(page.scheme, ours.scheme, page.scheme_length) == 0))
           && page.authority_length == ours.authority_length
           && strncasecmp(page.authority, ours.authority, page.authority_length) == 0;
}

static bool is_named(const request_rec *r, const char *origin)
{
    const apr_array_header_t *origins = httpd_conf_dir(r)->origins;
    const char *answer = origins ? allowed_origin(origins, origin) : NULL;

    return answer && strcmp(answer, "*") != 0;
}

/* Sec-Fetch-Site is the browser's own statement; no page can set it. `same-site` is another origin,
 * which may belong to others. */
bool api_cors_is_foreign(request_rec *r)
{
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *host = apr_table_get(r->headers_in, "Host");
    const char *public_url = httpd_conf_get(r->server)->public_url;

    if (carries_token(r) || (origin && is_named(r, origin))) {
        return false;
    }
    if (site && (strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)) {
        return false;
    }
    if (origin && public_url && is_of(origin, public_url, true)) {
        return false;
    }
    if (site && strcmp(site, "cross-site") == 0) {
        return true;
    }
    if (!origin || (host && is_of(origin, apr_pstrcat(r->pool, "://", host, NULL), false))) {
        return false;
    }
    return public_url || !is_of(origin, gf_reply_site(r), false); /* by a trusted proxy's word */
}

/* ---- answers ---- */

/* Headers that clients of the fronts send beside those of ALLOWED_HEADERS. One that ends with `-`
 * stands for all that begin so: they send many, and add more. */
static const char *const clients_headers[] = { "api-key", "user-agent", "x-fal-", "x-stainless-" };

static bool is_clients_header(const char *name, apr_size_t length)
{
    size_t i;

    for (i = 0; i < sizeof(clients_headers) / sizeof(clients_headers[0]); i++) {
        apr_size_t known = strlen(clients_headers[i]);
        bool begins = clients_headers[i][known - 1] == '-';

        if ((begins ? length > known : length == known)
            && strncasecmp(clients_headers[i], name, known) == 0) {
            return true;
        }
    }
    return false;
}

/* The headers that a page may send: `allowed`, and of those that the preflight names the ones that
 * the clients of the fronts send. */
static const char *allowed_headers(const request_rec *r, const char *allowed)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const char *asked = apr_table_get(r->headers_in, ASKED_HEADERS);

    for (; asked && *asked; asked += *asked != '\0') {
        apr_size_t length = strspn(asked, letters);

        if (is_clients_header(asked, length)) {
            allowed =
                apr_pstrcat(r->pool, allowed, ", ", apr_pstrmemdup(r->pool, asked, length), NULL);
        }
        asked += length;
    }
    return allowed;
}

int api_cors(request_rec *r)
{
    const apr_array_header_t *origins = httpd_conf_dir(r)->origins;
    const char *origin = apr_table_get(r->headers_in, "Origin");
    bool old = httpd_conf_legacy(r); /* the older systems answered each client so */
    bool preflight = r->method_number == M_OPTIONS
                     && (old || (origin && apr_table_get(r->headers_in, ASKED_METHOD)));
    const char *answer;

    if (!origins) {
        return DECLINED;
    }
    if (strcmp(APR_ARRAY_IDX(origins, 0, const char *), "*") != 0) {
        apr_table_mergen(r->err_headers_out, "Vary", "Origin");
    }
    answer = origin || old ? allowed_origin(origins, origin ? origin : "") : NULL;
    if (answer) {
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Origin", answer);
        apr_table_setn(r->err_headers_out, "Access-Control-Expose-Headers", EXPOSED);
        if (strcmp(answer, "*") != 0) {
            apr_table_setn(r->err_headers_out, "Access-Control-Allow-Credentials", "true");
        }
    }
    if (answer && preflight) {
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Methods", ALLOWED_METHODS);
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Headers",
                       allowed_headers(r, old ? ALLOWED_OLD : ALLOWED_HEADERS));
        apr_table_setn(r->err_headers_out, "Access-Control-Max-Age", MAX_AGE);
    }
    return preflight ? HTTP_NO_CONTENT : DECLINED;
}

/* The first call has set one of these two. */
void api_cors_again(request_rec *r)
{
    const char *vary = apr_table_get(r->err_headers_out, "Vary");

    if (!apr_table_get(r->err_headers_out, "Access-Control-Allow-Origin")
        && !(vary && ap_strstr_c(vary, "Origin"))) {
        api_cors(r);
    }
}

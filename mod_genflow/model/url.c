/* SPDX-License-Identifier: Apache-2.0 */
/* Takes addresses apart. Leaves which hosts are allowed to the caller, and which of their addresses
 * to net/guard.c. */
#include "model/url.h"

#include <arpa/inet.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/text.h"

#define URL_MAX  2048
#define HOST_MAX 253

static bool is_host(const char *host, bool bracketed)
{
    unsigned char raw[sizeof(struct in6_addr)];
    apr_size_t length;

    if (bracketed) {
        return inet_pton(AF_INET6, host, raw) == 1;
    }
    for (length = 0; host[length]; length++) {
        if (!apr_isalnum(host[length]) && !strchr("-._", host[length])) {
            return false;
        }
    }
    return length > 0 && length <= HOST_MAX && apr_isalnum(host[0]);
}

/* "" or ":1" to ":65535" */
static bool is_port(const char *text)
{
    apr_int64_t port;

    return !*text
           || (*text == ':' && apr_isdigit(text[1]) && gf_text_int(&port, text + 1) && port >= 1
               && port <= 65535);
}

/* The text between "//" and the path: host and port, nothing before them. Sets the host, without
 * brackets. */
static const char *check_authority(const char **host, const char *authority, apr_pool_t *pool)
{
    bool bracketed = authority[0] == '[';
    apr_size_t length = bracketed ? strcspn(authority, "]") : strcspn(authority, ":");

    if (strchr(authority, '@')) {
        return "must not carry a user name or password";
    }
    if (bracketed && authority[length] != ']') {
        return "names no host";
    }
    *host = apr_pstrmemdup(pool, authority + bracketed, length - bracketed);
    if (!is_host(*host, bracketed)) {
        return "names no host";
    }
    return is_port(authority + length + bracketed) ? NULL : "has no valid port";
}

bool gf_url_split(gf_url_parts_t *parts, const char *text)
{
    const char *colon = strstr(text, "://");

    if (!colon) {
        return false;
    }
    parts->scheme = text;
    parts->scheme_length = (apr_size_t)(colon - text);
    parts->authority = colon + 3;
    parts->authority_length = strcspn(parts->authority, "/?#");
    parts->rest = parts->authority + parts->authority_length;
    return true;
}

static bool has_scheme(const gf_url_parts_t *parts, const char *scheme)
{
    return parts->scheme_length == strlen(scheme)
           && strncasecmp(parts->scheme, scheme, parts->scheme_length) == 0;
}

bool gf_url_is_http(const char *text)
{
    gf_url_parts_t parts;

    return text && gf_url_split(&parts, text) && parts.authority_length > 0
           && (has_scheme(&parts, "https") || has_scheme(&parts, "http"));
}

const char *gf_url_origin(const char *text, apr_pool_t *pool)
{
    gf_url_parts_t parts;

    return gf_url_split(&parts, text) ? apr_pstrmemdup(pool, text, (apr_size_t)(parts.rest - text))
                                      : NULL;
}

const char *gf_url_path(const char *text)
{
    gf_url_parts_t parts;

    return gf_url_split(&parts, text) && parts.rest[0] == '/' && parts.rest[1] ? parts.rest : "";
}

const char *gf_url_read(gf_url_t *url, const char *text, apr_pool_t *pool)
{
    gf_url_parts_t parts;

    if (strlen(text) > URL_MAX) {
        return apr_psprintf(pool, "must have at most %d characters", URL_MAX);
    }
    if (!gf_text_is_printable(text, URL_MAX) || strchr(text, '\\')) {
        return "must be an address: blanks, backslashes and what is not ASCII percent-encoded";
    }
    if (!gf_url_split(&parts, text)) {
        return GF_URL_NOT_HTTPS;
    }
    url->https = has_scheme(&parts, "https");
    if (!url->https && !has_scheme(&parts, "http")) {
        return GF_URL_NOT_HTTPS;
    }
    return check_authority(&url->host,
                           apr_pstrmemdup(pool, parts.authority, parts.authority_length), pool);
}

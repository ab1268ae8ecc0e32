/* SPDX-License-Identifier: Apache-2.0 */
/* Strict about addresses: what curl would have to guess at is refused. Leaves which hosts are
 * allowed to the caller, and which of their addresses to net/guard.c. */
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

/* What is between "//" and the path: host and port, nothing before them. Sets the host, without
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

const char *gf_url_read(gf_url_t *url, const char *text, apr_pool_t *pool)
{
    const char *rest;

    if (strlen(text) > URL_MAX) {
        return apr_psprintf(pool, "must have at most %d characters", URL_MAX);
    }
    if (!gf_text_is_printable(text, URL_MAX) || strchr(text, '\\')) {
        return "must be an address: blanks, backslashes and what is not ASCII percent-encoded";
    }
    url->https = strncasecmp(text, "https://", 8) == 0;
    if (!url->https && strncasecmp(text, "http://", 7) != 0) {
        return GF_URL_NOT_HTTPS;
    }
    rest = text + (url->https ? 8 : 7);
    return check_authority(&url->host, apr_pstrmemdup(pool, rest, strcspn(rest, "/?#")), pool);
}

const char *gf_url_path(const char *address)
{
    const char *host = strstr(address, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;

    return path && path[1] ? path : "";
}

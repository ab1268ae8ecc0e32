/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of addresses: of requests, of the configuration, of providers' answers. No I/O;
 * results live in the given pool. Any thread. */
#ifndef GF_URL_H
#define GF_URL_H

#include <stdbool.h>

#include <apr_pools.h>

/* ---- parts, as they are written ---- */

/* The parts of scheme://authority/rest in its text. Only "://" is checked: each part may be empty,
 * and hold anything. */
typedef struct gf_url_parts_t {
    const char *scheme;
    apr_size_t scheme_length;
    const char *authority; /* host and port, and a user name if there is one */
    apr_size_t authority_length;
    const char *rest; /* from the first / ? or # on; "": nothing */
} gf_url_parts_t;

/* False: there is no "://" in it, and nothing of *parts may be used. */
bool gf_url_split(gf_url_parts_t *parts, const char *text);

/* Does it begin with http:// or https://, in any case, and a host? NULL does not. */
bool gf_url_is_http(const char *text);

/* Scheme and authority, in `pool`: "https://www.example.com:8443"; NULL: it is no address. */
const char *gf_url_origin(const char *text, apr_pool_t *pool);

/* The part of `text` from the slash after host and port on; "" if that is "/", empty or no address.
 * A slash at its end stays. */
const char *gf_url_path(const char *text);

/* ---- addresses that are called for a user ---- */

typedef struct gf_url_t {
    bool https;       /* or http */
    const char *host; /* without brackets and port */
} gf_url_t;

#define GF_URL_NOT_HTTPS "must begin with https://"

/* Reads an http(s) address of at most 2048 printable ASCII characters. Refuses everything that curl
 * would interpret: credentials, backslashes, blanks, invalid ports. NULL, or the mistake for the
 * client; then *url is not to be used. The caller refuses http where only https will do. The host
 * is in `pool`. */
const char *gf_url_read(gf_url_t *url, const char *text, apr_pool_t *pool);

#endif

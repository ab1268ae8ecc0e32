/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that requests name, taken apart as far as rules need it. No I/O; any thread. */
#ifndef GF_URL_H
#define GF_URL_H

#include <stdbool.h>

#include <apr_pools.h>

typedef struct gf_url_t {
    bool https;       /* or http */
    const char *host; /* without brackets and port */
} gf_url_t;

#define GF_URL_NOT_HTTPS "must begin with https://"

/* Reads an http(s) address. NULL, or what is wrong with it, for the client; then nothing of *url
 * may be used. Where http will not do, the caller says so. */
const char *gf_url_read(gf_url_t *url, const char *text, apr_pool_t *pool);

/* The path behind scheme and host of an address, without a slash at its end; "" for none. */
const char *gf_url_path(const char *address);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Source pictures of a front's request. The same picture of a user again is the same asset, so that
 * a repeated request has the same body of ours. Request threads only. */
#ifndef FRONT_SOURCE_H
#define FRONT_SOURCE_H

#include "front/front.h"

typedef struct front_sources_t {
    apr_array_header_t *ids; /* const char *: assets of the user */
    const char *url;         /* one that is to be fetched; NULL: none */
} front_sources_t;

/* None so far. */
front_sources_t *front_sources_make(gf_req_t *req);

/* Adds one more: its bytes, whatever their announced type; or a text: a data: URI, an https address
 * (which stands alone), the address or id of an asset. Errors name `field`: SOURCE_URL;
 * ASSETS_FULL.
 */
gf_err_t *front_sources_add_bytes(front_sources_t *sources, gf_req_t *req, const char *field,
                                  const gf_bytes_t *bytes);
gf_err_t *front_sources_add_text(front_sources_t *sources, gf_req_t *req, const char *field,
                                 const char *text);

/* As members of the body of a POST {type}/generate, without brackets; NULL: there are none. */
const char *front_sources_members(const front_sources_t *sources, apr_pool_t *pool);

#endif

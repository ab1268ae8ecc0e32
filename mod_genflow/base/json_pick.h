/* SPDX-License-Identifier: Apache-2.0 */
/* Single values out of a JSON text, and into one, for callers that keep no document. Any thread. */
#ifndef BASE_JSON_PICK_H
#define BASE_JSON_PICK_H

#include <apr_pools.h>

/* The scalar at `path` ("images/0/url": names of members, or places in arrays), as text made in
 * `pool`; "" is a text, too. NULL: it is not there, is null, an object or an array, or the text is
 * no JSON within the bounds of base/json.h. */
const char *gf_json_pick(apr_pool_t *pool, const char *text, apr_size_t length, const char *path);

/* The text as a JSON string, with its quotes; NULL is null. */
const char *gf_json_quote(apr_pool_t *pool, const char *text);

#endif

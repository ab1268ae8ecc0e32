/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys of providers, by the address that they are fetched from. Requests ask for them, the
 * dispatcher fetches them. Any thread. */
#ifndef GF_KEYS_H
#define GF_KEYS_H

#include <stdbool.h>

#include <apr_pools.h>

typedef struct gf_keys_t gf_keys_t;

/* They end with `pool`. */
apr_status_t gf_keys_make(gf_keys_t **keys, apr_pool_t *pool);

/* The keys at `url`, which outlives them all, copied into pool. NULL: they are not here or not
 * fresh; from now on they are pending unless the last fetch was less than a minute ago. `newer`:
 * the ones at hand did not fit. */
const char *gf_keys_get(gf_keys_t *keys, const char *url, bool newer, apr_pool_t *pool);

/* An address whose keys are pending, or NULL. */
const char *gf_keys_pending(gf_keys_t *keys);

/* The fetched keys; NULL: the fetch failed. */
void gf_keys_put(gf_keys_t *keys, const char *url, const char *text);

#endif

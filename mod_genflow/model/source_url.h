/* SPDX-License-Identifier: Apache-2.0 */
/* The source_url of a row: the source pictures of a generation in the client's order, a line each:
 * an https address, or asset:<id> for an uploaded one. No I/O; any thread. */
#ifndef GF_SOURCE_URL_H
#define GF_SOURCE_URL_H

#include <stdbool.h>

#include <apr_pools.h>

#define GF_SOURCES_MAX 16 /* lines */

/* The number of source pictures; NULL has none. */
int gf_source_count(const char *source_url);

/* Source picture `i` (from 0) alone. */
const char *gf_source_nth(apr_pool_t *pool, const char *source_url, int i);

/* source_url with one more line; NULL: without any so far. */
const char *gf_source_append(apr_pool_t *pool, const char *source_url, const char *line);

/* The line of an uploaded picture. */
const char *gf_source_of_asset(apr_pool_t *pool, const char *id);

/* The id of the uploaded picture that one line names; NULL: it names none. */
const char *gf_source_asset_id(const char *line);

/* Is one of them uploaded? */
bool gf_source_has_asset(const char *source_url);

/* The first source picture as the wire shows it: an uploaded one has its address in the API, which
 * is mounted at `base` of `site`. NULL stays NULL. */
const char *gf_source_shown(apr_pool_t *pool, const char *source_url, const char *base,
                            const char *site);

#endif

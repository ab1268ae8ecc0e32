/* SPDX-License-Identifier: Apache-2.0 */
/* Database connections of administration. They use another role (GenflowAdminDatabase) than those
 * of requests and the background, which mod_dbd lends. They are opened on demand, a few at most,
 * and closed when no administrator's request is running. Blocks; any thread. */
#ifndef GF_LINKS_H
#define GF_LINKS_H

#include <apr_errno.h>

#include "base/ctx.h"

typedef struct gf_links_t gf_links_t;

#define GF_LINKS_MAX \
    4 /* connections of this child; one request more waits until one is given back */

/* Start: the mistake in this conninfo, or NULL. */
const char *gf_links_wrong(const char *conninfo, apr_pool_t *pool);

/* Child start, before any thread. conninfo and password (may be NULL) outlive the pool. `requests`
 * lends the connections of requests: a role that has the rights of theirs is refused for
 * administration. */
apr_status_t gf_links_make(gf_links_t **links, apr_pool_t *pool, const char *conninfo,
                           const char *password, const gf_lender_t *requests);

/* From now on the statements of ctx run on these connections, until ctx->pool ends. */
void gf_links_use(gf_links_t *links, gf_ctx_t *ctx);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Database connections of administration, apart from those that requests and the background borrow
 * from mod_dbd: another role (GenflowAdminDatabase). They are opened on demand, a few at most, and
 * closed as soon as no administrator's request is under way. Blocks; any thread. */
#ifndef GF_LINKS_H
#define GF_LINKS_H

#include <apr_errno.h>

#include "base/ctx.h"

typedef struct gf_links_t gf_links_t;

#define GF_LINKS_MAX 4 /* open at a time in this child; one more waits until one is given back */

/* Start: what is wrong with this conninfo, or NULL. */
const char *gf_links_wrong(const char *conninfo, apr_pool_t *pool);

/* Child start, before any thread. conninfo and password (may be NULL) outlive the pool. `requests`
 * lends the connections of requests: administration is refused to a role whose rights they have. */
apr_status_t gf_links_make(gf_links_t **links, apr_pool_t *pool, const char *conninfo,
                           const char *password, const gf_lender_t *requests);

/* From here on the statements of ctx run on these connections, until ctx->pool ends. */
void gf_links_use(gf_links_t *links, gf_ctx_t *ctx);

#endif

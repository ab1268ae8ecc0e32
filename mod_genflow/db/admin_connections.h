/* SPDX-License-Identifier: Apache-2.0 */
/* Database connections of administration. They use another role (GenflowAdminDatabase) than those
 * of requests and the background, which mod_dbd lends. They are opened on demand, a few at most,
 * and closed when no administrator's request is running. Blocks; any thread. */
#ifndef GF_ADMIN_CONNECTIONS_H
#define GF_ADMIN_CONNECTIONS_H

#include <apr_errno.h>

#include "base/ctx.h"

typedef struct gf_admin_connections_t gf_admin_connections_t;

/* Connections of this child; one request more waits until one is given back. */
#define GF_ADMIN_CONNECTIONS_MAX 4

/* Start: the mistake in this conninfo, or NULL. */
const char *gf_admin_connections_wrong(const char *conninfo, apr_pool_t *pool);

/* Child start, before any thread. conninfo and password (may be NULL) outlive the pool. `requests`
 * lends the connections of requests: a role that has the rights of theirs is refused for
 * administration. */
apr_status_t gf_admin_connections_make(gf_admin_connections_t **connections, apr_pool_t *pool,
                                       const char *conninfo, const char *password,
                                       const gf_lender_t *requests);

/* From now on the statements of ctx run on these connections, until ctx->pool ends. */
void gf_admin_connections_use(gf_admin_connections_t *connections, gf_ctx_t *ctx);

#endif

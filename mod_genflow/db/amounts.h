/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the amounts of credits that directives state with those of a database, by a connection
 * of its own: for a test of a configuration, when no server runs (sql/functions/amounts.sql). */
#ifndef GF_AMOUNTS_H
#define GF_AMOUNTS_H

#include <apr_pools.h>

/* Looks into the database `conninfo`, for 2 s to connect and 2 s to answer. `amounts`:
 * gf_settings_all_amounts(). *advice: the command that sets these amounts there; NULL: the database
 * has them. Returns NULL, or why it could not be looked at. Blocks; a thread of its own. */
const char *gf_amounts_compare(const char **advice, const char *conninfo, const char *amounts,
                               apr_pool_t *pool);

#endif

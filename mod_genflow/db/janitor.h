/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning up, batch by batch. The SQL functions document what they delete, when, and the locks
 * (sql/functions/janitor.sql). All block; any thread with its own context. */
#ifndef GF_JANITOR_H
#define GF_JANITOR_H

#include <apr_tables.h>

#include "db/db.h"

/* The parts to clean: *parts is of const char *. */
gf_err_t *gf_janitor_parts(apr_array_header_t **parts, gf_ctx_t *ctx);

/* Cleans up to `limit` rows of a part; *cleaned is their number. */
gf_err_t *gf_janitor_clean(int *cleaned, gf_ctx_t *ctx, const char *part, int limit);

/* Computes how long generations of each type take, unless a host did so within `age`. */
gf_err_t *gf_janitor_expect(gf_ctx_t *ctx, apr_interval_time_t age);

/* Makes further pictures of running moves between stores due; *running is the number of moves. */
gf_err_t *gf_janitor_feed_moves(int *running, gf_ctx_t *ctx);

/* The number of connections that the database accepts of our role, and the limiting setting, as
 * text. */
gf_err_t *gf_janitor_connections(int *most, const char **limit, gf_ctx_t *ctx);

#endif

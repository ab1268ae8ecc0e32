/* SPDX-License-Identifier: Apache-2.0 */
/* Moves of pictures between stores, as administrators begin, watch and stop them
 * (sql/functions/moves.sql). A move is a JSON object of the wire. As db/admin.h: any thread with
 * its own context; all block. */
#ifndef GF_ADMIN_MOVE_H
#define GF_ADMIN_MOVE_H

#include "db/db.h"

typedef struct gf_admin_move_t {
    const apr_array_header_t *types;   /* names of types: one move of each */
    const apr_array_header_t *sources; /* what addresses of pictures that move begin with */
    const char *target;                /* ... and in the new store */
    apr_interval_time_t keep;          /* how long old copies stay */
} gf_admin_move_t;

/* Begins moves: *json is their array. Errors: MOVE_RUNNING. */
gf_err_t *gf_admin_move(const char **json, gf_ctx_t *ctx, const gf_admin_move_t *move);

/* The moves of these types, newest first, at most `limit`: *moves is of const char *. */
gf_err_t *gf_admin_moves(apr_array_header_t **moves, gf_ctx_t *ctx, const apr_array_header_t *types,
                         int limit);

/* Stops the move with that number, of one of these types. Errors: NO_ROUTE, there is none;
 * MOVE_ENDED. */
gf_err_t *gf_admin_move_stop(const char **json, gf_ctx_t *ctx, apr_int64_t no,
                             const apr_array_header_t *types);

#endif

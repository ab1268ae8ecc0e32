/* SPDX-License-Identifier: Apache-2.0 */
/* What the generation types are like now: which are there, which providers are out of reach, how
 * many presets are on, and how long generations take. sql/functions/type_states.sql documents the
 * statement. Blocks; any thread with its own context. */
#ifndef GF_TYPE_STATE_H
#define GF_TYPE_STATE_H

#include "db/db.h"

/* Why a type makes no generation now. */
typedef enum {
    GF_TYPE_OPEN,
    GF_TYPE_NO_PROVIDER,  /* no provider of its chain has its key */
    GF_TYPE_BREAKER_OPEN, /* every provider of its chain has an open breaker or a spent budget */
    GF_TYPE_FAULT         /* the database lacks its table */
} gf_type_open_t;

typedef struct gf_type_state_t {
    const gf_type_t *type;
    gf_type_open_t open;
    int presets, presets_on; /* active ones, and those of them that are on now */
    apr_int64_t half, most;  /* milliseconds in which half and nine tenths of the last successes
                                took place; -1: none is known */
} gf_type_state_t;

/* The state of every configured type, in the order of configuration: *states is of
 * gf_type_state_t, in ctx->pool. One statement. */
gf_err_t *gf_type_states(apr_array_header_t **states, gf_ctx_t *ctx);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The check of the whole ledger (sql/functions/check.sql) in the background. It takes 40 s for a
 * million generations, more than a statement of DBDParams may: it has a connection of its own, and
 * no call here waits for anything. One thread at a time. */
#ifndef GF_BOOKS_H
#define GF_BOOKS_H

#include <stdbool.h>

#include "base/ctx.h"
#include "base/err.h"

typedef struct gf_books_t gf_books_t;

typedef enum {
    GF_BOOKS_UNDER_WAY,
    GF_BOOKS_NOT_DUE, /* another host has checked it, or does */
    GF_BOOKS_SOUND,
    GF_BOOKS_BROKEN, /* the text: the broken rules */
    GF_BOOKS_FAILED  /* the text: why */
} gf_books_state_t;

/* Is the newest check older than that? */
gf_err_t *gf_books_due(bool *due, gf_ctx_t *ctx, apr_interval_time_t age);

/* Begins a check unless the newest one is younger than `age`. conninfo as libpq's; it may have a
 * password, and is not logged. Not in a pool: gf_books_end() is for every outcome. NULL: no memory.
 */
gf_books_t *gf_books_begin(const char *conninfo, apr_interval_time_t age);

/* Goes on as far as the database has answered. *text, of the pool, for the last two states. */
gf_books_state_t gf_books_step(gf_books_t *books, const char **text, apr_pool_t *pool);

/* Closes the connection. A check that is under way ends in the database by itself. */
void gf_books_end(gf_books_t *books);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one statement on a borrowed connection: one statement is one transaction is one round trip.
 * The connection goes back before the caller sees the rows. The only user of libpq. Any thread; it
 * blocks. */
#ifndef GF_DB_H
#define GF_DB_H

#include "base/err.h"
#include "db/rows.h"
#include "db/sql.h"
#include "model/conf.h"

/* Calls `statement`, of `type` (NULL for a statement of no type), with the struct `in` that its
 * parameters are members of (NULL if it has none). *rows are for gf_rows_read(). A dead connection
 * is mended and the statement sent once more. The first one may have been committed: a statement
 * that would answer otherwise then gets the token of the call along (ctx->call, else one of this
 * call alone), and answers the same. A connection that is silent for longer than statement_timeout
 * and GF_ANSWER_MARGIN is given up (DB_DOWN), and the statement is not sent again. Errors: DB_DOWN
 * (503, Retry-After), DB_SCHEMA (something is missing in the database), INVALID (a value that the
 * database cannot hold), INTERNAL. `raced` (may be NULL) is set instead of an error when the
 * statement lost a race for credits (SQLSTATE class GF): call again. */
gf_err_t *gf_db_call(gf_rows_t **rows, gf_ctx_t *ctx, const gf_statement_t *statement,
                     const gf_type_t *type, const void *in, bool *raced);

/* gf_db_call() for a statement that holds credits. If another one took the credits between its
 * check and its hold, it is called again, and then refuses in its row. DB_DOWN if that happens
 * repeatedly. */
gf_err_t *gf_db_call_hold(gf_rows_t **rows, gf_ctx_t *ctx, const gf_statement_t *statement,
                          const gf_type_t *type, const void *in);

/* gf_db_call() of a statement that always returns one row, which is stored to `out`. */
gf_err_t *gf_db_one(void *out, gf_ctx_t *ctx, const gf_statement_t *statement,
                    const gf_type_t *type, const void *in);

/* gf_db_call() of a statement of no type, and all its rows: an array of its columns' struct. */
gf_err_t *gf_db_list(apr_array_header_t **list, gf_ctx_t *ctx, const gf_statement_t *statement,
                     const void *in);

/* gf_db_call() of a statement of no type, without its result. */
gf_err_t *gf_db_do(gf_ctx_t *ctx, const gf_statement_t *statement, const void *in);

/* The outcome of an act on an object of a user. */
typedef enum {
    GF_OWNED, /* the act took place */
    GF_OWNED_NOT_FOUND,
    GF_OWNED_NOT_YOURS,
    GF_OWNED_STATUS,    /* the status of the generation does not allow it */
    GF_OWNED_RESTORED,  /* nothing is begun before genflow.resume() */
    GF_OWNED_TOO_LARGE, /* it has no room for that */
    GF_OWNED_MORE       /* no object: where a list goes on (gf_steer_history()) */
} gf_owned_t;

/* SQL's words for these outcomes, for a GF_COLUMN_WORD(): "ok", "not_found", "not_yours",
 * "invalid_status", "restored", "too_large", "more". A word that is not here is INTERNAL. */
extern const gf_sql_word_t gf_db_owned_words[];

/* The error of NOT_FOUND (`none` is its code) or NOT_YOURS; NULL for any other. `what` is the kind
 * of object, `id` the one that `user` named. */
gf_err_t *gf_db_owned(gf_ctx_t *ctx, gf_owned_t outcome, gf_err_code_t none, const char *what,
                      const char *user, const char *id);

/* Address of the database of that connection, on all of its hosts: words for libpq, without a
 * password. */
const char *gf_db_address(const gf_connection_t *connection, apr_pool_t *pool);

/* Does the database accept connections there? Connects without a password, for 2 s at most; blocks.
 */
bool gf_db_listens(const char *address);

/* The name of `only`, or of each type that ctx->conf offers (NULL), as an array of Postgres. */
const char *gf_db_types(gf_ctx_t *ctx, const gf_type_t *only);

/* The names of the types of all virtual hosts, in the order of their indices. */
const char *gf_db_all_types(gf_ctx_t *ctx);

#endif

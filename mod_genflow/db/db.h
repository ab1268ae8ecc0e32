/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one statement on a borrowed connection: one statement is one transaction is one round trip.
 * The connection is given back before the caller sees the rows. The only user of libpq. Any thread;
 * it blocks. */
#ifndef GF_DB_H
#define GF_DB_H

#include "base/err.h"
#include "db/sql.h"
#include "model/conf.h"

/* The rows of an answer; they live in the context's pool. */
typedef struct gf_rows_t gf_rows_t;

/* Calls `statement`, of `type` (NULL for a statement of no type), with its text arguments (NULL is
 * SQL's NULL). A dead connection is mended and the statement sent once more. The first one may have
 * been committed: a statement that would answer otherwise then gets the token of the call along
 * (ctx->call, else one of this call alone), and answers the same. A connection that is silent for
 * longer than statement_timeout and GF_ANSWER_MARGIN is given up (DB_DOWN), and the statement is
 * not sent again. Errors: DB_DOWN (503, Retry-After), DB_SCHEMA (something is missing in the
 * database), INVALID (a value that the database cannot hold), INTERNAL. `raced` (may be NULL) is
 * set instead of an error when the statement lost a race for credits (SQLSTATE class GF): ask
 * again. */
gf_err_t *gf_db_call(gf_rows_t **rows, gf_ctx_t *ctx, gf_sql_t statement, const gf_type_t *type,
                     const char *const *args, bool *raced);

/* gf_db_call() for a statement that holds credits: where they went between its look and its hold it
 * is asked again, and tells so in its row. DB_DOWN also when that happens over and over. */
gf_err_t *gf_db_call_hold(gf_rows_t **rows, gf_ctx_t *ctx, gf_sql_t statement,
                          const gf_type_t *type, const char *const *args);

/* The error of an outcome that is "not_found" (`none` is the code of that) or "not_yours"; NULL for
 * any other. `what` is the kind of thing, `id` what `user` asked for. */
gf_err_t *gf_db_owned(gf_ctx_t *ctx, const char *outcome, gf_err_code_t none, const char *what,
                      const char *user, const char *id);

/* Where the database of that connection listens, on all of its hosts: words that libpq reads,
 * without a password. */
const char *gf_db_address(const gf_link_t *link, apr_pool_t *pool);

/* Does it take connections there? Asks without a password, for 2 s at most; blocks. */
bool gf_db_listens(const char *address);

/* The name of `only`, or of each configured type (NULL), as an array of Postgres. */
const char *gf_db_types(gf_ctx_t *ctx, const gf_type_t *only);

int gf_rows_count(const gf_rows_t *rows);

/* A field as text; NULL for SQL's NULL. */
const char *gf_rows_text(const gf_rows_t *rows, int row, int column);
apr_int64_t gf_rows_int(const gf_rows_t *rows, int row, int column); /* NULL: 0 */
bool gf_rows_bool(const gf_rows_t *rows, int row, int column);       /* NULL: false */

/* The first field of each row: an array of const char *. */
apr_array_header_t *gf_rows_texts(const gf_rows_t *rows, apr_pool_t *pool);

#endif

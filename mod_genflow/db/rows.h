/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a statement's result, read into C structs by the statement's columns. They live in
 * the pool of the calling context, and so do their texts. Nothing here blocks; the thread of that
 * context. */
#ifndef GF_ROWS_H
#define GF_ROWS_H

#include <apr_tables.h>

#include "base/err.h"
#include "db/sql.h"

typedef struct gf_rows_t gf_rows_t;

/* result: libpq's PGresult of `statement`, which ends with `pool`. */
gf_rows_t *gf_rows_make(void *result, const gf_statement_t *statement, apr_pool_t *pool);

int gf_rows_count(const gf_rows_t *rows);

/* Fills the struct of the statement's columns from row `row`. Members without a column do not
 * change. pool: texts are copied to it; NULL: they live as long as the rows. Error: INTERNAL, a
 * word that the table of its column does not have. */
gf_err_t *gf_rows_read(void *out, gf_ctx_t *ctx, const gf_rows_t *rows, int row, apr_pool_t *pool);

/* All rows: *list is an array of the statement's struct. */
gf_err_t *gf_rows_list(apr_array_header_t **list, gf_ctx_t *ctx, const gf_rows_t *rows);

#endif

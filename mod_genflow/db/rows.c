/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what PQgetvalue() has by the columns that the statement's text was printed from. */
#include "db/rows.h"

#include <apr_strings.h>
#include <libpq-fe.h>

struct gf_rows_t {
    PGresult *result;
    const gf_statement_t *statement;
};

static apr_status_t clear_result(void *result)
{
    PQclear(result);
    return APR_SUCCESS;
}

gf_rows_t *gf_rows_make(void *result, const gf_statement_t *statement, apr_pool_t *pool)
{
    gf_rows_t *rows = apr_palloc(pool, sizeof(*rows));

    apr_pool_cleanup_register(pool, result, clear_result, apr_pool_cleanup_null);
    rows->result = result;
    rows->statement = statement;
    return rows;
}

int gf_rows_count(const gf_rows_t *rows)
{
    return PQntuples(rows->result);
}

/* The database is of another version than this module. */
static gf_err_t *unknown_word(gf_ctx_t *ctx, const gf_statement_t *statement,
                              const gf_sql_field_t *column, const char *word)
{
    return gf_err_make(ctx, GF_E_INTERNAL, APR_SUCCESS,
                       "%s answered %s %s%s%s, which this module does not know: run the sql/apply "
                       "of its version, or update it",
                       statement->label, column->name, word ? "'" : "", word ? word : "NULL",
                       word ? "'" : "");
}

gf_err_t *gf_rows_read(void *out, gf_ctx_t *ctx, const gf_rows_t *rows, int row, apr_pool_t *pool)
{
    const gf_statement_t *statement = rows->statement;
    int i;

    for (i = 0; i < statement->column_count; i++) {
        const gf_sql_field_t *column = &statement->columns[i];
        const char *text =
            PQgetisnull(rows->result, row, i) ? NULL : PQgetvalue(rows->result, row, i);

        if (pool && column->kind == GF_SQL_TEXT) {
            text = apr_pstrdup(pool, text);
        }
        if (!gf_sql_store(out, column, text)) {
            return unknown_word(ctx, statement, column, text);
        }
    }
    return NULL;
}

gf_err_t *gf_rows_list(apr_array_header_t **list, gf_ctx_t *ctx, const gf_rows_t *rows)
{
    int count = gf_rows_count(rows);
    int row;

    *list = apr_array_make(ctx->pool, count + 1, (int)rows->statement->row_size);
    for (row = 0; row < count; row++) {
        GF_TRY(gf_rows_read(apr_array_push(*list), ctx, rows, row, NULL));
    }
    return NULL;
}

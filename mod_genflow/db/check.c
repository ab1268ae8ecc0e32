/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the rows of all statements with the catalogs. The one statement that is written out: the
 * functions may be those of another version. */
#include "db/check.h"

#include <apr_strings.h>

#include "model/servers.h"

typedef struct missing_in_t {
    const char *labels, *functions, *names; /* arrays of the same length */
} missing_in_t;

typedef struct missing_row_t {
    const char *label, *name;
} missing_row_t;

static const gf_sql_field_t missing_params[] = { GF_PARAM(missing_in_t, labels),
                                                 GF_PARAM(missing_in_t, functions),
                                                 GF_PARAM(missing_in_t, names) };
static const gf_sql_field_t missing_columns[] = { GF_COLUMN(missing_row_t, label),
                                                  GF_COLUMN(missing_row_t, name) };

/* The names of a function: its parameters, its OUT parameters, and the columns of the type that it
 * returns. For a missing function only its own name is reported. As joins, the look-ups by key
 * would be estimated as dear enough for the database to compile them, for a second at each child's
 * start. */
GF_STATEMENT(schema_missing, .function = "", GF_PARAMS(missing_params),
             GF_COLUMNS(missing_row_t, missing_columns),
             .text = "WITH have AS ("
                     "SELECT p.proname AS function, array_agg(n.name) AS names"
                     " FROM pg_catalog.pg_proc p"
                     " CROSS JOIN LATERAL (SELECT ''"
                     " UNION ALL SELECT pg_catalog.unnest(p.proargnames)"
                     " UNION ALL SELECT a.attname::text FROM pg_catalog.pg_attribute a"
                     " WHERE a.attrelid = (SELECT t.typrelid FROM pg_catalog.pg_type t"
                     " WHERE t.oid = p.prorettype) AND NOT a.attisdropped) AS n(name)"
                     " WHERE p.pronamespace = pg_catalog.to_regnamespace('genflow')"
                     " GROUP BY p.proname)"
                     " SELECT DISTINCT w.label,"
                     " CASE WHEN h.names IS NULL THEN w.function || '()' ELSE w.name END AS name"
                     " FROM ROWS FROM (pg_catalog.unnest($1::text[]),"
                     " pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]))"
                     " AS w(label, function, name)"
                     " LEFT JOIN have h ON h.function = w.function"
                     " WHERE h.names IS NULL OR w.name <> ALL (h.names) ORDER BY 1, 2");

/* The names that a statement needs of one function. */
typedef struct needed_t {
    apr_array_header_t *labels, *functions, *names; /* of const char * */
} needed_t;

static void add_name(needed_t *needed, const gf_statement_t *statement, const char *function,
                     const char *name)
{
    APR_ARRAY_PUSH(needed->labels, const char *) = statement->label;
    APR_ARRAY_PUSH(needed->functions, const char *) = function;
    APR_ARRAY_PUSH(needed->names, const char *) = name;
}

static void add_function(needed_t *needed, const gf_statement_t *statement, const char *function)
{
    int i;

    add_name(needed, statement, function, "\"\"");
    for (i = 0; i < statement->param_count; i++) {
        add_name(needed, statement, function, statement->params[i].name);
    }
    for (i = 0; !statement->is_value && i < statement->column_count; i++) {
        if (!statement->columns[i].expression) {
            add_name(needed, statement, function, statement->columns[i].name);
        }
    }
    if (statement->has_by) {
        add_name(needed, statement, function, "p_by");
    }
    if (statement->has_call) {
        add_name(needed, statement, function, "p_call");
    }
    if (statement->has_again) {
        add_name(needed, statement, function, "p_again");
    }
}

static void add_statement(needed_t *needed, gf_ctx_t *ctx, const gf_statement_t *statement)
{
    const apr_array_header_t *types = gf_servers_types(ctx->conf);
    int i;

    if (!gf_sql_is_typed(statement)) {
        add_function(needed, statement, statement->function);
        return;
    }
    for (i = 0; i < types->nelts; i++) {
        add_function(needed, statement,
                     apr_psprintf(ctx->pool, statement->function,
                                  APR_ARRAY_IDX(types, i, const gf_type_t *)->prefix));
    }
}

static const char *array_text(apr_pool_t *pool, const apr_array_header_t *texts)
{
    return apr_pstrcat(pool, "{", apr_array_pstrcat(pool, texts, ','), "}", NULL);
}

gf_err_t *gf_check_missing(const char **missing, gf_ctx_t *ctx)
{
    needed_t needed = { .labels = apr_array_make(ctx->pool, 1000, sizeof(const char *)),
                        .functions = apr_array_make(ctx->pool, 1000, sizeof(const char *)),
                        .names = apr_array_make(ctx->pool, 1000, sizeof(const char *)) };
    apr_array_header_t *rows;
    missing_in_t in;
    int i;

    for (i = 0; i < GF_SQL_COUNT; i++) {
        if (!gf_statements[i]->text) {
            add_statement(&needed, ctx, gf_statements[i]);
        }
    }
    in.labels = array_text(ctx->pool, needed.labels);
    in.functions = array_text(ctx->pool, needed.functions);
    in.names = array_text(ctx->pool, needed.names);
    GF_TRY(gf_db_list(&rows, ctx, &gf_sql_schema_missing, &in));
    *missing = NULL;
    for (i = 0; i < rows->nelts; i++) {
        const missing_row_t *row = &APR_ARRAY_IDX(rows, i, missing_row_t);

        *missing = apr_pstrcat(ctx->pool, *missing ? *missing : "", *missing ? ", " : "",
                               row->label, ": ", row->name, NULL);
    }
    return NULL;
}

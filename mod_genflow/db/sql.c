/* SPDX-License-Identifier: Apache-2.0 */
/* Prints statements, writes their parameters and reads their columns, each by its rows. Leaves
 * sending to db.c, and the rows to the files whose statements they are. */
#include "db/sql.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/text.h"

const gf_statement_t *const gf_statements[GF_SQL_COUNT] = {
#define GF_SQL_ROW(label) [GF_SQL_##label] = &gf_sql_##label,
    GF_STATEMENTS(GF_SQL_ROW)
#undef GF_SQL_ROW
};

bool gf_sql_is_typed(const gf_statement_t *statement)
{
    return strncmp(statement->function, "%s", 2) == 0;
}

/* ---- arrays ---- */

static const char *quoted(const char *text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, 2 * strlen(text) + 3);
    char *end = out;

    *end++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            *end++ = '\\';
        }
        *end++ = *text;
    }
    *end++ = '"';
    *end = '\0';
    return out;
}

const char *gf_sql_array(const apr_array_header_t *texts, apr_pool_t *pool)
{
    apr_array_header_t *elements = apr_array_make(pool, texts->nelts, sizeof(const char *));
    int i;

    for (i = 0; i < texts->nelts; i++) {
        APR_ARRAY_PUSH(elements, const char *) =
            quoted(APR_ARRAY_IDX(texts, i, const char *), pool);
    }
    return apr_pstrcat(pool, "{", apr_array_pstrcat(pool, elements, ','), "}", NULL);
}

/* ---- the text ---- */

/* Named, so that the order of the function's own parameters does not matter either. */
static const char *params_text(const gf_statement_t *statement, apr_pool_t *pool)
{
    int count = statement->param_count;
    const char *text = "";
    int i;

    for (i = 0; i < statement->param_count; i++) {
        text = apr_psprintf(pool, "%s%s%s => $%d", text, i ? ", " : "", statement->params[i].name,
                            i + 1);
    }
    if (statement->has_by) {
        text = apr_psprintf(pool, "%s%sp_by => $%d", text, count ? ", " : "", count + 1);
        count++;
    }
    if (statement->has_call) {
        text = apr_psprintf(pool, "%s%sp_call => $%d", text, count ? ", " : "", count + 1);
        count++;
    }
    if (statement->has_again) {
        text = apr_psprintf(pool, "%s%sp_again => $%d", text, count ? ", " : "", count + 1);
    }
    return text;
}

static const char *columns_text(const gf_statement_t *statement, apr_pool_t *pool)
{
    const char *text = "";
    int i;

    for (i = 0; i < statement->column_count; i++) {
        const gf_sql_field_t *column = &statement->columns[i];

        text = column->expression ? apr_psprintf(pool, "%s%s%s AS %s", text, i ? ", " : "",
                                                 column->expression, column->name)
                                  : apr_pstrcat(pool, text, i ? ", " : "", column->name, NULL);
    }
    return text;
}

const char *gf_sql_text(const gf_statement_t *statement, const char *prefix, apr_pool_t *pool)
{
    const char *function =
        prefix ? apr_psprintf(pool, statement->function, prefix) : statement->function;
    const char *params = params_text(statement, pool);

    if (statement->text) {
        return statement->text;
    }
    if (statement->is_value) {
        return apr_psprintf(pool, "SELECT genflow.%s(%s) AS %s", function, params,
                            statement->column_count ? statement->columns[0].name : "nothing");
    }
    return apr_psprintf(pool, "SELECT %s FROM genflow.%s(%s)", columns_text(statement, pool),
                        function, params);
}

/* ---- parameters ---- */

static const char *number_text(apr_int64_t number, const gf_sql_field_t *param, apr_pool_t *pool)
{
    if (param->has_null && number == param->null) {
        return NULL;
    }
    return param->kind == GF_SQL_INTERVAL ? gf_text_interval(pool, number)
                                          : apr_psprintf(pool, "%" APR_INT64_T_FMT, number);
}

int gf_sql_args(const char **args, const gf_statement_t *statement, const void *in,
                apr_pool_t *pool)
{
    int i;

    for (i = 0; i < statement->param_count; i++) {
        const gf_sql_field_t *param = &statement->params[i];
        const void *member = (const char *)in + param->offset;

        switch (param->kind) {
        case GF_SQL_INT:
            args[i] = number_text(*(const int *)member, param, pool);
            break;
        case GF_SQL_INT64:
        case GF_SQL_INTERVAL:
            args[i] = number_text(*(const apr_int64_t *)member, param, pool);
            break;
        case GF_SQL_BOOL:
            args[i] = *(const bool *)member ? "true" : "false";
            break;
        case GF_SQL_HEX:
            args[i] = *(const char *const *)member;
            args[i] = args[i] ? apr_pstrcat(pool, "\\x", args[i], NULL) : NULL;
            break;
        default:
            args[i] = *(const char *const *)member;
        }
    }
    return statement->param_count;
}

/* ---- columns ---- */

static bool store_word(int *member, const gf_sql_word_t *row, const char *word)
{
    while (row->word && (!word || strcmp(row->word, word) != 0)) {
        row++;
    }
    if ((word && !row->word) || row->value == GF_SQL_NO_WORD) {
        return false;
    }
    *member = row->value;
    return true;
}

bool gf_sql_store(void *out, const gf_sql_field_t *column, const char *text)
{
    void *member = (char *)out + column->offset;

    switch (column->kind) {
    case GF_SQL_INT:
        *(int *)member = (int)(text ? apr_atoi64(text) : column->null);
        return true;
    case GF_SQL_INT64:
        *(apr_int64_t *)member = text ? apr_atoi64(text) : column->null;
        return true;
    case GF_SQL_BOOL:
        *(bool *)member = text && text[0] == 't';
        return true;
    case GF_SQL_WORD:
        return store_word(member, column->words, text);
    default:
        *(const char **)member = text;
        return true;
    }
}

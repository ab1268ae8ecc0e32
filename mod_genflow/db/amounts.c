/* SPDX-License-Identifier: Apache-2.0 */
/* One connection and one statement. Leaves where it runs, and what is said, to httpd/amounts.c. */
#include "db/amounts.h"

#include <string.h>

#include <apr_strings.h>
#include <libpq-fe.h>

/* libpq's words, the first line alone. */
static const char *words_of(const char *words, apr_pool_t *pool)
{
    return apr_pstrmemdup(pool, words, strcspn(words, "\n"));
}

static const char *ask(const char **advice, PGconn *pg, const char *amounts, apr_pool_t *pool)
{
    const char *const values[] = { amounts };
    const char *wrong = NULL;
    PGresult *result;

    PQclear(PQexec(pg, "SET statement_timeout = '2s'"));
    result = PQexecParams(pg, "SELECT genflow.amounts_advice($1::text[])", 1, NULL, values, NULL,
                          NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
        wrong = words_of(PQresultErrorMessage(result), pool);
    }
    else if (!PQgetisnull(result, 0, 0)) {
        *advice = apr_pstrdup(pool, PQgetvalue(result, 0, 0));
    }
    PQclear(result);
    return wrong;
}

const char *gf_amounts_compare(const char **advice, const char *conninfo, const char *amounts,
                               apr_pool_t *pool)
{
    const char *const names[] = { "dbname", "connect_timeout", NULL };
    const char *const values[] = { conninfo, "2", NULL };
    PGconn *pg = PQconnectdbParams(names, values, 1);
    const char *wrong = NULL;

    *advice = NULL;
    if (PQstatus(pg) != CONNECTION_OK) {
        wrong = pg ? words_of(PQerrorMessage(pg), pool) : "no memory";
    }
    else {
        wrong = ask(advice, pg, amounts, pool);
    }
    PQfinish(pg);
    return wrong;
}

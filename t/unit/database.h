/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests of db/ share: a lender of one connection, and the database of the harness of
 * make check. There each test program has a type of its own, so that it, the others and the
 * dispatcher of the harness leave each other alone. */
#ifndef DATABASE_H
#define DATABASE_H

#include <libpq-fe.h>

#include "db/db.h"
#include "unit.h"

#define NO_ID "00000000-0000-0000-0000-000000000000"

/* ---- a lender of one connection ---- */

static PGconn *link_pg;
static int lent;

static inline bool take_connection(gf_connection_t *connection, apr_pool_t *pool, void *baton)
{
    (void)pool;
    (void)baton;
    ck_assert_msg(lent == 0, "two connections at a time");
    lent++;
    unit.taken++;
    connection->pg = link_pg;
    return true;
}

static inline void give_connection(gf_connection_t *connection, void *baton)
{
    (void)baton;
    ck_assert_ptr_eq(connection->pg, link_pg);
    lent--;
}

static inline void lend(const char *conninfo)
{
    link_pg = PQconnectdb(conninfo);
    unit.lender.take = take_connection;
    unit.lender.give = give_connection;
    unit.conf.lease = apr_time_from_sec(30);
    unit.conf.credit_day = "UTC";
}

static inline void end(void)
{
    ck_assert_msg(lent == 0, "a connection was not given back");
    PQfinish(link_pg);
}

/* ---- the database of the harness ---- */

/* The harness says where its database is, and that it is the harness. */
static inline bool in_harness(void)
{
    const char *host = getenv("PGHOST");
    const char *work = getenv("GENFLOW_WORK");

    return host && work && work[0] == '/' && strcmp(host, work) == 0;
}

/* Runs SQL as the owner and returns the first field, or "". */
static inline const char *as_owner(const char *sql)
{
    static char field[256];
    PGconn *pg = PQconnectdb("dbname=genflow");
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    bool is_good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;

    if (!is_good) {
        fprintf(stderr, "%s: %s", sql, PQerrorMessage(pg));
    }
    apr_cpystrn(field, is_good && PQntuples(result) ? PQgetvalue(result, 0, 0) : "", sizeof(field));
    PQclear(result);
    PQfinish(pg);
    return is_good ? field : NULL;
}

static inline void lend_app(void)
{
    lend("dbname=genflow user=genflow_app");
    ck_assert_msg(PQstatus(link_pg) == CONNECTION_OK, "%s", PQerrorMessage(link_pg));
}

/* Makes the type, and ends what an interrupted run of its tests left in the queue. */
static inline bool make_type(const gf_type_t *made)
{
    char sql[600];

    apr_snprintf(sql, sizeof(sql), "SELECT genflow.create_type('%s')", made->name);
    if (!as_owner(sql)) {
        return false;
    }
    apr_snprintf(sql, sizeof(sql),
                 "SELECT genflow.%s_settle(w.job_id, NULL, 'cancelled', NULL, NULL, NULL, NULL,"
                 " NULL, NULL, NULL, NULL, NULL, NULL) FROM genflow.work w"
                 " JOIN genflow.types t ON t.no = w.type_no WHERE t.name = '%s'",
                 made->prefix, made->name);
    return as_owner(sql) != NULL;
}

/* Runs those tests that need no database and, in the harness, the others too. */
static inline int run_with_database(const char *name, const gf_type_t *type,
                                    const TTest *const *without, const TTest *const *with)
{
    const TTest *tests[40] = { NULL };
    int count = 0;

    while (*without) {
        tests[count++] = *without++;
    }
    if (!in_harness()) {
        printf("# not in the harness of make check: only what needs no database is tested\n");
        fflush(stdout);
        return unit_run(name, tests);
    }
    while (*with) {
        tests[count++] = *with++;
    }
    return make_type(type) ? unit_run(name, tests) : EXIT_FAILURE;
}

#endif

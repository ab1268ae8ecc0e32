/* SPDX-License-Identifier: Apache-2.0 */
/* The table of causes, and a connection of its own that learns the SQLSTATE of a refusal: libpq
 * shows that one in its text alone, and mod_dbd shows it in its own log. */
#include "db/cause.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/clock.h"

#define STATE_LENGTH 5

/* By the beginning of the SQLSTATE; the first that fits. */
static const struct {
    const char *begins;
    gf_cause_t cause;
} causes[] = {
    { "3D000",
      { "database_missing",
        "the database that DBDParams names does not exist: correct dbname, or create it and run "
        "sql/apply" } },
    { "28",
      { "database_login", "PostgreSQL refuses the role or the password of DBDParams: correct them, "
                          "or pg_hba.conf" } },
    { "42501",
      { "database_role",
        "the role of DBDParams may not use this database: run sql/apply with --role and its "
        "name" } },
    { "3F000",
      { "database_empty",
        "this database has no schema genflow: correct dbname in DBDParams, or run sql/apply" } },
    { "53300",
      { "database_full",
        "PostgreSQL has no connection left: lower DBDMax, or raise max_connections" } },
    { "58P01",
      { "database_upgraded",
        "PostgreSQL does not find files of its own, as after an upgrade of its package while it "
        "runs: restart PostgreSQL" } },
    { "42", { "schema_old", "the database is older than this module: run sql/apply" } },
    { "",
      { "database_unreachable",
        "see that PostgreSQL runs and accepts the connection of DBDParams" } },
};

const gf_cause_t *gf_cause_of(const char *sqlstate)
{
    size_t i = 0;

    while (strncmp(sqlstate ? sqlstate : "", causes[i].begins, strlen(causes[i].begins)) != 0) {
        i++;
    }
    return &causes[i].cause;
}

/* Goes on as far as possible; false: not within the bound. */
static bool wait_for_socket(PGconn *pg, bool writes, apr_time_t end)
{
    struct pollfd socket = { .fd = PQsocket(pg), .events = writes ? POLLOUT : POLLIN };
    apr_interval_time_t left = end - gf_clock_now();
    int count;

    do {
        count = left > 0 ? poll(&socket, 1, (int)apr_time_as_msec(left) + 1) : 0;
    } while (count < 0 && errno == EINTR);
    return count > 0;
}

/* The SQLSTATE at the end of "FATAL:  3D000\n", whatever the server's language; "": there is none.
 */
static void read_state(char state[STATE_LENGTH + 1], const char *text)
{
    size_t length = strlen(text);
    const char *at;

    while (length > 0 && text[length - 1] == '\n') {
        length--;
    }
    at = text + (length > STATE_LENGTH ? length - STATE_LENGTH : 0);
    state[0] = '\0';
    if (length > STATE_LENGTH && at[-1] == ' '
        && strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= STATE_LENGTH) {
        memcpy(state, at, STATE_LENGTH);
        state[STATE_LENGTH] = '\0';
    }
}

const gf_cause_t *gf_cause_of_refusal(const char *conninfo, apr_interval_time_t bound)
{
    apr_time_t end = gf_clock_now() + bound;
    PGconn *pg = PQconnectStart(conninfo);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    const gf_cause_t *cause = NULL;
    char state[STATE_LENGTH + 1];

    if (pg && PQstatus(pg) != CONNECTION_BAD) {
        PQsetErrorVerbosity(pg, PQERRORS_SQLSTATE);
        while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED
               && wait_for_socket(pg, status == PGRES_POLLING_WRITING, end)) {
            status = PQconnectPoll(pg);
        }
    }
    if (!pg || PQstatus(pg) != CONNECTION_OK) {
        read_state(state, pg ? PQerrorMessage(pg) : "");
        cause = gf_cause_of(state);
    }
    PQfinish(pg);
    return cause;
}

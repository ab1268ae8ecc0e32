/* SPDX-License-Identifier: Apache-2.0 */
/* Opens, bounds and closes the connections of administration, and compares their role with that of
 * requests. Leaves statements to db/db.c. */
#include "db/admin_connections.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <libpq-fe.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/answer.h"

/* Placed before the conninfo, which may override it. */
#define CONNECT_SECONDS "2"
#define UNANSWERED_MS   "10000" /* of TCP: bounds a statement on a connection that died silently */
#define OPTIONS         "-c statement_timeout=30000 -c lock_timeout=2000"

struct gf_admin_connections_t {
    const char *conninfo;
    const char *password; /* or NULL */
    const gf_lender_t *requests;
    apr_thread_mutex_t *mutex; /* guards everything below */
    apr_thread_cond_t *given;
    PGconn *idle[GF_ADMIN_CONNECTIONS_MAX];
    int idle_count;
    int open;  /* idle or taken */
    int users; /* requests of administrators under way */
};

/* A lender's baton: the connections, and whose lines a failure to connect belongs to. */
typedef struct use_t {
    gf_admin_connections_t *connections;
    gf_lender_t lender;
    gf_ctx_t ctx;
} use_t;

/* ---- the configuration ---- */

static const char *value_of(const PQconninfoOption *options, const char *name)
{
    for (; options->keyword; options++) {
        if (strcmp(options->keyword, name) == 0) {
            return options->val && *options->val ? options->val : NULL;
        }
    }
    return NULL;
}

const char *gf_admin_connections_wrong(const char *conninfo, apr_pool_t *pool)
{
    char *says = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &says);
    const char *wrong = NULL;

    if (!options) {
        wrong = says ? apr_pstrdup(pool, says) : "it cannot be read";
        PQfreemem(says);
        return apr_psprintf(pool, "must be a connection string of libpq: %s", wrong);
    }
    if (!value_of(options, "user")) {
        wrong = "must name user=, the role that sql/apply --admin-role made: without it libpq "
                "takes the name of httpd's user, whose role requests have";
    }
    else if (value_of(options, "password")) {
        wrong = "must not contain a password: put it into the first line of a file and name that "
                "file in GenflowAdminPassword";
    }
    PQconninfoFree(options);
    return wrong;
}

/* ---- a connection ---- */

/* libpq's error text, in one line. */
static const char *words_of(PGconn *pg, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, PQerrorMessage(pg));
    char *at = text;

    while ((at = strchr(at, '\n'))) {
        *at = at[1] ? ' ' : '\0';
    }
    return text;
}

/* The role of the connections of requests; NULL: no connection is available now. */
static const char *role_of_requests(const gf_admin_connections_t *connections, apr_pool_t *pool)
{
    const char *role;
    gf_connection_t connection;

    if (!connections->requests->take(&connection, pool, connections->requests->baton)) {
        return NULL;
    }
    role = apr_pstrdup(pool, PQuser(connection.pg));
    connections->requests->give(&connection, connections->requests->baton);
    return role;
}

/* Has `role` all rights of administration, or those of this connection's role? Then it would be no
 * barrier. -1: the database cannot answer. */
static int has_rights(PGconn *pg, const char *role)
{
    static const char query[] = "SELECT pg_has_role($1::name, current_user, 'MEMBER')"
                                " OR pg_has_role($1::name, 'genflow_administration', 'MEMBER')";
    bool silent = false;
    PGresult *result =
        gf_answer_wait(&silent, pg, PQsendQueryParams(pg, query, 1, NULL, &role, NULL, NULL, 0),
                       gf_clock_now() + GF_ANSWER_DEFAULT);
    int has = PQresultStatus(result) == PGRES_TUPLES_OK ? *PQgetvalue(result, 0, 0) == 't' : -1;

    PQclear(result);
    return has;
}

static PGconn *open_connection(const gf_admin_connections_t *connections, const gf_ctx_t *ctx)
{
    const char *const names[] = { "connect_timeout",
                                  "tcp_user_timeout",
                                  "options",
                                  "dbname",
                                  connections->password ? "password" : NULL,
                                  NULL };
    const char *const values[] = { CONNECT_SECONDS,       UNANSWERED_MS,         OPTIONS,
                                   connections->conninfo, connections->password, NULL };
    const char *requests = role_of_requests(connections, ctx->pool);
    PGconn *pg;
    int has;

    if (!requests) {
        return NULL; /* the lender has logged why */
    }
    pg = PQconnectdbParams(names, values, 1);
    if (PQstatus(pg) != CONNECTION_OK) {
        gf_log(ctx, GF_LOG_ERR, APR_SUCCESS, "GF0681",
               "administration cannot connect to its database: %s. Check GenflowAdminDatabase and "
               "GenflowAdminPassword",
               words_of(pg, ctx->pool));
        PQfinish(pg);
        return NULL;
    }
    has = has_rights(pg, requests);
    if (has == 0) {
        return pg;
    }
    if (has < 0) {
        gf_log(ctx, GF_LOG_ERR, APR_SUCCESS, "GF0682",
               "administration stays closed: the rights of its roles cannot be read: "
               "%s. Run sql/apply --role %s --admin-role %s",
               words_of(pg, ctx->pool), requests, PQuser(pg));
    }
    else {
        gf_log(ctx, GF_LOG_ERR, APR_SUCCESS, "GF0683",
               "administration stays closed: the role of DBDParams, %s, has the rights of the role "
               "of GenflowAdminDatabase, %s, so that a thief of DBDParams could administer. "
               "Connect requests as a role that is no superuser and no member of it: sql/apply "
               "--role NAME --admin-role %s",
               requests, PQuser(pg), PQuser(pg));
    }
    PQfinish(pg);
    return NULL;
}

/* ---- lending ---- */

static bool take_connection(gf_connection_t *connection, apr_pool_t *pool, void *baton)
{
    use_t *use = baton;
    gf_admin_connections_t *connections = use->connections;
    PGconn *pg = NULL;

    (void)pool;
    apr_thread_mutex_lock(connections->mutex);
    while (connections->idle_count == 0 && connections->open == GF_ADMIN_CONNECTIONS_MAX) {
        apr_thread_cond_wait(connections->given, connections->mutex);
    }
    if (connections->idle_count > 0) {
        pg = connections->idle[--connections->idle_count];
    }
    else {
        connections->open++;
    }
    apr_thread_mutex_unlock(connections->mutex);
    if (!pg) {
        pg = open_connection(connections, &use->ctx);
    }
    if (!pg) {
        apr_thread_mutex_lock(connections->mutex);
        connections->open--;
        apr_thread_cond_signal(connections->given);
        apr_thread_mutex_unlock(connections->mutex);
        return false;
    }
    connection->pg = pg;
    connection->owner = NULL;
    return true;
}

/* A connection that is not as new is closed. */
static void give_connection(gf_connection_t *connection, void *baton)
{
    gf_admin_connections_t *connections = ((use_t *)baton)->connections;
    PGconn *pg = connection->pg;
    bool good = PQstatus(pg) == CONNECTION_OK && PQtransactionStatus(pg) == PQTRANS_IDLE;

    if (!good) {
        PQfinish(pg);
    }
    apr_thread_mutex_lock(connections->mutex);
    if (good) {
        connections->idle[connections->idle_count++] = pg;
    }
    else {
        connections->open--;
    }
    apr_thread_cond_signal(connections->given);
    apr_thread_mutex_unlock(connections->mutex);
}

/* The last request of an administrator closes what is open. */
static apr_status_t end_use(void *data)
{
    gf_admin_connections_t *connections = ((use_t *)data)->connections;
    PGconn *closing[GF_ADMIN_CONNECTIONS_MAX];
    int count = 0;

    apr_thread_mutex_lock(connections->mutex);
    if (--connections->users == 0) {
        count = connections->idle_count;
        memcpy(closing, connections->idle, sizeof(closing));
        connections->open -= count;
        connections->idle_count = 0;
    }
    apr_thread_mutex_unlock(connections->mutex);
    while (count > 0) {
        PQfinish(closing[--count]);
    }
    return APR_SUCCESS;
}

void gf_admin_connections_use(gf_admin_connections_t *connections, gf_ctx_t *ctx)
{
    use_t *use = apr_pcalloc(ctx->pool, sizeof(*use));

    use->connections = connections;
    use->ctx = *ctx;
    use->lender.take = take_connection;
    use->lender.give = give_connection;
    use->lender.baton = use;
    ctx->lender = &use->lender;
    apr_thread_mutex_lock(connections->mutex);
    connections->users++;
    apr_thread_mutex_unlock(connections->mutex);
    apr_pool_cleanup_register(ctx->pool, use, end_use, apr_pool_cleanup_null);
}

apr_status_t gf_admin_connections_make(gf_admin_connections_t **out, apr_pool_t *pool,
                                       const char *conninfo, const char *password,
                                       const gf_lender_t *requests)
{
    gf_admin_connections_t *connections = apr_pcalloc(pool, sizeof(*connections));
    apr_status_t rv = apr_thread_mutex_create(&connections->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&connections->given, pool);
    }
    connections->conninfo = conninfo;
    connections->password = password;
    connections->requests = requests;
    *out = connections;
    return rv;
}

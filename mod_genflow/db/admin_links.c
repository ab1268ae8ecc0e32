/* SPDX-License-Identifier: Apache-2.0 */
/* Opens, bounds and closes the connections of administration, and compares their role with that of
 * requests. Leaves statements to db/db.c. */
#include "db/admin_links.h"

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

struct gf_links_t {
    const char *conninfo;
    const char *password; /* or NULL */
    const gf_lender_t *requests;
    apr_thread_mutex_t *mutex; /* guards everything below */
    apr_thread_cond_t *given;
    PGconn *idle[GF_LINKS_MAX];
    int idle_count;
    int open;  /* idle or taken */
    int users; /* requests of administrators under way */
};

/* A lender's baton: the links, and whose lines a failure to connect belongs to. */
typedef struct use_t {
    gf_links_t *links;
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

const char *gf_links_wrong(const char *conninfo, apr_pool_t *pool)
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
static const char *role_of_requests(const gf_links_t *links, apr_pool_t *pool)
{
    const char *role;
    gf_link_t link;

    if (!links->requests->take(&link, pool, links->requests->baton)) {
        return NULL;
    }
    role = apr_pstrdup(pool, PQuser(link.pg));
    links->requests->give(&link, links->requests->baton);
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

static PGconn *open_link(const gf_links_t *links, const gf_ctx_t *ctx)
{
    const char *const names[] = { "connect_timeout",
                                  "tcp_user_timeout",
                                  "options",
                                  "dbname",
                                  links->password ? "password" : NULL,
                                  NULL };
    const char *const values[] = { CONNECT_SECONDS, UNANSWERED_MS,   OPTIONS,
                                   links->conninfo, links->password, NULL };
    const char *requests = role_of_requests(links, ctx->pool);
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

static bool take_link(gf_link_t *link, apr_pool_t *pool, void *baton)
{
    use_t *use = baton;
    gf_links_t *links = use->links;
    PGconn *pg = NULL;

    (void)pool;
    apr_thread_mutex_lock(links->mutex);
    while (links->idle_count == 0 && links->open == GF_LINKS_MAX) {
        apr_thread_cond_wait(links->given, links->mutex);
    }
    if (links->idle_count > 0) {
        pg = links->idle[--links->idle_count];
    }
    else {
        links->open++;
    }
    apr_thread_mutex_unlock(links->mutex);
    if (!pg) {
        pg = open_link(links, &use->ctx);
    }
    if (!pg) {
        apr_thread_mutex_lock(links->mutex);
        links->open--;
        apr_thread_cond_signal(links->given);
        apr_thread_mutex_unlock(links->mutex);
        return false;
    }
    link->pg = pg;
    link->owner = NULL;
    return true;
}

/* A connection that is not as new is closed. */
static void give_link(gf_link_t *link, void *baton)
{
    gf_links_t *links = ((use_t *)baton)->links;
    PGconn *pg = link->pg;
    bool good = PQstatus(pg) == CONNECTION_OK && PQtransactionStatus(pg) == PQTRANS_IDLE;

    if (!good) {
        PQfinish(pg);
    }
    apr_thread_mutex_lock(links->mutex);
    if (good) {
        links->idle[links->idle_count++] = pg;
    }
    else {
        links->open--;
    }
    apr_thread_cond_signal(links->given);
    apr_thread_mutex_unlock(links->mutex);
}

/* The last request of an administrator closes what is open. */
static apr_status_t end_use(void *data)
{
    gf_links_t *links = ((use_t *)data)->links;
    PGconn *closing[GF_LINKS_MAX];
    int count = 0;

    apr_thread_mutex_lock(links->mutex);
    if (--links->users == 0) {
        count = links->idle_count;
        memcpy(closing, links->idle, sizeof(closing));
        links->open -= count;
        links->idle_count = 0;
    }
    apr_thread_mutex_unlock(links->mutex);
    while (count > 0) {
        PQfinish(closing[--count]);
    }
    return APR_SUCCESS;
}

void gf_links_use(gf_links_t *links, gf_ctx_t *ctx)
{
    use_t *use = apr_pcalloc(ctx->pool, sizeof(*use));

    use->links = links;
    use->ctx = *ctx;
    use->lender.take = take_link;
    use->lender.give = give_link;
    use->lender.baton = use;
    ctx->lender = &use->lender;
    apr_thread_mutex_lock(links->mutex);
    links->users++;
    apr_thread_mutex_unlock(links->mutex);
    apr_pool_cleanup_register(ctx->pool, use, end_use, apr_pool_cleanup_null);
}

apr_status_t gf_links_make(gf_links_t **out, apr_pool_t *pool, const char *conninfo,
                           const char *password, const gf_lender_t *requests)
{
    gf_links_t *links = apr_pcalloc(pool, sizeof(*links));
    apr_status_t rv = apr_thread_mutex_create(&links->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&links->given, pool);
    }
    links->conninfo = conninfo;
    links->password = password;
    links->requests = requests;
    *out = links;
    return rv;
}

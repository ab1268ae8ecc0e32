/* SPDX-License-Identifier: Apache-2.0 */
/* The call context: pool, configuration, log and database of a call. One per request, per writer
 * thread and for the dispatcher; httpd/glue.c or a test makes it. A context belongs to one thread,
 * as its pool does. */
#ifndef GF_CTX_H
#define GF_CTX_H

#include <stdbool.h>
#include <stddef.h>

#include <apr_pools.h>
#include <apr_time.h>

/* Bytes that the pool of a thread retains when it is cleared; the rest goes back to the system. */
#define GF_POOL_RETAINED_MAX ((apr_size_t)4 << 20)

struct gf_conf_t;
struct gf_log_sink_t;
struct gf_metrics_t;

/* A borrowed database connection: `pg` is libpq's PGconn, `owner` what the lender needs to take it
 * back. */
typedef struct gf_connection_t {
    void *pg;
    void *owner;
} gf_connection_t;

/* Lends database connections. Any thread; one thread at a time uses a connection. */
typedef struct gf_lender_t {
    /* Fills *connection; false when no connection is available now (the lender has logged why).
     * May block until a connection is free or made. `pool` is the caller's, for a lender that needs
     * memory until give(). */
    bool (*take)(gf_connection_t *connection, apr_pool_t *pool, void *baton);
    /* Takes it back. Every taken connection is given back by the thread that took it. */
    void (*give)(gf_connection_t *connection, void *baton);
    /* Called after each statement: did the database answer it? May be NULL. */
    void (*on_answer)(bool answered, const gf_connection_t *connection, void *baton);
    void *baton;
} gf_lender_t;

/* What a function needs of its caller: the pool for its results, the configuration, log, database
 * connections and clock. One thread uses a context at a time. A request has one for its lifetime,
 * the dispatcher and each writer thread have one each. */
typedef struct gf_ctx_t {
    /* Results and errors live here. A request's lives until its end. Those of the dispatcher and
     * of a writer are cleared after each turn and each task: what must live longer is copied. */
    apr_pool_t *pool;
    const struct gf_conf_t *conf; /* frozen */

    /* NULL: nothing is logged. */
    const struct gf_log_sink_t *log;

    /* db/ borrows a connection for one statement and gives it back before the caller reads. */
    const gf_lender_t *lender;
    apr_time_t (*clock)(void); /* gf_clock_now(), or a test's; read by gf_ctx_now() */

    /* The token under which a caller repeats acts of the database (sql/functions/calls.sql): a
     * statement that is sent again under it answers as the first one did. NULL: each statement is
     * a call of its own, with a token of its own. */
    const char *call;

    /* Administration: who acts, and why, as a JSON object of `admin` and `reason`, for the record
     * of what administrators do (sql/functions/audit.sql). Else NULL. */
    const char *by;

    struct gf_metrics_t *metrics; /* base/metric.h; NULL: nothing is counted */

    /* Begins each log line: "job=... ", "request=... "; may be "" or NULL. */
    const char *subject;
} gf_ctx_t;

/* The time for intervals and deadlines, in microseconds. */
static inline apr_time_t gf_ctx_now(const gf_ctx_t *ctx)
{
    return ctx->clock();
}

#endif

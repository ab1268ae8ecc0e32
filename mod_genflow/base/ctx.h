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

/* A borrowed database connection: `pg` is libpq's PGconn, `owner` what the lender needs to take it
 * back. */
typedef struct gf_connection_t {
    void *pg;
    void *owner;
} gf_connection_t;

/* Lends database connections. Any thread; one thread at a time uses a connection. */
typedef struct gf_lender_t {
    /* Fills *connection; false when no connection is available now (the lender has logged why). */
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
    apr_pool_t *pool;             /* results live here; loops clear it each turn */
    const struct gf_conf_t *conf; /* frozen */
    const struct gf_log_sink_t *log;
    const gf_lender_t *lender;
    apr_time_t (*clock)(void); /* gf_clock_now(), or a test's; read by gf_ctx_now() */
    const char *call;    /* the token under which a caller repeats acts of the database; NULL: each
                            statement is a call of its own */
    const char *subject; /* the subject of a log line: "job=... ", "request=... "; may be "" */
} gf_ctx_t;

/* The time for intervals and deadlines, in microseconds. */
static inline apr_time_t gf_ctx_now(const gf_ctx_t *ctx)
{
    return ctx->clock();
}

#endif

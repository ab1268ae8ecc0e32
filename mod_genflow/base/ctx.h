/* SPDX-License-Identifier: Apache-2.0 */
/* The call context: what nearly every function needs and no function should look for elsewhere. One
 * per request, per writer thread and for the dispatcher; made by the glue (httpd/glue.c) or
 * by a test. A context belongs to one thread, as its pool does. */
#ifndef GF_CTX_H
#define GF_CTX_H

#include <stdbool.h>
#include <stddef.h>

#include <apr_pools.h>
#include <apr_time.h>

/* Bytes that the pool of a thread keeps when it is cleared; what is beyond goes back. */
#define GF_POOL_RETAINED_MAX ((apr_size_t)4 << 20)

struct gf_conf_t;
struct gf_log_sink_t;

/* A borrowed database connection: `pg` is libpq's PGconn, `owner` what the lender needs to take it
 * back. */
typedef struct gf_link_t {
    void *pg;
    void *owner;
} gf_link_t;

/* Who lends database connections. Any thread; each link is used by one thread at a time. */
typedef struct gf_lender_t {
    /* Fills *link; false when no connection is to be had now (the lender has logged why). */
    bool (*take)(gf_link_t *link, apr_pool_t *pool, void *baton);
    void (*give)(gf_link_t *link, void *baton);
    /* Hears of each statement whether the database answered it; NULL: nobody wants to know. */
    void (*on_answer)(bool answered, const gf_link_t *link, void *baton);
    void *baton;
} gf_lender_t;

typedef struct gf_ctx_t {
    apr_pool_t *pool;             /* results live here; loops clear it each turn */
    const struct gf_conf_t *conf; /* frozen */
    const struct gf_log_sink_t *log;
    const gf_lender_t *lender;
    apr_time_t (*clock)(void); /* gf_clock_now(), or a test's; read by gf_ctx_now() */
    const char *call;    /* the token under which acts of the database are repeated, if their caller
                          * repeats them, too; NULL: each statement is a call of its own */
    const char *subject; /* whom a log line is about: "job=... ", "request=... "; may be "" */
} gf_ctx_t;

/* The time for intervals and deadlines, in microseconds. */
static inline apr_time_t gf_ctx_now(const gf_ctx_t *ctx)
{
    return ctx->clock();
}

#endif

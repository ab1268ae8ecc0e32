/* SPDX-License-Identifier: Apache-2.0 */
/* Ties the core's three needs (pool, log, database) to httpd. Leaves configuration to httpd/conf.c.
 */
#include "httpd/glue.h"

#include <apr_atomic.h>
#include <apr_dbd.h>
#include <apr_optional.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <mod_dbd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/metric.h"
#include "db/cause.h"
#include "db/db.h"
#include "db/admin_connections.h"

/* Pause after a failed connect. mod_dbd connects inside its lock, so during an outage every request
 * would otherwise wait for the connect timeout. */
#define FAIL_FAST_SECONDS 1

static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * dbd_close;

#define CAUSE_AGE     apr_time_from_sec(2)
#define QUIET_SECONDS 30  /* between two lines of a kind: 4 a minute */
#define PATH_SHOWN    200 /* bytes of an address in a log line */

/* This child's data, written once in child_init. Any thread writes `down` and `next_try`,
 * atomically; the first thread with a connection writes `address`. */
static struct {
    server_rec *server;
    apr_pool_t *pool;
    gf_log_sink_t sink;
    gf_lender_t lender;
    gf_metrics_t *metrics;
    gf_admin_connections_t *admin_connections; /* of administration; NULL: it has no database */
    volatile apr_uint32_t down;     /* 1: do not trouble mod_dbd, which logs each failure */
    volatile apr_uint32_t next_try; /* seconds: then one thread checks the database */
    volatile apr_uint32_t knows;    /* 1: a thread writes the address, 2: it is there */
    const char *address;            /* where the database listens */
    volatile apr_uint32_t cause_at; /* seconds: when the cause was looked for */
    volatile void *cause;           /* gf_cause_t, constant: what was found then */
} child;

/* State of the database, for all children, in shared memory; seconds by the monotonic clock. */
typedef struct database_t {
    volatile apr_uint32_t down_since;  /* 0: it answers */
    volatile apr_uint32_t logged_away; /* time of the last line about it */
    volatile apr_uint32_t logged_back;
    volatile apr_uint32_t unwritten; /* since it is away */
    volatile apr_uint32_t once;      /* bits: the calls of httpd_glue_once() */
    volatile apr_uint32_t amounts;   /* 1: they are others than the directives state */
} database_t;

static database_t *database; /* made before the children */
static const char *params;   /* DBDParams; NULL: there is none */

bool httpd_glue_ready(void)
{
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    return dbd_open && dbd_close;
}

void httpd_glue_note_params(const char *conninfo)
{
    params = conninfo;
}

const char *httpd_glue_params(void)
{
    return params;
}

apr_status_t httpd_glue_share(apr_pool_t *pconf)
{
    apr_shm_t *memory;
    apr_status_t rv = apr_shm_create(&memory, sizeof(*database), NULL, pconf);

    if (rv == APR_SUCCESS) {
        database = apr_shm_baseaddr_get(memory);
        memset(database, 0, sizeof(*database));
    }
    return rv;
}

void httpd_glue_note_amounts(bool differ)
{
    apr_atomic_set32(&database->amounts, differ);
}

const volatile apr_uint32_t *httpd_glue_amounts(void)
{
    return &database->amounts;
}

bool httpd_glue_once(httpd_once_t what)
{
    for (;;) {
        apr_uint32_t before = apr_atomic_read32(&database->once);

        if (before & what) {
            return false;
        }
        if (apr_atomic_cas32(&database->once, before | what, before) == before) {
            return true;
        }
    }
}

/* ---- log ---- */

static const int levels[] = {
    [GF_LOG_CRIT] = APLOG_CRIT,     [GF_LOG_ERR] = APLOG_ERR,   [GF_LOG_WARNING] = APLOG_WARNING,
    [GF_LOG_NOTICE] = APLOG_NOTICE, [GF_LOG_INFO] = APLOG_INFO, [GF_LOG_DEBUG] = APLOG_DEBUG
};

static apr_uint32_t now_seconds(void)
{
    return (apr_uint32_t)apr_time_sec(gf_clock_now());
}

/* May a line of this kind be written? `last_line` is the time of the kind's last one. */
static bool line_is_due(volatile apr_uint32_t *last_line)
{
    apr_uint32_t now = now_seconds();
    apr_uint32_t last = apr_atomic_read32(last_line);

    return (!last || now - last >= QUIET_SECONDS) && apr_atomic_cas32(last_line, now, last) == last;
}

/* During an outage every request and every job would log the same line; also on a child that has
 * not looked again since, while another one has recorded the end. */
static bool is_too_much(const char *text)
{
    const char *tag = gf_err_row(GF_E_DB_DOWN)->tag;

    if (!database || strncmp(text, tag, strlen(tag)) != 0
        || (!apr_atomic_read32(&database->down_since) && !apr_atomic_read32(&child.down))
        || line_is_due(&database->logged_away)) {
        return false;
    }
    apr_atomic_inc32(&database->unwritten);
    return true;
}

/* Why there is no connection: each line that is written may look for it, which blocks. */
static const char *cause_of(const char *text)
{
    static const char ending[] = ": no connection";
    size_t length = strlen(text);
    const gf_cause_t *cause = NULL;

    if (length >= sizeof(ending) && strcmp(text + length - (sizeof(ending) - 1), ending) == 0) {
        cause = httpd_glue_cause();
    }
    return cause ? cause->advice : NULL;
}

static void write_line(void *baton, const char *file, int line, gf_log_level_t level,
                       apr_status_t rv, const char *text)
{
    (void)baton;
    if (!is_too_much(text)) {
        const char *cause = cause_of(text);

        ap_log_error(file, line, APLOG_MODULE_INDEX, levels[level], rv, child.server, "%s%s%s",
                     text, cause ? ": " : "", cause ? cause : "");
    }
}

static gf_log_level_t level_of(const server_rec *server)
{
    gf_log_level_t level = GF_LOG_CRIT;

    while (level < GF_LOG_DEBUG && APLOG_IS_LEVEL(server, levels[level + 1])) {
        level++;
    }
    return level;
}

/* ---- database ---- */

/* The first thread that notices an outage or its end records it, and logs the end. */
static void record_answer(bool answered)
{
    apr_uint32_t since = apr_atomic_read32(&database->down_since);
    apr_uint32_t now = now_seconds();

    if (!answered && !since && apr_atomic_cas32(&database->down_since, now ? now : 1, 0) == 0) {
        apr_atomic_set32(&database->unwritten, 0);
    }
    else if (answered && since && apr_atomic_cas32(&database->down_since, 0, since) == since
             && line_is_due(&database->logged_back)) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, child.server,
                     "GF0730: the database answers again, after %u s; %u further lines about it "
                     "were not written",
                     now - since, apr_atomic_read32(&database->unwritten));
    }
}

static void on_answer(bool answered, const gf_connection_t *connection, void *baton)
{
    (void)baton;
    if (answered && apr_atomic_cas32(&child.knows, 1, 0) == 0) {
        child.address = gf_db_address(connection, child.pool);
        apr_atomic_set32(&child.knows, 2);
    }
    if (!answered) {
        apr_atomic_set32(&child.down, 1);
    }
    record_answer(answered);
}

/* During an outage one thread a second checks whether the database accepts connections. mod_dbd is
 * not called before: it connects inside its lock and logs each failure. */
static bool is_worth_a_try(void)
{
    apr_uint32_t next = apr_atomic_read32(&child.next_try);
    apr_uint32_t now = now_seconds();

    if (!apr_atomic_read32(&child.down)) {
        return true;
    }
    if (next > now || apr_atomic_cas32(&child.next_try, now + FAIL_FAST_SECONDS, next) != next) {
        return false;
    }
    if (apr_atomic_read32(&child.knows) == 2 && !gf_db_listens(child.address)) {
        return false;
    }
    apr_atomic_set32(&child.down, 0);
    return true;
}

static bool take_connection(gf_connection_t *connection, apr_pool_t *pool, void *baton)
{
    ap_dbd_t *dbd;

    (void)baton;
    if (!is_worth_a_try()) {
        return false;
    }
    dbd = dbd_open(pool, child.server);
    if (!dbd) {
        apr_atomic_set32(&child.next_try, now_seconds() + FAIL_FAST_SECONDS);
        apr_atomic_set32(&child.down, 1);
        record_answer(false);
        return false;
    }
    connection->owner = dbd;
    connection->pg = apr_dbd_native_handle(dbd->driver, dbd->handle);
    return true;
}

static void give_connection(gf_connection_t *connection, void *baton)
{
    (void)baton;
    dbd_close(child.server, connection->owner);
}

/* A thread that calls this while another one connects gets the cause that was found before. */
const gf_cause_t *httpd_glue_cause(void)
{
    apr_uint32_t last = apr_atomic_read32(&child.cause_at);
    apr_uint32_t now = now_seconds() + 1;
    void *cause;

    if (params && (!last || now - last >= apr_time_sec(CAUSE_AGE))
        && apr_atomic_cas32(&child.cause_at, now, last) == last) {
        memcpy(&cause, &(const gf_cause_t *){ gf_cause_of_refusal(params, CAUSE_AGE) },
               sizeof(cause));
        apr_atomic_xchgptr(&child.cause, cause);
    }
    return apr_atomic_casptr(&child.cause, NULL, NULL);
}

/* ---- contexts ---- */

apr_status_t httpd_glue_child(apr_pool_t *pool, server_rec *server, const gf_conf_t *conf,
                              gf_metrics_t *metrics)
{
    apr_allocator_t *allocator;

    child.server = server;
    child.metrics = metrics;
    child.sink.write = write_line;
    child.sink.level = level_of(server);
    /* one thread writes into it, of any kind: with prefork the child's allocator has no lock */
    apr_allocator_create(&allocator);
    apr_pool_create_ex(&child.pool, pool, NULL, allocator);
    apr_allocator_owner_set(allocator, child.pool);
    child.lender.take = take_connection;
    child.lender.give = give_connection;
    child.lender.on_answer = on_answer;
    return conf->admin_database
               ? gf_admin_connections_make(&child.admin_connections, pool, conf->admin_database,
                                           conf->admin_password, &child.lender)
               : APR_SUCCESS;
}

bool httpd_glue_administer(gf_ctx_t *ctx)
{
    if (!child.admin_connections) {
        return false;
    }
    gf_admin_connections_use(child.admin_connections, ctx);
    return true;
}

void httpd_glue_ctx(gf_ctx_t *ctx, apr_pool_t *pool, const gf_conf_t *conf)
{
    ctx->pool = pool;
    ctx->conf = conf;
    ctx->log = &child.sink;
    ctx->lender = &child.lender;
    ctx->clock = gf_clock_now;
    ctx->call = NULL;
    ctx->metrics = child.metrics;
    ctx->subject = "";
}

const char *httpd_glue_request_id(request_rec *r)
{
    const char *id = apr_table_get(r->subprocess_env, "UNIQUE_ID");

    if (!id) {
        id = gf_hash_random(r->pool, 8);
        apr_table_setn(r->subprocess_env, "UNIQUE_ID", id);
    }
    return id;
}

gf_ctx_t *httpd_glue_request_ctx(request_rec *r, const gf_conf_t *conf)
{
    gf_ctx_t *ctx = apr_palloc(r->pool, sizeof(*ctx));

    httpd_glue_ctx(ctx, r->pool, conf);
    return ctx;
}

void httpd_glue_name(gf_ctx_t *ctx, request_rec *r)
{
    /* leaves room for tag and text in the line */
    ctx->subject = apr_psprintf(
        r->pool, "request=%.64s %.16s %.*s%s client=%s: ", httpd_glue_request_id(r), r->method,
        PATH_SHOWN, r->uri, strlen(r->uri) > PATH_SHOWN ? "..." : "", r->useragent_ip);
}

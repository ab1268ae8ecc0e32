/* SPDX-License-Identifier: Apache-2.0 */
/* The tasks of one child of an httpd: it cleans up, checks the ledger, computes how long
 * generations take, feeds moves between stores and announces the host. Once it checks that the
 * database has the functions that statements name, and takes as many connections as this httpd may
 * open. Leaves what is cleaned to sql/functions/janitor.sql and the store. Runs on a thread of
 * mod_watchdog's, which may outlive the child's pools by a moment: hence the mutex. */
#include "httpd/janitor.h"

#include <apr_optional.h>
#include <apr_thread_mutex.h>
#include <ap_mpm.h>
#include <mod_watchdog.h>

#include "base/clock.h"
#include "db/books.h"
#include "db/check.h"
#include "db/janitor.h"
#include "db/ledger.h"
#include "httpd/announce.h"
#include "httpd/glue.h"
#include "model/servers.h"
#include "store/store.h"

#define WATCHDOG "_genflow_janitor_"
#define BATCH    1000
#define LONGEST  apr_time_from_sec(30) /* of a run: then the rest waits for the next one */
#define TICK     apr_time_from_sec(1)  /* of the short tasks */

/* Between two computations of how long generations take, two queries whether a check is due (at
 * most), and two queries for moves between stores (during a move: TICK). */
#define EXPECT_INTERVAL apr_time_from_sec(10)
#define DUE_INTERVAL    apr_time_from_sec(60)
#define MOVES_INTERVAL  apr_time_from_sec(5)

struct httpd_janitor_t {
    const gf_conf_t *conf;
    httpd_announce_t *announce;
    apr_thread_mutex_t *mutex; /* of the child: held while a batch runs; guards ended */
    bool ended;
    int pool_size;          /* connections that a child may open */
    gf_books_t *books;      /* the check of the ledger that is under way; or NULL */
    apr_time_t books_begun; /* its beginning */
    apr_time_t books_next;  /* when to look whether one is due; 0: not set yet */
    apr_time_t moves_next;  /* when to look for pictures that are to be moved */
    bool checked;           /* check_at_start() has run */
};

static bool is_cleaner(const gf_conf_t *conf)
{
    return conf->dispatch && conf->janitor;
}

/* One batch; false: the child ends, or this part is clean. */
static bool clean_batch(httpd_janitor_t *janitor, gf_ctx_t *ctx, const char *part, int *total)
{
    gf_err_t *err = NULL;
    int cleaned = 0;

    apr_thread_mutex_lock(janitor->mutex);
    if (!janitor->ended) {
        err = gf_janitor_clean(&cleaned, ctx, part, BATCH);
    }
    apr_thread_mutex_unlock(janitor->mutex);
    if (err) {
        gf_err_log(ctx, err);
    }
    *total += cleaned;
    return cleaned == BATCH;
}

static void clean_part(httpd_janitor_t *janitor, gf_ctx_t *ctx, const char *part, apr_time_t end)
{
    apr_pool_t *run_pool = ctx->pool;
    int total = 0;

    apr_pool_create(&ctx->pool, run_pool);
    while (clean_batch(janitor, ctx, part, &total) && gf_clock_now() < end) {
        apr_pool_clear(ctx->pool);
    }
    apr_pool_destroy(ctx->pool);
    ctx->pool = run_pool;
    if (total) {
        gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0510", "janitor: %d of %s are gone", total, part);
    }
}

static void sweep_stores(const gf_ctx_t *ctx)
{
    const apr_array_header_t *confs = gf_servers_confs(ctx->conf, ctx->pool);
    int i;

    for (i = 0; i < confs->nelts; i++) {
        const gf_conf_t *conf = APR_ARRAY_IDX(confs, i, const gf_conf_t *);

        if (gf_servers_own_types(conf)->nelts > 0) {
            gf_store_sweep(conf, ctx->pool);
        }
    }
}

/* NULL: the child ends, or the database is away. */
static apr_array_header_t *parts_of(httpd_janitor_t *janitor, gf_ctx_t *ctx)
{
    apr_array_header_t *parts = NULL;
    gf_err_t *err = NULL;

    apr_thread_mutex_lock(janitor->mutex);
    if (!janitor->ended) {
        sweep_stores(ctx);
        err = gf_janitor_parts(&parts, ctx);
    }
    apr_thread_mutex_unlock(janitor->mutex);
    if (err) {
        gf_err_log(ctx, err);
    }
    return err ? NULL : parts;
}

static apr_status_t run_janitor(int state, void *data, apr_pool_t *pool)
{
    httpd_janitor_t *janitor = data;
    apr_time_t end = gf_clock_now() + LONGEST;
    apr_array_header_t *parts;
    gf_ctx_t ctx;
    int i;

    if (state != AP_WATCHDOG_STATE_RUNNING) {
        return APR_SUCCESS;
    }
    httpd_glue_ctx(&ctx, pool, janitor->conf);
    parts = parts_of(janitor, &ctx);
    for (i = 0; parts && i < parts->nelts; i++) {
        clean_part(janitor, &ctx, APR_ARRAY_IDX(parts, i, const char *), end);
    }
    return APR_SUCCESS;
}

/* ---- short tasks ---- */

typedef gf_err_t *task_t(httpd_janitor_t *janitor, gf_ctx_t *ctx);

/* During an outage it logs nothing; requests and jobs do. An older database lacks the function of a
 * task: check_schema() says so. */
static apr_status_t perform(int state, httpd_janitor_t *janitor, apr_pool_t *pool, task_t *task)
{
    gf_err_t *err = NULL;
    gf_ctx_t ctx;

    if (state != AP_WATCHDOG_STATE_RUNNING) {
        return APR_SUCCESS;
    }
    httpd_glue_ctx(&ctx, pool, janitor->conf);
    apr_thread_mutex_lock(janitor->mutex);
    if (!janitor->ended) {
        err = task(janitor, &ctx);
    }
    apr_thread_mutex_unlock(janitor->mutex);
    if (err && !gf_err_is(err, GF_E_DB_DOWN) && !gf_err_is(err, GF_E_DB_SCHEMA)) {
        gf_err_log(&ctx, err);
    }
    return APR_SUCCESS;
}

/* How long generations take: of several hosts one computes it. */
static gf_err_t *expect(httpd_janitor_t *janitor, gf_ctx_t *ctx)
{
    (void)janitor;
    return gf_janitor_expect(ctx, EXPECT_INTERVAL - apr_time_from_sec(1));
}

static apr_status_t compute_expected(int state, void *data, apr_pool_t *pool)
{
    return perform(state, data, pool, expect);
}

/* Pictures on their way between stores: of several hosts one feeds a move. */
static gf_err_t *feed(httpd_janitor_t *janitor, gf_ctx_t *ctx)
{
    apr_time_t now = gf_clock_now();
    int running = 0;

    if (now < janitor->moves_next) {
        return NULL;
    }
    janitor->moves_next = now + MOVES_INTERVAL;
    GF_TRY(gf_janitor_feed_moves(&running, ctx));
    janitor->moves_next = running ? now : janitor->moves_next;
    return NULL;
}

static apr_status_t feed_moves(int state, void *data, apr_pool_t *pool)
{
    return perform(state, data, pool, feed);
}

static gf_err_t *announce(httpd_janitor_t *janitor, gf_ctx_t *ctx)
{
    return httpd_announce(janitor->announce, ctx);
}

static apr_status_t announce_host(int state, void *data, apr_pool_t *pool)
{
    return perform(state, data, pool, announce);
}

/* ---- the ledger ---- */

static void say_checked(httpd_janitor_t *janitor, gf_ctx_t *ctx, gf_books_state_t state,
                        const char *text)
{
    int seconds = (int)apr_time_sec(gf_clock_now() - janitor->books_begun);

    if (state == GF_BOOKS_SOUND) {
        gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0511", "the ledger is sound, checked within %d s",
               seconds);
    }
    else if (state == GF_BOOKS_BROKEN) {
        gf_log(ctx, GF_LOG_ERR, APR_SUCCESS, "GF0512",
               "the ledger breaks rules of its check: %s. Run genflow-doctor charges and "
               "genflow-doctor credits",
               text);
    }
    else if (state == GF_BOOKS_FAILED) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0513",
               "the ledger could not be checked: %s. The next attempt is in a minute", text);
    }
}

/* Looks whether a check is due, and begins it. During an outage it logs nothing. */
static void begin_check(httpd_janitor_t *janitor, gf_ctx_t *ctx)
{
    apr_interval_time_t every = janitor->conf->janitor_check;
    apr_time_t now = gf_clock_now();
    bool due = false;
    gf_err_t *err = NULL;

    if (now >= janitor->books_next && janitor->books_next) {
        err = gf_books_due(&due, ctx, every);
    }
    if (now >= janitor->books_next) {
        janitor->books_next = now + (every < DUE_INTERVAL ? every : DUE_INTERVAL);
    }
    if (err && !gf_err_is(err, GF_E_DB_DOWN) && !gf_err_is(err, GF_E_DB_SCHEMA)) {
        gf_err_log(ctx, err);
    }
    if (due) {
        janitor->books_begun = now;
        janitor->books = gf_books_begin(httpd_glue_params(), every);
    }
}

/* Never waits for the check: the thread has more to do. */
static apr_status_t check_ledger(int state, void *data, apr_pool_t *pool)
{
    httpd_janitor_t *janitor = data;
    gf_books_state_t books = GF_BOOKS_UNDER_WAY;
    const char *text = "";
    gf_ctx_t ctx;

    if (state != AP_WATCHDOG_STATE_RUNNING) {
        return APR_SUCCESS;
    }
    httpd_glue_ctx(&ctx, pool, janitor->conf);
    apr_thread_mutex_lock(janitor->mutex);
    if (!janitor->ended && !janitor->books) {
        begin_check(janitor, &ctx);
    }
    else if (!janitor->ended) {
        books = gf_books_step(janitor->books, &text, pool);
    }
    if (books != GF_BOOKS_UNDER_WAY) {
        gf_books_end(janitor->books);
        janitor->books = NULL;
    }
    apr_thread_mutex_unlock(janitor->mutex);
    say_checked(janitor, &ctx, books, text);
    return APR_SUCCESS;
}

/* ---- connections ---- */

static void compare_connections(const httpd_janitor_t *janitor, const gf_ctx_t *ctx, int most,
                                const char *limit)
{
    int children = 1;
    apr_int64_t needed;

    ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &children);
    needed = (apr_int64_t)children * janitor->pool_size;
    gf_log(ctx, GF_LOG_DEBUG, APR_SUCCESS, "GF0191",
           "%d children x DBDMax %d: up to %" APR_INT64_T_FMT " database connections of %d",
           children, janitor->pool_size, needed, most);
    if (needed > most && httpd_glue_once(HTTPD_ONCE_CONNECTIONS)) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0190",
               "%d children x DBDMax %d may open %" APR_INT64_T_FMT
               " database connections, but the database takes %d (%s): under load, requests get "
               "503. Lower DBDMax or MaxRequestWorkers, or raise that limit",
               children, janitor->pool_size, needed, most, limit);
    }
}

/* ---- the schema ---- */

static gf_err_t *check_schema(gf_ctx_t *ctx)
{
    const char *missing;
    int version;

    GF_TRY(gf_ledger_health(&version, ctx));
    if (version < GF_SCHEMA_VERSION && httpd_glue_once(HTTPD_ONCE_OLD)) {
        gf_log(ctx, GF_LOG_ERR, APR_SUCCESS, "GF0874",
               "the database has schema %d, and this module needs %d: run sql/apply of this "
               "version. Until then {base}/health is 503",
               version, GF_SCHEMA_VERSION);
    }
    GF_TRY(gf_check_missing(&missing, ctx));
    if (missing && httpd_glue_once(HTTPD_ONCE_SCHEMA)) {
        gf_log(ctx, GF_LOG_ERR, APR_SUCCESS, "GF0212",
               "the database lacks what statements of this module name: %s. Until it has them, "
               "these statements fail with DB_SCHEMA. Run sql/apply of this version",
               missing);
    }
    return NULL;
}

/* During an outage it logs nothing; requests and jobs do. */
static apr_status_t check_at_start(int state, void *data, apr_pool_t *pool)
{
    httpd_janitor_t *janitor = data;
    const char *limit = NULL;
    gf_err_t *err = NULL;
    gf_ctx_t ctx;
    int most = 0;

    if (state != AP_WATCHDOG_STATE_RUNNING || janitor->checked) {
        return APR_SUCCESS;
    }
    httpd_glue_ctx(&ctx, pool, janitor->conf);
    apr_thread_mutex_lock(janitor->mutex);
    if (!janitor->ended) {
        err = gf_janitor_connections(&most, &limit, &ctx);
        err = err ? err : check_schema(&ctx);
    }
    apr_thread_mutex_unlock(janitor->mutex);
    janitor->checked = !gf_err_is(err, GF_E_DB_DOWN);
    if (err && janitor->checked) {
        gf_err_log(&ctx, err);
    }
    else if (limit) {
        compare_connections(janitor, &ctx, most, limit);
    }
    return APR_SUCCESS;
}

/* ---- the thread ---- */

/* A server that works on no jobs cleans nothing, and opens fewer connections. */
static apr_status_t register_callbacks(httpd_janitor_t *janitor, apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    const gf_conf_t *conf = janitor->conf;
    const struct {
        bool wanted;
        apr_interval_time_t interval;
        ap_watchdog_callback_fn_t *task;
    } rows[] = {
        { true, TICK, check_at_start },
        { true, TICK, announce_host },
        { is_cleaner(conf), conf->janitor, run_janitor },
        { is_cleaner(conf), EXPECT_INTERVAL, compute_expected },
        { conf->dispatch, TICK, feed_moves },
        { is_cleaner(conf) && conf->janitor_check, TICK, check_ledger },
    };
    ap_watchdog_t *watchdog;
    apr_status_t rv = APR_ENOTIMPL;
    size_t i;

    if (get && add) {
        rv = get(&watchdog, WATCHDOG, 0, 1, pconf);
    }
    for (i = 0; rv == APR_SUCCESS && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].wanted) {
            rv = add(watchdog, rows[i].interval, janitor, rows[i].task);
        }
    }
    return rv;
}

httpd_janitor_t *httpd_janitor_make(const gf_conf_t *conf, apr_int64_t pool_size,
                                    server_rec *server, apr_pool_t *pconf)
{
    httpd_janitor_t *janitor = apr_pcalloc(pconf, sizeof(*janitor));
    apr_status_t rv;

    janitor->conf = conf;
    janitor->announce = httpd_announce_make(conf, server, pconf);
    janitor->pool_size = (int)pool_size;
    rv = register_callbacks(janitor, pconf);
    if (rv != APR_SUCCESS && is_cleaner(conf)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv == APR_ENOTIMPL ? APR_SUCCESS : rv, server,
                     "GF0006: no janitor: nothing is cleaned up by this server. LoadModule "
                     "watchdog_module, or set GenflowJanitorInterval 0s");
    }
    return janitor;
}

/* In the process's pool, as mod_watchdog's thread is. */
apr_status_t httpd_janitor_child(httpd_janitor_t *janitor, server_rec *server)
{
    return apr_thread_mutex_create(&janitor->mutex, APR_THREAD_MUTEX_DEFAULT,
                                   server->process->pool);
}

void httpd_janitor_end(httpd_janitor_t *janitor)
{
    apr_thread_mutex_lock(janitor->mutex);
    janitor->ended = true;
    if (janitor->books) {
        gf_books_end(janitor->books);
        janitor->books = NULL;
    }
    apr_thread_mutex_unlock(janitor->mutex);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Statements through libpq on connections that somebody else pools (mod_dbd in httpd). Prepares
 * lazily per connection, notices resets of the connection by whomever (libpq events), and tells a
 * dead link from a failing statement. Leaves the wait for an answer to db/answer.c, and what a
 * statement means to db/queue.c and db/ledger.c. */
#include "db/db.h"

#include <string.h>

#include <apr_strings.h>
#include <libpq-events.h>
#include <libpq-fe.h>

#include "base/clock.h"
#include "base/hash.h"
#include "db/answer.h"

#define TYPES_MAX                                                                  \
    64 /* types with an index below it are prepared; gf_type_t.index is bounded so \
        */
#define RETRY_AFTER_SECONDS 2
#define RACES_MAX           3
#define TOKEN_BYTES         16

struct gf_rows_t {
    PGresult *result;
};

/* What we know of one connection; dies with it. */
typedef struct prepared_t {
    apr_pool_t *pool;
    bool done[GF_SQL_COUNT][TYPES_MAX];
    apr_interval_time_t bound; /* for a statement's answer; 0: not asked yet */
} prepared_t;

/* A reset connection has lost its prepared statements; a closed one needs no memory of them. */
static int on_event(PGEventId id, void *info, void *passthrough)
{
    prepared_t *known;

    (void)passthrough;
    if (id == PGEVT_CONNRESET) {
        known = PQinstanceData(((PGEventConnReset *)info)->conn, on_event);
        if (known) {
            memset(known->done, 0, sizeof(known->done));
            known->bound = 0;
        }
    }
    else if (id == PGEVT_CONNDESTROY) {
        known = PQinstanceData(((PGEventConnDestroy *)info)->conn, on_event);
        if (known) {
            apr_pool_destroy(known->pool);
        }
    }
    return 1;
}

static prepared_t *knowledge(PGconn *pg)
{
    prepared_t *known = PQinstanceData(pg, on_event);
    apr_pool_t *pool;

    if (known) {
        return known;
    }
    if (!PQregisterEventProc(pg, on_event, "mod_genflow", NULL)
        || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return NULL;
    }
    known = apr_pcalloc(pool, sizeof(*known));
    known->pool = pool;
    PQsetInstanceData(pg, on_event, known);
    return known;
}

static const char *sqlstate(const PGresult *result)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    return state ? state : "";
}

static bool succeeded(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* Right after a crash of the server libpq may still call the connection good; an error without
 * SQLSTATE then was made by libpq, not by the server. */
static bool is_dead(PGconn *pg, const PGresult *result)
{
    return PQstatus(pg) == CONNECTION_BAD || (!succeeded(result) && sqlstate(result)[0] == '\0');
}

/* The server is going down, coming up or full: worth a new connection or a later try. */
static bool is_unavailable(const char *state)
{
    return state[0] == '\0' || strncmp(state, "08", 2) == 0 || strncmp(state, "57", 2) == 0
           || strncmp(state, "53", 2) == 0 || strncmp(state, "58", 2) == 0
           || strcmp(state, "55P03") == 0 || strcmp(state, "25006") == 0;
}

/* A statement with all its arguments. */
typedef struct asked_t {
    gf_sql_t statement;
    const gf_type_t *type;
    const char *args[GF_SQL_ARGS_MAX];
    int count;
    int again; /* which argument tells that it is repeated; 0: none */
    apr_interval_time_t bound;
    bool is_silent; /* no answer within the bound */
} asked_t;

/* The token of the call goes along: the repetition answers as the first one did. */
static void ask(asked_t *asked, gf_ctx_t *ctx, gf_sql_t statement, const gf_type_t *type,
                const char *const *args)
{
    const gf_sql_row_t *row = &gf_sql_rows[statement];

    memset(asked, 0, sizeof(*asked));
    asked->statement = statement;
    asked->type = type;
    asked->count = row->args;
    if (row->args) {
        memcpy(asked->args, args, (size_t)row->args * sizeof(*args));
    }
    if (strstr(row->text, "p_call =>")) {
        asked->args[asked->count++] =
            ctx->call ? ctx->call : gf_hash_random(ctx->pool, TOKEN_BYTES);
    }
    if (strstr(row->text, "p_again =>")) {
        asked->again = asked->count++;
        asked->args[asked->again] = "false";
    }
}

/* How long a statement on this connection may take; 0: the connection is dead. */
static apr_interval_time_t bound_of(PGconn *pg, prepared_t *known)
{
    if (!known) {
        return gf_answer_bound(pg);
    }
    if (!known->bound) {
        known->bound = gf_answer_bound(pg);
    }
    return known->bound;
}

/* Prepares the statement if this connection has not yet, then runs it: both within the bound. */
static PGresult *prepare_and_run(PGconn *pg, apr_pool_t *pool, asked_t *asked)
{
    const gf_sql_t statement = asked->statement;
    const gf_type_t *type = asked->type;
    const gf_sql_row_t *row = &gf_sql_rows[statement];
    prepared_t *known = knowledge(pg);
    int index = type ? type->index : 0;
    char name[48];
    apr_time_t end;
    int sent;

    asked->bound = bound_of(pg, known);
    end = gf_clock_now() + asked->bound;
    apr_snprintf(name, sizeof(name), "genflow_%s_%d", row->name, index);
    if (known && !known->done[statement][index]) {
        const char *text = type ? apr_psprintf(pool, row->text, type->prefix) : row->text;
        PGresult *result =
            gf_answer_wait(&asked->is_silent, pg, PQsendPrepare(pg, name, text, 0, NULL), end);

        if (!succeeded(result)
            && strcmp(sqlstate(result), "42P05") != 0) { /* 42P05: it is prepared */
            return result;
        }
        PQclear(result);
        known->done[statement][index] = true;
    }
    sent = PQsendQueryPrepared(pg, name, asked->count, asked->args, NULL, NULL, 0);
    return gf_answer_wait(&asked->is_silent, pg, sent, end);
}

/* Nothing happened, and it may work when it is said again: it met another in a deadlock, or
 * sql/apply has renewed a function while it ran. */
static bool is_passing(const char *state)
{
    return strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0
           || strcmp(state, "42804") == 0  /* the function returns more now */
           || strcmp(state, "XX000") == 0; /* the function is gone, another has its name */
}

/* One round; a dead link or what passes gets a second one. Silence gets none: the client has waited
 * long enough, and its own repetition finds what this one did. */
static PGresult *run(gf_ctx_t *ctx, PGconn *pg, asked_t *asked)
{
    PGresult *result = prepare_and_run(pg, ctx->pool, asked);

    if (asked->is_silent) {
        return result;
    }
    if (is_dead(pg, result) || strncmp(sqlstate(result), "57P", 3) == 0) {
        gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0301",
               "lost a database connection in %s, connecting again",
               gf_sql_rows[asked->statement].name);
        PQreset(pg);
        if (PQstatus(pg) != CONNECTION_OK) {
            return result;
        }
    }
    else if (!is_passing(sqlstate(result))) {
        return result;
    }
    PQclear(result);
    if (asked->again) {
        asked->args[asked->again] = "true";
    }
    return prepare_and_run(pg, ctx->pool, asked);
}

static apr_status_t clear_result(void *result)
{
    PQclear(result);
    return APR_SUCCESS;
}

/* What is missing in the database, and what to do about it. */
static const char *schema_cause(const char *state, const gf_type_t *type)
{
    if (strcmp(state, "42501") == 0) {
        return "the role of DBDParams may not do this: run sql/apply with --role and its name";
    }
    if (strcmp(state, "3F000") == 0) {
        return "this database has no schema genflow: run sql/apply, or correct DBDParams";
    }
    if (strcmp(state, "42883") == 0) {
        return type ? "this type has no functions in the database: run genflow.create_type() for it"
                    : "the database is older than this module: run sql/apply";
    }
    if (strcmp(state, "42P01") == 0) {
        return type ? "the table of this type is gone: restore it, make an empty one by "
                      "genflow.create_type(), or remove its <GenflowType>"
                    : "a table of schema genflow is gone: run sql/apply";
    }
    return "the functions in the database do not fit this module or each other: run sql/apply";
}

static gf_err_t *statement_error(gf_ctx_t *ctx, const asked_t *asked, const PGresult *result)
{
    const gf_sql_t statement = asked->statement;
    const gf_type_t *type = asked->type;
    const char *state = sqlstate(result);
    const char *of = type ? type->name : "no type";
    const char *message = PQresultErrorMessage(result);
    gf_err_t *err;

    if (asked->is_silent) {
        err = gf_err_make(ctx, GF_E_DB_DOWN, APR_SUCCESS,
                          "%s (%s): no answer within %d s; the connection is closed. Look for a "
                          "network that drops packets, or a server that stands still",
                          gf_sql_rows[statement].name, of, (int)apr_time_sec(asked->bound));
        err->retry_after = RETRY_AFTER_SECONDS;
        return err;
    }

    if (is_unavailable(state)) {
        err = gf_err_make(ctx, GF_E_DB_DOWN, APR_SUCCESS, "%s (%s): SQLSTATE %s: %s",
                          gf_sql_rows[statement].name, of, state, message);
        err->retry_after = RETRY_AFTER_SECONDS;
        return err;
    }
    if (strncmp(state, "42", 2) == 0 || strcmp(state, "3F000") == 0) {
        return gf_err_make(ctx, GF_E_DB_SCHEMA, APR_SUCCESS, "%s (%s): %s: SQLSTATE %s: %s",
                           gf_sql_rows[statement].name, of, schema_cause(state, type), state,
                           message);
    }
    if (strncmp(state, "22", 2) == 0) {
        return gf_err_make(ctx, GF_E_INVALID, APR_SUCCESS, "%s (%s): SQLSTATE %s: %s",
                           gf_sql_rows[statement].name, of, state, message);
    }
    return gf_err_make(ctx, GF_E_INTERNAL, APR_SUCCESS, "%s (%s): SQLSTATE %s: %s",
                       gf_sql_rows[statement].name, of, state, message);
}

gf_err_t *gf_db_call(gf_rows_t **rows, gf_ctx_t *ctx, gf_sql_t statement, const gf_type_t *type,
                     const char *const *args, bool *raced)
{
    gf_link_t link;
    PGresult *result;
    asked_t asked;

    if (!ctx->lender->take(&link, ctx->pool, ctx->lender->baton)) {
        gf_err_t *err = gf_err_make(ctx, GF_E_DB_DOWN, APR_SUCCESS, "%s: no connection",
                                    gf_sql_rows[statement].name);

        err->retry_after = RETRY_AFTER_SECONDS;
        return err;
    }
    ask(&asked, ctx, statement, type, args);
    result = run(ctx, link.pg, &asked);
    if (ctx->lender->heard) {
        ctx->lender->heard(!is_dead(link.pg, result) && strncmp(sqlstate(result), "57P", 3) != 0
                               && strncmp(sqlstate(result), "08", 2) != 0,
                           &link, ctx->lender->baton);
    }
    ctx->lender->give(&link, ctx->lender->baton);
    apr_pool_cleanup_register(ctx->pool, result, clear_result, apr_pool_cleanup_null);
    if (raced) {
        *raced = strncmp(sqlstate(result), "GF4", 3) == 0;
        if (*raced) {
            return NULL;
        }
    }
    if (!succeeded(result)) {
        return statement_error(ctx, &asked, result);
    }
    *rows = apr_palloc(ctx->pool, sizeof(**rows));
    (*rows)->result = result;
    return NULL;
}

gf_err_t *gf_db_call_hold(gf_rows_t **rows, gf_ctx_t *ctx, gf_sql_t statement,
                          const gf_type_t *type, const char *const *args)
{
    gf_err_t *err;
    bool raced;
    int round;

    for (round = 0; round < RACES_MAX; round++) {
        GF_TRY(gf_db_call(rows, ctx, statement, type, args, &raced));
        if (!raced) {
            return NULL;
        }
    }
    err = gf_err_make(ctx, GF_E_DB_DOWN, APR_SUCCESS, "%s: lost %d races for credits",
                      gf_sql_rows[statement].name, RACES_MAX);
    err->retry_after = 1;
    return err;
}

gf_err_t *gf_db_owned(gf_ctx_t *ctx, const char *outcome, gf_err_code_t none, const char *what,
                      const char *user, const char *id)
{
    if (strcmp(outcome, "not_found") == 0) {
        return gf_err_make(ctx, none, APR_SUCCESS, "no %s %s", what, id);
    }
    if (strcmp(outcome, "not_yours") == 0) {
        return gf_err_make(ctx, GF_E_NOT_YOURS, APR_SUCCESS, "%s %s is not of %s", what, id, user);
    }
    return NULL;
}

static void put_word(const char **text, const char *word, const char *value, apr_pool_t *pool)
{
    const char *at;

    *text = apr_pstrcat(pool, *text, " ", word, "='", NULL);
    for (at = value; *at; at++) {
        *text = apr_pstrcat(pool, *text, *at == '\'' || *at == '\\' ? "\\" : "",
                            apr_pstrmemdup(pool, at, 1), NULL);
    }
    *text = apr_pstrcat(pool, *text, "'", NULL);
}

/* All hosts that the connection might have led to: when its own is gone another takes over. */
const char *gf_db_address(const gf_link_t *link, apr_pool_t *pool)
{
    static const char *const words[] = { "host", "hostaddr", "port", "dbname", "user", NULL };
    PQconninfoOption *options = PQconninfo(link->pg);
    const PQconninfoOption *option;
    const char *text = "connect_timeout=2";
    const char *const *word;

    for (option = options; option && option->keyword; option++) {
        for (word = words; *word && strcmp(*word, option->keyword) != 0; word++) {
        }
        if (*word && option->val && *option->val) {
            put_word(&text, *word, option->val, pool);
        }
    }
    PQconninfoFree(options);
    return text;
}

bool gf_db_listens(const char *address)
{
    PGPing answer = PQping(address);

    return answer == PQPING_OK || answer == PQPING_NO_ATTEMPT;
}

/* Names of types need no quotes. */
const char *gf_db_types(gf_ctx_t *ctx, const gf_type_t *only)
{
    const apr_array_header_t *types = ctx->conf->type_list;
    apr_array_header_t *names;
    int i;

    if (only) {
        return apr_pstrcat(ctx->pool, "{", only->name, "}", NULL);
    }
    names = apr_array_make(ctx->pool, types->nelts, sizeof(const char *));
    for (i = 0; i < types->nelts; i++) {
        APR_ARRAY_PUSH(names, const char *) = APR_ARRAY_IDX(types, i, const gf_type_t *)->name;
    }
    return apr_pstrcat(ctx->pool, "{", apr_array_pstrcat(ctx->pool, names, ','), "}", NULL);
}

int gf_rows_count(const gf_rows_t *rows)
{
    return PQntuples(rows->result);
}

const char *gf_rows_text(const gf_rows_t *rows, int row, int column)
{
    return PQgetisnull(rows->result, row, column) ? NULL : PQgetvalue(rows->result, row, column);
}

apr_int64_t gf_rows_int(const gf_rows_t *rows, int row, int column)
{
    const char *text = gf_rows_text(rows, row, column);

    return text ? apr_atoi64(text) : 0;
}

bool gf_rows_bool(const gf_rows_t *rows, int row, int column)
{
    const char *text = gf_rows_text(rows, row, column);

    return text && text[0] == 't';
}

apr_array_header_t *gf_rows_texts(const gf_rows_t *rows, apr_pool_t *pool)
{
    apr_array_header_t *texts = apr_array_make(pool, gf_rows_count(rows), sizeof(const char *));
    int row;

    for (row = 0; row < gf_rows_count(rows); row++) {
        APR_ARRAY_PUSH(texts, const char *) = gf_rows_text(rows, row, 0);
    }
    return texts;
}

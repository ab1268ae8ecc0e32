/* SPDX-License-Identifier: Apache-2.0 */
/* Statements through libpq on pooled connections (mod_dbd in httpd). Prepares lazily per
 * connection, notices resets of the connection (libpq events), and distinguishes a dead connection
 * from a failing statement. The wait for an answer is in db/answer.c, texts and parameters in
 * db/sql.c, rows in db/rows.c. */
#include "db/db.h"

#include <string.h>

#include <apr_strings.h>
#include <libpq-events.h>
#include <libpq-fe.h>

#include "base/metric.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/inject.h"
#include "db/answer.h"
#include "db/cause.h"
#include "model/servers.h"

#define TYPES_MAX                                                                  \
    64 /* types with an index below it are prepared; gf_type_t.index is bounded so \
        */
#define RETRY_AFTER_SECONDS 2
#define RACES_MAX           3
#define TOKEN_BYTES         16

/* Our data of one connection; ends with it. */
typedef struct prepared_t {
    apr_pool_t *pool;
    bool done[GF_SQL_COUNT][TYPES_MAX];
    apr_interval_time_t bound; /* for a statement's answer; 0: not read yet */
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

static prepared_t *prepared_of(PGconn *pg)
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

static const char *result_sqlstate(const PGresult *result)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    return state ? state : "";
}

static bool is_success(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* Right after a crash of the server libpq may still call the connection good; an error without
 * SQLSTATE then was made by libpq, not by the server. */
static bool is_dead(PGconn *pg, const PGresult *result)
{
    return PQstatus(pg) == CONNECTION_BAD
           || (!is_success(result) && result_sqlstate(result)[0] == '\0');
}

/* The server is stopping, starting or full: retry, on a new connection or later. */
static bool is_unavailable(const char *state)
{
    return state[0] == '\0' || strncmp(state, "08", 2) == 0 || strncmp(state, "57", 2) == 0
           || strncmp(state, "53", 2) == 0 || strncmp(state, "58", 2) == 0
           || strcmp(state, "55P03") == 0 || strcmp(state, "25006") == 0;
}

/* One call of a statement, with the values of all its parameters. */
typedef struct call_t {
    const gf_statement_t *statement;
    const gf_type_t *type;
    const char *args[GF_SQL_PARAMS_MAX + 1]; /* behind them the type's name, for GF_INJECT_OF() */
    int count;
    int again; /* the one that marks a repeated call; 0: none */
    apr_interval_time_t bound;
    bool is_silent; /* no answer within the bound */
} call_t;

/* The token of the call goes along: the repetition answers as the first one did. */
static void call_begin(call_t *call, gf_ctx_t *ctx, const gf_statement_t *statement,
                       const gf_type_t *type, const void *in)
{
    memset(call, 0, sizeof(*call));
    call->statement = statement;
    call->type = type;
    call->count = gf_sql_args(call->args, statement, in, ctx->pool);
    if (statement->has_by) {
        call->args[call->count++] = ctx->by;
    }
    if (statement->has_call) {
        call->args[call->count++] = ctx->call ? ctx->call : gf_hash_random(ctx->pool, TOKEN_BYTES);
    }
    if (statement->has_again) {
        call->again = call->count++;
        call->args[call->again] = "false";
    }
    call->args[call->count] = type ? type->name : NULL;
}

/* The bound of a statement's answer on this connection; 0: the connection is dead. */
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

static const char *text_of(const call_t *call, apr_pool_t *pool)
{
    return gf_sql_text(call->statement, call->type ? call->type->prefix : NULL, pool);
}

/* Runs the statement within the bound. If GenflowPrepare is On it is prepared first, unless this
 * connection has done so before. */
static PGresult *send_call(gf_ctx_t *ctx, PGconn *pg, call_t *call)
{
    const gf_statement_t *statement = call->statement;
    prepared_t *known = prepared_of(pg);
    int index = call->type ? call->type->index : 0;
    char name[48];
    apr_time_t end;
    int sent;

    call->bound = bound_of(pg, known);
    end = gf_clock_now() + call->bound;
    if (!ctx->conf->prepare) {
        sent = PQsendQueryParams(pg, text_of(call, ctx->pool), call->count, NULL, call->args, NULL,
                                 NULL, 0);
        return gf_answer_wait(&call->is_silent, pg, sent, end);
    }
    apr_snprintf(name, sizeof(name), "genflow_%s_%d", statement->label, index);
    if (known && !known->done[statement->number][index]) {
        PGresult *result;

        sent = PQsendPrepare(pg, name, text_of(call, ctx->pool), 0, NULL);
        result = gf_answer_wait(&call->is_silent, pg, sent, end);

        if (!is_success(result)
            && strcmp(result_sqlstate(result), "42P05") != 0) { /* 42P05: it is prepared */
            return result;
        }
        PQclear(result);
        known->done[statement->number][index] = true;
    }
    sent = PQsendQueryPrepared(pg, name, call->count, call->args, NULL, NULL, 0);
    return gf_answer_wait(&call->is_silent, pg, sent, end);
}

/* Is this error transient, with nothing committed? Then the statement is retried: it met another
 * one in a deadlock, or sql/apply replaced its function while it ran. */
static bool is_passing(const char *state)
{
    return strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0
           || strcmp(state, "42804") == 0  /* the function returns more now */
           || strcmp(state, "XX000") == 0; /* the function is gone, another has its name */
}

/* Runs the statement; after a dead connection or a transient error once more. A silent connection
 * gets no retry: the client has waited long enough, and its own repetition finds the result. */
static PGresult *run_call(gf_ctx_t *ctx, PGconn *pg, call_t *call)
{
    PGresult *result = send_call(ctx, pg, call);

    if (call->is_silent) {
        return result;
    }
    if (is_dead(pg, result) || strncmp(result_sqlstate(result), "57P", 3) == 0) {
        gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0301",
               "lost a database connection in %s, connecting again", call->statement->label);
        PQreset(pg);
        if (PQstatus(pg) != CONNECTION_OK) {
            return result;
        }
    }
    else if (!is_passing(result_sqlstate(result))) {
        return result;
    }
    PQclear(result);
    if (call->again) {
        call->args[call->again] = "true";
    }
    return send_call(ctx, pg, call);
}

/* The error of a part that the database lacks, with its remedy. */
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
    if (strcmp(state, "26000") == 0) {
        return "a pooler gave this connection another session, which does not know the prepared "
               "statement: set GenflowPrepare Off, or let it pool sessions";
    }
    if (strcmp(state, "42703") == 0) {
        return "a column that this module reads is missing: run sql/apply";
    }
    return "the functions in the database do not fit this module or each other: run sql/apply";
}

/* Of values that a row or a type does not take, the details are those values: a prompt never goes
 * to the log. */
static const char *message_of(const PGresult *result, const char *state)
{
    bool has_values = strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0;
    const char *primary = has_values ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    return primary ? primary : PQresultErrorMessage(result);
}

static gf_err_t *make_error(gf_ctx_t *ctx, const call_t *call, const PGresult *result)
{
    const char *label = call->statement->label;
    const char *of = call->type ? call->type->name : "no type";
    const char *state = result_sqlstate(result);
    const char *message = message_of(result, state);
    bool is_file_missing = strcmp(state, "58P01") == 0;
    gf_err_t *err;

    if (call->is_silent || is_unavailable(state)) {
        gf_metric_add(ctx->metrics, GF_METRIC_DB_FAILURES, 1, NULL, NULL, NULL);
    }
    if (call->is_silent) {
        err = gf_err_make(ctx, GF_E_DB_DOWN, APR_SUCCESS,
                          "%s (%s): no answer within %d s; the connection is closed. Look for a "
                          "network that drops packets, or a server that stands still",
                          label, of, (int)apr_time_sec(call->bound));
        err->retry_after = RETRY_AFTER_SECONDS;
        return err;
    }
    if (is_unavailable(state)) {
        err = gf_err_make(ctx, GF_E_DB_DOWN, APR_SUCCESS, "%s (%s): %s%sSQLSTATE %s: %s", label, of,
                          is_file_missing ? gf_cause_of(state)->advice : "",
                          is_file_missing ? ": " : "", state, message);
        err->retry_after = RETRY_AFTER_SECONDS;
        return err;
    }
    if (strncmp(state, "42", 2) == 0 || strcmp(state, "3F000") == 0
        || strcmp(state, "26000") == 0) {
        err = gf_err_make(ctx, GF_E_DB_SCHEMA, APR_SUCCESS, "%s (%s): %s: SQLSTATE %s: %s", label,
                          of, schema_cause(state, call->type), state, message);
        err->retry_after = RETRY_AFTER_SECONDS;
        /* health's word; a dropped table of one type, and a pooler, have none */
        if (*state != '2' && !(call->type && strcmp(state, "42P01") == 0)) {
            err->extra = apr_psprintf(ctx->pool, "\"fault\":\"%s\"", gf_cause_of(state)->word);
        }
        return err;
    }
    return gf_err_make(ctx, strncmp(state, "22", 2) == 0 ? GF_E_INVALID : GF_E_INTERNAL,
                       APR_SUCCESS, "%s (%s): SQLSTATE %s: %s", label, of, state, message);
}

static gf_err_t *statement_error(gf_ctx_t *ctx, const call_t *call, const PGresult *result)
{
    const char *state = result_sqlstate(result);
    gf_err_t *err = make_error(ctx, call, result);

    err->sqlstate = *state ? apr_pstrdup(ctx->pool, state) : NULL;
    return err;
}

gf_err_t *gf_db_call(gf_rows_t **rows, gf_ctx_t *ctx, const gf_statement_t *statement,
                     const gf_type_t *type, const void *in, bool *raced)
{
    apr_time_t begun = gf_ctx_now(ctx);
    gf_connection_t connection;
    PGresult *result;
    call_t call;

    call_begin(&call, ctx, statement, type, in);
    GF_TRY(GF_INJECT_OF(ctx, statement->label, "before", call.args, call.count + 1));
    if (!ctx->lender->take(&connection, ctx->pool, ctx->lender->baton)) {
        gf_err_t *err =
            gf_err_make(ctx, GF_E_DB_DOWN, APR_SUCCESS, "%s: no connection", statement->label);

        gf_metric_add(ctx->metrics, GF_METRIC_DB_FAILURES, 1, NULL, NULL, NULL);
        err->retry_after = RETRY_AFTER_SECONDS;
        return err;
    }
    gf_metric_observe(ctx->metrics, GF_METRIC_DB_WAIT, gf_ctx_now(ctx) - begun, NULL, NULL);
    begun = gf_ctx_now(ctx);
    result = run_call(ctx, connection.pg, &call);
    gf_metric_observe(ctx->metrics, GF_METRIC_DB_TIME, gf_ctx_now(ctx) - begun, NULL, NULL);
    if (ctx->lender->on_answer) {
        ctx->lender->on_answer(!is_dead(connection.pg, result)
                                   && strncmp(result_sqlstate(result), "57P", 3) != 0
                                   && strncmp(result_sqlstate(result), "08", 2) != 0,
                               &connection, ctx->lender->baton);
    }
    ctx->lender->give(&connection, ctx->lender->baton);
    *rows = gf_rows_make(result, statement, ctx->pool); /* which frees the result */
    GF_TRY(GF_INJECT_OF(ctx, statement->label, "after", call.args, call.count + 1));
    if (raced) {
        *raced = strncmp(result_sqlstate(result), "GF4", 3) == 0;
        if (*raced) {
            return NULL;
        }
    }
    return is_success(result) ? NULL : statement_error(ctx, &call, result);
}

gf_err_t *gf_db_call_hold(gf_rows_t **rows, gf_ctx_t *ctx, const gf_statement_t *statement,
                          const gf_type_t *type, const void *in)
{
    gf_err_t *err;
    bool raced;
    int round;

    for (round = 0; round < RACES_MAX; round++) {
        GF_TRY(gf_db_call(rows, ctx, statement, type, in, &raced));
        if (!raced) {
            return NULL;
        }
    }
    err = gf_err_make(ctx, GF_E_DB_DOWN, APR_SUCCESS, "%s: lost %d races for credits",
                      statement->label, RACES_MAX);
    err->retry_after = 1;
    return err;
}

gf_err_t *gf_db_one(void *out, gf_ctx_t *ctx, const gf_statement_t *statement,
                    const gf_type_t *type, const void *in)
{
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, statement, type, in, NULL));
    return gf_rows_read(out, ctx, rows, 0, NULL);
}

gf_err_t *gf_db_list(apr_array_header_t **list, gf_ctx_t *ctx, const gf_statement_t *statement,
                     const void *in)
{
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, statement, NULL, in, NULL));
    return gf_rows_list(list, ctx, rows);
}

gf_err_t *gf_db_do(gf_ctx_t *ctx, const gf_statement_t *statement, const void *in)
{
    gf_rows_t *rows;

    return gf_db_call(&rows, ctx, statement, NULL, in, NULL);
}

const gf_sql_word_t gf_db_owned_words[] = { { "ok", GF_OWNED },
                                            { "not_found", GF_OWNED_NOT_FOUND },
                                            { "not_yours", GF_OWNED_NOT_YOURS },
                                            { "invalid_status", GF_OWNED_STATUS },
                                            { "restored", GF_OWNED_RESTORED },
                                            { "too_large", GF_OWNED_TOO_LARGE },
                                            { "more", GF_OWNED_MORE },
                                            { NULL, GF_SQL_NO_WORD } };

gf_err_t *gf_db_owned(gf_ctx_t *ctx, gf_owned_t outcome, gf_err_code_t none, const char *what,
                      const char *user, const char *id)
{
    if (outcome == GF_OWNED_NOT_FOUND) {
        return gf_err_make(ctx, none, APR_SUCCESS, "no %s %s", what, id);
    }
    if (outcome == GF_OWNED_NOT_YOURS) {
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
const char *gf_db_address(const gf_connection_t *connection, apr_pool_t *pool)
{
    static const char *const words[] = { "host", "hostaddr", "port", "dbname", "user", NULL };
    PQconninfoOption *options = PQconninfo(connection->pg);
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
static const char *array_of_types(gf_ctx_t *ctx, const apr_array_header_t *types)
{
    apr_array_header_t *names = apr_array_make(ctx->pool, types->nelts, sizeof(const char *));
    int i;

    for (i = 0; i < types->nelts; i++) {
        APR_ARRAY_PUSH(names, const char *) = APR_ARRAY_IDX(types, i, const gf_type_t *)->name;
    }
    return apr_pstrcat(ctx->pool, "{", apr_array_pstrcat(ctx->pool, names, ','), "}", NULL);
}

const char *gf_db_types(gf_ctx_t *ctx, const gf_type_t *only)
{
    return only ? apr_pstrcat(ctx->pool, "{", only->name, "}", NULL)
                : array_of_types(ctx, ctx->conf->type_list);
}

const char *gf_db_all_types(gf_ctx_t *ctx)
{
    return array_of_types(ctx, gf_servers_types(ctx->conf));
}

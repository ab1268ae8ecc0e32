/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a connection for one check of the ledger and reads its outcome, each without waiting. */
#include "db/books.h"

#include <poll.h>
#include <string.h>

#include <apr_strings.h>
#include <libpq-fe.h>

#include "base/clock.h"
#include "db/db.h"

#define LONGEST apr_time_from_sec(3600) /* of a check */

struct gf_books_t {
    apr_pool_t *pool;
    PGconn *pg;
    PostgresPollingStatusType connecting;
    bool sent;
    apr_interval_time_t age;
    apr_time_t end;
    gf_books_state_t state; /* of the answer, as far as it is read */
    const char *text;
};

typedef struct due_in_t {
    apr_interval_time_t every;
} due_in_t;

typedef struct due_row_t {
    bool due;
} due_row_t;

static const gf_sql_field_t due_params[] = { GF_PARAM_INTERVAL(due_in_t, every) };
static const gf_sql_field_t due_columns[] = { GF_COLUMN(due_row_t, due) };

GF_STATEMENT(check_due, .function = "check_due", .is_value = true, GF_PARAMS(due_params),
             GF_COLUMNS(due_row_t, due_columns));

gf_err_t *gf_books_due(bool *due, gf_ctx_t *ctx, apr_interval_time_t age)
{
    const due_in_t in = { .every = age };
    due_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_check_due, NULL, &in));
    *due = row.due;
    return NULL;
}

gf_books_t *gf_books_begin(const char *conninfo, apr_interval_time_t age)
{
    gf_books_t *books;
    apr_pool_t *pool;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return NULL;
    }
    books = apr_pcalloc(pool, sizeof(*books));
    books->pool = pool;
    books->pg = PQconnectStart(conninfo);
    books->connecting = PGRES_POLLING_WRITING;
    books->age = age;
    books->end = gf_clock_now() + LONGEST;
    books->state = GF_BOOKS_FAILED;
    return books;
}

/* libpq's error text, in one line. */
static const char *words_of(PGconn *pg, const char *words, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, pg ? words : "no memory");
    char *at = text;

    while ((at = strchr(at, '\n'))) {
        *at = at[1] ? ' ' : '\0';
    }
    return text;
}

/* Of the socket: may libpq go on with the connection? */
static bool is_ready(const gf_books_t *books)
{
    short events = books->connecting == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
    struct pollfd socket = { .fd = PQsocket(books->pg), .events = events };

    return poll(&socket, 1, 0) > 0;
}

static void connect_further(gf_books_t *books)
{
    while (books->connecting != PGRES_POLLING_OK && books->connecting != PGRES_POLLING_FAILED
           && is_ready(books)) {
        books->connecting = PQconnectPoll(books->pg);
    }
}

/* One text of two statements is one transaction, in which the first one counts for the second. */
static bool send_check(gf_books_t *books)
{
    char query[200];

    apr_snprintf(query, sizeof(query),
                 "SET LOCAL statement_timeout = 0; SELECT outcome, rules FROM "
                 "genflow.check_run('%" APR_INT64_T_FMT " us')",
                 (apr_int64_t)books->age);
    books->sent = true;
    return PQsendQuery(books->pg, query) == 1;
}

/* The answer of one of the two statements; the last one stays. */
static void read_result(gf_books_t *books, const PGresult *result)
{
    static const struct {
        const char *outcome;
        gf_books_state_t state;
    } outcomes[] = { { "sound", GF_BOOKS_SOUND },
                     { "broken", GF_BOOKS_BROKEN },
                     { "not_due", GF_BOOKS_NOT_DUE } };
    size_t i;

    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            books->text = apr_pstrdup(books->pool, PQresultErrorMessage(result));
        }
        return;
    }
    for (i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (strcmp(PQgetvalue(result, 0, 0), outcomes[i].outcome) == 0) {
            books->state = outcomes[i].state;
            books->text = apr_pstrdup(books->pool, PQgetvalue(result, 0, 1));
        }
    }
}

/* False: the answer is not complete. */
static bool read_answer(gf_books_t *books)
{
    PGresult *result;

    if (!PQconsumeInput(books->pg)) {
        books->text = PQerrorMessage(books->pg);
        return true;
    }
    while (!PQisBusy(books->pg)) {
        result = PQgetResult(books->pg);
        if (!result) {
            return true;
        }
        read_result(books, result);
        PQclear(result);
    }
    return false;
}

gf_books_state_t gf_books_step(gf_books_t *books, const char **text, apr_pool_t *pool)
{
    bool done;

    connect_further(books);
    if (!books->pg || books->connecting == PGRES_POLLING_FAILED
        || (books->connecting == PGRES_POLLING_OK && !books->sent && !send_check(books))) {
        *text = words_of(books->pg, PQerrorMessage(books->pg), pool);
        return GF_BOOKS_FAILED;
    }
    done = books->sent && read_answer(books);
    if (!done && gf_clock_now() < books->end) {
        return GF_BOOKS_UNDER_WAY;
    }
    *text =
        words_of(books->pg, done && books->text ? books->text : "no answer within an hour", pool);
    return done ? books->state : GF_BOOKS_FAILED;
}

void gf_books_end(gf_books_t *books)
{
    PQfinish(books->pg);
    apr_pool_destroy(books->pool);
}

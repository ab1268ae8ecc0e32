/* SPDX-License-Identifier: Apache-2.0 */
/* db/db.c, db/answer.c, db/sql.c and db/ledger.c: what the caller hears when there is no
 * database, and, in the harness, how statements are prepared, connections mended and errors told
 * apart. */
#include "database.h"

#include <signal.h>

#include <apr_lib.h>

#include "base/clock.h"
#include "db/answer.h"
#include "db/ledger.h"
#include "db/queue.h"

static const gf_type_t type = { .name = "unit-db", .prefix = "unit_db", .index = 5 };

static gf_err_t *ask_health(void)
{
    int version = 0;

    return gf_ledger_health(&version, &unit.ctx);
}

static gf_err_t *ask_quota(void)
{
    gf_quota_t quota;

    return gf_ledger_quota(&quota, &unit.ctx, "nobody");
}

static gf_err_t *ask_claim(void)
{
    gf_look_t look = { .owner = "unit",
                       .limit = 10,
                       .from = { "-infinity", "-infinity", "-infinity", "-infinity" } };
    gf_job_t *jobs = NULL;
    gf_err_t *err = gf_queue_claim(&jobs, &unit.ctx, &type, &look);

    ck_assert_ptr_null(jobs);
    return err;
}

START_TEST(without_a_connection_the_caller_is_told_when_to_come_again)
{
    gf_err_t *err = ask_health();

    ck_assert(gf_err_is(err, GF_E_DB_DOWN));
    ck_assert_int_gt(err->retry_after, 0);
    ck_assert_str_eq(err->detail, "health: no connection");
    ck_assert_int_eq(unit.asked, 1);
    ck_assert_msg(unit.line_count == 0, "the lender has logged why");
}
END_TEST

START_TEST(a_dead_connection_is_tried_once_more_and_given_back)
{
    gf_err_t *err;

    lend("host=/nowhere/at/all");
    err = ask_health();
    ck_assert(gf_err_is(err, GF_E_DB_DOWN));
    ck_assert_int_gt(err->retry_after, 0);
    ck_assert_int_eq(unit.asked, 1);
    ck_assert_int_eq(unit.line_count, 1);
    ck_assert_str_eq(unit.lines[0].text, "GF0301: unit: lost a database connection in health, "
                                         "connecting again");
    end();
}
END_TEST

START_TEST(every_statement_uses_all_its_arguments_and_no_more)
{
    int i, n;

    for (i = 0; i < GF_SQL_COUNT; i++) {
        const gf_sql_row_t *row = &gf_sql_rows[i];
        const char *prefix = strstr(row->text, "%s");
        int count = row->args + (strstr(row->text, "p_call =>") != NULL)
                    + (strstr(row->text, "p_again =>") != NULL);

        ck_assert_msg(row->name && row->text, "row %d", i);
        ck_assert_msg(strlen(row->name) + strlen("genflow__63") < 48, "%s is too long", row->name);
        ck_assert_int_le(count, GF_SQL_ARGS_MAX);
        ck_assert_msg(!prefix || !strchr(prefix + 2, '%'), "%s", row->name);
        for (n = 1; n <= GF_SQL_ARGS_MAX + 1; n++) {
            const char *mark = apr_psprintf(unit.ctx.pool, "$%d", n);
            const char *at = strstr(row->text, mark);

            while (at && apr_isdigit(at[strlen(mark)])) { /* $1 is no $14 */
                at = strstr(at + 1, mark);
            }
            ck_assert_msg((at != NULL) == (n <= count), "%s: %s", row->name, mark);
        }
    }
}
END_TEST

START_TEST(the_schema_is_new_enough)
{
    int version = 0;

    lend_app();
    unit_no_error(gf_ledger_health(&version, &unit.ctx));
    ck_assert_int_ge(version, GF_SCHEMA_VERSION);
    end();
}
END_TEST

START_TEST(a_user_without_account_has_nothing_and_no_limits)
{
    gf_quota_t quota;

    lend_app();
    unit_no_error(gf_ledger_quota(&quota, &unit.ctx, "unit-nobody"));
    ck_assert_int_eq(quota.balance, 0);
    ck_assert_int_eq(quota.remaining, 0);
    ck_assert_int_eq(quota.day_limit, -1);
    ck_assert_int_eq(quota.week_limit, -1);
    ck_assert_uint_eq(strlen(quota.at), strlen("2026-11-20T22:00:00.000Z"));
    end();
}
END_TEST

START_TEST(a_value_that_the_database_cannot_hold_is_the_clients)
{
    gf_find_t find = { .id = "no uuid" };
    gf_view_t view;

    lend_app();
    ck_assert(gf_err_is(gf_queue_get(&view, &unit.ctx, &type, "x", &find), GF_E_INVALID));
    end();
}
END_TEST

START_TEST(a_type_that_is_not_set_up_is_told_with_what_to_do)
{
    static const gf_type_t stray = { .name = "un-made", .prefix = "un_made", .index = 6 };
    gf_find_t find = { .id = NO_ID };
    gf_view_t view;
    gf_err_t *err;

    lend_app();
    err = gf_queue_get(&view, &unit.ctx, &stray, "x", &find);
    ck_assert(gf_err_is(err, GF_E_DB_SCHEMA));
    ck_assert(strstr(err->detail, "un-made") && strstr(err->detail, "genflow.create_type()"));
    unit_no_error(ask_health()); /* the connection still works */
    end();
}
END_TEST

/* A field of a row that the borrowed connection itself answers with. */
static int asked_of_link(const char *sql)
{
    PGresult *result = PQexec(link_pg, sql);
    int number = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);

    PQclear(result);
    return number;
}

START_TEST(a_statement_is_prepared_once_per_connection)
{
    const char *count = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'genflow%'";

    lend_app();
    unit_no_error(ask_health());
    unit_no_error(ask_quota());
    unit_no_error(ask_health());
    unit_no_error(ask_claim());
    ck_assert_int_eq(asked_of_link(count), 3);
    ck_assert_int_eq(asked_of_link("SELECT count(*) FROM pg_prepared_statements"
                                   " WHERE name = 'genflow_claim_5'"),
                     1);
    end();
}
END_TEST

START_TEST(a_statement_costs_one_round_trip)
{
    char said[4096] = "";
    FILE *trace = tmpfile();

    lend_app();
    unit_no_error(ask_claim());
    PQtrace(link_pg, trace);
    unit_no_error(ask_claim());
    PQuntrace(link_pg);
    rewind(trace);
    said[fread(said, 1, sizeof(said) - 1, trace)] = '\0';
    fclose(trace);
    ck_assert_msg(strstr(said, "\tBind\t"), "%s", said);
    ck_assert_msg(!strstr(said, "\tParse\t"), "it is prepared again: %s", said);
    end();
}
END_TEST

START_TEST(a_connection_that_broke_is_mended_within_the_call)
{
    int pid, i;

    lend_app();
    unit_no_error(ask_health());
    for (i = 1; i <= 3; i++) {
        pid = PQbackendPID(link_pg);
        ck_assert_str_eq(
            as_owner(apr_psprintf(unit.ctx.pool, "SELECT pg_terminate_backend(%d, 5000)", pid)),
            "t");
        unit_no_error(ask_health());
        ck_assert_int_ne(PQbackendPID(link_pg), pid);
        ck_assert_int_eq(unit.line_count, i);
        ck_assert(strncmp(unit.lines[i - 1].text, "GF0301: ", 8) == 0);
        ck_assert_int_eq(unit.lines[i - 1].level, GF_LOG_INFO);
    }
    end();
}
END_TEST

/* The server process of the borrowed connection stands still: to us its packets vanish. */
START_TEST(a_silent_connection_is_given_up_and_the_statement_is_not_repeated)
{
    apr_time_t from;
    gf_err_t *err;
    pid_t pid;

    lend("dbname=genflow user=genflow_app options='-c statement_timeout=200'");
    unit_no_error(ask_health());
    pid = PQbackendPID(link_pg);
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    from = gf_clock_now();
    err = ask_health();
    ck_assert(gf_err_is(err, GF_E_DB_DOWN));
    ck_assert_int_gt(err->retry_after, 0);
    ck_assert_msg(strstr(err->detail, "no answer within 5 s"), "%s", err->detail);
    ck_assert_int_ge(gf_clock_now() - from, apr_time_from_msec(5200));
    ck_assert_int_eq(PQstatus(link_pg), CONNECTION_BAD);
    ck_assert_msg(unit.line_count == 0, "it was repeated: %s", unit.lines[0].text);
    kill(pid, SIGCONT);

    unit_no_error(ask_health()); /* the pool or the next statement opens another */
    ck_assert_int_ne(PQbackendPID(link_pg), pid);
    end();
}
END_TEST

START_TEST(a_statement_may_take_as_long_as_the_server_lets_it)
{
    static const struct {
        const char *options;
        apr_interval_time_t bound;
    } rows[] = { { "-c statement_timeout=5000", apr_time_from_sec(10) },
                 { "-c statement_timeout=1min", apr_time_from_sec(65) },
                 { "-c statement_timeout=2500ms", apr_time_from_msec(7500) },
                 { "-c statement_timeout=0", GF_ANSWER_DEFAULT } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        lend(apr_psprintf(unit.ctx.pool, "dbname=genflow user=genflow_app options='%s'",
                          rows[i].options));
        ck_assert_msg(gf_answer_bound(link_pg) == rows[i].bound, "%s", rows[i].options);
        end();
    }
    lend("host=/nowhere/at/all");
    ck_assert_int_eq(gf_answer_bound(link_pg), 0);
    end();
}
END_TEST

/* A megabyte fits into no socket's buffer. */
START_TEST(what_the_connection_cannot_hold_at_once_is_sent_bit_by_bit)
{
    char *megabyte = apr_palloc(unit.ctx.pool, (1 << 20) + 1);
    const char *const values[] = { memset(megabyte, 'x', 1 << 20) };
    bool silent = false;
    PGresult *result;
    pid_t pid;

    megabyte[1 << 20] = '\0';
    lend_app();
    ck_assert_int_gt(gf_answer_bound(link_pg), 0);
    result = gf_answer_wait(
        &silent, link_pg,
        PQsendQueryParams(link_pg, "SELECT $1::text || $1::text", 1, NULL, values, NULL, NULL, 0),
        gf_clock_now() + apr_time_from_sec(30));
    ck_assert_int_eq(PQgetlength(result, 0, 0), 2 << 20);
    ck_assert(!silent);
    PQclear(result);

    pid = PQbackendPID(link_pg);
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    PQclear(gf_answer_wait(
        &silent, link_pg,
        PQsendQueryParams(link_pg, "SELECT $1::text", 1, NULL, values, NULL, NULL, 0),
        gf_clock_now() + apr_time_from_msec(300)));
    kill(pid, SIGCONT);
    ck_assert(silent);
    ck_assert_int_eq(PQstatus(link_pg), CONNECTION_BAD);
    end();
}
END_TEST

int main(void)
{
    const TTest *const without[] = {
        without_a_connection_the_caller_is_told_when_to_come_again,
        a_dead_connection_is_tried_once_more_and_given_back,
        every_statement_uses_all_its_arguments_and_no_more,
        NULL,
    };
    const TTest *const with[] = {
        the_schema_is_new_enough,
        a_user_without_account_has_nothing_and_no_limits,
        a_value_that_the_database_cannot_hold_is_the_clients,
        a_type_that_is_not_set_up_is_told_with_what_to_do,
        a_statement_is_prepared_once_per_connection,
        a_statement_costs_one_round_trip,
        a_connection_that_broke_is_mended_within_the_call,
        a_silent_connection_is_given_up_and_the_statement_is_not_repeated,
        a_statement_may_take_as_long_as_the_server_lets_it,
        what_the_connection_cannot_hold_at_once_is_sent_bit_by_bit,
        NULL,
    };

    return run_with_database("db", &type, without, with);
}

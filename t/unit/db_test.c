/* SPDX-License-Identifier: Apache-2.0 */
/* db/db.c, answer.c, sql.c, rows.c, check.c and ledger.c: what the caller hears when there is no
 * database, and, in the harness, how statements are prepared, connections repaired and errors reported
 * apart. */
#include "database.h"

#include <signal.h>

#include "base/clock.h"
#include "db/answer.h"
#include "db/check.h"
#include "db/ledger.h"
#include "db/queue.h"
#include "db/steer.h"

static const gf_type_t type = { .name = "unit-db", .prefix = "unit_db", .index = 5 };

static gf_err_t *call_health(void)
{
    int version = 0;

    return gf_ledger_health(&version, &unit.ctx);
}

static gf_err_t *call_quota(void)
{
    gf_quota_t quota;

    return gf_ledger_quota(&quota, &unit.ctx, "nobody");
}

static gf_err_t *call_claim(void)
{
    gf_claim_cursor_t cursor = { .owner = "unit",
                                 .limit = 10,
                                 .from = { "-infinity", "-infinity", "-infinity", "-infinity" } };
    gf_job_t *jobs = NULL;
    gf_err_t *err = gf_queue_claim(&jobs, &unit.ctx, &type, &cursor);

    ck_assert_ptr_null(jobs);
    return err;
}

START_TEST(without_a_connection_the_caller_gets_a_retry_after)
{
    gf_err_t *err = call_health();

    ck_assert(gf_err_is(err, GF_E_DB_DOWN));
    ck_assert_int_gt(err->retry_after, 0);
    ck_assert_str_eq(err->detail, "health: no connection");
    ck_assert_int_eq(unit.taken, 1);
    ck_assert_msg(unit.line_count == 0, "the lender has logged why");
}
END_TEST

START_TEST(a_dead_connection_is_tried_once_more_and_given_back)
{
    gf_err_t *err;

    lend("host=/nowhere/at/all");
    err = call_health();
    ck_assert(gf_err_is(err, GF_E_DB_DOWN));
    ck_assert_int_gt(err->retry_after, 0);
    ck_assert_int_eq(unit.taken, 1);
    ck_assert_int_eq(unit.line_count, 1);
    ck_assert_str_eq(unit.lines[0].text, "GF0301: unit: lost a database connection in health, "
                                         "connecting again");
    end();
}
END_TEST

START_TEST(every_statement_has_names_for_all_its_parameters_and_columns)
{
    int i, n;

    for (i = 0; i < GF_SQL_COUNT; i++) {
        const gf_statement_t *statement = gf_statements[i];

        ck_assert_int_eq(statement->number, i);
        ck_assert_msg(strlen(statement->label) + strlen("genflow__63") < 48, "%s is too long",
                      statement->label);
        ck_assert_int_le(statement->param_count + 2, GF_SQL_PARAMS_MAX);
        ck_assert_msg(!statement->is_value || statement->column_count <= 1, "%s", statement->label);
        for (n = 0; n < statement->param_count; n++) {
            const char *name = statement->params[n].name;

            ck_assert_msg(name && strncmp(name, "p_", 2) == 0, "%s: %d", statement->label, n);
        }
        for (n = 0; n < statement->column_count; n++) {
            ck_assert_msg(statement->columns[n].name, "%s: %d", statement->label, n);
            ck_assert_msg(statement->columns[n].offset < statement->row_size, "%s: %s",
                          statement->label, statement->columns[n].name);
        }
    }
}
END_TEST

START_TEST(the_text_of_a_statement_is_printed_from_its_rows)
{
    apr_pool_t *pool = unit.ctx.pool;

    ck_assert_str_eq(gf_sql_text(&gf_sql_cancel, "neo_glitch", pool),
                     "SELECT outcome, status, owner FROM genflow.neo_glitch_cancel("
                     "p_user => $1, p_id => $2, p_call => $3)");
    ck_assert_str_eq(gf_sql_text(&gf_sql_hook_ref, NULL, pool),
                     "SELECT genflow.hook_ref(p_id => $1, p_epoch => $2) AS ref");
    ck_assert_str_eq(gf_sql_text(&gf_sql_asset_bytes, NULL, pool),
                     "SELECT type, encode(bytes, 'hex') AS hex FROM genflow.asset_bytes("
                     "p_id => $1)");
    ck_assert_str_eq(gf_sql_text(&gf_sql_budgets, NULL, pool),
                     "SELECT provider, spent FROM genflow.budgets()");
    ck_assert_ptr_nonnull(
        strstr(gf_sql_text(&gf_sql_claim, "neo_glitch", pool), "p_call => $7, p_again => $8)"));
}
END_TEST

/* A struct with a member of each kind, and the statement that writes and reads it. */
typedef struct kinds_t {
    const char *text, *digits;
    int small, perhaps;
    apr_int64_t large;
    bool yes;
    apr_interval_time_t after, never;
    enum { RED = 3, BLUE = 4 } colour;
} kinds_t;

static const gf_sql_field_t kinds_params[] = {
    GF_PARAM(kinds_t, text),           GF_PARAM_HEX(kinds_t, digits),
    GF_PARAM(kinds_t, small),          GF_PARAM_OR(kinds_t, perhaps, -1),
    GF_PARAM(kinds_t, large),          GF_PARAM(kinds_t, yes),
    GF_PARAM_INTERVAL(kinds_t, after), GF_PARAM_INTERVAL_OR(kinds_t, never, 0)
};

START_TEST(each_parameter_is_written_by_its_kind)
{
    const gf_statement_t statement = { .label = "kinds",
                                       .function = "kinds",
                                       GF_PARAMS(kinds_params) };
    const kinds_t in = { .text = "a",
                         .digits = "00ff",
                         .small = -7,
                         .perhaps = -1,
                         .large = APR_INT64_C(5000000000),
                         .yes = true,
                         .after = apr_time_from_sec(2) };
    static const char *const values[] = { "a",    "\\x00ff",           "-7", NULL, "5000000000",
                                          "true", "2000 milliseconds", NULL };
    const char *args[GF_SQL_PARAMS_MAX];
    int i;

    ck_assert_int_eq(gf_sql_args(args, &statement, &in, unit.ctx.pool), UNIT_COUNT(values));
    for (i = 0; i < (int)UNIT_COUNT(values); i++) {
        ck_assert_msg(values[i] ? args[i] && strcmp(args[i], values[i]) == 0 : !args[i], "%s: %s",
                      kinds_params[i].name, args[i]);
    }
}
END_TEST

START_TEST(each_column_is_stored_by_its_kind)
{
    static const gf_sql_word_t colours[] = { { "red", RED },
                                             { "blue", BLUE },
                                             { NULL, GF_SQL_NO_WORD } };
    static const gf_sql_word_t any_colours[] = { { "red", RED }, { NULL, BLUE } };
    const gf_sql_field_t columns[] = { GF_COLUMN(kinds_t, text),
                                       GF_COLUMN(kinds_t, small),
                                       GF_COLUMN_OR(kinds_t, perhaps, -1),
                                       GF_COLUMN(kinds_t, large),
                                       GF_COLUMN(kinds_t, yes),
                                       GF_COLUMN_WORD("colour", kinds_t, colour, colours),
                                       GF_COLUMN_WORD("colour", kinds_t, colour, any_colours) };
    kinds_t out = { .small = 9, .large = 9 };

    ck_assert(gf_sql_store(&out, &columns[0], "a") && strcmp(out.text, "a") == 0);
    ck_assert(gf_sql_store(&out, &columns[0], NULL) && !out.text);
    ck_assert(gf_sql_store(&out, &columns[1], "-7") && out.small == -7);
    ck_assert(gf_sql_store(&out, &columns[1], NULL) && out.small == 0);
    ck_assert(gf_sql_store(&out, &columns[2], NULL) && out.perhaps == -1);
    ck_assert(gf_sql_store(&out, &columns[3], "5000000000"));
    ck_assert(out.large == APR_INT64_C(5000000000));
    ck_assert(gf_sql_store(&out, &columns[4], "t") && out.yes);
    ck_assert(gf_sql_store(&out, &columns[4], NULL) && !out.yes);
    ck_assert(gf_sql_store(&out, &columns[5], "blue") && out.colour == BLUE);
    ck_assert_msg(!gf_sql_store(&out, &columns[5], "green"), "an unknown word is stored");
    ck_assert_msg(!gf_sql_store(&out, &columns[5], NULL), "NULL is a word");
    ck_assert(gf_sql_store(&out, &columns[6], "red") && out.colour == RED);
    ck_assert(gf_sql_store(&out, &columns[6], NULL) && out.colour == BLUE);
    ck_assert(!gf_sql_store(&out, &columns[6], "green"));
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

START_TEST(a_type_that_is_not_set_up_is_reported_with_what_to_do)
{
    static const gf_type_t stray = { .name = "un-made", .prefix = "un_made", .index = 6 };
    gf_find_t find = { .id = NO_ID };
    gf_view_t view;
    gf_err_t *err;

    lend_app();
    err = gf_queue_get(&view, &unit.ctx, &stray, "x", &find);
    ck_assert(gf_err_is(err, GF_E_DB_SCHEMA));
    ck_assert(strstr(err->detail, "un-made") && strstr(err->detail, "genflow.create_type()"));
    unit_no_error(call_health()); /* the connection still works */
    end();
}
END_TEST

/* A field of a row that the borrowed connection itself answers with. */
static int count_of_link(const char *sql)
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
    unit_no_error(call_health());
    unit_no_error(call_quota());
    unit_no_error(call_health());
    unit_no_error(call_claim());
    ck_assert_int_eq(count_of_link(count), 3);
    ck_assert_int_eq(count_of_link("SELECT count(*) FROM pg_prepared_statements"
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
    unit_no_error(call_claim());
    PQtrace(link_pg, trace);
    unit_no_error(call_claim());
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
    unit_no_error(call_health());
    for (i = 1; i <= 3; i++) {
        pid = PQbackendPID(link_pg);
        ck_assert_str_eq(
            as_owner(apr_psprintf(unit.ctx.pool, "SELECT pg_terminate_backend(%d, 5000)", pid)),
            "t");
        unit_no_error(call_health());
        ck_assert_int_ne(PQbackendPID(link_pg), pid);
        ck_assert_int_eq(unit.line_count, i);
        ck_assert(strncmp(unit.lines[i - 1].text, "GF0301: ", 8) == 0);
        ck_assert_int_eq(unit.lines[i - 1].level, GF_LOG_INFO);
    }
    end();
}
END_TEST

START_TEST(the_database_takes_every_statement)
{
    int i;

    lend_app();
    for (i = 0; i < GF_SQL_COUNT; i++) {
        const char *text = gf_sql_text(gf_statements[i], type.prefix, unit.ctx.pool);
        PGresult *result = PQprepare(link_pg, gf_statements[i]->label, text, 0, NULL);

        ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK, "%s: %s", text,
                      PQerrorMessage(link_pg));
        PQclear(result);
    }
    end();
}
END_TEST

static const char *missing(void)
{
    gf_type_t *list[] = { (gf_type_t *)&type };
    apr_array_header_t types = { .elts = (char *)list, .nelts = 1 };
    const char *text = "";

    unit.conf.type_list = &types;
    unit_no_error(gf_check_missing(&text, &unit.ctx));
    return text;
}

/* cancel() as an earlier or a later version may have it. */
static void replace_cancel(const char *signature, const char *outcome)
{
    ck_assert_ptr_nonnull(as_owner("DROP FUNCTION IF EXISTS genflow.unit_db_cancel"));
    ck_assert_ptr_nonnull(as_owner(apr_psprintf(
        unit.ctx.pool,
        "CREATE FUNCTION genflow.unit_db_cancel(%s) LANGUAGE sql SECURITY DEFINER"
        " AS $$ SELECT %s $$; GRANT EXECUTE ON FUNCTION genflow.unit_db_cancel TO genflow_module",
        signature, outcome)));
}

START_TEST(what_the_database_lacks_is_reported_by_name)
{
    lend_app();
    ck_assert_ptr_null(missing());
    replace_cancel("p_user text, p_id uuid, OUT outcome text, OUT status text", "'ok', ''");
    ck_assert_str_eq(missing(), "cancel: owner, cancel: p_call");
    ck_assert_ptr_nonnull(as_owner("DROP FUNCTION genflow.unit_db_cancel"));
    ck_assert_str_eq(missing(), "cancel: unit_db_cancel()");
    ck_assert_ptr_nonnull(as_owner("SELECT genflow.create_type('unit-db')"));
    ck_assert_ptr_null(missing());
    end();
}
END_TEST

START_TEST(an_outcome_that_this_module_does_not_know_is_an_error_that_names_it)
{
    const char *owner;
    gf_err_t *err;

    lend_app();
    replace_cancel("p_user text, p_id uuid, p_call uuid, OUT outcome text, OUT status text,"
                   " OUT owner text",
                   "'perhaps', '', ''");
    err = gf_steer_cancel(&owner, &unit.ctx, &type, "nobody", NO_ID);
    ck_assert_ptr_nonnull(as_owner("SELECT genflow.create_type('unit-db')"));
    ck_assert(gf_err_is(err, GF_E_INTERNAL));
    ck_assert_msg(strstr(err->detail, "cancel answered outcome 'perhaps'"), "%s", err->detail);
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
    unit_no_error(call_health());
    pid = PQbackendPID(link_pg);
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    from = gf_clock_now();
    err = call_health();
    ck_assert(gf_err_is(err, GF_E_DB_DOWN));
    ck_assert_int_gt(err->retry_after, 0);
    ck_assert_msg(strstr(err->detail, "no answer within 5 s"), "%s", err->detail);
    ck_assert_int_ge(gf_clock_now() - from, apr_time_from_msec(5200));
    ck_assert_int_eq(PQstatus(link_pg), CONNECTION_BAD);
    ck_assert_msg(unit.line_count == 0, "it was repeated: %s", unit.lines[0].text);
    kill(pid, SIGCONT);

    unit_no_error(call_health()); /* the pool or the next statement opens another */
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

/* What this version sends, for t/upgrade/<schema version>.statements. */
static int print_statements(void)
{
    apr_pool_t *pool;
    int i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < GF_SQL_COUNT; i++) {
        const gf_statement_t *statement = gf_statements[i];

        if (!statement->text) {
            printf("%s: %s\n", statement->label,
                   gf_sql_text(statement, gf_sql_is_typed(statement) ? "%s" : NULL, pool));
        }
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const TTest *const without[] = {
        without_a_connection_the_caller_gets_a_retry_after,
        a_dead_connection_is_tried_once_more_and_given_back,
        every_statement_has_names_for_all_its_parameters_and_columns,
        the_text_of_a_statement_is_printed_from_its_rows,
        each_parameter_is_written_by_its_kind,
        each_column_is_stored_by_its_kind,
        NULL,
    };
    const TTest *const with[] = {
        the_schema_is_new_enough,
        a_user_without_account_has_nothing_and_no_limits,
        a_value_that_the_database_cannot_hold_is_the_clients,
        a_type_that_is_not_set_up_is_reported_with_what_to_do,
        a_statement_is_prepared_once_per_connection,
        a_statement_costs_one_round_trip,
        a_connection_that_broke_is_mended_within_the_call,
        the_database_takes_every_statement,
        what_the_database_lacks_is_reported_by_name,
        an_outcome_that_this_module_does_not_know_is_an_error_that_names_it,
        a_silent_connection_is_given_up_and_the_statement_is_not_repeated,
        a_statement_may_take_as_long_as_the_server_lets_it,
        what_the_connection_cannot_hold_at_once_is_sent_bit_by_bit,
        NULL,
    };

    if (argc > 1 && strcmp(argv[1], "--statements") == 0) {
        return print_statements();
    }
    return run_with_database("db", &type, without, with);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* db/: what the caller hears when there is no database, and, in the harness of make check, what
 * each act gets from a real one. There the tests have a type of their own, so that the dispatcher
 * of the harness and these tests leave each other alone. */
#include "db/gf_db.h"

#include <apr_lib.h>
#include <libpq-fe.h>

#include "db/gf_ledger.h"
#include "db/gf_queue.h"
#include "unit.h"

#define TYPE_NAME "unit-db"
#define NO_ID     "00000000-0000-0000-0000-000000000000"
#define HASH      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define RESULT    "{\"width\": 768}"

static const gf_type_t type = { .name = TYPE_NAME,
                                .prefix = "unit_db",
                                .index = 5,
                                .cost = 2,
                                .lifetime = 600 * APR_USEC_PER_SEC };
static const gf_provider_t provider = { .name = "stability" };
static const gf_choice_t choice = { .provider = &provider, .model = "sd3" };

/* ---- a lender of one connection ---- */

static PGconn *link_pg;
static int lent;

static bool take_link(gf_link_t *link, apr_pool_t *pool, void *baton)
{
    (void)pool;
    (void)baton;
    ck_assert_msg(lent == 0, "two connections at a time");
    lent++;
    unit.asked++;
    link->pg = link_pg;
    return true;
}

static void give_link(gf_link_t *link, void *baton)
{
    (void)baton;
    ck_assert_ptr_eq(link->pg, link_pg);
    lent--;
}

static void lend(const char *conninfo)
{
    link_pg = PQconnectdb(conninfo);
    unit.lender.take = take_link;
    unit.lender.give = give_link;
    unit.conf.lease = apr_time_from_sec(30);
}

static void end(void)
{
    ck_assert_msg(lent == 0, "a connection was not given back");
    PQfinish(link_pg);
}

/* ---- every act once ---- */

static gf_job_t job = {
    .type = &type, .id = NO_ID, .epoch = 1, .attempts = 1, .provider_ref = "ref-1", .seed = 77
};
static gf_hold_t hold;

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

static gf_err_t *ask_create(void)
{
    gf_caller_t caller = { .user = "nobody", .key = "k", .hash = HASH };
    gf_ask_t ask = { .type = &type, .prompt = "a cat", .parameters = "{}", .seed = 77 };
    gf_created_t created;

    return gf_queue_create(&created, &unit.ctx, &caller, &ask, NULL);
}

static gf_err_t *ask_get(void)
{
    gf_find_t find = { .id = NO_ID };
    gf_view_t view;

    return gf_queue_get(&view, &unit.ctx, &type, "nobody", &find);
}

static gf_err_t *ask_claim(void)
{
    gf_look_t look = { .owner = "unit", .limit = 10, .from = "-infinity" };
    gf_job_t *jobs = &job;
    gf_err_t *err = gf_queue_claim(&jobs, &unit.ctx, &type, &look);

    ck_assert_ptr_null(jobs);
    return err;
}

static gf_err_t *ask_attempt(void)
{
    return gf_queue_attempt(&hold, &unit.ctx, &job, &choice, HASH);
}

static gf_err_t *ask_accepted(void)
{
    return gf_queue_accepted(&hold, &unit.ctx, &job, &choice, "stability");
}

static gf_err_t *ask_requeue(void)
{
    return gf_queue_requeue(&hold, &unit.ctx, &job, 0, "API_ERROR");
}

static gf_err_t *ask_settle(void)
{
    gf_end_t settled = { .status = "cancelled" };
    const char *outcome;

    return gf_queue_settle(&outcome, &unit.ctx, &job, &settled);
}

static apr_array_header_t *lease_of(const gf_job_t *leased)
{
    apr_array_header_t *leases = apr_array_make(unit.ctx.pool, 1, sizeof(gf_lease_t));
    gf_lease_t *lease = apr_array_push(leases);

    lease->id = leased->id;
    lease->epoch = leased->epoch;
    return leases;
}

static gf_err_t *ask_heartbeat(void)
{
    apr_array_header_t *held;

    return gf_queue_heartbeat(&held, &unit.ctx, lease_of(&job));
}

static gf_err_t *ask_hand_back(void)
{
    return gf_queue_hand_back(&unit.ctx, lease_of(&job));
}

static const struct {
    const char *name;
    gf_err_t *(*ask)(void);
} acts[] = {
    { "health", ask_health },       { "quota", ask_quota },
    { "create", ask_create },       { "get", ask_get },
    { "claim", ask_claim },         { "attempt_begin", ask_attempt },
    { "accepted", ask_accepted },   { "requeue", ask_requeue },
    { "settle", ask_settle },       { "heartbeat", ask_heartbeat },
    { "hand_back", ask_hand_back },
};

/* Each act tells that the database is away, and when to come again. */
static void check_all_down(int links)
{
    size_t i;

    ck_assert_msg(UNIT_COUNT(acts) == GF_SQL_COUNT, "a statement has no row here");
    for (i = 0; i < UNIT_COUNT(acts); i++) {
        gf_err_t *err = acts[i].ask();

        ck_assert_msg(gf_err_is(err, GF_E_DB_DOWN), "%s: %s", acts[i].name,
                      err ? err->row->code : "no error");
        ck_assert_msg(err->retry_after > 0, "%s does not say when to come again", acts[i].name);
        ck_assert_msg(strncmp(err->detail, acts[i].name, strlen(acts[i].name)) == 0, "%s: %s",
                      acts[i].name, err->detail);
        ck_assert_msg(unit.asked == ((int)i + 1) * links, "%s", acts[i].name);
    }
}

START_TEST(without_a_connection_every_act_says_so)
{
    unit.conf.lease = apr_time_from_sec(30);
    check_all_down(1);
    ck_assert_msg(unit.line_count == 0, "the lender has logged why");
}
END_TEST

START_TEST(on_a_dead_connection_every_act_says_so)
{
    lend("host=/nowhere/at/all");
    check_all_down(1);
    ck_assert_msg(unit.line_count == GF_SQL_COUNT, "each tries to connect again and says so");
    ck_assert(strncmp(unit.lines[0].text, "GF0301: unit: lost a database connection in health", 50)
              == 0);
    end();
}
END_TEST

START_TEST(every_statement_uses_all_its_arguments_and_no_more)
{
    int i, n;

    for (i = 0; i < GF_SQL_COUNT; i++) {
        const gf_sql_row_t *row = &gf_sql_rows[i];
        const char *prefix = strstr(row->text, "%s");

        ck_assert_msg(row->name && row->text, "row %d", i);
        ck_assert_msg(strlen(row->name) + strlen("genflow__63") < 48, "%s is too long", row->name);
        ck_assert_int_le(row->args, GF_SQL_ARGS_MAX);
        ck_assert_msg(!prefix || !strchr(prefix + 2, '%'), "%s", row->name);
        for (n = 1; n <= GF_SQL_ARGS_MAX + 1; n++) {
            const char *mark = apr_psprintf(unit.ctx.pool, "$%d", n);
            const char *at = strstr(row->text, mark);

            while (at && apr_isdigit(at[strlen(mark)])) { /* $1 is no $14 */
                at = strstr(at + 1, mark);
            }
            ck_assert_msg((at != NULL) == (n <= row->args), "%s: %s", row->name, mark);
        }
    }
}
END_TEST

/* ---- with the database of the harness ---- */

/* The harness says where its database is, and that it is the harness. */
static bool in_harness(void)
{
    const char *host = getenv("PGHOST");
    const char *work = getenv("GENFLOW_WORK");

    return host && work && strcmp(host, work) == 0;
}

/* Runs SQL as the owner and returns the first field, or "". */
static const char *as_owner(const char *sql)
{
    static char field[256];
    PGconn *pg = PQconnectdb("dbname=genflow");
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    bool is_good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;

    if (!is_good) {
        fprintf(stderr, "%s: %s", sql, PQerrorMessage(pg));
    }
    apr_cpystrn(field, is_good && PQntuples(result) ? PQgetvalue(result, 0, 0) : "", sizeof(field));
    PQclear(result);
    PQfinish(pg);
    return is_good ? field : NULL;
}

/* What an interrupted run of these tests left in the queue. */
static const char end_leftovers[] =
    "SELECT genflow.unit_db_settle(w.job_id, NULL, 'cancelled', NULL, NULL, NULL, NULL, NULL,"
    " NULL, NULL, NULL, NULL, NULL) FROM genflow.work w JOIN genflow.types t ON t.no = w.type_no"
    " WHERE t.name = '" TYPE_NAME "'";

/* A user with credits, whom nobody else knows. */
static const char *rich_user(int credits)
{
    static int users;
    const char *user = apr_psprintf(unit.ctx.pool, "unit-%ld-%d", (long)getpid(), ++users);

    ck_assert_str_eq(
        as_owner(apr_psprintf(unit.ctx.pool, "SELECT genflow.grant_credits('%s', %d, 'unit test')",
                              user, credits)),
        "ok");
    return user;
}

static void lend_app(void)
{
    lend("dbname=genflow user=genflow_app");
    ck_assert_msg(PQstatus(link_pg) == CONNECTION_OK, "%s", PQerrorMessage(link_pg));
}

static gf_created_t create(const char *user, const char *key, const char *hash, const char *owner)
{
    gf_caller_t caller = { .user = user, .key = key, .hash = hash };
    gf_ask_t ask = { .type = &type,
                     .run_id = "run-1",
                     .preset = "base",
                     .prompt = "a \"neon\" cat",
                     .parameters = "{\"strength\": 0.3}",
                     .seed = 77,
                     .max_retries = 3 };
    gf_created_t created;

    memset(&created, 0, sizeof(created));
    unit_no_error(gf_queue_create(&created, &unit.ctx, &caller, &ask, owner));
    return created;
}

static gf_quota_t quota_of(const char *user)
{
    gf_quota_t quota;

    unit_no_error(gf_ledger_quota(&quota, &unit.ctx, user));
    return quota;
}

static gf_job_t job_of(const gf_created_t *created)
{
    gf_job_t made = { .type = &type, .id = created->id, .epoch = created->epoch, .seed = 77 };

    return made;
}

static const char *settle(const gf_job_t *settled, const gf_end_t *how)
{
    const char *outcome = NULL;

    unit_no_error(gf_queue_settle(&outcome, &unit.ctx, settled, how));
    return outcome;
}

static const gf_end_t unwanted = { .status = "cancelled" };
static const gf_end_t success = {
    .status = "completed", .choice = &choice, .image_url = "/generated/a.png", .result = RESULT
};
static const gf_end_t failure = {
    .status = "failed", .error_code = "TIMEOUT", .error_message = "too slow", .cause_code = "X"
};

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
    quota = quota_of("unit-nobody");
    ck_assert_int_eq(quota.balance, 0);
    ck_assert_int_eq(quota.remaining, 0);
    ck_assert_int_eq(quota.day_limit, -1);
    ck_assert_int_eq(quota.week_limit, -1);
    ck_assert_uint_eq(strlen(quota.at), strlen("2026-11-20T22:00:00.000Z"));
    end();
}
END_TEST

START_TEST(each_outcome_of_a_creation_is_told)
{
    gf_created_t created, again;
    const char *user;
    gf_job_t made;

    lend_app();
    user = rich_user(3);
    created = create(user, "key", HASH, "unit host");
    ck_assert_int_eq(created.outcome, GF_CREATED);
    ck_assert_uint_eq(strlen(created.id), 36);
    ck_assert_int_eq(created.epoch, 1);
    ck_assert_str_eq(created.status, "processing");
    ck_assert_int_eq(quota_of(user).held, 2);
    ck_assert_int_eq(quota_of(user).remaining, 1);

    again = create(user, "key", HASH, "unit host");
    ck_assert_int_eq(again.outcome, GF_REPLAY);
    ck_assert_str_eq(again.id, created.id);
    ck_assert_str_eq(again.status, "processing");
    again = create(user, "key", "ff", "unit host");
    ck_assert_int_eq(again.outcome, GF_MISMATCH);
    again = create(user, "other", HASH, "unit host");
    ck_assert_int_eq(again.outcome, GF_NO_CREDIT);
    ck_assert_int_eq(again.balance, 3);
    ck_assert_int_eq(again.held, 2);

    made = job_of(&created);
    ck_assert_str_eq(settle(&made, &unwanted), "done");
    as_owner(apr_psprintf(unit.ctx.pool,
                          "UPDATE genflow.accounts SET day_limit = 1 WHERE user_id = '%s'", user));
    ck_assert_int_eq(create(user, "third", HASH, "unit host").outcome, GF_QUOTA_SPENT);
    as_owner(apr_psprintf(unit.ctx.pool,
                          "UPDATE genflow.accounts SET blocked = true WHERE user_id = '%s'", user));
    ck_assert_int_eq(create(user, "fourth", HASH, "unit host").outcome, GF_ACCOUNT_BLOCKED);
    end();
}
END_TEST

START_TEST(a_generation_is_read_as_it_was_made_and_as_it_ended)
{
    gf_find_t find = { 0 };
    gf_created_t created;
    const char *user;
    gf_view_t view;
    gf_job_t made;

    lend_app();
    user = rich_user(2);
    created = create(user, "key", HASH, "unit host");
    made = job_of(&created);
    find.run_id = "run-1";
    memset(&view, 0, sizeof(view));
    unit_no_error(gf_queue_get(&view, &unit.ctx, &type, user, &find));
    ck_assert_str_eq(view.id, created.id);
    ck_assert_str_eq(view.prompt, "a \"neon\" cat");
    ck_assert_str_eq(view.preset, "base");
    ck_assert_str_eq(view.parameters_json, "{\"strength\": 0.3}");
    ck_assert_str_eq(view.seed_json, "77");
    ck_assert_str_eq(view.cost_json, "2");
    ck_assert_str_eq(view.max_retries_json, "3");
    ck_assert_str_eq(view.user, user);
    ck_assert_ptr_eq(view.type, &type);
    ck_assert_ptr_null(view.image_url);
    ck_assert_ptr_null(view.finished_at);
    ck_assert(!view.persisted && !gf_view_ended(&view));

    ck_assert_str_eq(settle(&made, &success), "done");
    ck_assert_str_eq(settle(&made, &success), "same");
    ck_assert_str_eq(settle(&made, &failure), "settled");
    find.id = created.id;
    unit_no_error(gf_queue_get(&view, &unit.ctx, &type, user, &find));
    ck_assert_str_eq(view.status, "completed");
    ck_assert_str_eq(view.image_url, "/generated/a.png");
    ck_assert_str_eq(view.result_json, RESULT);
    ck_assert_str_eq(view.provider, "stability");
    ck_assert_str_eq(view.model, "sd3");
    ck_assert(view.persisted && gf_view_ended(&view));
    ck_assert_int_eq(quota_of(user).balance, 0);
    ck_assert_int_eq(quota_of(user).held, 0);
    end();
}
END_TEST

START_TEST(a_failure_gives_the_credits_back_and_says_why)
{
    gf_created_t created;
    gf_find_t find = { 0 };
    const char *user;
    gf_view_t view;
    gf_job_t made;

    lend_app();
    user = rich_user(2);
    created = create(user, "key", HASH, "unit host");
    made = job_of(&created);
    ck_assert_str_eq(settle(&made, &failure), "done");
    find.id = created.id;
    unit_no_error(gf_queue_get(&view, &unit.ctx, &type, user, &find));
    ck_assert_str_eq(view.status, "failed");
    ck_assert_str_eq(view.error_code, "TIMEOUT");
    ck_assert_str_eq(view.error_message, "too slow");
    ck_assert_str_eq(view.cause_code, "X");
    ck_assert_int_eq(quota_of(user).remaining, 2);
    end();
}
END_TEST

START_TEST(only_its_owner_reads_a_generation)
{
    gf_created_t created;
    gf_find_t find = { 0 };
    gf_view_t view;
    gf_job_t made;

    lend_app();
    created = create(rich_user(2), "key", HASH, "unit host");
    made = job_of(&created);
    find.id = created.id;
    ck_assert(
        gf_err_is(gf_queue_get(&view, &unit.ctx, &type, "unit-thief", &find), GF_E_NOT_YOURS));
    find.id = NO_ID;
    ck_assert(
        gf_err_is(gf_queue_get(&view, &unit.ctx, &type, "unit-thief", &find), GF_E_NO_GENERATION));
    ck_assert_str_eq(settle(&made, &unwanted), "done");
    end();
}
END_TEST

START_TEST(a_job_is_claimed_worked_on_and_ended_under_its_lease)
{
    gf_look_t look = { .owner = "unit host", .limit = 10, .from = "-infinity" };
    apr_array_header_t *held = NULL;
    gf_created_t created;
    gf_job_t *claimed = NULL;
    gf_job_t late;
    const char *user, *ref;

    lend_app();
    user = rich_user(2);
    created = create(user, "key", HASH, NULL);
    ref = apr_pstrcat(unit.ctx.pool, "ref-", created.id, NULL);
    ck_assert_int_eq(created.epoch, 0);
    unit_no_error(gf_queue_claim(&claimed, &unit.ctx, &type, &look));
    ck_assert_msg(claimed && !claimed->next, "not just the one job that is due");
    ck_assert_str_eq(claimed->id, created.id);
    ck_assert_int_eq(claimed->epoch, 1);
    ck_assert_int_eq(claimed->phase, GF_PHASE_QUEUED);
    ck_assert_int_eq(claimed->attempts, 0);
    ck_assert_int_eq(claimed->max_retries, 3);
    ck_assert_int_eq(claimed->seed, 77);
    ck_assert_str_eq(claimed->user, user);
    ck_assert_str_eq(claimed->prompt, "a \"neon\" cat");
    ck_assert_ptr_null(claimed->provider_ref);
    ck_assert_ptr_null(claimed->source_url);
    ck_assert(claimed->deadline > apr_time_now() + apr_time_from_sec(500));
    ck_assert_str_ne(look.from, "-infinity");

    late = *claimed; /* as a host that lost it knows the job */
    late.epoch = 0;
    claimed->attempts = 1;
    unit_no_error(gf_queue_attempt(&hold, &unit.ctx, claimed, &choice, HASH));
    ck_assert_int_eq(hold, GF_HOLD_ON);
    unit_no_error(gf_queue_attempt(&hold, &unit.ctx, &late, &choice, HASH));
    ck_assert_int_eq(hold, GF_HOLD_LOST);
    claimed->provider_ref = ref; /* no provider gives an id twice */
    unit_no_error(gf_queue_accepted(&hold, &unit.ctx, claimed, &choice, "stability"));
    ck_assert_int_eq(hold, GF_HOLD_ON);
    unit_no_error(gf_queue_heartbeat(&held, &unit.ctx, lease_of(claimed)));
    ck_assert_int_eq(held->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(held, 0, const char *), created.id);
    unit_no_error(gf_queue_heartbeat(&held, &unit.ctx, lease_of(&late)));
    ck_assert_int_eq(held->nelts, 0);

    unit_no_error(gf_queue_hand_back(&unit.ctx, lease_of(claimed)));
    gf_job_free(claimed);
    unit_no_error(gf_queue_claim(&claimed, &unit.ctx, &type, &look));
    ck_assert_int_eq(claimed->epoch, 2);
    ck_assert_int_eq(claimed->phase, GF_PHASE_WORKING);
    ck_assert_str_eq(claimed->provider_ref, ref);
    claimed->chain_pos = 1;
    unit_no_error(gf_queue_requeue(&hold, &unit.ctx, claimed, apr_time_from_sec(60), "API_ERROR"));
    ck_assert_int_eq(hold, GF_HOLD_ON);
    ck_assert_msg(!ask_claim(), "it is not due");
    as_owner(apr_psprintf(unit.ctx.pool,
                          "UPDATE genflow.work SET cancel_requested = true WHERE job_id = '%s'",
                          created.id));
    claimed->attempts = 2;
    unit_no_error(gf_queue_attempt(&hold, &unit.ctx, claimed, &choice, HASH));
    ck_assert_int_eq(hold, GF_HOLD_CANCEL);
    ck_assert_str_eq(settle(claimed, &unwanted), "done");
    unit_no_error(gf_queue_attempt(&hold, &unit.ctx, claimed, &choice, HASH));
    ck_assert_msg(hold == GF_HOLD_LOST, "it has ended");
    gf_job_free(claimed);
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

int main(void)
{
    const TTest *const everywhere[] = {
        without_a_connection_every_act_says_so,
        on_a_dead_connection_every_act_says_so,
        every_statement_uses_all_its_arguments_and_no_more,
        NULL,
    };
    const TTest *const with_a_database[] = {
        without_a_connection_every_act_says_so,
        on_a_dead_connection_every_act_says_so,
        every_statement_uses_all_its_arguments_and_no_more,
        the_schema_is_new_enough,
        a_user_without_account_has_nothing_and_no_limits,
        each_outcome_of_a_creation_is_told,
        a_generation_is_read_as_it_was_made_and_as_it_ended,
        a_failure_gives_the_credits_back_and_says_why,
        only_its_owner_reads_a_generation,
        a_job_is_claimed_worked_on_and_ended_under_its_lease,
        a_value_that_the_database_cannot_hold_is_the_clients,
        a_type_that_is_not_set_up_is_told_with_what_to_do,
        a_statement_is_prepared_once_per_connection,
        a_statement_costs_one_round_trip,
        a_connection_that_broke_is_mended_within_the_call,
        NULL,
    };

    if (!in_harness()) {
        printf("# not in the harness of make check: only what needs no database is tested\n");
        fflush(stdout);
        return unit_run("db", everywhere);
    }
    if (!as_owner("SELECT genflow.create_type('" TYPE_NAME "')") || !as_owner(end_leftovers)) {
        return EXIT_FAILURE;
    }
    return unit_run("db", with_a_database);
}

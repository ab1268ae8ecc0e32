/* SPDX-License-Identifier: Apache-2.0 */
/* db/ledger.c: in the harness, each outcome of the SQL functions about credits becomes what the
 * caller works with, or the one error that the client hears. */
#include "db/ledger.h"

#include "database.h"

static const gf_type_t type = { .name = "unit-ledger", .prefix = "unit_ledger", .index = 7 };

static const char *user; /* of this test */

static void begin(int credits)
{
    lend_app();
    unit.conf.reserve_lifetime = apr_time_from_sec(60);
    user = apr_psprintf(unit.ctx.pool, "unit-ledger-%ld", (long)getpid());
    ck_assert_str_eq(
        as_owner(apr_psprintf(unit.ctx.pool, "SELECT genflow.grant_credits('%s', %d, 'unit test')",
                              user, credits)),
        "ok");
}

static void set_account(const char *what)
{
    ck_assert_ptr_nonnull(as_owner(apr_psprintf(
        unit.ctx.pool, "UPDATE genflow.accounts SET %s WHERE name = '%s'", what, user)));
}

static gf_err_t *reserve(gf_reservation_t *reservation, const char *request_id, apr_int64_t amount)
{
    memset(reservation, 0, sizeof(*reservation));
    reservation->request_id = request_id;
    reservation->amount = amount;
    reservation->action = "unit";
    return gf_ledger_reserve(reservation, &unit.ctx, user);
}

START_TEST(a_reservation_is_held_given_back_and_over)
{
    gf_reservation_t reservation;
    gf_finalized_t finalized;

    begin(5);
    unit_no_error(reserve(&reservation, "one", 2));
    ck_assert_int_eq(reservation.available, 3);
    ck_assert_str_eq(reservation.action, "unit");
    ck_assert_uint_eq(strlen(reservation.expires_at), strlen("2026-11-20T22:00:00.000Z"));
    unit_no_error(reserve(&reservation, "one", 2));
    ck_assert(gf_err_is(reserve(&reservation, "one", 3), GF_E_KEY_MISMATCH));

    unit_no_error(gf_ledger_finalize(&finalized, &unit.ctx, user, "one"));
    ck_assert_int_eq(finalized.amount, 2);
    ck_assert_int_eq(finalized.charged, 0);
    ck_assert_int_eq(finalized.available, 5);
    ck_assert_ptr_null(finalized.generation);
    ck_assert(
        gf_err_is(gf_ledger_finalize(&finalized, &unit.ctx, user, "one"), GF_E_RESERVED_NO_MORE));
    ck_assert(
        gf_err_is(gf_ledger_finalize(&finalized, &unit.ctx, user, "two"), GF_E_NO_RESERVATION));
    ck_assert(gf_err_is(reserve(&reservation, "one", 2), GF_E_RESERVED_NO_MORE));
    end();
}
END_TEST

START_TEST(each_refusal_says_what_is_missing_or_when_to_come_again)
{
    gf_reservation_t reservation;
    gf_err_t *err;

    begin(5);
    err = reserve(&reservation, "one", 7);
    ck_assert(gf_err_is(err, GF_E_NO_CREDIT));
    ck_assert_str_eq(err->extra, "\"currentBalance\":5,\"requiredCredits\":7,\"shortfall\":2");
    set_account("day_limit = 1");
    err = reserve(&reservation, "one", 2);
    ck_assert(gf_err_is(err, GF_E_QUOTA));
    ck_assert_int_ge(err->retry_after, 1);
    ck_assert_int_le(err->retry_after, 86400);
    set_account("blocked = true");
    ck_assert(gf_err_is(reserve(&reservation, "one", 1), GF_E_BLOCKED));
    end();
}
END_TEST

START_TEST(entries_are_returned_as_they_are)
{
    gf_reservation_t reservation;
    apr_array_header_t *entries;
    const gf_entry_t *entry;

    begin(5);
    unit_no_error(reserve(&reservation, "one", 2));
    unit_no_error(gf_ledger_list(&entries, &unit.ctx, user, NULL, 1));
    ck_assert_int_eq(entries->nelts, 1);
    entry = &APR_ARRAY_IDX(entries, 0, gf_entry_t);
    ck_assert_str_eq(entry->kind, "hold");
    ck_assert_int_eq(entry->amount, -2);
    ck_assert_int_eq(entry->balance_after, 3);
    ck_assert_int_eq(entry->credits, 2);
    ck_assert_str_eq(entry->reason, "unit");
    ck_assert_str_eq(entry->request_id, "one");
    ck_assert_ptr_null(entry->generation);
    ck_assert_ptr_null(entry->reference);
    unit_no_error(gf_ledger_list(&entries, &unit.ctx, user, entry->cursor, 9));
    ck_assert_int_eq(entries->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(entries, 0, gf_entry_t).kind, "grant");
    ck_assert(gf_err_is(gf_ledger_list(&entries, &unit.ctx, user, "x", 9), GF_E_INVALID));
    end();
}
END_TEST

START_TEST(credits_that_go_all_the_time_make_a_refusal_in_the_end)
{
    gf_reservation_t reservation;
    gf_err_t *err;

    begin(5);
    ck_assert_ptr_nonnull(as_owner(
        "CREATE OR REPLACE FUNCTION genflow.unit_ledger_race() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = 'GF402'; END $$"));
    ck_assert_ptr_nonnull(as_owner(apr_psprintf(
        unit.ctx.pool,
        "CREATE TRIGGER unit_ledger_race BEFORE INSERT ON genflow.reservations FOR EACH ROW"
        " WHEN (NEW.user_id = genflow.account_of('%s'))"
        " EXECUTE FUNCTION genflow.unit_ledger_race()",
        user)));
    err = reserve(&reservation, "one", 1);
    ck_assert_ptr_nonnull(as_owner("DROP TRIGGER unit_ledger_race ON genflow.reservations"));
    ck_assert_ptr_nonnull(as_owner("DROP FUNCTION genflow.unit_ledger_race()"));
    ck_assert(gf_err_is(err, GF_E_DB_DOWN));
    ck_assert_int_eq(err->retry_after, 1);
    ck_assert_int_eq(unit.taken, 3);
    end();
}
END_TEST

/* As statements fail that were under way while sql/apply renewed a function, or in a deadlock. */
START_TEST(what_fails_in_passing_is_repeated_once)
{
    static const char *const states[] = { "40P01", "40001", "42804", "XX000" };
    gf_reservation_t reservation;
    gf_err_t *err;
    size_t i;
    int tries;

    begin(5);
    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        ck_assert_ptr_nonnull(as_owner("CREATE SEQUENCE genflow.unit_ledger_once"));
        ck_assert_ptr_nonnull(as_owner(apr_psprintf(
            unit.ctx.pool,
            "CREATE FUNCTION genflow.unit_ledger_once() RETURNS trigger LANGUAGE plpgsql SECURITY"
            " DEFINER AS $$ BEGIN IF nextval('genflow.unit_ledger_once') = 1 THEN"
            " RAISE EXCEPTION 'once' USING ERRCODE = '%s'; END IF; RETURN NEW; END $$",
            states[i])));
        ck_assert_ptr_nonnull(as_owner(apr_psprintf(
            unit.ctx.pool,
            "CREATE TRIGGER unit_ledger_once BEFORE INSERT ON genflow.reservations FOR EACH ROW"
            " WHEN (NEW.user_id = genflow.account_of('%s'))"
            " EXECUTE FUNCTION genflow.unit_ledger_once()",
            user)));
        err = reserve(&reservation, states[i], 1);
        ck_assert_ptr_nonnull(as_owner("DROP TRIGGER unit_ledger_once ON genflow.reservations"));
        /* it fails while another test grants rights on all functions */
        for (tries = 0; tries < 50 && !as_owner("DROP FUNCTION genflow.unit_ledger_once()");
             tries++) {
            apr_sleep(apr_time_from_msec(20));
        }
        ck_assert_int_lt(tries, 50);
        ck_assert_ptr_nonnull(as_owner("DROP SEQUENCE genflow.unit_ledger_once"));
        unit_no_error(err);
        ck_assert_int_eq((int)reservation.available, 4 - (int)i);
    }
    end();
}
END_TEST

START_TEST(without_a_database_there_is_no_quota_to_return)
{
    ck_assert(gf_err_is(gf_ledger_quota_spent(&unit.ctx, "nobody"), GF_E_DB_DOWN));
}
END_TEST

int main(void)
{
    const TTest *const without[] = {
        without_a_database_there_is_no_quota_to_return,
        NULL,
    };
    const TTest *const with[] = {
        a_reservation_is_held_given_back_and_over,
        each_refusal_says_what_is_missing_or_when_to_come_again,
        entries_are_returned_as_they_are,
        credits_that_go_all_the_time_make_a_refusal_in_the_end,
        what_fails_in_passing_is_repeated_once,
        NULL,
    };

    return run_with_database("ledger", &type, without, with);
}

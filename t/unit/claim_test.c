/* SPDX-License-Identifier: Apache-2.0 */
/* work/claim.c: a claim without a database delays the next one, so that the holder of
 * leases can renew them first. */
#include "work/claim.h"

#include "database.h"

static const gf_type_t type = { .name = "unit-claim", .prefix = "unit_claim", .index = 8 };

/* Looks once, with the type left out or not. */
static void run_claim(gf_claim_t *claim, bool left_out)
{
    claim->left_out[0] = left_out;
    claim->places = 1;
    claim->count = 0;
    claim->found = NULL;
    claim->task.run(&claim->task, &unit.ctx);
}

static void begin(gf_claim_t *claim)
{
    apr_array_header_t *types = apr_array_make(unit.ctx.pool, 1, sizeof(gf_type_t *));

    APR_ARRAY_PUSH(types, const gf_type_t *) = &type;
    unit.conf.type_list = types;
    unit.conf.webhook_hosts = apr_array_make(unit.ctx.pool, 1, sizeof(void *));
    unit.conf.lease = apr_time_from_sec(30);
    unit.conf.store_folder = unit_folder;
    memset(claim, 0, sizeof(*claim));
    gf_claim_init(claim, unit.ctx.pool, &unit.conf, "unit",
                  gf_turn_init(apr_palloc(unit.ctx.pool, gf_turn_bytes()), unit.ctx.pool));
}

START_TEST(a_claim_notices_that_the_database_is_away)
{
    gf_claim_t claim;

    begin(&claim);
    run_claim(&claim, false);
    ck_assert(gf_turn_is_blind(claim.turn));
}
END_TEST

START_TEST(so_does_one_that_leaves_out_all_types)
{
    gf_claim_t claim;

    begin(&claim);
    run_claim(&claim, true);
    ck_assert(gf_turn_is_blind(claim.turn));
    run_claim(&claim, true);
    ck_assert(gf_turn_is_blind(claim.turn));
}
END_TEST

START_TEST(the_first_claim_after_an_outage_waits_for_half_a_lease)
{
    gf_claim_t claim;
    apr_time_t now;

    begin(&claim);
    run_claim(&claim, true);
    lend_app();
    now = gf_ctx_now(&unit.ctx);
    run_claim(&claim, false);
    ck_assert(gf_turn_is_held(claim.turn, now + apr_time_from_sec(14)));
    ck_assert(!gf_turn_is_held(claim.turn, gf_ctx_now(&unit.ctx) + apr_time_from_sec(16)));
    ck_assert(!gf_turn_is_blind(claim.turn));
    ck_assert_int_eq(claim.count, 0);
    gf_turn_hold(claim.turn, 0);
    run_claim(&claim, true);
    ck_assert(!gf_turn_is_held(claim.turn, now));
    ck_assert(!gf_turn_is_blind(claim.turn));
    end();
}
END_TEST

int main(void)
{
    const TTest *const without[] = {
        a_claim_notices_that_the_database_is_away,
        so_does_one_that_leaves_out_all_types,
        NULL,
    };
    const TTest *const with[] = {
        the_first_claim_after_an_outage_waits_for_half_a_lease,
        NULL,
    };

    return run_with_database("claim", &type, without, with);
}

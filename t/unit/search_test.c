/* SPDX-License-Identifier: Apache-2.0 */
/* work/claim.c: a look that finds no database makes the next one wait, so that whoever holds
 * leases can renew them first. */
#include "work/claim.h"

#include "database.h"

static const gf_type_t type = { .name = "unit-search", .prefix = "unit_search", .index = 8 };

/* Looks once, with the type left out or not. */
static void look(gf_search_t *search, bool left_out)
{
    search->left_out[0] = left_out;
    search->places = 1;
    search->count = 0;
    search->found = NULL;
    search->task.run(&search->task, &unit.ctx);
}

static void begin(gf_search_t *search)
{
    apr_array_header_t *types = apr_array_make(unit.ctx.pool, 1, sizeof(gf_type_t *));

    APR_ARRAY_PUSH(types, const gf_type_t *) = &type;
    unit.conf.type_list = types;
    unit.conf.webhook_hosts = apr_array_make(unit.ctx.pool, 1, sizeof(void *));
    unit.conf.lease = apr_time_from_sec(30);
    unit.conf.store_folder = unit_folder;
    memset(search, 0, sizeof(*search));
    gf_search_init(search, unit.ctx.pool, &unit.conf, "unit");
}

START_TEST(a_look_at_types_notices_that_the_database_is_away)
{
    gf_search_t search;

    begin(&search);
    look(&search, false);
    ck_assert(search.blind);
}
END_TEST

START_TEST(so_does_one_that_leaves_out_all_types)
{
    gf_search_t search;

    begin(&search);
    look(&search, true);
    ck_assert(search.blind);
    look(&search, true);
    ck_assert(search.blind);
}
END_TEST

START_TEST(the_first_look_after_an_outage_waits_for_half_a_lease)
{
    gf_search_t search;

    begin(&search);
    look(&search, true);
    lend_app();
    look(&search, false);
    ck_assert_int_eq(search.wait, apr_time_from_sec(15));
    ck_assert(!search.blind);
    ck_assert_int_eq(search.count, 0);
    search.wait = 0;
    look(&search, true);
    ck_assert_int_eq(search.wait, 0);
    ck_assert(!search.blind);
    end();
}
END_TEST

int main(void)
{
    const TTest *const without[] = {
        a_look_at_types_notices_that_the_database_is_away,
        so_does_one_that_leaves_out_all_types,
        NULL,
    };
    const TTest *const with[] = {
        the_first_look_after_an_outage_waits_for_half_a_lease,
        NULL,
    };

    return run_with_database("search", &type, without, with);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* db/preset.c: rows become presets, are remembered for their time and no longer, belong to one
 * type each, and are a copy of the caller's own. */
#include "db/preset.h"

#include "database.h"

#define LONG  apr_time_from_sec(600)
#define SHORT apr_time_from_msec(20)

static gf_type_t type = { .name = "unit-preset", .prefix = "unit_preset", .index = 0 };
static gf_type_t other = { .name = "unit-preset-other", .prefix = "unit_preset_other", .index = 1 };

static gf_preset_cache_t *cache_of(apr_interval_time_t age)
{
    gf_preset_cache_t *cache = NULL;

    unit.conf.type_list = apr_array_make(unit.ctx.pool, 2, sizeof(gf_type_t *));
    APR_ARRAY_PUSH(unit.conf.type_list, gf_type_t *) = &type;
    APR_ARRAY_PUSH(unit.conf.type_list, gf_type_t *) = &other;
    ck_assert_int_eq(gf_preset_cache_make(&cache, unit.ctx.pool, &unit.conf, age), APR_SUCCESS);
    return cache;
}

static gf_presets_t read_of(gf_preset_cache_t *cache, const gf_type_t *of)
{
    gf_presets_t presets = { NULL, 0 };

    unit_no_error(gf_preset_read(&presets, &unit.ctx, cache, of));
    return presets;
}

static const gf_preset_t *at(const gf_presets_t *presets, int i)
{
    ck_assert_int_lt(i, presets->list->nelts);
    return &APR_ARRAY_IDX(presets->list, i, gf_preset_t);
}

/* Two rows of the type, whatever was there before. */
static void make_rows(void)
{
    lend_app();
    ck_assert(as_owner("DELETE FROM genflow.presets_config WHERE type LIKE 'unit-preset%';"
                       "INSERT INTO genflow.presets_config (type, key, label, description,"
                       " category, prompt, negative_prompt, strength, parameters, rotation_index)"
                       "VALUES ('unit-preset', 'one', 'One', 'The first', 'numbers', 'one thing',"
                       " 'blur', 0.3, '{\"guidance_scale\": 9}', 0);"
                       "INSERT INTO genflow.presets_config (type, key, label, category, prompt,"
                       " is_active)"
                       "VALUES ('unit-preset', 'two', 'Two', 'numbers', '', false)"));
}

START_TEST(without_a_connection_it_says_so_each_time)
{
    gf_preset_cache_t *cache = cache_of(LONG);
    gf_presets_t presets;
    int i;

    for (i = 1; i <= 2; i++) {
        ck_assert(gf_err_is(gf_preset_read(&presets, &unit.ctx, cache, &type), GF_E_DB_DOWN));
        ck_assert_int_eq(unit.taken, i);
    }
}
END_TEST

START_TEST(a_row_becomes_a_preset)
{
    gf_preset_cache_t *cache = cache_of(LONG);
    int round;

    make_rows();
    for (round = 0; round < 2; round++) { /* as read, and as remembered */
        gf_presets_t presets = read_of(cache, &type);
        const gf_preset_t *one = at(&presets, 0);
        const gf_preset_t *two = at(&presets, 1);

        ck_assert_int_eq(presets.list->nelts, 2);
        ck_assert_int_eq(presets.week, 1);
        ck_assert_str_eq(one->key, "one");
        ck_assert_str_eq(one->label, "One");
        ck_assert_str_eq(one->description, "The first");
        ck_assert_str_eq(one->category, "numbers");
        ck_assert_str_eq(one->prompt, "one thing");
        ck_assert_str_eq(one->negative_prompt, "blur");
        ck_assert_str_eq(one->strength, "0.300");
        ck_assert_str_eq(one->parameters, "{\"strength\": 0.300, \"guidance_scale\": 9, "
                                          "\"negative_prompt\": \"blur\"}");
        ck_assert_str_eq(one->rotation_index, "0");
        ck_assert_ptr_null(one->week);
        ck_assert_ptr_null(one->available_at);
        ck_assert(one->is_on && one->is_active);
        ck_assert_str_eq(two->key, "two");
        ck_assert_str_eq(two->description, "");
        ck_assert_str_eq(two->parameters, "{}");
        ck_assert_ptr_null(two->strength);
        ck_assert(!two->is_on && !two->is_active);
    }
    ck_assert_msg(unit.taken == 1, "the database was queried %d times", unit.taken);
    end();
}
END_TEST

START_TEST(a_type_has_its_own_and_may_have_none)
{
    gf_preset_cache_t *cache = cache_of(LONG);
    gf_presets_t presets;

    make_rows();
    read_of(cache, &type);
    presets = read_of(cache, &other);
    ck_assert_int_eq(presets.list->nelts, 0);
    ck_assert_int_eq(presets.week, 1);
    presets = read_of(cache, &other);
    ck_assert_int_eq(presets.list->nelts, 0);
    ck_assert_msg(unit.taken == 2, "none is remembered as well: %d", unit.taken);
    ck_assert_int_eq(read_of(cache, &type).list->nelts, 2);
    end();
}
END_TEST

/* Reads until the first key is `key`, at most for some seconds. */
static bool comes_to_be(gf_preset_cache_t *cache, const char *key)
{
    apr_time_t until = apr_time_now() + apr_time_from_sec(10);
    gf_presets_t presets;

    do {
        presets = read_of(cache, &type);
    } while (strcmp(at(&presets, 0)->key, key) != 0 && apr_time_now() < until);
    return strcmp(at(&presets, 0)->key, key) == 0;
}

START_TEST(an_edit_shows_after_the_time_and_spares_what_was_read)
{
    gf_preset_cache_t *slow = cache_of(LONG);
    gf_preset_cache_t *quick = cache_of(SHORT);
    gf_presets_t before;

    make_rows();
    before = read_of(quick, &type);
    read_of(slow, &type);
    ck_assert(as_owner("UPDATE genflow.presets_config SET key = 'uno' WHERE type = 'unit-preset'"
                       " AND key = 'one'"));
    ck_assert_msg(comes_to_be(quick, "uno"), "the edit does not show");
    ck_assert_str_eq(at(&before, 0)->key, "one");
    before = read_of(slow, &type);
    ck_assert_str_eq(at(&before, 0)->key, "one");
    end();
}
END_TEST

START_TEST(the_window_of_the_type_is_requested)
{
    gf_preset_cache_t *cache = cache_of(LONG);
    gf_presets_t presets;
    int i;
    int on = 0;

    lend_app();
    ck_assert(as_owner("DELETE FROM genflow.presets_config WHERE type = 'unit-preset';"
                       "INSERT INTO genflow.presets_config (type, key, label, category, prompt,"
                       " rotation_index) SELECT 'unit-preset', 'k' || n, 'K', 'numbers', '', n"
                       " FROM generate_series(0, 6) AS n"));
    type.preset_window = 3;
    presets = read_of(cache, &type);
    type.preset_window = 0;
    ck_assert_int_eq(presets.list->nelts, 7);
    for (i = 0; i < 7; i++) {
        on += at(&presets, i)->is_on;
        ck_assert_msg(at(&presets, i)->is_on == !at(&presets, i)->available_at, "%d", i);
        ck_assert_ptr_nonnull(at(&presets, i)->week);
    }
    ck_assert_int_eq(on, 3);
    ck_assert_msg(presets.week >= 1 && presets.week <= 3, "%" APR_INT64_T_FMT, presets.week);
    end();
}
END_TEST

int main(void)
{
    const TTest *const without[] = { without_a_connection_it_says_so_each_time, NULL };
    const TTest *const with[] = {
        a_row_becomes_a_preset,
        a_type_has_its_own_and_may_have_none,
        an_edit_shows_after_the_time_and_spares_what_was_read,
        the_window_of_the_type_is_requested,
        NULL,
    };

    return run_with_database("preset", &type, without, with);
}

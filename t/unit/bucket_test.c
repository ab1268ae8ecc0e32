/* SPDX-License-Identifier: Apache-2.0 */
/* base/bucket.c: a bucket gives its burst, then its rate, at no other name's cost; exactly so when
 * many processes take at once. */
#include "base/bucket.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

static gf_buckets_t *buckets;
static apr_time_t start;

/* In memory that processes share, as httpd's children do. */
static void make_buckets(void)
{
    void *memory =
        mmap(NULL, gf_bucket_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    buckets = gf_bucket_init(memory, unit.ctx.pool);
    start = gf_clock_now();
}

static apr_interval_time_t take_at(const char *name, const gf_rate_t *rate, apr_int64_t ms)
{
    return gf_bucket_take(buckets, rate, name, start + ms * 1000);
}

START_TEST(a_bucket_gives_its_burst_and_then_its_rate)
{
    static const gf_rate_t rate = { APR_USEC_PER_SEC, 3 };
    static const struct {
        apr_int64_t at, wait; /* in milliseconds */
    } rows[] = { { 0, 0 },     { 0, 0 },       { 0, 0 },       { 0, 1000 }, { 400, 600 },
                 { 1000, 0 },  { 1000, 1000 }, { 1900, 100 },  { 2000, 0 }, { 60000, 0 },
                 { 60000, 0 }, { 60000, 0 },   { 60000, 1000 } };
    size_t i;

    make_buckets();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_int_eq((take_at("a", &rate, rows[i].at) + 999) / 1000, rows[i].wait);
    }
}
END_TEST

START_TEST(a_refusal_costs_nothing)
{
    static const gf_rate_t rate = { APR_USEC_PER_SEC, 1 };
    int i;

    make_buckets();
    ck_assert_int_eq(take_at("a", &rate, 0), 0);
    for (i = 0; i < 100; i++) {
        ck_assert_int_ne(take_at("a", &rate, 500), 0);
    }
    ck_assert_int_eq(take_at("a", &rate, 1001), 0);
}
END_TEST

START_TEST(what_is_left_is_counted_and_changes_nothing)
{
    static const gf_rate_t rate = { APR_USEC_PER_SEC, 3 };
    static const struct {
        int take;
        apr_int64_t at, left, full; /* in milliseconds */
    } rows[] = { { 0, 0, 3, 0 },       { 1, 0, 2, 1000 },    { 1, 0, 1, 2000 },
                 { 0, 400, 1, 1600 },  { 0, 1000, 2, 1000 }, { 1, 1000, 1, 2000 },
                 { 1, 1000, 0, 3000 }, { 1, 1000, 0, 3000 }, { 0, 1999, 0, 2001 },
                 { 0, 2000, 1, 2000 }, { 0, 60000, 3, 0 } };
    apr_interval_time_t full;
    size_t i;

    make_buckets();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        if (rows[i].take) {
            take_at("a", &rate, rows[i].at);
        }
        ck_assert_int_eq(gf_bucket_left(&full, buckets, &rate, "a", start + rows[i].at * 1000),
                         rows[i].left);
        ck_assert_int_eq(full / 1000, rows[i].full);
    }
}
END_TEST

START_TEST(each_name_has_its_own)
{
    static const gf_rate_t rate = { 3600 * APR_USEC_PER_SEC, 1 };
    int i;

    make_buckets();
    for (i = 0; i < 500; i++) {
        ck_assert_int_eq(take_at(apr_psprintf(unit.ctx.pool, "user %d", i), &rate, 0), 0);
    }
    for (i = 0; i < 500; i++) {
        ck_assert_int_ne(take_at(apr_psprintf(unit.ctx.pool, "user %d", i), &rate, 1), 0);
    }
}
END_TEST

START_TEST(too_many_names_lock_nobody_out)
{
    static const gf_rate_t rate = { 3600 * APR_USEC_PER_SEC, 1 };
    int refused = 0;
    int i;

    make_buckets();
    for (i = 0; i < 100000; i++) {
        refused += take_at(apr_psprintf(unit.ctx.pool, "user %d", i), &rate, 0) != 0;
    }
    ck_assert_int_le(refused, 3); /* who shares a bucket by chance */
}
END_TEST

START_TEST(a_clock_that_steps_back_is_survived)
{
    static const gf_rate_t rate = { APR_USEC_PER_SEC, 2 };

    make_buckets();
    ck_assert_int_eq(gf_bucket_take(buckets, &rate, "a", start - apr_time_from_sec(3600)), 0);
    ck_assert_int_eq(take_at("a", &rate, 10000), 0);
    ck_assert_int_eq(take_at("a", &rate, 10000), 0);
    ck_assert_int_ne(take_at("a", &rate, 10000), 0);
}
END_TEST

#define PROCESSES 8
#define TRIES     2000
#define BURST     1000

START_TEST(processes_together_get_the_burst_and_no_more)
{
    static const gf_rate_t rate = { 3600 * APR_USEC_PER_SEC, BURST };
    int *taken = mmap(NULL, sizeof(int) * PROCESSES, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int total = 0;
    int i, j;

    make_buckets();
    for (i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            for (j = 0; j < TRIES; j++) {
                taken[i] += take_at("everybody", &rate, 0) == 0;
            }
            _exit(0);
        }
    }
    for (i = 0; i < PROCESSES; i++) {
        ck_assert_int_gt(wait(NULL), 0);
    }
    for (i = 0; i < PROCESSES; i++) {
        total += taken[i];
    }
    munmap(taken, sizeof(int) * PROCESSES);
    ck_assert_int_eq(total, BURST);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_bucket_gives_its_burst_and_then_its_rate,
        a_refusal_costs_nothing,
        what_is_left_is_counted_and_changes_nothing,
        each_name_has_its_own,
        too_many_names_lock_nobody_out,
        a_clock_that_steps_back_is_survived,
        processes_together_get_the_burst_and_no_more,
        NULL,
    };

    return unit_run("bucket", tests);
}

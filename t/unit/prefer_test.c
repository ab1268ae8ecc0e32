/* SPDX-License-Identifier: Apache-2.0 */
/* model/prefer.c: the header Prefer as clients and RFC 7240 write it. */
#include "model/prefer.h"

#include <sys/resource.h>

#include "unit.h"

#define LONG_BYTES  20000
#define LONG_GROWTH 20000 /* kB; a copy for each text in quotes takes 100,000 */

START_TEST(a_header_is_read_as_the_rfc_says)
{
    static const struct {
        const char *header;
        bool given;
        int seconds;
    } rows[] = {
        { NULL, false, 0 },
        { "", false, 0 },
        { "wait=8", true, 8 },
        { "wait=0", true, 0 },
        { "Wait=8", true, 8 },
        { "WAIT = 8", true, 8 },
        { "wait=\"8\"", true, 8 },
        { " \twait\t=\t8\t", true, 8 },
        { "respond-async", true, 0 },
        { "Respond-Async", true, 0 },
        { "respond-async, wait=10", true, 10 },
        { "wait=10,respond-async", true, 10 },
        { "wait=10, wait=20", true, 10 },
        { "handling=lenient, wait=100, respond-async", true, 100 },
        { "return=minimal; foo=\"some, wait=5\", wait=7", true, 7 },
        { "foo; bar=\"a \\\" b, wait=5\", wait=7", true, 7 },
        { "wait=8; x=\"y\"", true, 8 },
        { ", ,wait=8", true, 8 },
        { "wait=600", true, 600 },
        { "wait=601", true, 600 },
        { "wait=1000000000", true, 600 },
        { "wait=9223372036854775808", true, 600 },
        { "wait=99999999999999999999", true, 600 },
        { "wait=00000000000000000000000008", true, 8 },
        { "wait=\"\\8\"", true, 8 },
        { "respond-async=\"\"", true, 0 },
        { "respond-async;wait=9", true, 0 },
        { "a=\",\",\"x,wait=5\",wait=9", true, 9 },
        /* what says nothing to us */
        { "handling=strict", false, 0 },
        { "handling=strict; wait=8", false, 0 },
        { "return=representation; respond-async", false, 0 },
        { "foo=\"wait=8\"", false, 0 },
        { "xwait=8", false, 0 },
        { "await=8", false, 0 },
        { "wait-for=8", false, 0 },
        { "respond-asynchronously", false, 0 },
        { "wait", false, 0 },
        { "wait=", false, 0 },
        { "wait=-1", false, 0 },
        { "wait=+1", false, 0 },
        { "wait=1.5", false, 0 },
        { "wait=1e9", false, 0 },
        { "wait=0x10", false, 0 },
        { "wait=\"\"", false, 0 },
        { "wait=\" 8\"", false, 0 },
        { "wait=soon", false, 0 },
        { "wait=8s", false, 0 },
        { "wait=soon, wait=8", false, 0 },
        { "wait=soon, respond-async", true, 0 },
        { "=8", false, 0 },
        { "\"wait\"=8", false, 0 },
        { "foo=\"", false, 0 },
        { "foo=\"\\", false, 0 },
        { "@, wait=3", true, 3 },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_prefer_t prefer;

        gf_prefer_read(&prefer, rows[i].header, unit.ctx.pool);
        ck_assert_msg(prefer.given == rows[i].given, "%s", rows[i].header);
        ck_assert_msg(prefer.wait == apr_time_from_sec(rows[i].seconds),
                      "%s: %" APR_TIME_T_FMT " us", rows[i].header, prefer.wait);
    }
}
END_TEST

START_TEST(an_answer_names_the_preferences_that_it_follows)
{
    static const struct {
        const char *header;
        bool waited, ended;
        const char *applied;
    } rows[] = {
        { NULL, true, true, NULL },
        { "handling=strict", true, true, NULL },
        { "wait=soon", true, true, NULL },
        { "wait=-1", true, false, NULL },
        { "wait=8", true, true, "wait=8" },
        { "wait=8", true, false, "wait=8" },
        { "wait=8", false, false, NULL },
        { "wait=0", true, false, "wait=0" },
        { "WAIT = \"010\"; x", true, true, "wait=10" },
        { "wait=1000000000", true, false, "wait=600" },
        { "Respond-Async", true, false, "respond-async" },
        { "respond-async", true, true, NULL },
        { "wait=8, respond-async", true, false, "respond-async, wait=8" },
        { "wait=8, respond-async", false, false, "respond-async" },
        { "wait=8, respond-async", true, true, "wait=8" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_prefer_t prefer;
        const char *applied;

        gf_prefer_read(&prefer, rows[i].header, unit.ctx.pool);
        applied = gf_prefer_applied(&prefer, rows[i].waited, rows[i].ended, unit.ctx.pool);
        ck_assert_msg(!applied == !rows[i].applied, "%zu: %s: %s", i, rows[i].header, applied);
        ck_assert_msg(!applied || strcmp(applied, rows[i].applied) == 0, "%zu: %s: %s", i,
                      rows[i].header, applied);
    }
}
END_TEST

static long memory_used(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

START_TEST(a_long_header_is_not_copied_for_each_of_its_texts)
{
    static const char *const pieces[] = { "\"\",", "\"", "a=\"\",", ",", "wait=\"", "\\\"" };
    size_t i;

    for (i = 0; i < UNIT_COUNT(pieces); i++) {
        char *header = apr_palloc(unit.ctx.pool, LONG_BYTES + sizeof(", wait=7"));
        size_t length = strlen(pieces[i]);
        long before = memory_used();
        gf_prefer_t prefer;
        size_t at;

        for (at = 0; at + length <= LONG_BYTES; at += length) {
            memcpy(header + at, pieces[i], length);
        }
        memcpy(header + at, ", wait=7", sizeof(", wait=7"));
        gf_prefer_read(&prefer, header, unit.ctx.pool);
        ck_assert_msg(memory_used() - before < LONG_GROWTH, "%s takes %ld kB", pieces[i],
                      memory_used() - before);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { a_header_is_read_as_the_rfc_says,
                                   an_answer_names_the_preferences_that_it_follows,
                                   a_long_header_is_not_copied_for_each_of_its_texts, NULL };

    return unit_run("prefer", tests);
}

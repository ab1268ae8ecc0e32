/* SPDX-License-Identifier: Apache-2.0 */
/* model/prefer.c: the header Prefer as clients and RFC 7240 write it. */
#include "model/prefer.h"

#include "unit.h"

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
        { "wait=99999999999999999999", true, 600 },
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

int main(void)
{
    const TTest *const tests[] = { a_header_is_read_as_the_rfc_says, NULL };

    return unit_run("prefer", tests);
}

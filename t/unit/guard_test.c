/* SPDX-License-Identifier: Apache-2.0 */
/* net/guard.c: which addresses an exchange whose address somebody else chose may go to, at the
 * edges of each range, and that no way to write one, and no name, leads around it. */
#include "exchange.h"

#include <arpa/inet.h>

#include <apr_network_io.h>

#include "net/guard.h"

#define INSIDE "localhost" /* a name that leads here */

static bool allows(const char *text, const apr_array_header_t *allowed)
{
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct sockaddr_in v4 = { .sin_family = AF_INET };

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        return gf_guard_allows((struct sockaddr *)&v4, allowed);
    }
    ck_assert_msg(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1, "%s", text);
    return gf_guard_allows((struct sockaddr *)&v6, allowed);
}

static apr_array_header_t *only(const char *address, const char *mask)
{
    apr_array_header_t *allowed = apr_array_make(unit.ctx.pool, 1, sizeof(apr_ipsubnet_t *));
    apr_ipsubnet_t **subnet = apr_array_push(allowed);

    ck_assert_int_eq(apr_ipsubnet_create(subnet, address, mask, unit.ctx.pool), APR_SUCCESS);
    return allowed;
}

START_TEST(what_is_nobodys_public_server_is_refused)
{
    static const char *const rows[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:7f00:1",
        "64:ff9b::7f00:1",
        "100::1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2001:db8:ffff::1",
        "2002:7f00:1::1",
        "1fff::1",
        "4000::1",
    };
    struct sockaddr other = { .sa_family = AF_UNIX };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(!allows(rows[i], NULL), "%s", rows[i]);
    }
    ck_assert(!gf_guard_allows(&other, NULL));
}
END_TEST

START_TEST(what_is_beside_it_is_public)
{
    static const char *const rows[] = {
        "1.0.0.0",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0",       "169.253.255.255", "169.255.0.0",    "172.15.255.255",
        "172.32.0.0",      "192.0.1.0",       "192.167.255.255", "192.169.0.0",    "198.17.255.255",
        "198.20.0.0",      "223.255.255.255", "::ffff:8.8.8.8",  "2000::1",        "2001:200::1",
        "2001:db7::1",     "2001:db9::1",     "2003::1",         "3fff:ffff::1",
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(allows(rows[i], NULL), "%s", rows[i]);
    }
}
END_TEST

START_TEST(what_the_site_names_is_allowed_and_nothing_beside_it)
{
    ck_assert(allows("10.1.2.3", only("10.1.0.0", "16")));
    ck_assert(!allows("10.2.0.0", only("10.1.0.0", "16")));
    ck_assert(!allows("::1", only("127.0.0.1", NULL)));
    ck_assert(allows("fd00::1", only("fd00::", "8")));
    ck_assert(!allows("fe80::1", only("fd00::", "8")));
    ck_assert(allows("8.8.8.8", only("10.1.0.0", "16")));
}
END_TEST

static gf_msg_t *guarded(const char *host, const apr_array_header_t *allowed)
{
    gf_msg_t *msg = message("GET", "/hello");

    msg->url = apr_psprintf(unit.ctx.pool, "http://%s:%d/hello", host, server->port);
    msg->guarded = true;
    msg->allowed = allowed;
    return perform(msg);
}

START_TEST(no_way_to_write_it_leads_around_the_guard)
{
    static const char *const hosts[] = {
        "127.0.0.1",          "127.1",      "2130706433", "0x7f000001",     "0x7F.1",
        "017700000001",       "0177.0.0.1", "127.0.0.1.", "LocalHost.",     INSIDE,
        "[::ffff:127.0.0.1]", "0.0.0.0",    "0",          "[::ffff:7f00:1]"
    };
    size_t i;

    begin();
    for (i = 0; i < UNIT_COUNT(hosts); i++) {
        gf_msg_t *msg = guarded(hosts[i], NULL);

        ck_assert_msg(msg->end == GF_MSG_NOT_SENT, "%s: end %d", hosts[i], (int)msg->end);
    }
    ck_assert_int_eq(server_requests(server), 0);
    ck_assert(guarded(INSIDE, NULL)->refused);
    ck_assert_int_eq(guarded(INSIDE, only("127.0.0.1", NULL))->end, GF_MSG_ANSWERED);
    ck_assert_msg(guarded(INSIDE, NULL)->end == GF_MSG_NOT_SENT, "a kept connection was used");
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_is_nobodys_public_server_is_refused,
        what_is_beside_it_is_public,
        what_the_site_names_is_allowed_and_nothing_beside_it,
        no_way_to_write_it_leads_around_the_guard,
        NULL,
    };

    return unit_run("guard", tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* net/net.c where no whole answer comes: what was certainly not sent, what may have been, and
 * above all that nothing that may have been paid for is sent twice. */
#include "exchange.h"

#include <dlfcn.h>
#include <netdb.h>

/* ---- names ---- */

#define SILENT      "silent.test"
#define SILENT_TIME (4 * APR_USEC_PER_SEC)

/* In place of libc's, for curl too: the servers of this one name never answer. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    int (*libc)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (node && strcmp(node, SILENT) == 0) {
        apr_sleep(SILENT_TIME);
        return EAI_AGAIN;
    }
    *(void **)&libc = dlsym(RTLD_NEXT, "getaddrinfo");
    return libc(node, service, hints, found);
}

START_TEST(a_name_whose_servers_are_silent_holds_up_nobody)
{
    apr_time_t start;
    gf_msg_t *silent;
    gf_msg_t *msg;

    begin();
    start = apr_time_now();
    silent = message("GET", "/hello");
    silent->url = "http://" SILENT "/";
    silent->connect_timeout = apr_time_from_msec(200);
    perform(silent);
    ck_assert_int_eq(silent->end, GF_MSG_NOT_SENT);
    ck_assert(silent->timed_out);

    silent = message("GET", "/hello");
    silent->url = "http://" SILENT "/";
    gf_net_start(net, silent);
    gf_net_wait(net, 10000);
    gf_net_cancel(net, silent);
    msg = perform(message("GET", "/hello"));
    ck_assert_int_eq(msg->end, GF_MSG_ANSWERED);
    ck_assert_msg(apr_time_now() - start < SILENT_TIME, "it was waited for");
    end();
}
END_TEST

/* ---- no answer ---- */

START_TEST(without_a_connection_nothing_was_sent)
{
    gf_msg_t *msg;
    int port;

    begin();
    close(server_listen(&port, 1)); /* now no server listens there */
    msg = paid("/hello");
    msg->url = apr_psprintf(unit.ctx.pool, "http://127.0.0.1:%d/", port);
    perform(msg);
    ck_assert_int_eq(msg->end, GF_MSG_NOT_SENT);
    ck_assert(!msg->timed_out);
    ck_assert(msg->detail && msg->detail[0]);
    end();
}
END_TEST

START_TEST(an_address_that_is_none_was_not_sent_to)
{
    const char *rows[] = { NULL, "gopher://127.0.0.1/", "http://", "http://127.0.0.1:99999/", "" };
    size_t i;

    begin();
    unit_write(unit_path("secret"), "secret", 6);
    rows[0] = apr_pstrcat(unit.ctx.pool, "file://", unit_path("secret"), NULL);
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_msg_t *msg = paid("/hello");

        msg->url = rows[i];
        msg->timeout = apr_time_from_sec(5);
        perform(msg);
        ck_assert_msg(msg->end == GF_MSG_NOT_SENT, "`%s`: end %d", rows[i], (int)msg->end);
        ck_assert_msg(msg->text_length == 0, "`%s` was read", rows[i]);
    }
    ck_assert_int_eq(server_requests(server), 0);
    end();
}
END_TEST

START_TEST(a_connection_that_does_not_come_about_in_time_was_not_sent_on)
{
    apr_time_t start;
    gf_msg_t *msg;
    int port, i;
    int full;

    begin();
    full = server_listen(&port, 0); /* no one accepts; two fill the queue */
    for (i = 0; i < 4; i++) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons((in_port_t)port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

        ck_assert_int_ge(fd, 0);
        (void)!connect(fd, (struct sockaddr *)&address, sizeof(address));
    }
    msg = paid("/hello");
    msg->url = apr_psprintf(unit.ctx.pool, "http://127.0.0.1:%d/", port);
    msg->connect_timeout = apr_time_from_msec(300);
    start = apr_time_now();
    perform(msg);
    ck_assert_msg(apr_time_now() - start < LONG / 2, "it had another limit");
    ck_assert_int_eq(msg->end, GF_MSG_NOT_SENT);
    ck_assert(msg->timed_out);
    close(full);
    end();
}
END_TEST

START_TEST(what_was_sent_and_not_answered_is_unknown)
{
    static const char *const paths[] = { "/drop",      "/cut",   "/cut-picture", "/cut-head",
                                         "/cut-later", "/noise", "/not-there" };
    size_t i;

    begin();
    for (i = 0; i < UNIT_COUNT(paths); i++) {
        gf_msg_t *msg = paid(paths[i]);

        msg->spool = unit_path("unknown");
        perform(msg);
        ck_assert_msg(msg->end == GF_MSG_UNKNOWN, "%s: end %d", paths[i], (int)msg->end);
        ck_assert_msg(!msg->timed_out, "%s", paths[i]);
        ck_assert_msg(msg->detail && msg->detail[0], "%s", paths[i]);
        ck_assert_msg(server_requests(server) == (int)i + 1, "%s was sent again", paths[i]);
    }
    end();
}
END_TEST

START_TEST(an_exchange_ends_when_its_time_is_over)
{
    gf_msg_t *msg;
    apr_time_t start = apr_time_now();

    begin();
    msg = paid("/hang");
    msg->timeout = apr_time_from_msec(200);
    perform(msg);
    ck_assert_int_eq(msg->end, GF_MSG_UNKNOWN);
    ck_assert(msg->timed_out);
    ck_assert(apr_time_now() - start >= apr_time_from_msec(200));
    ck_assert_int_eq(server_requests(server), 1);
    end();
}
END_TEST

/* ---- never twice ---- */

/* Leaves a kept connection on which the server will drop the next request, then sends another. */
static gf_msg_t *after_a_kept_connection(bool once)
{
    gf_msg_t *msg;

    server->one_each = true;
    perform(message("GET", "/hello"));
    ck_assert_int_eq(server_requests(server), 1);
    msg = paid("/again");
    msg->once = once;
    return perform(msg);
}

START_TEST(a_paid_run_is_sent_once_though_a_kept_connection_dies)
{
    gf_msg_t *msg;

    begin();
    msg = after_a_kept_connection(true);
    ck_assert_msg(server_requests(server) == 2, "the paid run arrived %d times",
                  server_requests(server) - 1);
    ck_assert_int_eq(msg->end, GF_MSG_ANSWERED);
    ck_assert_msg(apr_atomic_read32(&server->connections) == 2, "it has a connection of its own");
    end();
}
END_TEST

START_TEST(without_that_rule_it_would_have_been_sent_twice)
{
    gf_msg_t *msg;

    begin();
    msg = after_a_kept_connection(false);
    ck_assert_int_eq(msg->end, GF_MSG_ANSWERED);
    ck_assert_int_eq(server_requests(server), 3);
    end();
}
END_TEST

START_TEST(the_connection_of_a_paid_run_is_not_kept)
{
    begin();
    perform(paid("/hello"));
    perform(paid("/hello"));
    perform(message("GET", "/hello"));
    perform(message("GET", "/hello"));
    ck_assert_int_eq((int)apr_atomic_read32(&server->connections), 3);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        without_a_connection_nothing_was_sent,
        an_address_that_is_none_was_not_sent_to,
        a_connection_that_does_not_come_about_in_time_was_not_sent_on,
        what_was_sent_and_not_answered_is_unknown,
        an_exchange_ends_when_its_time_is_over,
        a_name_whose_servers_are_silent_holds_up_nobody,
        a_paid_run_is_sent_once_though_a_kept_connection_dies,
        without_that_rule_it_would_have_been_sent_twice,
        the_connection_of_a_paid_run_is_not_kept,
        NULL,
    };

    return unit_run("net_lost", tests);
}

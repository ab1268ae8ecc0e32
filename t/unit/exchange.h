/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests of net share: a net, a server to talk to, and exchanges that are performed to
 * their end. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <sys/eventfd.h>

#include "net/net.h"
#include "server.h"
#include "unit.h"

#define LONG apr_time_from_sec(30) /* nothing here takes as long unless it is broken */

static server_t *server;
static gf_net_t *net;
static int bell;

static inline void begin(void)
{
    bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ck_assert_int_ge(bell, 0);
    ck_assert_int_eq(gf_net_init(), APR_SUCCESS);
    ck_assert_int_eq(gf_net_make(&net, unit.ctx.pool, bell), APR_SUCCESS);
    server = server_start();
}

static inline gf_msg_t *message(const char *method, const char *path)
{
    gf_msg_t *msg =
        gf_msg_make(unit.ctx.pool, method,
                    apr_psprintf(unit.ctx.pool, "http://127.0.0.1:%d%s", server->port, path));

    msg->connect_timeout = LONG;
    msg->timeout = LONG;
    msg->file_max = 2000000;
    return msg;
}

/* What a paid run looks like: parts in, a picture out, never twice. */
static inline gf_msg_t *paid(const char *path)
{
    gf_msg_t *msg = message("POST", path);

    msg->once = true;
    gf_msg_part(msg, "prompt", "a neon cat");
    return msg;
}

/* Performs until one exchange is done. */
static inline gf_msg_t *next_done(void)
{
    apr_time_t deadline = apr_time_now() + LONG;
    gf_msg_t *done;

    while (!(done = gf_net_next_done(net))) {
        ck_assert_msg(apr_time_now() < deadline, "nothing gets done");
        gf_net_wait(net, apr_time_from_sec(1));
    }
    return done;
}

static inline gf_msg_t *perform(gf_msg_t *msg)
{
    gf_net_start(net, msg);
    ck_assert_ptr_eq(next_done(), msg);
    ck_assert_ptr_null(gf_net_next_done(net));
    return msg;
}

/* Performs until the server has seen so many requests. */
static inline void until_seen(int requests)
{
    apr_time_t deadline = apr_time_now() + LONG;

    while (server_requests(server) < requests) {
        ck_assert_msg(apr_time_now() < deadline, "the server saw %d", server_requests(server));
        gf_net_wait(net, 10000);
    }
}

static inline void end(void)
{
    server_stop(server);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP to the outside: many exchanges at once on one thread, over one epoll that also holds the
 * caller's bell. Nothing calls upward: start exchanges, wait, drain what is done. The only user of
 * curl. All calls but gf_net_init() and
 * gf_net_perform() are for the one thread that made the net. */
#ifndef GF_NET_H
#define GF_NET_H

#include "base/msg.h"

typedef struct gf_net_t gf_net_t;

/* Once per process, before any thread or fork. */
apr_status_t gf_net_init(void);

/* bell: a descriptor whose readability ends gf_net_wait() (the caller silences it); -1: none. The
 * net ends with the pool, and with it every open exchange. */
apr_status_t gf_net_make(gf_net_t **net, apr_pool_t *pool, int bell);

/* A second bell, which other processes watch, too, and nobody silences: each time that it rings
 * ends one gf_net_wait(). Once. */
apr_status_t gf_net_add_bell(gf_net_t *net, int bell);

/* Starts an exchange; the message belongs to the net until gf_net_next_done() or gf_net_cancel()
 * returns it. */
void gf_net_start(gf_net_t *net, gf_msg_t *msg);

/* Drops an exchange that is still open. Afterwards msg->end is CANCELLED and the message the
 * caller's again. */
void gf_net_cancel(gf_net_t *net, gf_msg_t *msg);

/* Performs exchanges for at most `timeout`; returns early when a bell rings or an exchange is
 * done. Does the bell of gf_net_make() ring? */
bool gf_net_wait(gf_net_t *net, apr_interval_time_t timeout);

/* An exchange that has ended, or NULL. */
gf_msg_t *gf_net_next_done(gf_net_t *net);

/* Performs one exchange on the calling thread, which it blocks until the exchange has ended, at
 * most msg->timeout. Any thread. Returns an error if nothing was begun. */
apr_status_t gf_net_perform(gf_msg_t *msg);

/* What was answered to a message that has ended lives in a pool below the message's, and is freed
 * with that, or before it by this. */
void gf_net_free_answer(const gf_msg_t *msg);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The background of a child: one dispatcher thread (exchanges, alarms, leases; it never waits for
 * SQL) and its writers. */
#ifndef WORK_DISPATCH_H
#define WORK_DISPATCH_H

#include <apr_user.h>

#include "base/ctx.h"
#include "hub/hub.h"
#include "work/turn.h"

typedef struct gf_dispatch_t gf_dispatch_t;

/* Prepares the process before any child: curl, and the store's folders, which are given to user and
 * group if this process may. NULL, or the mistake. */
const char *gf_dispatch_prepare(const gf_conf_t *conf, apr_pool_t *pool, apr_uid_t user,
                                apr_gid_t group);

/* Starts the threads. ctx is copied; its pool is not used. pool: the child's. turn: shared by the
 * children of this httpd. `owner` names this process in leases. */
apr_status_t gf_dispatch_start(gf_dispatch_t **dispatch, apr_pool_t *pool, const gf_ctx_t *ctx,
                               gf_hub_t *hub, gf_turn_t *turn, const char *owner);

/* How long a close may go on working on runs; 0: hand everything back at once. Call before
 * gf_hub_close(). */
void gf_dispatch_drain(gf_dispatch_t *dispatch, apr_interval_time_t time);

/* Waits for the threads to end; the hub must have been closed. */
void gf_dispatch_join(gf_dispatch_t *dispatch);

#endif

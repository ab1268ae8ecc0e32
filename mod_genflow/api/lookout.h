/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of a child that looks after its waiting requests: it rings those whose time is over,
 * hears at once from other children of this httpd which generations ended (hub/board.h), and reads,
 * in one statement for all of them, what other processes have changed. */
#ifndef API_LOOKOUT_H
#define API_LOOKOUT_H

#include "base/ctx.h"
#include "hub/board.h"
#include "hub/hub.h"

typedef struct api_lookout_t api_lookout_t;

/* child_init: starts the thread. While requests wait it makes 10 rounds a second, sleeps on the
 * board of this httpd between them, and in each 10th reads the rows of jobs of this child, too. It
 * sends no statement while no request waits, and goes on after an error. `ctx` is copied. */
apr_status_t api_lookout_start(api_lookout_t **lookout, apr_pool_t *pool, const gf_ctx_t *ctx,
                               gf_hub_t *hub, gf_board_t *board);

/* After gf_hub_close(): waits for the end of the thread. */
void api_lookout_join(api_lookout_t *lookout);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that the short pools of a child share: the blocks of an ended pool serve the next one, on
 * whichever thread that begins. A pool with an allocator of its own maps its blocks anew and unmaps
 * them at its end; at each unmapping the system interrupts all processors that run the child. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <apr_pools.h>

/* Begins sharing. Called once in a child, before it starts threads; it lasts as long as the
 * process. At most GF_POOL_RETAINED_MAX bytes wait for later pools, the rest goes back to the
 * system. `abort` is called when memory runs out; NULL: none. Errors: no lock, no memory. */
apr_status_t gf_memory_share(apr_abortfunc_t abort);

/* A pool from the shared memory; before gf_memory_share(), with an allocator of its own. `tag` is
 * static. One thread at a time uses it. The caller destroys it, on any thread: it has no parent. */
apr_pool_t *gf_memory_pool(const char *tag);

#endif

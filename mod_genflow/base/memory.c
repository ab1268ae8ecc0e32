/* SPDX-License-Identifier: Apache-2.0 */
/* One allocator with a lock for the pools that come and go with each generation. A pool takes the
 * lock once for each 8 kB. Pools of a thread that lives on have an allocator of their own. */
#include "base/memory.h"

#include <apr_allocator.h>
#include <apr_thread_mutex.h>

#include "base/ctx.h"

static apr_allocator_t *shared; /* both are written before there are threads */
static apr_abortfunc_t on_abort;

apr_status_t gf_memory_share(apr_abortfunc_t abort)
{
    apr_thread_mutex_t *mutex;
    apr_allocator_t *allocator;
    apr_pool_t *pool; /* of the lock: never destroyed */
    apr_status_t rv = apr_pool_create_unmanaged_ex(&pool, NULL, NULL);

    rv = rv ? rv : apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    rv = rv ? rv : apr_allocator_create(&allocator);
    if (rv == APR_SUCCESS) {
        apr_allocator_mutex_set(allocator, mutex);
        apr_allocator_max_free_set(allocator, GF_POOL_RETAINED_MAX);
        shared = allocator;
        on_abort = abort;
    }
    return rv;
}

apr_pool_t *gf_memory_pool(const char *tag)
{
    apr_pool_t *pool;

    apr_pool_create_unmanaged_ex(&pool, on_abort, shared);
    apr_pool_tag(pool, tag);
    return pool;
}

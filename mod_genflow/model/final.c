/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the holders of an ended generation's object. Leaves its view to db/settle.c, and who gets
 * it to hub/shortcut.c. */
#include "model/final.h"

#include <apr_atomic.h>

#include "base/memory.h"

gf_final_t *gf_final_make(void)
{
    apr_pool_t *pool = gf_memory_pool("genflow_final");
    gf_final_t *final = apr_pcalloc(pool, sizeof(*final));

    final->pool = pool;
    final->holders = 1;
    return final;
}

void gf_final_hold(gf_final_t *final)
{
    apr_atomic_inc32(&final->holders);
}

apr_status_t gf_final_release(void *data)
{
    gf_final_t *final = data;

    if (apr_atomic_dec32(&final->holders) == 0) {
        apr_pool_destroy(final->pool);
    }
    return APR_SUCCESS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* base/memory.c: the memory of an ended pool serves the next one, on whichever thread; before it is
 * shared, each pool has its own. */
#include "base/memory.h"

#include <pthread.h>

#include "unit.h"

#define PLENTY  100000 /* bytes: several blocks */
#define THREADS 8
#define ROUNDS  2000

static int aborted;

static int note_abort(int retcode)
{
    (void)retcode;
    return ++aborted;
}

START_TEST(an_ended_pool_leaves_its_memory_to_the_next_one)
{
    apr_pool_t *pool;
    void *first;

    ck_assert_int_eq(gf_memory_share(note_abort), APR_SUCCESS);
    pool = gf_memory_pool("one");
    first = apr_palloc(pool, 16);
    ck_assert_ptr_eq((void *)apr_pool_abort_get(pool), (void *)note_abort);
    apr_pool_destroy(pool);
    pool = gf_memory_pool("two");
    ck_assert_ptr_eq(apr_palloc(pool, 16), first);
    apr_pool_destroy(pool);
}
END_TEST

START_TEST(pools_have_memory_of_their_own_before_it_is_shared)
{
    apr_pool_t *one = gf_memory_pool("one");
    apr_pool_t *two = gf_memory_pool("two");

    ck_assert_ptr_ne(apr_pool_allocator_get(one), apr_pool_allocator_get(two));
    apr_pool_destroy(one);
    memset(apr_palloc(two, PLENTY), 1, PLENTY);
    apr_pool_destroy(two);
}
END_TEST

/* Made on one thread, ended on another. */
static void *pass_pools(void *data)
{
    apr_pool_t **slot = data;
    int i;

    for (i = 0; i < ROUNDS; i++) {
        apr_pool_t *pool = gf_memory_pool("passed");
        unsigned char *bytes = apr_palloc(pool, PLENTY / (i % 50 + 1));

        memset(bytes, i % 251, (size_t)(PLENTY / (i % 50 + 1)));
        apr_pool_create(&pool, pool); /* as an exchange has one below its job's */
        apr_palloc(pool, 20000);
        if (bytes[0] != i % 251) {
            return "another thread wrote there";
        }
        pool = __atomic_exchange_n(slot, apr_pool_parent_get(pool), __ATOMIC_ACQ_REL);
        if (pool) {
            apr_pool_destroy(pool);
        }
    }
    return NULL;
}

START_TEST(threads_share_it_at_once)
{
    pthread_t threads[THREADS];
    apr_pool_t *slot = NULL;
    void *wrong;
    int i;

    ck_assert_int_eq(gf_memory_share(NULL), APR_SUCCESS);
    for (i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, pass_pools, &slot), 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &wrong);
        ck_assert_pstr_eq(wrong, NULL);
    }
    apr_pool_destroy(slot);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        pools_have_memory_of_their_own_before_it_is_shared,
        an_ended_pool_leaves_its_memory_to_the_next_one,
        threads_share_it_at_once,
        NULL,
    };

    return unit_run("memory", tests);
}

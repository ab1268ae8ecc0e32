/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of tasks, some threads that run them in order, a list of done ones. Slow tasks never take
 * all threads: the others, heartbeats among them, would lose leases over it. Leaves what a task
 * does to its giver. */
#include "work/writers.h"

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

typedef struct list_t {
    gf_task_t *first;
    gf_task_t *last;
} list_t;

struct gf_writers_t {
    apr_thread_mutex_t *mutex; /* guards the lists, slow and stopping */
    apr_thread_cond_t *work;
    gf_hub_t *hub;
    gf_ctx_t ctx; /* copied for each thread */
    list_t given;
    list_t done;
    int slow;     /* so many slow tasks are being run, ... */
    int slow_max; /* ... and so many may be */
    bool stopping;
    int count;
    apr_thread_t **threads;
};

static void push_task(list_t *list, gf_task_t *task)
{
    task->next = NULL;
    if (list->last) {
        list->last->next = task;
    }
    else {
        list->first = task;
    }
    list->last = task;
}

/* Takes the first task out; without `slow` the first that is not slow. */
static gf_task_t *pop_task(list_t *list, bool slow)
{
    gf_task_t *before = NULL;
    gf_task_t *task = list->first;

    while (task && task->slow && !slow) {
        before = task;
        task = task->next;
    }
    if (task) {
        *(before ? &before->next : &list->first) = task->next;
        list->last = list->last == task ? before : list->last;
    }
    return task;
}

/* Waits for a task; NULL: it is time to end. */
static gf_task_t *next_given(gf_writers_t *writers)
{
    gf_task_t *task;

    apr_thread_mutex_lock(writers->mutex);
    while (
        !(task = pop_task(&writers->given, writers->slow < writers->slow_max || writers->stopping))
        && !writers->stopping) {
        apr_thread_cond_wait(writers->work, writers->mutex);
    }
    writers->slow += task && task->slow;
    apr_thread_mutex_unlock(writers->mutex);
    return task;
}

/* Another slow one may begin: on a thread that waits, if this one has something else to do. */
static void task_done(gf_writers_t *writers, gf_task_t *task)
{
    apr_thread_mutex_lock(writers->mutex);
    if (task->slow) {
        writers->slow--;
        apr_thread_cond_signal(writers->work);
    }
    push_task(&writers->done, task);
    apr_thread_mutex_unlock(writers->mutex);
}

static void *APR_THREAD_FUNC writer_main(apr_thread_t *thread, void *data)
{
    gf_writers_t *writers = data;
    gf_ctx_t ctx = writers->ctx;
    apr_allocator_t *allocator;
    gf_task_t *task;

    (void)thread;
    apr_allocator_create(&allocator);
    apr_allocator_max_free_set(allocator, GF_POOL_RETAINED_MAX);
    apr_pool_create_ex(&ctx.pool, NULL, NULL, allocator);
    apr_allocator_owner_set(allocator, ctx.pool);
    apr_pool_tag(ctx.pool, "genflow_writer");
    while ((task = next_given(writers))) {
        task->run(task, &ctx);
        apr_pool_clear(ctx.pool);
        task_done(writers, task);
        gf_hub_ring(writers->hub);
    }
    apr_pool_destroy(ctx.pool);
    return NULL;
}

apr_status_t gf_writers_start(gf_writers_t **out, apr_pool_t *pool, const gf_ctx_t *ctx,
                              gf_hub_t *hub, int count)
{
    gf_writers_t *writers = apr_pcalloc(pool, sizeof(*writers));
    apr_status_t rv = apr_thread_mutex_create(&writers->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&writers->work, pool);
    }
    writers->hub = hub;
    writers->ctx = *ctx;
    writers->slow_max = count > 1 ? count / 2 : 1;
    writers->threads = apr_pcalloc(pool, (apr_size_t)count * sizeof(*writers->threads));
    while (rv == APR_SUCCESS && writers->count < count) {
        rv = apr_thread_create(&writers->threads[writers->count], NULL, writer_main, writers, pool);
        writers->count += rv == APR_SUCCESS;
    }
    *out = writers;
    return rv;
}

void gf_writers_give(gf_writers_t *writers, gf_task_t *task)
{
    apr_thread_mutex_lock(writers->mutex);
    push_task(&writers->given, task);
    apr_thread_cond_signal(writers->work);
    apr_thread_mutex_unlock(writers->mutex);
}

gf_task_t *gf_writers_next_done(gf_writers_t *writers)
{
    gf_task_t *task;

    apr_thread_mutex_lock(writers->mutex);
    task = pop_task(&writers->done, true);
    apr_thread_mutex_unlock(writers->mutex);
    return task;
}

void gf_writers_stop(gf_writers_t *writers)
{
    apr_status_t rv;
    int i;

    apr_thread_mutex_lock(writers->mutex);
    writers->stopping = true;
    apr_thread_cond_broadcast(writers->work);
    apr_thread_mutex_unlock(writers->mutex);
    for (i = 0; i < writers->count; i++) {
        apr_thread_join(&rv, writers->threads[i]);
    }
}

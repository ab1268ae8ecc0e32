/* SPDX-License-Identifier: Apache-2.0 */
/* Reads presets and remembers them. Leaves which of them are on to genflow.presets(). Any thread;
 * all that threads share is used under the one mutex, which is never held while the database is
 * asked. */
#include "db/preset.h"

#include <stddef.h>

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "base/clock.h"

/* What is remembered of one type. */
typedef struct memory_t {
    apr_pool_t *pool;
    gf_presets_t presets;
    apr_time_t since; /* 0: nothing yet */
} memory_t;

struct gf_preset_cache_t {
    apr_thread_mutex_t *mutex; /* guards the memories, their pools included */
    apr_interval_time_t age;
    memory_t *memories; /* by gf_type_t.index */
};

/* The texts of a preset, in the order of the statement. */
static const size_t texts[] = {
    offsetof(gf_preset_t, id),
    offsetof(gf_preset_t, key),
    offsetof(gf_preset_t, label),
    offsetof(gf_preset_t, description),
    offsetof(gf_preset_t, category),
    offsetof(gf_preset_t, prompt),
    offsetof(gf_preset_t, negative_prompt),
    offsetof(gf_preset_t, strength),
    offsetof(gf_preset_t, parameters),
    offsetof(gf_preset_t, rotation_index),
    offsetof(gf_preset_t, week),
    offsetof(gf_preset_t, available_at),
};

#define TEXTS        ((int)(sizeof(texts) / sizeof(texts[0])))
#define CURRENT_WEEK TEXTS
#define IS_ACTIVE    (TEXTS + 1)
#define IS_ON        (TEXTS + 2)

static const char **text_of(gf_preset_t *preset, int i)
{
    return (const char **)((char *)preset + texts[i]);
}

apr_status_t gf_preset_cache_make(gf_preset_cache_t **cache, apr_pool_t *pool,
                                  const gf_conf_t *conf, apr_interval_time_t age)
{
    gf_preset_cache_t *made = apr_pcalloc(pool, sizeof(*made));
    apr_allocator_t *allocator;
    apr_pool_t *own;
    int i;

    apr_allocator_create(&allocator); /* its own: it is used by all threads, under the mutex */
    apr_allocator_max_free_set(allocator, GF_KEPT_MAX);
    apr_pool_create_ex(&own, pool, NULL, allocator);
    apr_allocator_owner_set(allocator, own);
    apr_pool_tag(own, "genflow_presets");
    made->age = age;
    made->memories = apr_pcalloc(own, sizeof(memory_t) * (apr_size_t)conf->type_list->nelts);
    for (i = 0; i < conf->type_list->nelts; i++) {
        apr_pool_create(&made->memories[i].pool, own);
    }
    *cache = made;
    return apr_thread_mutex_create(&made->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
}

static void copy(gf_presets_t *to, const gf_presets_t *from, apr_pool_t *pool)
{
    int i;
    int j;

    to->week = from->week;
    to->list = apr_array_copy(pool, from->list);
    for (i = 0; i < to->list->nelts; i++) {
        gf_preset_t *preset = &APR_ARRAY_IDX(to->list, i, gf_preset_t);

        for (j = 0; j < TEXTS; j++) {
            *text_of(preset, j) = apr_pstrdup(pool, *text_of(preset, j));
        }
    }
}

/* True: there is a fresh memory, and it was copied. Of a stale one the first who meets it is sent
 * to the database, and the others use it until that one is back. */
static bool recall(gf_presets_t *presets, gf_preset_cache_t *cache, memory_t *memory,
                   apr_pool_t *pool)
{
    apr_time_t now = gf_clock_now();
    bool fresh;

    apr_thread_mutex_lock(cache->mutex);
    fresh = memory->since && now >= memory->since && now - memory->since < cache->age;
    if (fresh) {
        copy(presets, &memory->presets, pool);
    }
    else if (memory->since) {
        memory->since = now;
    }
    apr_thread_mutex_unlock(cache->mutex);
    return fresh;
}

/* presets NULL: there is nothing to remember, the next one asks. */
static void remember(gf_preset_cache_t *cache, memory_t *memory, const gf_presets_t *presets)
{
    apr_thread_mutex_lock(cache->mutex);
    memory->since = 0;
    if (presets) {
        apr_pool_clear(memory->pool);
        copy(&memory->presets, presets, memory->pool);
        memory->since = gf_clock_now();
    }
    apr_thread_mutex_unlock(cache->mutex);
}

static gf_err_t *ask(gf_presets_t *presets, gf_ctx_t *ctx, const gf_type_t *type)
{
    const char *args[] = { type->name,
                           apr_psprintf(ctx->pool, "%" APR_INT64_T_FMT, type->preset_window) };
    gf_rows_t *rows;
    int row;
    int i;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_PRESETS, NULL, args, NULL));
    presets->week = gf_rows_count(rows) ? gf_rows_int(rows, 0, CURRENT_WEEK) : 1;
    presets->list = apr_array_make(ctx->pool, gf_rows_count(rows), sizeof(gf_preset_t));
    for (row = 0; row < gf_rows_count(rows); row++) {
        gf_preset_t *preset = apr_array_push(presets->list);

        for (i = 0; i < TEXTS; i++) {
            *text_of(preset, i) = gf_rows_text(rows, row, i);
        }
        preset->is_active = gf_rows_bool(rows, row, IS_ACTIVE);
        preset->is_on = gf_rows_bool(rows, row, IS_ON);
    }
    return NULL;
}

gf_err_t *gf_preset_read(gf_presets_t *presets, gf_ctx_t *ctx, gf_preset_cache_t *cache,
                         const gf_type_t *type)
{
    memory_t *memory = &cache->memories[type->index];
    gf_err_t *err;

    if (recall(presets, cache, memory, ctx->pool)) {
        return NULL;
    }
    err = ask(presets, ctx, type);
    remember(cache, memory, err ? NULL : presets);
    return err;
}

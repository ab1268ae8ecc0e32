/* SPDX-License-Identifier: Apache-2.0 */
/* Reads presets and caches them. genflow.presets() decides which are on. Any thread; one mutex
 * guards all shared data and is never held during a statement. */
#include "db/preset.h"

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "base/clock.h"
#include "model/servers.h"

/* The cache entry of one type. */
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

typedef struct presets_in_t {
    const char *type;
    apr_int64_t window;
} presets_in_t;

typedef struct presets_row_t {
    gf_preset_t preset;
    apr_int64_t current_week;
} presets_row_t;

static const gf_sql_field_t presets_params[] = { GF_PARAM(presets_in_t, type),
                                                 GF_PARAM(presets_in_t, window) };
static const gf_sql_field_t presets_columns[] = {
    GF_COLUMN_AS("id", presets_row_t, preset.id),
    GF_COLUMN_AS("key", presets_row_t, preset.key),
    GF_COLUMN_AS("label", presets_row_t, preset.label),
    GF_COLUMN_AS("description", presets_row_t, preset.description),
    GF_COLUMN_AS("category", presets_row_t, preset.category),
    GF_COLUMN_AS("prompt", presets_row_t, preset.prompt),
    GF_COLUMN_AS("negative_prompt", presets_row_t, preset.negative_prompt),
    GF_COLUMN_AS("strength", presets_row_t, preset.strength),
    GF_COLUMN_AS("parameters", presets_row_t, preset.parameters),
    GF_COLUMN_AS("rotation_index", presets_row_t, preset.rotation_index),
    GF_COLUMN_AS("week", presets_row_t, preset.week),
    GF_COLUMN_AS("available_at", presets_row_t, preset.available_at),
    GF_COLUMN_AS("is_active", presets_row_t, preset.is_active),
    GF_COLUMN_AS("is_on", presets_row_t, preset.is_on),
    GF_COLUMN(presets_row_t, current_week),
};

#define COLUMNS ((int)(sizeof(presets_columns) / sizeof(presets_columns[0])))

GF_STATEMENT(presets, .function = "presets", GF_PARAMS(presets_params),
             GF_COLUMNS(presets_row_t, presets_columns));

apr_status_t gf_preset_cache_make(gf_preset_cache_t **cache, apr_pool_t *pool,
                                  const gf_conf_t *conf, apr_interval_time_t age)
{
    gf_preset_cache_t *made = apr_pcalloc(pool, sizeof(*made));
    apr_allocator_t *allocator;
    int types = gf_servers_types(conf)->nelts;
    apr_pool_t *own;
    int i;

    apr_allocator_create(&allocator); /* its own: it is used by all threads, under the mutex */
    apr_allocator_max_free_set(allocator, GF_POOL_RETAINED_MAX);
    apr_pool_create_ex(&own, pool, NULL, allocator);
    apr_allocator_owner_set(allocator, own);
    apr_pool_tag(own, "genflow_presets");
    made->age = age;
    made->memories = apr_pcalloc(own, sizeof(memory_t) * (apr_size_t)types);
    for (i = 0; i < types; i++) {
        apr_pool_create(&made->memories[i].pool, own);
    }
    *cache = made;
    return apr_thread_mutex_create(&made->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
}

/* All texts that the database gave, into `pool`. */
static void copy_texts(gf_preset_t *preset, apr_pool_t *pool)
{
    presets_row_t row = { .preset = *preset };
    int i;

    for (i = 0; i < COLUMNS; i++) {
        const char **text = (const char **)((char *)&row + presets_columns[i].offset);

        if (presets_columns[i].kind == GF_SQL_TEXT) {
            *text = apr_pstrdup(pool, *text);
        }
    }
    *preset = row.preset;
}

static void copy_presets(gf_presets_t *to, const gf_presets_t *from, apr_pool_t *pool)
{
    int i;

    to->week = from->week;
    to->list = apr_array_copy(pool, from->list);
    for (i = 0; i < to->list->nelts; i++) {
        copy_texts(&APR_ARRAY_IDX(to->list, i, gf_preset_t), pool);
    }
}

/* True: there is a fresh entry, and it was copied. For a stale entry the first caller reads the
 * database; the others use it until that caller is back. */
static bool recall_presets(gf_presets_t *presets, gf_preset_cache_t *cache, memory_t *memory,
                           apr_pool_t *pool)
{
    apr_time_t now = gf_clock_now();
    bool fresh;

    apr_thread_mutex_lock(cache->mutex);
    fresh = memory->since && now >= memory->since && now - memory->since < cache->age;
    if (fresh) {
        copy_presets(presets, &memory->presets, pool);
    }
    else if (memory->since) {
        memory->since = now;
    }
    apr_thread_mutex_unlock(cache->mutex);
    return fresh;
}

/* presets NULL: nothing to cache, the next caller reads again. */
static void remember_presets(gf_preset_cache_t *cache, memory_t *memory,
                             const gf_presets_t *presets)
{
    apr_thread_mutex_lock(cache->mutex);
    memory->since = 0;
    if (presets) {
        apr_pool_clear(memory->pool);
        copy_presets(&memory->presets, presets, memory->pool);
        memory->since = gf_clock_now();
    }
    apr_thread_mutex_unlock(cache->mutex);
}

static gf_err_t *read_presets(gf_presets_t *presets, gf_ctx_t *ctx, const gf_type_t *type)
{
    const presets_in_t in = { .type = type->name, .window = type->preset_window };
    presets_row_t row = { .current_week = 1 };
    gf_rows_t *rows;
    int i;

    GF_TRY(gf_db_call(&rows, ctx, &gf_sql_presets, NULL, &in, NULL));
    presets->list = apr_array_make(ctx->pool, gf_rows_count(rows), sizeof(gf_preset_t));
    for (i = 0; i < gf_rows_count(rows); i++) {
        GF_TRY(gf_rows_read(&row, ctx, rows, i, NULL));
        APR_ARRAY_PUSH(presets->list, gf_preset_t) = row.preset;
    }
    presets->week = row.current_week;
    return NULL;
}

gf_err_t *gf_preset_read(gf_presets_t *presets, gf_ctx_t *ctx, gf_preset_cache_t *cache,
                         const gf_type_t *type)
{
    memory_t *memory = &cache->memories[type->index];
    gf_err_t *err;

    if (recall_presets(presets, cache, memory, ctx->pool)) {
        return NULL;
    }
    err = read_presets(presets, ctx, type);
    remember_presets(cache, memory, err ? NULL : presets);
    return err;
}

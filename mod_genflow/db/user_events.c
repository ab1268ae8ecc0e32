/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the events of users to their SQL functions. */
#include "db/user_events.h"

#include <string.h>

#include <apr_strings.h>

typedef struct events_in_t {
    const char *user, *since;
    bool waiting;
    int limit;
    const char *day;
} events_in_t;

typedef struct events_row_t {
    gf_user_events_t events;
    gf_user_change_t change;
} events_row_t;

static const gf_sql_field_t events_params[] = {
    GF_PARAM(events_in_t, user), GF_PARAM(events_in_t, since), GF_PARAM(events_in_t, waiting),
    GF_PARAM(events_in_t, limit), GF_PARAM(events_in_t, day)
};
static const gf_sql_field_t events_columns[] = {
    GF_COLUMN_AS("instant", events_row_t, events.instant),
    GF_COLUMN_AS("version", events_row_t, events.version),
    GF_COLUMN_AS("balance", events_row_t, events.balance),
    GF_COLUMN_AS("held", events_row_t, events.held),
    GF_COLUMN_AS("remaining", events_row_t, events.remaining),
    GF_COLUMN_AS("is_reset", events_row_t, events.is_reset),
    GF_COLUMN_AS("is_paid", events_row_t, events.is_paid),
    GF_COLUMN_AS("waits", events_row_t, events.waits),
    GF_COLUMN_AS("id", events_row_t, change.id),
    GF_COLUMN_AS("type", events_row_t, change.type),
    GF_COLUMN_AS("row_version", events_row_t, change.row_version),
    GF_COLUMN_AS("changed", events_row_t, change.changed)
};

GF_STATEMENT(user_events, .function = "user_events", GF_PARAMS(events_params),
             GF_COLUMNS(events_row_t, events_columns));

gf_err_t *gf_user_events_read(gf_user_events_t *events, gf_ctx_t *ctx, const gf_user_look_t *look)
{
    const events_in_t in = { .user = look->user,
                             .since = look->since,
                             .waiting = look->waiting,
                             .limit = look->limit,
                             .day = ctx->conf->credit_day };
    apr_array_header_t *rows;
    int i;

    GF_TRY(gf_db_list(&rows, ctx, &gf_sql_user_events, &in));
    *events = APR_ARRAY_IDX(rows, 0, events_row_t).events;
    events->changes = apr_array_make(ctx->pool, rows->nelts, sizeof(gf_user_change_t));
    for (i = 0; i < rows->nelts; i++) {
        const events_row_t *row = &APR_ARRAY_IDX(rows, i, events_row_t);

        if (row->change.id) {
            APR_ARRAY_PUSH(events->changes, gf_user_change_t) = row->change;
        }
    }
    return NULL;
}

/* An instant is <of>.<rest>; a part is <of>.<rest>_<rest of the look's instant>_<id>. */
const char *gf_user_events_part(const char *since, const char *instant, const char *id,
                                apr_pool_t *pool)
{
    int begin = (int)strcspn(since, "_");

    return apr_psprintf(pool, "%.*s_%s_%s", begin, since, strchr(instant, '.') + 1, id);
}

bool gf_user_events_is_part(const char *since)
{
    return strchr(since, '_') != NULL;
}

/* ---- versions ---- */

typedef struct versions_in_t {
    const char *users;
} versions_in_t;

static const gf_sql_field_t versions_params[] = { GF_PARAM(versions_in_t, users) };
static const gf_sql_field_t versions_columns[] = { GF_COLUMN_AS("user_id", gf_user_version_t, user),
                                                   GF_COLUMN(gf_user_version_t, version) };

GF_STATEMENT(user_versions, .function = "user_versions", GF_PARAMS(versions_params),
             GF_COLUMNS(gf_user_version_t, versions_columns));

gf_err_t *gf_user_versions(apr_array_header_t **versions, gf_ctx_t *ctx,
                           const apr_array_header_t *users)
{
    const versions_in_t in = { .users = gf_sql_array(users, ctx->pool) };

    return gf_db_list(versions, ctx, &gf_sql_user_versions, &in);
}

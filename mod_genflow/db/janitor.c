/* SPDX-License-Identifier: Apache-2.0 */
/* Maps cleaning up to its SQL functions. Leaves rules to the SQL. */
#include "db/janitor.h"

static const gf_sql_field_t parts_columns[] = { { .name = "part", .kind = GF_SQL_TEXT } };

GF_STATEMENT(janitor_parts, .function = "janitor_parts", .is_value = true,
             GF_COLUMNS(const char *, parts_columns));

gf_err_t *gf_janitor_parts(apr_array_header_t **parts, gf_ctx_t *ctx)
{
    return gf_db_list(parts, ctx, &gf_sql_janitor_parts, NULL);
}

typedef struct janitor_in_t {
    const char *part;
    int limit;
    apr_interval_time_t jobs, keys, media;
} janitor_in_t;

typedef struct janitor_row_t {
    int cleaned;
} janitor_row_t;

static const gf_sql_field_t janitor_params[] = { GF_PARAM(janitor_in_t, part),
                                                 GF_PARAM(janitor_in_t, limit),
                                                 GF_PARAM_INTERVAL(janitor_in_t, jobs),
                                                 GF_PARAM_INTERVAL(janitor_in_t, keys),
                                                 GF_PARAM_INTERVAL_OR(janitor_in_t, media, 0) };
static const gf_sql_field_t janitor_columns[] = { GF_COLUMN(janitor_row_t, cleaned) };

GF_STATEMENT(janitor, .function = "janitor", .is_value = true, GF_PARAMS(janitor_params),
             GF_COLUMNS(janitor_row_t, janitor_columns));

gf_err_t *gf_janitor_clean(int *cleaned, gf_ctx_t *ctx, const char *part, int limit)
{
    const janitor_in_t in = { .part = part,
                              .limit = limit,
                              .jobs = ctx->conf->janitor_jobs,
                              .keys = ctx->conf->janitor_keys,
                              .media = ctx->conf->janitor_media };
    janitor_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_janitor, NULL, &in));
    *cleaned = row.cleaned;
    return NULL;
}

typedef struct expect_in_t {
    apr_interval_time_t age;
} expect_in_t;

static const gf_sql_field_t expect_params[] = { GF_PARAM_INTERVAL(expect_in_t, age) };

GF_STATEMENT(expected_compute, .function = "expected_compute", .is_value = true,
             GF_PARAMS(expect_params));

gf_err_t *gf_janitor_expect(gf_ctx_t *ctx, apr_interval_time_t age)
{
    const expect_in_t in = { .age = age };

    return gf_db_do(ctx, &gf_sql_expected_compute, &in);
}

typedef struct moves_row_t {
    int running;
} moves_row_t;

static const gf_sql_field_t moves_columns[] = { GF_COLUMN(moves_row_t, running) };

GF_STATEMENT(moves_feed, .function = "moves_feed", .is_value = true,
             GF_COLUMNS(moves_row_t, moves_columns));

gf_err_t *gf_janitor_feed_moves(int *running, gf_ctx_t *ctx)
{
    moves_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_moves_feed, NULL, NULL));
    *running = row.running;
    return NULL;
}

typedef struct connections_row_t {
    int most;
    const char *limited_by;
} connections_row_t;

static const gf_sql_field_t connections_columns[] = { GF_COLUMN(connections_row_t, most),
                                                      GF_COLUMN(connections_row_t, limited_by) };

GF_STATEMENT(connections, .function = "connections",
             GF_COLUMNS(connections_row_t, connections_columns));

gf_err_t *gf_janitor_connections(int *most, const char **limit, gf_ctx_t *ctx)
{
    connections_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_connections, NULL, NULL));
    *most = row.most;
    *limit = row.limited_by;
    return NULL;
}

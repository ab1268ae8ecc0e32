/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the state of types to its SQL function, and compares chains with what it reports. */
#include "db/type_state.h"

#include <string.h>

#include <apr_strings.h>

typedef struct states_in_t {
    const char *types, *windows;
} states_in_t;

typedef struct states_row_t {
    bool is_there;
    apr_int64_t p50, p90;
    int presets, presets_on;
    const char *open_breakers, *spent;
} states_row_t;

static const gf_sql_field_t states_params[] = { GF_PARAM(states_in_t, types),
                                                GF_PARAM(states_in_t, windows) };
static const gf_sql_field_t states_columns[] = {
    GF_COLUMN(states_row_t, is_there),   GF_COLUMN_OR(states_row_t, p50, -1),
    GF_COLUMN_OR(states_row_t, p90, -1), GF_COLUMN(states_row_t, presets),
    GF_COLUMN(states_row_t, presets_on), GF_COLUMN(states_row_t, open_breakers),
    GF_COLUMN(states_row_t, spent)
};

GF_STATEMENT(type_states, .function = "type_states", GF_PARAMS(states_params),
             GF_COLUMNS(states_row_t, states_columns));

/* The presets that are on in a week, of each type, as an array of Postgres. */
static const char *windows_of(gf_ctx_t *ctx)
{
    const apr_array_header_t *types = ctx->conf->type_list;
    const char *listed = "";
    int i;

    for (i = 0; i < types->nelts; i++) {
        listed = apr_psprintf(ctx->pool, "%s%s%" APR_INT64_T_FMT, listed, i ? "," : "",
                              APR_ARRAY_IDX(types, i, const gf_type_t *)->preset_window);
    }
    return apr_pstrcat(ctx->pool, "{", listed, "}", NULL);
}

/* What follows `name` and `mark` at the begin of a line of `lines`; NULL: there is no such line. */
static const char *find_line(const char *lines, const char *name, const char *mark,
                             apr_pool_t *pool)
{
    const char *begin = apr_pstrcat(pool, "\n", name, mark, NULL);
    const char *line = strstr(lines, begin);

    return line ? line + strlen(begin) : NULL;
}

/* Would an attempt with this chain entry be let through? As attempt_begin() decides it. */
static bool is_reachable(gf_ctx_t *ctx, const gf_choice_t *choice, const states_row_t *row)
{
    const gf_provider_t *provider = choice->provider;
    const char *name = apr_pstrcat(ctx->pool, provider->name, "/", choice->model, NULL);
    const char *spent = find_line(row->spent, provider->name, " ", ctx->pool);

    return !(provider->breaker_open && find_line(row->open_breakers, name, "\n", ctx->pool))
           && !(provider->budget
                && (spent ? apr_atoi64(spent) : 0) + provider->price > provider->budget);
}

static gf_type_open_t open_of(gf_ctx_t *ctx, const gf_type_t *type, const states_row_t *row)
{
    int i;

    if (!row->is_there) {
        return GF_TYPE_FAULT;
    }
    for (i = 0; i < type->chain->nelts; i++) {
        if (is_reachable(ctx, &APR_ARRAY_IDX(type->chain, i, gf_choice_t), row)) {
            return GF_TYPE_OPEN;
        }
    }
    return i > 0 ? GF_TYPE_BREAKER_OPEN : GF_TYPE_NO_PROVIDER;
}

gf_err_t *gf_type_states(apr_array_header_t **states, gf_ctx_t *ctx)
{
    const apr_array_header_t *types = ctx->conf->type_list;
    const states_in_t in = { .types = gf_db_types(ctx, NULL), .windows = windows_of(ctx) };
    apr_array_header_t *rows;
    int i;

    GF_TRY(gf_db_list(&rows, ctx, &gf_sql_type_states, &in));
    *states = apr_array_make(ctx->pool, types->nelts, sizeof(gf_type_state_t));
    for (i = 0; i < types->nelts && i < rows->nelts; i++) {
        gf_type_state_t *state = apr_array_push(*states);
        const states_row_t *row = &APR_ARRAY_IDX(rows, i, states_row_t);

        state->type = APR_ARRAY_IDX(types, i, const gf_type_t *);
        state->open = open_of(ctx, state->type, row);
        state->presets = row->presets;
        state->presets_on = row->presets_on;
        state->half = row->p50;
        state->most = row->p90;
    }
    return NULL;
}

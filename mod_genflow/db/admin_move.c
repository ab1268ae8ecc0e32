/* SPDX-License-Identifier: Apache-2.0 */
/* Maps moves between stores to their SQL functions, which have the rules. */
#include "db/admin_move.h"

typedef struct move_in_t {
    const char *types, *sources; /* arrays */
    const char *target;
    apr_interval_time_t keep;
    apr_int64_t no;
    int limit;
} move_in_t;

typedef struct move_row_t {
    enum { MOVE_OK, MOVE_RUNNING, MOVE_NO_TYPE, MOVE_ENDED, MOVE_NOT_FOUND } outcome;
    const char *json;
} move_row_t;

static const gf_sql_field_t move_params[] = { GF_PARAM(move_in_t, types),
                                              GF_PARAM(move_in_t, sources),
                                              GF_PARAM(move_in_t, target),
                                              GF_PARAM_INTERVAL(move_in_t, keep) };
static const gf_sql_word_t move_words[] = { { "ok", MOVE_OK },
                                            { "running", MOVE_RUNNING },
                                            { "no_type", MOVE_NO_TYPE },
                                            { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t move_columns[] = {
    GF_COLUMN_WORD("outcome", move_row_t, outcome, move_words),
    GF_COLUMN_AS("moves", move_row_t, json),
};
static const gf_sql_field_t moves_params[] = { GF_PARAM(move_in_t, types),
                                               GF_PARAM(move_in_t, limit) };
static const gf_sql_field_t moves_columns[] = { { .name = "move", .kind = GF_SQL_TEXT } };
static const gf_sql_field_t stop_params[] = { GF_PARAM(move_in_t, no), GF_PARAM(move_in_t, types) };
static const gf_sql_word_t stop_words[] = { { "ok", MOVE_OK },
                                            { "ended", MOVE_ENDED },
                                            { "not_found", MOVE_NOT_FOUND },
                                            { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t stop_columns[] = {
    GF_COLUMN_WORD("outcome", move_row_t, outcome, stop_words),
    GF_COLUMN_AS("move", move_row_t, json),
};

GF_STATEMENT(admin_move, .function = "admin_move", .has_by = true, .has_call = true,
             GF_PARAMS(move_params), GF_COLUMNS(move_row_t, move_columns));
GF_STATEMENT(admin_moves, .function = "admin_moves", .is_value = true, GF_PARAMS(moves_params),
             GF_COLUMNS(const char *, moves_columns));
GF_STATEMENT(admin_move_stop, .function = "admin_move_stop", .has_by = true, GF_PARAMS(stop_params),
             GF_COLUMNS(move_row_t, stop_columns));

gf_err_t *gf_admin_move(const char **json, gf_ctx_t *ctx, const gf_admin_move_t *move)
{
    const move_in_t in = { .types = gf_sql_array(move->types, ctx->pool),
                           .sources = gf_sql_array(move->sources, ctx->pool),
                           .target = move->target,
                           .keep = move->keep };
    move_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_move, NULL, &in));
    if (row.outcome == MOVE_RUNNING) {
        return gf_err_make(ctx, GF_E_MOVE_RUNNING, APR_SUCCESS, "pictures of %s are being moved",
                           in.types);
    }
    *json = row.json ? row.json : "[]";
    return NULL;
}

gf_err_t *gf_admin_moves(apr_array_header_t **moves, gf_ctx_t *ctx, const apr_array_header_t *types,
                         int limit)
{
    const move_in_t in = { .types = gf_sql_array(types, ctx->pool), .limit = limit };

    return gf_db_list(moves, ctx, &gf_sql_admin_moves, &in);
}

gf_err_t *gf_admin_move_stop(const char **json, gf_ctx_t *ctx, apr_int64_t no,
                             const apr_array_header_t *types)
{
    const move_in_t in = { .no = no, .types = gf_sql_array(types, ctx->pool) };
    move_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_admin_move_stop, NULL, &in));
    *json = row.json;
    if (row.outcome == MOVE_NOT_FOUND) {
        return gf_err_make(ctx, GF_E_NO_ROUTE, APR_SUCCESS, "no move %" APR_INT64_T_FMT, no);
    }
    return row.outcome == MOVE_ENDED
               ? gf_err_make(ctx, GF_E_MOVE_ENDED, APR_SUCCESS, "move %" APR_INT64_T_FMT, no)
               : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Maps breakers to their SQL functions. Leaves when to note what to work/. */
#include "db/breaker.h"

#include <apr_strings.h>

#define STORE_OPEN (60 * APR_USEC_PER_SEC) /* the host reports again before */

typedef struct note_in_t {
    const char *provider, *model, *what, *reason;
    apr_int64_t failures;
    apr_interval_time_t open;
} note_in_t;

typedef struct note_row_t {
    gf_breaker_t did;
} note_row_t;

static const gf_sql_word_t note_words[] = { { "noted", GF_BREAKER_NOTED },
                                            { "opened", GF_BREAKER_OPENED },
                                            { "closed", GF_BREAKER_CLOSED },
                                            { NULL, GF_SQL_NO_WORD } };
static const gf_sql_field_t note_params[] = {
    GF_PARAM(note_in_t, provider), GF_PARAM(note_in_t, model),    GF_PARAM(note_in_t, what),
    GF_PARAM(note_in_t, reason),   GF_PARAM(note_in_t, failures), GF_PARAM_INTERVAL(note_in_t, open)
};
static const gf_sql_field_t note_columns[] = {
    GF_COLUMN_WORD("outcome", note_row_t, did, note_words),
};

GF_STATEMENT(breaker_note, .function = "breaker_note", .is_value = true, .has_call = true,
             GF_PARAMS(note_params), GF_COLUMNS(note_row_t, note_columns));

gf_err_t *gf_breaker_note(gf_breaker_t *did, gf_ctx_t *ctx, const gf_choice_t *choice,
                          gf_went_t went, const char *reason)
{
    static const char *const words[] = { [GF_WENT_UNNOTED] = "well",
                                         [GF_WENT_WELL] = "well",
                                         [GF_WENT_WRONG] = "failure",
                                         [GF_WENT_REFUSED] = "refused" };
    const note_in_t in = { .provider = choice->provider->name,
                           .model = choice->model,
                           .what = words[went],
                           .reason = reason,
                           .failures = choice->provider->breaker_failures,
                           .open = choice->provider->breaker_open };
    note_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_breaker_note, NULL, &in));
    *did = row.did;
    return NULL;
}

gf_err_t *gf_breaker_note_store(gf_ctx_t *ctx, const char *store, const char *host, const char *why)
{
    const note_in_t in = { .provider = apr_pstrcat(ctx->pool, GF_BREAKER_STORE, store, NULL),
                           .model = host,
                           .what = why ? "refused" : "well",
                           .reason = why,
                           .open = STORE_OPEN };

    return gf_db_do(ctx, &gf_sql_breaker_note, &in);
}

static const gf_sql_field_t breakers_columns[] = {
    GF_COLUMN(gf_breaker_row_t, provider),   GF_COLUMN(gf_breaker_row_t, model),
    GF_COLUMN(gf_breaker_row_t, state),      GF_COLUMN(gf_breaker_row_t, failures),
    GF_COLUMN(gf_breaker_row_t, open_until), GF_COLUMN(gf_breaker_row_t, opened_at),
    GF_COLUMN(gf_breaker_row_t, reason)
};

GF_STATEMENT(breakers, .function = "breakers", GF_COLUMNS(gf_breaker_row_t, breakers_columns));

gf_err_t *gf_breaker_list(apr_array_header_t **list, gf_ctx_t *ctx)
{
    return gf_db_list(list, ctx, &gf_sql_breakers, NULL);
}

static const gf_sql_field_t budgets_columns[] = { GF_COLUMN(gf_spent_t, provider),
                                                  GF_COLUMN(gf_spent_t, spent) };

GF_STATEMENT(budgets, .function = "budgets", GF_COLUMNS(gf_spent_t, budgets_columns));

gf_err_t *gf_breaker_spent(apr_array_header_t **list, gf_ctx_t *ctx)
{
    return gf_db_list(list, ctx, &gf_sql_budgets, NULL);
}

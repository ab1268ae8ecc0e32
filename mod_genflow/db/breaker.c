/* SPDX-License-Identifier: Apache-2.0 */
/* Maps breakers to their SQL functions. Leaves when to note what to work/. */
#include "db/breaker.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

#define STORE_OPEN (60 * APR_USEC_PER_SEC) /* told again before */

gf_err_t *gf_breaker_note(gf_breaker_t *did, gf_ctx_t *ctx, const gf_choice_t *choice,
                          gf_went_t went, const char *reason)
{
    static const char *const words[] = { [GF_WENT_UNNOTED] = "well",
                                         [GF_WENT_WELL] = "well",
                                         [GF_WENT_WRONG] = "failure",
                                         [GF_WENT_REFUSED] = "refused" };
    const gf_provider_t *provider = choice->provider;
    const char *args[] = { provider->name,
                           choice->model,
                           words[went],
                           reason,
                           apr_psprintf(ctx->pool, "%" APR_INT64_T_FMT, provider->breaker_failures),
                           gf_text_interval(ctx->pool, provider->breaker_open) };
    gf_rows_t *rows;
    const char *word;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_BREAKER_NOTE, NULL, args, NULL));
    word = gf_rows_text(rows, 0, 0);
    *did = strcmp(word, "opened") == 0   ? GF_BREAKER_OPENED
           : strcmp(word, "closed") == 0 ? GF_BREAKER_CLOSED
                                         : GF_BREAKER_NOTED;
    return NULL;
}

gf_err_t *gf_breaker_note_store(gf_ctx_t *ctx, const char *store, const char *host, const char *why)
{
    const char *args[] = { apr_pstrcat(ctx->pool, GF_BREAKER_STORE, store, NULL),
                           host,
                           why ? "refused" : "well",
                           why,
                           "0",
                           gf_text_interval(ctx->pool, STORE_OPEN) };
    gf_rows_t *rows;

    return gf_db_call(&rows, ctx, GF_SQL_BREAKER_NOTE, NULL, args, NULL);
}

gf_err_t *gf_breaker_list(apr_array_header_t **list, gf_ctx_t *ctx)
{
    gf_rows_t *rows;
    int row;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_BREAKERS, NULL, NULL, NULL));
    *list = apr_array_make(ctx->pool, gf_rows_count(rows) + 1, sizeof(gf_breaker_row_t));
    for (row = 0; row < gf_rows_count(rows); row++) {
        gf_breaker_row_t *breaker = apr_array_push(*list);

        breaker->provider = gf_rows_text(rows, row, 0);
        breaker->model = gf_rows_text(rows, row, 1);
        breaker->state = gf_rows_text(rows, row, 2);
        breaker->failures = gf_rows_int(rows, row, 3);
        breaker->open_until = gf_rows_text(rows, row, 4);
        breaker->opened_at = gf_rows_text(rows, row, 5);
        breaker->reason = gf_rows_text(rows, row, 6);
    }
    return NULL;
}

gf_err_t *gf_breaker_spent(apr_array_header_t **list, gf_ctx_t *ctx)
{
    gf_rows_t *rows;
    int row;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_BUDGETS, NULL, NULL, NULL));
    *list = apr_array_make(ctx->pool, gf_rows_count(rows) + 1, sizeof(gf_spent_t));
    for (row = 0; row < gf_rows_count(rows); row++) {
        gf_spent_t *spent = apr_array_push(*list);

        spent->provider = gf_rows_text(rows, row, 0);
        spent->spent = gf_rows_int(rows, row, 1);
    }
    return NULL;
}

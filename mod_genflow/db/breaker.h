/* SPDX-License-Identifier: Apache-2.0 */
/* Breakers: what models of providers failed lately, as all hosts see it. Opening is decided in SQL
 * (sql/functions/breakers.sql), being let through by gf_queue_attempt(). Both block; any thread
 * with its own context. */
#ifndef GF_BREAKER_H
#define GF_BREAKER_H

#include "db/db.h"

/* How an attempt with a model went. */
typedef enum {
    GF_WENT_UNNOTED, /* nothing to tell */
    GF_WENT_WELL,    /* it answered as a working provider does */
    GF_WENT_WRONG,   /* it failed as one that does not work */
    GF_WENT_REFUSED  /* our key, account or the model is not taken: opens at once */
} gf_went_t;

/* What the note did. */
typedef enum { GF_BREAKER_NOTED, GF_BREAKER_OPENED, GF_BREAKER_CLOSED } gf_breaker_t;

gf_err_t *gf_breaker_note(gf_breaker_t *did, gf_ctx_t *ctx, const gf_choice_t *choice,
                          gf_went_t went, const char *reason);

/* The rows of stores have this and the store's kind as provider, the host as model: what a host
 * cannot store another one may. */
#define GF_BREAKER_STORE "store:"

/* A host cannot store pictures, and why; NULL: it can. */
gf_err_t *gf_breaker_note_store(gf_ctx_t *ctx, const char *store, const char *host,
                                const char *why);

/* One model with failures. state: "closed" (only counted so far), "open", "half-open". */
typedef struct gf_breaker_row_t {
    const char *provider, *model, *state, *open_until, *opened_at, *reason;
    apr_int64_t failures;
} gf_breaker_row_t;

/* All of them: array of gf_breaker_row_t. */
gf_err_t *gf_breaker_list(apr_array_header_t **list, gf_ctx_t *ctx);

/* What was submitted today (UTC) to a provider that has a budget. */
typedef struct gf_spent_t {
    const char *provider;
    apr_int64_t spent;
} gf_spent_t;

/* Array of gf_spent_t. */
gf_err_t *gf_breaker_spent(apr_array_header_t **list, gf_ctx_t *ctx);

#endif

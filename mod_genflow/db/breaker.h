/* SPDX-License-Identifier: Apache-2.0 */
/* Breakers: recent failures of providers' models, for all hosts. SQL decides when one opens
 * (sql/functions/breakers.sql); gf_queue_attempt() lets attempts through. Both block; any thread
 * with its own context. */
#ifndef GF_BREAKER_H
#define GF_BREAKER_H

#include "db/db.h"

/* How an attempt with a model went. WRONG opens the breaker after GenflowProviderBreakerFailures in
 * a row. WELL closes it and forgets the failures. */
typedef enum {
    GF_WENT_UNNOTED, /* nothing to record */
    GF_WENT_WELL,    /* the provider answered and works */
    GF_WENT_WRONG,   /* the provider failed */
    GF_WENT_REFUSED  /* our key, account or the model is not taken: opens at once */
} gf_went_t;

/* Effect of the note: none, or this very call opened or closed the breaker (for the log). */
typedef enum { GF_BREAKER_NOTED, GF_BREAKER_OPENED, GF_BREAKER_CLOSED } gf_breaker_t;

/* Records how an attempt with that model went, for all hosts. `reason` is for the operator:
 * redacted text of the last failure; NULL: none. Repeating the call under its token counts once. */
gf_err_t *gf_breaker_note(gf_breaker_t *did, gf_ctx_t *ctx, const gf_choice_t *choice,
                          gf_went_t went, const char *reason);

/* Breakers of stores have this and the store's kind as provider, and the host as model: another
 * host may store. */
#define GF_BREAKER_STORE "store:"

/* Reports that a host cannot store pictures, and why; NULL: it can. The report counts for 60 s: a
 * host that still cannot reports again (gf_gate_report_due()). */
gf_err_t *gf_breaker_note_store(gf_ctx_t *ctx, const char *store, const char *host,
                                const char *why);

/* One model with failures, or a store. state: "closed" (only counted so far), "open" (nothing is
 * sent before open_until), "half-open" (one attempt may try). Times are as the wire shows them. */
typedef struct gf_breaker_row_t {
    const char *provider, *model, *state, *open_until, *opened_at, *reason;
    apr_int64_t failures;
} gf_breaker_row_t;

/* All of them, of stores too: array of gf_breaker_row_t. */
gf_err_t *gf_breaker_list(apr_array_header_t **list, gf_ctx_t *ctx);

/* What submissions of today (UTC) have taken of a provider's budget, in its unit
 * (GenflowProviderPrice). */
typedef struct gf_spent_t {
    const char *provider;
    apr_int64_t spent;
} gf_spent_t;

/* Array of gf_spent_t: the providers that have spent something today. */
gf_err_t *gf_breaker_spent(apr_array_header_t **list, gf_ctx_t *ctx);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A user's balance and quota, reservations and ledger; and the health of the database. The SQL
 * functions document rules, locks and answers. All block; any thread with its own context. */
#ifndef GF_LEDGER_H
#define GF_LEDGER_H

#include "db/db.h"

/* See genflow.quota(). A limit of -1: there is none. */
typedef struct gf_quota_t {
    apr_int64_t balance, held, day_limit, day_used, week_limit, week_used, remaining;
    const char *day_reset;
    const char *at;
    int wait; /* seconds until the tighter limit starts again */
} gf_quota_t;

gf_err_t *gf_ledger_quota(gf_quota_t *quota, gf_ctx_t *ctx, const char *user);

/* ---- refusals, for all calls that hold credits ---- */

/* NO_CREDIT, with the shortage: `available` of `cost` credits are there. */
gf_err_t *gf_ledger_no_credit(gf_ctx_t *ctx, const char *user, apr_int64_t available,
                              apr_int64_t cost);

/* QUOTA, with the time of the next try. */
gf_err_t *gf_ledger_quota_spent(gf_ctx_t *ctx, const char *user);

/* ---- reservations ---- */

typedef struct gf_reservation_t {
    const char *request_id; /* the run id of the generation to come */
    const char *action;     /* the client's description, or NULL */
    apr_int64_t amount;
    bool unbound;           /* the client does not say for which generation: its next one uses it */
    const char *expires_at; /* set by gf_ledger_reserve(), as the next */
    apr_int64_t available;  /* available beside it */
} gf_reservation_t;

/* Reserves the amount of `reservation`, for GenflowCreditReserveLifetime; sets action to that of an
 * existing reservation. Errors: NO_CREDIT, QUOTA, BLOCKED, KEY_MISMATCH (another amount),
 * RESERVED_NO_MORE. */
gf_err_t *gf_ledger_reserve(gf_reservation_t *reservation, gf_ctx_t *ctx, const char *user);

/* How a reservation ended. */
typedef struct gf_finalized_t {
    apr_int64_t amount;
    const char *generation; /* the one that used it; NULL: it was given back just now */
    const char *status;     /* of that generation */
    apr_int64_t charged;    /* for that generation, so far */
    apr_int64_t available;
} gf_finalized_t;

/* Gives a reservation back, unless a generation uses it. Errors: NO_RESERVATION, RESERVED_NO_MORE
 * (given back before). */
gf_err_t *gf_ledger_finalize(gf_finalized_t *finalized, gf_ctx_t *ctx, const char *user,
                             const char *request_id);

/* ---- the user's ledger ---- */

/* See genflow.ledger_list(). */
typedef struct gf_entry_t {
    const char *ref;
    const char *kind;
    apr_int64_t amount, balance_after, credits;
    const char *reason;
    const char *reference;
    const char *generation;
    const char *request_id;
    const char *at;
    const char *cursor; /* of the entries behind it */
} gf_entry_t;

/* Up to `limit` entries, newest first, after `cursor` (NULL: from the newest); *entries is of
 * gf_entry_t. Errors: INVALID (no cursor). */
gf_err_t *gf_ledger_list(apr_array_header_t **entries, gf_ctx_t *ctx, const char *user,
                         const char *cursor, int limit);

/* ---- health ---- */

/* The last migration that this module needs. */
#define GF_SCHEMA_VERSION 24

/* The version of the schema (its last migration). */
gf_err_t *gf_ledger_health(int *schema_version, gf_ctx_t *ctx);

#endif

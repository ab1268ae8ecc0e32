/* SPDX-License-Identifier: Apache-2.0 */
/* A user's balance and quota, reservations and ledger; and the health of the database. The SQL
 * functions document rules, locks and answers. All block; any thread with its own context. */
#ifndef GF_LEDGER_H
#define GF_LEDGER_H

#include "db/db.h"

/* See genflow.quota(). In credits. A limit of -1: there is none. */
typedef struct gf_quota_t {
    apr_int64_t balance, held, day_limit, day_used, week_limit, week_used;
    apr_int64_t remaining; /* what a generation could hold now, within balance and limits */
    const char *day_reset; /* when day_used starts again from 0; as the wire shows it */
    const char *at;        /* now, by the database's clock */
    int wait;              /* seconds until the tighter limit starts again */
} gf_quota_t;

/* The credits and limits of `user`, with GenflowCreditDay. An account that does not exist has 0
 * credits: no error. */
gf_err_t *gf_ledger_quota(gf_quota_t *quota, gf_ctx_t *ctx, const char *user);

/* What a user has, and how much of GenflowLimitConcurrent and GenflowLimitQueue is used; -1: there
 * is no such limit. See genflow.user_state(). */
typedef struct gf_user_state_t {
    gf_quota_t quota;
    apr_int64_t live;   /* generations of the user */
    apr_int64_t queued; /* jobs in the longest queue of a type */
} gf_user_state_t;

gf_err_t *gf_ledger_user_state(gf_user_state_t *state, gf_ctx_t *ctx, const char *user);

/* ---- refusals, for all calls that hold credits ---- */

/* NO_CREDIT, with the shortage: `available` of `cost` credits are there. */
gf_err_t *gf_ledger_no_credit(gf_ctx_t *ctx, const char *user, apr_int64_t available,
                              apr_int64_t cost);

/* NO_CREDIT of a key: its budget does not suffice for `cost` credits. */
gf_err_t *gf_ledger_key_spent(gf_ctx_t *ctx, const char *key, apr_int64_t cost);

/* QUOTA, with the time of the next try, which it reads from the database. */
gf_err_t *gf_ledger_quota_spent(gf_ctx_t *ctx, const char *user);

/* ---- reservations ---- */

/* Credits held for a generation that does not exist yet. Nothing but a generation that completes
 * charges them. */
typedef struct gf_reservation_t {
    const char *request_id; /* the run id of the generation to come */
    const char *action;     /* the client's description, or NULL */
    const char *api_key;    /* id of the key that the request came with, or NULL */
    apr_int64_t amount;
    bool unbound; /* the client does not say for which generation: its next one uses it */

    /* Set by gf_ledger_reserve(): when the reservation gives its credits back by itself, and what
     * the account has free beside it. */
    const char *expires_at;
    apr_int64_t available;
} gf_reservation_t;

/* Holds the amount of `reservation`, for GenflowCreditReserveLifetime, once for each request id:
 * repeating the call finds the reservation, and sets action to that of the existing one. Errors:
 * NO_CREDIT, QUOTA, BLOCKED, KEY_MISMATCH (another amount), RESERVED_NO_MORE. */
gf_err_t *gf_ledger_reserve(gf_reservation_t *reservation, gf_ctx_t *ctx, const char *user);

/* How a reservation ended. */
typedef struct gf_finalized_t {
    apr_int64_t amount;     /* that it held */
    const char *generation; /* the one that used it; NULL: it was given back just now */
    const char *status;     /* of that generation */
    apr_int64_t charged;    /* for that generation, so far */
    apr_int64_t available;  /* what the account has free now */
} gf_finalized_t;

/* Gives a reservation back, unless a generation uses it. Errors: NO_RESERVATION, RESERVED_NO_MORE
 * (given back before). */
gf_err_t *gf_ledger_finalize(gf_finalized_t *finalized, gf_ctx_t *ctx, const char *user,
                             const char *request_id);

/* ---- the user's ledger ---- */

/* One entry, as the wire shows it; genflow.ledger_list() has the rules. */
typedef struct gf_entry_t {
    const char *ref;  /* what it belongs to: id of a generation, a reservation, a grant */
    const char *kind; /* "grant", "adjust", "hold", "capture", "release", "refund" */

    /* By how much it changed what the user may spend, what that was afterwards, and the number of
     * credits that were granted, held, captured or released. */
    apr_int64_t amount, balance_after, credits;
    const char *reason, *reference; /* of grant, adjust, refund; else NULL */
    const char *generation;         /* its id; of a reservation the one that used it; or NULL */
    const char *request_id;         /* of a reservation; else NULL */
    const char *at;
    const char *cursor; /* of the entries behind it */
} gf_entry_t;

/* Up to `limit` entries, newest first, after `cursor` (NULL: from the newest); *entries is of
 * gf_entry_t. Errors: INVALID (no cursor). */
gf_err_t *gf_ledger_list(apr_array_header_t **entries, gf_ctx_t *ctx, const char *user,
                         const char *cursor, int limit);

/* ---- health ---- */

/* The last migration that this module needs. */
#define GF_SCHEMA_VERSION 50

/* The version of the schema (its last migration). */
gf_err_t *gf_ledger_health(int *schema_version, gf_ctx_t *ctx);

#endif

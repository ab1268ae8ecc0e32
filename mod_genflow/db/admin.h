/* SPDX-License-Identifier: Apache-2.0 */
/* The database calls of administration, one C call per SQL function (sql/functions/admin_*.sql
 * documents each). The caller has checked that the user is an administrator, and its context runs
 * statements as GenflowAdminDatabase: the role of requests may not call these functions
 * (api_admin_enter() does both). Results that C does not compute with are JSON of the wire. All
 * block; any thread with its own context. Results live in the context's pool. Every call may fail
 * with the errors of gf_db_call(); further ones are named. */
#ifndef GF_ADMIN_H
#define GF_ADMIN_H

#include "db/db.h"
#include "model/type.h"

/* ---- jobs ---- */

/* The filter of a list of generations; NULL: no filter. */
typedef struct gf_admin_filter_t {
    const gf_type_t *type; /* NULL: all configured types */
    const char *status;    /* of the wire: "processing" */
    const char *user;

    /* For a list alone: id of a generation, only older ones; and the most rows. */
    const char *before;
    int limit;
} gf_admin_filter_t;

/* One of them; gf_queue_get() reads it. A type that is not configured any more is not listed. */
typedef struct gf_admin_job_t {
    const gf_type_t *type;
    const char *user;
    const char *id;
} gf_admin_job_t;

/* Newest first: array of gf_admin_job_t. */
gf_err_t *gf_admin_jobs(apr_array_header_t **jobs, gf_ctx_t *ctx, const gf_admin_filter_t *filter);

typedef struct gf_admin_cancelled_t {
    bool cancelled;       /* false: it had ended before */
    const char *status;   /* how it ended */
    const char *user;     /* its user */
    apr_int64_t released; /* credits that were held */
} gf_admin_cancelled_t;

/* Ends one as cancelled, in any type, and releases its credits. The host that works on it finds its
 * lease gone. scope: of these users alone (gf_realm_scope()). Errors: NO_GENERATION. */
gf_err_t *gf_admin_cancel(gf_admin_cancelled_t *done, gf_ctx_t *ctx, const char *id,
                          const char *scope);

typedef struct gf_admin_cleared_t {
    apr_int64_t seen;      /* that were live */
    apr_int64_t cancelled; /* ended by themselves at the same time */
    apr_int64_t released;  /* credits that were held */
} gf_admin_cleared_t;

/* Ends all live generations that `filter` admits (type, status, user), in short transactions: on
 * error, some of them. Logs each one with the name of the administrator `admin`. */
gf_err_t *gf_admin_clear(gf_admin_cleared_t *done, gf_ctx_t *ctx, const gf_admin_filter_t *filter,
                         const char *admin);

/* ---- users and credits ---- */

typedef struct gf_admin_user_t {
    const char *name;
    const char *json; /* the account */
} gf_admin_user_t;

/* Accounts of `scope` (gf_realm_scope()) by name, after `after` (NULL: from the first): array of
 * gf_admin_user_t. */
gf_err_t *gf_admin_users(apr_array_header_t **users, gf_ctx_t *ctx, const char *scope,
                         const char *after, int limit);

/* The account of `user`; *json NULL: there is none. */
gf_err_t *gf_admin_user(const char **json, gf_ctx_t *ctx, const char *user);

/* Changes an account. `changes` is a JSON object, checked by the caller, of `blocked` (boolean),
 * dayLimit and weekLimit (credits; null: no limit); others stay. Live generations go on. *found: is
 * there such an account? */
gf_err_t *gf_admin_user_set(bool *found, gf_ctx_t *ctx, const char *user, const char *changes);

/* Credits to grant, deduct or refund: one entry of the ledger. */
typedef struct gf_admin_entry_t {
    const char *user;       /* refund: set by the call */
    const char *generation; /* refund only */
    apr_int64_t amount;     /* of credit: below 0 it takes; of refund: 0 is all; set by the call */
    const char *reason;     /* for people, in the ledger */

    /* Idempotency key: a payment, an order, a ticket. It counts once, for ever, over all users. */
    const char *reference;
} gf_admin_entry_t;

/* What became of the entry. Only WRITTEN has changed anything. */
typedef enum gf_entry_end_t {
    GF_ENTRY_WRITTEN,
    GF_ENTRY_DUPLICATE,   /* the same was written under this reference before */
    GF_ENTRY_MISMATCH,    /* something else was */
    GF_ENTRY_NO_CREDIT,   /* of credit: the account has less */
    GF_ENTRY_NOT_CHARGED, /* of refund, as the next: the generation cost nothing */
    GF_ENTRY_REFUNDED,    /* it was given back before */
    GF_ENTRY_TOO_MUCH     /* it cost less: entry->amount */
} gf_entry_end_t;

/* Gives credits to entry->user, or takes free ones; makes the account if there is none. */
gf_err_t *gf_admin_credit(gf_entry_end_t *end, gf_ctx_t *ctx, const gf_admin_entry_t *entry);

/* Gives back what entry->generation was charged, or a part of it, once. The generation stays
 * completed. Sets entry->user and entry->amount, also for a refusal that has them. */
gf_err_t *gf_admin_refund(gf_entry_end_t *end, gf_ctx_t *ctx, gf_admin_entry_t *entry);

/* ---- figures and books: JSON ---- */

/* Numbers of the last 24 hours, of the last 7 days and of live generations: an object, from the
 * sums by the hour. */
gf_err_t *gf_admin_stats(const char **json, gf_ctx_t *ctx);

/* What is going on (sql/functions/admin_now.sql): JSON values. `budgets` is an object of the
 * configured ones, by provider. */
typedef struct gf_admin_now_t {
    const char *ledger, *jobs, *failed, *breakers, *budgets, *database, *hosts, *faults;
} gf_admin_now_t;

gf_err_t *gf_admin_now(gf_admin_now_t *now, gf_ctx_t *ctx, const char *budgets);

/* What was held, charged and paid, and what is unsettled (sql/functions/admin_money.sql): JSON
 * arrays of the hours or days that begin from `from` on and before `to`. */
typedef struct gf_admin_money_t {
    apr_time_t from, to;
    const char *per;       /* "hour" or "day" */
    const gf_type_t *type; /* NULL: all */
    const char *rows;      /* set by the call, as the next ones */
    const char *provider_cost;
    const char *margin; /* NULL without GenflowCreditValue */
    const char *unsettled;
} gf_admin_money_t;

gf_err_t *gf_admin_money(gf_admin_money_t *money, gf_ctx_t *ctx);

/* The findings of genflow.check(): an array; "[]": the books are sound. It reads the whole ledger;
 * statement_timeout bounds it. */
gf_err_t *gf_admin_check(const char **json, gf_ctx_t *ctx);

/* ---- presets ---- */

/* A preset to add or to edit. The key is what clients name it by, within its type. */
typedef struct gf_admin_preset_t {
    const gf_type_t *type;
    const char *key;
    const char *fields; /* JSON object: the given members */
    const char *json;   /* out: the preset afterwards, if the outcome is "ok" */
} gf_admin_preset_t;

/* The presets of `type` (NULL: all types), or of that key (NULL: all keys): array of const char *,
 * a JSON object each. */
gf_err_t *gf_admin_presets(apr_array_header_t **presets, gf_ctx_t *ctx, const gf_type_t *type,
                           const char *key);

/* What became of it. Only WRITTEN has changed anything. */
typedef enum gf_preset_end_t {
    GF_PRESET_WRITTEN,  /* preset->json is it */
    GF_PRESET_EXISTS,   /* add: edit it */
    GF_PRESET_FULL,     /* add: the type has as many as it may have */
    GF_PRESET_TOO_LONG, /* its parameters */
    GF_PRESET_NOT_FOUND
} gf_preset_end_t;

/* Adds the preset, or changes the given members of an existing one; sets preset->json. The children
 * of all hosts show it once their cache is too old (db/preset.h). */
gf_err_t *gf_admin_preset_add(gf_preset_end_t *end, gf_ctx_t *ctx, gf_admin_preset_t *preset);
gf_err_t *gf_admin_preset_edit(gf_preset_end_t *end, gf_ctx_t *ctx, gf_admin_preset_t *preset);

/* Deletes it. *found: there was such a preset. */
gf_err_t *gf_admin_preset_delete(bool *found, gf_ctx_t *ctx, const gf_type_t *type,
                                 const char *key);

/* ---- breakers ---- */

/* Closes the breakers of a provider, or of one model (NULL: all), and forgets their failures: the
 * next attempt is sent. *count: how many. */
gf_err_t *gf_admin_breaker_reset(int *count, gf_ctx_t *ctx, const char *provider,
                                 const char *model);

#endif

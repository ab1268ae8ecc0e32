/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a generation in the database, one C call per act. The SQL function of each documents
 * its meaning, locks and answers. All block; any thread with its own context. Results live in the
 * context's pool. */
#ifndef GF_QUEUE_H
#define GF_QUEUE_H

#include "db/generation.h"
#include "model/job.h"
#include "model/param.h"

/* The outcome of a create call. */
typedef enum {
    GF_CREATED,   /* id, epoch, created_at are set */
    GF_REPLAY,    /* the key made id before; status is its state */
    GF_MISMATCH,  /* the key was used with another body */
    GF_NO_CREDIT, /* balance, held are set, as for the next two */
    GF_QUOTA_SPENT,
    GF_ACCOUNT_BLOCKED,
    GF_KEY_SPENT,    /* the budget of the API key does not suffice */
    GF_TOO_MANY,     /* live generations of this user: GenflowLimitConcurrent */
    GF_QUEUE_FULL,   /* GenflowLimitQueue */
    GF_SITE_RESTORED /* nothing is begun before genflow.resume() */
} gf_create_outcome_t;

/* The intent of its first attempt. */
typedef enum {
    GF_INTENT_NONE,     /* none was recorded */
    GF_INTENT_RECORDED, /* send now */
    GF_INTENT_WATCHED   /* send now, and breaker_note() needs the result */
} gf_create_intent_t;

/* One generation of a create call. `outcome` says which of the others are set. */
typedef struct gf_created_t {
    gf_create_outcome_t outcome;
    const char *id;
    const char *status;     /* of the wire: "pending", "processing", ... */
    const char *created_at; /* as the wire shows it */

    /* Of the job that this process then leads: the lease, and the random part of its picture's name
     * (gf_job_t), which never goes on the wire. */
    const char *picture_secret;
    int epoch;
    gf_create_intent_t intent;

    /* The account afterwards, in credits. What is free is balance - held. */
    apr_int64_t balance;
    apr_int64_t held;
} gf_created_t;

/* The user of a request, and its idempotency key. */
typedef struct gf_caller_t {
    const char *user;

    /* The key counts per user: a repetition under it makes nothing and finds what it made. The hash
     * is the SHA-256 of the request in hex: the same key with another hash is a MISMATCH. */
    const char *key;
    const char *hash;

    /* For older clients: the user's oldest unbound reservation is used (reserve.sql); a key whose
     * generation failed makes a new one. */
    bool take;
    bool renew;

    /* The id of the API key that the request came with, for its budget; NULL: none. */
    const char *api_key;
} gf_caller_t;

/* How new generations begin in this process. */
typedef struct gf_begin_t {
    /* This host process, which then holds leases on them; NULL: a later claim takes them, or
     * (spec->pending) a later start. */
    const char *owner;

    /* With an owner, for one generation: the intent of attempt 1 at this provider and model, which
     * is recorded if its breaker is closed and its budget not spent; NULL: none. The others are of
     * gf_queue_attempt(). */
    const gf_choice_t *choice;
    const char *webhook_token;
    const char *request_hash;
    apr_time_t until; /* by gf_clock_now(): the lease is over then, and nothing is sent */
} gf_begin_t;

/* Creates the generations of the spec, all or none: created[0] to created[spec->count - 1] are set,
 * each with its own outcome: GF_CREATED or GF_REPLAY; of a refusal all have the same. Credits are
 * held in the same transaction. Refusals are outcomes, no errors; errors: those of
 * gf_db_call_hold(). */
gf_err_t *gf_queue_create(gf_created_t *created, gf_ctx_t *ctx, const gf_caller_t *caller,
                          const gf_spec_t *spec, const gf_begin_t *begin);

/* Starts a pending generation of `user`. *job is for the hub when `owner`, as above, is not NULL.
 * Errors: NO_GENERATION, NOT_YOURS, STATUS. */
gf_err_t *gf_queue_start(gf_job_t **job, gf_ctx_t *ctx, const gf_type_t *type, const char *user,
                         const char *id, const char *owner);

#define GF_LANES 4 /* of a type's due jobs: begun ones, then high, normal and low priority */

/* The position of the claims of one type. */
typedef struct gf_claim_cursor_t {
    const char *owner; /* this host process */
    int limit;         /* jobs of one claim */

    /* Where the next look and claim begin in each lane: the oldest due time that the last one found
     * there; without one, the time of the last look. "infinity": there was none yet. The scan skips
     * the dead index entries before it. */
    char from[GF_LANES][48];
} gf_claim_cursor_t;

/* Claims up to cursor->limit due jobs of `type` with a lease of GenflowDispatchLease, each in a
 * pool of its own; *jobs is a list linked by `next`, NULL if nothing is due. A job past its
 * deadline is ended instead, and returned with the phase GF_PHASE_FAILED or GF_PHASE_CANCELLED.
 * Moves cursor->from. */
gf_err_t *gf_queue_claim(gf_job_t **jobs, gf_ctx_t *ctx, const gf_type_t *type,
                         gf_claim_cursor_t *cursor);

/* What follows the types among the places of gf_queue_due(). */
typedef enum {
    GF_DUE_RESTORES,
    GF_DUE_REMOVALS,
    GF_DUE_DELIVERIES,
    GF_DUE_MOVES,
    GF_DUE_KINDS
} gf_due_kind_t;

/* A look at what is due. `due` and `cursors`: an element per type of the configuration, then
 * GF_DUE_KINDS more, whose cursors have one lane. */
typedef struct gf_look_at_t {
    bool *due; /* a claim would find something */
    gf_claim_cursor_t *cursors;
    apr_interval_time_t back;  /* the look begins so much before the cursors */
    apr_interval_time_t ahead; /* how far ahead it looks for what becomes due */
    apr_interval_time_t wait;  /* the look says: until something becomes due; -1: nothing, so far */
} gf_look_at_t;

/* Looks, by one statement that locks nothing, sets `due` and `wait`, and moves the cursors to what
 * was due first or, where nothing is, to now. Without an answer nothing changes. */
gf_err_t *gf_queue_due(gf_look_at_t *look, gf_ctx_t *ctx);

/* The answer of a statement under a lease: may the host go on with the job? */
typedef enum {
    GF_LEASE_OURS,         /* yes, and the statement took effect */
    GF_LEASE_WATCHED,      /* attempt: yes, and breaker_note() needs its result */
    GF_LEASE_REPORTED,     /* accepted: yes, and a provider webhook reported the end: poll now */
    GF_LEASE_BREAKER_OPEN, /* attempt: no, the breaker is open; nothing may be sent */
    GF_LEASE_UNSURE,       /* attempt: no, this provider may have made the picture already */
    GF_LEASE_BUDGET_SPENT, /* attempt: no, the provider's budget is spent, first seen on this day */
    GF_LEASE_ENDED,        /* no, the job has ended, as by a cancel: cancel the provider's run */
    GF_LEASE_LOST          /* no, another host has the lease: stop without writing anything */
} gf_lease_answer_t;

/* Records the intent to submit attempt job->attempts; call before a byte leaves. token: part of the
 * address for provider webhooks, or NULL. */
gf_err_t *gf_queue_attempt(gf_lease_answer_t *lease, gf_ctx_t *ctx, const gf_job_t *job,
                           const gf_choice_t *choice, const char *token);

/* Records that the provider runs it as job->provider_ref. `kind`: that of the provider, which is
 * stored with the id. */
gf_err_t *gf_queue_accepted(gf_lease_answer_t *lease, gf_ctx_t *ctx, const gf_job_t *job,
                            const gf_choice_t *choice, const char *kind);

/* Records the progress that the provider reports. */
gf_err_t *gf_queue_progress(gf_lease_answer_t *lease, gf_ctx_t *ctx, const gf_job_t *job,
                            const gf_progress_t *progress);

/* Gives up the lease and requeues the job, due after `delay`, for job->chain_pos and retries;
 * `outcome` ends the attempt. REPORTED: a provider webhook named a run after all, and the next
 * claim polls it. */
gf_err_t *gf_queue_requeue(gf_lease_answer_t *lease, gf_ctx_t *ctx, const gf_job_t *job,
                           apr_interval_time_t delay, const char *outcome);

/* A lease of this process: the job, and the epoch that it got with the claim. */
typedef struct gf_lease_t {
    const char *id;
    int epoch;
} gf_lease_t;

/* A heartbeat of this process. */
typedef struct gf_beat_t {
    const char *owner; /* this host process */
    bool leads;        /* jobs; else it needs no lease until it does again */

    /* Arrays of gf_lease_t. leases: those that no heartbeat has named yet. dropped: named ones of
     * jobs that have not ended, which no run of this process works on any more. */
    const apr_array_header_t *leases, *dropped;
} gf_beat_t;

/* What it says about a lease. */
typedef enum {
    GF_BEAT_HELD, /* it is ours, and heartbeats renew it without naming it again */
    GF_BEAT_LOST, /* another host has the job */
    GF_BEAT_ENDED /* the job has ended */
} gf_beat_word_t;

typedef struct gf_beat_row_t {
    const char *id;
    int epoch;
    gf_beat_word_t word;
} gf_beat_row_t;

/* Renews the lease of all jobs that this process leads for GenflowDispatchLease from now. *rows
 * gets (gf_beat_row_t) each of beat->leases, and leases that another process has ended, in any
 * order. */
gf_err_t *gf_queue_heartbeat(apr_array_header_t **rows, gf_ctx_t *ctx, const gf_beat_t *beat);

/* Gives the leases up; the jobs are due at once, for any host. For the end of a child. */
gf_err_t *gf_queue_hand_back(gf_ctx_t *ctx, const apr_array_header_t *leases);

#endif

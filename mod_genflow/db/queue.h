/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a generation in the database, one C call per act. What each act means, locks and
 * answers is documented with its SQL function. All block; any thread with its own context. */
#ifndef GF_QUEUE_H
#define GF_QUEUE_H

#include "db/generation.h"
#include "model/job.h"
#include "model/param.h"

/* What a create call answers. */
typedef enum {
    GF_CREATED,   /* id, epoch, created_at are set */
    GF_REPLAY,    /* the key made id before; status is its state */
    GF_MISMATCH,  /* the key was used with another body */
    GF_NO_CREDIT, /* balance, held are set, as for the next two */
    GF_QUOTA_SPENT,
    GF_ACCOUNT_BLOCKED,
    GF_TOO_MANY,     /* live generations of this user: GenflowLimitConcurrent */
    GF_QUEUE_FULL,   /* GenflowLimitQueue */
    GF_SITE_RESTORED /* nothing is begun before genflow.resume() */
} gf_create_outcome_t;

typedef struct gf_created_t {
    gf_create_outcome_t outcome;
    const char *id;
    const char *status;
    const char *created_at;
    const char *picture_secret; /* of its job, for nobody else */
    int epoch;
    apr_int64_t balance;
    apr_int64_t held;
} gf_created_t;

/* Who asks, and under which key. */
typedef struct gf_caller_t {
    const char *user;
    const char *key;
    const char *hash; /* SHA-256 of what was asked, hex */
} gf_caller_t;

/* Makes what was asked for, all or none: created[0] to created[ask->count - 1] are set, each
 * with its own outcome: GF_CREATED or GF_REPLAY; of a refusal all have the same. owner: this host
 * process, which then holds leases on them; NULL: left for whoever claims, or (ask->pending) starts
 * them. */
gf_err_t *gf_queue_create(gf_created_t *created, gf_ctx_t *ctx, const gf_caller_t *caller,
                          const gf_spec_t *spec, const char *owner);

/* Starts a pending generation of `user`. *job is for the hub when `owner`, as above, is not NULL.
 * Errors: NO_GENERATION, NOT_YOURS, STATUS. */
gf_err_t *gf_queue_start(gf_job_t **job, gf_ctx_t *ctx, const gf_type_t *type, const char *user,
                         const char *id, const char *owner);

#define GF_LANES 4 /* of a type's due jobs: what was begun, then high, normal and low priority */

/* A look for due jobs of one type. */
typedef struct gf_claim_cursor_t {
    const char *owner; /* this host process */
    int limit;
    char from[GF_LANES][48]; /* where the look begins: "-infinity", or the oldest due time that the
                                last one found there */
} gf_claim_cursor_t;

/* Leases due jobs; *jobs is a list linked by `next`, NULL if nothing is due. One that is past its
 * deadline is ended instead, and among them with the phase GF_PHASE_FAILED or GF_PHASE_CANCELLED.
 * Moves look->from. */
gf_err_t *gf_queue_claim(gf_job_t **jobs, gf_ctx_t *ctx, const gf_type_t *type,
                         gf_claim_cursor_t *cursor);

/* Whether the caller may go on with a job after an act of its lease. */
typedef enum {
    GF_HOLD_ON,       /* the act took place */
    GF_HOLD_WATCHED,  /* attempt: so it did, and breaker_note() wants to hear how it went */
    GF_HOLD_REPORTED, /* accepted: so it did, and the end of the run was reported meanwhile */
    GF_HOLD_OPEN,     /* attempt: the breaker is open, nothing may be sent */
    GF_HOLD_SPENT,    /* attempt: the same, by the provider's budget; first seen on this day */
    GF_HOLD_ENDED,    /* the job has ended, as by a cancel: the provider need not go on */
    GF_HOLD_LOST      /* another host leads: stop, without a word to anyone */
} gf_hold_t;

/* Intent to submit attempt job->attempts; call before a byte leaves. token: part of the address
 * that the provider may report to, or NULL. */
gf_err_t *gf_queue_attempt(gf_hold_t *hold, gf_ctx_t *ctx, const gf_job_t *job,
                           const gf_choice_t *choice, const char *token);

/* The provider took it under job->provider_ref. `kind`: that of the provider, which goes with
 * the id. */
gf_err_t *gf_queue_accepted(gf_hold_t *hold, gf_ctx_t *ctx, const gf_job_t *job,
                            const gf_choice_t *choice, const char *kind);

/* What the provider says while it works; `progress` as read from it. */
gf_err_t *gf_queue_progress(gf_hold_t *hold, gf_ctx_t *ctx, const gf_job_t *job,
                            const gf_progress_t *progress);

/* Back to the queue after `delay`, for job->chain_pos and retries; `outcome` ends the attempt.
 * REPORTED: there is a run after all, which whoever comes next asks for. */
gf_err_t *gf_queue_requeue(gf_hold_t *hold, gf_ctx_t *ctx, const gf_job_t *job,
                           apr_interval_time_t delay, const char *outcome);

/* How a generation ends. A NULL error_code is success. */
typedef struct gf_end_t {
    const char *status;        /* "completed", "failed", "cancelled" */
    const gf_choice_t *choice; /* who brought it; NULL: nobody */
    bool fallback;
    const char *image_url;
    const char *original_url;         /* the provider's own, or NULL */
    bool stored_temporarily;          /* image_url is not for good: it is to be stored later */
    apr_interval_time_t url_lifetime; /* then: how long it is there; 0: for as long as we want */
    const char *result;               /* JSON: width, height, bytes, type, sha256 */
    const char *error_code;
    const char *error_message;
    const char *cause_code;
} gf_end_t;

/* Ends a generation: state and money in one transaction. *outcome is settle's word: "done", ... */
gf_err_t *gf_queue_settle(const char **outcome, gf_ctx_t *ctx, const gf_job_t *job,
                          const gf_end_t *end);

/* Moves the leases of `jobs` (array of gf_lease_t) ahead; *held gets the ids still ours, in any
 * order. */
typedef struct gf_lease_t {
    const char *id;
    int epoch;
} gf_lease_t;

gf_err_t *gf_queue_heartbeat(apr_array_header_t **held, gf_ctx_t *ctx,
                             const apr_array_header_t *leases);

/* Of `leases` that were not held: *ended gets the ids of jobs that have ended. */
gf_err_t *gf_queue_ended(apr_array_header_t **ended, gf_ctx_t *ctx,
                         const apr_array_header_t *leases);

/* Gives the leases up, due at once. */
gf_err_t *gf_queue_hand_back(gf_ctx_t *ctx, const apr_array_header_t *leases);

#endif

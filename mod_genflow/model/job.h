/* SPDX-License-Identifier: Apache-2.0 */
/* A generation twice over: gf_job_t is the background's unit of work, gf_view_t a row for the wire.
 * Names follow the columns of the media tables. */
#ifndef GF_JOB_H
#define GF_JOB_H

#include "base/ctx.h"
#include "base/json.h"
#include "genflow/provider.h"
#include "model/conf.h"

/* The phase of live work, as in genflow.work, or the end that a claim found. */
typedef enum {
    GF_PHASE_QUEUED,   /* nothing was sent for the current attempt */
    GF_PHASE_SENDING,  /* a provider may have it */
    GF_PHASE_WORKING,  /* a provider has it under provider_ref */
    GF_PHASE_FAILED,   /* the claim has ended it: it is past its deadline */
    GF_PHASE_CANCELLED /* the claim has ended it: it was not started in time */
} gf_phase_t;

/* The kind of a job; the code that makes the job decides it once. */
typedef enum {
    GF_JOB_GENERATE, /* make a picture, for credits; the only kind with a lease */
    GF_JOB_RESTORE,  /* restore_url: store a completed picture that was stored temporarily */
    GF_JOB_REMOVE,   /* remove_url: remove a picture without a completed generation */
    GF_JOB_MOVE,     /* move_url: move a picture from an old store to the current one */
    GF_JOB_DELIVER,  /* delivery_attempts: deliver a client's webhook */
    GF_JOB_KINDS
} gf_job_kind_t;

/* A leased job. It owns its pool. One thread holds both at a time: a request, the dispatcher or a
 * writer. They hand it over whole and never share it. */
typedef struct gf_job_t {
    apr_pool_t *pool; /* with an allocator of its own: what the job holds lives here */
    gf_job_kind_t kind;
    const gf_type_t *type;
    const char *id; /* of the generation, whatever the kind */

    /* The client's own name of the generation, which a store may name the picture by; NULL: the
     * client gave none. */
    const char *run_id;

    /* Random part of the picture's name, secret until its generation has completed; NULL: only the
     * id names it. */
    const char *picture_secret;

    /* The lease: every write for the job names it, and each claim changes it. A late owner changes
     * nothing, unless it brings the picture of a job that still lives. 0 for kinds without a lease.
     */
    int epoch;
    gf_phase_t phase;

    /* Where the job is in its type's chain (gf_type_choice()). begin: its first entry; later ones
     * are fallbacks. attempts: submissions so far, at all providers. retries: with the current
     * provider, at most max_retries. */
    int attempts;
    int chain_pos;
    int begin;
    int retries;
    int max_retries;

    /* The provider's id of the run; NULL: none is known. */
    const char *provider_ref;

    /* JSON: hashes of what the attempt sends (provider/run.h), recorded with its intent; or NULL.
     */
    const char *request_hash;

    /* create recorded the intent of attempt 1: until when it may be sent, by gf_clock_now(); 0: it
     * recorded none. `watched`: the breaker needs the attempt's result. `webhook_token`: of its
     * webhook address, or NULL. */
    apr_time_t intent_until;
    bool intent_watched;
    const char *webhook_token;

    /* Section and model of the current attempt, for log lines; NULL: none yet. */
    const char *provider;
    const char *model;

    /* By gf_clock_now(). The database sends intervals, so that its clock need not be this host's.
     */
    apr_time_t created;
    apr_time_t deadline;
    bool last_look; /* its deadline is over: only a stored picture completes it */

    /* The request, for GENERATE, as the row has it. The prompt is the composed one. */
    const char *user; /* also of DELIVER; "-" for the other kinds */
    const char *preset;
    const char *prompt;
    const char *source_url; /* model/source_url.h; NULL: none */
    const char *parameters; /* JSON object */
    apr_int64_t seed;
    apr_int64_t cost; /* credits, fixed when it was created */

    const char *restore_url; /* RESTORE: where the picture is now, to be stored; else NULL */
    int restore_tries;       /* RESTORE: attempts, this one included */

    /* REMOVE: address of a picture without a completed generation. "": it may have been stored and
     * is removed from every place where it may be. Else NULL. */
    const char *remove_url;
    const char *media_type; /* REMOVE: the picture's, "image/png"; NULL: unknown */

    /* REMOVE: the generation has its picture at another address, which stays. */
    bool remove_copy;
    bool remove_beside; /* REMOVE: and may be in the same store, with the same thumbnail */

    const char *move_url;    /* MOVE: where the picture is now; else NULL */
    const char *move_sha256; /* MOVE: of its bytes as they were stored; NULL: not known */
    int move_tries;          /* MOVE: attempts, this one included */

    int delivery_attempts;         /* DELIVER: attempts, this one included; else 0 */
    const char *delivery_event;    /* DELIVER: "end", or "start" of a prediction */
    const char *webhook_timestamp; /* DELIVER: time of the attempt, in seconds since 1970 */

    struct gf_job_t *next; /* link of the list that holds it */
} gf_job_t;

/* A job of kind GENERATE with a pool of its own, which was created now. gf_job_free() ends both, on
 * the thread that holds the job. */
gf_job_t *gf_job_make(const gf_type_t *type);
void gf_job_free(gf_job_t *job);

/* Sets the chain entry that a job begins with (job->begin), and moves the job to it unless it is
 * further already. The job has all fields of its request. `ctx` is for scratch. */
void gf_job_begin(gf_job_t *job, gf_ctx_t *ctx);

/* Position of the first entry from `position` on that the job may go to: it fits, and the job's
 * fixed price pays for it (gf_price_pays()) unless the job begins with it. After the end: none is
 * left. */
int gf_job_next(const gf_job_t *job, gf_ctx_t *ctx, int position);

/* "job=... type=... user=... provider=... model=... attempt=n/m: " for log lines. */
const char *gf_job_subject(const gf_job_t *job, apr_pool_t *pool);

/* One row for the wire: text as Postgres gives it, NULL for null. Members ending in _json are JSON
 * already. */
typedef struct gf_view_t {
    const gf_type_t *type;

    /* From the configuration, set by the code that reads the row. NULL: ids of providers, or
     * thumbnailUrl and color, are not shown. */
    const gf_ref_name_t *ref_names;
    const gf_thumbnails_t *thumbnails;

    /* What was requested, and the course of the generation. */
    const char *id, *run_id, *status, *preset, *prompt, *source_url, *parameters_json, *seed_json,
        *cost_json;
    const char *retry_count_json, *max_retries_json, *provider, *model;

    /* The kind that knows the run, and its id there. */
    const char *provider_kind, *provider_ref;
    const char *color, *thumbnail; /* of its picture: "#rrggbb", NULL; gf_thumbnail_url() */
    const char *taken_down_at;     /* an administrator took the picture down; else NULL */
    const char *image_url, *original_url, *expires_at, *error_code, *error_message, *cause_code;
    const char *progress_json, *logs_json; /* while it runs */
    const char *queue_position_json;       /* in our queue while it is pending, then in another's */
    const char *expected_seconds_json;     /* until it is begun; while it is in our queue */
    const char *created_at, *started_at, *finished_at, *processing_ms_json, *result_json, *user;
    const char *visibility; /* "private" or "public"; NULL: private */
    const char *tags_json;  /* an array; NULL: none */
    const char *title;      /* NULL: none */
    const char *input_json; /* the body of an older system as it was sent; NULL: there was none */
    const char *input_summary_json;
    const char *webhook_url; /* gets the end delivered; not on the wire; NULL: none */
    gf_priority_t priority;  /* not on the wire */
    apr_int64_t at;          /* created_at in microseconds: where a page of history ends */
    apr_int64_t age_ms;      /* since it was created; 0: it is new */
    /* Not on the wire: of its live row, changes with every update; NULL: it has ended. */
    const char *row_version;
    bool persisted, fallback_used, allow_remix, favourite;
    bool started; /* and live: it need not be started, whether its work has begun or not */
} gf_view_t;

/* Is it in our queue? No process has begun it. */
bool gf_view_waits(const gf_view_t *view);

/* Has it ended? */
bool gf_view_ended(const gf_view_t *view);

/* Seconds, rounded up, until a client should poll a live one again: GenflowPollAfter, which doubles
 * with its age up to GenflowPollAfterMax. */
int gf_view_poll_after(const gf_view_t *view, const gf_conf_t *conf);

/* Writes the members of the generation object (Generation in docs/openapi.yaml) into an open
 * object. base: where the API is mounted; site: scheme, host and prefix, put before addresses that
 * begin with a slash. */
void gf_view_write(gf_out_t *out, const gf_view_t *view, const char *base, const char *site);

/* The same generation seen as a job, for clients that know a queue: its states are queued, running,
 * succeeded, failed and cancelled. */
void gf_view_write_job(gf_out_t *out, const gf_view_t *view, const char *base, const char *site);

#endif

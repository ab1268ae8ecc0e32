/* SPDX-License-Identifier: Apache-2.0 */
/* A run: a leased job on its way through this child. The engine (run.c) takes one event after the
 * other, finds the rule of the run's kind for it and enters the next state; it performs nothing
 * itself. After each call the dispatcher starts what run->pending names.
 *
 * A run and its job belong to one thread at a time: to a writer while it performs an act, else to
 * the dispatcher. Texts of a run live in the job's pool. */
#ifndef WORK_RUN_H
#define WORK_RUN_H

#include "db/breaker.h"
#include "db/queue.h"
#include "db/settle.h"
#include "hub/hub.h"
#include "provider/provider.h"
#include "store/store.h"
#include "work/reach.h"
#include "work/state.h"
#include "work/writers.h"

/* The one thing that a run waits for. */
typedef enum gf_pending_t {
    GF_PENDING_NOTHING,
    GF_PENDING_WRITER,   /* run->task is with the writers */
    GF_PENDING_EXCHANGE, /* run->msg is with the net */
    GF_PENDING_ALARM     /* run->wake */
} gf_pending_t;

/* A picture on its way to the store: of a generation, or of a restore. */
typedef struct gf_result_t {
    const char *spool;        /* file that it is written to, and is in until it is settled */
    const char *url;          /* to fetch it from; NULL: not by address */
    const char *text;         /* base64, to decode; or NULL */
    const char *original_url; /* where the provider has it; NULL: not by address */
    int redirects;            /* followed so far, also of the source image */
    gf_stored_t *facts;       /* once it was checked */
    const char *image_url;    /* once it is stored; an act that is repeated stores no more */
    gf_store_outcome_t store; /* the store's last answer */
    int uploads;              /* so many ended */
} gf_result_t;

/* Result of the attempt, for the model's breaker; written with the next act. */
typedef struct gf_health_t {
    bool watched; /* the model failed before: the breaker notes success, too */
    bool unknown; /* the provider does not know the model */
    gf_went_t went;
    const char *why;
} gf_health_t;

/* A generation. */
typedef struct gf_generate_t {
    const gf_choice_t *choice;    /* provider and model of the current attempt; NULL: none */
    apr_time_t intent_until;      /* later than that, others may take the intent for sent */
    apr_time_t provider_deadline; /* 0: nothing was submitted yet */
    apr_time_t polled_at;         /* when a poll or fetch was last begun by an alarm or webhook */
    const char *webhook_token;    /* part of the address for provider webhooks; or NULL */
    gf_progress_t progress;       /* what the provider reported last; logs in the job's pool */
    gf_health_t health;

    gf_prov_source_t *sources; /* the source images in order */
    int source_count;
    int source_at;      /* the one that is fetched; source_count: none needs to be */
    int source_fetches; /* of it, that failed */

    apr_time_t lost_at;   /* when the answer was missed */
    apr_time_t listed_at; /* when its list was requested last */
    apr_time_t absent_at; /* when a list did not hold the run, for the first time that counts */
    int lists;            /* so many were requested */

    gf_err_code_t code; /* REQUEUE, FAIL: why */
    bool unsure;        /* REQUEUE: the attempt ends with an unknown outcome */
    const char *cause;  /* FAIL: the cause of the code, or NULL */
    const char *words;  /* the provider's text of the last failure, for the log; or NULL */
} gf_generate_t;

/* A completed picture that is stored once more (job->restore_url). */
typedef struct gf_restore_t {
    const char *copy; /* it is the folder's own copy, which stays; NULL: it is fetched */
} gf_restore_t;

/* A picture without a completed generation (job->remove_url). */
typedef struct gf_remove_t {
    int type; /* a removal of every place: index of the extension that it is at */
} gf_remove_t;

/* A client's webhook (job->delivery_attempts). */
typedef struct gf_deliver_t {
    const char *url;
    const char *body; /* NULL: there is no such generation any more */
} gf_deliver_t;

typedef struct gf_run_t {
    gf_task_t task; /* first: a done task is its run */
    gf_job_t *job;  /* owns this run's memory */
    const gf_kind_t *kind;
    gf_state_t state;

    gf_pending_t pending;
    gf_msg_t *msg;        /* the open or just ended exchange */
    apr_time_t wake;      /* of the alarm */
    gf_event_t postponed; /* came while the run was busy */
    int pauses;           /* of this act, because the database was away */
    char call[33];        /* token of the act: it is the same call when it is repeated */

    /* what the last event brought */
    gf_err_t *err; /* REFUSED, NO_DATABASE */
    gf_lease_answer_t lease;
    gf_settled_t settled;
    gf_outcome_t outcome; /* of an exchange with the provider, or of a fetch */

    apr_interval_time_t delay; /* an alarm's, or until the job is due again (0: never, or now) */
    apr_time_t due;            /* OVER: it was requeued, and is due then; 0: not */
    gf_result_t result;        /* generate, restore */
    union {
        gf_generate_t generate;
        gf_restore_t restore;
        gf_remove_t remove;
        gf_deliver_t deliver;
    } of; /* by kind */

    int heartbeat; /* number of the last heartbeat that named it */
    struct gf_run_t *next, *previous;
} gf_run_t;

/* The child's data that decisions may use. Dispatcher thread only. */
typedef struct gf_flow_t {
    gf_ctx_t ctx;     /* pool: scratch of this turn */
    apr_pool_t *pool; /* the dispatcher's, for exchanges */
    gf_hub_t *hub;
    gf_reach_t reach;
    apr_array_header_t *asides; /* gf_msg_t *: exchanges to start whose answers are not read */
} gf_flow_t;

/* The dispatcher's next step for a run. */
typedef enum gf_step_t {
    GF_STEP_STAYS,  /* nothing: what was pending still is */
    GF_STEP_BEGINS, /* start what run->pending names */
    GF_STEP_OVER    /* free the run */
} gf_step_t;

/* A run of that kind in START, in the job's pool; the job is the run's from now on. */
gf_run_t *gf_run_make(gf_job_t *job, const gf_kind_t *kind);

/* Takes the run out of START. */
gf_step_t gf_run_begin(gf_flow_t *flow, gf_run_t *run);

/* Handles an event of a run. A pair of state and event without a rule is a bug and logged as one
 * (GF0440). Then nothing is sent or written any more: the lease expires, and another host does what
 * the job's row requires. */
gf_step_t gf_run_take(gf_flow_t *flow, gf_run_t *run, gf_event_t event);

/* The event that a done act means. */
gf_event_t gf_run_written(const gf_run_t *run);

/* Would this event end the run here? Changes nothing. */
bool gf_run_ends(const gf_flow_t *flow, const gf_run_t *run, gf_event_t event);

/* The first rule for this event in the run's state; NULL: there is none. */
const gf_rule_t *gf_run_rule(const gf_flow_t *flow, const gf_run_t *run, gf_event_t event);

/* The context for log lines about the run. */
const gf_ctx_t *gf_run_about(gf_flow_t *flow, const gf_run_t *run);

/* A pool for one exchange, of the dispatcher's. Not below the job's: that may be with a writer. */
apr_pool_t *gf_run_pool(const gf_flow_t *flow);

/* For rules: wakes the requests that wait for the job, because it has ended. */
void gf_run_publish_end(gf_flow_t *flow, gf_run_t *run);

/* For the rule of NO_DATABASE: logs that the act waits for a database, once. */
void gf_run_note_outage(gf_flow_t *flow, gf_run_t *run);

#endif

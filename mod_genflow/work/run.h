/* SPDX-License-Identifier: Apache-2.0 */
/* A run: a leased job on its way through this child. The engine (run.c) takes one event after the
 * other, finds the rule of the run's kind for it and enters the next state; it performs nothing
 * itself. After each call the dispatcher starts what run->pending names.
 *
 * A run and its job belong to one thread at a time: to a writer while it performs an act, else to
 * the dispatcher. Texts of a run live in the job's pool. */
#ifndef WORK_RUN_H
#define WORK_RUN_H

#include "base/metric.h"
#include "db/breaker.h"
#include "db/queue.h"
#include "db/settle.h"
#include "hub/hub.h"
#include "hub/shortcut.h"
#include "provider/provider.h"
#include "store/store.h"
#include "work/reach.h"
#include "work/state.h"
#include "work/writers.h"

/* The one thing that a run waits for. dispatch.c starts it and waits for its event. */
typedef enum gf_pending_t {
    GF_PENDING_NOTHING,
    GF_PENDING_WRITER,   /* run->task is with the writers */
    GF_PENDING_EXCHANGE, /* run->msg is with the net */
    GF_PENDING_ALARM     /* run->wake */
} gf_pending_t;

/* A picture on its way to the store. */
typedef struct gf_result_t {
    /* Path of the file that it is written to, and is in until it is settled. */
    const char *spool;

    /* Where it comes from: an address to fetch, or base64 to decode; NULL: not that. original_url:
     * the provider's address, for the row; NULL: none. */
    const char *url;
    const char *text;
    const char *original_url;
    int redirects; /* followed so far, also of the source image */

    /* Set once the picture is checked, and stored: a repeated act goes on behind that. */
    gf_stored_t *facts;
    const char *image_url;
    bool spool_removed; /* the folder has the picture: `spool` names nothing any more */

    /* The store's answer to the last of so many uploads. */
    gf_store_outcome_t store;
    int uploads;
    bool name_taken; /* one of them found another picture under the name */
} gf_result_t;

/* Result of the attempt, for the model's breaker. The dispatcher's readers set it; the next act of
 * the run writes it first (gf_acts_perform()). */
typedef struct gf_health_t {
    bool watched; /* the model failed before: the breaker notes success, too */
    bool unknown; /* the provider does not know the model */
    gf_went_t went;
    const char *why;
} gf_health_t;

/* A generation. */
typedef struct gf_generate_t {
    const gf_choice_t *choice; /* provider and model of the current attempt; NULL: none */

    /* When the lease on the intent ends, by gf_clock_now(). Nothing is sent later: another host may
     * take the intent for sent by then. */
    apr_time_t intent_until;

    /* Until when the provider is waited for (gf_attempt_deadline()). 0: nothing was submitted yet.
     */
    apr_time_t provider_deadline;
    apr_time_t polled_at; /* when a poll or fetch was last begun by an alarm or webhook */

    /* Before the next poll of the run; it doubles. 0: GenflowProviderPoll. */
    apr_interval_time_t poll_wait;

    /* Random part of the address for provider webhooks of this attempt. NULL: none is expected, as
     * the kind sends none, or GenflowPublicUrl or a key to verify it is missing. */
    const char *webhook_token;
    gf_progress_t progress; /* what the provider reported last; logs in the job's pool */
    gf_health_t health;

    /* The source images in the client's order. Those that the provider's kind needs as files are
     * fetched one after the other: source_at is the current one, source_count: none is left. */
    gf_prov_source_t *sources;
    int source_count;
    int source_at;
    int source_fetches; /* of the current one, that failed */

    /* Reconciling, in LOST and LIST: when the answer was missed, when the provider's list was
     * requested last, when a list did not hold the run for the first time that counts, and how
     * many were requested. Times by gf_clock_now(); 0: not yet. */
    apr_time_t lost_at;
    apr_time_t listed_at;
    apr_time_t absent_at;
    int lists;

    /* REQUEUE and FAIL: the error that ends the attempt or the generation, and its cause, or NULL.
     * `unsure`: the attempt's outcome is unknown. `words`: the provider's text, redacted, for the
     * log; or NULL. */
    gf_err_code_t code;
    bool unsure;
    const char *cause;
    const char *words;

    /* When this process submitted the attempt, 0: it did not, or it has ended; is its answer lost?
     */
    apr_time_t sent_at;
    bool was_lost;
} gf_generate_t;

/* A completed picture that is stored once more (job->restore_url). */
typedef struct gf_restore_t {
    const char *copy; /* the folder's own copy, which stays; NULL: it is fetched */
} gf_restore_t;

/* A picture without a completed generation (job->remove_url). */
typedef struct gf_remove_t {
    int type;       /* a removal of every place: index of the extension that it is at */
    bool thumbnail; /* the picture is gone, its thumbnail is next */
    bool old;       /* the same: it is at the old store */
} gf_remove_t;

/* A picture that is moved to another store (job->move_url). */
typedef struct gf_move_t {
    const char *old;  /* this file of the folder, which stays; NULL: it is fetched */
    const char *copy; /* path of the file that it is read back into */
    const char *why;  /* REQUEUE, FAIL */
} gf_move_t;

/* A client's webhook (job->delivery_attempts). */
typedef struct gf_deliver_t {
    const char *url;
    const char *body;  /* NULL: there is no such generation any more, or nothing to be said */
    const char *about; /* the id that the webhook has at each attempt */
} gf_deliver_t;

typedef struct gf_run_t {
    gf_task_t task; /* first: a done task is its run */
    gf_job_t *job;  /* owns this run's memory */
    const gf_kind_t *kind;
    gf_state_t state;

    gf_pending_t pending;
    gf_msg_t *msg;   /* the open or just ended exchange; in a pool of its own */
    apr_time_t wake; /* of the alarm, by gf_clock_now() */

    /* An event that came while the run was busy (GF_NEXT_POSTPONE): of two the later in gf_event_t.
     */
    gf_event_t postponed;
    int pauses; /* of this act, without a database; 0 in a new state */

    /* Token of the act, in hex (gf_ctx_t.call): a repeated act is the same call. */
    char call[33];

    /* What the last event brought. `err` is in the job's pool. The texts of `outcome`, that of an
     * exchange with the provider or of a fetch, live until the next state is entered. */
    gf_err_t *err; /* REFUSED, NO_DATABASE */
    gf_lease_answer_t lease;
    gf_settled_t settled;
    gf_outcome_t outcome;

    /* is_awaited: when the act began, a request of this child waited for the end. final: the ended
     * generation for it, which ends with the job's pool; NULL: it reads the row. */
    bool is_awaited;
    gf_final_t *final;

    /* Before the next state's alarm, or until the job is due again (0: now; of a delivery or
     * restore: never). */
    apr_interval_time_t delay;
    apr_time_t due;     /* OVER: it was requeued, and is due then; 0: not */
    gf_result_t result; /* generate, restore, move */

    /* Of the child: an act that has settled a stored picture wants its thumbnail there. NULL: there
     * are none. */
    struct gf_thumbnailer_t *thumbnailer;
    union {
        gf_generate_t generate;
        gf_restore_t restore;
        gf_remove_t remove;
        gf_move_t move;
        gf_deliver_t deliver;
    } of; /* by kind */

    /* named: a heartbeat named its lease. led: and the database renews it without its name. */
    bool named;
    bool led;
    struct gf_run_t *next, *previous;
} gf_run_t;

/* The child's data that decisions may use. Dispatcher thread only. */
typedef struct gf_flow_t {
    gf_ctx_t ctx;     /* pool: scratch, cleared after each turn of the loop */
    apr_pool_t *pool; /* the dispatcher's: parent of each exchange's */
    gf_hub_t *hub;
    gf_reach_t reach;

    /* gf_msg_t *: exchanges to start beside a run's own, as a cancel. Their answers are not read,
     * and the run may be over before they end. */
    apr_array_header_t *asides;
} gf_flow_t;

/* The dispatcher's next step. */
typedef enum gf_step_t {
    GF_STEP_STAYS,  /* nothing: what was pending still is */
    GF_STEP_BEGINS, /* start what run->pending names */
    GF_STEP_OVER    /* free the run */
} gf_step_t;

/* A run of that kind in START, in the job's pool; the job is the run's from now on. */
gf_run_t *gf_run_make(gf_job_t *job, const gf_kind_t *kind);

/* Takes the run out of START: prepares it (gf_kind_t.prepare), then handles BEGUN. */
gf_step_t gf_run_begin(gf_flow_t *flow, gf_run_t *run);

/* Handles an event of a run. A pair of state and event without a rule is a bug and logged as one
 * (GF0440). Then nothing is sent or written any more: the lease expires, and another host does what
 * the job's row requires. */
gf_step_t gf_run_take(gf_flow_t *flow, gf_run_t *run, gf_event_t event);

/* The event that a done act means: WRITTEN, NO_DATABASE (its error is DB_DOWN) or REFUSED. */
gf_event_t gf_run_written(const gf_run_t *run);

/* Sets flow->ctx.conf to the configuration that defines the type of the run's job (of a delivery:
 * its user's realm), for a call of its kind. Returns the one to set again after it. The functions
 * here do so themselves. */
const gf_conf_t *gf_run_enter(gf_flow_t *flow, const gf_run_t *run);

/* Would this event end the run here? Changes nothing. */
bool gf_run_ends(gf_flow_t *flow, const gf_run_t *run, gf_event_t event);

/* The first rule for this event in the run's state; NULL: there is none. */
const gf_rule_t *gf_run_rule(const gf_flow_t *flow, const gf_run_t *run, gf_event_t event);

/* The context for log lines about the run. */
const gf_ctx_t *gf_run_about(gf_flow_t *flow, const gf_run_t *run);

/* A pool for one exchange, of the dispatcher's. Not below the job's: that may be with a writer. The
 * engine destroys it once the answer is handled. */
apr_pool_t *gf_run_pool(const gf_flow_t *flow);

/* For rules: wakes the requests that wait for the job, because it has ended. */
void gf_run_publish_end(gf_flow_t *flow, gf_run_t *run);

/* For the rule of NO_DATABASE: logs that the act waits for a database, once. */
void gf_run_note_outage(gf_flow_t *flow, gf_run_t *run);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The states and events of a run, and the form of the rules between them. A kind of job (generate,
 * restore, remove, move, deliver) is two tables: its duties name the performer of each state, its
 * rules the state after each event. run.c reads them; generate.c, restore.c, remove.c, move.c and
 * deliver.c contain them. Types only: no call here decides anything. */
#ifndef WORK_STATE_H
#define WORK_STATE_H

#include "base/err.h"
#include "base/msg.h"
#include "model/job.h"

struct gf_flow_t;
struct gf_run_t;

/* The states of a run. Entering a state starts exactly one thing: a writer's act, an exchange or an
 * alarm. The next state follows from its event. */
typedef enum gf_state_t {
    GF_STATE_START,       /* the kind chooses how the job begins */
    GF_STATE_ADOPT,       /* writer: is a picture of an earlier run stored already? */
    GF_STATE_SOURCE,      /* exchange: fetch the source image */
    GF_STATE_SOURCE_WAIT, /* alarm: before the source image is fetched again */
    GF_STATE_ASSET,       /* writer: load an uploaded source image, check a fetched one */
    GF_STATE_DRAW,        /* writer: make the picture here, then as CHECK */
    GF_STATE_INTENT,      /* writer: record the intent to submit */
    GF_STATE_SENT,        /* exchange: the submission, the only one that costs money */
    GF_STATE_ACCEPT,      /* writer: record the provider's id of the run */
    GF_STATE_RUNNING,     /* alarm: the provider works; before the next poll */
    GF_STATE_POLL,        /* exchange: how is the run at the provider? */
    GF_STATE_PROGRESS,    /* writer: record what the provider reports meanwhile */
    GF_STATE_LOST,        /* alarm: sent, and no answer came; before reconciling */
    GF_STATE_LOOKUP,      /* writer: did a provider webhook bring the run's id? */
    GF_STATE_LIST,        /* exchange: which runs does the provider have? Reconciles */
    GF_STATE_FETCH,       /* exchange: fetch the picture */
    GF_STATE_FETCH_WAIT,  /* alarm: before the picture is fetched again */
    GF_STATE_CHECK,       /* writer: check the picture; with the folder store, store and settle */
    GF_STATE_STORE,       /* exchange: upload the picture to a store over HTTP */
    GF_STATE_STORE_WAIT,  /* alarm: before the upload is repeated */
    GF_STATE_READ_BACK,   /* exchange: fetch what the store serves now, to compare it */
    GF_STATE_SETTLE,      /* writer: end the job well: capture, restored, removed, moved, sent */
    GF_STATE_TEMPORARY,   /* writer: the same with a temporary address; it is restored later */
    GF_STATE_REQUEUE,     /* writer: give the job back for a later attempt */
    GF_STATE_FAIL,        /* writer: settle as failed: release; a move: leave the picture there */
    GF_STATE_READ,        /* writer: read the generation that a webhook is about */
    GF_STATE_DELIVER,     /* exchange: deliver the webhook */
    GF_STATE_REMOVE,      /* exchange: remove the picture from a store over HTTP */
    GF_STATE_OVER,        /* this child is done with the run */
    GF_STATES,

    /* Values of a rule's next state that are no state. The run stays where it is. */
    GF_NEXT_STAY = GF_STATES, /* the event changes nothing */
    GF_NEXT_POSTPONE,         /* nothing now; it happens again when the run next waits */
    GF_NEXT_PAUSE,            /* the act found no database: an alarm before it is repeated */
    GF_NEXT_AGAIN             /* the same act once more, under the same token */
} gf_state_t;

/* The events of a run. */
typedef enum gf_event_t {
    GF_EVENT_NONE,             /* no event: as a result or before the first */
    GF_EVENT_BEGUN,            /* it entered START */
    GF_EVENT_WRITTEN,          /* the writer's act is done */
    GF_EVENT_NO_DATABASE,      /* the act was not done because the database was away */
    GF_EVENT_REFUSED,          /* the act failed: run->err */
    GF_EVENT_ANSWERED,         /* the exchange ended, with an answer or without: run->outcome */
    GF_EVENT_ALARM,            /* its time has come */
    GF_EVENT_WEBHOOK_RECEIVED, /* the provider reported the run's end */
    GF_EVENT_JOB_ENDED,        /* the job was ended elsewhere, as by a cancel */
    GF_EVENT_LEASE_LOST,       /* another host leads the job */
    GF_EVENTS
} gf_event_t;

/* Their names, as in the enumerations without the prefix: for logs, the diagram of ARCHITECTURE.md
 * and tests. Constant. */
const char *gf_state_name(gf_state_t state);
const char *gf_event_name(gf_event_t event);

/* Sets of states and of events. */
#define GF_IN(state) (1u << GF_STATE_##state)
#define GF_ON(event) (1u << GF_EVENT_##event)

/* A rule: in one of `states`, upon one of `events`, if `when` holds (NULL: always), `then` is done
 * (NULL: nothing), and the run enters `next`. The first rule that matches counts. */
typedef struct gf_rule_t {
    unsigned states; /* GF_IN() of each */
    unsigned events; /* GF_ON() of each */

    /* A guard: reads, changes nothing and does not block. It may be called for a rule that is not
     * taken in the end. */
    bool (*when)(const struct gf_flow_t *flow, const struct gf_run_t *run);

    /* An action: sets the data of the next state, logs, publishes. Does not block. */
    void (*then)(struct gf_flow_t *flow, struct gf_run_t *run);
    gf_state_t next;
    const char *name; /* of `when`, for the diagram; "NULL" */
} gf_rule_t;

/* A row of a kind's rules: GF_RULE(IN(SENT), ON(ANSWERED), when, then, GF_STATE_CHECK). */
#define GF_RULE(states, events, when, then, next) \
    {                                             \
        states, events, when, then, next, #when   \
    }

/* Who does the work of a state. */
typedef enum gf_performer_t {
    GF_BY_NOBODY, /* not a state of the kind */
    GF_BY_ITSELF, /* START and OVER */
    GF_BY_WRITER,
    GF_BY_NET,
    GF_BY_ALARM
} gf_performer_t;

/* The performer of a state, and its work. */
typedef struct gf_duty_t {
    gf_performer_t by;

    /* WRITER: on a writer thread, which owns the run meanwhile. Repeating it is harmless. ctx->pool
     * is cleared afterwards: results that stay are in the job's pool. An error is REFUSED, or
     * NO_DATABASE if it is DB_DOWN. `slow`: it takes seconds. `charges`: it may settle the
     * generation as completed. */
    gf_err_t *(*act)(struct gf_run_t *run, gf_ctx_t *ctx);
    bool slow;
    bool charges;

    /* NET: the message with its limits, in a pool of gf_run_pool() or the job's; and the reader of
     * the answer in run->msg. Its texts live in `pool` until the next state is entered. NULL: the
     * rules read run->msg themselves. */
    gf_msg_t *(*message)(struct gf_flow_t *flow, struct gf_run_t *run);
    void (*read)(struct gf_flow_t *flow, struct gf_run_t *run, apr_pool_t *pool);

    /* ALARM: after how long. */
    apr_interval_time_t (*wait)(const struct gf_flow_t *flow, const struct gf_run_t *run);
} gf_duty_t;

/* A kind of job. Frozen, but for tests that change a copy. */
typedef struct gf_kind_t {
    const char *name;        /* "generate": for the log and the diagram */
    bool leased;             /* its jobs have leases, which heartbeats renew */
    bool of_user;            /* by the configuration of its user's realm, not of its type */
    const gf_duty_t *duties; /* by state: GF_STATES of them; zeroed ones are not the kind's */

    /* In order: the first one that matches state, event and guard counts. */
    const gf_rule_t *rules;
    int rule_count;

    /* Before BEGUN: reads the data for the first rules from the job and the configuration; NULL:
     * there is nothing to read. Does not block. */
    void (*prepare)(struct gf_flow_t *flow, struct gf_run_t *run);

    /* Runs an act on a writer thread; NULL: the act alone. */
    gf_err_t *(*perform)(struct gf_run_t *run, gf_ctx_t *ctx,
                         gf_err_t *(*act)(struct gf_run_t *run, gf_ctx_t *ctx));

    /* The run leaves its state for `next`: adds to the metrics; NULL: nothing. Does not block. */
    void (*count)(const struct gf_flow_t *flow, struct gf_run_t *run, gf_event_t event,
                  gf_state_t next);

    /* The child ends, and only this thread is left: writes to the database what the next host must
     * know. True: this gives the job back. NULL: there is nothing to write. */
    bool (*hand_back)(struct gf_flow_t *flow, struct gf_run_t *run);
} gf_kind_t;

#endif

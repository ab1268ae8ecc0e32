/* SPDX-License-Identifier: Apache-2.0 */
/* A leased job on its way through this child: what gf_steps.c and gf_keep.c decide, gf_acts.c does
 * on a writer, gf_exchange.c over the wire, gf_dispatch.c moves. */
#ifndef GF_RUN_H
#define GF_RUN_H

#include "base/msg.h"
#include "db/breaker.h"
#include "db/queue.h"
#include "provider/provider.h"
#include "store/store.h"
#include "work/writers.h"

/* What a writer is to do for a run. */
typedef enum {
    GF_ACT_SOURCE,   /* make the source picture ready */
    GF_ACT_ATTEMPT,  /* write the intent to submit */
    GF_ACT_ACCEPTED, /* write the provider's id */
    GF_ACT_PROGRESS, /* write what the provider says */
    GF_ACT_HOOK_REF, /* the answer was lost: is the provider's id on the row? */
    GF_ACT_DRAW,     /* make the picture here, then as KEEP */
    GF_ACT_DECODE,   /* write the picture from its text, then as KEEP */
    GF_ACT_KEEP,     /* look at the picture; store it if that is done here; once stored, settle */
    GF_ACT_ADOPT,    /* as KEEP, if an earlier run got the picture */
    GF_ACT_REQUEUE,  /* give it back for a later attempt */
    GF_ACT_FAIL,     /* settle as failed */
    GF_ACT_LATER,    /* a picture that is stored again: not now */
    GF_ACT_REMOVED,  /* a picture without a completed row: note that it is gone */
    GF_ACT_TELL,     /* read what a webhook is to be told */
    GF_ACT_TOLD      /* note how telling it went */
} gf_act_t;

/* What an exchange of a run is about. */
typedef enum {
    GF_ASKING_SOURCE, /* the source picture */
    GF_ASKING_SUBMIT,
    GF_ASKING_POLL,
    GF_ASKING_RECOVER, /* the answer was lost: which runs does the provider have? */
    GF_ASKING_FETCH,   /* the picture itself */
    GF_ASKING_STORE,   /* keeping it */
    GF_ASKING_REMOVE,  /* removing one that no completed row has */
    GF_ASKING_TELL     /* telling a webhook */
} gf_asking_t;

typedef struct gf_run_t {
    gf_task_t task;               /* first: a done task is its run */
    gf_job_t *job;                /* owns this run's memory */
    const gf_choice_t *choice;    /* provider and model of the current attempt; NULL: none */
    apr_time_t intent_until;      /* later than that, others may take the intent for sent */
    apr_time_t provider_deadline; /* 0: nothing was submitted yet */
    bool last_question;           /* the deadline is over, and the provider was asked once more */

    /* the act: what to do, and how it went */
    gf_act_t act;
    char call[33]; /* its token: the act is the same one when it is repeated */
    bool writing;  /* a writer has the run */
    bool patient;  /* the act waits for a database, and that was logged */
    gf_err_t *err; /* in the job's pool */
    gf_hold_t hold;
    apr_interval_time_t
        delay; /* REQUEUE, LATER, TOLD (0: no more tries), PROGRESS, HOOK_REF: wait after */
    gf_err_code_t code;  /* REQUEUE, FAIL: why */
    const char *cause;   /* FAIL: code behind the code, or NULL */
    const char *words;   /* what the provider said when it failed last, for the log; or NULL */
    const char *settled; /* settle's word; NULL: not settled */

    /* how the attempt went, for the breaker; written with the next act */
    bool watched; /* its model failed before: it is told, too, if all goes well */
    gf_went_t went;
    const char *went_why;
    bool unknown_model; /* the provider does not know it */
    bool known_missed;  /* no connection came about, which was known */

    /* the source picture */
    const char *source;      /* its address, or data: URI */
    const char *source_file; /* or its file */
    const char *source_type;
    int source_tries;

    /* after a lost answer */
    apr_time_t lost_at;   /* when it was missed */
    apr_time_t listed_at; /* when its provider was asked for its list last */
    apr_time_t absent_at; /* when a list did not hold it, for the first time that counts */
    int lists;            /* so many were asked for */

    const char *hook_token; /* part of the address that the provider may report to, or NULL */
    gf_said_t said;         /* PROGRESS: what the provider said last; logs in the job's pool */

    /* the picture */
    const char *spool;        /* file that it is written to, and is in until it is settled */
    bool spool_is_copy;       /* it is the folder's own copy, and stays */
    const char *picture_url;  /* fetched from here; NULL: not by address */
    const char *picture_text; /* DECODE: base64 */
    const char *original_url; /* where the provider said it is; NULL: not by address */
    int redirects;            /* followed so far, from the address that was told */
    gf_stored_t *stored;      /* its facts, once it was looked at */
    const char *image_url;    /* set once stored; a settle that is repeated stores no more */
    bool unstored;            /* the store would not take it: image_url is for now */
    int store_tries;
    int remove_at; /* a removal of every place: which extension is asked about */

    const char *webhook_url; /* who is told of its end ... */
    const char *told;        /* ... and what; NULL: there is no such generation any more */

    gf_asking_t asking; /* what the open or last exchange is about */
    gf_msg_t *msg;      /* open exchange, or NULL */
    apr_time_t wake;    /* when to go on by itself; 0: waits for an event */
    bool poked;         /* a report came in while it was busy */
    bool ended;         /* its job has ended otherwise; it stops as soon as it would wait */
    int beat;           /* number of the heartbeat that last named it */
    struct gf_run_t *next, *previous;
} gf_run_t;

/* Was its picture brought to a generation that had ended otherwise, or was deleted? */
bool gf_run_came_late(const gf_run_t *run);

/* Hands the run to a writer for its act (gf_acts.c). */
void gf_acts_run(gf_task_t *task, gf_ctx_t *ctx);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A leased job on its way through this child: what gf_steps.c decides, gf_acts.c does on a writer,
 * gf_dispatch.c moves. */
#ifndef GF_RUN_H
#define GF_RUN_H

#include "base/gf_msg.h"
#include "db/gf_queue.h"
#include "provider/gf_provider.h"
#include "work/gf_writers.h"

/* What a writer is to do for a run. */
typedef enum {
    GF_ACT_ATTEMPT,  /* write the intent to submit */
    GF_ACT_ACCEPTED, /* write the provider's id */
    GF_ACT_DRAW,     /* make the picture here, then keep it */
    GF_ACT_ADOPT,    /* settle as completed if its picture was kept before */
    GF_ACT_DECODE,   /* write the picture from its text, then keep it */
    GF_ACT_KEEP,     /* store the spooled picture and settle as completed */
    GF_ACT_REQUEUE,  /* give it back for a later attempt */
    GF_ACT_FAIL      /* settle as failed */
} gf_act_t;

/* What an exchange of a run is about. */
typedef enum {
    GF_ASKING_SUBMIT,
    GF_ASKING_POLL,
    GF_ASKING_RECOVER, /* the answer was lost: which runs does the provider have? */
    GF_ASKING_FETCH    /* the picture itself */
} gf_asking_t;

typedef struct gf_run_t {
    gf_task_t task;            /* first: a done task is its run */
    gf_job_t *job;             /* owns this run's memory */
    const gf_choice_t *choice; /* provider and model of the current attempt */
    const char *spool;
    apr_time_t provider_deadline; /* 0: nothing was submitted yet */

    /* the act: what to do, and how it went */
    gf_act_t act;
    bool writing;  /* a writer has the run */
    bool patient;  /* the act waits for a database, and that was logged */
    gf_err_t *err; /* in the job's pool */
    gf_hold_t hold;
    apr_interval_time_t delay; /* REQUEUE */
    gf_err_code_t code;        /* REQUEUE, FAIL: why */
    const char *cause;         /* FAIL: code behind the code, or NULL */
    const char *image_url;     /* KEEP: set once stored; a settle that is repeated stores no more */
    const char *result;
    const char *settled; /* settle's word */

    /* the way to the picture */
    const char *picture_url;  /* fetched from here; NULL: not by address */
    const char *picture_text; /* DECODE: base64 */
    int redirects;            /* followed so far */
    gf_asking_t asking;       /* what the open or last exchange is about */

    gf_msg_t *msg;   /* open exchange, or NULL */
    apr_time_t wake; /* when to go on by itself; 0: waits for an event */
    int beat;        /* number of the heartbeat that last named it */
    struct gf_run_t *next, *previous;
} gf_run_t;

/* Hands the run to a writer for its act (gf_acts.c). */
void gf_acts_run(gf_task_t *task, gf_ctx_t *ctx);

#endif

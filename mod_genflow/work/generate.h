/* SPDX-License-Identifier: Apache-2.0 */
/* A job's state machine: what follows from what, the rules about money included. Each call gets an
 * event of one run and leaves the run with its next act, exchange or alarm, or ended. Dispatcher
 * thread only; nothing here blocks. */
#ifndef GF_STEPS_H
#define GF_STEPS_H

#include "net/net.h"
#include "work/reach.h"
#include "work/run.h"

/* What steps need of the dispatcher. */
typedef struct gf_steps_t {
    gf_ctx_t ctx;     /* pool: scratch of this turn */
    apr_pool_t *pool; /* the dispatcher's, for exchanges */
    gf_net_t *net;
    gf_writers_t *writers;
    gf_hub_t *hub;
    gf_reach_t reach;
} gf_steps_t;

/* Where a run stands after a step. */
typedef enum {
    GF_STEP_GOES_ON, /* a writer, the net or its alarm has it */
    GF_STEP_OVER     /* this child is done with it: free it */
} gf_step_t;

gf_step_t gf_steps_begin(gf_steps_t *steps, gf_run_t *run);    /* a job was taken or claimed */
gf_step_t gf_steps_answered(gf_steps_t *steps, gf_run_t *run); /* its exchange has ended */
gf_step_t gf_steps_written(gf_steps_t *steps, gf_run_t *run);  /* its act was done */
gf_step_t gf_steps_awake(gf_steps_t *steps, gf_run_t *run);    /* its alarm went off */

/* It waits for its provider, and its job has ended otherwise: the provider is asked to stop. */
gf_step_t gf_steps_ended(gf_steps_t *steps, gf_run_t *run);

/* ---- for gf_keep.c ---- */

/* Gives the run to a writer. */
gf_step_t gf_steps_act(gf_steps_t *steps, gf_run_t *run, gf_act_t act);

/* The end without a picture: failed with `code`, and with the code behind it, or NULL. */
gf_step_t gf_steps_fail(gf_steps_t *steps, gf_run_t *run, gf_err_code_t code, const char *cause);

/* The context for log lines about the run. */
const gf_ctx_t *gf_steps_about(gf_steps_t *steps, const gf_run_t *run);

#endif

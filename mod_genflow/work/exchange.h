/* SPDX-License-Identifier: Apache-2.0 */
/* A run's exchanges with the outside: starting each kind with its limits, and reading its answer
 * with the right reader. Decides nothing. Dispatcher thread only. */
#ifndef GF_EXCHANGE_H
#define GF_EXCHANGE_H

#include "work/generate.h"

/* Until when the run's provider is asked, if it begins now: for its own time, and not longer than
 * the generation lives. */
apr_time_t gf_exchange_deadline(const gf_run_t *run);

/* Each starts an exchange; run->msg is open afterwards. */
void gf_exchange_submit(gf_steps_t *steps, gf_run_t *run);  /* the paid one: sent once */
void gf_exchange_poll(gf_steps_t *steps, gf_run_t *run);    /* is it done? */
void gf_exchange_recover(gf_steps_t *steps, gf_run_t *run); /* which runs does it have? */
void gf_exchange_fetch(gf_steps_t *steps, gf_run_t *run);   /* the picture at run->picture_url */
void gf_exchange_source(gf_steps_t *steps, gf_run_t *run);  /* the source picture */
void gf_exchange_store(gf_steps_t *steps, gf_run_t *run);   /* keeping it, in a store over HTTP */
void gf_exchange_next(gf_steps_t *steps, gf_run_t *run, gf_msg_t *msg); /* one more, as before */

void gf_exchange_delete(gf_steps_t *steps, gf_run_t *run); /* removing a deleted one's picture */

void gf_exchange_tell(gf_steps_t *steps, gf_run_t *run); /* run->told, to its webhook */

/* Asks the provider to stop, and does not wait for what it says. */
void gf_exchange_cancel(gf_steps_t *steps, const gf_run_t *run);

/* Reads the ended exchange of run with the provider, the source or the picture into *outcome; what
 * is told lives in `pool`. */
void gf_exchange_read(gf_outcome_t *outcome, gf_run_t *run, apr_pool_t *pool);

/* The same for one with the store. */
void gf_exchange_read_store(gf_store_outcome_t *outcome, gf_steps_t *steps, gf_run_t *run,
                            apr_pool_t *pool);

/* And for one that removes: is the picture gone? */
bool gf_exchange_read_delete(gf_steps_t *steps, gf_run_t *run);

/* A pool for one exchange, of the dispatcher's. Not below the job's: that may be with a writer. */
apr_pool_t *gf_exchange_pool(const gf_steps_t *steps);

#endif

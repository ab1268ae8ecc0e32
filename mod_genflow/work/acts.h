/* SPDX-License-Identifier: Apache-2.0 */
/* The acts of a generation: what a writer does in its states, each a few blocking calls, the result
 * noted in the run. They decide nothing, and repeating one is harmless: statements carry run->call.
 * Writer threads, which own the run meanwhile. */
#ifndef WORK_ACTS_H
#define WORK_ACTS_H

#include "work/run.h"

/* Runs `act`, with the note to the model's breaker before it. The act runs even if the note fails.
 */
gf_err_t *gf_acts_perform(gf_run_t *run, gf_ctx_t *ctx,
                          gf_err_t *(*act)(gf_run_t *run, gf_ctx_t *ctx));

/* The source images, ready for the provider: uploaded ones are loaded, files checked. Errors:
 * SOURCE, also for more than GenflowAssetMaxTotal together. */
gf_err_t *gf_acts_source(gf_run_t *run, gf_ctx_t *ctx);

/* The intent to submit, with job->request_hash: run->lease. Nothing is sent before it is recorded.
 * Errors: STORE_CLOSED, so that nothing is paid for in vain. */
gf_err_t *gf_acts_intend(gf_run_t *run, gf_ctx_t *ctx);

/* Record the provider's id of the run (job->provider_ref), and its progress: run->lease. */
gf_err_t *gf_acts_accept(gf_run_t *run, gf_ctx_t *ctx);
gf_err_t *gf_acts_progress(gf_run_t *run, gf_ctx_t *ctx);

/* Reads the id that a provider webhook brought into job->provider_ref; NULL: none did. */
gf_err_t *gf_acts_look_up(gf_run_t *run, gf_ctx_t *ctx);

/* Removes the attempt's files from this host, and requeues the job, due after run->delay:
 * run->lease. */
gf_err_t *gf_acts_requeue(gf_run_t *run, gf_ctx_t *ctx);

/* The picture: each settles the generation as completed once it is stored (run->settled), which is
 * what captures the credits. */
gf_err_t *gf_acts_adopt(gf_run_t *run, gf_ctx_t *ctx);  /* of an earlier run, if there is one */
gf_err_t *gf_acts_draw(gf_run_t *run, gf_ctx_t *ctx);   /* made here, then checked */
gf_err_t *gf_acts_check(gf_run_t *run, gf_ctx_t *ctx);  /* in the spool, or in result.text */
gf_err_t *gf_acts_settle(gf_run_t *run, gf_ctx_t *ctx); /* uploaded, at result.image_url */
gf_err_t *gf_acts_store_temporarily(gf_run_t *run, gf_ctx_t *ctx); /* at a temporary address */

/* Settles the generation as failed, by of.generate.code: credits are released. */
gf_err_t *gf_acts_fail(gf_run_t *run, gf_ctx_t *ctx);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Telling a client's webhook that its generation has ended (job->tell_tries above 0): how often,
 * and when no more. Neither money nor the generation is touched. Dispatcher thread only; nothing
 * here blocks. */
#ifndef GF_TELL_H
#define GF_TELL_H

#include "work/generate.h"

/* The generation was read: run->told is what is to be told, to run->webhook_url. */
gf_step_t gf_tell_read(gf_steps_t *steps, gf_run_t *run);

/* The receiver answered, or did not. */
gf_step_t gf_tell_answered(gf_steps_t *steps, gf_run_t *run);

/* An act failed for another reason than a missing database. */
gf_step_t gf_tell_failed(gf_steps_t *steps, gf_run_t *run);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* From a picture to its end: looking at it, storing it, settling; what follows when the store will
 * not take it; and storing it again later. Dispatcher thread only; nothing here blocks. */
#ifndef GF_KEEP_H
#define GF_KEEP_H

#include "work/generate.h"

/* A completed picture that is to be stored again (job->restore_url). */
gf_step_t gf_keep_again(gf_steps_t *steps, gf_run_t *run);

/* The picture of a deleted generation that is to be removed (job->remove_url), and the store's
 * answer to that. */
gf_step_t gf_keep_remove(gf_steps_t *steps, gf_run_t *run);
gf_step_t gf_keep_removed(gf_steps_t *steps, gf_run_t *run);

/* An act that looks at the picture was done, and settled nothing: on to the store. */
gf_step_t gf_keep_looked(gf_steps_t *steps, gf_run_t *run);

/* The store's answer came. */
gf_step_t gf_keep_answered(gf_steps_t *steps, gf_run_t *run);

/* A run whose job is completed already failed to store its picture: `passing` tells whether a later
 * try may do better. */
gf_step_t gf_keep_later(gf_steps_t *steps, gf_run_t *run, bool passing);

/* The store will not take the picture now: completes without it, or fails where that is not wanted
 * or not possible. */
gf_step_t gf_keep_unstored(gf_steps_t *steps, gf_run_t *run);

#endif

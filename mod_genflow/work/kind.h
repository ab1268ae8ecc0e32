/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of jobs and their rules, in one place. Any thread. */
#ifndef WORK_KIND_H
#define WORK_KIND_H

#include "work/state.h"

/* The rules of a kind of job; all by number. Constant; never NULL for a number below
 * GF_JOB_KINDS. */
const gf_kind_t *gf_kind_of(gf_job_kind_t kind);

#endif

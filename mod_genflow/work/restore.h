/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a restore: a completed picture that is at a temporary address is put into the store.
 * No money is touched. It has no lease: its claim's time runs out.
 *
 * It is retried after 1 s, then ever later up to once an hour, until the store takes the picture or
 * its source is gone. */
#ifndef WORK_RESTORE_H
#define WORK_RESTORE_H

#include "work/run.h"

extern const gf_kind_t gf_kind_restore;

#endif

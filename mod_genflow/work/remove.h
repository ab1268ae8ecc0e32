/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a removal: a picture without a completed generation is removed from the store. No
 * money is touched. It has no lease: its claim's time runs out. */
#ifndef WORK_REMOVE_H
#define WORK_REMOVE_H

#include "work/run.h"

extern const gf_kind_t gf_kind_remove;

#endif

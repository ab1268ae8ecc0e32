/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a generation: from a claimed job to a picture that is charged, or to an end that is
 * not. Money: nothing is sent but from INTENT, once the intent is recorded and while the lease is
 * certain; what was sent and not answered is not sent again; only ADOPT, DRAW, CHECK, SETTLE and
 * TEMPORARY lead to a charge, inside the settle statement. t/unit/state_test.c walks the table. */
#ifndef WORK_GENERATE_H
#define WORK_GENERATE_H

#include "work/run.h"

extern const gf_kind_t gf_kind_generate;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of kinds. The loop, the writers, the net, alarms and leases know none of them. */
#include "work/kind.h"

#include "work/deliver.h"
#include "work/generate.h"
#include "work/move.h"
#include "work/remove.h"
#include "work/restore.h"

const gf_kind_t *gf_kind_of(gf_job_kind_t kind)
{
    static const gf_kind_t *const kinds[GF_JOB_KINDS] = { [GF_JOB_GENERATE] = &gf_kind_generate,
                                                          [GF_JOB_RESTORE] = &gf_kind_restore,
                                                          [GF_JOB_REMOVE] = &gf_kind_remove,
                                                          [GF_JOB_MOVE] = &gf_kind_move,
                                                          [GF_JOB_DELIVER] = &gf_kind_deliver };

    return kinds[kind];
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a submission without an answer means, for each kind of provider: it is sent again only if
 * no byte of it left. */
#ifndef LOST_H
#define LOST_H

#include "provider/provider.h"

#include "unit.h"

static const struct {
    gf_msg_end_t end;
    bool timed_out;
    gf_prov_state_t state;
    gf_err_code_t code;
} lost_submissions[] = {
    { GF_MSG_NOT_SENT, false, GF_PROV_TRANSIENT, GF_E_NETWORK },
    { GF_MSG_NOT_SENT, true, GF_PROV_TRANSIENT, GF_E_TIMEOUT },
    { GF_MSG_UNKNOWN, false, GF_PROV_UNKNOWN, GF_E_NETWORK },
    { GF_MSG_UNKNOWN, true, GF_PROV_UNKNOWN, GF_E_TIMEOUT },
    { GF_MSG_CANCELLED, false, GF_PROV_UNKNOWN, GF_E_NETWORK },
    { GF_MSG_OPEN, false, GF_PROV_UNKNOWN, GF_E_NETWORK },
    { GF_MSG_TOO_LARGE, false, GF_PROV_EMPTY, GF_E_RESULT },
};

/* `outcome` is what that submission means. */
#define CHECK_LOST(i, outcome)                                                    \
    do {                                                                          \
        gf_outcome_t lost_outcome = (outcome);                                    \
                                                                                  \
        ck_assert_msg(lost_outcome.state == lost_submissions[i].state, "row %lu", \
                      (unsigned long)(i));                                        \
        ck_assert_msg(lost_outcome.code == lost_submissions[i].code, "row %lu",   \
                      (unsigned long)(i));                                        \
    } while (0)

#endif

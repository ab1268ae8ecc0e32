/* SPDX-License-Identifier: Apache-2.0 */
/* Who wrote an answer: the provider itself, or perhaps a gateway before it, which may answer while
 * the provider works on. Pure; any thread. */
#ifndef PROV_OWN_H
#define PROV_OWN_H

#include "genflow/exchange.h"
#include "genflow/mark.h"

/* Has the answer one of these marks, so that it is certainly the provider's own? NULL: there is
 * none. */
bool prov_own_is_marked(const gf_prov_mark_t *marks, const gf_msg_t *msg);

#endif

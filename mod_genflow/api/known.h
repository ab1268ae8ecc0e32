/* SPDX-License-Identifier: Apache-2.0 */
/* Members of bodies and queries that the API does not know (GenflowBodyUnknown). Request threads
 * only. */
#ifndef API_KNOWN_H
#define API_KNOWN_H

#include "api/api.h"

/* Adds to `err` (may be NULL) the members of `body` (may be NULL) that are none of `known`
 * (NULL-ended), unless they are ignored here. */
gf_err_t *api_known_body(gf_err_t *err, gf_req_t *req, const gf_json_t *body,
                         const char *const *known);

/* INVALID, when the query has a name that is none of `known` ("limit|cursor") or, if `once`, has
 * one twice. */
gf_err_t *api_known_query(gf_req_t *req, const char *known, bool once);

#endif

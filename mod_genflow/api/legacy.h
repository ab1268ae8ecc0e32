/* SPDX-License-Identifier: Apache-2.0 */
/* The wire of older systems, below GenflowLegacyNames On. Their requests become the ones of the
 * API, their replies are written from the same rows; everything between is the API's own. The
 * handlers are the OLD rows of api/route_table.h, in files of this name:
 *
 *   legacy.c           what a body may be
 *   legacy_credit.c    credits-reserve, credits-finalize
 *
 * Request threads only. */
#ifndef API_LEGACY_H
#define API_LEGACY_H

#include "api/api.h"

/* May this body, of the type `media` ("" for none), be read as JSON? Pages of the older systems
 * send text/plain, as browsers do for a text. A browser cannot be made to send `Authorization:
 * Bearer` to another site without a preflight, so that such a request is its owner's. */
bool api_legacy_plain(const gf_req_t *req, const char *media);

#endif

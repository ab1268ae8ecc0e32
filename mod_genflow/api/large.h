/* SPDX-License-Identifier: Apache-2.0 */
/* Responses of more than a socket takes at once: their clients may read them slowly, or not at all.
 */
#ifndef API_LARGE_H
#define API_LARGE_H

#include "api/api.h"

#define API_LARGE 32768 /* bytes: httpd itself keeps up to 64 kB of a response without a wait */

/* Before a response of so many bytes is begun. A large one goes out of a file (httpd/spill.h). */
void api_large_spill(gf_req_t *req, apr_off_t bytes);

/* The same of one that only reads, which a client may ask for again and again: a large one takes
 * one of the places of its user (GenflowLimitResponses) until the client has read it. Error:
 * TOO_MANY_RESPONSES. */
gf_err_t *api_large_begin(gf_req_t *req, apr_off_t bytes);

#endif

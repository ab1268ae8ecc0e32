/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of httpd's own authentication, in the format of every other error. */
#ifndef API_DENIED_H
#define API_DENIED_H

#include "api/api.h"

/* Once, before any request. */
void api_denied_register(void);

/* The error of a request that httpd's authentication refused. */
gf_err_t *api_denied_error(gf_req_t *req);

/* Sends this body, of that media type (NULL: JSON), with these headers, in place of httpd's page.
 */
void api_denied_replace(request_rec *r, const char *type, const char *text,
                        const apr_table_t *headers);

/* Runs when httpd is about to write an error page. A 401 of an address of ours becomes
 * AUTHENTICATION_REQUIRED, or TOKEN_EXPIRED for an expired bearer token. */
void api_denied(request_rec *r);

#endif

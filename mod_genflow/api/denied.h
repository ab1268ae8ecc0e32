/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of httpd's own authentication, in the format of every other error. */
#ifndef API_DENIED_H
#define API_DENIED_H

#include "api/api.h"

#include "base/err.h"

/* Once, before any request. */
void api_denied_register(void);

/* The error for which httpd's authentication or an API key's scope refused the request, for the
 * page that httpd is about to write with r->status, which becomes the error's; NULL: the page is
 * about something else. */
gf_err_t *api_denied_error(gf_req_t *req);

/* Sends this body, of that media type (NULL: JSON), with these headers, in place of httpd's page.
 */
void api_denied_replace(request_rec *r, const char *type, const char *text,
                        const apr_table_t *headers);

/* Runs when httpd is about to write an error page. A 401 of an address of ours becomes
 * AUTHENTICATION_REQUIRED, or TOKEN_EXPIRED for an expired bearer token; what API keys were refused
 * for (api/authn.c) becomes that error. */
void api_denied(request_rec *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of httpd's own authentication, in the format of every other error. */
#ifndef API_DENIED_H
#define API_DENIED_H

#include <httpd.h>

/* Once, before any request. */
void api_denied_register(void);

/* Runs when httpd is about to write an error page. A 401 of an address of ours becomes
 * AUTHENTICATION_REQUIRED, or TOKEN_EXPIRED for an expired bearer token. */
void api_denied(request_rec *r);

#endif

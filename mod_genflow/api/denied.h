/* SPDX-License-Identifier: Apache-2.0 */
/* What httpd's own authentication refuses, told as every other error is. */
#ifndef API_DENIED_H
#define API_DENIED_H

#include <httpd.h>

/* Once, before anything is served. */
void api_denied_register(void);

/* httpd is about to write an error page. Where it is a 401 of an address of ours, it becomes
 * AUTHENTICATION_REQUIRED, or TOKEN_EXPIRED for a bearer token that has ended. */
void api_denied(request_rec *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that a browser sends for pages of other sites. Request threads only. */
#ifndef API_CORS_H
#define API_CORS_H

#include <stdbool.h>

#include <httpd.h>

/* Did a page of another site send this? Such a request may change nothing here. False if
 * GenflowCorsOrigin names the page's origin, or if the request carries a token, which no browser
 * adds by itself. */
bool api_cors_is_foreign(request_rec *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that pages of other sites have a browser send. Request threads only. */
#ifndef API_CORS_H
#define API_CORS_H

#include <stdbool.h>

#include <httpd.h>

/* Does a page of another site send this? Such a request may change nothing here. It is none where
 * GenflowCorsOrigin names the page's origin, or the request carries a token, which no browser adds
 * by itself. */
bool api_cors_is_foreign(request_rec *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The page of administration: which requests of genflow-admin are for it, before
 * authentication. Its handlers are in api/handlers.h. Request threads only. */
#ifndef API_DASHBOARD_H
#define API_DASHBOARD_H

#include <stdbool.h>

#include <httpd.h>

/* Is it for the page? Then a person gets httpd's own page where the sign-in is refused. */
bool api_dashboard_is(const request_rec *r, const char *handler);

/* Is it for the page or for a file of it? Then the response has the headers that protect pages
 * (api_studio_headers()). */
bool api_dashboard_has(const request_rec *r, const char *handler);

#endif

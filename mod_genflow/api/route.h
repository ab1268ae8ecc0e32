/* SPDX-License-Identifier: Apache-2.0 */
/* The way from httpd's hooks to a handler of ours (api/route.c). Request threads only. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/api.h"

/* Is this a name that SetHandler may give to us? */
bool api_route_is_ours(const gf_conf_t *conf, const char *handler, apr_pool_t *scratch_pool);

/* Does a request with this handler of ours need no user? */
bool api_route_is_open(request_rec *r, const gf_conf_t *conf, const char *handler);

/* Does the API have this path, for any type? For GenflowPath; at start-up. */
bool api_route_leads(const char *path);

/* Serves a request whose handler is ours. */
int api_route(request_rec *r, const gf_api_t *api);

#endif

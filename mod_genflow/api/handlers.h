/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers that the rows of api/route_table.h name. Each replies and returns NULL, or returns
 * the error that becomes the reply. For handlers of administration req->user is an administrator.
 * Request threads only.
 *
 * When a handler runs, api/route.c has checked the method, the page that sent the request, the
 * user, the names of the query's arguments and the rate, and has set req->base, args, query, the
 * members of the row's flags, and for a {type} row req->type. The values of args and query are the
 * handler's to check. The body is not read yet. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include <httpd.h>

#include "base/err.h"
#include "model/conf.h"

struct gf_req_t;

#define ROUTE(methods, path, handle, flags, query) gf_err_t *handle(struct gf_req_t *req);
#define OLD                                        ROUTE
#define ADMIN                                      ROUTE
#include "api/route_table.h"
#undef ADMIN
#undef OLD
#undef ROUTE

/* GET of the stored picture `name` (SetHandler genflow-result). An HTTP status, as httpd's own
 * handlers return. */
int api_result(struct gf_req_t *req, const char *name);

#endif

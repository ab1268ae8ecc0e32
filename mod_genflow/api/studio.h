/* SPDX-License-Identifier: Apache-2.0 */
/* The page for people: SetHandler genflow-studio. Its files are GenflowStudioFolder's, and nothing
 * of it needs the database. Request threads only. */
#ifndef API_STUDIO_H
#define API_STUDIO_H

#include <stdbool.h>

#include <httpd.h>

/* Is this the name of the handler? */
bool api_studio_is(const char *handler);

/* Gives every response at the address, errors included, the headers that protect the page. Before
 * authentication. */
void api_studio_headers(request_rec *r);

/* Sends the file `name` of the page, or its config.json. An HTTP status, or DECLINED: httpd's
 * default handler sends it. */
int api_studio_send(request_rec *r, const char *name);

/* Redirects to the address with a slash, as addresses in a page are relative to it. The redirect is
 * relative, too: a proxy may serve us below another path. */
int api_studio_add_slash(request_rec *r);

/* Serves a request whose handler is genflow-studio: the files by httpd's own handler, config.json
 * itself. */
int api_studio(request_rec *r);

#endif

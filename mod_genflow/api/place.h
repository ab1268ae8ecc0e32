/* SPDX-License-Identifier: Apache-2.0 */
/* Which section of httpd's configuration set a handler of ours: only a <Location> of httpd.conf has
 * the administrator's authority. Request threads only. */
#ifndef API_PLACE_H
#define API_PLACE_H

#include "api/api.h"

/* r->filename begins with it if a <Location> set the handler; mod_genflow.c writes it. */
#define GF_API_FILENAME "genflow:"

/* SetHandler's name of the API, and the handler of each address of GenflowPath. */
#define GF_API_HANDLER "genflow-api"

/* Did a <Location> set the handler of this request? */
bool api_place_is_location(const request_rec *r);

/* HTACCESS, if an .htaccess could have set it: its author could act as every user. */
gf_err_t *api_place_check(const gf_req_t *req);

#endif

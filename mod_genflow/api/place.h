/* SPDX-License-Identifier: Apache-2.0 */
/* Where in httpd's configuration a handler of ours was set: only a <Location> of httpd.conf is the
 * administrator's word. Request threads only. */
#ifndef API_PLACE_H
#define API_PLACE_H

#include "api/api.h"

/* r->filename begins with it where a <Location> set the handler; mod_genflow.c writes it. */
#define GF_API_FILENAME "genflow:"

/* Did a <Location> set the handler of this request? */
bool api_place_is_location(const request_rec *r);

/* HTACCESS, where an .htaccess could have set it: whoever may write a folder would speak for every
 * user. */
gf_err_t *api_place_check(const gf_req_t *req);

#endif

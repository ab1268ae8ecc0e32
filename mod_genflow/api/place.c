/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguishes a <Location> of httpd.conf from an .htaccess. api/route.c serves the request. */
#include "api/place.h"

#include <string.h>

#include <http_core.h>

bool api_place_is_location(const request_rec *r)
{
    return r->filename && strncmp(r->filename, GF_API_FILENAME, sizeof(GF_API_FILENAME) - 1) == 0;
}

/* Could the author of an .htaccess have opened this? There it sets the handler, and its author
 * chooses the passwords: the author could act as every user. */
gf_err_t *api_place_check(const gf_req_t *req)
{
    const struct htaccess_result *file = req->r->htaccess;

    while (file && !file->htaccess) { /* searched, and not there */
        file = file->next;
    }
    return !file || api_place_is_location(req->r)
               ? NULL
               : gf_err_make(req->ctx, GF_E_HTACCESS, APR_SUCCESS,
                             "%s is not served below %s, where an .htaccess has a say: put it into "
                             "a <Location> of httpd.conf, and AllowOverride None into the folder",
                             req->r->handler, file->dir);
}

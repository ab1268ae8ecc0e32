/* SPDX-License-Identifier: Apache-2.0 */
/* What requests of older systems have in common. */
#include "api/legacy.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "httpd/dir.h"

bool api_legacy_plain(const gf_req_t *req, const char *media)
{
    const char *header = apr_table_get(req->r->headers_in, "Authorization");

    return httpd_conf_legacy(req->r) && (!*media || ap_cstr_casecmp(media, "text/plain") == 0)
           && header && ap_cstr_casecmpn(header, "Bearer", 6) == 0 && apr_isspace(header[6]);
}

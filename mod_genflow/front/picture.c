/* SPDX-License-Identifier: Apache-2.0 */
/* Stored pictures, for responses that contain their bytes. */
#include "front/front.h"

#include <string.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "store/store.h"

const char *front_picture_url(gf_req_t *req, const gf_view_t *view)
{
    const char *url = view->image_url;

    return url && url[0] == '/' ? apr_pstrcat(req->r->pool, front_call(req)->site.site, url, NULL)
                                : url;
}

/* The name of a picture in the folder; NULL: it is elsewhere. */
static const char *name_of(const gf_conf_t *conf, const char *url)
{
    size_t length = conf->store_url ? strlen(conf->store_url) : 0;

    return url && length > 0 && strncmp(url, conf->store_url, length) == 0 && url[length] == '/'
                   && !strstr(url + length, "..")
               ? url + length + 1
               : NULL;
}

bool front_picture_is_here(const gf_req_t *req, const gf_view_t *view)
{
    return name_of(req->api->conf, view->image_url) != NULL;
}

gf_err_t *front_picture_open(apr_file_t **file, apr_off_t *bytes, gf_req_t *req,
                             const gf_view_t *view)
{
    const gf_conf_t *conf = req->api->conf;
    const char *name = name_of(conf, view->image_url);
    apr_finfo_t info;
    apr_status_t rv;

    if (!name) {
        return gf_err_make(req->ctx, GF_E_INTERNAL, APR_SUCCESS, "%s is not in the folder",
                           view->id);
    }
    rv = apr_file_open(file, gf_store_fs_path(conf, name, req->r->pool), APR_FOPEN_READ, 0,
                       req->r->pool);
    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, *file);
    }
    if (rv != APR_SUCCESS) {
        return gf_err_make(req->ctx, GF_E_INTERNAL, rv, "the picture of %s", view->id);
    }
    *bytes = info.size;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Stored pictures, for responses that contain their bytes. */
#include "front/front.h"

#include <string.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "base/hash.h"
#include "model/servers.h"
#include "net/net.h"
#include "store/store.h"

/* A client waits meanwhile, and a thread of httpd. */
#define CONNECT_TIMEOUT (5 * APR_USEC_PER_SEC)
#define FETCH_TIMEOUT   (20 * APR_USEC_PER_SEC)

#define RANDOM_BYTES 8

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

/* ---- a picture in another store ---- */

static gf_msg_t *make_request(const gf_req_t *req, const gf_view_t *view)
{
    const gf_conf_t *conf = gf_servers_of_type(req->conf, view->type);
    gf_msg_t *msg = gf_msg_make(req->r->pool, "GET", view->image_url);

    msg->guarded = !gf_store_conf_of(conf, view->image_url, msg->pool);
    msg->allowed = conf->fetch_allowed;
    msg->spool_any = true;
    msg->spool = gf_store_copy(
        conf,
        apr_pstrcat(req->r->pool, view->id, ".", gf_hash_random(req->r->pool, RANDOM_BYTES), NULL),
        req->r->pool);
    msg->connect_timeout = CONNECT_TIMEOUT;
    msg->timeout = FETCH_TIMEOUT;
    msg->file_max = conf->result_max;
    return msg;
}

/* Copies the picture into the spool. */
static gf_err_t *copy_picture(const char **path, gf_req_t *req, const gf_view_t *view)
{
    gf_msg_t *msg = make_request(req, view);
    apr_status_t rv = gf_net_perform(msg);

    if (rv == APR_SUCCESS && msg->end == GF_MSG_ANSWERED && msg->status / 100 == 2
        && msg->spooled > 0) {
        *path = msg->spool;
        return NULL;
    }
    apr_file_remove(msg->spool, req->r->pool);
    return gf_err_make(req->ctx, GF_E_PICTURE_AWAY, rv, "job=%s: HTTP %d for %s%s%s", view->id,
                       msg->status, view->image_url, msg->detail ? ": " : "",
                       msg->detail ? msg->detail : "");
}

/* ---- any picture ---- */

gf_err_t *front_picture_open(apr_file_t **file, apr_off_t *bytes, gf_req_t *req,
                             const gf_view_t *view)
{
    const gf_conf_t *conf = gf_servers_of_type(req->conf, view->type);
    const char *name = name_of(conf, view->image_url);
    const char *path = name ? gf_store_fs_path(conf, name, req->r->pool) : NULL;
    apr_finfo_t info;
    apr_status_t rv;

    if (!path) {
        GF_TRY(copy_picture(&path, req, view));
    }
    rv = apr_file_open(file, path, APR_FOPEN_READ, 0, req->r->pool);
    if (!name) {
        apr_file_remove(path, req->r->pool); /* it lives as long as it is open */
    }
    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, *file);
    }
    if (rv != APR_SUCCESS) {
        return gf_err_make(req->ctx, GF_E_INTERNAL, rv, "the picture of %s", view->id);
    }
    *bytes = info.size;
    return NULL;
}

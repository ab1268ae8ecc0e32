/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits of calls that cost, and the allowance of their user. base/bucket.c counts;
 * gf_queue_create() refuses by the limits that the database counts. */
#include "api/api.h"

#include <apr_strings.h>

#include "base/clock.h"
#include "db/gallery.h"
#include "httpd/limits.h"

static gf_err_t *take_token(gf_req_t *req, const gf_rate_t *rate, const char *kind,
                            const char *name)
{
    apr_interval_time_t wait;
    gf_err_t *err;

    if (!rate->every) {
        return NULL;
    }
    wait = gf_bucket_take(req->api->buckets, rate, apr_pstrcat(req->r->pool, kind, name, NULL),
                          gf_clock_now());
    if (!wait) {
        return NULL;
    }
    err = gf_err_make(req->ctx, GF_E_TOO_OFTEN, APR_SUCCESS, "%s%s", kind, name);
    err->retry_after = (int)(apr_time_sec(wait - 1) + 1);
    req->r->connection->keepalive = AP_CONN_CLOSE; /* rather than read the body */
    return err;
}

gf_err_t *api_limit(gf_req_t *req)
{
    const gf_conf_t *conf = req->api->conf;

    GF_TRY(take_token(req, &conf->limit_address, "address ", httpd_limits_address(req->r)));
    GF_TRY(take_token(req, &conf->limit_rate, "user ", req->user));
    return gf_gallery_allowance(req->ctx, req->user);
}

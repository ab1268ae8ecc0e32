/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits of calls that cost, and the allowance of their user. base/bucket.c counts;
 * gf_queue_create() refuses by the limits that the database counts. */
#include "api/api.h"

#include <apr_strings.h>

#include "base/clock.h"
#include "db/gallery.h"
#include "httpd/limits.h"

/* Takes a token, or only looks whether there is one. */
static gf_err_t *take_token(gf_req_t *req, const gf_rate_t *rate, const char *kind,
                            const char *name, bool looks)
{
    const char *bucket = apr_pstrcat(req->r->pool, kind, name, NULL);
    apr_time_t now = gf_clock_now();
    apr_interval_time_t wait;
    gf_err_t *err;

    if (!rate->every) {
        return NULL;
    }
    wait = looks ? gf_bucket_look(req->api->buckets, rate, bucket, now)
                 : gf_bucket_take(req->api->buckets, rate, bucket, now);
    if (!wait) {
        return NULL;
    }
    err = gf_err_make(req->ctx, GF_E_TOO_OFTEN, APR_SUCCESS, "%s%s", kind, name);
    err->retry_after = (int)(apr_time_sec(wait - 1) + 1);
    req->r->connection->keepalive = AP_CONN_CLOSE; /* rather than read the body */
    return err;
}

/* A request that the user's rate refuses takes no token of the address either: some clients repeat
 * it six times within half a second (replicate). */
gf_err_t *api_limit(gf_req_t *req)
{
    const gf_conf_t *conf = req->api->conf;

    GF_TRY(take_token(req, &conf->limit_rate, "user ", req->user, true));
    GF_TRY(take_token(req, &conf->limit_address, "address ", httpd_limits_address(req->r), false));
    GF_TRY(take_token(req, &conf->limit_rate, "user ", req->user, false));
    return gf_gallery_allowance(req->ctx, req->user);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits of calls that cost, and the allowance of their user. base/bucket.c counts;
 * gf_queue_create() refuses by the limits that the database counts. */
#include "api/api.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "db/gallery.h"
#include "httpd/limits.h"
#include "model/realm.h"

#define DRY_MORE 10 /* times as many dry runs as requests */

/* A rate limit and whom it counts. */
typedef struct limit_t {
    const char *policy; /* its name on the wire */
    gf_rate_t rate;
    const char *bucket;
} limit_t;

/* A dry run has buckets of its own: a page that shows the price at each key stroke takes nothing
 * from the pictures. */
static limit_t limit_of(const gf_req_t *req, const char *kind, const char *name, bool dry)
{
    const gf_conf_t *conf = req->conf;
    bool of_user = strcmp(kind, "user ") == 0;
    limit_t limit = { .policy = of_user ? "default" : "address",
                      .rate = of_user ? conf->limit_rate : conf->limit_address };

    limit.bucket = apr_pstrcat(req->r->pool, dry ? "dry run of " : "", kind,
                               of_user ? name : gf_realm_identity(conf, name, req->r->pool), NULL);
    if (dry && limit.rate.every) {
        limit.rate.every /= DRY_MORE;
        limit.rate.every =
            limit.rate.every < GF_BUCKET_FINEST ? GF_BUCKET_FINEST : limit.rate.every;
        limit.rate.burst *= DRY_MORE;
    }
    return limit;
}

static limit_t user_limit(const gf_req_t *req, bool dry)
{
    return limit_of(req, "user ", req->user, dry);
}

/* ---- what is left ---- */

static apr_int64_t seconds_of(apr_interval_time_t time)
{
    return apr_time_sec(time + APR_USEC_PER_SEC - 1);
}

static void read_left(api_left_t *left, gf_req_t *req, const limit_t *limit)
{
    apr_time_t now = gf_clock_now();
    apr_interval_time_t full;

    left->limit = limit->rate.burst;
    left->seconds = seconds_of(limit->rate.every * limit->rate.burst);
    left->remaining = gf_bucket_left(&full, req->api->buckets, &limit->rate, limit->bucket, now);
    left->reset = seconds_of(
        left->remaining ? full
                        : gf_bucket_look(req->api->buckets, &limit->rate, limit->bucket, now));
}

bool api_limit_left(api_left_t *left, gf_req_t *req)
{
    const limit_t limit = user_limit(req, false);

    if (limit.rate.every) {
        read_left(left, req, &limit);
    }
    return limit.rate.every != 0;
}

/* RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers, an item for each limit.
 */
static void say_left(gf_req_t *req, const limit_t *limit)
{
    apr_table_t *headers = req->r->headers_out;
    api_left_t left;

    if (!limit->rate.every) {
        return;
    }
    read_left(&left, req, limit);
    apr_table_merge(headers, "RateLimit-Policy",
                    apr_psprintf(req->r->pool, "\"%s\";q=%" APR_INT64_T_FMT ";w=%" APR_INT64_T_FMT,
                                 limit->policy, left.limit, left.seconds));
    apr_table_merge(headers, "RateLimit",
                    apr_psprintf(req->r->pool, "\"%s\";r=%" APR_INT64_T_FMT ";t=%" APR_INT64_T_FMT,
                                 limit->policy, left.remaining, left.reset));
}

/* ---- the check ---- */

/* Takes a token, or only looks whether there is one. */
static gf_err_t *take_token(gf_req_t *req, const limit_t *limit, bool looks)
{
    apr_time_t now = gf_clock_now();
    apr_interval_time_t wait;
    gf_err_t *err;

    if (!limit->rate.every) {
        return NULL;
    }
    wait = looks ? gf_bucket_look(req->api->buckets, &limit->rate, limit->bucket, now)
                 : gf_bucket_take(req->api->buckets, &limit->rate, limit->bucket, now);
    if (!wait) {
        return NULL;
    }
    err = gf_err_make(req->ctx, GF_E_TOO_OFTEN, APR_SUCCESS, "%s", limit->bucket);
    err->retry_after = (int)seconds_of(wait);
    req->r->connection->keepalive = AP_CONN_CLOSE; /* rather than read the body */
    return err;
}

/* A request that the user's rate refuses takes no token of the address either: some clients repeat
 * it six times within half a second (replicate). */
gf_err_t *api_limit(gf_req_t *req, bool dry)
{
    const limit_t user = user_limit(req, dry);
    const limit_t address = limit_of(req, "address ", httpd_limits_address(req->r), dry);
    gf_err_t *err = take_token(req, &user, true);

    err = err ? err : take_token(req, &address, false);
    err = err ? err : take_token(req, &user, false);
    say_left(req, &user);
    say_left(req, &address);
    return err ? err : gf_gallery_allowance(req->ctx, req->user);
}

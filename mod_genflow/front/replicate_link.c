/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of the events of predictions, which clients open without a key: signed by the site's
 * secret, for one generation, its user, and an hour. A secret that the receivers of webhooks share
 * signs none: each of them could open what is another's. */
#include "front/replicate_route.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#include "base/hash.h"
#include "base/sign.h"
#include "base/text.h"
#include "model/realm.h"

#define LIFETIME APR_TIME_C(3600) /* seconds */
#define PURPOSE  "streams of predictions"

/* NULL: the secret is none. In base64url, without padding. */
static const char *signature_of(apr_pool_t *pool, const char *secret, const char *id,
                                const char *expires, const char *user)
{
    const char *own = gf_sign_purpose_secret(pool, secret, PURPOSE);
    const char *base64 = own ? gf_sign(pool, own, id, expires, user, strlen(user)) : NULL;
    char *at = base64 ? apr_pstrdup(pool, base64) : NULL;
    char *signature = at;

    for (; at && *at; at++) {
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    }
    if (signature) {
        signature[strcspn(signature, "=")] = '\0';
    }
    return signature;
}

const char *replicate_link_url(gf_req_t *req, const char *id)
{
    const gf_conf_t *conf = req->conf;
    apr_pool_t *pool = req->r->pool;
    const char *expires =
        apr_psprintf(pool, "%" APR_TIME_T_FMT, apr_time_sec(req->r->request_time) + LIFETIME);
    const char *signature = conf->webhook_shared
                                ? NULL
                                : signature_of(pool, conf->webhook_secret, id, expires, req->user);

    return signature ? apr_pstrcat(pool, replicate_mount(req), "/stream/", id, "?expires=", expires,
                                   "&user=", apr_pescape_urlencoded(pool, gf_realm_name(req->user)),
                                   "&signature=", signature, NULL)
                     : NULL;
}

static bool is_signature(const char *given, const char *signature)
{
    return signature && strlen(given) == strlen(signature)
           && gf_hash_equal(given, signature, strlen(signature));
}

const char *replicate_link_user(gf_req_t *req)
{
    const gf_conf_t *conf = req->conf;
    apr_pool_t *pool = req->r->pool;
    const char *name = api_body_query(req, "user");
    const char *user = gf_realm_identity(conf, name, pool);
    const char *expires = api_body_query(req, "expires");
    const char *given = api_body_query(req, "signature");
    const char *id = req->args[0];
    apr_int64_t until;

    /* id and time have no dots: what is signed can be read in one way only */
    if (!user || !gf_realm_is(conf, user) || !expires || !given || conf->webhook_shared
        || !gf_text_is_uuid(id) || !gf_text_int(&until, expires)
        || until <= apr_time_sec(req->r->request_time)) {
        return NULL;
    }
    return is_signature(given, signature_of(pool, conf->webhook_secret, id, expires, user)) ? user
                                                                                            : NULL;
}

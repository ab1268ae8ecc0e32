/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that fal's clients upload to without authentication: id, user and time are signed with
 * a secret that is made of GenflowWebhookSecret. That an address works once is the database's to
 * know (sql/functions/asset_upload.sql). */
#include "front/fal.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#include "base/hash.h"
#include "base/sign.h"
#include "base/text.h"
#include "model/realm.h"

#define PURPOSE "uploads of genflow-fal"

static const char *sign(const front_fal_link_t *link, const char *secret, apr_pool_t *pool)
{
    const char *key = gf_sign_purpose_secret(pool, secret, PURPOSE);

    return key ? gf_sign(pool, key, link->id, link->expires, link->user, strlen(link->user)) : NULL;
}

const char *front_fal_link_query(const front_fal_link_t *link, const char *secret, apr_pool_t *pool)
{
    const char *signature = sign(link, secret, pool);

    return signature
               ? apr_pstrcat(pool, "user=", apr_pescape_urlencoded(pool, gf_realm_name(link->user)),
                             "&expires=", link->expires,
                             "&signature=", apr_pescape_urlencoded(pool, signature), NULL)
               : NULL;
}

bool front_fal_link_is_good(const front_fal_link_t *link, const char *signature, const char *secret,
                            apr_time_t now, apr_pool_t *pool)
{
    const char *right = sign(link, secret, pool);
    apr_int64_t expires;

    return right && gf_text_is_uuid(link->id) && gf_text_int(&expires, link->expires)
           && strlen(right) == strlen(signature) && gf_hash_equal(right, signature, strlen(right))
           && apr_time_sec(now) < expires;
}

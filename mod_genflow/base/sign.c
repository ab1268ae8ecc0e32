/* SPDX-License-Identifier: Apache-2.0 */
/* Standard Webhooks: base64 of the HMAC of id, time and body, joined by dots. Leaves headers, and
 * what a right signature means, to the caller. */
#include "base/sign.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/hash.h"

#define PREFIX      "whsec_"
#define USER_SECRET "mod_genflow webhook secret of " /* before the user, under the site's key */
#define OF_PURPOSE  "mod_genflow secret of "         /* before the purpose */

/* NULL: the secret is none. */
static const unsigned char *key_of(apr_size_t *length, const char *secret, apr_pool_t *pool)
{
    const unsigned char *key = NULL;

    *length = 0;
    if (secret && strncmp(secret, PREFIX, strlen(PREFIX)) == 0) {
        key = apr_pdecode_base64_binary(pool, secret + strlen(PREFIX), APR_ENCODE_STRING,
                                        APR_ENCODE_NONE, length);
    }
    return *length > 0 ? key : NULL;
}

bool gf_sign_is_secret(const char *secret, apr_pool_t *pool)
{
    apr_size_t length;

    return key_of(&length, secret, pool) != NULL;
}

static const char *derive(apr_pool_t *pool, const char *secret, const char *text)
{
    unsigned char mac[GF_SHA256_BYTES];
    apr_size_t length;
    const unsigned char *key = key_of(&length, secret, pool);

    if (!key) {
        return NULL;
    }
    gf_hash_hmac(mac, key, length, text, strlen(text));
    return apr_pstrcat(pool, PREFIX,
                       apr_pencode_base64_binary(pool, mac, sizeof(mac), APR_ENCODE_NONE, NULL),
                       NULL);
}

const char *gf_sign_user_secret(apr_pool_t *pool, const char *secret, const char *user)
{
    return derive(pool, secret, apr_pstrcat(pool, USER_SECRET, user, NULL));
}

const char *gf_sign_purpose_secret(apr_pool_t *pool, const char *secret, const char *purpose)
{
    return derive(pool, secret, apr_pstrcat(pool, OF_PURPOSE, purpose, NULL));
}

const char *gf_sign(apr_pool_t *pool, const char *secret, const char *id, const char *time,
                    const char *body, apr_size_t length)
{
    const char *head = apr_pstrcat(pool, id, ".", time, ".", NULL);
    apr_size_t head_length = strlen(head);
    char *bytes = apr_palloc(pool, head_length + length);
    unsigned char mac[GF_SHA256_BYTES];
    apr_size_t key_length;
    const unsigned char *key = key_of(&key_length, secret, pool);

    if (!key) {
        return NULL;
    }
    memcpy(bytes, head, head_length);
    memcpy(bytes + head_length, body, length);
    gf_hash_hmac(mac, key, key_length, bytes, head_length + length);
    return apr_pencode_base64_binary(pool, mac, sizeof(mac), APR_ENCODE_NONE, NULL);
}

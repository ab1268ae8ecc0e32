/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of webhooks by the scheme of Standard Webhooks, for incoming and outgoing ones. Pure;
 * any thread. */
#ifndef GF_SIGN_H
#define GF_SIGN_H

#include <stdbool.h>

#include <apr_pools.h>

#define GF_SIGN_SECRET  "whsec_<base64>"
#define GF_SIGN_VERSION "v1," /* before each signature of that scheme */

/* Is it a secret of that form? NULL is not. */
bool gf_sign_is_secret(const char *secret, apr_pool_t *pool);

/* A secret for `user` alone, derived from the site's. Its owner cannot compute the site's or
 * another user's. NULL: `secret` is malformed. */
const char *gf_sign_user_secret(apr_pool_t *pool, const char *secret, const char *user);

/* A secret for `purpose` alone, derived from the site's. It is none of a user, whatever the user's
 * name is. NULL: `secret` is malformed, or NULL. */
const char *gf_sign_purpose_secret(apr_pool_t *pool, const char *secret, const char *purpose);

/* The signature over `id`, `time` (in seconds, as it is sent) and the body, without its version.
 * NULL: the secret is malformed. */
const char *gf_sign(apr_pool_t *pool, const char *secret, const char *id, const char *time,
                    const char *body, apr_size_t length);

#endif

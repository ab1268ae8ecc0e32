/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the host of a webhook with those that the site allows. net/guard.c checks the very
 * address of the connection. */
#include "model/webhook.h"

#include <string.h>

#include <apr_fnmatch.h>

#include "base/sign.h"
#include "model/conf.h"
#include "model/url.h"

#define PLAIN "http://" /* before a host of GenflowWebhookAllow: without TLS, too */

const char *gf_webhook_wrong(gf_ctx_t *ctx, const char *url)
{
    const apr_array_header_t *allowed = ctx->conf->webhook_hosts;
    bool only_https = false;
    gf_url_t parts;
    const char *wrong;
    int i;

    if (allowed->nelts == 0) {
        return "is not taken: this site sends no webhooks";
    }
    wrong = gf_url_read(&parts, url, ctx->pool);
    for (i = 0; !wrong && i < allowed->nelts; i++) {
        const char *host = APR_ARRAY_IDX(allowed, i, const char *);
        bool plain = strncmp(host, PLAIN, strlen(PLAIN)) == 0;

        if (apr_fnmatch(host + (plain ? strlen(PLAIN) : 0), parts.host, APR_FNM_CASE_BLIND)
            == APR_SUCCESS) {
            if (parts.https || plain) {
                return NULL;
            }
            only_https = true;
        }
    }
    return wrong        ? wrong
           : only_https ? GF_URL_NOT_HTTPS
                        : "names a host that this site sends no webhooks to";
}

static const char *secret_of(gf_ctx_t *ctx, const char *secret, const char *user)
{
    return ctx->conf->webhook_shared ? secret : gf_sign_user_secret(ctx->pool, secret, user);
}

void gf_webhook_secrets(const char **now, const char **old, gf_ctx_t *ctx, const char *user)
{
    *now = secret_of(ctx, ctx->conf->webhook_secret, user);
    *old = secret_of(ctx, ctx->conf->webhook_secret_old, user);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* GET webhook-secret: what the caller's own webhooks are signed with. Leaves how it is made to
 * model/webhook.c. */
#include "api/api.h"

#include "model/webhook.h"

/* Only the site gives out a secret that all users share: its owner can sign for every user. */
gf_err_t *api_webhook_secret(gf_req_t *req)
{
    const char *now;
    const char *old;
    gf_out_t out;

    gf_webhook_secrets(&now, &old, req->ctx, req->user);
    if (!now || req->conf->webhook_shared) {
        return gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "%s",
                           now ? "GenflowWebhookShared is On: the site gives its one secret itself"
                               : "this server has no GenflowWebhookSecret");
    }
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "secret", now);
    gf_out_put_string(&out, "previousSecret", old);
    return gf_reply_send(req, &out, HTTP_OK);
}

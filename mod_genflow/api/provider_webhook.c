/* SPDX-License-Identifier: Apache-2.0 */
/* POST hook/{provider}/{id}/{token}: a provider webhook reports that a run has ended. Only that is
 * believed: the process that leads the job polls the provider now. */
#include "api/api.h"

#include "base/text.h"
#include "db/provider_webhook.h"
#include "model/servers.h"
#include "provider/provider.h"

#define TOKEN_MAX        64
#define WEBHOOK_BODY_MAX (1 << 20) /* bytes of a report */

/* The rest of an unwanted body is not read. */
static gf_err_t *webhook_unknown(const gf_req_t *req)
{
    req->r->connection->keepalive = AP_CONN_CLOSE;
    return gf_err_make(req->ctx, GF_E_WEBHOOK_UNKNOWN, APR_SUCCESS, "%s, %s", req->args[0],
                       req->args[1]);
}

static gf_err_t *keys_pending(const gf_req_t *req, const char *url)
{
    gf_err_t *err = gf_err_make(req->ctx, GF_E_WEBHOOK_KEYS, APR_SUCCESS, "%s", url);

    err->retry_after = 5;
    return err;
}

/* Sets event and ref of a genuine report. */
static gf_err_t *verify_webhook(gf_provider_webhook_t *webhook, gf_req_t *req,
                                const gf_provider_t *provider)
{
    const char *keys_url =
        provider->webhook_keys ? provider->webhook_keys : provider->kind->webhook_keys;

    if (keys_url) {
        webhook->keys = gf_hub_req_keys(req->api->hub, keys_url, false, req->r->pool);
        if (!webhook->keys) {
            return keys_pending(req, keys_url);
        }
    }
    switch (gf_provider_read_webhook(webhook, provider)) {
    case GF_WEBHOOK_GENUINE:
        return NULL;
    case GF_WEBHOOK_MEANINGLESS:
        return gf_err_make(req->ctx, GF_E_WEBHOOK_EMPTY, APR_SUCCESS, "%s", provider->name);
    case GF_WEBHOOK_NO_KEY: /* there may be new ones by now */
        gf_hub_req_keys(req->api->hub, keys_url, true, req->r->pool);
        break;
    case GF_WEBHOOK_FORGED:
        break;
    }
    return gf_err_make(req->ctx, GF_E_WEBHOOK_FORGED, APR_SUCCESS, "%s", provider->name);
}

gf_err_t *api_provider_webhook(gf_req_t *req)
{
    const gf_provider_t *provider = gf_servers_provider(req->conf, req->args[0]);
    gf_provider_webhook_t webhook = { .headers = req->r->headers_in,
                                      .now = apr_time_now(),
                                      .pool = req->r->pool };
    gf_report_t report = { .provider = provider, .id = req->args[1], .token = req->args[2] };
    bool known;
    gf_out_t out;

    if (!provider || !provider->kind->read_webhook || !gf_text_is_uuid(report.id)
        || !gf_text_is_token(report.token, TOKEN_MAX)) {
        return webhook_unknown(req);
    }
    GF_TRY(gf_provider_webhook_known(&known, req->ctx, &report));
    if (!known) {
        return webhook_unknown(req);
    }
    GF_TRY(api_body_read(req, WEBHOOK_BODY_MAX, &webhook.body, &webhook.length));
    GF_TRY(verify_webhook(&webhook, req, provider));
    report.event = webhook.event;
    report.ref = webhook.ref;
    GF_TRY(gf_provider_webhook_record(&known, req->ctx, &report, req->api->owner));
    if (!known) {
        return webhook_unknown(req);
    }
    gf_hub_req_webhook_received(req->api->hub, report.id);
    gf_reply_begin(&out, req);
    return gf_reply_send(req, &out, HTTP_OK);
}

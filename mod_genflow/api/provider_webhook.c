/* SPDX-License-Identifier: Apache-2.0 */
/* POST hook/{provider}/{id}/{token}: a provider reports that a run has ended. What is told is not
 * believed further than that: whoever leads the job is made to ask the provider now. */
#include "api/api.h"

#include "base/text.h"
#include "db/provider_webhook.h"
#include "provider/provider.h"

#define TOKEN_MAX 64
#define HOOK_MAX  (1 << 20) /* bytes of a report */

/* The rest of a body that nobody waits for is not read. */
static gf_err_t *unknown(const gf_req_t *req)
{
    req->r->connection->keepalive = AP_CONN_CLOSE;
    return gf_err_make(req->ctx, GF_E_HOOK_UNKNOWN, APR_SUCCESS, "%s, %s", req->args[0],
                       req->args[1]);
}

static gf_err_t *keys_wanted(const gf_req_t *req, const char *url)
{
    gf_err_t *err = gf_err_make(req->ctx, GF_E_HOOK_KEYS, APR_SUCCESS, "%s", url);

    err->retry_after = 5;
    return err;
}

/* Sets event and ref of a genuine report. */
static gf_err_t *verify(gf_hook_t *hook, gf_req_t *req, const gf_provider_t *provider)
{
    const char *keys_url = provider->hook_keys ? provider->hook_keys : provider->kind->hook_keys;

    if (keys_url) {
        hook->keys = gf_hub_req_keys(req->api->hub, keys_url, false, req->r->pool);
        if (!hook->keys) {
            return keys_wanted(req, keys_url);
        }
    }
    switch (gf_provider_read_hook(hook, provider)) {
    case GF_HOOK_GENUINE:
        return NULL;
    case GF_HOOK_MEANINGLESS:
        return gf_err_make(req->ctx, GF_E_HOOK_EMPTY, APR_SUCCESS, "%s", provider->name);
    case GF_HOOK_NO_KEY: /* there may be new ones by now */
        gf_hub_req_keys(req->api->hub, keys_url, true, req->r->pool);
        break;
    case GF_HOOK_FORGED:
        break;
    }
    return gf_err_make(req->ctx, GF_E_HOOK_FORGED, APR_SUCCESS, "%s", provider->name);
}

gf_err_t *api_provider_webhook(gf_req_t *req)
{
    const gf_provider_t *provider =
        apr_hash_get(req->api->conf->providers, req->args[0], APR_HASH_KEY_STRING);
    gf_hook_t hook = { .headers = req->r->headers_in, .now = apr_time_now(), .pool = req->r->pool };
    gf_report_t report = { .provider = provider, .id = req->args[1], .token = req->args[2] };
    bool known;
    gf_out_t out;

    if (!provider || !provider->kind->read_hook || !gf_text_is_uuid(report.id)
        || !gf_text_is_token(report.token, TOKEN_MAX)) {
        return unknown(req);
    }
    GF_TRY(gf_hook_known(&known, req->ctx, &report));
    if (!known) {
        return unknown(req);
    }
    GF_TRY(api_body_read(req, HOOK_MAX, &hook.body, &hook.length));
    GF_TRY(verify(&hook, req, provider));
    report.event = hook.event;
    report.ref = hook.ref;
    GF_TRY(gf_hook_note(&known, req->ctx, &report, req->api->owner));
    if (!known) {
        return unknown(req);
    }
    gf_hub_req_poke(req->api->hub, report.id);
    gf_reply_begin(&out, req);
    return gf_reply_send(req, &out, HTTP_OK);
}

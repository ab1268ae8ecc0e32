/* SPDX-License-Identifier: Apache-2.0 */
/* Provider webhooks (provider/webhook.c, read_webhook of Replicate and fal). A byte chooses the
 * provider and whether the harness signs the body; a line holds public keys (fal); lines up to an
 * empty one are header fields, the rest is the body. Without a signature no report is genuine. */
#define FUZZ_NAME "provider_webhook"

#include <apr_encode.h>

#include "base/hash.h"
#include "fuzz.h"
#include "provider/provider.h"

#define SECRET "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define RAW    "0123456789abcdef0123456789abcdef"
#define AT     "1700000000"

static void sign(apr_table_t *headers, const char *body)
{
    const char *text = apr_pstrcat(fuzz.ctx.pool, "msg_1." AT ".", body, NULL);
    unsigned char mac[GF_SHA256_BYTES];

    gf_hash_hmac(mac, (const unsigned char *)RAW, strlen(RAW), text, strlen(text));
    apr_table_set(headers, "Webhook-Id", "msg_1");
    apr_table_set(headers, "Webhook-Timestamp", AT);
    apr_table_set(headers, "Webhook-Signature",
                  apr_pstrcat(fuzz.ctx.pool, "v1,",
                              apr_pencode_base64_binary(fuzz.ctx.pool, mac, sizeof(mac),
                                                        APR_ENCODE_NONE, NULL),
                              NULL));
}

static void fuzz_one(void)
{
    const gf_provider_t provider = { .name = "fuzzed", .webhook_secret = SECRET };
    unsigned how = fuzz_byte();
    const gf_prov_kind_t *kind = how & 1 ? &gf_prov_fal : &gf_prov_replicate;
    bool is_signed = (how & 3) == 2;
    gf_provider_webhook_t webhook = { .keys = fuzz_line(),
                                      .now = apr_time_from_sec(1700000000),
                                      .pool = fuzz.ctx.pool };
    apr_table_t *headers = fuzz_headers();
    gf_webhook_verdict_t verdict;
    size_t length;
    char *body = fuzz_rest(&length);

    if (is_signed) {
        body[strlen(body)] = '\0';
        length = strlen(body);
        sign(headers, body);
    }
    webhook.headers = headers;
    webhook.body = body;
    webhook.length = length;
    verdict = kind->read_webhook(&webhook, &provider);
    FUZZ_HOLDS(is_signed || (verdict != GF_WEBHOOK_GENUINE && verdict != GF_WEBHOOK_MEANINGLESS));
    FUZZ_HOLDS(
        verdict != GF_WEBHOOK_GENUINE
        || (webhook.event && webhook.ref && *webhook.ref && !strpbrk(webhook.ref, "/?#%.: \r\n")));
    free(body);
}

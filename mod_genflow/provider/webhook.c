/* SPDX-License-Identifier: Apache-2.0 */
/* Provider webhooks, as far as providers sign them alike. Signed text and body are read in each
 * provider's own file. Pure; runs on httpd's threads. */
#include "provider/webhook.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_escape.h>

#include "base/hash.h"
#include "base/text.h"
#include "provider/json.h"

#define WORD_MAX        256
#define TIME_DIGITS_MAX 12
#define OFF_MAX         300 /* seconds */
#define KEYS_MAX        64

/* ---- what came along ---- */

/* A comma: httpd joined a header that came twice. */
const char *prov_webhook_header(const gf_provider_webhook_t *webhook, const char *name)
{
    const char *word = apr_table_getm(webhook->pool, webhook->headers, name);

    return word && gf_text_is_printable(word, WORD_MAX) && !strchr(word, ',') ? word : NULL;
}

const char *prov_webhook_time(const gf_provider_webhook_t *webhook, const char *name)
{
    const char *text = prov_webhook_header(webhook, name);
    apr_int64_t off;

    if (!text || strlen(text) > TIME_DIGITS_MAX || !gf_text_int(&off, text)) {
        return NULL;
    }
    off -= apr_time_sec(webhook->now);
    return off >= -OFF_MAX && off <= OFF_MAX ? text : NULL;
}

const gf_json_t *prov_webhook_document(const gf_provider_webhook_t *webhook)
{
    gf_ctx_t ctx = { .pool = webhook->pool };
    gf_json_t *document = NULL;

    return gf_json_parse_reply(&document, &ctx, webhook->body, webhook->length) ? NULL : document;
}

/* ---- public keys ---- */

/* The key of a JWK; NULL: it is of another kind. */
static const unsigned char *key_of(const gf_provider_webhook_t *webhook, const gf_json_t *jwk)
{
    const char *x = prov_json_text(jwk, "x");
    apr_size_t length = 0;
    const unsigned char *key;

    if (strcmp(prov_json_text(jwk, "kty"), "OKP") != 0
        || strcmp(prov_json_text(jwk, "crv"), "Ed25519") != 0 || strlen(x) > WORD_MAX) {
        return NULL;
    }
    key = apr_pdecode_base64_binary(webhook->pool, x, APR_ENCODE_STRING, APR_ENCODE_BASE64URL,
                                    &length);
    return length == GF_ED25519_KEY_BYTES ? key : NULL;
}

static const gf_json_t *keys_of(const gf_provider_webhook_t *webhook)
{
    gf_ctx_t ctx = { .pool = webhook->pool };
    gf_json_t *document = NULL;

    if (!webhook->keys
        || gf_json_parse_reply(&document, &ctx, webhook->keys, strlen(webhook->keys))) {
        return NULL;
    }
    return gf_json_get(document, "keys");
}

gf_webhook_verdict_t prov_webhook_signed(const gf_provider_webhook_t *webhook, const char *hex,
                                         const char *text)
{
    const gf_json_t *keys = keys_of(webhook);
    unsigned char signature[GF_ED25519_SIGNATURE_BYTES];
    apr_size_t i;

    if (strlen(hex) != 2 * sizeof(signature)
        || apr_unescape_hex(signature, hex, 2 * sizeof(signature), 0, NULL) != APR_SUCCESS) {
        return GF_WEBHOOK_FORGED;
    }
    for (i = 0; i < gf_json_length(keys) && i < KEYS_MAX; i++) {
        const unsigned char *key = key_of(webhook, gf_json_at(keys, i));

        if (key && gf_hash_is_signed(key, signature, text, strlen(text))) {
            return GF_WEBHOOK_GENUINE;
        }
    }
    return GF_WEBHOOK_NO_KEY;
}

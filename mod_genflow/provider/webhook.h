/* SPDX-License-Identifier: Apache-2.0 */
/* Provider webhooks, as far as providers sign them alike: headers, a time, the body's bytes. Pure;
 * results live in the webhook's pool. Any thread. */
#ifndef PROV_WEBHOOK_H
#define PROV_WEBHOOK_H

#include "base/json.h"
#include "provider/provider.h"

/* A header of one word that was received once; else NULL. */
const char *prov_webhook_header(const gf_provider_webhook_t *webhook, const char *name);

/* The same for a time in seconds, as it was signed; NULL also if it is more than 5 minutes off. */
const char *prov_webhook_time(const gf_provider_webhook_t *webhook, const char *name);

/* Did one of webhook->keys sign the text, by Ed25519? `hex` is the signature; an invalid one is
 * FORGED. Returns GENUINE, NO_KEY or FORGED. */
gf_webhook_verdict_t prov_webhook_signed(const gf_provider_webhook_t *webhook, const char *hex,
                                         const char *text);

/* The body's JSON object; NULL if it is none. */
const gf_json_t *prov_webhook_document(const gf_provider_webhook_t *webhook);

#endif

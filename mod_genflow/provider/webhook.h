/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of a run's end, as far as providers sign them alike: headers, a time, the body's bytes.
 * Pure; what is returned lives in the report's pool. Any thread. */
#ifndef PROV_WEBHOOK_H
#define PROV_WEBHOOK_H

#include "base/json.h"
#include "provider/provider.h"

/* A header of one word that came once; NULL: it did not. */
const char *prov_webhook_header(const gf_provider_webhook_t *webhook, const char *name);

/* The same for a time in seconds, as it was signed; NULL also if it is more than 5 minutes off. */
const char *prov_webhook_time(const gf_provider_webhook_t *webhook, const char *name);

/* Did one of hook->keys sign the text, by Ed25519? The signature is in hex; one that is none is
 * FORGED. GENUINE, NO_KEY or FORGED. */
gf_webhook_verdict_t prov_webhook_signed(const gf_provider_webhook_t *webhook, const char *hex,
                                         const char *text);

/* The body's JSON object; NULL if it is none. */
const gf_json_t *prov_webhook_document(const gf_provider_webhook_t *webhook);

#endif

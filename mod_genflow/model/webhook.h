/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses that webhooks may be delivered to (GenflowWebhookAllow), and the secrets that sign
 * them. No I/O; any thread. */
#ifndef GF_WEBHOOK_H
#define GF_WEBHOOK_H

#include "base/ctx.h"

/* The mistake in this address of a webhook, for the client; NULL: none. */
const char *gf_webhook_wrong(gf_ctx_t *ctx, const char *url);

/* The secrets that sign the webhooks of `user`: *now, and *old while the site changes its secret
 * (else NULL). Both are NULL if the site has no secret. */
void gf_webhook_secrets(const char **now, const char **old, gf_ctx_t *ctx, const char *user);

#endif

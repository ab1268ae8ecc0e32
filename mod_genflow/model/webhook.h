/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses may be told the end of a generation (GenflowWebhookAllow). No I/O; any thread. */
#ifndef GF_WEBHOOK_H
#define GF_WEBHOOK_H

#include "base/ctx.h"

/* What is wrong with this address of a webhook, for the client; NULL: nothing. */
const char *gf_webhook_wrong(gf_ctx_t *ctx, const char *url);

/* What webhooks of `user` are signed with: *now, and *old while the site changes its secret (else
 * NULL). Both are NULL where the site has no secret. */
void gf_webhook_secrets(const char **now, const char **old, gf_ctx_t *ctx, const char *user);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses may be told the end of a generation (GenflowWebhookAllow). No I/O; any thread. */
#ifndef GF_WEBHOOK_H
#define GF_WEBHOOK_H

#include "base/gf_ctx.h"

/* What is wrong with this address of a webhook, for the client; NULL: nothing. */
const char *gf_webhook_wrong(gf_ctx_t *ctx, const char *url);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* model/url.c, model/source.c, model/webhook.c: an address that a request names. What is taken has a
 * host, and nothing in it that could end a line or a header. */
#define FUZZ_NAME "url"

#include "model/source.h"
#include "model/url.h"
#include "model/webhook.h"
#include "fuzz.h"

static void fuzz_one(void)
{
    size_t length;
    char *text = fuzz_rest(&length);
    gf_url_t url;

    if (!gf_url_read(&url, text, fuzz.ctx.pool)) {
        const char *at;

        FUZZ_HOLDS(url.host && *url.host && !strpbrk(url.host, "/?#@\\ "));
        for (at = text; *at; at++) {
            FUZZ_HOLDS(*at > ' ' && *at < 0x7F);
        }
        FUZZ_HOLDS(!gf_source_wrong_url(&fuzz.ctx, text) == url.https);
    }
    FUZZ_HOLDS(gf_webhook_wrong(&fuzz.ctx, text) || strcasestr(text, ".hooks.test"));
    free(text);
}

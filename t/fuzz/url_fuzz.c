/* SPDX-License-Identifier: Apache-2.0 */
/* model/gf_url.c, gf_source.c, gf_webhook.c: an address that a request names. What is taken has a
 * host, and nothing in it that could end a line or a header. */
#define FUZZ_NAME "url"

#include "model/gf_source.h"
#include "model/gf_url.h"
#include "model/gf_webhook.h"
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

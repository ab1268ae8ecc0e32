/* SPDX-License-Identifier: Apache-2.0 */
/* base/json.c: what is taken from a client is taken from a provider, too, and reads the same
 * when it is written and read again. */
#define FUZZ_NAME "json"

#include "fuzz.h"

static void fuzz_one(void)
{
    gf_json_t *strict = NULL, *reply = NULL, *again = NULL;
    const char *written;
    size_t length;
    char *text = fuzz_rest(&length);
    gf_err_t *err = gf_json_parse(&strict, &fuzz.ctx, text, length);
    gf_err_t *of_reply = gf_json_parse_reply(&reply, &fuzz.ctx, text, length);

    free(text);
    FUZZ_HOLDS(!err == (strict != NULL));
    FUZZ_HOLDS(!of_reply == (reply != NULL));
    if (strict) {
        FUZZ_HOLDS(reply);
        gf_json_is_moderate(strict);
        written = apr_pstrdup(fuzz.ctx.pool, gf_json_text(strict));
        FUZZ_HOLDS(strcmp(written, gf_json_text(reply)) == 0);
        FUZZ_HOLDS(!gf_json_parse(&again, &fuzz.ctx, written, strlen(written)));
        FUZZ_HOLDS(strcmp(written, gf_json_text(again)) == 0);
    }
    else if (reply) {
        FUZZ_HOLDS(gf_text_utf8(gf_json_text(reply), strlen(gf_json_text(reply)))
                   == strlen(gf_json_text(reply)));
    }
}

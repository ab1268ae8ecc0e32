/* SPDX-License-Identifier: Apache-2.0 */
/* A store's readers. The target defines KIND. A byte says how the exchange ended, a line is the
 * status, lines up to an empty one are header fields, the rest is the body. */
#ifndef STORE_FUZZ_H
#define STORE_FUZZ_H

#include "store/store.h"
#include "fuzz.h"

#define WORDS_MAX 1000

static void fuzz_one(void)
{
    gf_stored_t stored = { .image.type = "image/png", .image.extension = "png", .bytes = 4711 };
    gf_store_call_t call = { .conf = &fuzz.conf,
                             .name = "neo-glitch/5b/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b.png",
                             .file = "/spool/picture",
                             .stored = &stored,
                             .pool = fuzz.ctx.pool };
    gf_msg_t *msg = gf_msg_make(fuzz.ctx.pool, "PUT", "https://store.test/");
    gf_store_outcome_t outcome = { .state = GF_STORE_REFUSED };
    char *body;
    size_t length;

    fuzz.conf.store_account = "pictures";
    fuzz.conf.store_key = "KEYID";
    fuzz.conf.store_secret = FUZZ_SECRET;
    fuzz.conf.store_region = "eu-central-1";
    fuzz.conf.store_prefix = "stefna/generated";
    msg->end = fuzz_byte() % 8 == 7 ? GF_MSG_UNKNOWN : GF_MSG_ANSWERED;
    msg->status = (int)apr_atoi64(fuzz_line());
    msg->answer = fuzz_headers();
    body = fuzz_rest(&length);
    msg->text = body;
    msg->text_length = length;
    KIND.read_upload(&outcome, &call, msg);
    FUZZ_HOLDS((outcome.state == GF_STORE_STORED) == (outcome.url != NULL));
    if (!strstr(body, FUZZ_SECRET)) {
        fuzz_words(outcome.detail, WORDS_MAX);
    }
    KIND.read_remove(&call, msg);
    free(body);
}

#endif

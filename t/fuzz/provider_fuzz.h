/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's readers: what an exchange brought, of each of its questions. The target defines
 * KIND. The first byte chooses the question, the second how the exchange ended and whether the key
 * is in the reply; a line is the status, lines up to an empty one are header fields, the rest is
 * the body. */
#ifndef PROVIDER_FUZZ_H
#define PROVIDER_FUZZ_H

#include "provider/provider.h"
#include "fuzz.h"

#define WORDS_MAX 1000

typedef gf_msg_reader_t *reader_t;

/* A provider that repeats our key: each '*' of its body is the key. */
static char *with_key(const char *body, size_t *length)
{
    gf_out_t out;
    size_t i;
    char *made;

    gf_out_init(&out, fuzz.ctx.pool, *length + 64);
    made = apr_palloc(fuzz.ctx.pool, *length * sizeof(FUZZ_SECRET) + 1);
    for (i = 0, out.length = 0; i < *length; i++) {
        if (body[i] == '*') {
            memcpy(made + out.length, FUZZ_SECRET, sizeof(FUZZ_SECRET) - 1);
            out.length += sizeof(FUZZ_SECRET) - 1;
        }
        else {
            made[out.length++] = body[i];
        }
    }
    made[out.length] = '\0';
    *length = out.length;
    return made;
}

/* May it stand in an address as one name? */
static bool is_path_segment(const char *ref)
{
    return *ref && !strpbrk(ref, "/?#% \r\n") && strcmp(ref, ".") != 0 && strcmp(ref, "..") != 0;
}

static void fuzz_one(void)
{
    const reader_t readers[] = { KIND.read_submit, KIND.read_poll, KIND.read_reconcile };
    gf_provider_t provider = { .name = "fuzzed",
                               .kind = &KIND,
                               .url = "https://api.fuzzed.test",
                               .key = FUZZ_SECRET,
                               .deadline = apr_time_from_sec(120) };
    gf_type_t type = { .name = "neo-glitch", .lifetime = apr_time_from_sec(600) };
    gf_job_t job = { .pool = fuzz.ctx.pool,
                     .type = &type,
                     .id = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
                     .attempts = 1,
                     .prompt = "a neon cat",
                     .parameters = "{}",
                     .seed = 77,
                     .provider_ref = "r1" };
    gf_prov_call_t call = {
        .provider = &provider, .model = "some-model", .job = &job, .pool = fuzz.ctx.pool
    };
    unsigned which = fuzz_byte() % 3;
    unsigned how = fuzz_byte();
    gf_msg_t *msg = gf_msg_make(fuzz.ctx.pool, "GET", "https://api.fuzzed.test/v1/run/r1");
    gf_outcome_t outcome = { .state = GF_PROV_WORKING };
    char *body;
    size_t length;

    msg->status = (int)apr_atoi64(fuzz_line());
    msg->answer = fuzz_headers();
    body = fuzz_rest(&length);
    msg->text = with_key(body, &length);
    msg->text_length = length;
    free(body);
    msg->end = how % 8 == 7 ? GF_MSG_UNKNOWN : GF_MSG_ANSWERED;
    if (how & 8) {
        msg->spool = "/nowhere";
        msg->spooled = 100;
        msg->text = "";
        msg->text_length = 0;
    }
    if (readers[which]) {
        gf_provider_read(&outcome, &call, msg, readers[which]);
        if (outcome.state == GF_PROV_NEXT && how & 16) { /* the same answer to the next question */
            msg->read = outcome.next->read;
            gf_provider_read(&outcome, &call, msg, readers[which]);
            which = 1;
        }
        fuzz_words(outcome.detail, WORDS_MAX);
        FUZZ_HOLDS(!outcome.ref || is_path_segment(outcome.ref));
        FUZZ_HOLDS(outcome.state != GF_PROV_WORKING || which != 0 || outcome.ref);
    }
}

#endif

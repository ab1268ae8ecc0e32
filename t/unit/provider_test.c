/* SPDX-License-Identifier: Apache-2.0 */
/* What provider/provider.c requires of every kind: who reads an answer, how a run may be named, and
 * where an address that is such a name may lead. */
#include "provider.h"

/* ---- kinds of the test's own ---- */

static const char *named; /* what the next answer calls the run */

static void takes(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    memset(outcome, 0, sizeof(*outcome));
    outcome->state = GF_PROV_WORKING;
    outcome->ref = named;
}

static void requests(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    memset(outcome, 0, sizeof(*outcome));
    outcome->state = GF_PROV_NEXT;
    outcome->next = gf_msg_make(call->pool, "GET", "https://api.example.test/next");
}

static void requests_another(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    requests(outcome, call, msg);
    outcome->next->read = takes;
}

static gf_webhook_verdict_t hears(gf_provider_webhook_t *webhook, const gf_provider_t *provider)
{
    webhook->event = "event";
    webhook->ref = named;
    return GF_WEBHOOK_GENUINE;
}

static const gf_prov_kind_t kind = { .name = "test", .read_webhook = hears };

static gf_outcome_t read_by(const scene_t *scene, gf_msg_t *msg, reader_t usual)
{
    gf_outcome_t outcome = garbage();

    gf_provider_read(&outcome, &scene->call, msg, usual);
    return outcome;
}

/* ---- who reads ---- */

START_TEST(a_next_exchange_is_read_by_the_same_reader_unless_it_names_another)
{
    scene_t *scene_of = scene(&kind, "https://api.example.test", "m");
    gf_msg_t *first = answered("https://api.example.test/x", 200, NULL, "{}");
    gf_outcome_t outcome = read_by(scene_of, first, requests);

    ck_assert(outcome.next->read == requests);
    outcome = read_by(scene_of, first, requests_another);
    ck_assert(outcome.next->read == takes);
    named = "r1";
    ck_assert_int_eq(read_by(scene_of, outcome.next, requests).state, GF_PROV_WORKING);
}
END_TEST

/* ---- how a run is named ---- */

static const struct {
    const char *ref;
    bool kept;
} refs[] = { { "r1", true },
             { "..", true }, /* who puts it into a path looks for himself */
             { "https://eu.example.test/v1/result?id=4b&region=eu", true },
             { "a b", false },
             { "a\nb", false },
             { "caf\xc3\xa9", false },
             { "", false } };

START_TEST(a_run_may_have_any_name_that_is_printable_and_short)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(refs); i++) {
        scene_t *scene_of = scene(&kind, "https://api.example.test", "m");
        gf_msg_t *msg = answered("https://api.example.test/x", 200, NULL, "{}");
        gf_provider_webhook_t webhook = { .pool = unit.ctx.pool };
        gf_outcome_t outcome;

        named = refs[i].ref;
        outcome = read_by(scene_of, msg, takes);
        ck_assert_pstr_eq(outcome.ref, refs[i].kept ? refs[i].ref : NULL);
        ck_assert_msg(outcome.state == (refs[i].kept ? GF_PROV_WORKING : GF_PROV_UNKNOWN), "`%s`",
                      named);
        ck_assert(gf_provider_read_webhook(&webhook, &scene_of->provider)
                  == (refs[i].kept ? GF_WEBHOOK_GENUINE : GF_WEBHOOK_MEANINGLESS));
        scene_of->job.provider_ref = "r0";
        ck_assert_msg(read_by(scene_of, msg, takes).state == GF_PROV_WORKING,
                      "its name is known already");
    }
}
END_TEST

START_TEST(a_name_is_bounded)
{
    scene_t *scene_of = scene(&kind, "https://api.example.test", "m");
    char text[GF_PROVIDER_REF_MAX + 2];

    memset(text, 'a', sizeof(text));
    text[GF_PROVIDER_REF_MAX] = '\0';
    named = text;
    ck_assert_int_eq(read_by(scene_of, answered("https://x.test/", 200, NULL, "{}"), takes).state,
                     GF_PROV_WORKING);
    text[GF_PROVIDER_REF_MAX] = 'a';
    text[GF_PROVIDER_REF_MAX + 1] = '\0';
    ck_assert_int_eq(read_by(scene_of, answered("https://x.test/", 200, NULL, "{}"), takes).state,
                     GF_PROV_UNKNOWN);
}
END_TEST

START_TEST(our_key_goes_to_the_providers_own_hosts_alone)
{
    static const struct {
        const char *url, *domain;
        bool own;
    } rows[] = {
        { "http://127.0.0.1:8080/api/result?id=1", NULL, true },
        { "http://127.0.0.1:8080/api?id=1", NULL, true },
        { "http://127.0.0.1:8080/apiary", NULL, false },
        { "http://127.0.0.1:8081/api/result", NULL, false },
        { "https://eu.example.test/result", NULL, false },
        { "https://eu.example.test/result", "example.test", true },
        { "https://EU.Example.TEST/result", "example.test", true },
        { "https://example.test?id=1", "example.test", true },
        { "https://example.test", "example.test", true },
        { "http://eu.example.test/result", "example.test", false },
        { "https://badexample.test/result", "example.test", false },
        { "https://example.test.evil.test/", "example.test", false },
        { "https://evil.test/example.test", "example.test", false },
        { "https://evil.test?example.test", "example.test", false },
        { "https://example.test@evil.test/", "example.test", false },
        { "https://a:b@example.test/", "example.test", false },
        { "https://evil.test\\.example.test/", "example.test", false },
        { "https://example.test:8443/", "example.test", false },
        { "https://", "example.test", false },
        { "", "example.test", false },
    };
    static const gf_provider_t provider = { .url = "http://127.0.0.1:8080/api" };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(gf_provider_owns_url(&provider, rows[i].url, rows[i].domain) == rows[i].own,
                      "%s", rows[i].url);
    }
}
END_TEST

/* ---- how the key is sent ---- */

START_TEST(the_kind_says_which_header_carries_the_key)
{
    const gf_prov_kind_t ours = { .name = "x", .key_header = "x-key", .key_prefix = "" };
    scene_t *scene_of = scene(&ours, "https://api.example.test", "m");
    gf_msg_t *msg = gf_provider_request(&scene_of->call, "GET", "https://api.example.test/", "*/*");

    ck_assert_str_eq(apr_table_get(msg->headers, "x-key"), SECRET);
    ck_assert_ptr_null(apr_table_get(msg->headers, "Authorization"));
    scene_of->provider.kind = &gf_prov_fal;
    msg = gf_provider_request(&scene_of->call, "GET", "https://api.example.test/", "*/*");
    ck_assert_str_eq(apr_table_get(msg->headers, "Authorization"), "Key " SECRET);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_next_exchange_is_read_by_the_same_reader_unless_it_names_another,
        a_run_may_have_any_name_that_is_printable_and_short,
        a_name_is_bounded,
        our_key_goes_to_the_providers_own_hosts_alone,
        the_kind_says_which_header_carries_the_key,
        NULL,
    };

    return unit_run("provider", tests);
}
